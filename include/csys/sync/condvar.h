/*
 * csys/sync/condvar.h - waiting under a mutex until something has changed.
 *
 *     csys_mutex_lock(&lock);
 *     while (!is_ready)
 *             csys_condvar_wait(&changed, &lock);
 *     ...
 *     csys_mutex_unlock(&lock);
 *
 *     csys_mutex_lock(&lock);
 *     is_ready = 1;
 *     csys_condvar_notify_one(&changed);
 *     csys_mutex_unlock(&lock);
 *
 * A condvar is as large as a pointer, all zero when no thread waits, and needs no
 * destruction.  Notifying when no thread waits costs one load.
 *
 * Waiters are queued.  notify_one wakes the thread that has waited longest, and no
 * other.  notify_all lets all of them go on, but wakes them one after the other, each when
 * the one before has unlocked the mutex, since only one can hold it.  A notification
 * by a thread that holds the mutex wakes no thread before the mutex is unlocked.
 * A wait does not end without a cause, but other threads may undo what was notified
 * before the waiter has the mutex again: so wait in a loop.
 *
 * All threads that wait at the same time use the same mutex; a wait with another one
 * aborts with a line on stderr.  Once no thread waits it may be another: a thread that was
 * notified does not wait any more, even if it has not locked its mutex again.
 *
 * It may be freed when no thread waits and none will: right after a notify_all, for
 * example, while the notified threads and those whose deadline has just passed are
 * still on their way.  They do not touch it any more; they need the mutex.
 *
 * Waiters spin where that helps, on average for 5 us at most, then sleep.
 *
 * Threads: that is what it is for.  Signals: not in handlers.  Fork: no thread of the
 * parent waits in the child, but a condvar at which some waited looks as if they
 * still did: make it anew there.
 */
#ifndef CSYS_SYNC_CONDVAR_H
#define CSYS_SYNC_CONDVAR_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/mutex.h>

CSYS_BEGIN_DECLS

typedef struct csys_condvar {
	uintptr_t queue; /* private: src/sync/condvar.c */
} csys_condvar;

/* A condvar at which no thread waits; the same as zeroed memory. */
#define CSYS_CONDVAR_INIT \
	{                 \
		0         \
	}

/*
 * Unlock the mutex, which the caller holds, and sleep until notified, as one
 * step: a notification after the unlocking is not missed.  The mutex is locked
 * again on return.  Returns 0, or CSYS_POISONED if the mutex is poisoned by then.
 */
CSYS_API int csys_condvar_wait(csys_condvar *condvar, csys_mutex *mutex) CSYS_REQUIRES(*mutex);

/*
 * Unlock the mutex, sleep until notified or until `deadline`, and lock it again.
 * Returns 0 or CSYS_POISONED, as csys_condvar_wait does, if the thread was notified, and
 * CSYS_ETIMEDOUT if it was not.  A notification is never lost to a thread that gives
 * up: one that comes before the deadline is not reported as CSYS_ETIMEDOUT, whenever the
 * thread runs again.
 *
 * The mutex is locked on every return.  The deadline does not limit that: the call
 * returns later if another thread holds the mutex.  After CSYS_ETIMEDOUT too the mutex may
 * be poisoned (csys_mutex_is_poisoned), and what the caller waits for may have come.
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex,
						     csys_deadline deadline) CSYS_REQUIRES(*mutex);

/* Tells whether to wait on: not 0.  It is called with the mutex locked. */
typedef int csys_condvar_predicate(void *argument);

/*
 * Wait as long as `predicate(argument)` is not 0; not at all if it is 0 at once.
 * Returns 0, or CSYS_POISONED if the mutex is poisoned at the end, in each case with the mutex
 * locked and after the predicate was 0.  It goes on waiting if the mutex gets poisoned.
 */
CSYS_API int csys_condvar_wait_while(csys_condvar *condvar, csys_mutex *mutex,
				     csys_condvar_predicate *predicate, void *argument)
	CSYS_REQUIRES(*mutex);

/*
 * Wait as long as `predicate(argument)` is not 0, until `deadline` at most.  The mutex is
 * locked on every return.  Returns 0, or CSYS_POISONED if the mutex is poisoned, after the
 * predicate was 0.  After the deadline the predicate is called once more: CSYS_ETIMEDOUT
 * only if it is not 0 even then.  A past deadline still calls it twice at most, and
 * unlocks the mutex in between.
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_while_until(csys_condvar *condvar, csys_mutex *mutex,
							   csys_condvar_predicate *predicate,
							   void *argument, csys_deadline deadline)
	CSYS_REQUIRES(*mutex);

/*
 * Let the thread that has waited longest go on.  If no thread waits nothing happens, and nothing
 * is kept for those that come later.
 */
CSYS_API void csys_condvar_notify_one(csys_condvar *condvar);

/* Let all threads that wait at this moment go on. */
CSYS_API void csys_condvar_notify_all(csys_condvar *condvar);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
#define csys_condvar_wait(condvar, mutex) csys_condvar_wait(condvar, CSYSI_MUTEX_HERE(mutex))
#define csys_condvar_wait_until(condvar, mutex, deadline) \
	csys_condvar_wait_until(condvar, CSYSI_MUTEX_HERE(mutex), deadline)
#define csys_condvar_wait_while(condvar, mutex, predicate, argument) \
	csys_condvar_wait_while(condvar, CSYSI_MUTEX_HERE(mutex), predicate, argument)
#define csys_condvar_wait_while_until(condvar, mutex, predicate, argument, deadline)         \
	csys_condvar_wait_while_until(condvar, CSYSI_MUTEX_HERE(mutex), predicate, argument, \
				      deadline)
#endif

CSYS_END_DECLS

#endif
