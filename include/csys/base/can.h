/**
 * \file
 * csys/base/can.h - what this system can do.
 *
 *     if (csys_can(CSYS_CAN_CONTAIN))
 *             csys_command_contain(command);
 *
 * A call for which the system has nothing returns CSYS_ENOTSUP and does nothing.  A setting of a
 * command that it cannot keep fails the spawn, at the step that is named with the setting.
 * csys_can tells before.  (CSYS_EINVAL is for what is wrong on every system.)
 */
#ifndef CSYS_BASE_CAN_H
#define CSYS_BASE_CAN_H

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/** The abilities that csys_can knows. */
enum {
	CSYS_CAN_SIGNALS = 1,         /**< processes get signals by number; csys/process/signal.h */
	CSYS_CAN_ASK_TO_END = 2,      /**< a child can be asked to end (csys_child_terminate) */
	CSYS_CAN_SUSPEND = 3,         /**< csys_child_suspend, csys_child_resume */
	CSYS_CAN_USER = 4,            /**< csys_command_uid, _gid, _groups */
	CSYS_CAN_ROOT = 5,            /**< csys_command_chroot */
	CSYS_CAN_UMASK = 6,           /**< csys_command_umask */
	CSYS_CAN_EXEC = 7,            /**< csys_command_exec */
	CSYS_CAN_PRE_EXEC = 8,        /**< csys_command_pre_exec */
	CSYS_CAN_DIE_WITH_PARENT = 9, /**< csys_command_die_with_parent */
	CSYS_CAN_CONTAIN = 10,        /**< csys_command_contain binds more than a walk finds */
	CSYS_CAN_GROUPS = 11,         /**< process groups and sessions */
	CSYS_CAN_PTY = 12,            /**< csys/io/pty.h */
	CSYS_CAN_TABLE = 13,          /**< csys/process/table.h, rows of other processes */
	CSYS_CAN_AFFINITY = 14,       /**< the CPUs of a child or a thread */
	CSYS_CAN_PIPE_RESIZE = 15,    /**< csys_pipe_capacity, csys_pipe_set_capacity */
	CSYS_CAN_NONBLOCKING = 16,    /**< csys_stream_nonblocking and its setter */
	CSYS_CAN_SHARED_WAKE = 17,    /**< a wake reaches other processes at once */
	CSYS_CAN_SOCKET_DATAGRAM = 18, /**< local sockets that keep messages apart */
	CSYS_CAN_PASS_HANDLES = 19,    /**< handles can be sent to another process */
	CSYS_CAN_SHM_PERSISTS = 20,    /**< shared memory outlives its last user */
	CSYS_CAN_PROCESS_HANDLE = 21,  /**< children and processes have handles for an event loop; a
					  child may have one also where this says 0 */
	CSYS_CAN_NO_NEW_PRIVILEGES = 22,  /**< csys_command_no_new_privileges */
	CSYS_CAN_USAGE = 23,              /**< csys_child_usage */
	CSYS_CAN_THREAD_ID = 24,          /**< csys_thread_os_id, csys_thread_current_os_id */
	CSYS_CAN_THREAD_NICE = 25,        /**< CSYS_PRIORITY_NICE, of one thread */
	CSYS_CAN_TIMER_HANDLE = 26,       /**< csys_receiver_handle of csys/sync/timer_channel.h */
	CSYS_CAN_WAIT_SET_HANDLE = 27,    /**< csys_wait_set_handle of csys/io/wait_set.h */
	CSYS_CAN_SEAL_MEMORY = 28,        /**< shared memory whose size no process can reduce */
	CSYS_CAN_HUGE_PAGES = 29,         /**< CSYS_SHM_HUGE_ONLY of csys/ipc/shm.h */
	CSYS_CAN_FIFO = 30,               /**< csys/ipc/fifo.h */
	CSYS_CAN_MESSAGE_QUEUE = 31,      /**< CSYS_MESSAGE_QUEUE_POSIX */
	CSYS_CAN_SYSTEM_V = 32,           /**< CSYS_MESSAGE_QUEUE_SYSTEM_V */
	CSYS_CAN_FILE_LOCK = 33,          /**< csys/ipc/file_lock.h, of whole files */
	CSYS_CAN_FILE_LOCK_RANGES = 34,   /**< of ranges of bytes, too */
	CSYS_CAN_FILE_LOCK_OWNER = 35,    /**< csys_file_lock_owner */
	CSYS_CAN_FILE_LOCK_HANDLE = 36,   /**< csys_file_lock_open_handle */
	CSYS_CAN_SEMAPHORE_POSIX = 37,    /**< CSYS_NAMED_SEMAPHORE_POSIX */
	CSYS_CAN_SOCKET_SEQPACKET = 38,   /**< CSYS_SOCKET_SEQPACKET */
	CSYS_CAN_SOCKET_ABSTRACT = 39,    /**< addresses that are no files: csys/ipc/address.h */
	CSYS_CAN_SOCKET_USER = 40,        /**< csys_socket_peer_credentials, at least the user */
	CSYS_CAN_SOCKET_CREDENTIALS = 41, /**< all of them, and those of the sender of a message */
	CSYS_CAN_SOCKET_PEER_HANDLE = 42, /**< csys_socket_peer_handle */
	CSYS_CAN_SOCKET_LONG_PATH = 43,   /**< paths longer than a socket's address */
	CSYS_CAN_LIMIT = 256              /**< plus CSYS_LIMIT_CORE and so on: csys_command_limit */
};

/**
 * Tell whether this system can do something.
 *
 * This process may lack the privileges for it even so: a change of user needs them on every system.
 * Where it is not known before something is tried, the answer is 1.
 *
 * \param capability  CSYS_CAN_SIGNALS, ..., or CSYS_CAN_LIMIT plus a resource
 * \return 1 if it can; 0 if not, also for a number that this version does not know
 */
CSYS_API int csys_can(int capability);

CSYS_END_DECLS

#endif
