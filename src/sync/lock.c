/*
 * sync/lock.c - a lock in one word.
 *
 *          lock            a second thread waits
 *   FREE --------> HELD --------------------------> CONTENDED
 *    ^              | unlock                            | unlock, wake one
 *    +--------------+-----------------------------------+
 *
 * Invariant: while a thread sleeps on the word, the word is CONTENDED, or some
 * awake thread is about to make it so.  A thread that has slept takes the lock
 * as CONTENDED, since it cannot know who sleeps on: one wake too many at worst.
 */
#include "base/atomic.h"
#include "os/os.h"
#include "sync/lock.h"

enum { FREE = 0, HELD = 1, CONTENDED = 2 };

void csysi_lock_lock(struct csysi_lock *lock)
{
	uint32_t word = FREE;

	/* Acquire pairs with the release in unlock, here and below. */
	if (csysi_cas_acquire(&lock->word, &word, HELD))
		return;
	while (csysi_swap_acquire(&lock->word, CONTENDED) != FREE)
		csysi_os_wait(&lock->word, CONTENDED, CSYS_FOREVER, 0);
}

void csysi_lock_unlock(struct csysi_lock *lock)
{
	/* Release pairs with the acquires in lock. */
	if (csysi_swap_release(&lock->word, FREE) == CONTENDED)
		csysi_os_wake(&lock->word, 1, 0);
}
