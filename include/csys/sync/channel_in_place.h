/**
 * \file
 * csys/sync/channel_in_place.h - messages that are written and read where the channel keeps them.
 *
 *     struct frame *frame;
 *     int r = frames_reserve(sender, CSYS_FOREVER, &frame); // a thread
 *     if (r == 0 && render(frame))
 *             r = frames_commit(sender, frame); // now it is sent
 *     else if (r == 0)
 *             frames_abort(sender, frame); // it never was
 *
 *     while (frames_peek(receiver, CSYS_FOREVER, &frame) == 0) { // another thread
 *             show(frame);
 *             frames_release(receiver); // now it is received
 *     }
 *
 * For messages that are too large to copy.  The channel is bounded: made with a capacity from 1 to
 * 2^30.  For others the calls that begin return CSYS_ENOTSUP.  These here and those that copy can
 * be mixed, on one channel and on both sides.  Semantics of csys/sync/channel.h hold, and:
 *
 * Reserving takes a place in the order of messages.  Until it is committed or aborted no receiver
 * gets a message that was sent behind it, by whatever sender: reserve late, and do not wait
 * meanwhile for what the receiver is to do.  It also takes room, as a message does.  A thread may
 * have several places reserved, and end them in any order and on any thread.  The message is
 * received in the order in which it was reserved.  The bytes of a place are not those of the last
 * message, nor zero: they are any.
 *
 * An aborted place is no message, and its room is free: at once if nothing was sent behind it, else
 * when a receiver comes to it, which passes over it without a word.
 *
 * Ends.  A place needs a sender: to close the last one while a place is reserved aborts with a
 * line.  When the last receiver is closed, messages in the queue are destroyed as always, and
 * places that are reserved stay with the threads that have reserved them.
 *
 * Peeking shows the message that is received next.  Until it is released it is in the channel: it
 * takes its room, and is destroyed if the last receiver is closed.  One message is peeked at a
 * time.  Other threads that receive or peek wait for the release, as if the channel were empty.
 * The thread itself gets the same message again, by peeking or by receiving it, which releases it.
 * Of several receivers close none between peek and release: the others would wait for ever.
 */
#ifndef CSYS_SYNC_CHANNEL_IN_PLACE_H
#define CSYS_SYNC_CHANNEL_IN_PLACE_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>

CSYS_BEGIN_DECLS

/* ---- sending ----------------------------------------------------------------------------- */

/**
 * Reserve the place of the next message, waiting until `deadline` while the channel is full.
 *
 * \param sender     the end
 * \param deadline   when to give up
 * \param out_value  where the message is to be written, aligned as messages are; to be given to
 *                   csys_sender_commit or csys_sender_abort, by any thread; untouched on failure
 * \retval 0                    reserved
 * \retval CSYS_ETIMEDOUT       it was full until then
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOTSUP         the channel is not a bounded one
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_reserve(csys_sender *sender, csys_deadline deadline,
						 void **out_value);

/**
 * Reserve the place of the next message if that is possible without waiting.
 *
 * \param sender     the end
 * \param out_value  as of csys_sender_reserve
 * \retval 0                    reserved
 * \retval CSYS_EAGAIN          the channel is full
 * \retval CSYS_EDISCONNECTED   no receiver is left
 * \retval CSYS_ENOTSUP         the channel is not a bounded one
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_try_reserve(csys_sender *sender, void **out_value);

/**
 * Send the message that was written at a reserved place.
 *
 * It never waits.  A place that is not reserved aborts with a line.
 *
 * \param sender  the sender, or a clone of it
 * \param value   the place
 * \retval 0                    sent; the place is the channel's
 * \retval CSYS_EDISCONNECTED   no receiver is left: the message is the caller's as before, and the
 *                              place is still reserved; take out what is to be kept, and abort it
 */
CSYS_API CSYS_MUST_CHECK int csys_sender_commit(csys_sender *sender, void *value);

/**
 * Give a reserved place back, without a message.
 *
 * The drop callback is not called for it.  It never waits.  A place that is not reserved aborts
 * with a line.
 *
 * \param sender  the sender, or a clone of it
 * \param value   the place
 */
CSYS_API void csys_sender_abort(csys_sender *sender, void *value);

/* ---- receiving --------------------------------------------------------------------------- */

/**
 * Get at the next message where it is, waiting until `deadline` while there is none.
 *
 * \param receiver   the end
 * \param deadline   when to give up
 * \param out_value  the message, which may be changed, until it is released; untouched on failure
 * \retval 0                    it is to be released, or received, by this thread
 * \retval CSYS_ETIMEDOUT       there was none until then
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 * \retval CSYS_ENOTSUP         the channel is not a bounded one
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_peek(csys_receiver *receiver, csys_deadline deadline,
						void **out_value);

/**
 * Get at the next message where it is, if there is one.
 *
 * \param receiver   the end
 * \param out_value  as of csys_receiver_peek
 * \retval 0                    it is to be released, or received, by this thread
 * \retval CSYS_EAGAIN          there is none
 * \retval CSYS_EDISCONNECTED   there is none, and no sender is left
 * \retval CSYS_ENOTSUP         the channel is not a bounded one
 */
CSYS_API CSYS_MUST_CHECK int csys_receiver_try_peek(csys_receiver *receiver, void **out_value);

/**
 * Be done with the peeked message: it is received, and its room is free.
 *
 * What it owns is the caller's: the drop callback is not called.  Without a peeked message it
 * aborts with a line.
 *
 * \param receiver  the receiver, or a clone of it
 */
CSYS_API void csys_receiver_release(csys_receiver *receiver);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
#define csys_receiver_peek(receiver, deadline, out_value) \
	csys_receiver_peek(CSYSI_RECEIVER_HERE(receiver), deadline, out_value)
#define csys_receiver_try_peek(receiver, out_value) \
	csys_receiver_try_peek(CSYSI_RECEIVER_HERE(receiver), out_value)
#endif

CSYS_END_DECLS

#endif
