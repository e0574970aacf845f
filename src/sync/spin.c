/*
 * sync/spin.c - when to wait awake, and for how long.
 */
#include <csys/sync/atomic.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

/* Looks between two at the clock. */
#define LOOKS 32

#define PLACES 256

/* See worth. */
#define LONG_SPIN_NS 50000
#define TRIES 4
#define FIRST_LONG 16
#define NEXT_LONG 32

/*
 * Looks at a lock, and hints between two: 96 in all, which is 1 to 5 us.  So many between two,
 * since each look takes the line from the holder, and who is contending with one that comes
 * back at once had better let it have a dozen turns than take every other one: with 24
 * the throughput is twice that with 1, 2, 4, 8, 16 ... , and a second has the same share.
 */
#define LOOKS_AT_A_LOCK 4
#define HINTS 24

static struct place {
	/* The CPU of the last one who noted, plus 1, and above it that of the one before: where
	 * two take turns the last one is often oneself.  0 is unknown. */
	uint32_t noted;
	/* How many in a row have waited longer than a spin. */
	uint32_t missed;
	/* The lock that was last handed over by force, and when, in UNIT_NS. */
	uint32_t handed;
	uint32_t handed_at;
} places[PLACES];

#define UNIT_NS 1000

#define CPU 0xffffu
#define BEFORE 16

static struct place *place_of(const void *object)
{
	uint64_t address = (uintptr_t)object;

	/* Fibonacci hashing: neighbours go far apart. */
	return &places[(address * 0x9e3779b97f4a7c15u) >> 56];
}

/* As in a note. */
static uint32_t this_cpu(void)
{
	return (uint32_t)(csysi_os_cpu() + 1) & CPU;
}

void csysi_spin_note(const void *object)
{
	uint32_t *at = &place_of(object)->noted;
	/* Relaxed, here and below: a hint, which orders nothing. */
	uint32_t last = csysi_load_relaxed(at);
	uint32_t now = this_cpu() | last << BEFORE;

	/* Not without need: others read it. */
	if (now != last)
		csysi_store_relaxed(at, now);
}

int csysi_spin_is_near(const void *object)
{
	uint32_t last = csysi_load_relaxed(&place_of(object)->noted);

	return last != 0 && (last & CPU) == this_cpu();
}

/* Whether the other side was on another CPU. */
static int may_help(const struct place *place)
{
	uint32_t last = csysi_load_relaxed(&place->noted);
	if (last == 0)
		return 0;

	uint32_t cpu = this_cpu();
	return (last & CPU) != cpu || (last >> BEFORE != 0 && last >> BEFORE != cpu);
}

int csysi_backs_off(int *round)
{
	if ((*round)++ >= LOOKS_AT_A_LOCK)
		return 0;
	for (int i = 0; i < HINTS; i++)
		csys_spin_hint();
	return 1;
}

void csysi_spin_nap(int64_t ns)
{
	int before = csysi_os_hold_cancel();

	csysi_os_nap(csys_after_ns(ns));
	csysi_os_release_cancel(before);
}

int csysi_hand_over_is_due(const void *lock, int64_t interval_ns)
{
	struct place *place = place_of(lock);
	uint32_t low = (uint32_t)(uintptr_t)lock;
	uint32_t now = (uint32_t)(csys_now() / UNIT_NS);

	/* Relaxed, all: a wrong answer costs time and nothing else.  The time wraps around, and so
	 * may be wrong for one interval of an hour. */
	if (csysi_load_relaxed(&place->handed) == low &&
	    now - csysi_load_relaxed(&place->handed_at) < (uint32_t)(interval_ns / UNIT_NS))
		return 0;
	csysi_store_relaxed(&place->handed, low);
	csysi_store_relaxed(&place->handed_at, now);
	return 1;
}

static int is_long(uint32_t missed)
{
	return missed == FIRST_LONG || (missed > FIRST_LONG && missed % NEXT_LONG == 0);
}

/*
 * How long to spin after so many misses.
 *
 * Two that take turns and sleep go on so: each is woken long after the other's spin is
 * over, in a virtual machine after 25 to 35 us, and then lets the other one wait as
 * long.  So after a few misses one spins no more, but the 16th, the 32nd, and every 32nd time
 * after that for as long as a wake takes, and if that met, the next time as usual.  That
 * is less than CSYSI_SPIN_NS for each wait all the same, taken over 16 of them.  Not ever
 * more seldom: the misses may be those of another object, which was here before.
 */
static int64_t worth(uint32_t missed)
{
	if (missed < TRIES || is_long(missed - 1))
		return CSYSI_SPIN_NS;
	return is_long(missed) ? LONG_SPIN_NS : 0;
}

struct csysi_spin csysi_spin_begin(const void *object, csys_deadline deadline)
{
	struct place *place = place_of(object);
	struct csysi_spin spin = { 0, 0, &place->missed };

	if (deadline != CSYS_POLL && may_help(place)) {
		uint32_t missed = csysi_load_relaxed(spin.missed);
		int64_t ns = worth(missed);
		if (ns > 0) {
			csys_deadline end = csys_after_ns(ns);
			spin.end = end < deadline ? end : deadline;
		} else {
			csysi_store_relaxed(spin.missed, missed + 1);
		}
	}
	return spin;
}

int csysi_spin_goes_on(struct csysi_spin *spin, int is_so)
{
	if (spin->end == 0)
		return 0;
	if (!is_so) {
		csys_spin_hint();
		if (++spin->looks % LOOKS != 0 || csys_deadline_left(spin->end) > 0)
			return 1;
	}
	uint32_t missed = csysi_load_relaxed(spin->missed);
	uint32_t now = is_so && !is_long(missed) ? 0 : missed + 1;
	/* Not without need: others read it. */
	if (now != missed)
		csysi_store_relaxed(spin->missed, now);
	return 0;
}
