/**
 * \file
 * csys/sync/condvar.h - waiting under a lock until something has changed.
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
 * The lock may be a rwlock, held for reading or for writing (csys_condvar_wait_read, _write).  Then
 * all threads that are notified are let go at once, in the notification, to lock it as it lets
 * them in.
 *
 * All threads that wait at the same time use the same lock; a wait with another one
 * aborts with a line on stderr.  Once no thread waits it may be another: a thread that was
 * notified does not wait any more, even if it has not locked its lock again.
 *
 * It may be freed when no thread waits and none will begin to, for example right after a
 * notify_all.  The notified threads, and those whose deadline has just passed, may not have
 * returned yet.  They do not touch the condvar any more.  They still need the mutex.
 *
 * Waiters spin where that helps, on average for 5 us at most, then sleep.
 *
 * Threads: any number may use it at once.  Signals: not in handlers.  Fork: no thread of the
 * parent waits in the child, but a condvar at which some waited looks as if they
 * still did: make it anew there.
 */
#ifndef CSYS_SYNC_CONDVAR_H
#define CSYS_SYNC_CONDVAR_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/mutex.h>
#include <csys/sync/rwlock.h>

CSYS_BEGIN_DECLS

/** A condition variable; all zero when no thread waits. */
typedef struct csys_condvar {
	uintptr_t queue; /**< private: src/sync/condvar.c */
} csys_condvar;

/** A condvar at which no thread waits; the same as zeroed memory. */
#define CSYS_CONDVAR_INIT \
	{                 \
		0         \
	}

/**
 * Make a condvar at which no thread waits, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param condvar  the memory
 */
CSYS_API void csys_condvar_init(csys_condvar *condvar);

/* ---- waiting under a mutex ---------------------------------------------------------------- */

/**
 * Unlock the mutex and sleep until notified, as one step; then lock it again.
 *
 * A notification after the unlocking is not missed.
 *
 * \param condvar  the condvar
 * \param mutex    held by the caller, also on return
 * \retval 0              the thread was notified
 * \retval CSYS_POISONED  it was notified, and the mutex is poisoned by now
 */
CSYS_API int csys_condvar_wait(csys_condvar *condvar, csys_mutex *mutex) CSYS_REQUIRES(*mutex);

/**
 * Unlock the mutex, sleep until notified or until `deadline`, and lock it again.
 *
 * A notification is never lost to a thread that gives up: one that comes before the deadline is not
 * reported as CSYS_ETIMEDOUT, whenever the thread runs again.  The mutex is locked on every return;
 * the deadline does not limit that, so the call returns later if another thread holds the
 * mutex.  After CSYS_ETIMEDOUT too the mutex may be poisoned (csys_mutex_is_poisoned), and what the
 * caller waits for may have come.
 *
 * \param condvar   the condvar
 * \param mutex     held by the caller, also on return
 * \param deadline  when to give up
 * \retval 0               the thread was notified
 * \retval CSYS_POISONED   it was notified, and the mutex is poisoned by now
 * \retval CSYS_ETIMEDOUT  it was not notified by then
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex,
						     csys_deadline deadline) CSYS_REQUIRES(*mutex);

/** Tell whether to wait on: not 0.  It is called with the lock held. */
typedef int csys_condvar_predicate(void *argument);

/**
 * Wait as long as `predicate(argument)` is not 0; not at all if it is 0 at once.
 *
 * It goes on waiting if the mutex gets poisoned.
 *
 * \param condvar    the condvar
 * \param mutex      held by the caller, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \retval 0              the predicate was 0
 * \retval CSYS_POISONED  it was 0, and the mutex is poisoned
 */
CSYS_API int csys_condvar_wait_while(csys_condvar *condvar, csys_mutex *mutex,
				     csys_condvar_predicate *predicate, void *argument)
	CSYS_REQUIRES(*mutex);

/**
 * Wait as long as `predicate(argument)` is not 0, until `deadline` at most.
 *
 * After the deadline the predicate is called once more.  A past deadline still calls it twice at
 * most, and unlocks the mutex in between.
 *
 * \param condvar    the condvar
 * \param mutex      held by the caller, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \param deadline   when to give up
 * \retval 0               the predicate was 0
 * \retval CSYS_POISONED   it was 0, and the mutex is poisoned
 * \retval CSYS_ETIMEDOUT  it was not 0 even after the deadline
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_while_until(csys_condvar *condvar, csys_mutex *mutex,
							   csys_condvar_predicate *predicate,
							   void *argument, csys_deadline deadline)
	CSYS_REQUIRES(*mutex);

/* ---- waiting under a rwlock --------------------------------------------------------------- */

