/*
 * stress/stress_shared_rwlock.c - processes that read and write at full speed, and are killed.
 *
 *     stress_shared_rwlock [milliseconds [processes [seed]]]     for each way of noticing deaths
 *
 * Each takes one of a few rwlocks, in different ways, and looks at the two values that it guards or
 * changes them.  Readers that are not told of a death find two equal values, which stay what they
 * are; a writer that is told makes them equal.  Now and then a process reads all, of which there
 * are more than a member has cells.
 */
#include "base/atomic.h"
#include "support/storm.h"

enum { USUAL = 3, LOCKS = CSYSI_MEMBER_CELLS + 3 };

struct guarded {
	_Alignas(64) csys_shared_rwlock lock;
	uint64_t one; /* atomic, both: what is torn has to be seen */
	uint64_t other;
};

static struct guarded *guarded_at(unsigned i)
{
	return (struct guarded *)storm_objects() + i;
}

static csys_deadline soon(unsigned *seed)
{
	return csys_after_us(storm_roll(seed) % 200);
}

static int is_had(int r)
{
	if (r < 0 && r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT)
		storm_complain(csys_strerror(r));
	return r >= 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_somehow(csys_shared_rwlock *lock, unsigned *seed)
{
	switch (storm_roll(seed) % 4) {
	case 0:
		return csys_shared_rwlock_try_read(storm_region(), lock);
	case 1:
		return csys_shared_rwlock_read_until(storm_region(), lock, soon(seed));
	default:
		return csys_shared_rwlock_read(storm_region(), lock);
	}
}

/* With the lock, which told this result. */
static void compare(const struct guarded *guarded, int r, unsigned *seed)
{
	uint64_t one = csysi_load_relaxed(&guarded->one);

	storm_dally(seed);
	uint64_t other = csysi_load_relaxed(&guarded->other);
	if (r != CSYS_POISONED && one != other)
		storm_complain("a reader finds two values, and was not told of a death");
	if (csysi_load_relaxed(&guarded->one) != one)
		storm_complain("a value changes while it is read");
	storm_count();
}

static void read_one(struct guarded *guarded, unsigned *seed)
{
	int r = read_somehow(&guarded->lock, seed);

	if (!is_had(r))
		return;
	compare(guarded, r, seed);
	/* Once more: past all writers that wait. */
	if (storm_roll(seed) % 8 == 0) {
		if (csys_shared_rwlock_try_read(storm_region(), &guarded->lock) < 0)
			storm_complain("a reader cannot read once more");
		else
			csys_shared_rwlock_unlock_read(storm_region(), &guarded->lock);
		compare(guarded, r, seed);
	}
	csys_shared_rwlock_unlock_read(storm_region(), &guarded->lock);
}

static void read_all(unsigned *seed)
{
	int results[LOCKS];

	for (unsigned i = 0; i < LOCKS; i++)
		results[i] = csys_shared_rwlock_try_read(storm_region(), &guarded_at(i)->lock);
	for (unsigned i = 0; i < LOCKS; i++)
		if (is_had(results[i]))
			compare(guarded_at(i), results[i], seed);
	for (unsigned i = 0; i < LOCKS; i++)
		if (results[i] >= 0)
			csys_shared_rwlock_unlock_read(storm_region(), &guarded_at(i)->lock);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_somehow(csys_shared_rwlock *lock, unsigned *seed)
{
	switch (storm_roll(seed) % 4) {
	case 0:
		return csys_shared_rwlock_try_write(storm_region(), lock);
	case 1:
		return csys_shared_rwlock_write_until(storm_region(), lock, soon(seed));
	default:
		return csys_shared_rwlock_write(storm_region(), lock);
	}
}

/* With the lock. */
static void change(struct guarded *guarded, int r, unsigned *seed)
{
	uint64_t one = csysi_load_relaxed(&guarded->one);

	if (r == CSYS_POISONED) {
		storm_count_told();
		csysi_store_relaxed(&guarded->other, one);
		csys_shared_rwlock_clear_poison(&guarded->lock);
	} else if (csysi_load_relaxed(&guarded->other) != one) {
		storm_complain("a writer finds two values, and was not told of a death");
	}
	csysi_store_relaxed(&guarded->one, one + 1);
	storm_dally(seed);
	if (csysi_load_relaxed(&guarded->one) != one + 1)
		storm_complain("two processes write at once");
	csysi_store_relaxed(&guarded->other, one + 1);
	storm_count();
}

static void write_one(struct guarded *guarded, unsigned *seed)
{
	int r = write_somehow(&guarded->lock, seed);

	if (!is_had(r))
		return;
	change(guarded, r, seed);
	if (storm_roll(seed) % 4 != 0) {
		csys_shared_rwlock_unlock_write(storm_region(), &guarded->lock);
		return;
	}
	csys_shared_rwlock_downgrade(storm_region(), &guarded->lock);
	compare(guarded, 0, seed);
	csys_shared_rwlock_unlock_read(storm_region(), &guarded->lock);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void work(unsigned *seed)
{
	unsigned kind = storm_roll(seed) % 256;

	if (kind == 0)
		read_all(seed);
	else if (kind < 192)
		read_one(guarded_at(storm_roll(seed) % USUAL), seed);
	else if (kind < 254)
		write_one(guarded_at(storm_roll(seed) % USUAL), seed);
	else
		write_one(guarded_at(storm_roll(seed) % LOCKS), seed);
}

static void look(void)
{
	for (unsigned i = 0; i < LOCKS; i++) {
		struct guarded *guarded = guarded_at(i);
		if (csys_shared_rwlock_is_locked(storm_region(), &guarded->lock))
			storm_complain("a rwlock is held, and all are dead");
		int r = csys_shared_rwlock_write_until(storm_region(), &guarded->lock,
						       csys_after_s(60));
		if (r < 0) {
			storm_complain("a rwlock cannot be had");
			continue;
		}
		if (r == 0 && guarded->one != guarded->other)
			storm_complain("two values differ at the end");
		csys_shared_rwlock_unlock_write(storm_region(), &guarded->lock);
	}
}

int main(int argc, char **argv)
{
	const struct storm storm = {
		.program = "stress_shared_rwlock",
		.size = LOCKS * sizeof(struct guarded),
		.work = work,
		.look = look,
	};
	return storm_main(&storm, argc, argv);
}
