/*
 * sync/rwlock.c - many readers or one writer, in one word.
 *
 *   word:  WRITER | WRITERS_WAIT | PHASE | HUNGRY | readers that wait | that hold it
 *   writers: those that wait, and above them those that have waited for long
 *
 * No count exceeds its field: if one is full (4095 readers or 65535 writers that wait, 65535
 * readers that hold it), another thread naps for FULL_NAP_NS and tries again.
 *
 * A thread that has no time to wait is not counted.  One whose deadline passes takes the lock if
 * it can be taken by then; but a writer that was never woken leaves it to writers that have waited
 * for long, else one that comes again and again with short deadlines would keep them out.
 *
 * Readers come in while no writer holds it or waits.  One that has to wait counts
 * itself into the word, remembers the phase, and sleeps.  Mostly it is woken when no
 * writer is left, and comes in by itself.  One that has slept for long makes the word
 * HUNGRY; then the next writer that leaves makes all waiting readers holders and inverts
 * the phase, in one step, and wakes them: they hold it already, asleep or not.  Only a writer
 * that leaves does that; so the phase cannot change twice before such a reader has seen it,
 * since no writer comes in before that reader has left, and one bit is enough.  A writer that
 * leaves while no reader waits makes the phase 0, so that a free lock mostly is 0.
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
#include <csys/sync/atomic.h>
#include <csys/sync/rwlock.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/spin.h"

#define WRITER CSYSI_RWLOCK_WRITER
#define WRITERS_WAIT CSYSI_RWLOCK_WRITERS_WAIT
#define PHASE CSYSI_RWLOCK_PHASE
#define HUNGRY CSYSI_RWLOCK_HUNGRY
#define WAITING CSYSI_RWLOCK_WAITING
#define READERS CSYSI_RWLOCK_READERS

/* One reader that waits. */
#define ONE_WAITING 0x10000u

/* In `writers`: one that has waited for long. */
#define ONE_HUNGRY 0x10000u
#define WRITERS 0xffffu
#define HUNGRY_NS 1000000

/* Kinds of sleepers. */
enum { READER_SLEEPS = 1, WRITER_SLEEPS = 2 };

/* If a count is full, a thread naps for this long and tries again. */
#define FULL_NAP_NS 500000

/* ---- letting others in ------------------------------------------------------------------ */

/* The word after its waiting readers were made holders, if there are any. */
static uint32_t let_in(uint32_t word)
{
	uint32_t waiting = (word & WAITING) / ONE_WAITING;

	return waiting > 0 ? ((word & ~(WAITING | HUNGRY)) ^ PHASE) + waiting : word;
}

/* The word after its writer has left.  If no reader waits, none has to see the phase, so that is
 * cleared too. */
static uint32_t without_writer(uint32_t word)
{
	if (!(word & WAITING))
		return word & ~(WRITER | PHASE | HUNGRY);
	/* Readers that sleep would hold it for long before they run: so only if one is HUNGRY. */
	return word & HUNGRY ? let_in(word & ~WRITER) : word & ~WRITER;
}

/* After a step from one word to the other: wake the threads that it lets in. */
static void wake(const uint32_t *address, uint32_t before, uint32_t now)
{
	if (before & WAITING && (!(now & WAITING) || !(now & (WRITER | WRITERS_WAIT))))
		csysi_os_wake_kind(address, UINT32_MAX, READER_SLEEPS);
	else if ((now & (WRITER | READERS)) == 0 && now & WRITERS_WAIT)
		csysi_os_wake_kind(address, 1, WRITER_SLEEPS);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Whether a reader may come in; one that reads already may, past waiting writers. */
static int may_read(uint32_t word, int is_inside)
{
	return !(word & WRITER) && (is_inside || !(word & WRITERS_WAIT)) &&
	       (word & READERS) != READERS;
}

static int try_read(csys_rwlock *lock, int is_inside)
{
	/* Relaxed, as all loads of the word before a compare-and-swap: that decides. */
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (may_read(word, is_inside))
		/* Acquire pairs with the releases of unlock_write and downgrade. */
		if (csysi_cas_acquire(&lock->word, &word, word + 1))
			return 1;
	return 0;
}

static int spin_read(csys_rwlock *lock, int is_inside)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_read(lock, is_inside))
			return 1;
	return 0;
}

