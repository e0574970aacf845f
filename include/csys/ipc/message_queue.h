/**
 * \file
 * csys/ipc/message_queue.h - the system's own queues of messages, with priorities.
 *
 *     csys_message_queue_options options = { .max_messages = 8, .max_size = 256 };
 *     csys_message_queue *queue;
 *     int r = csys_message_queue_create_or_open("jobs", &options, &queue);
 *     if (r < 0)
 *             return r;
 *     r = csys_message_queue_send_until(queue, "urgent", 6, 9, csys_after_ms(100));
 *     if (r == 0) // any process of this user, also later
 *             r = csys_message_queue_recv(queue, buffer, sizeof buffer, &size, &priority);
 *     csys_message_queue_close(queue);
 *
 * A queue belongs to the system: it and its messages stay when all processes that used it have
 * ended, however they ended, until csys_message_queue_unlink or the next boot.  The highest
 * priority comes first, and of one priority what was sent first.  Each message goes to one
 * receiver, whole or not at all.  (A systemd with RemoveIPC=yes, its default, removes the queues
 * of an ordinary user at the end of the user's last session.)
 *
 * There are two kinds.  Those of POSIX (mq_open) can be polled, and unlinked ones live on while
 * they are open.  Those of System V (msgget) are for programs that talk to others which use them:
 * they have no handle, a wait with a deadline looks again at intervals of up to 5 ms, and a
 * removed one is CSYS_ENOENT for all at once.  CSYS_CAN_MESSAGE_QUEUE and CSYS_CAN_SYSTEM_V tell
 * which ones this system has: macOS has no queues of POSIX.
 *
 * Names are those of csys/ipc/names.h.  With CSYS_NAMES_USER a name belongs to the effective user:
 * the queue "jobs" of one user is not that of another.  With CSYS_NAMES_GLOBAL it means the same
 * for all users, and is the name that other programs give to mq_open, without its '/' (up to 200
 * bytes; longer ones are hashed).  Any user may be first to take a name: a queue that belongs
 * neither to this user nor, if it is global, to the administrator, is refused with CSYS_EPERM,
 * where the system tells whose it is (as Linux does).  Queues are not in the directory of the
 * names: CSYS_DIRECTORY means nothing here.  For System V a name becomes a key of 31 bits, by a
 * hash, so that two names may collide; CSYS_NAMES_GLOBAL is for csys alone there, and other
 * programs have keys.
 *
 * Limits are narrow: usually an ordinary user may have 10 messages of 8192 bytes in a queue, and 9
 * such queues.  csys_message_queue_limits tells them.
 *
 * An open queue of POSIX takes one handle, and on Linux another one from the first call on that has
 * to wait without a deadline.
 *
 * Threads: any number may use a queue at once; close it when all are done.  Signals: no call
 * returns for one.  Fork: a forked child may use its parent's queues, and has to close them for
 * itself.  A program that is executed has none of them.
 */
#ifndef CSYS_IPC_MESSAGE_QUEUE_H
#define CSYS_IPC_MESSAGE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/names.h>

CSYS_BEGIN_DECLS

/** A queue of messages that this process has open. */
typedef struct csys_message_queue csys_message_queue;

/** The kinds of queues. */
enum {
	CSYS_MESSAGE_QUEUE_POSIX = 0,   /**< mq_open */
	CSYS_MESSAGE_QUEUE_SYSTEM_V = 1 /**< msgget */
};

/** What a queue is opened for. */
enum {
	CSYS_MESSAGE_QUEUE_BOTH = 0, /**< sending and receiving */
	CSYS_MESSAGE_QUEUE_SEND = 1, /**< sending only */
	CSYS_MESSAGE_QUEUE_RECV = 2  /**< receiving only */
};

