/*
 * sync/condvar_rwlock.c - waiting at a condvar while a rwlock is held.
 *
 * The queue, and why no notification is lost, are those of condvar.c: a waiter is enqueued before
 * its thread unlocks the rwlock.
 *
 * Several threads can hold a rwlock, so waiters cannot follow its unlocking in a chain that one
 * thread has (handoff.h).  They are all let go at once.  But the notifier wakes only the first:
 * each waiter that was notified wakes up to two others, before it locks, so the last one of n is
 * reached after log n wakes, and the notifier does no more for many than for one.
 *
 * Invariant: which words a waiter is to wake is written before it is notified, under the lock of
 * the queue, and read after.  Each waiter that was notified returns from its sleep, or never slept;
 * so all are reached.  The record of another waiter may be gone when its word is woken, which
 * takes the address alone.
 */
#include <csys/base/result.h>
#include <csys/sync/condvar.h>
#include <csys/sync/rwlock.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/condvar.h"
#include "sync/waitqueue.h"

static void wake_others(const struct csysi_mutex_waiter *self)
{
	for (int i = 0; i < 2; i++)
		if (self->wakes[i])
			csysi_os_wake(self->wakes[i], 1, 0);
}

/* How a rwlock is held: how it is let go, and got back. */
struct hold {
	void (*unlock)(csys_rwlock *lock);
	int (*lock_until)(csys_rwlock *lock, csys_deadline deadline);
};

static const struct hold reading = { csys_rwlock_unlock_read, csys_rwlock_read_until };
static const struct hold writing = { csys_rwlock_unlock_write, csys_rwlock_write_until };

static int wait_until(csys_condvar *condvar, csys_rwlock *lock, const struct hold *hold,
		      csys_deadline deadline)
{
	struct csysi_mutex_waiter self = { .lock = lock };

	csysi_condvar_enqueue(condvar, &self, deadline);
	csysi_tsan_release(&lock->word); /* unlock is inline, and compiled here */
	hold->unlock(lock);
	int r = csysi_waitqueue_sleep(&condvar->queue, &self.waiter, deadline);
	if (r == 0)
		wake_others(&self);
	int locked = hold->lock_until(lock, CSYS_FOREVER);
	return r < 0 ? r : locked;
}

static int wait_while_until(csys_condvar *condvar, csys_rwlock *lock, const struct hold *hold,
			    csys_condvar_predicate *predicate, void *argument,
			    csys_deadline deadline)
{
	int r = 0;

	while (predicate(argument)) {
		if (r == CSYS_ETIMEDOUT)
			return r;
		r = wait_until(condvar, lock, hold, deadline);
	}
	return csys_rwlock_is_poisoned(lock) ? CSYS_POISONED : 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

int csys_condvar_wait_read_until(csys_condvar *condvar, csys_rwlock *lock, csys_deadline deadline)
{
	return wait_until(condvar, lock, &reading, deadline);
}

int csys_condvar_wait_read(csys_condvar *condvar, csys_rwlock *lock)
{
	return wait_until(condvar, lock, &reading, CSYS_FOREVER);
}

int csys_condvar_wait_read_while_until(csys_condvar *condvar, csys_rwlock *lock,
				       csys_condvar_predicate *predicate, void *argument,
				       csys_deadline deadline)
{
	return wait_while_until(condvar, lock, &reading, predicate, argument, deadline);
}

int csys_condvar_wait_read_while(csys_condvar *condvar, csys_rwlock *lock,
				 csys_condvar_predicate *predicate, void *argument)
{
	return wait_while_until(condvar, lock, &reading, predicate, argument, CSYS_FOREVER);
}

/* ---- writing ---------------------------------------------------------------------------- */

int csys_condvar_wait_write_until(csys_condvar *condvar, csys_rwlock *lock, csys_deadline deadline)
{
	return wait_until(condvar, lock, &writing, deadline);
}

int csys_condvar_wait_write(csys_condvar *condvar, csys_rwlock *lock)
{
	return wait_until(condvar, lock, &writing, CSYS_FOREVER);
}

int csys_condvar_wait_write_while_until(csys_condvar *condvar, csys_rwlock *lock,
					csys_condvar_predicate *predicate, void *argument,
					csys_deadline deadline)
{
	return wait_while_until(condvar, lock, &writing, predicate, argument, deadline);
}

int csys_condvar_wait_write_while(csys_condvar *condvar, csys_rwlock *lock,
				  csys_condvar_predicate *predicate, void *argument)
{
	return wait_while_until(condvar, lock, &writing, predicate, argument, CSYS_FOREVER);
}
