/*
 * sync/passing.h - waiters of a condvar that go on when a mutex is unlocked.
 *
 * A thread that notifies while it holds the mutex does not wake the waiters: they
 * would run only to sleep again, at the mutex.  It keeps them in a list of its own and
 * makes the mutex PASSING, so that its unlocking takes the slow path and comes here.
 * Then the first of them, the head of the chain, is woken.  When it has the mutex it puts the
 * rest of the chain into its own list in turn.  So each thread of a chain is woken by the
 * unlocking of the one before.
 *
 * A chain is a ring, so that adding one to another, and leaving one, take the same time
 * however long they are.
 *
 * Invariant: a notified waiter cannot return without the mutex, so its record and its
 * links may be used by the thread that holds the mutex, and by no other.
 */
#ifndef CSYSI_SYNC_PASSING_H
#define CSYSI_SYNC_PASSING_H

#include <csys/sync/mutex.h>

/* Take the chain of this mutex out of this thread's list.  Returns the word to wake once the mutex
 * is unlocked, or NULL. */
const uint32_t *csysi_passing_take(const csys_mutex *mutex);

/* Make the mutex, which this thread holds, PASSING, unless its unlocking is slow already. */
void csysi_mutex_pass(csys_mutex *mutex);

/* Lock it as csys_mutex_lock does.  `spins` is 0 if its holder cannot run before this thread
 * sleeps. */
int csysi_mutex_relock(csys_mutex *mutex, int spins);

#endif