/** How to create or open a queue.  Zeroed, and NULL in its place, is a queue of POSIX, for both. */
typedef struct csys_message_queue_options {
	int kind;           /**< CSYS_MESSAGE_QUEUE_POSIX or CSYS_MESSAGE_QUEUE_SYSTEM_V */
	int access;         /**< CSYS_MESSAGE_QUEUE_BOTH, _SEND or _RECV */
	int scope;          /**< CSYS_NAMES_USER or CSYS_NAMES_GLOBAL */
	int accept_foreign; /**< with CSYS_NAMES_GLOBAL: 1: also a queue of any other user */
	/** Permissions of a new queue, as of a file, whatever the umask is (on plain POSIX less
	 * what it takes away); 0 is 0600. */
	unsigned mode;
	/** How many messages a new queue holds; 0: the usual number.  A queue of System V counts
	 * bytes: it holds that many of `max_size`, and more that are shorter. */
	size_t max_messages;
	/** How many bytes a message of a new queue may have; 0: the usual number. */
	size_t max_size;
	/** System V: the queue with this key, if the name is NULL; 0: a new one that has no key and
	 * is found by its id alone (csys_message_queue_id).  See csys_message_queue_key. */
	int64_t key;
	/** System V: 1: the number beside a message is its type, as other programs see it; 0: it is
	 * a priority, and the type is 32768 - priority. */
	int by_type;
	/** System V with `by_type`, which messages a receive takes: 0: any, the oldest first; above
	 * 0: those of this type; below: of the types up to -type the lowest first. */
	int64_t type;
} csys_message_queue_options;

/** The highest priority of a queue of System V.  For POSIX csys_message_queue_limits tells. */
#define CSYS_MESSAGE_QUEUE_SYSTEM_V_PRIORITIES 32767

/**
 * Create a queue.
 *
 * \param name     of the queue; for System V NULL if there is a key or the queue has no name at all
 * \param options  may be NULL
 * \param out      the queue, to be closed by csys_message_queue_close
 * \retval 0                  it is open
 * \retval CSYS_EEXIST        there is a queue with this name or key
 * \retval CSYS_EINVAL        the options are wrong, no such name, or `max_messages` or `max_size`
 *                            is above the limits of the system for this user
 * \retval CSYS_ENOSPC        the system allows no more queues, or this user no more bytes in queues
 *                            (`max_queues` and `max_bytes` of the limits)
 * \retval CSYS_EMFILE        no handle is left, in this process or in the system
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_EACCES        the system does not allow it
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_ENOTSUP       this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_create(const char *name,
						       const csys_message_queue_options *options,
						       csys_message_queue **out);

/**
 * Open a queue that is there.
 *
 * The mode and the maxima of the options mean nothing here: csys_message_queue_attributes tells
 * what the queue has.
 *
 * \param name     of the queue; NULL for one of System V with a key
 * \param options  may be NULL
 * \param out      the queue, to be closed by csys_message_queue_close
 * \retval 0                  it is open
 * \retval CSYS_ENOENT        there is no such queue
 * \retval CSYS_EACCES        its mode does not allow it; or, for System V on plain POSIX, does not
 *                            allow to look whose it is
 * \retval CSYS_EPERM         it belongs to another user
 * \retval CSYS_EINVAL        the options are wrong, or no such name
 * \retval CSYS_EMFILE        no handle is left, in this process or in the system
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_ENOTSUP       this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_open(const char *name,
						     const csys_message_queue_options *options,
						     csys_message_queue **out);

/**
 * Open a queue, and create it if there is none.
 *
 * Of several processes that do this at once one creates it, and all have the same.  A queue of
 * POSIX is never seen half made; one of System V holds the system's usual number of bytes for a
 * moment, and if its creator is killed in that moment, for good.
 *
 * \param name     of the queue; for System V NULL if there is a key
 * \param options  may be NULL
 * \param out      the queue, to be closed by csys_message_queue_close
 * \return as csys_message_queue_create and csys_message_queue_open, but neither CSYS_EEXIST nor
 *         CSYS_ENOENT
 */
CSYS_API CSYS_MUST_CHECK int
csys_message_queue_create_or_open(const char *name, const csys_message_queue_options *options,
				  csys_message_queue **out);

/**
 * Open a queue of System V by its id, as csys_message_queue_id and ipcs tell it.
 *
 * \param id       of the queue
 * \param options  may be NULL; the kind in it means nothing
 * \param out      the queue, to be closed by csys_message_queue_close
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is no queue with this id
 * \retval CSYS_EACCES   its mode does not allow to receive, if it is opened for that.  Whether it
 *                       allows to send is told by the first send
 * \retval CSYS_EINVAL   the options are wrong, or `out` is NULL
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_ENOTSUP  this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_open_id(int64_t id,
							const csys_message_queue_options *options,
							csys_message_queue **out);

/**
 * Close a queue, which stays with its messages.
 *
 * \param queue  the queue; NULL is ignored
 */
