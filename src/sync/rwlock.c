/*
 * sync/rwlock.c - many readers or one writer, in one word.
 *
 *   word:  WRITER | WRITERS_WAIT | PHASE | HUNGRY | UPGRADABLE | UPGRADABLE_WAITS |
 *          readers that wait | that hold it
 *   writers: those that wait, and above them those that have waited for long
 *   turn: a mutex for the threads that wait to be the upgradable reader; its marks are the lock's
 *
 * No count exceeds its field.  If one is full (65535 writers that wait, 65535 readers that hold
 * it), another thread naps for FULL_NAP_NS and tries again.  Beyond 1023 waiting readers others
 * sleep uncounted: they are woken with those that are counted, and look by themselves after
 * UNCOUNTED_NS.
 *
 * What readers do is in rwlock_read.c, writers in rwlock_write.c, and the upgradable reader,
 * with invariants of its own, in rwlock_upgradable.c.
 *
 * A thread that has no time to wait is not counted.  One whose deadline passes takes the lock if
 * it can be taken by then; but a writer that was never woken leaves it to writers that have waited
 * for long, else one that comes again and again with short deadlines would keep them out.
 *
 * Readers come in while no writer holds it or waits; recursive ones also while one waits.  One
 * that has to wait counts itself into the word, remembers the phase, and sleeps.  Mostly it is
 * woken when no
 * writer is left, and comes in by itself.  One that has slept for long makes the word
 * HUNGRY; then the next writer that leaves makes all waiting readers holders and inverts
 * the phase, in one step, and wakes them: they hold it already, asleep or not.  Only a writer
 * that leaves does that; so the phase cannot change twice before such a reader has seen it,
 * since no writer comes in before that reader has left, and one bit is enough.  A writer that
 * leaves while no reader waits makes the phase 0, so that a free lock mostly is 0.  The thread that
 * waits to be the upgradable reader is let in with the readers.
 *
 * Writers come in while no thread holds it.  One that has to wait says so in
 * `writers` and in the word, then looks, then sleeps.  Invariants:
 *   - while a writer sleeps, WRITERS_WAIT is set, or an awake writer is about to
 *     set it: only a writer that is inside, or gives up, clears it, when `writers`
 *     is 0, and looks at `writers` again after that;
 *   - the thread that makes the word free of holders while WRITERS_WAIT is set wakes a writer;
 *   - while a reader sleeps, WRITER or WRITERS_WAIT is set, or it is about to be
 *     woken: by a writer that leaves and lets it in, or leaves no other one waiting, or
 *     that gives up, as the last.
 *
 * An unlock touches the lock in one step only, its last, and then uses its address
 * alone.  A thread that waits is a user of the lock, so `writers` is there for it.
 */
#include <csys/base/result.h>
#include <csys/sync/rwlock.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/rwlock.h"

/* ---- letting others in ------------------------------------------------------------------ */

/*
 * The word after all waiting readers were made holders, and the thread that waits to be the
 * upgradable reader too, if there is no other one.
 */
static uint32_t let_in(uint32_t word)
{
	uint32_t waiting = (word & WAITING) / ONE_WAITING;

	if (waiting > 0)
		word = ((word & ~WAITING) ^ PHASE) + waiting;
	if ((word & UPGRADABLE_WAITS) && !(word & UPGRADABLE))
		word = ((word & ~UPGRADABLE_WAITS) | UPGRADABLE) + 1;
	return word & UPGRADABLE_WAITS ? word : word & ~HUNGRY;
}

/* The word after its writer has left.  If no reader waits, none has to see the phase, so that is
 * cleared too. */
static uint32_t without_writer(uint32_t word)
{
	if (!(word & (WAITING | UPGRADABLE_WAITS)))
		return word & ~(WRITER | PHASE | HUNGRY);
	/* Readers that sleep would hold it for long before they run: so only if one is HUNGRY. */
	return word & HUNGRY ? let_in(word & ~WRITER) : word & ~WRITER;
}

void csysi_rwlock_wake(const uint32_t *address, uint32_t before, uint32_t now)
{
	uint32_t writers = now & (WRITER | WRITERS_WAIT);
	int readers_go = (before & WAITING) && (!(now & WAITING) || !writers);
	int upgradable_goes = (before & UPGRADABLE_WAITS) &&
			      (!(now & UPGRADABLE_WAITS) || (!writers && !(now & UPGRADABLE)));

	if (readers_go || upgradable_goes)
		csysi_os_wake_kind(address, UINT32_MAX, READER_SLEEPS);
	else if (writers == WRITERS_WAIT && (now & READERS) == 0)
		csysi_os_wake_kind(address, 1, WRITER_SLEEPS);
	else if (writers == WRITERS_WAIT && (now & READERS) == 1 && (now & UPGRADABLE))
		csysi_os_wake_kind(address, 1, UPGRADER_SLEEPS);
}

