/*
 * os/directory.h - files that have names in a checked directory, and locks that tell of their use.
 *
 * All of this is relative to the handle of a directory that was checked when it was opened: no path
 * is walked again, and no symbolic link is followed.  os/new_file.h has the creation of files.
 *
 * Names here are what the backend's file system takes: not empty, no separators, not "." or "..",
 * at most csysi_os_directory_name_limit() bytes.
 */
#ifndef CSYSI_OS_DIRECTORY_H
#define CSYSI_OS_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* ---- directories --------------------------------------------------------------------- */

/* Whose directory it is. */
enum csysi_os_directory {
	CSYSI_OS_DIRECTORY_USER,  /* of the effective user alone */
	CSYSI_OS_DIRECTORY_SHARED /* of all users: each can remove its own files only */
};

/*
 * Write the path of the directory where this system keeps named objects, found alike by all
 * sessions of the user.  CSYS_ENAMETOOLONG.
 */
int csysi_os_directory_usual(enum csysi_os_directory whose, char *out, size_t size);

/*
 * Open a directory, and check the one that was opened.  That of a user is created if it does not
 * exist (no parents are), belongs to the effective user, and others have no permission in it.  A
 * shared one is not created; it belongs to the administrator or the effective user, and others can
 * write into it only if they cannot remove files of each other.  CSYS_EPERM: it is not so.
 * CSYS_ENOTDIR, also for a symbolic link.  CSYS_EINVAL: the path is not absolute.
 */
int csysi_os_directory_open(const char *path, enum csysi_os_directory whose, csys_handle *out);

/* Whether a path says where it begins. */
int csysi_os_is_absolute(const char *path);

/* How long a name may be on every file system that is usual here, in bytes: 30 at least. */
size_t csysi_os_directory_name_limit(void);

/* The effective user, as csysi_os_file.owner has it. */
int64_t csysi_os_user(void);

/* The administrator's number, whose files are trusted as the system's own. */
int64_t csysi_os_administrator(void);

/* Whether this process has more privileges than its caller, whose environment is not trusted. */
int csysi_os_is_privileged(void);

/* ---- files in them --------------------------------------------------------------------- */

/* A file. */
struct csysi_os_file {
	uint64_t device; /* with the number: which file it is, while it is open somewhere */
	uint64_t number;
	uint64_t size;
	int64_t owner;
	uint64_t links; /* how many names it has */
	int mode;       /* permissions: 0777 and below */
	int is_file;    /* 0: a directory, a device, a socket, ... */
};

/* Describe an open file.  CSYS_EBADF. */
int csysi_os_file_info(csys_handle file, struct csysi_os_file *out);

/* Describe what has a name, without opening it.  CSYS_ENOENT. */
int csysi_os_directory_look(csys_handle directory, const char *name, struct csysi_os_file *out);

/*
 * Open a file.  It never waits, and has no effect on what is opened, whatever that is.
 * CSYS_ENOENT; CSYS_EACCES; CSYS_EBADMSG: it is no file.
 */
int csysi_os_directory_open_file(csys_handle directory, const char *name, int writing,
				 csys_handle *out);

/* Whether a name is that of an open file: 1, or 0, also if there is no such name. */
int csysi_os_directory_is_file(csys_handle directory, const char *name, csys_handle file);

/* Remove a name; the file lives on while it is open.  CSYS_ENOENT. */
int csysi_os_directory_remove(csys_handle directory, const char *name);

/* ---- use --------------------------------------------------------------------------------- */

/*
 * Note that a file is in use, as long as this handle, or a copy of it in any process, is open; or,
 * `alone`, that it is not used by any other.  The system itself ends that, however the process
 * ends.  Never waits.  CSYS_EAGAIN: a handle from another opening forbids it, and this one has no
 * note any more.
 */
int csysi_os_file_use(csys_handle file, int alone);

/*
 * Lock a directory against others that do so, until the handle *out is closed.  Never waits.
 * CSYS_EAGAIN.
 */
int csysi_os_directory_try_lock(csys_handle directory, csys_handle *out);

/* ---- listing ------------------------------------------------------------------------------- */

struct csysi_os_listing; /* a backend's own */

/*
 * List the names in a directory, in any order.  A name that comes or goes meanwhile may be missed.
 * Next: 1, 0 at the end.  *out_name lives until the next call.
 */
int csysi_os_listing_open(csys_handle directory, struct csysi_os_listing **out);
int csysi_os_listing_next(struct csysi_os_listing *listing, const char **out_name);
void csysi_os_listing_close(struct csysi_os_listing *listing);

#endif
