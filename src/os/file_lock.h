/*
 * os/file_lock.h - advisory locks of files: of a whole file, or of a range of its bytes.
 *
 * A lock belongs to an opening of the file (csysi_os_file_lock_open), so that two openings exclude
 * each other also in one process, and closing another handle of the file does not end it.  It
 * keeps out others that ask for such locks, and nobody else.  The system itself ends it when the
 * last handle of the opening is closed, however the process ends.
 *
 * A forked child of this process has no handle of any opening, from the return of fork on.
 * Programs that this process executes never have one.
 */
#ifndef CSYSI_OS_FILE_LOCK_H
#define CSYSI_OS_FILE_LOCK_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* How a file is locked.  Several openings may share a lock; an exclusive one is alone. */
enum csysi_os_lock_kind { CSYSI_OS_LOCK_NONE, CSYSI_OS_LOCK_SHARED, CSYSI_OS_LOCK_EXCLUSIVE };

/* A range of bytes, which need not exist yet. */
struct csysi_os_lock_range {
	uint64_t offset;
	uint64_t size; /* 0: all that follow, whatever the size of the file is or will be */
};

/* An opening of a file.  It does not move while it is open. */
struct csysi_os_file_lock {
	csys_handle handle; /* "none" in a forked child, and after closing */
	uint64_t device;    /* with the number: which file it is, as long as it is open */
	uint64_t number;
	int is_file;     /* 0: a directory, a device, a pipe, ... */
	int is_writable; /* 0: opened for reading alone, since it could not be for both */
	int has_links;   /* it had more names than one when it was opened */
	/* the backend's own */
	struct csysi_os_file_lock *next;
	struct csysi_os_file_lock **link;
};

/* How a file is opened to be locked.  Or-ed. */
#define CSYSI_OS_LOCK_CREATE 1u  /* create it if it does not exist */
#define CSYSI_OS_LOCK_NO_LINK 2u /* follow no symbolic link at the end of the path: CSYS_EPERM */

/*
 * Open a file to lock it: for reading and writing, or for reading if that alone is allowed.  Never
 * waits.  `directory` is where a relative path begins,
 * "none" for the current directory.  A created file has `mode`, as far as the umask allows.
 */
int csysi_os_file_lock_open(csys_handle directory, const char *path, unsigned how, int mode,
			    struct csysi_os_file_lock *out);

/* Open the folder of a path, in which *out_name, a part of the path, is the file.  CSYS_EINVAL: the
 * path names no file in a folder. */
int csysi_os_file_lock_folder(const char *path, csys_handle *out, const char **out_name);

/* Replace what is in a file by these bytes.  If it fails the file may be empty. */
int csysi_os_file_lock_write(const struct csysi_os_file_lock *lock, const void *data, size_t size);

/* Open the file of a handle once more.  CSYS_ENOTSUP: this system cannot, or has no path to it. */
int csysi_os_file_lock_reopen(csys_handle file, struct csysi_os_file_lock *out);

/*
 * Close an opening; one that is closed is ignored.  A lock should be unlocked before, since a child
 * that is forked at this moment may have the handle for as long as it lives.
 */
void csysi_os_file_lock_close(struct csysi_os_file_lock *lock);

/*
 * Lock, convert or unlock: the whole file if `range` is NULL, else that range.  The locks of one
 * opening must not overlap, and are of the whole file or of ranges, not of both.
 *
 * If another opening has a lock that forbids it: with `wait` it waits for as long as that is so,
 * and is no cancellation point; else CSYS_EAGAIN.  A conversion that fails may have lost the lock
 * if the whole file was locked, and another may have had the lock between the two even if it
 * succeeds; that of a range is one step.
 *
 * CSYS_ENOTSUP: no such locks on this system, or of this file.  CSYS_EACCES: the opening does not
 * allow this kind.  CSYS_EINVAL: the range ends beyond what the system can count.
 */
int csysi_os_file_lock_set(const struct csysi_os_file_lock *lock,
			   const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
			   int wait);

/* A lock of another opening. */
struct csysi_os_lock_owner {
	enum csysi_os_lock_kind kind;
	int64_t pid; /* of the process that locked it; 0: not known, or not one that can be seen */
	struct csysi_os_lock_range range; /* 0 and 0 for a whole file */
};

/*
 * Tell which lock keeps this opening, which holds `held`, from `kind`, as set has them: 1 and *out,
 * or 0: none does.  CSYS_ENOTSUP: the system does not tell.
 */
int csysi_os_file_lock_owner(const struct csysi_os_file_lock *lock,
			     const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
			     enum csysi_os_lock_kind held, struct csysi_os_lock_owner *out);

#endif
