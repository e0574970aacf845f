/**
 * \file
 * csys/ipc/file_lock.h - locks of files, between processes and between threads.
 *
 *     csys_file_lock *lock;
 *     int r = csys_file_lock_open("accounts.db", NULL, &lock);
 *     if (r == 0)
 *             r = csys_file_lock_lock_until(lock, CSYS_FILE_LOCK_EXCLUSIVE, csys_after_s(5));
 *     if (r == 0) {
 *             r = update_accounts();
 *             csys_file_lock_unlock(lock);
 *     }
 *     csys_file_lock_close(lock);
 *
 * An object is one lock: of the whole file, or of a range of its bytes (csys_file_lock_options).
 * Several may share a lock, or one holds it exclusively.  It is advisory: it keeps out those that
 * ask for it, and does not keep anybody from reading or writing the file.  The system releases it
 * when the process ends, however that happens: a lock is never left over.
 *
 * It excludes other processes, other objects of this process, and other threads that use the same
 * object: that belongs to the process and not to a thread.  A thread that locks exclusively
 * what it holds already through this object waits for itself.  While one thread locks or unlocks an
 * object, or waits to, the other threads that use it find it taken, even if all would share: a try
 * may fail for that reason alone, and objects of their own avoid it.
 *
 * A whole file is locked as flock does, so Rust's File::lock, flock(1) and BSD programs are kept
 * out too; ranges are locked as F_OFD_SETLK does, and keep out others of these and the older fcntl
 * locks of other programs.  The two kinds do not see each other.  Nobody is served in order.
 *
 * The object opens the file for itself, so closing other handles of it does not end the lock (as it
 * would with locks of POSIX).  On the other hand, *closing the object* ends such POSIX locks as
 * other code of this process has on the file, SQLite for instance: lock a file beside it.
 *
 * Fork: a child has nothing of the object.  Its copy of the handle is closed before fork returns
 * there, so that it does not keep the lock when the parent has ended; all calls but
 * csys_file_lock_close say CSYS_EBADF, and csys_file_lock_unlock does nothing.  (A copy that is
 * made past the C library, by clone or _Fork, keeps the lock until it ends or executes a program.)
 * Programs that are executed do not have it.  So a daemon locks after its last fork.
 *
 * Network file systems: what the server and its client make of it.  NFS on Linux (since 2.6.12)
 * makes locks of whole files from those of ranges: there the two kinds see each other, an exclusive
 * lock needs a file that can be written, a lock is lost if the server forgets it (the next call
 * tells nothing of that), and a mount with the option local_lock excludes only this machine.  SMB
 * may make locks mandatory.  Some systems have none at all: CSYS_ENOTSUP, or CSYS_EOTHER.
 *
 * Deadlocks between several locks are not found: use deadlines, or always the same order.
 */
#ifndef CSYS_IPC_FILE_LOCK_H
#define CSYS_IPC_FILE_LOCK_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A lock of a file, or of a range of it; on the heap. */
typedef struct csys_file_lock csys_file_lock;

/** How a file is locked. */
enum csys_file_lock_kind {
	CSYS_FILE_LOCK_NONE = 0,     /**< not at all */
	CSYS_FILE_LOCK_SHARED = 1,   /**< with others that share it: for readers */
	CSYS_FILE_LOCK_EXCLUSIVE = 2 /**< alone: for writers */
};

/** How a lock is opened; all zero is the default. */
typedef struct csys_file_lock_options {
	int create;      /**< 1: create the file if it does not exist */
	int mode;        /**< permissions of a created file, as far as the umask allows; 0: 0666 */
	int is_range;    /**< 1: lock the range that follows, not the whole file */
	int reserved;    /**< 0 */
	uint64_t offset; /**< where the range begins; it need not exist */
	uint64_t size;   /**< how many bytes it has; 0: all that follow, however many will be */
} csys_file_lock_options;

/**
 * Open a file to lock it, which it is not yet.
 *
 * The file is opened for reading and writing, or for reading alone where no more is allowed; that
 * suffices for a whole file on a local disk, and for sharing a range.  Directories can be locked
 * too.
 *
 * \param path     the file; a symbolic link is followed
 * \param options  NULL for the defaults
 * \param out      the lock, which the caller closes
 * \retval 0             it is open
 * \retval CSYS_ENOENT   no such file, and `create` is 0; or no such directory
 * \retval CSYS_EACCES   the permissions forbid it
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_ENOTSUP  this system has no such locks (CSYS_CAN_FILE_LOCK,
 *                       CSYS_CAN_FILE_LOCK_RANGES)
 * \retval CSYS_EINVAL   an argument is NULL, or the range ends beyond INT64_MAX
 * \return another failure of opening a file
 */