/* Come in: 1; or be counted as waiting: 0; with the word after that.  Else CSYS_ETIMEDOUT. */
static int read_or_wait(csys_rwlock *lock, int is_inside, csys_deadline deadline, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		int comes_in = may_read(word, is_inside);
		if (!comes_in &&
		    ((word & WAITING) == WAITING || !(word & (WRITER | WRITERS_WAIT)))) {
			/* Too many readers wait, or hold it. */
			if (csys_deadline_left(deadline) == 0)
				return CSYS_ETIMEDOUT;
			csysi_spin_nap(FULL_NAP_NS);
			word = csysi_load_relaxed(&lock->word);
			continue;
		}
		/* Acquire as above; for a reader that waits it is more than needed. */
		uint32_t next = word + (comes_in ? 1 : ONE_WAITING);
		if (csysi_cas_acquire(&lock->word, &word, next)) {
			*out = next;
			return comes_in;
		}
	}
}

/* The word with one waiting reader less; HUNGRY is cleared with the last one. */
static uint32_t without_one_waiting(uint32_t word)
{
	return (word & WAITING) == ONE_WAITING ? word & ~(WAITING | HUNGRY) : word - ONE_WAITING;
}

/*
 * For a reader that is counted as waiting: 1 if a writer has let it in, or if it has come in
 * by itself, since no thread keeps it out any more.  0, with the word that keeps it out: if it
 * slept on an older word, it could miss that a writer came and gave up in between.
 */
static int try_come_in(csys_rwlock *lock, uint32_t phase, int is_inside, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & PHASE) == phase) {
		*out = word;
		if (!may_read(word, is_inside))
			return 0;
		/* Acquire pairs with the releases of unlock_write and downgrade. */
		if (csysi_cas_acquire(&lock->word, &word, without_one_waiting(word) + 1))
			return 1;
	}
	/* Acquire pairs with the release of the writer that let it in. */
	(void)csysi_load_acquire(&lock->word);
	return 1;
}

/* The deadline has passed.  Come in if that is possible by now: 1; or stop waiting: 0. */
static int come_in_or_stop(csys_rwlock *lock, uint32_t phase, int is_inside)
{
	uint32_t word;

	while (!try_come_in(lock, phase, is_inside, &word))
		/* Relaxed: the decrement orders nothing. */
		if (csysi_cas_relaxed(&lock->word, &word, without_one_waiting(word)))
			return 0;
	return 1;
}

/* Make the word HUNGRY, unless this reader was let in.  Relaxed: that orders nothing, and a writer
 * that leaves after it sees it. */
static void say_hungry(csys_rwlock *lock, uint32_t phase)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & PHASE) == phase)
		if (csysi_cas_relaxed(&lock->word, &word, word | HUNGRY))
			return;
}

static int read_slow(csys_rwlock *lock, csys_deadline deadline)
{
	int is_inside = csysi_holds(lock, CSYSI_HELD_READ);
	uint32_t word;

	/* A thread that has no time to wait leaves no trace. */
	if (csys_deadline_left(deadline) == 0)
		return try_read(lock, is_inside) ? 0 : CSYS_ETIMEDOUT;
	if (spin_read(lock, is_inside))
		return 0;
	int r = read_or_wait(lock, is_inside, deadline, &word);
	if (r != 0)
		return r < 0 ? r : 0;
	uint32_t phase = word & PHASE;
	csys_deadline hungry = csys_after_ns(HUNGRY_NS);
	while (!try_come_in(lock, phase, is_inside, &word)) {
		csys_deadline until = csys_deadline_earlier(deadline, hungry);
		if (!(word & (WRITER | WRITERS_WAIT))) {
			/* Too many readers hold it, and when some leave they wake no reader. */
			until = csys_deadline_earlier(until, csys_after_ns(FULL_NAP_NS));
		}
		r = csysi_os_wait_as(&lock->word, word, until, READER_SLEEPS);
		if (r != CSYS_ETIMEDOUT)
			continue;
		if (csys_deadline_compare(until, deadline) == 0)
			return come_in_or_stop(lock, phase, is_inside) ? 0 : r;
		if (csys_deadline_compare(until, hungry) == 0) {
			say_hungry(lock, phase);
			hungry = CSYS_FOREVER;
		}
	}
	return 0;
}

