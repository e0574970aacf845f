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
 * A condvar is as large as a pointer, all zero when nobody waits, needs no
 * destruction, and may be freed as soon as nobody waits.  Notifying when nobody
 * waits costs one look.
 *
 * Waiters are queued: notify_one wakes the one who has waited longest, and no
 * other; notify_all lets all go on, but wakes one at a time, each when the one
 * before it has unlocked the mutex, so that they do not all run to stand before it.  A
 * notification under the mutex wakes nobody before the mutex is unlocked.
 * A wait does not end without a cause, but what was notified may be undone by
 * others before the waiter has the mutex again: so wait in a loop.
 *
 * All who wait at the same time use the same mutex; afterwards it may be another.
 * Waiters spin where that helps, on average for 5 us at most, then sleep.
 *
 * Threads: that is what it is for.  Signals: not in handlers.  Fork: in the child
 * nobody waits, but a queue of waiters is still there: make a new one.
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

/* Nobody waits; the same as zeroed memory. */
#define CSYS_CONDVAR_INIT \
	{                 \
		0         \
	}

/*
 * Unlock the mutex, which the caller holds, and sleep until notified, as one
 * step: a notification after the unlocking is not missed.  The mutex is locked
 * again on return: 0, or CSYS_POISONED if it is poisoned by then.
 */
CSYS_API int csys_condvar_wait(csys_condvar *condvar, csys_mutex *mutex) CSYS_REQUIRES(*mutex);

/*
 * The same until `deadline`: CSYS_ETIMEDOUT then.  The mutex is locked on every
 * return, and may be poisoned on this one too (csys_mutex_is_poisoned).  A
 * notification that came before the deadline is never lost: 0.
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex,
						     csys_deadline deadline) CSYS_REQUIRES(*mutex);

/* Whether to wait on; called with the mutex locked. */
typedef int csys_condvar_predicate(void *argument);

/*
 * Wait as long as `predicate(argument)` is not 0; not at all if it is 0 at once.
 * As csys_condvar_wait, also if the mutex gets poisoned: the predicate counts.
 */
CSYS_API int csys_condvar_wait_while(csys_condvar *condvar, csys_mutex *mutex,
				     csys_condvar_predicate *predicate, void *argument)
	CSYS_REQUIRES(*mutex);

/*
 * The same until `deadline`.  The predicate is looked at before the clock: 0 or
 * CSYS_POISONED if it is 0, also when the deadline has passed; CSYS_ETIMEDOUT only if it
 * is still not.
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_while_until(csys_condvar *condvar, csys_mutex *mutex,
							   csys_condvar_predicate *predicate,
							   void *argument, csys_deadline deadline)
	CSYS_REQUIRES(*mutex);

/* Let the one who has waited longest go on.  Nothing is kept if nobody waits. */
CSYS_API void csys_condvar_notify_one(csys_condvar *condvar);

/* Let all who wait now go on. */
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
