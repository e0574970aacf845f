/*
 * sync/condvar.c - a queue of waiters.
 *
 * Each waiter is a record on its thread's stack, with a word of its own to sleep
 * on.  The condvar is a pointer to the first of the queue; its lowest bit is the
 * queue's lock, held for a few instructions only.
 *
 *            notified                  WAITING:  awake, not notified
 *   WAITING ----------> NOTIFIED       SLEEPING: asleep, or about to be
 *      |                               NOTIFIED: may go on; it is awake
 *      | sleeps         notified       CALLED:   may go on; to be woken
 *      +---> SLEEPING -----------> CALLED
 *
 * No notification is lost: a waiter is in the queue before it unlocks the mutex,
 * so whoever changes something under the mutex after that finds it.  Who takes a
 * waiter out of the queue changes its word; a waiter that gives up looks whether
 * it is still in the queue, under the queue's lock: if not, it was notified, and
 * does not leave before its word says so.  So a notification goes to one who
 * was waiting, or to nobody, and a timeout takes none away.
 *
 * The word is the last thing of a waiter that a notifier touches without the
 * mutex, and the condvar is not touched after the queue is unlocked: so both may
 * be gone right after.  Links: under the queue's lock while it is in the queue,
 * under the mutex once notified (passing.h).
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/condvar.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/passing.h"
#include "sync/spin.h"

enum { WAITING, SLEEPING, NOTIFIED, CALLED };

struct waiter {
	uint32_t word;
	int is_queued;
	csys_mutex *mutex;
	struct waiter *previous; /* in the queue a ring: the first one's is the last */
	struct waiter *next;     /* NULL: the last */
	struct waiter *other;    /* of the first in a chain: the next chain of this thread */
};

/* ---- the queue ----------------------------------------------------------------------- */

#define LOCKED ((uintptr_t)1)

/* Tries before the one who is waited for is given the CPU, and before that takes some time. */
#define TRIES 100
#define YIELDS 100

/* Between two looks at what takes another thread a few instructions. */
static void let_on(int tries)
{
	if (tries < TRIES)
		csys_spin_hint();
	else if (tries < TRIES + YIELDS)
		csysi_os_yield();
	else
		csysi_os_nap(csys_after_us(50)); /* perhaps it has a lower priority */
}

static struct waiter *lock_queue(csys_condvar *condvar)
{
	for (int tries = 0;; tries++) {
		uintptr_t queue = csysi_load_relaxed(&condvar->queue);
		/* Acquire pairs with the release of unlock_queue. */
		if (!(queue & LOCKED) && csysi_cas_acquire(&condvar->queue, &queue, queue | LOCKED))
			return (struct waiter *)queue;
		let_on(tries);
	}
}

static void unlock_queue(csys_condvar *condvar, struct waiter *first)
{
	/* Release pairs with the acquire of lock_queue. */
	csysi_store_release(&condvar->queue, (uintptr_t)first);
}

/* The mutex that those use who wait already, or its own. */
static csys_mutex *enqueue(csys_condvar *condvar, struct waiter *self)
{
	struct waiter *first = lock_queue(condvar);

	self->is_queued = 1;
	self->next = NULL;
	if (first) {
		self->previous = first->previous;
		self->previous->next = self;
		first->previous = self;
	} else {
		self->previous = self;
		first = self;
	}
	csys_mutex *mutex = first->mutex;
	unlock_queue(condvar, first);
	return mutex;
}

/* The queue without its `waiter`. */
static struct waiter *without(struct waiter *first, struct waiter *waiter)
{
	waiter->is_queued = 0;
	if (waiter == first) {
		first = waiter->next;
		if (first)
			first->previous = waiter->previous;
	} else {
		waiter->previous->next = waiter->next;
		if (waiter->next)
			waiter->next->previous = waiter->previous;
		else
			first->previous = waiter->previous;
	}
	return first;
}

/* Leave the queue.  0: somebody has taken this one out to notify it. */
static int dequeue(csys_condvar *condvar, struct waiter *self)
{
	struct waiter *first = lock_queue(condvar);
	int was_queued = self->is_queued;

	if (was_queued)
		first = without(first, self);
	unlock_queue(condvar, first);
	return was_queued;
}

/* ---- waiters under a mutex ---------------------------------------------------------------- */

/* The first of each chain; chains of different mutexes, or of one. */
static _Thread_local struct waiter *passing;

static void pass(struct waiter *first)
{
	struct waiter **last = &passing;
	while (*last)
		last = &(*last)->other;
	*last = first;
	first->other = NULL;
	csysi_mutex_pass(first->mutex);
}

const uint32_t *csysi_passing_take(const csys_mutex *mutex)
{
	struct waiter *first = NULL;
	struct waiter *last = NULL;

	for (struct waiter **at = &passing; *at;) {
		struct waiter *chain = *at;
		if (chain->mutex != mutex) {
			at = &chain->other;
			continue;
		}
		*at = chain->other;
		if (last) {
			last->next = chain;
			chain->previous = last;
		} else {
			first = chain;
		}
		for (last = chain; last->next;)
			last = last->next;
	}
	/* Relaxed: it was changed before the mutex was last released, or by this thread. */
	return first && csysi_load_relaxed(&first->word) == CALLED ? &first->word : NULL;
}