int csysi_rwlock_read_slow(csys_rwlock *lock)
{
	(void)read_slow(lock, CSYS_FOREVER);
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_read_until(csys_rwlock *lock, csys_deadline deadline)
{
	CSYSI_WANTS(lock, CSYSI_HELD_READ, deadline);
	if (!try_read(lock, 0)) {
		int r = read_slow(lock, deadline);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_try_read(csys_rwlock *lock)
{
	if (!try_read(lock, csysi_holds(lock, CSYSI_HELD_READ)))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_READ);
}

/* A reader has left; `was` is the word before. */
void csysi_rwlock_unlock_read_slow(csys_rwlock *lock, uint32_t was)
{
	if ((was & READERS) == 0)
		csysi_os_abort("unlock of a rwlock that nobody reads");
	wake(&lock->word, was, was - 1);
}

/* ---- writing ------------------------------------------------------------------------------- */

static int try_write(csys_rwlock *lock, uint32_t ignored)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & ~(PHASE | ignored)) == 0)
		/* Acquire pairs with the releases of all unlocks. */
		if (csysi_cas_acquire(&lock->word, &word, word | WRITER))
			return 1;
	return 0;
}

static int spin_write(csys_rwlock *lock, uint32_t ignored)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_write(lock, ignored))
			return 1;
	return 0;
}

/*
 * The last waiting writer waits no more: clear WRITERS_WAIT.  1: other writers have come
 * meanwhile, and it is set again.
 */
static int say_not_waiting(csys_rwlock *lock)
{
	for (;;) {
		csysi_and_relaxed(&lock->word, ~WRITERS_WAIT);
		/* Add 0, in both orders, as one of the steps by which writers count themselves: a
		 * writer that does so later sees that the bit was cleared. */
		if (csysi_add_acq_rel(&lock->writers, 0) == 0)
			return 0;
		csysi_or_relaxed(&lock->word, WRITERS_WAIT);
		/* They may have gone again, and cleared it before it was set. */
		if (csysi_add_acq_rel(&lock->writers, 0) != 0)
			return 1;
	}
}

/* This writer waits no more: it holds the lock. */
static void come_in(csys_rwlock *lock, uint32_t as)
{
	/* Both orders, as in every step of `writers`: the one that makes it 0 sees what was done
	 * before the others. */
	if (csysi_add_acq_rel(&lock->writers, 0u - as) == 0)
		(void)say_not_waiting(lock);
}

/* This writer waits no more, and does not hold the lock.  If it was the last to wait, readers need
 * not wait. */
static void give_up(csys_rwlock *lock, uint32_t as)
{
	const uint32_t *address = &lock->word;
	/* Both orders, as in come_in. */
	if (csysi_add_acq_rel(&lock->writers, 0u - as) != 0)
		return;

	/* A writer that came in between may sleep by now, and no other thread would wake it. */
	if (say_not_waiting(lock))
		csysi_os_wake_kind(address, 1, WRITER_SLEEPS);
	csysi_os_wake_kind(address, UINT32_MAX, READER_SLEEPS);
}

/* Make sure that WRITERS_WAIT is set before sleeping on the word; 0: the lock is free. */
static int say_waiting(csys_rwlock *lock, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (!(word & WRITERS_WAIT))
		/* Release pairs with the acquire of the writer that clears it and then looks at
		 * `writers`. */
		if (csysi_cas_release(&lock->word, &word, word | WRITERS_WAIT))
			word |= WRITERS_WAIT;
	*out = word;
	return (word & (WRITER | READERS)) != 0;
}

/* Count this writer as waiting.  0: the count is full. */
static int be_counted(csys_rwlock *lock)
{
	uint32_t writers = csysi_load_relaxed(&lock->writers);

	do
		if ((writers & WRITERS) == WRITERS)
			return 0;
	/* Both orders, as in come_in. */
	while (!csysi_cas_acq_rel(&lock->writers, &writers, writers + 1));
	return 1;
}

/* Whether this writer, which is counted as `as`, has to let others go first: it has not been woken
 * yet, and they have waited for long. */
static int is_late(const csys_rwlock *lock, uint32_t as, int was_woken)
{
	return !was_woken && as == 1 && csysi_load_relaxed(&lock->writers) >= ONE_HUNGRY;
}

