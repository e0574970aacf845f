/**
 * \file
 * csys/ipc/named_object.h - how named mutexes, rwlocks, events and barriers are created or opened.
 *
 *     csys_named_options options = { .keep = 1 };
 *
 * A named object is one object of a region (csys/ipc/region.h) that has nothing else in it, found
 * by a name (csys/ipc/names.h tells where, and by whose programs).  Its names are those of regions:
 * csys_names_remove and the listing have them as CSYS_NAME_REGION.  So there is one object of a
 * name, and opening a mutex as a rwlock is CSYS_EBADMSG.
 *
 * Threads: any thread of the process may use an object that it has open.  Each becomes a member of
 * the region at its first call that needs it, until its end; there is room for `members` at a time,
 * of all processes.
 *
 * Death.  An object survives its users, as the shared one does.  A name goes with the last user,
 * however that ends: the next one creates an object, which is free and not poisoned.  With `keep`
 * it stays, as its users have left it: what a killed one held is taken over, and tells so.  So a
 * lock whose data outlive all processes, such as a file, is one with `keep`.
 *
 * Fork: the child has the object as its parent has it, and holds nothing of what its parent holds;
 * each closes its own.  Signals: not to be used in handlers.
 */
#ifndef CSYS_IPC_NAMED_OBJECT_H
#define CSYS_IPC_NAMED_OBJECT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/ipc/names.h>
#include <csys/ipc/region.h>

CSYS_BEGIN_DECLS

/** How a named object is created or opened.  All zero is the usual. */
typedef struct csys_named_options {
	int scope;             /**< CSYS_NAMES_USER or CSYS_NAMES_GLOBAL */
	int mode;              /**< create: as that of csys_region_options; 0 is 0600 */
	int accept_foreign;    /**< open: also what users other than the administrator have */
	int keep;              /**< create: the name stays when nobody has it open */
	int replace_unused;    /**< create, create_or_open: what nobody has open is removed first */
	unsigned members;      /**< create: for how many threads at a time; 0 is 64 */
	uintptr_t reserved[4]; /**< zero */
} csys_named_options;

/* What each named object is, for src/ipc/named_object.c. */
struct csysi_named_object {
	csys_region *region;
	void *object; /* in the region */
};

CSYS_END_DECLS

#endif
