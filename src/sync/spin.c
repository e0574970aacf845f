/*
 * sync/spin.c - when to wait awake, and for how long.
 */
#include <csys/sync/atomic.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

/* Looks at a word between two looks at the clock. */
#define LOOKS 32

#define PLACES 256

/* See csysi_spin_worth. */
#define LONG_SPIN_NS 50000
#define TRIES 4
#define FIRST_LONG 16
#define NEXT_LONG 32

/*
 * Looks at a lock, and spin hints between two looks: 96 hints in all, which take 1 to 5 us.  Each
 * look takes the cache line from the holder.  And if the holder comes back for the lock at once, it
 * is better to let it have a dozen turns than to take every other turn: with 24 hints the
 * throughput is twice that with 1, 2, 4, 8, 16 ... , and a second thread has the same share.
 */
#define LOOKS_AT_A_LOCK 4
#define HINTS 24

/* See csysi_spin_let_on: tries before the holder is given this CPU, and before it is given some
 * time. */
#define LETS_ON 100
#define YIELDS 100
#define NAP_NS 50000

static struct place {
	/* The CPU of the last note, plus 1, and in the upper half that of the note before: where
	 * two threads take turns, the last note is often the waiter's own.  0 is unknown. */
	uint32_t noted;
	/* How many waits in a row took longer than a spin. */
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

/* The CPU of this thread, as a note has it. */
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

	/* Only if it changes: other threads read it. */
	if (now != last)
		csysi_store_relaxed(at, now);
}

static void forget(struct place *place)
{
	csysi_store_relaxed(&place->noted, 0);
	csysi_store_relaxed(&place->missed, 0);
	csysi_store_relaxed(&place->handed, 0);
}

void csysi_spin_forget(const void *memory, size_t size)
{
	const char *begin = memory;

	if (size / sizeof(uint32_t) >= PLACES) {
		for (int i = 0; i < PLACES; i++)
			forget(&places[i]);
		return;
	}
	/* The words of 32 bits that may be objects. */
	size_t first = (0 - (uintptr_t)begin) % sizeof(uint32_t);
	for (size_t at = first; at < size; at += sizeof(uint32_t))
		forget(place_of(begin + at));
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

void csysi_spin_let_on(int tries)
{
	if (tries < LETS_ON)
		csys_spin_hint();
	else if (tries < LETS_ON + YIELDS)
		csysi_os_yield();
	else
		csysi_spin_nap(NAP_NS); /* the holder may have a lower priority */
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
 * Two threads that take turns, and sleep, go on doing so: each is woken long after the
 * other's spin is over (in a virtual machine after 25 to 35 us), and then lets the other
 * one wait as long.  So after a few misses a thread does not spin, but the 16th, the 32nd, and
 * every 32nd time after that it spins for as long as a wake takes, and the next time as usual.
 * As a mean of 16 waits that is still less than CSYSI_SPIN_NS.  The long spins do not become
 * rarer: the misses may be those of another object that had this place before.
 */
int64_t csysi_spin_worth(uint32_t missed)
{
	if (missed < TRIES || is_long(missed - 1))
		return CSYSI_SPIN_NS;
	return is_long(missed) ? LONG_SPIN_NS : 0;
}

uint32_t csysi_spin_missed(uint32_t missed, int is_so)
{
	return is_so && !is_long(missed) ? 0 : missed + 1;
}

struct csysi_spin csysi_spin_begin(const void *object, csys_deadline deadline)
{
	struct place *place = place_of(object);
	struct csysi_spin spin = { 0, 0, &place->missed };

	if (!csys_deadline_is_poll(deadline) && may_help(place)) {
		uint32_t missed = csysi_load_relaxed(spin.missed);
		int64_t ns = csysi_spin_worth(missed);
		if (ns > 0) {
			spin.end = csys_now() + ns;
			if (csys_deadline_ns(deadline) < spin.end)
				spin.end = csys_deadline_ns(deadline);
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
		if (++spin->looks % LOOKS != 0 || csys_now() < spin->end)
			return 1;
	}
	uint32_t missed = csysi_load_relaxed(spin->missed);
	uint32_t now = csysi_spin_missed(missed, is_so);
	/* Only if it changes: other threads read it. */
	if (now != missed)
		csysi_store_relaxed(spin->missed, now);
	return 0;
}
