/**
 * \file
 * csys/ipc/lock_file.h - one instance of a program at a time, and pid files that are never stale.
 *
 *     csys_lock_file *alone;
 *     int r = csys_lock_file_try_open("/run/indexer.pid", NULL, &alone);
 *     if (r == CSYS_EAGAIN) {
 *             csys_lock_file_info other;
 *             if (csys_lock_file_owner("/run/indexer.pid", &other) == 0)
 *                     fprintf(stderr, "runs already, as process %lld\n", (long long)other.pid);
 *             return 1;
 *     }
 *     if (r < 0)
 *             return fail(r);
 *     serve();
 *     csys_lock_file_close(alone);
 *
 * A lock file is a file that its process holds locked exclusively, as csys/ipc/file_lock.h does and
 * flock(1) does.  What counts is that lock, which the system ends with the process, however that
 * ends; the file alone means nothing, and may be left over.  In it stand the pid of the holder and
 * a newline, for other tools, and a line with its start and the boot, so that csys_lock_file_owner
 * tells a process and not a number that another process has by now.
 *
 * The file is removed when it is closed, under the lock; a process that has waited for it meanwhile
 * sees that and makes a new one.  So two processes never hold locks of two files of one name,
 * unless other programs remove or rename what is locked.
 *
 * The file is not followed if it is a symbolic link, and must be a regular file with no other name
 * that belongs to this user or the administrator: else CSYS_EPERM, since another user may have put
 * it there to have a file of this user emptied.  Even so, use a directory that others cannot write.
 *
 * Fork: a forked child has nothing of it, as with csys/ipc/file_lock.h; so a daemon opens it after
 * its last fork.  In a child csys_lock_file_close removes no file.  Threads: any thread may open
 * and close; two threads that open one path exclude each other as two processes do.  Network file
 * systems: see csys/ipc/file_lock.h.
 */
#ifndef CSYS_IPC_LOCK_FILE_H
#define CSYS_IPC_LOCK_FILE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A file that this process holds locked; on the heap. */
typedef struct csys_lock_file csys_lock_file;

/** How a lock file is opened; all zero is the default. */
typedef struct csys_lock_file_options {
	int mode;           /**< permissions if it is created, within the umask; 0: 0644 */
	int keep;           /**< 1: the file is emptied, and not removed, when it is closed */
	int accept_foreign; /**< 1: it may belong to any user */
	int reserved;       /**< 0 */
} csys_lock_file_options;

/**
 * Create or open a file, lock it, and write into it whose it is, waiting however long.
 *
 * \param path     the file, in a directory that exists
 * \param options  NULL for the defaults
 * \param out      the lock file, to be closed by csys_lock_file_close
 * \retval 0             it is this process's alone
 * \retval CSYS_ENOENT   no such directory
 * \retval CSYS_EACCES   the permissions of the directory or the file forbid it
 * \retval CSYS_EPERM    it is a symbolic link, no regular file, has other names, or is another
 *                       user's
 * \retval CSYS_ENOSPC   there is no room for the line
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_ENOTSUP  this system or this file system has no locks of files (CSYS_CAN_FILE_LOCK)
 * \retval CSYS_EINVAL   an argument is NULL, or the path names no file
 * \return another failure of opening a file
 */
CSYS_API CSYS_MUST_CHECK int
csys_lock_file_open(const char *path, const csys_lock_file_options *options, csys_lock_file **out);

/**
 * Create or open a file, lock it, and write into it whose it is, waiting until `deadline`.
 *
 * \param path      the file, in a directory that exists
 * \param options   NULL for the defaults
 * \param deadline  when to give up; one that has passed still takes a lock that is free
 * \param out       the lock file, to be closed by csys_lock_file_close
 * \retval 0               it is this process's alone
 * \retval CSYS_ETIMEDOUT  another process has it
 * \return as csys_lock_file_open
 */
CSYS_API CSYS_MUST_CHECK int csys_lock_file_open_until(const char *path,
						       const csys_lock_file_options *options,
						       csys_deadline deadline,
						       csys_lock_file **out);

/**
 * Create or open a file, lock it, and write into it whose it is, unless another process has it.
 *
 * It does not wait for that process.  A call of csys_lock_file_owner shares the lock for a moment,
 * and that moment is waited for: up to a tenth of a second, if the system is busy or if another
 * program shares the lock.
 *
 * \param path     the file, in a directory that exists
 * \param options  NULL for the defaults
 * \param out      the lock file, to be closed by csys_lock_file_close
 * \retval 0            it is this process's alone
 * \retval CSYS_EAGAIN  another process, or another thread of this one, has it
 * \return as csys_lock_file_open
 */
CSYS_API CSYS_MUST_CHECK int csys_lock_file_try_open(const char *path,
						     const csys_lock_file_options *options,
						     csys_lock_file **out);

/**
 * Remove the file, or empty it if it is to be kept, release the lock, and free the object.
 *
 * What stands at the path is only removed if it is the file that is locked.  In a forked child the
 * file and the lock stay the parent's.
 *
 * \param file  the lock file; NULL is ignored
 */
CSYS_API void csys_lock_file_close(csys_lock_file *file);
CSYSI_AUTO(csys_lock_file, csys_lock_file_close(*object))

/** Whose a lock file is.  The first three are a csys_process_id of csys/process/process.h. */
typedef struct csys_lock_file_info {
	int64_t pid;   /**< its process; 0: it is held, and by which process is not known (yet) */
	int64_t start; /**< when that started, as csys_process_id has it; 0: not known */
	uint64_t boot[2]; /**< of which boot; 0: not known */
	int is_certain; /**< 1: it is that process; 0: another may hold it, since a program without
			     csys does, or the system tells too little */
	int reserved;   /**< private */
} csys_lock_file_info;

/**
 * Tell whether a lock file is held, and which process holds it, without disturbing that.
 *
 * What stands in a file is believed only while it is locked, and only if the process of which it
 * tells runs, or is the one that the system tells.
 *
 * \param path  the file
 * \param out   whose it is.  Unchanged on failure
 * \retval 0             it is held
 * \retval CSYS_ENOENT   it is not, whether there is such a file or not
 * \retval CSYS_EACCES   the permissions of the directory or the file forbid to look
 * \retval CSYS_EPERM    it is a symbolic link, or no regular file
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_ENOTSUP  this system or this file system has no locks of files
 * \retval CSYS_EINVAL   an argument is NULL, or the path names no file
 */
CSYS_API CSYS_MUST_CHECK int csys_lock_file_owner(const char *path, csys_lock_file_info *out);

/**
 * Get the handle by which a lock file is open.
 *
 * It stays the object's.  What is written behind the two lines is there until the file is closed.
 *
 * \param file  the lock file
 * \return the handle; CSYS_NO_HANDLE in a forked child
 */
CSYS_API csys_handle csys_lock_file_handle(const csys_lock_file *file);

CSYS_END_DECLS

#endif
