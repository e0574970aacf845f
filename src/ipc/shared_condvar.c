/*
 * ipc/shared_condvar.c - waiting under a shared mutex, in one word.
 *
 *     word:  WAITED | sequence, low 31 bits || sequence, high 32 bits
 *
 * A thread sets WAITED while it holds the mutex, unlocks it, and waits as long as the word is what
 * it was then.  A notification that finds WAITED is the next sequence, in one step, and then a
 * wake.  There are 2^63, so none comes again.
 *
 *                 wait                  notify_one: wakes one; it keeps WAITED
 *     s, 0 -----------------> s, WAITED ----------------------------------------> s+1, WAITED
 *                                |      notify_all: wakes all
 *                                +----------------------------------------------> s+1, 0
 *
 * No word names a thread, and no thread is counted:
 *
 *     a thread is killed          the state is             and then
 *     after it set WAITED         WAITED, nobody asleep    the next notification ends it
 *     before it has notified      as it was                nobody needs to do anything
 *     after the next sequence,    others asleep            after a nap they find another sequence,
 *     before the wake                                      and return
 *     a sleeper, just woken       others asleep            the same
 *     while it relocks            of the mutex             as the mutex tells
 *     with the mutex, before it   others asleep            after a nap they find the mutex left by
 *     has notified                                         a dead holder, or poisoned since
 *
 * Invariant: while a thread waits, WAITED is set with the sequence that it has, or one of these
 * holds: the sequence is another, and the thread was woken, will see that before it sleeps, or
 * sleeps for the rest of its nap, since one that waited at the same time was woken in its place.
 *
 * A notify_one that woke nobody ends WAITED.  A thread may have gone to sleep meanwhile, or be
 * about to, and that would be left without WAITED; so this is a notify_all, in which as a rule
 * nobody is woken.  If another notification was in between it leaves that to others.
 *
 * What the threads do is ordered by the mutex.  A notifier that has held it after a waiter
 * unlocked it sees WAITED, though both are relaxed; one that held it before has made its change
 * before the waiter looked.
 *
 * The system wakes the longest sleepers first, but before these threads of higher real-time
 * priority.  One of those, which began to wait after the notification and before its wake, may be
 * woken by it and sleep again; then the others find the sequence after their naps.
 *
 * tests/model/shared_condvar.pml has the steps of this, with a thread that is killed.
 */
#include <csys/ipc/shared_condvar.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"
#include "sync/checked.h"

#define WAITED ((uint64_t)1 << 63)
#define LOW ((uint64_t)0x7fffffff << 32)
#define ONE_LOW ((uint64_t)1 << 32)
#define HIGH ((uint64_t)0xffffffff)

_Static_assert(sizeof(csys_shared_condvar) == 8, "the same in all processes");

/* ---- notifying ----------------------------------------------------------------------------- */

/* The next sequence, without WAITED. */
static uint64_t next_sequence(uint64_t word)
{
	uint64_t low = (word + ONE_LOW) & LOW;
	uint64_t high = (low == 0 ? word + 1 : word) & HIGH;

	return low | high;
}

void csys_shared_condvar_notify_all(csys_shared_condvar *condvar)
{
	/* Relaxed, and in all of this file: see above. */
	uint64_t word = csysi_load_relaxed(&condvar->word);

	do
		if (!(word & WAITED))
			return;
	while (!csysi_cas_relaxed(&condvar->word, &word, next_sequence(word)));
	csysi_os_wake(csysi_upper_half(&condvar->word), UINT32_MAX, 1);
}

