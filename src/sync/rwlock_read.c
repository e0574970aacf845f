/*
 * sync/rwlock_read.c - the readers of a rwlock: coming in, and waiting for it.
 *
 * States and invariants: sync/rwlock.c.
 */
#include <csys/base/result.h>
#include <csys/sync/rwlock.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/rwlock.h"
#include "sync/spin.h"

/* Whether writers keep a reader out.  One that is recursive gets in past those that wait. */
static int is_kept_out(uint32_t word, int is_recursive)
{
	return (word & WRITER) || (!is_recursive && (word & WRITERS_WAIT));
}

static int may_read(uint32_t word, int is_recursive)
{
	return !is_kept_out(word, is_recursive) && (word & READERS) != READERS;
}

static int try_read(csys_rwlock *lock, int is_recursive)
{
	/* Relaxed, as all loads of the word before a compare-and-swap: that decides. */
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (may_read(word, is_recursive))
		/* Acquire pairs with the releases of unlock_write and downgrade. */
		if (csysi_cas_acquire(&lock->word, &word, word + 1))
			return 1;
	return 0;
}

static int spin_read(csys_rwlock *lock, int is_recursive)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_read(lock, is_recursive))
			return 1;
	return 0;
}

/* Sleep where the counts of the word have no place for this reader. */
static void wait_uncounted(csys_rwlock *lock, uint32_t word, int is_recursive,
			   csys_deadline deadline)
{
	/* Too many read, and when some leave they wake no reader. */
	if (!is_kept_out(word, is_recursive))
		csysi_spin_nap(FULL_NAP_NS);
	else
		/* It is woken with the readers that are counted, unless all of these give up. */
		csysi_os_wait_as(&lock->word, word,
				 csys_deadline_earlier(deadline, csys_after_ns(UNCOUNTED_NS)),
				 READER_SLEEPS);
}

/* Come in: 1; or be counted as waiting: 0; with the word after that.  Else CSYS_ETIMEDOUT. */
static int read_or_wait(csys_rwlock *lock, int is_recursive, csys_deadline deadline, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		int comes_in = may_read(word, is_recursive);
		if (!comes_in &&
		    ((word & WAITING) == WAITING || !is_kept_out(word, is_recursive))) {
			if (csys_deadline_left(deadline) == 0)
				return CSYS_ETIMEDOUT;
			wait_uncounted(lock, word, is_recursive, deadline);
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
	uint32_t next = word - ONE_WAITING;

	return next & (WAITING | UPGRADABLE_WAITS) ? next : next & ~HUNGRY;
}

/*
 * For a reader that is counted as waiting: 1 if a writer has let it in, or if it has come in
 * by itself, since no thread keeps it out any more.  0, with the word that keeps it out: if it
 * slept on an older word, it could miss that a writer came and gave up in between.
 */
static int try_come_in(csys_rwlock *lock, uint32_t phase, int is_recursive, uint32_t *out)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while ((word & PHASE) == phase) {
		*out = word;
		if (!may_read(word, is_recursive))
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
static int come_in_or_stop(csys_rwlock *lock, uint32_t phase, int is_recursive)
{
	uint32_t word;

	while (!try_come_in(lock, phase, is_recursive, &word))
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

static int read_slow(csys_rwlock *lock, int is_recursive, csys_deadline deadline)
{
	uint32_t word;

	/* A thread that has no time to wait leaves no trace. */
	if (csys_deadline_left(deadline) == 0)
		return try_read(lock, is_recursive) ? 0 : CSYS_ETIMEDOUT;
	if (spin_read(lock, is_recursive))
		return 0;
	int r = read_or_wait(lock, is_recursive, deadline, &word);
	if (r != 0)
		return r < 0 ? r : 0;
	uint32_t phase = word & PHASE;
	csys_deadline hungry = csys_after_ns(HUNGRY_NS);
	while (!try_come_in(lock, phase, is_recursive, &word)) {
		csys_deadline until = csys_deadline_earlier(deadline, hungry);
		if (!is_kept_out(word, is_recursive)) {
			/* Too many readers hold it, and when some leave they wake no reader. */
			until = csys_deadline_earlier(until, csys_after_ns(FULL_NAP_NS));
		}
		r = csysi_os_wait_as(&lock->word, word, until, READER_SLEEPS);
		if (r != CSYS_ETIMEDOUT)
			continue;
		if (csys_deadline_compare(until, deadline) == 0)
			return come_in_or_stop(lock, phase, is_recursive) ? 0 : r;
		if (csys_deadline_compare(until, hungry) == 0) {
			say_hungry(lock, phase);
			hungry = csysi_checked_looks_again();
		}
	}
	return 0;
}

int csysi_rwlock_is_reader(const csys_rwlock *lock)
{
	return csysi_holds(lock, CSYSI_HELD_READ) || csysi_holds(lock, CSYSI_HELD_UPGRADABLE);
}

int csysi_rwlock_read_slow(csys_rwlock *lock)
{
	(void)read_slow(lock, csysi_rwlock_is_reader(lock), CSYS_FOREVER);
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_read_until(csys_rwlock *lock, csys_deadline deadline)
{
	CSYSI_WANTS(lock, CSYSI_HELD_READ, deadline);
	if (!try_read(lock, 0)) {
		int r = read_slow(lock, csysi_rwlock_is_reader(lock), deadline);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_try_read(csys_rwlock *lock)
{
	if (!try_read(lock, csysi_rwlock_is_reader(lock)))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_read_recursive_until(csys_rwlock *lock, csys_deadline deadline)
{
	CSYSI_WANTS(lock, CSYSI_WANTS_RECURSIVE, deadline);
	if (!try_read(lock, 1)) {
		int r = read_slow(lock, 1, deadline);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

int csys_rwlock_read_recursive(csys_rwlock *lock)
{
	return csys_rwlock_read_recursive_until(lock, CSYS_FOREVER);
}

int csys_rwlock_try_read_recursive(csys_rwlock *lock)
{
	if (!try_read(lock, 1))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

int csysi_rwlock_read_again(csys_rwlock *lock)
{
	if (!try_read(lock, 1))
		return 0;
	csysi_checked_has(lock, CSYSI_HELD_READ);
	return 1;
}