CSYS_API CSYS_MUST_CHECK int
csys_file_lock_open(const char *path, const csys_file_lock_options *options, csys_file_lock **out);

/**
 * Open the file of a handle to lock it.
 *
 * The file is opened once more, so the lock excludes others that have copies of the handle, in this
 * process or another; `file` stays the caller's.
 *
 * \param file     a handle of the file, which may have no path any more
 * \param options  NULL for the defaults
 * \param out      the lock, which the caller closes
 * \retval 0             it is open
 * \retval CSYS_EBADF    the handle is not open
 * \retval CSYS_ENOTSUP  it cannot be opened once more: a socket, or on this system
 *                       (CSYS_CAN_FILE_LOCK_HANDLE)
 * \return as csys_file_lock_open
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_open_handle(csys_handle file,
							const csys_file_lock_options *options,
							csys_file_lock **out);

/**
 * Release a lock if it is held, and free it.
 *
 * No thread may use it any more.
 *
 * \param lock  the lock; NULL is ignored
 */
CSYS_API void csys_file_lock_close(csys_file_lock *lock);
CSYSI_AUTO(csys_file_lock, csys_file_lock_close(*object))

/**
 * Lock, waiting however long until no other holds a lock that forbids it.
 *
 * Several threads may share a lock through one object; each unlocks it.
 *
 * \param lock  the lock
 * \param kind  CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \retval 0             it is held
 * \retval CSYS_EACCES   the file could not be opened for writing, and an exclusive lock of a range,
 *                       or of a file in the network, needs that
 * \retval CSYS_EBADF    this is a forked child of the process that opened it
 * \retval CSYS_ENOTSUP  the file system has no locks
 * \retval CSYS_EINVAL   another kind, or `lock` is NULL
 * \return another failure, of a file system in the network for instance
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_lock(csys_file_lock *lock,
						 enum csys_file_lock_kind kind);

/**
 * Lock, waiting until no other holds a lock that forbids it or until `deadline`.
 *
 * No system has such a call, so the lock is tried again and again, at intervals that grow to 5 ms;
 * but a lock that is released by this process is noticed at once.
 *
 * \param lock      the lock
 * \param kind      CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \param deadline  when to give up; one that has passed still takes a lock that is free
 * \retval 0               it is held
 * \retval CSYS_ETIMEDOUT  it is not held
 * \return as csys_file_lock_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_lock_until(csys_file_lock *lock,
						       enum csys_file_lock_kind kind,
						       csys_deadline deadline);

/**
 * Lock if no other holds a lock that forbids it, without waiting.
 *
 * \param lock  the lock
 * \param kind  CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \retval 0            it is held
 * \retval CSYS_EAGAIN  it is not held: another process, object or thread holds it, or another
 *                      thread uses this object at this moment
 * \return as csys_file_lock_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_try_lock(csys_file_lock *lock,
						     enum csys_file_lock_kind kind);

/**
 * Make an exclusive lock a shared one or the other way round, waiting however long.
 *
 * For a range this is one step: no other gets in between, and if it fails the lock is what it was.
 * For a whole file the system may let go of the lock first.  Then, even if it succeeds, others may
 * have locked, changed and unlocked the file in between, so read again what was read before; and if
 * it fails the lock is taken back, unless another has it by then.
 *
 * \param lock      the lock, which this thread holds
 * \param kind      what it becomes: CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \param out_kind  what is held after this call, whether it succeeds or not: CSYS_FILE_LOCK_NONE if
 *                  it was lost, and then it is not unlocked; may be NULL if a caller is content
 *                  with asking csys_file_lock_kind
 * \retval 0            it is held as `kind`
 * \retval CSYS_EBUSY   other threads share it through this object
 * \retval CSYS_EBADF   this is a forked child of the process that opened it
 * \retval CSYS_EINVAL  another kind, or `lock` is NULL
 * \return as csys_file_lock_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_convert(csys_file_lock *lock,
						    enum csys_file_lock_kind kind, int *out_kind);

/**
 * Make an exclusive lock a shared one or the other way round, waiting until `deadline`.
 *
 * \param lock      the lock, which this thread holds
 * \param kind      what it becomes: CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \param deadline  when to give up
 * \param out_kind  what is held after this call, as for csys_file_lock_convert; may be NULL
 * \retval 0               it is held as `kind`
 * \retval CSYS_ETIMEDOUT  it is not; *out_kind tells what is held
 * \return as csys_file_lock_convert
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_convert_until(csys_file_lock *lock,
							  enum csys_file_lock_kind kind,
							  csys_deadline deadline, int *out_kind);

/**
 * Make an exclusive lock a shared one or the other way round, without waiting.
 *
 * \param lock      the lock, which this thread holds
 * \param kind      what it becomes: CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \param out_kind  what is held after this call, as for csys_file_lock_convert; may be NULL
 * \retval 0            it is held as `kind`
 * \retval CSYS_EAGAIN  it is not; *out_kind tells what is held
 * \return as csys_file_lock_convert
 */
