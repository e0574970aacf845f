/*
 * sync/rwlock_upgradable.c - the upgradable reader of a rwlock, and its upgrade.
 *
 * The upgradable reader is counted in READERS, and UPGRADABLE is set while there is one.  So it
 * keeps out writers, as any reader does, and other threads that want to be it.
 *
 * A thread that has to wait for that takes the lock's `turn` first, which is a mutex: so no more
 * than one thread waits at the word, and those behind it are served as a mutex serves them.
 * The one that has the turn sets UPGRADABLE_WAITS and sleeps, as a reader.  Either it comes in by
 * itself, when no writer holds the lock or waits and UPGRADABLE is clear, or a writer that leaves
 * lets it in with the waiting readers; then UPGRADABLE_WAITS is clear when it looks, which no other
 * thread could have done.  It releases the turn when it has come in or has given up.
 *
 * Invariants:
 *   - while UPGRADABLE_WAITS is set, the thread that has the turn has set it, and is waiting;
 *   - while that thread sleeps, WRITER, WRITERS_WAIT or UPGRADABLE is set, or it is about to be
 *     woken: by the thread that clears the last of these.
 *
 * An upgrade waits until the upgradable reader is the only one.  It counts itself among the writers
 * that wait and sets WRITERS_WAIT, so no new reader comes in, but never sleeps as these do: it
 * goes before them, since they wait for it.  Invariant: while it sleeps, more than one reader
 * holds the lock, and WRITERS_WAIT is set or about to be set; a reader that leaves only the
 * upgradable one behind, while WRITERS_WAIT is set, wakes it.  (If that one sleeps not, or for
 * another reason, the wake finds no sleeper.)
 *
 * States of the word: sync/rwlock.c.
 */
#include <csys/base/result.h>
#include <csys/sync/rwlock.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "sync/spin.h"

/* ---- coming in ----------------------------------------------------------------------------- */

/* Whether the thread that is next may be the upgradable reader. */
static int may_be_upgradable(uint32_t word)
{
	return !(word & (WRITER | WRITERS_WAIT | UPGRADABLE)) && (word & READERS) != READERS;
}

static int try_upgradable(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (may_be_upgradable(word) && !(word & UPGRADABLE_WAITS))
		/* Acquire pairs with the releases of unlock_write and the downgrades. */
		if (csysi_cas_acquire(&lock->word, &word, (word + 1) | UPGRADABLE))
			return 1;
	return 0;
}

static int spin_upgradable(csys_rwlock *lock)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_upgradable(lock))
			return 1;
	return 0;
}

/* Come in: 1; or set UPGRADABLE_WAITS: 0. */
static int come_in_or_be_next(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		int comes_in = may_be_upgradable(word);
		uint32_t next = comes_in ? (word + 1) | UPGRADABLE : word | UPGRADABLE_WAITS;
		/* Acquire as above; for a thread that waits it is more than needed. */
		if (csysi_cas_acquire(&lock->word, &word, next))
			return comes_in;
	}
}

/* The word when no thread waits to be upgradable; HUNGRY is cleared with the last that waits. */
static uint32_t without_next(uint32_t word)
{
	word &= ~UPGRADABLE_WAITS;
	return word & WAITING ? word : word & ~HUNGRY;
}

/* For the thread that is next: 1 if a writer has let it in, or if it has come in by itself.  0,
 * with the word that keeps it out. */
static int next_comes_in(csys_rwlock *lock, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (word & UPGRADABLE_WAITS) {
		*out = word;
		if (!may_be_upgradable(word))
			return 0;
		/* Acquire as above. */
		if (csysi_cas_acquire(&lock->word, &word, (without_next(word) + 1) | UPGRADABLE))
			return 1;
	}
	/* Acquire pairs with the release of the writer that let it in. */
	(void)csysi_load_acquire(&lock->word);
	return 1;
}

/* The deadline has passed.  Come in if that is possible by now: 1; or stop waiting: 0. */
static int next_comes_in_or_stops(csys_rwlock *lock)
{
	uint32_t word;

	while (!next_comes_in(lock, &word))
		/* Relaxed: it orders nothing. */
		if (csysi_cas_relaxed(&lock->word, &word, without_next(word)))
			return 0;
	return 1;
}

/* Make the word HUNGRY, unless a writer has let this thread in.  Relaxed: that orders nothing, and
 * a writer that leaves after it sees it. */
static void next_is_hungry(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (word & UPGRADABLE_WAITS)
		if (csysi_cas_relaxed(&lock->word, &word, word | HUNGRY))
			return;
}

/* Wait as the thread that is next. */
static int wait_as_next(csys_rwlock *lock, csys_deadline deadline)
{
	csys_deadline hungry = csys_after_ns(HUNGRY_NS);
	uint32_t word;

	while (!next_comes_in(lock, &word)) {
		csys_deadline until = csys_deadline_earlier(deadline, hungry);
		if (!(word & (WRITER | WRITERS_WAIT | UPGRADABLE))) {
			/* Too many readers hold it, and when some leave they wake no thread. */
			until = csys_deadline_earlier(until, csys_after_ns(FULL_NAP_NS));
		}
		int r = csysi_os_wait_as(&lock->word, word, until, READER_SLEEPS);
		if (r != CSYS_ETIMEDOUT)
			continue;
		if (csys_deadline_compare(until, deadline) == 0)
			return next_comes_in_or_stops(lock) ? 0 : r;
		if (csys_deadline_compare(until, hungry) == 0) {
			next_is_hungry(lock);
			hungry = csysi_checked_looks_again();
		}
	}
	return 0;
}

