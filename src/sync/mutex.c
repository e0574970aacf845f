/*
 * sync/mutex.c - mutual exclusion in one word.
 *
 *             lock            another thread sleeps
 *   FREE ---------------> HELD -------------------> CONTENDED
 *    ^ ^                  |  |                      |  |  |
 *    | |      unlock      |  | a condvar's waiters  |  |  | a sleeper has waited for long
 *    | +------------------+  v follow the unlock    |  |  v
 *    |                    HANDOFF_DUE               |  |  STARVING
 *    |  unlock, wake theirs  |         unlock, wake |  |  | unlock, its turn
 *    +-----------------------+----------------------+  |  v
 *    |            nobody sleeps     unlock_fair        +> HANDING -> HANDING_WAITED
 *    +----------------------------------------------------+  |
 *                                                            v one was woken
 *    taken by a thread that was woken: CONTENDED <------- RESERVED
 *
 * Invariant: while a thread sleeps on the word, the word is none of FREE, HELD and
 * HANDOFF_DUE, or some awake thread is about to change that.  Therefore:
 *   - a thread that sleeps has made it so, and sleeps only while it is;
 *   - a thread that was woken takes it as CONTENDED, since others may sleep on;
 *   - a thread that releases it from such a state wakes one.
 * A wake too many is harmless, one too few is a hang; every doubt is settled that way.
 *
 * Unlocking subtracts 1, so that a free mutex and a held one need no constants.  What is left of
 * the other states counts as held, and no thread sleeps on it.
 *
 * Handing over.  Any thread can take a FREE mutex, and one that always comes back at once takes
 * it long before a sleeper is awake.  A RESERVED one can be taken only by threads that were woken.
 * It must not be reserved if there is no thread to take it; and once it is, the unlocking thread
 * must not touch it again, for the next holder may free it.  So it is HANDING first: held, while
 * the unlocking thread wakes the longest sleeper.  If there was one it becomes RESERVED, and else
 * FREE.  A thread that was woken and finds it HANDING does not give up: it may be the one that was
 * woken, and so the one that it becomes RESERVED for.  It sleeps as HANDED, and is woken again.
 * So a RESERVED mutex is always about to be taken, and try_lock may leave it alone.
 *
 * A hand-over costs throughput: the mutex lies idle until the other thread runs.  So it is forced
 * only for a thread that has waited STARVING_NS, and for each mutex once in HAND_OVER_NS: with
 * many threads all of them wait that long, and each unlock would be a hand-over.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/mutex.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/handoff.h"
#include "sync/mutex.h"
#include "sync/spin.h"

enum {
	FREE = 0,
	HELD = 1,
	CONTENDED = 0x10,
	STARVING = 0x20,
	HANDOFF_DUE = 0x30, /* held, and its unlock wakes a condvar's waiter: handoff.h */
	RESERVED = 0x40,
	HANDING = 0x50,
	HANDING_WAITED = 0x60
};

/*
 * Looks at the mutex by a waiter that was just notified, one hint apart.  A notifier that holds the
 * mutex unlocks it a few instructions later.  With the long pauses of csysi_backs_off a waiter
 * whose first look came a moment too early lost 300 ns: a hand-over between two CPUs took 490 ns,
 * and takes 160 with these looks.
 */
#define RELOCK_LOOKS 24

#define STARVING_NS 1000000
#define HAND_OVER_NS 500000

/* Kinds of sleepers: one that has waited for long; one that may be the next holder. */
enum { SLEEPS = 1, STARVES = 2, HANDED = 4, ANY = 7 };

/* ---- locking ---------------------------------------------------------------------- */

