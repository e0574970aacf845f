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
 * as CONTENDED, since it cannot know whether others sleep on: one wake too many at worst.
 *
 * The lock of a process: `process` is the number of the process that the word belongs to, or
 * its negative while one thread of that process frees the word.  Neither is a number of a forked
 * child, so the child waits for no thread of another process.
 */
#include <csys/sync/atomic.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/lock.h"

enum { FREE = 0, HELD = 1, CONTENDED = 2 };

/* Looks before a thread sleeps: the lock is held for some ten instructions as a rule. */
#define LOOKS 40

void csysi_lock_lock(struct csysi_lock *lock)
{
	uint32_t word = FREE;

	/* Acquire pairs with the release in unlock, here and below. */
	if (csysi_cas_acquire(&lock->word, &word, HELD))
		return;
	for (int looks = 0; looks < LOOKS && word != CONTENDED; looks++) {
		csys_spin_hint();
		/* Relaxed: the compare-and-swap decides. */
		word = csysi_load_relaxed(&lock->word);
		if (word == FREE && csysi_cas_acquire(&lock->word, &word, HELD))
			return;
	}
	while (csysi_swap_acquire(&lock->word, CONTENDED) != FREE)
		csysi_os_wait(&lock->word, CONTENDED, CSYS_FOREVER, 0);
}

void csysi_lock_unlock(struct csysi_lock *lock)
{
	/* Release pairs with the acquires in lock. */
	if (csysi_swap_release(&lock->word, FREE) == CONTENDED)
		csysi_os_wake(&lock->word, 1, 0);
}

void csysi_process_lock_lock(struct csysi_process_lock *lock, void (*begin_in_child)(void))
{
	intptr_t process = csysi_os_pid();
	/* Acquire pairs with the release below. */
	intptr_t before = csysi_load_acquire(&lock->process);

	while (before != process) {
		/* Relaxed: what others wrote before the fork is here, and what is cleared is
		 * published by the release. */
		if (before != -process && csysi_cas_relaxed(&lock->process, &before, -process)) {
			lock->lock.word = FREE;
			if (begin_in_child && before != 0)
				begin_in_child();
			csysi_store_release(&lock->process, process);
			break;
		}
		csysi_os_yield();
		before = csysi_load_acquire(&lock->process);
	}
	csysi_lock_lock(&lock->lock);
}

void csysi_process_lock_unlock(struct csysi_process_lock *lock)
{
	csysi_lock_unlock(&lock->lock);
}