CSYS_API CSYS_MUST_CHECK int
csys_file_lock_try_convert(csys_file_lock *lock, enum csys_file_lock_kind kind, int *out_kind);

/**
 * Unlock what this object holds; the file stays open.
 *
 * Unlocking an object that holds nothing is misuse, and aborts.  In a forked child it does nothing.
 *
 * \param lock  the lock, which this thread, or another on whose behalf it acts, has locked
 * \return 0; or a failure of a file system in the network, where others may see the lock until the
 *         object is closed.  It is not held any more by this object then either
 */
CSYS_API int csys_file_lock_unlock(csys_file_lock *lock);

/**
 * Tell how this object holds its lock at this moment.
 *
 * \param lock  the lock
 * \return CSYS_FILE_LOCK_NONE, CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE; a thread that
 *         waits for an exclusive lock counts as one that has it
 */
CSYS_API int csys_file_lock_kind(const csys_file_lock *lock);

/**
 * Let the object lock another range from now on.
 *
 * So one object serves many ranges, one after the other, without opening the file again.
 *
 * \param lock    the lock, of a range, that is not held
 * \param offset  where the range begins
 * \param size    how many bytes it has; 0: all that follow
 * \retval 0            it is that range
 * \retval CSYS_EBUSY   it is held, or a thread waits for it
 * \retval CSYS_EBADF   this is a forked child of the process that opened it
 * \retval CSYS_EINVAL  the lock is not of a range, or the range ends beyond INT64_MAX
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_set_range(csys_file_lock *lock, uint64_t offset,
						      uint64_t size);

/** A lock of another process, or of another object, that keeps this one out. */
typedef struct csys_file_lock_info {
	int kind;        /**< CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE */
	int is_range;    /**< 1: it is of the range that follows; 0: of the whole file */
	int64_t pid;     /**< the process that locked it; 0: that is not known */
	uint64_t offset; /**< where the range begins */
	uint64_t size;   /**< how many bytes it has; 0: all that follow */
} csys_file_lock_info;

/**
 * Tell which lock of another would keep this object from locking.
 *
 * It is for messages to people: the answer may be out of date when it arrives, and the process
 * may have handed its handle to another.  Linux tells the kind and the range for ranges, and the
 * pid for whole files, except on some file systems (btrfs, overlayfs), where no such lock is found.
 *
 * \param lock  the lock
 * \param kind  CSYS_FILE_LOCK_SHARED or CSYS_FILE_LOCK_EXCLUSIVE
 * \param out   one of those that are in the way
 * \retval 0             it is told
 * \retval CSYS_ENOENT   none is in the way, or none was found
 * \retval CSYS_EBADF    this is a forked child of the process that opened it
 * \retval CSYS_ENOTSUP  this system does not tell (CSYS_CAN_FILE_LOCK_OWNER)
 * \retval CSYS_EINVAL   another kind, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_file_lock_owner(const csys_file_lock *lock,
						  enum csys_file_lock_kind kind,
						  csys_file_lock_info *out);

/**
 * Get the handle by which the file is open, to read it or write it while the lock is held.
 *
 * It stays the object's.  Copies of it, in other processes too, have the same lock: unlocking or
 * closing the object releases it for all of them, and what one of them unlocks is unlocked.  If
 * this process ends without that, a copy elsewhere keeps the lock held.
 *
 * \param lock  the lock
 * \return the handle; CSYS_NO_HANDLE in a forked child
 */
CSYS_API csys_handle csys_file_lock_handle(const csys_file_lock *lock);

CSYS_END_DECLS

#endif
