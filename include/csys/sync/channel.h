/**
 * \file
 * csys/sync/channel.h - messages from many threads to one, in order.
 *
 *     csys_sender *sender;
 *     csys_receiver *receiver;
 *     int r = csys_channel_new(sizeof(struct job), 100, NULL, &sender, &receiver);
 *
 *     r = csys_sender_send(sender, &job);       // a thread: copies the job into the channel
 *
 *     while (csys_receiver_recv(receiver, &job) == 0) // another thread
 *             do_job(&job);
 *     csys_receiver_close(receiver);            // all senders are closed, and all jobs are done
 *
 * Messages are bytes of one size, which are copied.  csys/sync/typed_channel.h has the same for
 * one type of messages, checked by the compiler, and faster.  Semantics are those of Rust's
 * std::sync::mpsc.
 *
 * Capacity.  With CSYS_UNBOUNDED a send never waits, and memory grows with what is queued.  With
 * a number above 0 a send waits while so many messages are queued.  With 0 a send waits until a
 * receiver has taken the message (a rendezvous).
 *
 * Order.  The messages of one thread are received in the order in which they were sent.  What a
 * thread did before it sent a message is seen by the thread that has received it.
 *
 * Ends.  A channel has one receiver and any number of senders, which csys_sender_clone adds to;
 * with csys_channel_options.many_receivers any number of receivers, each message going to one of
 * them.  When the last sender is closed, what is queued can still be received, and then a receive
 * fails with CSYS_EDISCONNECTED.  When the last receiver is closed, the queued messages are
 * destroyed at once by the drop callback, and sends fail with CSYS_EDISCONNECTED; a send that fails
 * has not taken its message, which is the caller's as before.
 *
 * Results.  Full and empty are CSYS_EAGAIN from calls that do not wait, and CSYS_ETIMEDOUT from
 * those with a deadline.  A deadline that has passed still lets a call succeed that need not wait.
 *
 * Waiting.  A thread spins where the other side runs on another CPU, on average for 5 us at
 * most, and then sleeps.  No wait is a cancellation point.
 *
 * Threads.  Any number of threads may use one sender at once, or one receiver: these take turns.
 * But unless the channel was made for many receivers that is mostly an error, and a checked build
 * reports it (csys/sync/checked.h).  A channel is fastest while one thread sends and one
 * receives; it notices by itself which threads these are.  Closing an end is its last use: no other
 * call on that end may run or follow.
 * Signals.  Not in handlers.  Fork.  The ends are the parent's.  In the child closing one
 * does nothing, and all else must not be called.
 */
#ifndef CSYS_SYNC_CHANNEL_H
#define CSYS_SYNC_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#if defined(CSYS_CHECKED)
#include <csys/sync/ledger.h>
#endif

CSYS_BEGIN_DECLS

/** The end of a channel that messages are sent by. */
typedef struct csys_sender csys_sender;

/** The end of a channel that messages are received from. */
typedef struct csys_receiver csys_receiver;

/** What a sender can be made of as long as there is one: it does not keep the channel connected. */
typedef struct csys_weak_sender csys_weak_sender;

/** The capacity of a channel that holds as many messages as there is memory for. */
#define CSYS_UNBOUNDED SIZE_MAX

/**
 * Destroy a message that no receiver will get.
 *
 * It is called with no lock held by the thread that closed the last receiver, or by one that sent a
 * message at that moment.  It may use channels, this one too.  It must return.
 */
typedef void csys_channel_drop(void *value, void *argument);

/** What can be chosen for a channel beside its capacity; all zero is usual. */
typedef struct csys_channel_options {
	csys_channel_drop *drop; /**< for messages that are not received; NULL: nothing to do */
	void *drop_argument;     /**< of `drop` */
	size_t alignment;   /**< of a message, a power of two; 0: as great as its size allows */
	int many_receivers; /**< not 0: csys_receiver_clone is allowed */
	int latency_first;  /**< not 0: a receiver takes each message at once; 0: one that is faster
	                         than a stream may let some come first, up to 4 us */
} csys_channel_options;

/**
 * Make a channel.  An unbounded one takes memory for messages when the first is sent.
 *
 * \param size          of a message, in bytes; may be 0
 * \param capacity      messages that can be queued; 0: rendezvous; CSYS_UNBOUNDED
 * \param options       may be NULL
 * \param out_sender    one sender, to be closed by the caller
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_EINVAL  the alignment is not a power of two, or a bounded capacity exceeds 2^30
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_channel_new(size_t size, size_t capacity,
					      const csys_channel_options *options,
					      csys_sender **out_sender,
					      csys_receiver **out_receiver);

/* ---- sending ----------------------------------------------------------------------------- */

