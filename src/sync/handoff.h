/*
 * sync/handoff.h - waiters of a condvar that go on when a mutex is unlocked.
 *
 * A thread that notifies while it holds the mutex does not wake the waiters: they
 * would run only to sleep again, at the mutex.  It keeps them in a list of its own and
 * makes the mutex HANDOFF_DUE, so that its unlocking takes the slow path and comes here.
 * Then the first of them, the head of the chain, is woken.  When it has the mutex it puts the
 * rest of the chain into its own list in turn.  So each thread of a chain is woken by the
 * unlocking of the one before.
 *
 * The mutex itself is not handed over: it becomes free, and any thread may take it before the
 * woken waiter does.  (For the handing over to a starving thread see mutex.c.)
 *
 * A chain is a ring, so that adding one to another, and leaving one, take the same time
 * however long they are.
 *
 * Invariant: a notified waiter cannot return without the mutex, so its record and its
 * links may be used by the thread that holds the mutex, and by no other.
 */
#ifndef CSYSI_SYNC_HANDOFF_H
#define CSYSI_SYNC_HANDOFF_H

#include <csys/sync/mutex.h>

#include "sync/waitqueue.h"

/* A waiter of a condvar, which needs a lock to return.  All zero at first but for `lock`, and for
 * `mutex` if that is one. */
struct csysi_mutex_waiter {
	struct csysi_waiter waiter; /* first: see csysi_mutex_waiter_of */
	int is_head;                /* of a chain */
	const void *lock;
	csys_mutex *mutex;                /* NULL: the lock is a rwlock, and there is no chain */
	struct csysi_mutex_waiter *other; /* of a head in a thread's list: the next head there */
	const uint32_t *wakes[2];         /* with a rwlock: condvar_rwlock.c */
};

static inline struct csysi_mutex_waiter *csysi_mutex_waiter_of(struct csysi_waiter *waiter)
{
	return (struct csysi_mutex_waiter *)(void *)waiter;
}

/* Let the chain of `head` follow this thread's unlocking of their mutex, which it holds. */
void csysi_handoff_add(struct csysi_mutex_waiter *head);

/* Take the chain of this mutex out of this thread's list.  Returns the word to wake once the mutex
 * is unlocked, or NULL. */
const uint32_t *csysi_handoff_take(const csys_mutex *mutex);

/* This thread was notified and has the mutex: leave the chain, and if this was its head, let the
 * next waiter follow. */
void csysi_handoff_take_over(struct csysi_mutex_waiter *self);

/* Make the mutex, which this thread holds, HANDOFF_DUE, unless its unlocking is slow already. */
void csysi_mutex_note_handoff(csys_mutex *mutex);

/* Lock it as csys_mutex_lock does.  `spins` is 0 if its holder cannot run before this thread
 * sleeps. */
int csysi_mutex_relock(csys_mutex *mutex, int spins);

#endif