CSYS_API void csys_message_queue_close(csys_message_queue *queue);
CSYSI_AUTO(csys_message_queue, csys_message_queue_close(*object))

/**
 * Send a message, waiting for room.
 *
 * \param queue     the queue
 * \param data      the message; may be NULL if it is empty
 * \param size      how many bytes it has; may be 0
 * \param priority  0 or above, the highest is received first; with `by_type` the type, 1 or above
 * \retval 0              sent
 * \retval CSYS_EMSGSIZE  it is larger than the queue allows
 * \retval CSYS_EINVAL    there is no such priority or type, or a pointer is NULL
 * \retval CSYS_EBADF     the queue was opened for receiving only
 * \retval CSYS_ENOENT    the queue was removed (System V)
 * \retval CSYS_EACCES    its mode does not allow it any more (System V)
 * \retval CSYS_ENOMEM    no memory
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_send(csys_message_queue *queue, const void *data,
						     size_t size, int64_t priority);

/**
 * Send a message, waiting for room until `deadline`.
 *
 * If there is room it is used even if the deadline has passed.
 *
 * \param queue     the queue
 * \param data      the message; may be NULL if it is empty
 * \param size      how many bytes it has; may be 0
 * \param priority  0 or above, the highest is received first; with `by_type` the type, 1 or above
 * \param deadline  when to give up
 * \retval 0               sent
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing was sent
 * \retval CSYS_EMSGSIZE   it is larger than the queue allows
 * \retval CSYS_EINVAL     there is no such priority or type, or a pointer is NULL
 * \retval CSYS_EBADF      the queue was opened for receiving only
 * \retval CSYS_ENOENT     the queue was removed (System V)
 * \retval CSYS_EACCES     its mode does not allow it any more (System V)
 * \retval CSYS_ENOMEM     no memory
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_send_until(csys_message_queue *queue,
							   const void *data, size_t size,
							   int64_t priority,
							   csys_deadline deadline);

/**
 * Send a message if there is room now.
 *
 * \param queue     the queue
 * \param data      the message; may be NULL if it is empty
 * \param size      how many bytes it has; may be 0
 * \param priority  0 or above, the highest is received first; with `by_type` the type, 1 or above
 * \retval 0              sent
 * \retval CSYS_EAGAIN    there is no room, and nothing was sent
 * \return other failures as csys_message_queue_send
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_try_send(csys_message_queue *queue,
							 const void *data, size_t size,
							 int64_t priority);

/**
 * Receive the message with the highest priority, waiting for one.
 *
 * The buffer has to be as large as any message of the queue may be, `max_size` of its attributes,
 * even if the next one is smaller.  If the call fails nothing was received, and nothing is lost.
 *
 * \param queue         the queue
 * \param buffer        where the message goes
 * \param size          how many bytes there is room for
 * \param out_size      how many bytes it has; may be 0
 * \param out_priority  its priority, or type; may be NULL.  For a type of another program, which is
 *                      no priority, 0
 * \retval 0              received
 * \retval CSYS_EMSGSIZE  the buffer is smaller than `max_size` (a queue of System V may give a
 *                        message that fits even so)
 * \retval CSYS_EINVAL    a pointer is NULL
 * \retval CSYS_EBADF     the queue was opened for sending only
 * \retval CSYS_ENOENT    the queue was removed (System V)
 * \retval CSYS_EACCES    its mode does not allow it any more (System V)
 * \retval CSYS_ENOMEM    no memory
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_recv(csys_message_queue *queue, void *buffer,
						     size_t size, size_t *out_size,
						     int64_t *out_priority);

/**
 * Receive the message with the highest priority, waiting for one until `deadline`.
 *
 * A message that is there is received even if the deadline has passed.  A step of the wall clock
 * makes no difference.
 *
 * \param queue         the queue
 * \param buffer        where the message goes
 * \param size          how many bytes there is room for, at least `max_size`
 * \param deadline      when to give up
 * \param out_size      how many bytes it has; may be 0.  Unchanged on failure
 * \param out_priority  its priority, or type; may be NULL
 * \retval 0               received
 * \retval CSYS_ETIMEDOUT  the deadline passed, and there was none
 * \return other failures as csys_message_queue_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_recv_until(csys_message_queue *queue, void *buffer,
							   size_t size, csys_deadline deadline,
							   size_t *out_size, int64_t *out_priority);

/**
 * Receive the message with the highest priority if there is one now.
 *
 * \param queue         the queue
 * \param buffer        where the message goes
 * \param size          how many bytes there is room for, at least `max_size`
 * \param out_size      how many bytes it has; may be 0.  Unchanged on failure
 * \param out_priority  its priority, or type; may be NULL
 * \retval 0            received
 * \retval CSYS_EAGAIN  there is none
 * \return other failures as csys_message_queue_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_try_recv(csys_message_queue *queue, void *buffer,
							 size_t size, size_t *out_size,
							 int64_t *out_priority);

/* ---- waiting elsewhere ---------------------------------------------------------------- */

