/*
 * sync/mutex.c - mutual exclusion in one word.
 *
 *                lock             a second one sleeps
 *   FREE ------------------> HELD ------------------> CONTENDED
 *    ^ ^                     | |                      |  |
 *    | |        unlock       | | notified under it    |  | a sleeper waited
 *    | +---------------------+ v                      |  v for long
 *    |   unlock, wake theirs  PASSING                 | STARVING
 *    +--------------------------+       unlock, wake  |  |
 *    +------------------------------------------------+  | unlock, wake
 *    a sleeper takes it: CONTENDED <----- RESERVED <-----+
 *
 * Invariant: while a thread sleeps on the word, the word is CONTENDED, STARVING
 * or RESERVED, or some awake thread is about to make it so.  Therefore:
 *   - who sleeps has made it so, and sleeps only while it is;
 *   - who has slept takes it as CONTENDED, since others may sleep on;
 *   - who releases it from those wakes one.
 * A wake too many is harmless, one too few is a hang; every doubt below is
 * settled that way.
 *
 * unlock subtracts 1, so that a free mutex and a held one need no constants.
 * What is left of the other states counts as held, and nobody sleeps on it.
 *
 * RESERVED is free, but only for those who have slept.  So a thread that always
 * comes back at once cannot keep a sleeper out, who needs much longer to get
 * there.  It costs throughput, so it is for those only who have waited STARVING_NS
 * since they first slept; the system wakes the longest sleeper first.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/mutex.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/passing.h"
#include "sync/spin.h"

enum {
	FREE = 0,
	HELD = 1,
	CONTENDED = 0x10,
	STARVING = 0x20,
	PASSING = 0x30, /* held, and its holder has threads of a condvar to wake: passing.h */
	RESERVED = 0x40
};

#define STARVING_NS 1000000

/* How long one who has not slept leaves a RESERVED mutex alone: its sleeper might have given up. */
#define RESERVED_NS 1000000

/* ---- locking ---------------------------------------------------------------------- */

/* Take it as `state` if it is FREE, or, for one who has slept, RESERVED. */
static int try_take(csys_mutex *mutex, uint32_t state, int has_slept)
{
	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(&mutex->word);

	while (word == FREE || (word == RESERVED && has_slept)) {
		uint32_t taken = word == RESERVED ? CONTENDED : state;
		/* Acquire pairs with the releases of unlock. */
		if (csysi_cas_acquire(&mutex->word, &word, taken))
			return 1;
	}
	return 0;
}

static int spin(csys_mutex *mutex)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_take(mutex, HELD, 0))
			return 1;
	return 0;
}

/* Make the word one that can be slept on, `state` at least.  0: it is not held any more. */
static int announce(csys_mutex *mutex, uint32_t state, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&mutex->word);

	for (;;) {
		if (word == FREE)
			return 0;
		if (word == RESERVED || word == STARVING || word == state)
			break;
		/* Relaxed: it orders nothing; the sleep looks at the word again. */
		if (csysi_cas_relaxed(&mutex->word, &word, state)) {
			word = state;
			break;
		}
	}
	*out = word;
	return 1;
}

static int acquire(csys_mutex *mutex, csys_deadline deadline, int spins)
{
	csys_deadline first = 0; /* when it first slept */
	int has_slept = 0;
	uint32_t state = CONTENDED;

	if (spins && spin(mutex))
		return 0;
	for (;;) {
		uint32_t word;
		if (try_take(mutex, CONTENDED, has_slept))
			return 0;
		if (!announce(mutex, state, &word) || (word == RESERVED && has_slept))
			continue;

		csys_deadline until = deadline;
		csys_deadline now = csys_now();
		if (first == 0)
			first = now;
		if (word == RESERVED && now + RESERVED_NS < until)
			until = now + RESERVED_NS;
		int r = csysi_os_wait(&mutex->word, word, until, 0);
		has_slept = 1;
		/* What is free beats a deadline that has passed. */
		if (r == CSYS_ETIMEDOUT && until == deadline)
			return try_take(mutex, CONTENDED, 1) ? 0 : CSYS_ETIMEDOUT;
		if (csys_now() - first > STARVING_NS)
			state = STARVING;
	}
}

