/*
 * sync/condvar.c - waiting under a mutex, in a queue.
 *
 * The condvar is the word of a queue of waiters (waitqueue.c), which says when it may be freed.
 * All waiters of a queue have the same mutex.
 *
 * No notification is lost: a record is in the queue before its thread unlocks the
 * mutex, so a thread that changes something under the mutex after that finds it.  A
 * notification takes a record out of the queue and changes its word as one step under the
 * lock, and a waiter gives up under the lock too.  So a notification goes to a thread
 * that has not given up, or to nobody, and a timeout takes none away.
 *
 * A notifier touches a record for the last time when it changes its word: the thread may
 * return then, if it is awake.  But the thread must have the mutex to return, so a notifier that
 * holds the mutex may go on using the record.  The links of records are under the lock while
 * they are in the queue, and under the mutex once they are notified (handoff.h).
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/condvar.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/handoff.h"
#include "sync/spin.h"
#include "sync/waitqueue.h"

/* A waiter that needs a mutex to return. */
struct waiter {
	struct csysi_waiter waiter; /* first: see waiter_of */
	int is_head;                /* of a chain of notified waiters (handoff.h) */
	csys_mutex *mutex;
	struct waiter *other; /* of a head in this thread's list: the next head there */
};

/* The heads of chains that this thread is to let go on, one for each mutex. */
static _Thread_local struct waiter *handoffs;

/* 1 once the list is forgotten in forked children. */
static uint32_t is_forgotten;

static struct waiter *waiter_of(struct csysi_waiter *waiter)
{
	return (struct waiter *)(void *)waiter;
}

/* In a forked child: the waiters do not exist, and their stacks may be used for others. */
static void forget(void)
{
	handoffs = NULL;
}

/* ---- waiters under a mutex ---------------------------------------------------------------- */

static void hand_off(struct waiter *head)
{
	struct waiter *chain = handoffs;

	while (chain && chain->mutex != head->mutex)
		chain = chain->other;
	if (chain) {
		head->is_head = 0;
		csysi_ring_append(&chain->waiter, &head->waiter);
		return;
	}
	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (!csysi_load_relaxed(&is_forgotten) && csysi_os_at_fork(forget) == 0)
		csysi_store_relaxed(&is_forgotten, 1);
	head->other = handoffs;
	handoffs = head;
	csysi_mutex_note_handoff(head->mutex);
}

const uint32_t *csysi_handoff_take(const csys_mutex *mutex)
{
	for (struct waiter **at = &handoffs; *at; at = &(*at)->other) {
		struct waiter *head = *at;
		if (head->mutex != mutex)
			continue;
		*at = head->other;
		return csysi_waitqueue_is_asleep(&head->waiter) ? &head->waiter.word : NULL;
	}
	return NULL;
}

/* This thread was notified and has the mutex: leave the chain, and if this was its head,
 * let the next one follow. */
static void take_over(struct waiter *self)
{
	struct csysi_waiter *next = csysi_ring_remove(&self->waiter);

	if (next && self->is_head) {
		waiter_of(next)->is_head = 1;
		hand_off(waiter_of(next));
	}
}

/* ---- notifying --------------------------------------------------------------------------- */

static void notify(csys_condvar *condvar, int is_all)
{
	csysi_spin_note(&condvar->queue);
	struct csysi_queue_lock *lock = csysi_waitqueue_lock(&condvar->queue);
	struct csysi_waiter *first = is_all ? csysi_waitqueue_take_all(&condvar->queue)
					    : csysi_waitqueue_take_one(&condvar->queue);
	if (!first) {
		csysi_waitqueue_unlock(lock);
		return;
	}
	struct waiter *head = waiter_of(first);
	csys_mutex *mutex = head->mutex;
	const uint32_t *address = &first->word;
	head->is_head = 1;
	int is_asleep = csysi_waitqueue_notify(first);
	csysi_waitqueue_unlock(lock);
	/* A thread that is awake gets the mutex by itself, and lets the others follow. */
	if (!is_asleep)
		return;
	if (csysi_holds(mutex, CSYSI_HELD_MUTEX))
		hand_off(head);
	else
		csysi_os_wake(address, 1, 0);
}

void csys_condvar_notify_one(csys_condvar *condvar)
{
	if (csysi_waitqueue_has_waiters(&condvar->queue))
		notify(condvar, 0);
}

void csys_condvar_notify_all(csys_condvar *condvar)
{
	if (csysi_waitqueue_has_waiters(&condvar->queue))
		notify(condvar, 1);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Enqueue it, unless others wait with another mutex.  Returns the mutex that the queue has. */
static const csys_mutex *enqueue(csys_condvar *condvar, struct waiter *self)
{
	struct csysi_queue_lock *lock = csysi_waitqueue_lock(&condvar->queue);
	struct csysi_waiter *first = csysi_waitqueue_first(&condvar->queue);
	const csys_mutex *mutex = first ? waiter_of(first)->mutex : self->mutex;

	if (mutex == self->mutex)
		csysi_waitqueue_enqueue(&condvar->queue, &self->waiter);
	csysi_waitqueue_unlock(lock);
	return mutex;
}

int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex, csys_deadline deadline)
{
	struct waiter self = { .mutex = mutex };
	const csys_mutex *theirs = enqueue(condvar, &self);

	/* A checked build says where.  Every build aborts: a chain of waiters belongs to one mutex,
	 * and a notifier that holds one of the two could not pass on the waiters of the other. */
	csysi_checked_waits(condvar, mutex, theirs, deadline);
	if (theirs != mutex)
		csysi_os_abort("a condvar with two mutexes at once");
	csysi_tsan_release(&mutex->word); /* unlock is inline, and compiled here */
	csys_mutex_unlock(mutex);
	int r = csysi_waitqueue_sleep(&condvar->queue, &self.waiter, deadline);
	/* A thread that has notified without saying that it holds the mutex may hold it. */
	int locked = csysi_mutex_relock(mutex, !csysi_spin_is_near(&condvar->queue));
	if (r == 0)
		take_over(&self);
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
