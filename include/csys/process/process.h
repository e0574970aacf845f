/**
 * \file
 * csys/process/process.h - a process that is not a child of this one.
 *
 *     csys_process *process;
 *     int r = csys_process_open(pid, &process);      // the process that has the pid now
 *     if (r == 0) {
 *             r = csys_process_signal(process, 15);    // that one, never a stranger
 *             r = csys_process_wait_until(process, csys_after_ms(500));
 *             csys_process_close(process);
 *     }
 *
 * A pid alone says little: once its process is reaped it may be another's.  So a process is
 * identified by its pid, the time of its start and the boot of the system.  These three are a
 * csys_process_id, which can be kept, compared and opened later.
 *
 * What can be known about a process is a csys_process_info.  Its fields are asked for, since each
 * has its price.  csys/process/table.h goes through all processes.
 *
 * Linux reads /proc, which must be that of this process's own pid namespace; ids of different
 * namespaces do not compare.  Where /proc is not mounted the functions that read it return
 * CSYS_ENOTSUP.  Plain POSIX has no process table: it knows whether a pid is taken, and a little
 * about this process itself and its children.
 *
 * What a system does not have is not valid in any row: Windows has no process groups, sessions and
 * numbers of users, and one line of text from which the arguments are split.
 *
 * Threads: several may make any calls at once, but for close.  Fork: a forked child may go on
 * using what its parent opened.
 */
#ifndef CSYS_PROCESS_PROCESS_H
#define CSYS_PROCESS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/* ---- which process ------------------------------------------------------- */

/**
 * The identity of a process: one process of one boot.
 *
 * It stays the same when the process executes another program.  It is plain data: it may be
 * copied, compared, sent and stored.
 */
typedef struct csys_process_id {
	int64_t pid;   /**< its number */
	int64_t start; /**< ns from the boot to its start, as exact as the system knows it (Linux:
			       10 ms); 0: the system does not tell (plain POSIX) */
	uint64_t boot[2]; /**< which boot; 0 if the system does not tell */
} csys_process_id;

/**
 * Tell whether two identities are those of one process.
 *
 * \param a  an identity
 * \param b  another one
 * \return 1 if both are the same process; 0 if not, or if one is NULL
 */
CSYS_API int csys_process_id_equal(const csys_process_id *a, const csys_process_id *b);

/**
 * Tell the pid of the calling process.
 *
 * \return the pid
 */
CSYS_API int64_t csys_process_self(void);

/**
 * Tell the identity of the process that has a pid now.
 *
 * A zombie has one too.
 *
 * \param pid  the pid
 * \param out  the identity.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ESRCH    no process has the pid, or none that this process may see
 * \retval CSYS_EPERM    there is one, and this process may not see when it started
 * \retval CSYS_EINVAL   the pid is not positive, or `out` is NULL
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  /proc is not mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_identify(int64_t pid, csys_process_id *out);

/* ---- what it is ------------------------------------------------------------ */

/**
 * The fields of csys_process_info, to be or-ed.
 *
 * The name of a file below is what Linux reads for the field.  `stat` is one file for a whole
 * group, so asking for one of its fields gives all of them, in some 5 us.  Each other file adds
 * its own time, and two calls if there are several.  0 reads nothing: only pids are told.
 */
enum {
	CSYS_PROCESS_START = 1 << 0,   /**< stat: id.start, started */
	CSYS_PROCESS_PARENT = 1 << 1,  /**< stat: parent, group, session */
	CSYS_PROCESS_STATE = 1 << 2,   /**< stat: state */
	CSYS_PROCESS_NAME = 1 << 3,    /**< stat: name */
	CSYS_PROCESS_THREADS = 1 << 4, /**< stat: threads */
	CSYS_PROCESS_CPU = 1 << 5,     /**< stat: user_time, system_time */
	CSYS_PROCESS_MEMORY = 1 << 6,  /**< stat: memory_resident, memory_virtual */
	CSYS_PROCESS_BASIC = 0x7f,     /**< all of the above */