int csysi_mutex_lock_slow(csys_mutex *mutex)
{
	(void)acquire(mutex, CSYS_FOREVER, 1);
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

int csysi_mutex_relock(csys_mutex *mutex, int spins)
{
	CSYSI_WANTS(mutex, CSYSI_HELD_MUTEX, CSYS_FOREVER);
	if (!try_take(mutex, HELD, 0))
		(void)acquire(mutex, CSYS_FOREVER, spins);
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

int csys_mutex_lock_until(csys_mutex *mutex, csys_deadline deadline)
{
	CSYSI_WANTS(mutex, CSYSI_HELD_MUTEX, deadline);
	if (!try_take(mutex, HELD, 0)) {
		int r = acquire(mutex, deadline, 1);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

int csys_mutex_try_lock(csys_mutex *mutex)
{
	/* As one who has slept: a mutex that is reserved is not held. */
	return try_take(mutex, HELD, 1) ? csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX)
					: CSYS_EAGAIN;
}

/* ---- unlocking -------------------------------------------------------------------- */

/* Let go of it as `word`; wake who sleeps for it, and who was notified under it. */
static void release(csys_mutex *mutex, uint32_t word)
{
	/* All that is needed of the mutex, before it may be gone. */
	const uint32_t *passed = csysi_passing_take(mutex);
	const uint32_t *address = &mutex->word;

	/* Reserved for whom?  If nobody is there to be woken it is FREE.  Who is woken before
	 * it is reserved may sleep again, but then has made the word tell. */
	if (word == RESERVED && csysi_os_wake(address, 1, 0) == 0)
		word = FREE;
	/* Release pairs with the acquires above.  Only now is it known whether somebody came
	 * to sleep meanwhile. */
	uint32_t was = csysi_swap_release(&mutex->word, word);
	if (was == CONTENDED || was == STARVING || was == CONTENDED - 1)
		csysi_os_wake(address, 1, 0);
	if (passed)
		csysi_os_wake(passed, 1, 0);
}

/* 1 was subtracted, and not all is gone; so it is still held, unless it was not held before. */
static void unlock_slow(csys_mutex *mutex, int is_fair)
{
	/* Relaxed: this thread holds it.  Somebody may have announced itself since. */
	uint32_t word = csysi_load_relaxed(&mutex->word);
	int is_starving = word == STARVING - 1 || word == STARVING;
	int is_contended = word == CONTENDED - 1 || word == CONTENDED;

	if (!is_starving && !is_contended && word != PASSING - 1)
		csysi_os_abort("unlock of a mutex that nobody holds");
	release(mutex, is_starving || (is_fair && is_contended) ? RESERVED : FREE);
}

void csysi_mutex_unlock_slow(csys_mutex *mutex)
{
	unlock_slow(mutex, 0);
}

void csys_mutex_unlock_fair(csys_mutex *mutex)
{
	if (!csysi_leave(&mutex->marks, mutex, CSYSI_HELD_MUTEX))
		return;
	/* As in unlock. */
	if (csysi_sub_release(&mutex->word, 1) != 0)
		unlock_slow(mutex, 1);
}

/* ---- poison ------------------------------------------------------------------------- */

int csys_mutex_is_poisoned(const csys_mutex *mutex)
{
	return csysi_is_poisoned(&mutex->marks);
}

void csys_mutex_clear_poison(csys_mutex *mutex)
{
	csysi_clear_poison(&mutex->marks);
}

void csys_mutex_poison(csys_mutex *mutex)
{
	csysi_poison(&mutex->marks);
}

void csysi_mutex_abandon(csys_mutex *mutex)
{
	csys_mutex_poison(mutex);
	/* As in unlock, but for the ledger. */
	if (csysi_sub_release(&mutex->word, 1) != 0)
		unlock_slow(mutex, 0);
}

void csys_mutex_assert_held(const csys_mutex *mutex)
{
	/* Relaxed: it is held by this thread, or by nobody that matters here. */
	uint32_t word = csysi_load_relaxed(&mutex->word);

	if (word == FREE || word == RESERVED ||
	    !csysi_may_hold(&mutex->marks, mutex, CSYSI_HELD_MUTEX))
		csysi_os_abort("a mutex is not held that should be");
}

void csysi_mutex_pass(csys_mutex *mutex)
{
	uint32_t word = HELD;

	/* Relaxed: this thread holds it; the release is at the unlocking. */
	(void)csysi_cas_relaxed(&mutex->word, &word, PASSING);
}