/* A reader has left; `was` is the word before. */
void csysi_rwlock_unlock_read_slow(csys_rwlock *lock, uint32_t was)
{
	if ((was & READERS) == 0)
		csysi_os_abort("unlock of a rwlock that nobody reads");
	csysi_rwlock_wake(&lock->word, was, was - 1);
}

void csysi_rwlock_unlock_write_slow(csys_rwlock *lock)
{
	const uint32_t *address = &lock->word;
	uint32_t word = csysi_load_relaxed(&lock->word);
	uint32_t next;

	if (!(word & WRITER))
		csysi_os_abort("unlock of a rwlock that nobody writes");
	do {
		next = without_writer(word);
		/* Release pairs with the acquires of the threads that come in. */
	} while (!csysi_cas_release(&lock->word, &word, next));
	csysi_rwlock_wake(address, word, next);
}

/* ---- from one to the other ----------------------------------------------- */

/* A writer becomes a reader: `as` is 1, or UPGRADABLE + 1. */
static void go_on_reading(csys_rwlock *lock, uint32_t as)
{
	const uint32_t *address = &lock->word;
	uint32_t word = csysi_load_relaxed(&lock->word);
	uint32_t next;

	if (!(word & WRITER))
		csysi_os_abort("downgrade of a rwlock that nobody writes");
	do {
		next = let_in((word & ~WRITER) + as);
		/* Release pairs with the acquires of the readers. */
	} while (!csysi_cas_release(&lock->word, &word, next));
	csysi_rwlock_wake(address, word, next);
}

void csys_rwlock_downgrade(csys_rwlock *lock)
{
	csysi_holds_now(&lock->turn.marks, lock, CSYSI_HELD_WRITE, CSYSI_HELD_READ);
	go_on_reading(lock, 1);
}

void csys_rwlock_downgrade_to_upgradable(csys_rwlock *lock)
{
	csysi_holds_now(&lock->turn.marks, lock, CSYSI_HELD_WRITE, CSYSI_HELD_UPGRADABLE);
	go_on_reading(lock, UPGRADABLE + 1);
}

void csys_rwlock_init(csys_rwlock *lock)
{
	*lock = (csys_rwlock)CSYS_RWLOCK_INIT;
}

void csys_rwlock_init_no_poison(csys_rwlock *lock)
{
	*lock = (csys_rwlock)CSYS_RWLOCK_INIT_NO_POISON;
}

int csys_rwlock_is_locked(const csys_rwlock *lock)
{
	/* Relaxed, here and below: it tells of a moment that is over. */
	return (csysi_load_relaxed(&lock->word) & (WRITER | READERS)) != 0;
}

int csys_rwlock_is_write_locked(const csys_rwlock *lock)
{
	return (csysi_load_relaxed(&lock->word) & WRITER) != 0;
}

/* ---- poison -------------------------------------------------------------- */

int csys_rwlock_is_poisoned(const csys_rwlock *lock)
{
	return csysi_is_poisoned(&lock->turn.marks);
}

void csys_rwlock_clear_poison(csys_rwlock *lock)
{
	csysi_clear_poison(&lock->turn.marks);
}

void csys_rwlock_poison(csys_rwlock *lock)
{
	csysi_poison(&lock->turn.marks);
}

void csysi_rwlock_abandon(csys_rwlock *lock, int how)
{
	if (how == CSYSI_HELD_WRITE) {
		csysi_poison(&lock->turn.marks);
		csysi_rwlock_unlock_write_slow(lock);
		return;
	}
	if (how == CSYSI_HELD_UPGRADABLE) {
		csysi_rwlock_leave_upgradable(lock);
		return;
	}
	/* Release as in unlock_read. */
	uint32_t was = csysi_sub_release(&lock->word, 1) + 1;
	if (was & WRITERS_WAIT)
		csysi_rwlock_unlock_read_slow(lock, was);
}

void csys_rwlock_assert_read(const csys_rwlock *lock)
{
	if ((csysi_load_relaxed(&lock->word) & READERS) == 0 ||
	    (!csysi_may_hold(&lock->turn.marks, lock, CSYSI_HELD_READ) &&
	     !csysi_holds(lock, CSYSI_HELD_UPGRADABLE)))
		csysi_os_abort("a rwlock is not read that should be");
}

void csys_rwlock_assert_upgradable(const csys_rwlock *lock)
{
	if (!(csysi_load_relaxed(&lock->word) & UPGRADABLE) ||
	    !csysi_may_hold(&lock->turn.marks, lock, CSYSI_HELD_UPGRADABLE))
		csysi_os_abort("a rwlock is not read upgradably that should be");
}

void csys_rwlock_assert_write(const csys_rwlock *lock)
{
	if (!(csysi_load_relaxed(&lock->word) & WRITER) ||
	    !csysi_may_hold(&lock->turn.marks, lock, CSYSI_HELD_WRITE))
		csysi_os_abort("a rwlock is not written that should be");
}
