/*
 * sync/passing.h - waiters of a condvar whose turn comes when a mutex is unlocked.
 *
 * Who holds a mutex and lets others go on, who need that mutex first, does not
 * wake them: they would run only to sleep again.  It keeps them in a list of its
 * own and makes the mutex PASSING, so that its unlocking comes here.  Then the
 * first of them is woken, and takes the rest over when it has the mutex.
 *
 * Invariant: such a waiter cannot leave without the mutex, so it and its links
 * may be touched by whoever holds the mutex, and by nobody else.
 */
#ifndef CSYSI_SYNC_PASSING_H
#define CSYSI_SYNC_PASSING_H

#include <csys/sync/mutex.h>

/* Take this thread's waiters of a mutex out of its list; what to wake after the unlock, or NULL. */
const uint32_t *csysi_passing_take(const csys_mutex *mutex);

/* Make the mutex, which this thread holds, PASSING, unless it goes the long way already. */
void csysi_mutex_pass(csys_mutex *mutex);

/* Lock it as csys_mutex_lock does; `spins` 0: its holder cannot run before this thread sleeps. */
int csysi_mutex_relock(csys_mutex *mutex, int spins);

#endif