/**
 * Unlock a rwlock that is held for reading, sleep until notified, and lock it so again.
 *
 * As one step: a notification after the unlocking is not missed.  A thread that reads several times
 * releases one of them only, so no writer could come in: read once.
 *
 * \param condvar  the condvar
 * \param lock     held by the caller for reading, once, also on return
 * \retval 0              the thread was notified
 * \retval CSYS_POISONED  it was notified, and the rwlock is poisoned by now
 */
CSYS_API int csys_condvar_wait_read(csys_condvar *condvar, csys_rwlock *lock)
	CSYS_REQUIRES_SHARED(*lock);

/**
 * Unlock a rwlock that is held for reading, sleep until notified or until `deadline`, and lock it
 * so again.
 *
 * As csys_condvar_wait_until for a mutex: no notification is lost to a thread that gives up, and
 * the rwlock is held on every return.
 *
 * \param condvar   the condvar
 * \param lock      held by the caller for reading, once, also on return
 * \param deadline  when to give up
 * \retval 0               the thread was notified
 * \retval CSYS_POISONED   it was notified, and the rwlock is poisoned by now
 * \retval CSYS_ETIMEDOUT  it was not notified by then
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_read_until(csys_condvar *condvar, csys_rwlock *lock,
							  csys_deadline deadline)
	CSYS_REQUIRES_SHARED(*lock);

/**
 * Wait with a rwlock that is held for reading, as long as `predicate(argument)` is not 0.
 *
 * \param condvar    the condvar
 * \param lock       held by the caller for reading, once, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \retval 0              the predicate was 0
 * \retval CSYS_POISONED  it was 0, and the rwlock is poisoned
 */
CSYS_API int csys_condvar_wait_read_while(csys_condvar *condvar, csys_rwlock *lock,
					  csys_condvar_predicate *predicate, void *argument)
	CSYS_REQUIRES_SHARED(*lock);

/**
 * Wait with a rwlock that is held for reading, as long as `predicate(argument)` is not 0, until
 * `deadline` at most.
 *
 * After the deadline the predicate is called once more.
 *
 * \param condvar    the condvar
 * \param lock       held by the caller for reading, once, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \param deadline   when to give up
 * \retval 0               the predicate was 0
 * \retval CSYS_POISONED   it was 0, and the rwlock is poisoned
 * \retval CSYS_ETIMEDOUT  it was not 0 even after the deadline
 */
CSYS_API CSYS_MUST_CHECK int
csys_condvar_wait_read_while_until(csys_condvar *condvar, csys_rwlock *lock,
				   csys_condvar_predicate *predicate, void *argument,
				   csys_deadline deadline) CSYS_REQUIRES_SHARED(*lock);

/**
 * Unlock a rwlock that is held for writing, sleep until notified, and lock it so again.
 *
 * As one step: a notification after the unlocking is not missed.
 *
 * \param condvar  the condvar
 * \param lock     held by the caller for writing, once, also on return
 * \retval 0              the thread was notified
 * \retval CSYS_POISONED  it was notified, and the rwlock is poisoned by now
 */
CSYS_API int csys_condvar_wait_write(csys_condvar *condvar, csys_rwlock *lock) CSYS_REQUIRES(*lock);

/**
 * Unlock a rwlock that is held for writing, sleep until notified or until `deadline`, and lock it
 * so again.
 *
 * As csys_condvar_wait_until for a mutex: no notification is lost to a thread that gives up, and
 * the rwlock is held on every return.
 *
 * \param condvar   the condvar
 * \param lock      held by the caller for writing, once, also on return
 * \param deadline  when to give up
 * \retval 0               the thread was notified
 * \retval CSYS_POISONED   it was notified, and the rwlock is poisoned by now
 * \retval CSYS_ETIMEDOUT  it was not notified by then
 */
CSYS_API CSYS_MUST_CHECK int csys_condvar_wait_write_until(csys_condvar *condvar, csys_rwlock *lock,
							   csys_deadline deadline)
	CSYS_REQUIRES(*lock);

