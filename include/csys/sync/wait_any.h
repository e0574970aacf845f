/**
 * \file
 * csys/sync/wait_any.h - one wait for the first of several things.
 *
 *     const csys_wait_item items[] = {
 *             csys_wait_for_event(&must_stop),
 *             csys_wait_for_semaphore(&jobs),
 *             csys_wait_for_thread(helper),
 *     };
 *     size_t which;
 *     int r = csys_wait_any_until(items, 3, csys_after_ms(500), &which);
 *     if (r == 0 && which == 1)
 *             do_job(); // one unit of `jobs` was taken
 *
 * Waits for latches, events, semaphores, threads, onces, ends of channels and the program's own
 * predicates, in any mixture and any number, as nsync's wait_n does; the same thing may stand there
 * twice.  The answer is the first item, in the order of the array, that is found ready.  What lets
 * one thread through only (a semaphore, an automatic event) is taken for the answer, and for no
 * other item.
 *
 * No wake is lost, and none is kept from others: a thread that was let through by one item and
 * returns with another one passes that on to another thread that waits, or leaves it there.  (So
 * an automatic event may be set again that was reset meanwhile.)  What was done before an item
 * became ready is seen by the thread that returns with it.
 *
 * Objects that no thread waits for in this way pay nothing for it.  Up to 16 items need no memory;
 * more are allocated if it comes to waiting, and for a channel once some bytes.  Waiters spin where
 * that helps, on average for 5 us at most, then sleep.  All items must live until the call returns.
 *
 * A predicate is a function that the waiting thread calls, any number of times, to ask whether to
 * go on.  A thread that changes what it looks at calls csys_wait_any_notify afterwards, with the
 * address that the item names: of what was changed, for example.
 *
 *     csys_atomic_store(&is_ready, 1, CSYS_RELEASE);
 *     csys_wait_any_notify(&is_ready);
 *
 * Threads: any number may wait at once.  Signals: a handler must not wait.  It may do what makes an
 * item ready, where the header of that allows it, and csys_wait_any_notify (on Linux).  Fork: no
 * thread of the parent waits in the child.  Cancellation: no call here is ended by it.
 */
#ifndef CSYS_SYNC_WAIT_ANY_H
#define CSYS_SYNC_WAIT_ANY_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>
#include <csys/sync/event.h>
#include <csys/sync/latch.h>
#include <csys/sync/once.h>
#include <csys/sync/semaphore.h>
#include <csys/sync/thread.h>

CSYS_BEGIN_DECLS

/**
 * Tell whether to go on: not 0.
 *
 * It is called by the thread that waits, with no lock of csys held, and may lock.  If it panics,
 * throws an exception, or ends the thread, the wait is over and has taken nothing.
 */
typedef int csys_wait_predicate(void *argument);

/** One thing to wait for; made by the functions below.  All zero stands for nothing. */
typedef struct csys_wait_item {
	int kind;                       /**< private, as is all of it: src/sync/wait_any.c */
	int reserved;                   /**< private */
	void *object;                   /**< private */
	csys_wait_predicate *predicate; /**< private */
	void *argument;                 /**< private */
} csys_wait_item;