	CSYS_PROCESS_USER = 1 << 8,        /**< status: uid, gid, effective_uid, effective_gid */
	CSYS_PROCESS_PEAK = 1 << 9,        /**< status: memory_peak */
	CSYS_PROCESS_COMMAND = 1 << 10,    /**< cmdline: command, command_size */
	CSYS_PROCESS_EXECUTABLE = 1 << 11, /**< exe: executable */
	CSYS_PROCESS_CWD = 1 << 12,        /**< cwd: cwd */
	CSYS_PROCESS_HANDLES = 1 << 13,    /**< fd: handles; before Linux 6.2 an entry is read for
						each of them */
	CSYS_PROCESS_ALL = 0x3f7f          /**< all fields */
};

/** What a process does: the values of csys_process_info.state. */
enum {
	CSYS_STATE_UNKNOWN = 0,  /**< the system does not tell */
	CSYS_STATE_RUNNING = 1,  /**< runs, or is ready to run */
	CSYS_STATE_SLEEPING = 2, /**< waits for something that a signal ends */
	CSYS_STATE_BLOCKED = 3,  /**< waits for something that a signal does not end */
	CSYS_STATE_STOPPED = 4,  /**< was stopped by a signal */
	CSYS_STATE_TRACED = 5,   /**< was stopped by a debugger */
	CSYS_STATE_IDLE = 6,     /**< is a thread of the kernel without work */
	CSYS_STATE_ZOMBIE = 7    /**< has ended, and was not reaped by its parent yet */
};

/**
 * What is known about a process at one moment.
 *
 * A field that is not in `valid` is 0, or -1 for an id or a count, or "" for text.  If it is in
 * `denied`, only a more privileged caller gets it.  If it is in neither it does not exist: a
 * thread of the kernel has no executable, a zombie no working directory, a system perhaps no such
 * field.
 *
 * All fields are of one process, even if it ends and its pid is given away while they are read.
 * They are not of one instant: the process may execute another program between two of them.
 */
typedef struct csys_process_info {
	csys_process_id id;    /**< id.pid is always there */
	uint32_t valid;        /**< which fields are there, perhaps more than were asked for */
	uint32_t denied;       /**< which fields were asked for and need more privileges */
	int32_t state;         /**< CSYS_STATE_RUNNING, ... */
	int32_t depth;         /**< in csys_table_tree how far below the root it is; else 0 */
	int64_t parent;        /**< the pid of its parent */
	int64_t group;         /**< its process group */
	int64_t session;       /**< its session */
	int64_t started;       /**< ns since 1970 by the wall clock, as that is set now */
	int64_t user_time;     /**< ns of CPU time of all its threads in the program */
	int64_t system_time;   /**< ns of CPU time of all its threads in the kernel */
	int64_t threads;       /**< how many threads it has */
	int64_t handles;       /**< how many handles it has open */
	int64_t uid;           /**< its real user */
	int64_t effective_uid; /**< its effective user */
	int64_t gid;           /**< its real group of users */
	int64_t effective_gid; /**< its effective group of users */
	/**
	 * Bytes in memory, shared ones included.
	 *
	 * From Linux 6.2 on some hundred KiB are missing or too many, so a small process may
	 * have 0.  It is exact if a field of `status` is asked for too, and the kernel has that.
	 */
	uint64_t memory_resident;
	uint64_t memory_virtual; /**< bytes of address space */
	uint64_t memory_peak;    /**< the most that was resident since it executed its program */
	/**
	 * Its short name, which may be any bytes: blanks, newlines and parentheses too.
	 *
	 * On Linux these are the first 15 bytes of its program's file name, or what it calls
	 * itself.
	 */
	const char *name;
	/**
	 * Its arguments, each with a NUL behind it.
	 *
	 *     for (const char *a = info.command; a < info.command + info.command_size;
	 *          a += strlen(a) + 1)
	 *
	 * They are what the process says about itself, and it may have changed them.  Threads
	 * of the kernel and zombies have none.
	 */
	const char *command;
	size_t command_size; /**< the bytes of all arguments with their NULs */
	const char
		*executable;   /**< the path of its program; on Linux with " (deleted)" behind it if
				     that is */
	const char *cwd;       /**< the path of its working directory; likewise */
	void *memory;          /**< private: what csys_process_info_free releases */
	uintptr_t reserved[4]; /**< private */
} csys_process_info;