/**
 * Get the handle of a queue for an event loop: readable with a message in it, writable with room.
 *
 * It stays the queue's.
 *
 * \param queue  the queue
 * \return the handle; CSYS_NO_HANDLE for NULL, for a queue of System V, and where the queues of the
 *         system have none (plain POSIX)
 */
CSYS_API csys_handle csys_message_queue_handle(const csys_message_queue *queue);

/**
 * Make a waitable for a message to receive.
 *
 * \param queue  the queue, opened for receiving
 * \return the waitable; csys_poll and csys_wait_set_add fail with CSYS_ENOTSUP if the queue
 *         has no handle
 */
CSYS_API csys_waitable csys_message_queue_waitable_reading(const csys_message_queue *queue);

/**
 * Make a waitable for room to send.
 *
 * \param queue  the queue, opened for sending
 * \return the waitable; csys_poll and csys_wait_set_add fail with CSYS_ENOTSUP if the queue
 *         has no handle
 */
CSYS_API csys_waitable csys_message_queue_waitable_writing(const csys_message_queue *queue);

/* ---- what a queue is ------------------------------------------------------------------ */

/** What is known of a queue. */
typedef struct csys_message_queue_info {
	int kind;            /**< CSYS_MESSAGE_QUEUE_POSIX or _SYSTEM_V */
	int access;          /**< CSYS_MESSAGE_QUEUE_BOTH, _SEND or _RECV */
	size_t max_messages; /**< how many it holds; 0: it counts bytes */
	size_t max_size;     /**< how many bytes a message may have */
	size_t max_bytes;    /**< how many bytes it holds; 0: it counts messages */
	size_t messages;     /**< how many are in it */
} csys_message_queue_info;

/**
 * Tell what a queue holds, and how much it may hold.
 *
 * \param queue  the queue
 * \param out    what is told.  Unchanged on failure
 * \retval 0            told
 * \retval CSYS_EINVAL  a pointer is NULL
 * \retval CSYS_ENOENT  the queue was removed (System V)
 * \retval CSYS_EACCES  it is for sending only, and its mode does not allow to look (System V)
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_attributes(const csys_message_queue *queue,
							   csys_message_queue_info *out);

/**
 * Get the id of a queue of System V, by which every process may open it.
 *
 * \param queue  the queue
 * \return the id; -1 for a queue of POSIX and for NULL
 */
CSYS_API int64_t csys_message_queue_id(const csys_message_queue *queue);

/**
 * Make a key for a queue of System V from a file that is there, as ftok does.
 *
 * One file and one number give one key, by any path and in any program.  Two files may share it.
 *
 * \param path     of the file
 * \param project  1 to 255
 * \param out      the key.  Unchanged on failure
 * \retval 0             made
 * \retval CSYS_EINVAL   no such number, or a pointer is NULL
 * \retval CSYS_ENOENT   there is no such file
 * \retval CSYS_EACCES   the directory does not allow to look
 * \retval CSYS_ENOTSUP  this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_key(const char *path, int project, int64_t *out);

/* ---- the end -------------------------------------------------------------------------- */