/**
 * Wait with a rwlock that is held for writing, as long as `predicate(argument)` is not 0.
 *
 * \param condvar    the condvar
 * \param lock       held by the caller for writing, once, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \retval 0              the predicate was 0
 * \retval CSYS_POISONED  it was 0, and the rwlock is poisoned
 */
CSYS_API int csys_condvar_wait_write_while(csys_condvar *condvar, csys_rwlock *lock,
					   csys_condvar_predicate *predicate, void *argument)
	CSYS_REQUIRES(*lock);

/**
 * Wait with a rwlock that is held for writing, as long as `predicate(argument)` is not 0, until
 * `deadline` at most.
 *
 * After the deadline the predicate is called once more.
 *
 * \param condvar    the condvar
 * \param lock       held by the caller for writing, once, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \param deadline   when to give up
 * \retval 0               the predicate was 0
 * \retval CSYS_POISONED   it was 0, and the rwlock is poisoned
 * \retval CSYS_ETIMEDOUT  it was not 0 even after the deadline
 */
CSYS_API CSYS_MUST_CHECK int
csys_condvar_wait_write_while_until(csys_condvar *condvar, csys_rwlock *lock,
				    csys_condvar_predicate *predicate, void *argument,
				    csys_deadline deadline) CSYS_REQUIRES(*lock);

/* ---- notifying ---------------------------------------------------------------------------- */

/**
 * Let the thread that has waited longest go on.
 *
 * If no thread waits nothing happens, and nothing is kept for those that come later.
 *
 * \param condvar  the condvar
 * \return 1 if a thread was notified, 0 if none waits
 */
static inline int csys_condvar_notify_one(csys_condvar *condvar);

/**
 * Let all threads that wait at this moment go on.
 *
 * \param condvar  the condvar
 * \return how many threads were notified
 */
static inline size_t csys_condvar_notify_all(csys_condvar *condvar);

/* ---- inline ------------------------------------------------------------------------------ */

/* What inline functions leave to src/sync/condvar.c. */
CSYS_API int csysi_condvar_notify_one(csys_condvar *condvar);
CSYS_API size_t csysi_condvar_notify_all(csys_condvar *condvar);

/*
 * Whether a thread waits.  No waiter is overlooked that was enqueued before the caller locked what
 * guards the condition.
 */
static inline int csysi_condvar_has_waiters(const csys_condvar *condvar)
{
	/* Acquire pairs with the release of every change of the queue: if it is empty, the thread
	 * that left it so does not touch the object any more, and the caller may free it. */
	return __atomic_load_n(&condvar->queue, __ATOMIC_ACQUIRE) != 0;
}

static inline int csys_condvar_notify_one(csys_condvar *condvar)
{
	return csysi_condvar_has_waiters(condvar) ? csysi_condvar_notify_one(condvar) : 0;
}

static inline size_t csys_condvar_notify_all(csys_condvar *condvar)
{
	return csysi_condvar_has_waiters(condvar) ? csysi_condvar_notify_all(condvar) : 0;
}

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
#define csys_condvar_wait_read(condvar, lock) \
	csys_condvar_wait_read(condvar, CSYSI_RWLOCK_HERE(lock))
#define csys_condvar_wait_read_until(condvar, lock, deadline) \
	csys_condvar_wait_read_until(condvar, CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_condvar_wait_read_while(condvar, lock, predicate, argument) \
	csys_condvar_wait_read_while(condvar, CSYSI_RWLOCK_HERE(lock), predicate, argument)
#define csys_condvar_wait_read_while_until(condvar, lock, predicate, argument, deadline)          \
	csys_condvar_wait_read_while_until(condvar, CSYSI_RWLOCK_HERE(lock), predicate, argument, \
					   deadline)
#define csys_condvar_wait_write(condvar, lock) \
	csys_condvar_wait_write(condvar, CSYSI_RWLOCK_HERE(lock))
#define csys_condvar_wait_write_until(condvar, lock, deadline) \
	csys_condvar_wait_write_until(condvar, CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_condvar_wait_write_while(condvar, lock, predicate, argument) \
	csys_condvar_wait_write_while(condvar, CSYSI_RWLOCK_HERE(lock), predicate, argument)
#define csys_condvar_wait_write_while_until(condvar, lock, predicate, argument, deadline)          \
	csys_condvar_wait_write_while_until(condvar, CSYSI_RWLOCK_HERE(lock), predicate, argument, \
					    deadline)
#endif

CSYS_END_DECLS

#endif