static int upgradable_slow(csys_rwlock *lock, csys_deadline deadline)
{
	/* A thread that has no time to wait leaves no trace. */
	if (csys_deadline_left(deadline) == 0)
		return CSYS_ETIMEDOUT;
	if (spin_upgradable(lock))
		return 0;
	int r = csysi_mutex_take(&lock->turn, deadline);
	if (r < 0)
		return r;
	if (!come_in_or_be_next(lock))
		r = wait_as_next(lock, deadline);
	/* It holds the lock, or is in this call, so the lock is there. */
	csysi_mutex_release(&lock->turn);
	return r;
}

int csys_rwlock_upgradable_read_until(csys_rwlock *lock, csys_deadline deadline)
{
	CSYSI_WANTS(lock, CSYSI_HELD_UPGRADABLE, deadline);
	if (!try_upgradable(lock)) {
		int r = upgradable_slow(lock, deadline);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE);
}

int csys_rwlock_upgradable_read(csys_rwlock *lock)
{
	return csys_rwlock_upgradable_read_until(lock, CSYS_FOREVER);
}

int csys_rwlock_try_upgradable_read(csys_rwlock *lock)
{
	if (!try_upgradable(lock))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE);
}

/* ---- leaving ------------------------------------------------------------------------------- */

void csysi_rwlock_leave_upgradable(csys_rwlock *lock)
{
	const uint32_t *address = &lock->word;
	/* Release pairs with the acquire of the next writer.  From here on it may be gone. */
	uint32_t now = csysi_sub_release(&lock->word, UPGRADABLE + 1);
	uint32_t was = now + (UPGRADABLE + 1);

	if (!(was & UPGRADABLE))
		csysi_os_abort("unlock of a rwlock that nobody reads upgradably");
	csysi_rwlock_wake(address, was, now);
}

void csys_rwlock_unlock_upgradable(csys_rwlock *lock)
{
	if (csysi_leave(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE))
		csysi_rwlock_leave_upgradable(lock);
}

void csys_rwlock_downgrade_upgradable(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	csysi_holds_now(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE, CSYSI_HELD_READ);
	if (!(word & UPGRADABLE))
		csysi_os_abort("downgrade of a rwlock that nobody reads upgradably");
	/* Release pairs with the acquire of the next upgradable reader. */
	while (!csysi_cas_release(&lock->word, &word, word & ~UPGRADABLE))
		;
	csysi_rwlock_wake(&lock->word, word, word & ~UPGRADABLE);
}

/* ---- upgrading ------------------------------------------------------------------------------ */

/* Write instead of read, if this is the only reader. */
static int try_upgrade(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & READERS) == 1)
		/* Acquire pairs with the releases of readers that left. */
		if (csysi_cas_acquire(&lock->word, &word, ((word - 1) & ~UPGRADABLE) | WRITER))
			return 1;
	return 0;
}

static int upgrades(csys_rwlock *lock, int before)
{
	csysi_holds_now(&lock->turn.marks, lock, before, CSYSI_HELD_WRITE);
	return csys_rwlock_is_poisoned(lock) ? CSYS_POISONED : 0;
}

static int spin_upgrade(csys_rwlock *lock)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_upgrade(lock))
			return 1;
	return 0;
}

static int upgrade_slow(csys_rwlock *lock, csys_deadline deadline)
{
	if (csys_deadline_left(deadline) > 0 && spin_upgrade(lock))
		return 0;
	do {
		if (try_upgrade(lock))
			return 0;
		/* A thread that has no time to wait leaves no trace. */
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		if (csysi_rwlock_be_counted(lock))
			break;
		csysi_spin_nap(FULL_NAP_NS);
	} while (1);
	for (;;) {
		int r = 0;
		uint32_t word = csysi_rwlock_say_waiting(lock);
		/* It sleeps on a word that has more readers only: those wake it. */
		if ((word & READERS) != 1)
			r = csysi_os_wait_as(&lock->word, word, deadline, UPGRADER_SLEEPS);
		if (try_upgrade(lock)) {
			csysi_rwlock_come_in(lock, 1);
			return 0;
		}
		if (r == CSYS_ETIMEDOUT) {
			csysi_rwlock_give_up(lock, 1);
			return r;
		}
	}
}

int csys_rwlock_upgrade_until(csys_rwlock *lock, csys_deadline deadline)
{
	if (!(csysi_load_relaxed(&lock->word) & UPGRADABLE) ||
	    !csysi_may_hold(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE))
		csysi_os_abort("upgrade of a rwlock that is not read upgradably");
	CSYSI_WANTS(lock, CSYSI_WANTS_UPGRADE, deadline);
	int r = upgrade_slow(lock, deadline);
	if (r < 0) {
		csysi_checked_gave_up();
		return r;
	}
	return upgrades(lock, CSYSI_HELD_UPGRADABLE);
}

int csys_rwlock_upgrade(csys_rwlock *lock)
{
	return csys_rwlock_upgrade_until(lock, CSYS_FOREVER);
}

int csys_rwlock_try_upgrade(csys_rwlock *lock)
{
	if (try_upgrade(lock))
		return upgrades(lock, csysi_holds(lock, CSYSI_HELD_UPGRADABLE)
					      ? CSYSI_HELD_UPGRADABLE
					      : CSYSI_HELD_READ);
	if ((csysi_load_relaxed(&lock->word) & READERS) == 0)
		csysi_os_abort("upgrade of a rwlock that nobody reads");
	return CSYS_EAGAIN;
}
