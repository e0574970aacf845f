/*
 * sync/condvar.c - waiting under a mutex, in a queue.
 *
 * The condvar is the word of a queue of waiters (waitqueue.c), which says when it may be freed.
 * All waiters of a queue have the same mutex, or the same rwlock (condvar_rwlock.c).
 *
 * No notification is lost: a record is in the queue before its thread unlocks the
 * mutex, so a thread that changes something under the mutex after that finds it.  A
 * notification takes a record out of the queue and changes its word as one step under the
 * lock, and a waiter gives up under the lock too.  So a notification goes to a thread
 * that has not given up, or to none, and a timeout takes none away.
 *
 * A notifier touches a record for the last time when it changes its word: the thread may
 * return then, if it is awake.  But the thread must have the mutex to return, so a notifier that
 * holds the mutex may go on using the record.  The links of records are under the lock while
 * they are in the queue, and under the mutex once they are notified (handoff.h).
 */
#include <csys/base/result.h>
#include <csys/sync/condvar.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/condvar.h"
#include "sync/handoff.h"
#include "sync/ledger.h"
#include "sync/spin.h"
#include "sync/waitqueue.h"

void csys_condvar_init(csys_condvar *condvar)
{
	/* Relaxed: others hear of the condvar in some other way. */
	csysi_store_relaxed(&condvar->queue, 0);
}

/* ---- notifying --------------------------------------------------------------------------- */

void csysi_condvar_spread(struct csysi_mutex_waiter *first)
{
	struct csysi_waiter *begin = &first->waiter;
	struct csysi_waiter *waker = begin;
	int count = 0;

	/* A heap: the nth wakes those with the numbers 2n + 1 and 2n + 2. */
	for (struct csysi_waiter *waiter = begin->next; waiter != begin; waiter = waiter->next) {
		csysi_mutex_waiter_of(waker)->wakes[count % 2] = &waiter->word;
		if (++count % 2 == 0)
			waker = waker->next;
	}
}

static size_t notify(csys_condvar *condvar, int is_all)
{
	size_t count;

	csysi_spin_note(&condvar->queue);
	struct csysi_queue_lock *lock = csysi_waitqueue_lock(&condvar->queue);
	struct csysi_waiter *first = is_all ? csysi_waitqueue_take_all(&condvar->queue)
					    : csysi_waitqueue_take_one(&condvar->queue);
	if (!first) {
		csysi_waitqueue_unlock(lock);
		return 0;
	}
	struct csysi_mutex_waiter *head = csysi_mutex_waiter_of(first);
	csys_mutex *mutex = head->mutex;
	const uint32_t *address = &first->word;
	head->is_head = 1;
	if (!mutex)
		csysi_condvar_spread(head);
	int is_asleep = csysi_waitqueue_notify(first, &count);
	csysi_waitqueue_unlock(lock);
	/* A thread that is awake gets the mutex by itself, and lets the others follow. */
	if (is_asleep && mutex && csysi_holds(mutex, CSYSI_HELD_MUTEX))
		csysi_handoff_add(head);
	else if (is_asleep)
		csysi_os_wake(address, 1, 0);
	return count;
}

int csysi_condvar_notify_one(csys_condvar *condvar)
{
	return notify(condvar, 0) > 0;
}

size_t csysi_condvar_notify_all(csys_condvar *condvar)
{
	return notify(condvar, 1);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Enqueue it, unless others wait with another lock.  Returns the lock that the queue has. */
static const void *enqueue(csys_condvar *condvar, struct csysi_mutex_waiter *self)
{
	struct csysi_queue_lock *lock = csysi_waitqueue_lock(&condvar->queue);
	struct csysi_waiter *first = csysi_waitqueue_first(&condvar->queue);
	const void *its = first ? csysi_mutex_waiter_of(first)->lock : self->lock;

	if (its == self->lock)
		csysi_waitqueue_enqueue(&condvar->queue, &self->waiter);
	csysi_waitqueue_unlock(lock);
	return its;
}

void csysi_condvar_enqueue(csys_condvar *condvar, struct csysi_mutex_waiter *self,
			   csys_deadline deadline)
{
	const void *theirs = enqueue(condvar, self);

	/* A checked build says where.  Every build aborts: a chain of waiters belongs to one mutex,
	 * and a notifier that holds one of the two could not pass on the waiters of the other. */
	csysi_checked_waits(condvar, CSYSI_WANTS_CONDVAR, self->lock, theirs, deadline);
	if (theirs != self->lock)
		csysi_os_abort("a condvar with two locks at once");
}

int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex, csys_deadline deadline)
{
	struct csysi_mutex_waiter self = { .lock = mutex, .mutex = mutex };

	csysi_condvar_enqueue(condvar, &self, deadline);
	csysi_tsan_release(&mutex->word); /* unlock is inline, and compiled here */
	csys_mutex_unlock(mutex);
	int r = csysi_waitqueue_sleep(&condvar->queue, &self.waiter, deadline);
	/* A thread that has notified without saying that it holds the mutex may hold it. */
	int locked = csysi_mutex_relock(mutex, !csysi_spin_is_near(&condvar->queue));
	if (r == 0)
		csysi_handoff_take_over(&self);
	return r < 0 ? r : locked;
}

int csys_condvar_wait(csys_condvar *condvar, csys_mutex *mutex)
{
	return csys_condvar_wait_until(condvar, mutex, CSYS_FOREVER);
}

int csys_condvar_wait_while_until(csys_condvar *condvar, csys_mutex *mutex,
				  csys_condvar_predicate *predicate, void *argument,
				  csys_deadline deadline)
{
	int r = 0;

	while (predicate(argument)) {
		if (r == CSYS_ETIMEDOUT)
			return r;
		r = csys_condvar_wait_until(condvar, mutex, deadline);
	}
	return csys_mutex_is_poisoned(mutex) ? CSYS_POISONED : 0;
}

int csys_condvar_wait_while(csys_condvar *condvar, csys_mutex *mutex,
			    csys_condvar_predicate *predicate, void *argument)
{
	return csys_condvar_wait_while_until(condvar, mutex, predicate, argument, CSYS_FOREVER);
}
