/*
 * ipc/named_object.h - regions of one object, which are found by a name.
 */
#ifndef CSYSI_IPC_NAMED_OBJECT_H
#define CSYSI_IPC_NAMED_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include <csys/ipc/named_object.h>

/* What an object is: the number is in the region, before it. */
enum csysi_named_kind {
	CSYSI_NAMED_MUTEX = 1,
	CSYSI_NAMED_RWLOCK = 2,
	CSYSI_NAMED_EVENT = 3,
	CSYSI_NAMED_BARRIER = 4
};

enum csysi_named_how { CSYSI_NAMED_CREATE, CSYSI_NAMED_OPEN, CSYSI_NAMED_CREATE_OR_OPEN };

/* An object that is wanted.  `init` makes it before its name appears; NULL leaves zeros. */
struct csysi_named_wanted {
	enum csysi_named_kind kind;
	int (*init)(void *object, const void *context);
	const void *context;
};

/*
 * Create or open one.  What it returns is allocated, so that a named object that begins with it
 * may be what *out becomes.  CSYS_EBADMSG: what has the name is a region of another kind.
 */
int csysi_named_object_get(const struct csysi_named_wanted *wanted, enum csysi_named_how how,
			   const char *name, const csys_named_options *options,
			   struct csysi_named_object **out);

void csysi_named_object_close(struct csysi_named_object *named);

/* Tell what named object a region is: its kind, and where the object is; or 0. */
int csysi_named_object_look(csys_region *region, void **out_object);

#endif
