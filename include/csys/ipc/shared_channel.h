/**
 * \file
 * csys/ipc/shared_channel.h - messages through shared memory, from many processes to one.
 *
 *     csys_shared_channel *channel; // one process
 *     csys_shared_receiver *receiver;
 *     int r = csys_shared_channel_create("jobs", 256, 100, NULL, &channel);
 *     if (r == 0)
 *             r = csys_shared_receiver_open(channel, &receiver);
 *     if (r < 0)
 *             return r;
 *     while ((r = csys_shared_receiver_recv(receiver, job, sizeof job, &length)) >= 0)
 *             do_job(job, length);
 *
 *     csys_shared_sender *sender; // another
 *     int r = csys_shared_channel_open("jobs", NULL, &channel);
 *     if (r == 0)
 *             r = csys_shared_sender_open(channel, &sender);
 *     if (r == 0)
 *             r = csys_shared_sender_send(sender, job, length);
 *
 * Messages are bytes, of any length up to that of the channel, and are copied.  A message is sent
 * whole or not at all, in whatever instruction its sender is killed; and none is lost, nor received
 * twice, because another sender or the receiver is killed.  csys/ipc/shared_channel_in_place.h has
 * messages that are not copied, csys/ipc/typed_shared_channel.h those of one type.  Semantics are
 * those of csys/sync/channel.h, with these differences.
 *
 * Where it is.  A channel lies in a region (csys/ipc/region.h): in one of its own, which has a name
 * or is handed over by its handle, or in a region of the caller, beside other objects.  The
 * memory for all messages is there from the start, so no send runs out of memory.
 *
 * Ends.  A process that has a channel opens ends: senders, as many as the channel has room for, and
 * the receiver, of which there is one at a time.  An end is for one thread at a time, which is a
 * member of the region; another one may go on with it.  The thread that has used an end last is
 * responsible for it: when that thread ends, or its process does, or becomes another program, the
 * others see the end as closed.
 *
 * Disconnection.  While no sender was ever opened, a receive waits for one; likewise a send, once
 * the channel is full, for a receiver.  A receive fails with CSYS_EDISCONNECTED when there is no
 * message and all senders are closed or dead; a send when the receiver is.  Where the system does
 * not tell of deaths by itself (macOS, for one), a send notices that of the receiver only when the
 * channel is full.  What was sent before stays for the next receiver.  With `lasting` neither side
 * is ever disconnected: it waits for the other to come again.
 *
 * A receiver that is killed may have looked at a message and not released it
 * (csys_shared_receiver_peek): the next receiver gets that message again, with the note
 * CSYS_REDELIVERED.
 *
 * Order.  The messages of one sender are received in the order in which they were sent.  What a
 * thread did before it sent a message is seen by the thread that has received it.
 *
 * Waiting.  A thread spins where the other side runs on another CPU, and then sleeps.  While it
 * sleeps it looks ten times a second: the thread that was to wake it may have been killed.  A
 * sender that is stopped (SIGSTOP) in the middle of a send holds up the messages that were sent
 * behind it; it is not dead.  A sender that waits for room may be woken only when a quarter of
 * the channel is free.
 *
 * Event loops.  Both ends have a waitable for csys_poll and wait sets, and a handle for others.
 * With several channels in one set a receiver can prefer some to others: it tries them in order.
 *
 * Trust.  As in any region; each length and place that is read from it is checked.  If bytes were
 * overwritten, a call may look at four times as many places as there are, and some more, before it
 * looks at its deadline.
 *
 * Threads: each end is used by one thread at a time, and a channel by any number.  Signals: not in
 * handlers.  Fork: a channel is the child's too, and each closes its own; the ends are the
 * parent's, in the child closing one does nothing, and all else returns CSYS_EBADF.
 */
#ifndef CSYS_IPC_SHARED_CHANNEL_H
#define CSYS_IPC_SHARED_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/names.h>
#include <csys/ipc/region.h>

CSYS_BEGIN_DECLS

