/*
 * stress/stress_region.c - processes that lock shared mutexes at full speed, and are killed.
 *
 *     stress_region [milliseconds [processes [seed]]]     for each way of noticing deaths
 *
 * Each locks one of a few mutexes, in different ways, and changes the two values that it guards.  A
 * holder that is not told of a death finds two equal values; one that is told makes them equal.
 */
#include "support/storm.h"

enum { LOCKS = 3 };

struct guarded {
	_Alignas(64) csys_shared_mutex lock;
	uint64_t one;
	uint64_t other;
};

static struct guarded *guarded_at(unsigned i)
{
	return (struct guarded *)storm_objects() + i;
}

static int lock_somehow(csys_shared_mutex *lock, unsigned *seed)
{
	csys_region *region = storm_region();

	switch (storm_roll(seed) % 4) {
	case 0:
		return csys_shared_mutex_try_lock(region, lock);
	case 1:
		return csys_shared_mutex_lock_until(region, lock,
						    csys_after_us(storm_roll(seed) % 200));
	default:
		return csys_shared_mutex_lock(region, lock);
	}
}

/* With the lock. */
static void change(struct guarded *guarded, int r, unsigned *seed)
{
	if (r == CSYS_POISONED) {
		storm_count_told();
		guarded->other = guarded->one;
		csys_shared_mutex_clear_poison(&guarded->lock);
	} else if (guarded->one != guarded->other) {
		storm_complain("two values differ, and no death was told of");
	}
	guarded->one++;
	storm_dally(seed);
	guarded->other++;
	storm_count();
}

static void work(unsigned *seed)
{
	struct guarded *guarded = guarded_at(storm_roll(seed) % LOCKS);
	int r = lock_somehow(&guarded->lock, seed);

	if (r >= 0) {
		change(guarded, r, seed);
		csys_shared_mutex_unlock(storm_region(), &guarded->lock);
	} else if (r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT) {
		storm_complain(csys_strerror(r));
	}
}

static void look(void)
{
	for (unsigned i = 0; i < LOCKS; i++) {
		struct guarded *guarded = guarded_at(i);
		int r = csys_shared_mutex_lock_until(storm_region(), &guarded->lock,
						     csys_after_s(60));
		if (r < 0) {
			storm_complain("a mutex cannot be had");
			continue;
		}
		if (r == 0 && guarded->one != guarded->other)
			storm_complain("two values differ at the end");
		csys_shared_mutex_unlock(storm_region(), &guarded->lock);
	}
}

int main(int argc, char **argv)
{
	const struct storm storm = {
		.program = "stress_region",
		.size = LOCKS * sizeof(struct guarded),
		.work = work,
		.look = look,
	};
	return storm_main(&storm, argc, argv);
}