/**
 * Remove a queue by its name.
 *
 * One of POSIX has no name from now on, and ends when nobody has it open: the next
 * create makes another one.  One of System V ends at once, with its messages.
 *
 * \param name     of the queue; NULL for one of System V with a key
 * \param options  may be NULL; of it count kind, scope and key
 * \retval 0                  removed
 * \retval CSYS_ENOENT        there is no such queue
 * \retval CSYS_EACCES        it is another user's; so with CSYS_EPERM
 * \retval CSYS_EINVAL        the options are wrong, or no such name
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_ENOTSUP       this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_unlink(const char *name,
						       const csys_message_queue_options *options);

/**
 * Remove this very queue, and not one that has its name by now.
 *
 * For a queue of System V that is exact.  For one of POSIX the name is looked at just before it is
 * removed.
 *
 * \param queue  the queue, which stays to be closed
 * \retval 0             removed
 * \retval CSYS_ENOENT   it was removed before
 * \retval CSYS_EACCES   it is another user's; so with CSYS_EPERM
 * \retval CSYS_EINVAL   `queue` is NULL
 * \retval CSYS_EMFILE   no handle is left, which looking takes
 * \retval CSYS_ENOTSUP  the system does not tell whether it is this one (plain POSIX)
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_remove(csys_message_queue *queue);

/* ---- limits, and what is left over ---------------------------------------------------- */

/** The limits of the system.  SIZE_MAX, UINT64_MAX: none, or the system does not tell. */
typedef struct csys_message_queue_limit_info {
	size_t max_messages;   /**< in one queue, for an ordinary user */
	size_t max_size;       /**< bytes of a message, for an ordinary user */
	size_t usual_messages; /**< what 0 stands for in the options; 0: not told, or bytes count */
	size_t usual_size;     /**< what 0 stands for in the options; 0: not told */
	size_t max_queues;     /**< in the whole system, for an ordinary user */
	uint64_t max_bytes;    /**< in one queue, or in all queues of this user: see is_per_user */
	int is_per_user;       /**< 1: max_bytes is for all queues of this user together, with
				  what the system itself needs for each message (POSIX on Linux:
				  RLIMIT_MSGQUEUE); 0: for one queue */
	int64_t max_priority;  /**< the highest priority */
} csys_message_queue_limit_info;

/**
 * Tell the limits of the system for one kind of queues.
 *
 * \param kind  CSYS_MESSAGE_QUEUE_POSIX or CSYS_MESSAGE_QUEUE_SYSTEM_V
 * \param out   the limits.  Unchanged on failure
 * \retval 0             told
 * \retval CSYS_EINVAL   no such kind, or `out` is NULL
 * \retval CSYS_ENOTSUP  this system has no such queues
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_limits(int kind,
						       csys_message_queue_limit_info *out);

/** One of the queues of the system. */
typedef struct csys_message_queue_entry {
	/** The name as csys_message_queue_open takes it with this scope; a name that was hashed is
	 * its hash, which only CSYS_NAMES_GLOBAL opens; NULL for System V. */
	const char *name;
	int scope;         /**< CSYS_NAMES_USER, or CSYS_NAMES_GLOBAL for any other name */
	int64_t id;        /**< of System V, else -1 */
	int64_t key;       /**< of System V; 0: it has none */
	int64_t user;      /**< the number of the user that owns it */
	unsigned mode;     /**< permissions */
	int64_t messages;  /**< that are in it; -1: not told */
	int64_t last_send; /**< the pid of the last sender; 0: none; -1: not told */
	int64_t last_recv; /**< the pid of the last receiver; 0: none; -1: not told */
} csys_message_queue_entry;

/**
 * A function that csys_message_queue_list calls for each queue.
 *
 * It may remove the queue.
 *
 * \param entry     the queue; valid until the function returns
 * \param argument  what was given to csys_message_queue_list
 * \return 0 to go on, else the result of csys_message_queue_list
 */
typedef int csys_message_queue_visitor(const csys_message_queue_entry *entry, void *argument);

/**
 * Visit all queues of one kind, as to find those that are left over.
 *
 * Linux lists the queues of POSIX in /dev/mqueue, if that is mounted.
 *
 * \param kind      CSYS_MESSAGE_QUEUE_POSIX or CSYS_MESSAGE_QUEUE_SYSTEM_V
 * \param visitor   gets each of them
 * \param argument  for the visitor
 * \return what the visitor returned if that is not 0
 * \retval 0             all were visited
 * \retval CSYS_ENOTSUP  the system has no such queues, or does not list them
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_EINVAL   no such kind, or `visitor` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_queue_list(int kind, csys_message_queue_visitor *visitor,
						     void *argument);

CSYS_END_DECLS

#endif
