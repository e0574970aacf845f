/*
 * sync/rwlock_write.c - the writers of a rwlock: coming in, and waiting for it.
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

/* What a writer that has waited need not leave the lock to. */
#define ALL_WAIT (WRITERS_WAIT | WAITING | HUNGRY | UPGRADABLE_WAITS)

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

void csysi_rwlock_come_in(csys_rwlock *lock, uint32_t as)
{
	/* Both orders, as in every step of `writers`: the one that makes it 0 sees what was done
	 * before the others. */
	if (csysi_add_acq_rel(&lock->writers, 0u - as) == 0)
		(void)say_not_waiting(lock);
}

void csysi_rwlock_give_up(csys_rwlock *lock, uint32_t as)
{
	const uint32_t *address = &lock->word;
	/* Both orders, as in come_in. */
	if (csysi_add_acq_rel(&lock->writers, 0u - as) != 0)
		return;

	/* A writer that came in between may sleep by now, and no other thread would wake it.  The
	 * same goes for a reader that is upgraded. */
	if (say_not_waiting(lock)) {
		csysi_os_wake_kind(address, 1, WRITER_SLEEPS);
		csysi_os_wake_kind(address, 1, UPGRADER_SLEEPS);
	}
	csysi_os_wake_kind(address, UINT32_MAX, READER_SLEEPS);
}

uint32_t csysi_rwlock_say_waiting(csys_rwlock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	while (!(word & WRITERS_WAIT))
		/* Release pairs with the acquire of the writer that clears it and then looks at
		 * `writers`. */
		if (csysi_cas_release(&lock->word, &word, word | WRITERS_WAIT))
			word |= WRITERS_WAIT;
	return word;
}

int csysi_rwlock_be_counted(csys_rwlock *lock)
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
		if (csysi_rwlock_be_counted(lock))
			break;
		csysi_spin_nap(FULL_NAP_NS);
	} while (1);
	for (;;) {
		uint32_t word = csysi_rwlock_say_waiting(lock);
		int is_held = (word & (WRITER | READERS)) != 0;
		int must_wait = is_late(lock, as, first != 0);
		if (!must_wait && spin_write(lock, ALL_WAIT)) {
			csysi_rwlock_come_in(lock, as);
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
			if (!is_late(lock, as, was_woken) && try_write(lock, ALL_WAIT)) {
				csysi_rwlock_come_in(lock, as);
				return 0;
			}
			csysi_rwlock_give_up(lock, as);
			return r;
		}
	}
}

int csysi_rwlock_write_slow(csys_rwlock *lock)
{
	(void)write_slow(lock, CSYS_FOREVER);
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_WRITE);
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
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_WRITE);
}

int csys_rwlock_try_write(csys_rwlock *lock)
{
	if (!try_write(lock, 0))
		return CSYS_EAGAIN;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_WRITE);
}