/* Take it as `state` if it is FREE, or RESERVED and this thread was woken. */
static int try_take(csys_mutex *mutex, uint32_t state, int was_woken)
{
	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(&mutex->word);

	while (word == FREE || (word == RESERVED && was_woken)) {
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

/* Make the word one that can be slept on, `state` at least; 0: this thread can take it. */
static int announce(csys_mutex *mutex, uint32_t state, int was_woken, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&mutex->word);

	for (;;) {
		if (word == FREE || (word == RESERVED && was_woken))
			return 0;
		uint32_t next = word == HANDING ? HANDING_WAITED : state;
		if (word == RESERVED || word == STARVING || word == HANDING_WAITED || word == next)
			break;
		/* Relaxed: it orders nothing; the sleep looks at the word again. */
		if (csysi_cas_relaxed(&mutex->word, &word, next)) {
			word = next;
			break;
		}
	}
	*out = word;
	return 1;
}

static int acquire(csys_mutex *mutex, csys_deadline deadline, int spins)
{
	int64_t since = 0; /* when it first slept */
	int was_woken = 0;
	uint32_t state = CONTENDED;

	if (spins && spin(mutex))
		return 0;
	for (;;) {
		uint32_t word;
		if (try_take(mutex, CONTENDED, was_woken))
			return 0;
		if (!announce(mutex, state, was_woken, &word))
			continue;
		if (since == 0)
			since = csys_now();

		/* What is being handed over may be for this thread, so it cannot give up now. */
		int is_handed = was_woken && word == HANDING_WAITED;
		uint32_t kind = is_handed ? HANDED : state == STARVING ? STARVES : SLEEPS;
		if (csysi_os_wait_as(&mutex->word, word, is_handed ? CSYS_FOREVER : deadline,
				     kind) == CSYS_ETIMEDOUT)
			/* A free mutex beats a deadline that has passed. */
			return try_take(mutex, CONTENDED, was_woken) ? 0 : CSYS_ETIMEDOUT;
		was_woken = 1;
		if (csys_now() - since > STARVING_NS)
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
	int is_taken = try_take(mutex, HELD, 0);
	for (int looks = 0; !is_taken && spins && looks < RELOCK_LOOKS; looks++) {
		csys_spin_hint();
		is_taken = try_take(mutex, HELD, 0);
	}
	if (!is_taken)
		(void)acquire(mutex, CSYS_FOREVER, spins);
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

int csysi_mutex_take(csys_mutex *mutex, csys_deadline deadline)
{
	if (try_take(mutex, HELD, 0))
		return 0;
	/* A thread that has no time to wait leaves no trace. */
	return csys_deadline_left(deadline) > 0 ? acquire(mutex, deadline, 1) : CSYS_ETIMEDOUT;
}

int csys_mutex_lock_until(csys_mutex *mutex, csys_deadline deadline)
{
	CSYSI_WANTS(mutex, CSYSI_HELD_MUTEX, deadline);
	int r = csysi_mutex_take(mutex, deadline);
	if (r < 0) {
		csysi_checked_gave_up();
		return r;
	}
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

int csys_mutex_try_lock(csys_mutex *mutex)
{
	return try_take(mutex, HELD, 0) ? csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX)
					: CSYS_EAGAIN;
}

/* ---- unlocking -------------------------------------------------------------------- */

/* Begin to hand it over: the state to leave it in. */
static uint32_t hand_over(csys_mutex *mutex, int is_starving)
{
	const uint32_t *address = &mutex->word;

	/* Relaxed: it is still held.  A sleeper looks at the word after the wake, and until then
	 * sleeps whatever it is. */
	csysi_store_relaxed(&mutex->word, HANDING);
	if (is_starving && csysi_os_wake_kind(address, 1, STARVES) > 0)
		return RESERVED;
	return csysi_os_wake_kind(address, 1, ANY) > 0 ? RESERVED : FREE;
}

/* 1 was subtracted, and the word is not 0; so it is still held, unless it was not held before. */
static void unlock_slow(csys_mutex *mutex, int is_fair)
{
	/* Relaxed: this thread holds it.  Others may have announced themselves since. */
	uint32_t word = csysi_load_relaxed(&mutex->word);
	int is_starving = word == STARVING - 1 || word == STARVING;
	int is_contended = word == CONTENDED - 1 || word == CONTENDED;

	if (!is_starving && !is_contended && word != HANDOFF_DUE - 1)
		csysi_os_abort("unlock of a mutex that nobody holds");
	/* All that is needed of the mutex, before it may be gone. */
	const uint32_t *next_waiter = csysi_handoff_take(mutex);
	const uint32_t *address = &mutex->word;
	uint32_t next = FREE;

	if ((is_fair && (is_starving || is_contended)) ||
	    (is_starving && csysi_hand_over_is_due(address, HAND_OVER_NS)))
		next = hand_over(mutex, is_starving);
	/* Release pairs with the acquires above.  Only now is it known whether another thread came
	 * to sleep meanwhile. */
	uint32_t was = csysi_swap_release(&mutex->word, next);
	/* All that are HANDED, since they sleep without their deadlines. */
	uint32_t woken =
		was == HANDING_WAITED ? csysi_os_wake_kind(address, UINT32_MAX, HANDED) : 0;
	if (next == FREE && woken == 0 && was != HANDOFF_DUE - 1 && was != HANDING)
		csysi_os_wake_kind(address, 1, ANY);
	if (next_waiter)
		csysi_os_wake(next_waiter, 1, 0);
}

void csysi_mutex_unlock_slow(csys_mutex *mutex)
{
	unlock_slow(mutex, 0);
}

void csysi_mutex_release(csys_mutex *mutex)
{
	/* As in unlock. */
	if (csysi_sub_release(&mutex->word, 1) != 0)
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

void csys_mutex_init(csys_mutex *mutex)
{
	*mutex = (csys_mutex)CSYS_MUTEX_INIT;
}

void csys_mutex_init_no_poison(csys_mutex *mutex)
{
	*mutex = (csys_mutex)CSYS_MUTEX_INIT_NO_POISON;
}

/* ---- poison ------------------------------------------------------------------------- */

int csys_mutex_is_locked(const csys_mutex *mutex)
{
	/* Relaxed: it tells of a moment that is over.  RESERVED counts: it is about to be taken. */
	return csysi_load_relaxed(&mutex->word) != FREE;
}

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
	csysi_mutex_release(mutex);
}

void csys_mutex_assert_held(const csys_mutex *mutex)
{
	/* Relaxed: while this thread holds it, no other thread makes it FREE or RESERVED. */
	uint32_t word = csysi_load_relaxed(&mutex->word);

	if (word == FREE || word == RESERVED ||
	    !csysi_may_hold(&mutex->marks, mutex, CSYSI_HELD_MUTEX))
		csysi_os_abort("a mutex is not held that should be");
}

void csysi_mutex_note_handoff(csys_mutex *mutex)
{
	uint32_t word = HELD;

	/* Relaxed: this thread holds it; the release is at the unlocking. */
	(void)csysi_cas_relaxed(&mutex->word, &word, HANDOFF_DUE);
}