/**
 * An item that is ready when the event is set, or when it is this thread's turn.
 *
 * As the answer it unsets an automatic event.
 *
 * \param event  the event
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_event(csys_event *event);

/**
 * An item that is ready when the latch is open.
 *
 * \param latch  the latch
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_latch(csys_latch *latch);

/**
 * An item that is ready when the once is done, or poisoned.
 *
 * Which of them, the caller asks: csys_once_is_completed.
 *
 * \param once  the once
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_once(csys_once *once);

/**
 * An item that is ready when one can be taken from the semaphore.
 *
 * As the answer it has taken one.
 *
 * \param semaphore  the semaphore
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_semaphore(csys_semaphore *semaphore);

/**
 * An item that is ready when the thread has ended, so that a join is short.
 *
 * The caller holds a reference, before and afterwards.  A wait for the calling thread itself fails
 * with CSYS_EDEADLK, and for one that does not exist in this forked child with CSYS_ESRCH.
 *
 * \param thread  the thread
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_thread(csys_thread *thread);

/**
 * An item that is ready when a receive would not wait: there is a message, or no sender is left.
 *
 * As the answer it has received nothing.  All threads that wait for it are let go on, and another
 * one may be quicker: receive by csys_receiver_try_recv.  With capacity 0 it is ready while a
 * sender waits; two sides that both only wait here never meet.  A timer (csys/sync/timer_channel.h)
 * is ready when its message is due.
 *
 * \param receiver  the end
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_receiver(csys_receiver *receiver);

/**
 * An item that is ready when a send would not wait: there is room, or no receiver is left.
 *
 * As the answer it has sent nothing.  All threads that wait for it are let go on, and another one
 * may be quicker: send by csys_sender_try_send.  With capacity 0 it is ready while a receiver
 * waits; two sides that both only wait here never meet.
 *
 * \param sender  the end
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_sender(csys_sender *sender);

/**
 * An item that is ready when predicate(argument) is not 0.
 *
 * \param predicate  the function, called by the thread that waits
 * \param argument   of `predicate`
 * \param address    what csys_wait_any_notify is called with; any address, only compared
 * \return the item
 */
CSYS_API csys_wait_item csys_wait_for_predicate(csys_wait_predicate *predicate, void *argument,
						const void *address);

/**
 * Wait for the first of several items.
 *
 * \param items      the items, looked at in this order
 * \param count      how many these are
 * \param out_which  the index of the one that was ready, and was taken; untouched on failure
 * \retval 0             it is in *out_which
 * \retval CSYS_EINVAL   there are no items, or one of them stands for nothing
 * \retval CSYS_ENOMEM   there are more than 16 items, or an end of a channel, and no memory
 * \retval CSYS_EDEADLK  an item is the calling thread
 * \retval CSYS_ESRCH    an item is a thread that does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_any(const csys_wait_item *items, size_t count,
					   size_t *out_which);

/**
 * Wait for the first of several items, or until `deadline`.
 *
 * \param items      the items, looked at in this order
 * \param count      how many these are
 * \param deadline   when to give up; what is ready is found also when that has passed
 * \param out_which  the index of the one that was ready, and was taken; untouched on failure
 * \retval 0               it is in *out_which
 * \retval CSYS_ETIMEDOUT  none was ready by then, and nothing was taken
 * \retval CSYS_EINVAL     there are no items, or one of them stands for nothing
 * \retval CSYS_ENOMEM     there are more than 16 items, or an end of a channel, and no memory
 * \retval CSYS_EDEADLK    an item is the calling thread
 * \retval CSYS_ESRCH      an item is a thread that does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_any_until(const csys_wait_item *items, size_t count,
						 csys_deadline deadline, size_t *out_which);

/**
 * Take the first of several items that is ready, without waiting.
 *
 * \param items      the items, looked at in this order
 * \param count      how many these are
 * \param out_which  the index of the one that was ready, and was taken; untouched on failure
 * \retval 0             it is in *out_which
 * \retval CSYS_EAGAIN   none is ready
 * \retval CSYS_EINVAL   there are no items, or one of them stands for nothing
 * \retval CSYS_EDEADLK  an item is the calling thread
 * \retval CSYS_ESRCH    an item is a thread that does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_try_wait_any(const csys_wait_item *items, size_t count,
					       size_t *out_which);

/**
 * Let threads look again that wait for a predicate with this address.
 *
 * For a program that has changed what the predicate looks at: a thread that began to wait before
 * is woken, and one that begins later sees the change.  Costs one atomic operation if no thread
 * waits.
 *
 * \param address  the one of csys_wait_for_predicate
 */
CSYS_API void csys_wait_any_notify(const void *address);

CSYS_END_DECLS

#endif