/**
 * Read what is known about the process that has a pid now.
 *
 * The call succeeds also if fields are denied: see csys_process_info.
 *
 * \param pid     the pid
 * \param fields  what to read: CSYS_PROCESS_NAME, ..., or-ed
 * \param out     the fields, to be released by csys_process_info_free.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ESRCH    no process has the pid, or it has ended meanwhile, or it is a thread's
 * \retval CSYS_EINVAL   the pid is not positive, a field is unknown, or `out` is NULL
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  /proc is not mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_snapshot(int64_t pid, uint32_t fields,
						   csys_process_info *out);

/**
 * Release the texts of a snapshot.
 *
 * For a row of a table, which owns none, the call only empties the texts.
 *
 * \param info  the snapshot; NULL is ignored
 */
CSYS_API void csys_process_info_free(csys_process_info *info);
CSYSI_AUTO_VALUE(csys_process_info, csys_process_info_free(object))

/* ---- signal it, wait for it -------------------------------------------------- */

/**
 * A process that is held, so that its pid cannot deceive.
 *
 * On Linux it is held by a pidfd: signals and waits then reach it and no other.  Where there are
 * no pidfds (before Linux 5.3, in some sandboxes) its identity is compared before each signal.
 * That leaves some microseconds between the comparison and the signal, in which it would have to
 * be reaped and its pid be given away.  On plain POSIX there is only the pid, which is as good as
 * what the caller knows about it.
 */
typedef struct csys_process csys_process;

/**
 * Open the process that has a pid now.
 *
 * \param pid  the pid
 * \param out  the process, to be closed by csys_process_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ESRCH    no process has the pid, or none that this process may see
 * \retval CSYS_EPERM    there are no pidfds, and this process may not see when it started
 * \retval CSYS_EINVAL   the pid is not positive, or `out` is NULL
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  /proc is not mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_open(int64_t pid, csys_process **out);

/**
 * Open the process with a known identity.
 *
 * \param id   the identity
 * \param out  the process, to be closed by csys_process_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ESRCH    it has ended and was reaped; its pid may be another's
 * \retval CSYS_EPERM    there are no pidfds, and this process may not see when it started
 * \retval CSYS_EINVAL   the pid is not positive, or a pointer is NULL
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  /proc is not mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_open_id(const csys_process_id *id, csys_process **out);

/**
 * Make an open process of a handle that means one: a pidfd of Linux.
 *
 * Such a handle comes from other code, or from csys_socket_peer_handle.  It is closed by
 * csys_process_close, and should be close-on-exec.
 *
 * \param handle  the handle, the caller's still if the call fails
 * \param out     the process, to be closed by csys_process_close.  Unchanged on failure
 * \retval 0             the handle belongs to *out
 * \retval CSYS_ESRCH    the process has ended and was reaped, or this one cannot see it
 * \retval CSYS_EBADF    the handle is not open, or means no process
 * \retval CSYS_EINVAL   `out` is NULL
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  the system has no such handles, or /proc is not mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_open_handle_take(csys_handle handle, csys_process **out);

/**
 * Open the process at the other side of a local socket.
 *
 * It is the one that csys_socket_peer_credentials tells of (csys/ipc/peer.h), and never another one
 * that has got its pid.  Where csys_can(CSYS_CAN_SOCKET_PEER_HANDLE) is 0 there is only the pid,
 * for csys_process_open, which may have been given away since.
 *
 * \param socket  a local socket with a connection
 * \param out     the process, to be closed by csys_process_close.  Unchanged on failure
 * \retval 0              *out is set
 * \retval CSYS_ESRCH     the process has ended and was reaped, or this one cannot see it
 * \retval CSYS_ENOTCONN  the socket has no peer
 * \retval CSYS_EINVAL    an argument is NULL
 * \retval CSYS_EMFILE    no handle is left
 * \retval CSYS_ENOMEM    there is no memory
 * \retval CSYS_ENOTSUP   the system has no handles of peers, the socket is TCP's, or /proc is not
 *                        mounted
 */