/** How many senders a channel can have at most. */
#define CSYS_SHARED_SENDERS_MAX 1000

/** How many bytes a message can have at most, and how many messages a channel. */
#define CSYS_SHARED_MESSAGE_MAX ((size_t)1 << 30)

/** A channel that this process has open. */
typedef struct csys_shared_channel csys_shared_channel;

/** The end of a channel that messages are sent by. */
typedef struct csys_shared_sender csys_shared_sender;

/** The end of a channel that messages are received from. */
typedef struct csys_shared_receiver csys_shared_receiver;

/** How a channel is created or opened.  All zero is the usual. */
typedef struct csys_shared_channel_options {
	int scope;          /**< CSYS_NAMES_USER or CSYS_NAMES_GLOBAL */
	int mode;           /**< create: as csys_region_options */
	int accept_foreign; /**< open: also what users other than the administrator have */
	int keep;           /**< create: the name stays when nobody has it open, with all
	                            messages */
	int replace_unused; /**< create, create_or_open: what nobody has open is removed first */
	int prefault;       /**< have all pages in memory before the call returns */
	int lock;           /**< keep all pages in memory, within the limit of this process */
	unsigned senders;   /**< create: for how many at a time; 0 is 16 */
	int single_sender;  /**< create: for one at a time, which is faster; `senders` is ignored */
	int lasting;        /**< create: an end that is gone is expected to come again */
	uint64_t layout;    /**< CSYS_SHM_LAYOUT(type, version) of messages; 0 is not checked */
	uintptr_t reserved[4]; /**< zero */
} csys_shared_channel_options;

/* ---- opening ------------------------------------------------------------------------------ */

/**
 * Create a channel with a name.
 *
 * \param name      its name; csys/ipc/names.h has the rules.  It is that of a region
 * \param size      how many bytes a message has at most; may be 0
 * \param capacity  how many messages it has room for, at least; 1 to CSYS_SHARED_MESSAGE_MAX
 * \param options   NULL for the usual
 * \param out       the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0            it exists, and this process has it open
 * \retval CSYS_EINVAL  no such name, size, capacity, number of senders, or option
 * \retval CSYS_ENOMEM  so much memory cannot be addressed
 * \retval other        as csys_region_create
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_channel_create(const char *name, size_t size,
							size_t capacity,
							const csys_shared_channel_options *options,
							csys_shared_channel **out);

/**
 * Open a channel by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  what has the name is no channel, or of another layout or version
 * \retval other         as csys_region_open
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_channel_open(const char *name,
						      const csys_shared_channel_options *options,
						      csys_shared_channel **out);

/**
 * Open a channel by its name, or create it if there is none.
 *
 * One that exists keeps its capacity and its number of senders.
 *
 * \param name      its name
 * \param size      how many bytes a message has at most, exactly so for one that exists
 * \param capacity  how many messages a new one has room for, at least
 * \param options   NULL for the usual
 * \param out       the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  what has the name is no channel, or of another size, layout or version
 * \retval other         as csys_shared_channel_create and csys_shared_channel_open, but CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_channel_create_or_open(const char *name, size_t size, size_t capacity,
				   const csys_shared_channel_options *options,
				   csys_shared_channel **out);

/**
 * Create a channel that has no name.
 *
 * Other processes get it as forked children, or by its handle.
 *
 * \param size      how many bytes a message has at most; may be 0
 * \param capacity  how many messages it has room for, at least
 * \param options   NULL for the usual
 * \param out       the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0      it exists
 * \retval other  as csys_shared_channel_create and csys_region_create_anonymous
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_channel_create_anonymous(size_t size, size_t capacity,
				     const csys_shared_channel_options *options,
				     csys_shared_channel **out);

/**
 * Open a channel by a handle that another process has sent or left.
 *
 * \param handle   the handle, which is the channel's after success
 * \param options  NULL for the usual
 * \param out      the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  it is no channel, or another layout or version
 * \retval other         as csys_region_from_handle_take
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_channel_from_handle_take(csys_handle handle, const csys_shared_channel_options *options,
				     csys_shared_channel **out);

/**
 * Compute how many bytes a channel takes in a region.
 *
 * \param size      as csys_shared_channel_create has it
 * \param capacity  as csys_shared_channel_create has it
 * \param options   of these `senders` and `single_sender`; NULL for the usual
 * \return that; 0 if there can be no such channel
 */