/**
 * Send a message, waiting however long while the channel is full.
 *
 * \param sender  the end
 * \param value   the message, which is copied
 * \retval 0                    sent; with capacity 0 it was received
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOMEM          unbounded, and out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_send(csys_sender *sender, const void *value);

/**
 * Send a message, waiting until `deadline` while the channel is full.
 *
 * \param sender    the end
 * \param value     the message, which is copied
 * \param deadline  when to give up
 * \retval 0                    sent
 * \retval CSYS_ETIMEDOUT       it was full until then
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOMEM          unbounded, and out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_send_until(csys_sender *sender, const void *value,
						    csys_deadline deadline);

/**
 * Send a message if that is possible without waiting.
 *
 * With capacity 0 it is if a receiver waits.
 *
 * \param sender  the end
 * \param value   the message, which is copied
 * \retval 0                    sent
 * \retval CSYS_EAGAIN          the channel is full
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOMEM          unbounded, and out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_try_send(csys_sender *sender, const void *value);

/**
 * Send several messages, in order, waiting until `deadline` while the channel is full.
 *
 * Cheaper than one call for each, unless the capacity is 0.  Messages of other threads may come in
 * between.
 *
 * \param sender    the end
 * \param values    the messages, one after the other as in an array
 * \param count     how many
 * \param deadline  when to give up
 * \param out_sent  how many were sent: all if the call returns 0, else the first so many
 * \retval 0                    all are sent
 * \retval CSYS_ETIMEDOUT       it was full until then
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOMEM          unbounded, and out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_send_batch(csys_sender *sender, const void *values,
						    size_t count, csys_deadline deadline,
						    size_t *out_sent);

/* ---- receiving --------------------------------------------------------------------------- */

/**
 * Receive a message, waiting however long while there is none.
 *
 * \param receiver   the end
 * \param out_value  where it is copied to; untouched on failure
 * \retval 0                    received
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_recv(csys_receiver *receiver, void *out_value);

/**
 * Receive a message, waiting until `deadline` while there is none.
 *
 * \param receiver   the end
 * \param deadline   when to give up
 * \param out_value  where it is copied to; untouched on failure
 * \retval 0                    received
 * \retval CSYS_ETIMEDOUT       there was none until then
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_recv_until(csys_receiver *receiver,
						      csys_deadline deadline, void *out_value);

/**
 * Receive a message if there is one.
 *
 * With capacity 0 there is one if a sender waits.  It may wait for the moment that another thread
 * needs to finish a send which it has begun.
 *
 * \param receiver   the end
 * \param out_value  where it is copied to; untouched on failure
 * \retval 0                    received
 * \retval CSYS_EAGAIN          there is none
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_try_recv(csys_receiver *receiver, void *out_value);

/**
 * Receive what is there, and wait until `deadline` if that is nothing.
 *
 * \param receiver    the end
 * \param out_values  room for `most` messages, one after the other as in an array
 * \param most        how many are wanted at most; 0: none are received
 * \param deadline    when to give up
 * \param out_count   how many were received, at least 1 unless `most` is 0; untouched on failure
 * \retval 0                    received
 * \retval CSYS_ETIMEDOUT       there was none until then
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_recv_batch(csys_receiver *receiver, void *out_values,
						      size_t most, csys_deadline deadline,
						      size_t *out_count);

/**
 * Destroy the messages that are queued at this moment, with the drop callback.
 *
 * \param receiver   the end
 * \param out_count  how many that were; may be NULL
 * \retval 0            they are destroyed
 * \retval CSYS_ENOMEM  there is no memory for a message of more than 512 bytes: none is destroyed
 */
CSYS_API int csys_receiver_drain(csys_receiver *receiver, size_t *out_count);

/* ---- ends -------------------------------------------------------------------------------- */

/**
 * Add a sender to a channel.
 *
 * \param sender  one that it has
 * \return another one, to be closed by the caller; more than 2^31 abort with a line
 */
CSYS_API csys_sender *csys_sender_clone(csys_sender *sender);

/**
 * Close a sender.
 *
 * The last one disconnects the channel: waiting receivers go on.
 *
 * \param sender  the end; NULL is ignored
 */
CSYS_API void csys_sender_close(csys_sender *sender);

/**
 * Add a receiver to a channel that was made for many.
 *
 * \param receiver  one that it has; of a channel for one receiver: aborts with a line
 * \return another one, to be closed by the caller; more than 2^31 abort with a line
 */
CSYS_API csys_receiver *csys_receiver_clone(csys_receiver *receiver);

/**
 * Close a receiver.
 *
 * The last one disconnects the channel: what is queued is destroyed before this returns, and
 * waiting senders go on with CSYS_EDISCONNECTED.
 *
 * \param receiver  the end; NULL is ignored
 */
CSYS_API void csys_receiver_close(csys_receiver *receiver);

/**
 * Make a weak sender, which does not keep the channel connected.
 *
 * \param sender  a sender of the channel, which stays
 * \return the weak sender, to be closed by the caller
 */
CSYS_API csys_weak_sender *csys_sender_downgrade(csys_sender *sender);

/**
 * Make a sender of a weak one.
 *
 * \param weak  a weak sender, which stays
 * \return a sender, to be closed by the caller; NULL if none is left
 */
CSYS_API csys_sender *csys_weak_sender_upgrade(csys_weak_sender *weak);