CSYS_API CSYS_MUST_CHECK int csys_process_open_peer(const csys_socket *socket, csys_process **out);

/**
 * Tell the identity of an open process.
 *
 * \param process  the process
 * \param out      its identity, all 0 if `process` is NULL; may be NULL
 */
CSYS_API void csys_process_get_id(const csys_process *process, csys_process_id *out);

/**
 * Tell the handle of an open process, for an event loop.
 *
 * It polls readable (POLLIN) from the end of the process on; on Linux it is its pidfd.  Do not read
 * or close it.
 *
 * \param process  the process, which keeps the handle
 * \return the handle; CSYS_NO_HANDLE where the system has none, and for NULL
 */
CSYS_API csys_handle csys_process_handle(const csys_process *process);

/**
 * Send a signal to an open process.
 *
 * A zombie takes it silently.
 *
 * \param process  the process
 * \param signal   a number of <signal.h>; 0 sends none and only looks whether it is there
 * \retval 0            it was sent
 * \retval CSYS_ESRCH   the process is gone: it has ended and was reaped
 * \retval CSYS_EPERM   this process may not signal it
 * \retval CSYS_EINVAL  there is no such signal, or `process` is NULL
 */
CSYS_API int csys_process_signal(csys_process *process, int signal);

/**
 * End an open process at once (SIGKILL).
 *
 * \param process  the process
 * \retval 0            it was told to end, or has ended already
 * \retval CSYS_EPERM   this process may not signal it
 * \retval CSYS_EINVAL  `process` is NULL
 */
CSYS_API int csys_process_kill(csys_process *process);

/**
 * Wait until an open process has ended; a zombie has.
 *
 * How it ended is told to its parent only.  Without a pidfd the process is looked at again and
 * again, at intervals that grow from 50 us to 5 ms; then the failures of csys_process_snapshot
 * are possible too.
 *
 * \param process  the process
 * \retval 0            it has ended
 * \retval CSYS_EINVAL  `process` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_process_wait(csys_process *process);

/**
 * Wait until an open process has ended (a zombie has), or until `deadline`.
 *
 * How it ended is told to its parent only.  Without a pidfd the process is looked at again and
 * again, at intervals that grow from 50 us to 5 ms; then the failures of csys_process_snapshot
 * are possible too.
 *
 * \param process   the process
 * \param deadline  when to give up
 * \retval 0               it has ended
 * \retval CSYS_ETIMEDOUT  it runs on
 * \retval CSYS_EINVAL     `process` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_process_wait_until(csys_process *process, csys_deadline deadline);

/**
 * Make a waitable for the end of an open process, for csys_poll.
 *
 * \param process  the process, with or without a pidfd; for NULL csys_poll fails with CSYS_EBADF
 * \return the waitable
 */
CSYS_API csys_waitable csys_process_waitable(csys_process *process);

/**
 * Close an open process; it goes on.
 *
 * \param process  the process; NULL is ignored
 */
CSYS_API void csys_process_close(csys_process *process);
CSYSI_AUTO(csys_process, csys_process_close(*object))

CSYS_END_DECLS

#endif
