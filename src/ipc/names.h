/*
 * ipc/names.h - objects with names, from inside: creating, opening and removing them whole.
 *
 * An object is a file in the directory of its scope (csys/ipc/names.h).  It begins with a header of
 * CSYSI_OBJECT_DATA bytes, which is written before the name appears and never changes, and what the
 * kind keeps follows.  All of it is allocated, so writing into a mapping of it cannot fail.
 *
 * Each opening notes that the file is in use (csysi_os_file_use), which the system ends with the
 * last copy of the handle.  The invariant of all that is removed:
 *
 *     a name is only removed by a process that has the file alone, and has seen since that the name
 *     is that file's; or by one that uses the file, holds the lock of the user's directory, and
 *     has seen so under it.
 *
 * (An owner that removes an object which all users can reach does not need to use it, if a process
 * has had it alone for a second: anyone that can read it could keep it there.)
 *
 * So a name is never removed from under a successor, and an opener that has noted its use and then
 * seen that the name is the file's has an object whose name stays until somebody asks for its
 * removal with users.
 */
#ifndef CSYSI_IPC_NAMES_H
#define CSYSI_IPC_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>
#include <csys/ipc/names.h>

#include "base/backoff.h"
#include "os/directory.h"

/* Where the data of an object begins in its file; mappings begin at 0. */
#define CSYSI_OBJECT_DATA 4096u

/* The length of the longest file name of an object, with its NUL. */
#define CSYSI_NAME_FILE 144u

struct csysi_object;

/*
 * What is created, or what is looked for.  All zero, but for name and kind, is: of this user, for
 * reading and writing, of any size, without a check of the layout.
 */
struct csysi_named {
	const char *name;
	int kind;             /* CSYS_NAME_SHM, ... */
	int scope;            /* CSYS_NAMES_USER, CSYS_NAMES_GLOBAL */
	int mode;             /* create: permissions, within 0666; 0 is 0600 */
	int accept_foreign;   /* open: also what belongs to another user than this one and root */
	int read_only;        /* open: the handle is for reading */
	int remove_with_last; /* create: the name goes with the last user, however that ends */
	int replace_unused;   /* create...: an object that is not in use is replaced */
	int settles;          /* create: the caller calls csysi_object_settle or _undo */
	uint32_t version;     /* of what the kind keeps in it; others are CSYS_EBADMSG */
	uint64_t size;        /* create: of the data; open: that it has at least, 0 for any */
	uint64_t max_size;    /* create: how far it may grow; 0 is `size` */
	uint64_t layout;      /* open: another one is CSYS_EBADMSG, unless one of them is 0 */

	/*
	 * Fills in a new object before its name appears; NULL leaves zeros.  It may map the file,
	 * and keep the mapping if the object is created: after this `lost` is called if it is not,
	 * since another process was earlier, or after a failure.
	 */
	int (*fill)(const struct csysi_object *object, void *context);
	void (*lost)(void *context);
	void *context;
};

/* An open object. */
struct csysi_object {
	csys_handle file;
	int is_created; /* by this call */
	uint32_t flags; /* CSYSI_OBJECT_... */
	int scope;
	uint64_t size; /* of the data now */
	uint64_t max_size;
	uint64_t layout;
	int64_t owner;
	csys_handle directory; /* private: none, unless it is removed with the last user */
	char file_name[CSYSI_NAME_FILE]; /* private */
};

#define CSYSI_OBJECT_REMOVE_WITH_LAST 1u

/*
 * Create an object, open one, or do what of the two succeeds, in one step for all others.  What
 * these return:
 *     CSYS_EEXIST        create: there is one
 *     CSYS_ENOENT        open: there is none
 *     CSYS_EBADMSG       what has the name is no object of this kind, version, size or layout, or
 *                        is another name's (a collision of hashes)
 *     CSYS_EPERM         it belongs to another user, or the directory is not safe
 *     CSYS_EACCES        its permissions forbid it
 *     CSYS_ENOSPC        there is no room for it
 *     CSYS_EBUSY         a process that has it alone does not go on for 1 s
 *     CSYS_EINVAL        no such name, kind, scope or mode
 *     CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 *     CSYS_EMFILE, CSYS_ENOMEM
 */
int csysi_object_create(const struct csysi_named *wanted, struct csysi_object *out);
int csysi_object_open(const struct csysi_named *wanted, struct csysi_object *out);
int csysi_object_create_or_open(const struct csysi_named *wanted, struct csysi_object *out);

/*
 * Close an object; CSYS_NO_HANDLE as its file is none.  Its name is removed if it has
 * REMOVE_WITH_LAST and no other process has it open; a forked child is another process.
 */
void csysi_object_close(struct csysi_object *object);

/*
 * After a creation with `settles`: the caller has all that it needs, so that the object stays; or
 * it has failed, so that the name goes, unless another process has it open.  Both do nothing with
 * an object that was opened; undo is before the close, and needs no other handle.
 */