/**
 * Close a weak sender.
 *
 * \param weak  the weak sender; NULL is ignored
 */
CSYS_API void csys_weak_sender_close(csys_weak_sender *weak);

/* ---- event loops ------------------------------------------------------------------------- */

/**
 * Get a handle that an event loop can wait for until a receive would not wait.
 *
 * It can be polled for reading: by poll, epoll, an event loop, or csys_poll with
 * csys_waitable_reading.  It is ready while there is a message, or no sender is left; and perhaps
 * for a moment after that, so receive by csys_receiver_try_recv.  While it is ready a send makes no
 * system call for it.  From the first call on a receive takes a lock.  With capacity 0 it is ready
 * while a sender waits, so senders have to wait then: two sides that only try never meet.
 *
 * \param receiver    the end
 * \param out_handle  the handle; it is the channel's, and gone with its last end: do not close,
 *                    read or write it
 * \retval 0             it is the same one for all receivers of the channel
 * \retval CSYS_ENOMEM   out of memory
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOTSUP  a timer (csys/sync/timer_channel.h), for which the system has none
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_handle(csys_receiver *receiver, csys_handle *out_handle);

/**
 * Get a handle that an event loop can wait for until a send would not wait.
 *
 * It can be polled for reading, as that of csys_receiver_handle, though it is for sending.  It is
 * ready while there is room, or with capacity 0 while a receiver waits, or no receiver is left; and
 * perhaps for a moment after that, so send by csys_sender_try_send.
 *
 * \param sender      the end
 * \param out_handle  the handle; it is the channel's, and gone with its last end: do not close,
 *                    read or write it
 * \retval 0            it is the same one for all senders of the channel
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EMFILE  no handle is left
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_handle(csys_sender *sender, csys_handle *out_handle);

/* ---- asking ------------------------------------------------------------------------------ */

/**
 * Tell how many messages are queued at this moment.  One that is being peeked at counts; a place
 * that is reserved does not, nor one that was aborted.
 *
 * \param sender  an end
 * \return the number; 0 if the capacity is 0
 */
CSYS_API size_t csys_sender_len(const csys_sender *sender);

/**
 * Tell how many messages are queued at this moment.  One that is being peeked at counts; a place
 * that is reserved does not, nor one that was aborted.
 *
 * \param receiver  an end
 * \return the number; 0 if the capacity is 0
 */
CSYS_API size_t csys_receiver_len(const csys_receiver *receiver);

/**
 * Tell how many messages can be queued.
 *
 * \param sender  an end
 * \return what the channel was made with
 */
CSYS_API size_t csys_sender_capacity(const csys_sender *sender);

/**
 * Tell how many messages can be queued.
 *
 * \param receiver  an end
 * \return what the channel was made with
 */
CSYS_API size_t csys_receiver_capacity(const csys_receiver *receiver);

/**
 * Tell whether no receiver is left.
 *
 * \param sender  an end
 * \return 1: sends fail; 0: one was left at this moment
 */
CSYS_API int csys_sender_is_disconnected(const csys_sender *sender);

/**
 * Tell whether no sender is left.
 *
 * \param receiver  an end
 * \return 1: nothing comes beside what is queued; 0: one was left at this moment
 */
CSYS_API int csys_receiver_is_disconnected(const csys_receiver *receiver);

/** CSYS_AUTO(csys_sender) closes it. */
CSYSI_AUTO(csys_sender, csys_sender_close(*object))

/** CSYS_AUTO(csys_receiver) closes it. */
CSYSI_AUTO(csys_receiver, csys_receiver_close(*object))

/** CSYS_AUTO(csys_weak_sender) closes it. */
CSYSI_AUTO(csys_weak_sender, csys_weak_sender_close(*object))

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_receiver *csysi_receiver_at(csys_receiver *receiver,
							    const char *file, int line)
{
	csysi_checked_at(receiver, CSYSI_NULL, file, line);
	return receiver;
}
#define CSYSI_RECEIVER_HERE(receiver) csysi_receiver_at((receiver), __FILE__, __LINE__)
#define csys_receiver_recv(receiver, out_value) \
	csys_receiver_recv(CSYSI_RECEIVER_HERE(receiver), out_value)
#define csys_receiver_recv_until(receiver, deadline, out_value) \
	csys_receiver_recv_until(CSYSI_RECEIVER_HERE(receiver), deadline, out_value)
#define csys_receiver_try_recv(receiver, out_value) \
	csys_receiver_try_recv(CSYSI_RECEIVER_HERE(receiver), out_value)
#define csys_receiver_recv_batch(receiver, out_values, most, deadline, out_count)           \
	csys_receiver_recv_batch(CSYSI_RECEIVER_HERE(receiver), out_values, most, deadline, \
				 out_count)
#define csys_receiver_drain(receiver, out_count) \
	csys_receiver_drain(CSYSI_RECEIVER_HERE(receiver), out_count)
#else
#define CSYSI_RECEIVER_HERE(receiver) (receiver)
#endif

CSYS_END_DECLS

#endif
