/**
 * \file
 * csys/sync/select.h - one of several sends and receives, over any channels.
 *
 *     struct job job;
 *     struct reply reply;
 *     const csys_select_case cases[] = {
 *             jobs_select_recv(jobs, &job),
 *             replies_select_send(replies, &reply),
 *     };
 *     size_t which;
 *     int r = csys_select_until(cases, 2, csys_after_ms(500), &which);
 *     if (r == 0 && which == 0)
 *             do_job(&job); // received, and nothing was sent
 *
 * Exactly one of the cases is done, or none.  If several can be done at once, one of them is chosen
 * at random, so that each has its turn; or the first one, by csys_select_biased_until.  A case can
 * be done too if its channel is disconnected: it fails with CSYS_EDISCONNECTED, as the send or the
 * receive itself would.  The semantics are those of crossbeam's select.
 *
 * Any mixture of channels, capacities and directions is allowed, the same channel several times
 * too. A thread in a select meets others in sends, receives and selects, but not itself: a
 * rendezvous channel that it sends to and receives from in one call needs another thread.
 *
 * No message is handed over twice, or to no thread; no wake is lost.  Up to 16 cases need no
 * memory; more are allocated.  All channels and values must live until the call returns.
 *
 * Threads: any number may select at once.  Not in signal handlers.  Cancellation: no call here is
 * ended by it.
 */
#ifndef CSYS_SYNC_SELECT_H
#define CSYS_SYNC_SELECT_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>

CSYS_BEGIN_DECLS

/** One send or receive; made by the functions below.  All zero is one that never happens. */
typedef struct csys_select_case {
	void *channel; /**< private, as is all of it: src/sync/select.c */
	void *value;   /**< private */
	int is_send;   /**< private */
	int reserved;  /**< private */
} csys_select_case;

/**
 * A case that sends a message.
 *
 * \param sender  the end
 * \param value   the message, which is copied when it is sent; it stays the caller's if it is not
 * \return the case
 */
CSYS_API csys_select_case csys_select_send(csys_sender *sender, const void *value);

/**
 * A case that receives a message.
 *
 * \param receiver   the end
 * \param out_value  where the message is copied to; untouched if none is received
 * \return the case
 */
CSYS_API csys_select_case csys_select_recv(csys_receiver *receiver, void *out_value);

/**
 * Send or receive by one of several cases, waiting however long until that is possible.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param out_which  the index of the one that was done, or failed with CSYS_EDISCONNECTED
 * \retval 0                  it is done
 * \retval CSYS_EDISCONNECTED its channel has no other side any more
 * \retval CSYS_ENOMEM        there are more than 16 cases, or an unbounded channel, and no memory
 * \retval CSYS_EINVAL        there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_select(const csys_select_case *cases, size_t count,
					 size_t *out_which);

/**
 * Send or receive by one of several cases, waiting for that until `deadline`.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param deadline   when to give up; what can be done then is done
 * \param out_which  the index of the one that was done, or failed with CSYS_EDISCONNECTED
 * \retval 0                  it is done
 * \retval CSYS_ETIMEDOUT     none could be done by then, and nothing has happened
 * \retval CSYS_EDISCONNECTED its channel has no other side any more
 * \retval CSYS_ENOMEM        there are more than 16 cases, or an unbounded channel, and no memory
 * \retval CSYS_EINVAL        there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_select_until(const csys_select_case *cases, size_t count,
					       csys_deadline deadline, size_t *out_which);

/**
 * Send or receive by one of several cases, if that is possible without waiting.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param out_which  the index of the one that was done, or failed with CSYS_EDISCONNECTED
 * \retval 0                  it is done
 * \retval CSYS_EAGAIN        none can be done, and nothing has happened
 * \retval CSYS_EDISCONNECTED its channel has no other side any more
 * \retval CSYS_ENOMEM        there are more than 16 cases, or an unbounded channel, and no memory
 * \retval CSYS_EINVAL        there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_try_select(const csys_select_case *cases, size_t count,
					     size_t *out_which);

/**
 * Send or receive by the first possible of several cases, waiting for one until `deadline`.
 *
 * The cases are tried in the order of the array; one for which this call was woken is tried first.
 *
 * \param cases      the cases, in the order in which they are tried
 * \param count      how many these are
 * \param deadline   when to give up; what can be done then is done
 * \param out_which  the index of the one that was done, or failed with CSYS_EDISCONNECTED
 * \retval 0                  it is done
 * \retval CSYS_ETIMEDOUT     none could be done by then, and nothing has happened
 * \retval CSYS_EDISCONNECTED its channel has no other side any more
 * \retval CSYS_ENOMEM        there are more than 16 cases, or an unbounded channel, and no memory
 * \retval CSYS_EINVAL        there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_select_biased_until(const csys_select_case *cases, size_t count,
						      csys_deadline deadline, size_t *out_which);

/* ---- which could be done ----------------------------------------------------------------- */

/**
 * Tell which of several cases can be done without waiting, and wait however long until one can.
 *
 * It sends and receives nothing, and ignores the values of the cases, which may be NULL.  A case
 * whose channel is disconnected can be done too: it fails at once.  If several can be done, one of
 * them is chosen at random.  As all calls that only look, it may be wrong a moment later, when
 * another thread was quicker: do it by a call that does not wait, such as csys_receiver_try_recv,
 * and begin anew.
 *
 * It takes no message and no room from threads that send, receive or select: a message that comes
 * lets one of these go on, and all threads that wait in this call.  Two threads that meet at a
 * channel of capacity 0 do so in other calls: two sides that both only wait here never meet.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param out_which  the index of one that can be done
 * \retval 0            there is one
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EINVAL  there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_select_ready(const csys_select_case *cases, size_t count,
					       size_t *out_which);

/**
 * Tell which of several cases can be done without waiting, and wait until `deadline` for that.
 *
 * As csys_select_ready.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param deadline   when to give up
 * \param out_which  the index of one that can be done
 * \retval 0               there is one
 * \retval CSYS_ETIMEDOUT  there was none until then
 * \retval CSYS_ENOMEM     out of memory
 * \retval CSYS_EINVAL     there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_select_ready_until(const csys_select_case *cases, size_t count,
						     csys_deadline deadline, size_t *out_which);

/**
 * Tell which of several cases can be done at this moment.
 *
 * As csys_select_ready.
 *
 * \param cases      the cases
 * \param count      how many these are
 * \param out_which  the index of one that can be done
 * \retval 0            there is one
 * \retval CSYS_EAGAIN  there is none
 * \retval CSYS_ENOMEM  there are more than 16 cases, and no memory
 * \retval CSYS_EINVAL  there are no cases, or more than 2^24
 */
CSYS_API CSYS_MUST_CHECK int csys_try_select_ready(const csys_select_case *cases, size_t count,
						   size_t *out_which);

CSYS_END_DECLS

#endif
