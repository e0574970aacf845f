/**
 * \file
 * csys/ipc/shared_condvar.h - waiting under a shared mutex until something has changed.
 *
 *     struct board {
 *             csys_shared_mutex lock;
 *             csys_shared_condvar changed;
 *             int64_t moves;
 *     };
 *
 *     int r = csys_region_attach(region); // once in a thread: then lock cannot fail
 *     if (r < 0)
 *             return r;
 *     csys_shared_mutex_lock(region, &board->lock);
 *     while (board->moves == 0)
 *             if (csys_shared_condvar_wait(region, &board->changed, &board->lock) == CSYS_POISONED)
 *                     board->moves = count_again(board);
 *     csys_shared_mutex_unlock(region, &board->lock);
 *
 *     csys_shared_mutex_lock(region, &board->lock);
 *     board->moves++;
 *     csys_shared_condvar_notify_all(&board->changed);
 *     csys_shared_mutex_unlock(region, &board->lock);
 *
 * A shared condvar lies anywhere in a region (csys/ipc/region.h), is eight bytes, all zero when no
 * thread waits, and needs no destruction.  Notifying when no thread waits costs one load.
 *
 * A wait may end without a notification for its thread, so it stands in a loop that looks at what
 * it waits for, or is a csys_shared_condvar_wait_while.  That is how deaths are survived:
 *
 * Death.  No thread owns a condvar, and none is counted, so one that is killed while it waits
 * leaves nothing behind.  If a thread is killed while it notifies, or one that was just woken is
 * killed, the others find within 0.1 s that something was notified, and their waits end.  A thread
 * that ends while it holds the mutex leaves that poisoned, as csys/ipc/shared_mutex.h tells.  Those
 * that wait at the condvar need not wait for its notification: within 0.1 s their waits end too,
 * with CSYS_POISONED, until one has cleared the poison.  One that ends without the mutex is not
 * noticed: neither one that has changed something, unlocked the mutex, and was killed before it
 * notified, so notify before you unlock; nor one that has not begun, so what must not be waited for
 * in vain has a deadline.
 *
 * Threads that wait at the same time may use different mutexes, each the one under which the change
 * that it waits for is made.
 *
 * Threads: any number may use it at once.  Signals: not in handlers.  Fork: the child has the
 * condvar as its parent has it, and no thread of the parent waits in the child.
 */
#ifndef CSYS_IPC_SHARED_CONDVAR_H
#define CSYS_IPC_SHARED_CONDVAR_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/ipc/shared_mutex.h>

CSYS_BEGIN_DECLS

/** A condition variable between processes; all zero when no thread waits. */
typedef struct csys_shared_condvar {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /**< private: src/ipc/shared_condvar.c */
} csys_shared_condvar;

/* ---- waiting ------------------------------------------------------------------------------ */

/**
 * Unlock the mutex and sleep until notified, as one step; then lock it again.
 *
 * A notification after the unlocking is not missed.
 *
 * \param region   where both lie
 * \param condvar  the condvar
 * \param mutex    held by the caller, also on return
 * \retval 0              the thread was notified, or another was
 * \retval CSYS_POISONED  the mutex is poisoned by now; the thread may not have been notified
 */
CSYS_API int csys_shared_condvar_wait(csys_region *region, csys_shared_condvar *condvar,
				      csys_shared_mutex *mutex) CSYS_REQUIRES(*mutex);

/**
 * Unlock the mutex, sleep until notified or until `deadline`, and lock it again.
 *
 * A notification is never lost to a thread that gives up.  The mutex is locked on every return; the
 * deadline does not limit that, so the call returns later if another thread holds the mutex.
 *
 * A mutex that was not poisoned when the wait began, and is when it ends, is told of by
 * CSYS_POISONED, even if the deadline has passed.  The next wait tells that.
 *
 * \param region    where both lie
 * \param condvar   the condvar
 * \param mutex     held by the caller, also on return
 * \param deadline  when to give up
 * \retval 0               the thread was notified, or another was
 * \retval CSYS_POISONED   the mutex is poisoned by now; the thread may not have been notified
 * \retval CSYS_ETIMEDOUT  none was notified by then; the mutex may have been poisoned before
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_condvar_wait_until(csys_region *region, csys_shared_condvar *condvar,
			       csys_shared_mutex *mutex, csys_deadline deadline)
	CSYS_REQUIRES(*mutex);

/** Tell whether to wait on: not 0.  It is called with the mutex held. */
typedef int csys_shared_condvar_predicate(void *argument);