CSYS_API size_t csys_shared_channel_memory(size_t size, size_t capacity,
					   const csys_shared_channel_options *options);

/**
 * Create a channel in a region, before other processes look for it there.
 *
 * The region has to stay open as long as the channel and its ends.
 *
 * \param region    where it lies
 * \param memory    csys_shared_channel_memory bytes of the region's data, all zero, on a boundary
 *                  of 128 bytes
 * \param size      how many bytes a message has at most; may be 0
 * \param capacity  how many messages it has room for, at least
 * \param options   of these `senders`, `single_sender`, `lasting` and `layout`; NULL for the usual
 * \param out       the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0            it exists
 * \retval CSYS_EINVAL  no such size, capacity, or number of senders; or it does not lie there
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_channel_create_in(csys_region *region, void *memory, size_t size, size_t capacity,
			      const csys_shared_channel_options *options,
			      csys_shared_channel **out);

/**
 * Open a channel that another process has created in a region.
 *
 * \param region   where it lies; it has to stay open as long as the channel and its ends
 * \param memory   where it begins
 * \param options  of these `layout`; NULL for the usual
 * \param out      the channel, to be closed by csys_shared_channel_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EINVAL   that is not in the region's data, or on no boundary of 128 bytes
 * \retval CSYS_EBADMSG  there is no channel, or one of another layout or version
 * \retval CSYS_ENOMEM   out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_channel_open_in(csys_region *region, void *memory,
							 const csys_shared_channel_options *options,
							 csys_shared_channel **out);

/**
 * Close a channel.
 *
 * Ends that are open stay so, and the memory with them.
 *
 * \param channel  the channel; NULL is ignored
 */
CSYS_API void csys_shared_channel_close(csys_shared_channel *channel);
CSYSI_AUTO(csys_shared_channel, csys_shared_channel_close(*object))

/**
 * Get a handle of a channel that lies in a region of its own, to be sent to another process.
 *
 * \param channel  the channel, which keeps it
 * \return the handle; CSYS_NO_HANDLE for NULL, and for one in a region of the caller
 */
CSYS_API csys_handle csys_shared_channel_handle(const csys_shared_channel *channel);

/**
 * Tell whether the call that has opened a channel has created it.
 *
 * \param channel  the channel
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_channel_is_created(const csys_shared_channel *channel);

/**
 * Get how many bytes a message has at most.
 *
 * \param channel  the channel
 * \return that; 0 for NULL
 */
CSYS_API size_t csys_shared_channel_size(const csys_shared_channel *channel);

/**
 * Get how many messages a channel has room for: a power of two.
 *
 * \param channel  the channel
 * \return that; 0 for NULL
 */
CSYS_API size_t csys_shared_channel_capacity(const csys_shared_channel *channel);

/**
 * Tell how many messages are queued at this moment.
 *
 * It may be out of date when the caller sees it.
 *
 * \param channel  the channel
 * \return that; 0 for NULL
 */
CSYS_API size_t csys_shared_channel_len(const csys_shared_channel *channel);

/**
 * Get the region that a channel lies in, whose members are those that use it, for diagnosis.
 *
 * \param channel  the channel, to which it belongs unless it was created in a region of the caller
 * \return the region; NULL for NULL
 */
CSYS_API csys_region *csys_shared_channel_region(const csys_shared_channel *channel);

/**
 * Tell which member has the receiver of a channel, for diagnosis.
 *
 * It may be out of date when the caller sees it.
 *
 * \param channel  the channel
 * \param out      the member, alive or not.  Unchanged if there is none
 * \return 1; 0 if there is none
 */
