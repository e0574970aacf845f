/**
 * \file
 * csys/ipc/shared_channel_in_place.h - messages that are written and read in shared memory.
 *
 *     void *frame; // one process
 *     int r = csys_shared_sender_reserve(sender, CSYS_FOREVER, &frame);
 *     if (r == 0 && render(frame))
 *             r = csys_shared_sender_commit(sender, frame, FRAME_SIZE); // now it is sent
 *     else if (r == 0)
 *             csys_shared_sender_abort(sender, frame); // it never was
 *
 *     while (csys_shared_receiver_peek(receiver, CSYS_FOREVER, &frame, &length) >= 0) { // another
 *             show(frame, length);
 *             csys_shared_receiver_release(receiver); // now it is received
 *     }
 *
 * For messages that are too large to copy.  These calls and those that copy can be mixed, on one
 * channel and on both sides.  What csys/ipc/shared_channel.h says holds, and:
 *
 * Reserving takes a place in the order of messages.  Until it is committed or aborted no message is
 * received that was sent behind it, by whatever sender: reserve late, and do not wait meanwhile for
 * what the receiver is to do.  A sender may have several places reserved, and end them in any
 * order.  The bytes of a place are any at first.  When the thread ends that has reserved it, the
 * receiver passes over the place.
 *
 * Peeking shows the message that is received next.  It takes its room until it is released.  To
 * peek again, or to receive it, gets the same message.  When the receiver ends before it has
 * released it, the next one gets it again, with the note CSYS_REDELIVERED.
 */
#ifndef CSYS_IPC_SHARED_CHANNEL_IN_PLACE_H
#define CSYS_IPC_SHARED_CHANNEL_IN_PLACE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/shared_channel.h>

CSYS_BEGIN_DECLS

/* ---- sending ------------------------------------------------------------------------------ */

/**
 * Reserve the place of the next message, waiting until `deadline` while the channel is full.
 *
 * \param sender    the sender
 * \param deadline  when to give up
 * \param out_data  where the message is to be written, on a boundary of 16 bytes, with room for as
 *                  many bytes as csys_shared_channel_size tells; to be given to
 *                  csys_shared_sender_commit or csys_shared_sender_abort.  Untouched on failure
 * \retval 0               reserved
 * \retval CSYS_ETIMEDOUT  there was no room until then
 * \retval CSYS_ENOMEM     out of memory to note it
 * \retval other           as csys_shared_sender_send
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_reserve(csys_shared_sender *sender,
							csys_deadline deadline, void **out_data);

/**
 * Reserve the place of the next message if there is room.
 *
 * \param sender    the sender
 * \param out_data  as of csys_shared_sender_reserve
 * \retval 0            reserved
 * \retval CSYS_EAGAIN  there is no room
 * \retval CSYS_ENOMEM  out of memory to note it
 * \retval other        as csys_shared_sender_send
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_try_reserve(csys_shared_sender *sender,
							    void **out_data);

/**
 * Send the message that was written at a reserved place.
 *
 * It never waits.  What is no place of the channel aborts with a line, and so does a sender that
 * has none reserved.
 *
 * \param sender  the sender that has reserved it
 * \param data    the place
 * \param length  of the message, in bytes
 * \retval 0                   sent; the place is the channel's
 * \retval CSYS_EDISCONNECTED  the receiver is closed, or dead: the place is still reserved
 * \retval CSYS_EMSGSIZE       it is longer than those of the channel; the place is still reserved
 * \retval CSYS_EOWNERDEAD     the thread that had reserved the place has ended, and the receiver
 *                             has passed over it: nothing is sent, and the place is the channel's
 * \retval CSYS_EBADF          in a forked child: it is the parent's, as it was
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_sender_commit(csys_shared_sender *sender, void *data,
						       size_t length);

/**
 * Give a reserved place back, without a message.
 *
 * It never waits.  What is no place of the channel aborts with a line, and so does a sender that
 * has none reserved.  In a forked child nothing is done.
 *
 * \param sender  the sender that has reserved it
 * \param data    the place
 */
CSYS_API void csys_shared_sender_abort(csys_shared_sender *sender, void *data);

/* ---- receiving ---------------------------------------------------------------------------- */

/**
 * Get at the next message where it is, waiting until `deadline` while there is none.
 *
 * \param receiver    the receiver
 * \param deadline    when to give up
 * \param out_data    the message, which may be changed, until it is released; untouched on failure
 * \param out_length  how many bytes it has; may be NULL; untouched on failure
 * \retval 0                 it is there
 * \retval CSYS_REDELIVERED  it is there, and a receiver before has peeked at it
 * \retval CSYS_ETIMEDOUT    there was none until then
 * \retval other             as csys_shared_receiver_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_peek(csys_shared_receiver *receiver,
						       csys_deadline deadline, void **out_data,
						       size_t *out_length);

/**
 * Get at the next message where it is, if there is one.
 *
 * \param receiver    the receiver
 * \param out_data    as of csys_shared_receiver_peek
 * \param out_length  as of csys_shared_receiver_peek
 * \retval 0                 it is there
 * \retval CSYS_REDELIVERED  it is there, and a receiver before has peeked at it
 * \retval CSYS_EAGAIN       there is none
 * \retval other             as csys_shared_receiver_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_receiver_try_peek(csys_shared_receiver *receiver,
							   void **out_data, size_t *out_length);

/**
 * Be done with the peeked message: it is received, and its room is free.
 *
 * Without a peeked message it aborts with a line.
 *
 * \param receiver  the receiver
 */
CSYS_API void csys_shared_receiver_release(csys_shared_receiver *receiver);

CSYS_END_DECLS

#endif