static int write_slow(csys_rwlock *lock, csys_deadline deadline)
{
	uint32_t as = 1;
	int64_t first = 0; /* when it first slept */
	int was_woken = 0;

	if (csys_deadline_left(deadline) > 0 && spin_write(lock, 0))
		return 0;
	do {
		if (try_write(lock, 0))
			return 0;
		/* A thread that has no time to wait leaves no trace. */
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		if (be_counted(lock))
			break;
		csysi_spin_nap(FULL_NAP_NS);
	} while (1);
	for (;;) {
		uint32_t word;
		int is_held = say_waiting(lock, &word);
		int must_wait = is_late(lock, as, first != 0);
		if (!must_wait && spin_write(lock, WRITERS_WAIT | WAITING | HUNGRY)) {
			come_in(lock, as);
			return 0;
		}
		if (!is_held && !must_wait)
			continue;

		int64_t now = csys_now();
		csys_deadline until = deadline;
		if (first == 0) {
			first = now;
		} else if (as == 1 && now - first > HUNGRY_NS) {
			csysi_add_acq_rel(&lock->writers, ONE_HUNGRY);
			as += ONE_HUNGRY;
		}
		if (!is_held) /* the one that it waits for may have given up */
			until = csys_deadline_earlier(deadline, csys_deadline_at(now + HUNGRY_NS));
		int r = csysi_os_wait_as(&lock->word, word, until, WRITER_SLEEPS);
		if (r == 0)
			was_woken = 1;
		if (r == CSYS_ETIMEDOUT && csys_deadline_compare(until, deadline) == 0) {
			/* A free lock beats a deadline that has passed; but if it is free because
			 * others are to have it, which were woken, it is left to them. */
			if (!is_late(lock, as, was_woken) &&
			    try_write(lock, WRITERS_WAIT | WAITING | HUNGRY)) {
				come_in(lock, as);
				return 0;
			}
			give_up(lock, as);
			return r;
		}
	}
}

int csysi_rwlock_write_slow(csys_rwlock *lock)
{
	(void)write_slow(lock, CSYS_FOREVER);
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_WRITE);
}

int csys_rwlock_write_until(csys_rwlock *lock, csys_deadline deadline)
{
	CSYSI_WANTS(lock, CSYSI_HELD_WRITE, deadline);
	if (!try_write(lock, 0)) {
		int r = write_slow(lock, deadline);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_WRITE);
}

int csys_rwlock_try_write(csys_rwlock *lock)
{
	if (!try_write(lock, 0))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_WRITE);
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
	wake(address, word, next);
}

/* ---- from one to the other ----------------------------------------------- */

void csys_rwlock_downgrade(csys_rwlock *lock)
{
	const uint32_t *address = &lock->word;
	uint32_t word = csysi_load_relaxed(&lock->word);
	uint32_t next;

	csysi_holds_now(&lock->marks, lock, CSYSI_HELD_WRITE, CSYSI_HELD_READ);
	if (!(word & WRITER))
		csysi_os_abort("downgrade of a rwlock that nobody writes");
	do {
		next = let_in((word & ~WRITER) + 1);
		/* Release pairs with the acquires of the readers. */
	} while (!csysi_cas_release(&lock->word, &word, next));
	wake(address, word, next);
}

int csys_rwlock_try_upgrade(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & READERS) == 1) {
		/* Acquire pairs with the releases of readers that left. */
		if (!csysi_cas_acquire(&lock->word, &word, (word - 1) | WRITER))
			continue;
		csysi_holds_now(&lock->marks, lock, CSYSI_HELD_READ, CSYSI_HELD_WRITE);
		return csys_rwlock_is_poisoned(lock) ? CSYS_POISONED : 0;
	}
	if ((word & READERS) == 0)
		csysi_os_abort("upgrade of a rwlock that nobody reads");
	return CSYS_EAGAIN;
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
	return csysi_is_poisoned(&lock->marks);
}

void csys_rwlock_clear_poison(csys_rwlock *lock)
{
	csysi_clear_poison(&lock->marks);
}

void csys_rwlock_poison(csys_rwlock *lock)
{
	csysi_poison(&lock->marks);
}

void csysi_rwlock_abandon(csys_rwlock *lock, int how)
{
	if (how == CSYSI_HELD_WRITE) {
		csysi_poison(&lock->marks);
		csysi_rwlock_unlock_write_slow(lock);
		return;
	}
	/* Release as in unlock_read. */
	uint32_t was = csysi_sub_release(&lock->word, 1) + 1;
	if (was & WRITERS_WAIT)
		csysi_rwlock_unlock_read_slow(lock, was);
}

int csysi_rwlock_read_again(csys_rwlock *lock)
{
	if (!try_read(lock, 1))
		return 0;
	csysi_checked_has(lock, CSYSI_HELD_READ);
	return 1;
}

void csys_rwlock_assert_read(const csys_rwlock *lock)
{
	if ((csysi_load_relaxed(&lock->word) & READERS) == 0 ||
	    !csysi_may_hold(&lock->marks, lock, CSYSI_HELD_READ))
		csysi_os_abort("a rwlock is not read that should be");
}

void csys_rwlock_assert_write(const csys_rwlock *lock)
{
	if (!(csysi_load_relaxed(&lock->word) & WRITER) ||
	    !csysi_may_hold(&lock->marks, lock, CSYSI_HELD_WRITE))
		csysi_os_abort("a rwlock is not written that should be");
}