CSYS_API int csys_shared_channel_receiver(const csys_shared_channel *channel,
					  csys_region_member *out);

/**
 * Get the next member that has a sender of a channel, for diagnosis.
 *
 * \param channel  the channel
 * \param at       0 to begin; changed
 * \param out      the member, alive or not
 * \return 1; 0 at the end
 */
CSYS_API int csys_shared_channel_next_sender(const csys_shared_channel *channel, unsigned *at,
					     csys_region_member *out);

/* ---- ends --------------------------------------------------------------------------------- */

/**
 * Open a sender of a channel.
 *
 * \param channel  the channel
 * \param out      the sender, to be closed by csys_shared_sender_close.  Unchanged on failure
 * \retval 0            it is open
 * \retval CSYS_EBUSY   the channel is for a single sender, and there is one that lives
 * \retval CSYS_ENOSPC  it has as many as there is room for
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EINVAL  no channel
 * \retval other        as csys_region_attach
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_open(csys_shared_channel *channel,
						     csys_shared_sender **out);

/**
 * Close a sender.
 *
 * While a place is reserved by it, that aborts with a line.
 *
 * \param sender  the sender; NULL is ignored
 */
CSYS_API void csys_shared_sender_close(csys_shared_sender *sender);
CSYSI_AUTO(csys_shared_sender, csys_shared_sender_close(*object))

/**
 * Open the receiver of a channel.
 *
 * \param channel  the channel
 * \param out      the receiver, to be closed by csys_shared_receiver_close.  Unchanged on failure
 * \retval 0            it is open
 * \retval CSYS_EBUSY   there is one that lives
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EINVAL  no channel
 * \retval other        as csys_region_attach
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_open(csys_shared_channel *channel,
						       csys_shared_receiver **out);

/**
 * Close the receiver.
 *
 * Messages that it has not received, and the one that it has peeked at, stay for the next.
 *
 * \param receiver  the receiver; NULL is ignored
 */
CSYS_API void csys_shared_receiver_close(csys_shared_receiver *receiver);
CSYSI_AUTO(csys_shared_receiver, csys_shared_receiver_close(*object))

/* ---- sending ------------------------------------------------------------------------------ */

/**
 * Send a message, however long that takes.
 *
 * \param sender  the sender
 * \param data    the message
 * \param length  of it, in bytes
 * \retval 0                   it is sent
 * \retval CSYS_EDISCONNECTED  the receiver is closed, or dead
 * \retval CSYS_EMSGSIZE       it is longer than those of the channel
 * \retval CSYS_ENOSPC         the sender was seen as closed before this thread goes on with it, and
 *                             the channel has as many senders as there is room for by now
 * \retval CSYS_EBUSY          likewise, of a channel for a single sender: there is another one
 * \retval CSYS_EBADF          a forked child has none
 * \retval other               another thread goes on with the sender: as csys_region_attach
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_send(csys_shared_sender *sender, const void *data,
						     size_t length);

/**
 * Send a message by a deadline.
 *
 * \param sender    the sender
 * \param data      the message
 * \param length    of it, in bytes
 * \param deadline  when to give up
 * \retval 0               it is sent
 * \retval CSYS_ETIMEDOUT  there was no room until then
 * \retval other           as csys_shared_sender_send
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_send_until(csys_shared_sender *sender,
							   const void *data, size_t length,
							   csys_deadline deadline);

/**
 * Send a message if there is room.
 *
 * \param sender  the sender
 * \param data    the message
 * \param length  of it, in bytes
 * \retval 0            it is sent
 * \retval CSYS_EAGAIN  there is no room
 * \retval other        as csys_shared_sender_send
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_try_send(csys_shared_sender *sender,
							 const void *data, size_t length);

/**
 * Send several messages of one length, in order, by a deadline.
 *
 * Cheaper than one call for each.  Messages of other senders may come in between.
 *
 * \param sender    the sender
 * \param data      the messages, one after the other
 * \param length    of each, in bytes
 * \param count     how many
 * \param deadline  when to give up
 * \param out_sent  how many were sent: all if the call returns 0, else the first so many
 * \retval 0      all are sent
 * \retval other  as csys_shared_sender_send_until
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_send_batch(csys_shared_sender *sender,
							   const void *data, size_t length,
							   size_t count, csys_deadline deadline,
							   size_t *out_sent);

/* ---- receiving ---------------------------------------------------------------------------- */

