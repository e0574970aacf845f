/**
 * \file
 * csys/base/result.h - what calls return.
 *
 *     int r = csys_command_spawn(command, &child);
 *     if (r < 0)
 *             fprintf(stderr, "cannot start: %s\n", csys_strerror(r));
 *
 * Every call that can fail returns an int: 0 is success, negative is one of
 * the failures below, positive is success with a note.  On failure the
 * outputs are as they were and nothing is left behind, unless the call's own
 * description says which part it keeps.  The list is closed, its numbers are
 * the same on every system, and each can be a `case` label.  Names are errno's
 * where the meaning is errno's.  No call returns for a signal (EINTR).
 */
#ifndef CSYS_BASE_RESULT_H
#define CSYS_BASE_RESULT_H

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/** The results that are positive: success with a note. */
enum {
	CSYS_POISONED =
		1, /**< the lock is held, and what it guards is suspect: csys/sync/mutex.h */
	CSYS_REDELIVERED =
		2 /**< a receiver before has had the message: csys/ipc/shared_channel.h */
};

/** The results that are negative: failures. */
enum {
	CSYS_EINVAL = -1,         /**< an argument breaks a rule of the call */
	CSYS_ENOMEM = -2,         /**< out of memory */
	CSYS_ENOENT = -3,         /**< no such file, directory or program */
	CSYS_EACCES = -4,         /**< the file's permissions forbid it */
	CSYS_EPERM = -5,          /**< only a more privileged caller may do it */
	CSYS_EEXIST = -6,         /**< exists already */
	CSYS_ENOTDIR = -7,        /**< part of a path is not a directory */
	CSYS_EISDIR = -8,         /**< is a directory */
	CSYS_ENOEXEC = -9,        /**< not in a format that the system can run */
	CSYS_E2BIG = -10,         /**< arguments and environment are too long */
	CSYS_EMFILE = -11,        /**< too many open handles, here or in the system */
	CSYS_EAGAIN = -12,        /**< not now: would wait, or a process limit is reached */
	CSYS_EBUSY = -13,         /**< in use */
	CSYS_ETIMEDOUT = -14,     /**< the deadline passed first */
	CSYS_EPIPE = -15,         /**< no reader is left */
	CSYS_EBADF = -16,         /**< not an open handle, or not of that kind */
	CSYS_ESRCH = -17,         /**< no such process */
	CSYS_ENAMETOOLONG = -18,  /**< a name is longer than the system allows */
	CSYS_ENOSPC = -19,        /**< no room on the device, or in the quota */
	CSYS_EIO = -20,           /**< the device failed */
	CSYS_ENOTSUP = -21,       /**< this system cannot do it */
	CSYS_EOTHER = -22,        /**< anything else: see csys_os_error() */
	CSYS_EDEADLK = -23,       /**< the caller would wait for itself */
	CSYS_EPANICKED = -24,     /**< a thread or a function panicked: csys/sync/panic.h */
	CSYS_ECANCELED = -25,     /**< the operation was called off */
	CSYS_EDISCONNECTED = -26, /**< the other side of a channel is gone */
	CSYS_ECONNREFUSED = -27,  /**< nothing listens at that address */
	CSYS_ECONNRESET = -28,    /**< the other side has broken the connection off */
	CSYS_ENOTCONN = -29,      /**< the socket has no peer */
	CSYS_EADDRINUSE = -30,    /**< the address belongs to a socket that is in use */
	CSYS_EADDRNOTAVAIL = -31, /**< this machine has no such address, or no port is left */
	CSYS_ENETUNREACH = -32,   /**< no way leads to that network or machine */
	CSYS_EMSGSIZE = -33,      /**< a message is longer than the system or the buffer allows */
	CSYS_EBADMSG = -34,       /**< of another kind, version or size than expected, or broken */
	CSYS_EOWNERDEAD = -35     /**< one that takes part has ended: csys/ipc/shared_barrier.h */
};

/**
 * Describe a result in a few words, such as "no such file, directory or program".
 *
 * \param result  0, one of the notes or one of the failures
 * \return static text without a full stop, "unknown result" for any other number, never NULL
 */
CSYS_API const char *csys_strerror(int result);

/**
 * Tell the name of a result as it is written in C, such as "CSYS_ENOENT".
 *
 * \param result  0, one of the notes or one of the failures
 * \return static text: "0" for 0, "unknown" for any other number, never NULL
 */
CSYS_API const char *csys_result_name(int result);

/**
 * Tell the operating system's own code (errno on POSIX) for the last failure in this thread.
 *
 * It is for logs: only the result says what to do.  A call that succeeds does not change it, nor
 * does a failure that did not come from the system.
 *
 * \return the code, or 0 if there was no such failure in the calling thread
 */
CSYS_API int csys_os_error(void);

CSYS_END_DECLS

#endif