/**
 * Wait as long as `predicate(argument)` is not 0; not at all if it is 0 at once.
 *
 * It goes on waiting if the mutex gets poisoned, after the predicate was called again: a predicate
 * that has to see what a dead thread has left looks at csys_shared_mutex_is_poisoned.
 *
 * \param region     where both lie
 * \param condvar    the condvar
 * \param mutex      held by the caller, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \retval 0              the predicate was 0
 * \retval CSYS_POISONED  it was 0, and the mutex is poisoned
 */
CSYS_API int csys_shared_condvar_wait_while(csys_region *region, csys_shared_condvar *condvar,
					    csys_shared_mutex *mutex,
					    csys_shared_condvar_predicate *predicate,
					    void *argument) CSYS_REQUIRES(*mutex);

/**
 * Wait as long as `predicate(argument)` is not 0, until `deadline` at most.
 *
 * After the deadline the predicate is called once more.  A past deadline still calls it twice at
 * most, or three times if the mutex gets poisoned, and unlocks the mutex in between.
 *
 * \param region     where both lie
 * \param condvar    the condvar
 * \param mutex      held by the caller, also on return
 * \param predicate  tells whether to wait on
 * \param argument   of `predicate`
 * \param deadline   when to give up
 * \retval 0               the predicate was 0
 * \retval CSYS_POISONED   it was 0, and the mutex is poisoned
 * \retval CSYS_ETIMEDOUT  it was not 0 even after the deadline; the mutex may be poisoned
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_condvar_wait_while_until(csys_region *region, csys_shared_condvar *condvar,
				     csys_shared_mutex *mutex,
				     csys_shared_condvar_predicate *predicate, void *argument,
				     csys_deadline deadline) CSYS_REQUIRES(*mutex);

/* ---- notifying ---------------------------------------------------------------------------- */

/**
 * Let a thread that waits go on.
 *
 * As a rule it is the one that has waited longest.  Others that waited then go on too, but later:
 * within 0.1 s they find that there was a notification.  If no thread waits nothing happens, and
 * nothing is kept for those that come later.
 *
 * \param condvar  the condvar
 */
CSYS_API void csys_shared_condvar_notify_one(csys_shared_condvar *condvar);

/**
 * Let all threads that wait at this moment go on.
 *
 * \param condvar  the condvar
 */
CSYS_API void csys_shared_condvar_notify_all(csys_shared_condvar *condvar);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
#define csys_shared_condvar_wait(region, condvar, mutex) \
	csys_shared_condvar_wait(region, condvar, CSYSI_SHARED_MUTEX_HERE(mutex))
#define csys_shared_condvar_wait_until(region, condvar, mutex, deadline) \
	csys_shared_condvar_wait_until(region, condvar, CSYSI_SHARED_MUTEX_HERE(mutex), deadline)
#define csys_shared_condvar_wait_while(region, condvar, mutex, predicate, argument)                \
	csys_shared_condvar_wait_while(region, condvar, CSYSI_SHARED_MUTEX_HERE(mutex), predicate, \
				       argument)
#define csys_shared_condvar_wait_while_until(region, condvar, mutex, predicate, argument,     \
					     deadline)                                        \
	csys_shared_condvar_wait_while_until(region, condvar, CSYSI_SHARED_MUTEX_HERE(mutex), \
					     predicate, argument, deadline)
#endif

CSYS_END_DECLS

#endif