/**
 * Receive a message, however long that takes.
 *
 * \param receiver    the receiver
 * \param out_data    where it is copied to; untouched on failure
 * \param room        how many bytes there are
 * \param out_length  how many bytes the message has; may be NULL; untouched on failure
 * \retval 0                   received
 * \retval CSYS_REDELIVERED    received, and a receiver before has peeked at it and not released it
 * \retval CSYS_EDISCONNECTED  there is none, and all senders are closed or dead
 * \retval CSYS_EMSGSIZE       it is longer than there is room; it stays
 * \retval CSYS_EOWNERDEAD     the thread that had the receiver has ended, and another one was
 *                             opened meanwhile
 * \retval CSYS_EBADF          a forked child has none
 * \retval other               another thread goes on with the receiver: as csys_region_attach
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_recv(csys_shared_receiver *receiver,
						       void *out_data, size_t room,
						       size_t *out_length);

/**
 * Receive a message by a deadline.
 *
 * \param receiver    the receiver
 * \param deadline    when to give up
 * \param out_data    where it is copied to; untouched on failure
 * \param room        how many bytes there are
 * \param out_length  how many bytes the message has; may be NULL; untouched on failure
 * \retval 0                 received
 * \retval CSYS_REDELIVERED  received, as csys_shared_receiver_recv tells
 * \retval CSYS_ETIMEDOUT    there was none until then
 * \retval other             as csys_shared_receiver_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_recv_until(csys_shared_receiver *receiver,
							     csys_deadline deadline, void *out_data,
							     size_t room, size_t *out_length);

/**
 * Receive a message if there is one.
 *
 * \param receiver    the receiver
 * \param out_data    where it is copied to; untouched on failure
 * \param room        how many bytes there are
 * \param out_length  how many bytes the message has; may be NULL; untouched on failure
 * \retval 0                 received
 * \retval CSYS_REDELIVERED  received, as csys_shared_receiver_recv tells
 * \retval CSYS_EAGAIN       there is none
 * \retval other             as csys_shared_receiver_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_try_recv(csys_shared_receiver *receiver,
							   void *out_data, size_t room,
							   size_t *out_length);

/**
 * Receive what is there, and wait until `deadline` if that is nothing.
 *
 * It ends before a message that is longer than there is room for each, if it has one by then.
 *
 * \param receiver     the receiver
 * \param out_data     room for `most` messages, one after the other
 * \param room         how many bytes there are for each
 * \param most         how many are wanted at most; 0: none are received
 * \param deadline     when to give up
 * \param out_lengths  of each, in bytes; may be NULL
 * \param out_count    how many were received, at least 1 unless `most` is 0; untouched on failure
 * \retval 0                 received
 * \retval CSYS_REDELIVERED  received, and the first as csys_shared_receiver_recv tells
 * \retval CSYS_ETIMEDOUT    there was none until then
 * \retval other             as csys_shared_receiver_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_recv_batch(csys_shared_receiver *receiver,
							     void *out_data, size_t room,
							     size_t most, csys_deadline deadline,
							     size_t *out_lengths,
							     size_t *out_count);

/**
 * Receive and forget the messages that are queued at this moment.
 *
 * \param receiver   the receiver
 * \param out_count  how many that were; may be NULL
 * \retval 0      done
 * \retval other  as csys_shared_receiver_try_recv, but CSYS_EAGAIN and CSYS_EDISCONNECTED
 */