void csysi_object_settle(struct csysi_object *object);
void csysi_object_undo(struct csysi_object *object);

/* ---- patience (patience.c) --------------------------------------------------------------- */

/*
 * Waits for other processes, which are in between for microseconds, unless they were stopped there.
 * A try ends with one of these if it has to be repeated.
 */
#define CSYSI_CHANGED CSYS_EAGAIN /* a process was earlier: look again at what is there now */
#define CSYSI_HELD CSYS_ETIMEDOUT /* a process has the object alone, or the lock of the directory */

struct csysi_patience {
	csys_deadline until; /* all private */
	struct csysi_backoff backoff;
	int held; /* how many times in a row */
	int changed;
};

#ifdef CSYSI_FAULTS
extern int csysi_patience_ms; /* which tests shorten */
#else
enum { csysi_patience_ms = 1000 };
#endif

/* Begin with all zero.  Wait a little, or not: 0, or CSYS_EBUSY when it took too long. */
int csysi_patience_wait(struct csysi_patience *patience, int why);

/* ---- headers ---------------------------------------------------------------------------- */

/* The first bytes of an object.  Numbers are in the machine's order. */
struct csysi_object_header {
	uint64_t magic;
	uint32_t format; /* of this header */
	uint32_t kind;
	uint32_t version; /* of the kind's data */
	uint32_t flags;
	uint64_t data; /* CSYSI_OBJECT_DATA */
	uint64_t size; /* of the data at first */
	uint64_t max_size;
	uint64_t layout;
	uint32_t name_size;
	uint32_t reserved;
	char name[CSYS_NAME_MAX + 1]; /* with a NUL; "" for an anonymous object */
};

/* Fill in the header of an object; its name may be NULL. */
void csysi_object_make_header(const struct csysi_named *wanted, struct csysi_object_header *out);

/*
 * Check a copy of a header, which may hold any bytes, and the size of its file.  An object without
 * a name is wanted by NULL.  CSYS_EBADMSG.
 */
int csysi_object_check(const struct csysi_object_header *header, uint64_t file_size,
		       const struct csysi_named *wanted);

/* ---- names ------------------------------------------------------------------------------ */

/* Check a name.  CSYS_EINVAL, also for NULL; CSYS_ENAMETOOLONG. */
int csysi_name_check(const char *name);

/* Whether objects of this kind can have names. */
int csysi_name_is_kind(int kind);

/*
 * Make the name of a file out of that of an object: "csys-shm-NAME", or with a hash for what is
 * longer than `limit` bytes.  `limit` is at least 30, and a result has at most that many.
 */
void csysi_name_file(int kind, const char *name, size_t limit, char out[CSYSI_NAME_FILE]);

/*
 * Tell the kind of the object in a file, by its name; CSYS_NAME_UNKNOWN if it is none.  *out_name
 * is its own name, "" if it was hashed.
 */
int csysi_name_of_file(const char *file, const char **out_name);

/* A hash of 128 bits, the same in all processes. */
void csysi_hash(const void *data, size_t size, uint64_t out[2]);

/* Open the directory of a scope, checked; the caller closes it. */
int csysi_names_directory(int scope, csys_handle *out);

/* What csysi_object_clear removes. */
enum csysi_clear {
	CSYSI_CLEAR_ANY,       /* whatever it is */
	CSYSI_CLEAR_WITH_LAST, /* an object that was to be removed with its last user */
	CSYSI_CLEAR_NAMED      /* an object with just that name */
};

/*
 * Remove a file from a directory if no process has it open.  `name` is for CSYSI_CLEAR_NAMED.
 * CSYS_EBUSY: a process has.  CSYS_ENOENT: there is no such object.
 */
int csysi_object_clear(int scope, csys_handle directory, const char *file_name,
		       enum csysi_clear which, const char *name);

/* ---- users (object_use.c) ---------------------------------------------------------------- */

/*
 * Have a file alone, as csysi_os_file_use does: 0.  CSYS_EAGAIN: it is used by another opening, and
 * not by one that only looks, as far as a lock can tell.
 */
int csysi_object_alone(int scope, csys_handle directory, csys_handle file);

/* Lock what all removals of this user lock that are made while others use the object. */
int csysi_names_try_lock(int scope, csys_handle directory, csys_handle *out);

/*
 * Lock it to have objects alone for a look; they are closed before it.  0, and *out is none, if a
 * process keeps it locked, or this user has no such directory.  CSYS_EMFILE, CSYS_ENOMEM.
 */
int csysi_names_lock_to_look(int scope, csys_handle directory, csys_handle *out);

/*
 * Whether a name is one under which an object was made, and which is left over, since the object
 * has its own by now.
 */
int csysi_object_is_second_name(const char *file_name, const struct csysi_os_file *info);

/* Read a header from a file.  CSYS_EBADMSG: it has none. */
int csysi_object_read_header(csys_handle file, struct csysi_object_header *out);

#endif