/* This thread was notified and has the mutex: let those behind it follow, and be out of their
 * chain. */
static void take_over(struct waiter *self)
{
	if (self->previous) {
		self->previous->next = self->next;
		if (self->next)
			self->next->previous = self->previous;
	} else if (self->next) {
		self->next->previous = NULL;
		pass(self->next);
	}
}

/* ---- notifying --------------------------------------------------------------------------- */

/* Let it go on.  1: it is asleep, and to be woken.  It may be gone then, but for the mutex. */
static int mark(struct waiter *waiter)
{
	uint32_t word = WAITING;

	/* Release pairs with the acquires in sleep_until: with the word it sees its links. */
	if (csysi_cas_release(&waiter->word, &word, NOTIFIED))
		return 0;
	csysi_store_release(&waiter->word, CALLED);
	return 1;
}

/* Let a chain go on, whose first one has no previous. */
static void notify(struct waiter *first)
{
	csys_mutex *mutex = first->mutex;
	const uint32_t *address = &first->word;
	int is_held = csysi_holds(mutex, CSYSI_HELD_MUTEX);
	struct waiter *last = first;

	while (last->next)
		last = last->next;
	/* From the last to the first: one that is marked may get the mutex and change the links
	 * to its neighbours, but the link to the one before it was read by then. */
	for (struct waiter *waiter = last; waiter != first;) {
		struct waiter *previous = waiter->previous;
		mark(waiter);
		waiter = previous;
	}
	/* One that is awake gets the mutex by itself, and lets the others follow. */
	int is_asleep = mark(first);
	if (is_asleep && is_held)
		pass(first);
	else if (is_asleep)
		csysi_os_wake(address, 1, 0);
}

void csys_condvar_notify_one(csys_condvar *condvar)
{
	/* Relaxed: who queued itself before the caller locked the mutex is seen by way of that. */
	if (csysi_load_relaxed(&condvar->queue) == 0)
		return;

	csysi_spin_note(condvar);
	struct waiter *first = lock_queue(condvar);
	unlock_queue(condvar, first ? without(first, first) : NULL);
	if (first) {
		first->previous = NULL;
		first->next = NULL;
		notify(first);
	}
}

void csys_condvar_notify_all(csys_condvar *condvar)
{
	/* As in notify_one. */
	if (csysi_load_relaxed(&condvar->queue) == 0)
		return;

	csysi_spin_note(condvar);
	struct waiter *first = lock_queue(condvar);
	for (struct waiter *waiter = first; waiter; waiter = waiter->next)
		waiter->is_queued = 0;
	unlock_queue(condvar, NULL);
	if (first) {
		first->previous = NULL;
		notify(first);
	}
}

/* ---- waiting ------------------------------------------------------------------------------- */

static int is_notified(uint32_t word)
{
	return word == NOTIFIED || word == CALLED;
}

/* It was taken out of the queue, so this is short. */
static void await_mark(struct waiter *self)
{
	/* Acquire pairs with the release of mark. */
	for (int tries = 0; !is_notified(csysi_load_acquire(&self->word)); tries++)
		let_on(tries);
}

/* Until notified: 0; or not by the deadline: CSYS_ETIMEDOUT, and out of the queue. */
static int sleep_until(csys_condvar *condvar, struct waiter *self, csys_deadline deadline)
{
	uint32_t word = WAITING;

	/* Acquire pairs with the release of mark, here and below. */
	for (struct csysi_spin spin = csysi_spin_begin(condvar, deadline);
	     csysi_spin_goes_on(&spin, word != WAITING);)
		word = csysi_load_acquire(&self->word);
	/* Relaxed: it tells nothing.  If it fails it was marked, and the next load says so. */
	if (word == WAITING && csysi_cas_relaxed(&self->word, &word, SLEEPING))
		word = SLEEPING;
	else
		word = csysi_load_acquire(&self->word);
	while (!is_notified(word)) {
		int r = csysi_os_wait(&self->word, SLEEPING, deadline, 0);
		word = csysi_load_acquire(&self->word);
		if (is_notified(word) || r != CSYS_ETIMEDOUT)
			continue;
		if (dequeue(condvar, self))
			return CSYS_ETIMEDOUT;
		await_mark(self);
		return 0;
	}
	return 0;
}

int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex, csys_deadline deadline)
{
	struct waiter self = { .word = WAITING, .mutex = mutex };

	csysi_checked_waits(condvar, mutex, enqueue(condvar, &self), deadline);
	csysi_tsan_release(&mutex->word); /* unlock is inline, and compiled here */
	csys_mutex_unlock(mutex);
	int r = sleep_until(condvar, &self, deadline);
	/* Who notified without saying that it holds the mutex may hold it all the same. */
	int locked = csysi_mutex_relock(mutex, !csysi_spin_is_near(condvar));
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