CSYS_API int csys_shared_receiver_drain(csys_shared_receiver *receiver, size_t *out_count);

/* ---- event loops -------------------------------------------------------------------------- */

/**
 * Make a waitable for a receive that would not wait, for csys_poll and wait sets.
 *
 * It is ready while there is a message, or all senders are closed or dead; and perhaps when there
 * is nothing, so receive by csys_shared_receiver_try_recv.  It stays ready until a call has found
 * nothing (CSYS_EAGAIN, CSYS_ETIMEDOUT).  That call makes a few system calls, and a send the first
 * time after it one; the others make none for it.
 *
 * Where wait sets have no handles (csys_can(CSYS_CAN_WAIT_SET_HANDLE) says 0), or none is left,
 * the receiver is looked at again and again, and then no other thread may use it.
 *
 * \param receiver  the receiver, which has to be removed from sets before it is closed.  NULL, or
 *                  in a forked child one of the parent: it cannot be waited for (CSYS_EBADF)
 * \return the waitable
 */
CSYS_API csys_waitable csys_shared_receiver_waitable(csys_shared_receiver *receiver);

/**
 * Make a waitable for a send that would not wait, for csys_poll and wait sets.
 *
 * It is ready while there is room, or the receiver is closed or dead; and perhaps when there is no
 * room, ten times a second among others, so send by csys_shared_sender_try_send.  All else is as
 * for csys_shared_receiver_waitable.
 *
 * \param sender  the sender, which has to be removed from sets before it is closed.  NULL, or in a
 *                forked child one of the parent: it cannot be waited for (CSYS_EBADF)
 * \return the waitable
 */
CSYS_API csys_waitable csys_shared_sender_waitable(csys_shared_sender *sender);

/**
 * Get a handle that an event loop can wait for until a receive would not wait.
 *
 * It can be polled for reading, and is ready when csys_shared_receiver_waitable is.  While a sender
 * of another process lives it is ready once a second too: nothing tells that such a process becomes
 * another program (exec), which closes its ends.  Where the system cannot tell of the end of that
 * process (Linux before 5.3; one with other pids or another network than this one), it is ready ten
 * times a second.
 *
 * \param receiver    the receiver
 * \param out_handle  the handle; it is the receiver's, and gone with it: do not close, read or
 *                    write it.  Unchanged on failure
 * \retval 0             it is the same for each call
 * \retval CSYS_ENOTSUP  this system has no such handles (csys_can(CSYS_CAN_WAIT_SET_HANDLE) says 0)
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   out of memory
 * \retval CSYS_EBADF    a forked child has none
 * \retval CSYS_EINVAL   a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_handle(csys_shared_receiver *receiver,
							 csys_handle *out_handle);

/**
 * Get a handle that an event loop can wait for until a send would not wait.
 *
 * It can be polled for reading, though it is for sending, and is ready when
 * csys_shared_sender_waitable is.
 *
 * \param sender      the sender
 * \param out_handle  the handle; it is the sender's, and gone with it: do not close, read or
 *                    write it.  Unchanged on failure
 * \retval 0      it is the same for each call
 * \retval other  as csys_shared_receiver_handle
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_handle(csys_shared_sender *sender,
						       csys_handle *out_handle);

/* ---- asking --------------------------------------------------------------------------------- */

/**
 * Tell whether the receiver is closed or dead.
 *
 * \param sender  a sender
 * \return 1: sends fail; 0: it was there at this moment, has not been opened yet, or is expected to
 *         come again
 */
CSYS_API int csys_shared_sender_is_disconnected(const csys_shared_sender *sender);

/**
 * Tell whether all senders are closed or dead.
 *
 * \param receiver  the receiver
 * \return 1: nothing comes beside what is queued, unless a sender is opened; 0: one was there at
 *         this moment, none has been opened yet, or one is expected to come again
 */
CSYS_API int csys_shared_receiver_is_disconnected(const csys_shared_receiver *receiver);

CSYS_END_DECLS

#endif