void csys_shared_condvar_notify_one(csys_shared_condvar *condvar)
{
	uint64_t word = csysi_load_relaxed(&condvar->word);
	uint64_t next;

	do {
		if (!(word & WAITED))
			return;
		next = next_sequence(word) | WAITED;
	} while (!csysi_cas_relaxed(&condvar->word, &word, next));
	if (csysi_os_wake(csysi_upper_half(&condvar->word), 1, 1) == 0 &&
	    csysi_cas_relaxed(&condvar->word, &next, next_sequence(next)))
		csysi_os_wake(csysi_upper_half(&condvar->word), UINT32_MAX, 1);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Have WAITED set: what the word is then.  By the holder of the mutex. */
static uint64_t announce(csys_shared_condvar *condvar)
{
	uint64_t word = csysi_load_relaxed(&condvar->word);

	while (!(word & WAITED) && !csysi_cas_relaxed(&condvar->word, &word, word | WAITED))
		;
	return word | WAITED;
}

/* A thread has ended with the mutex, which was not poisoned when this wait began. */
static int is_left(const csys_region *region, const csys_shared_mutex *mutex, int was_poisoned)
{
	return !was_poisoned &&
	       (csys_shared_mutex_is_poisoned(mutex) || csysi_shared_mutex_is_left(region, mutex));
}

/* Sleep while the word is `first`: 0, or CSYS_ETIMEDOUT. */
static int sleep_for(const csys_region *region, const csys_shared_condvar *condvar, uint64_t first,
		     const csys_shared_mutex *mutex, int was_poisoned, csys_deadline deadline)
{
	const uint32_t *upper = csysi_upper_half(&condvar->word);

	for (;;) {
		/* Before the look: a notification beats a deadline that has passed. */
		int is_over = csys_deadline_left(deadline) <= 0;
		/* All of the word: without WAITED it is none of this file's, but what a process
		 * has overwritten is not waited for. */
		if (csysi_load_relaxed(&condvar->word) != first ||
		    is_left(region, mutex, was_poisoned))
			return 0;
		if (is_over)
			return CSYS_ETIMEDOUT;
		(void)csysi_region_nap(upper, (uint32_t)(first >> 32), deadline);
	}
}

int csys_shared_condvar_wait_until(csys_region *region, csys_shared_condvar *condvar,
				   csys_shared_mutex *mutex, csys_deadline deadline)
{
	int was_poisoned = csys_shared_mutex_is_poisoned(mutex);

	csysi_checked_waits(condvar, CSYSI_WANTS_SHARED_CONDVAR, mutex, mutex, deadline);
	uint64_t first = announce(condvar);
	csysi_tsan_release(&mutex->word); /* unlock is inline, and compiled here */
	csys_shared_mutex_unlock(region, mutex);
	int r = sleep_for(region, condvar, first, mutex, was_poisoned, deadline);
	/* It does not fail: this thread has held it, so it is a member. */
	int locked = csys_shared_mutex_lock_until(region, mutex, CSYS_FOREVER);
	if (r == CSYS_ETIMEDOUT && (locked == 0 || (locked == CSYS_POISONED && was_poisoned)))
		return r;
	return locked;
}

int csys_shared_condvar_wait(csys_region *region, csys_shared_condvar *condvar,
			     csys_shared_mutex *mutex)
{
	return csys_shared_condvar_wait_until(region, condvar, mutex, CSYS_FOREVER);
}

int csys_shared_condvar_wait_while_until(csys_region *region, csys_shared_condvar *condvar,
					 csys_shared_mutex *mutex,
					 csys_shared_condvar_predicate *predicate, void *argument,
					 csys_deadline deadline)
{
	int r = 0;

	while (predicate(argument)) {
		if (r < 0)
			return r;
		r = csys_shared_condvar_wait_until(region, condvar, mutex, deadline);
	}
	return csys_shared_mutex_is_poisoned(mutex) ? CSYS_POISONED : 0;
}

int csys_shared_condvar_wait_while(csys_region *region, csys_shared_condvar *condvar,
				   csys_shared_mutex *mutex,
				   csys_shared_condvar_predicate *predicate, void *argument)
{
	return csys_shared_condvar_wait_while_until(region, condvar, mutex, predicate, argument,
						    CSYS_FOREVER);
}
