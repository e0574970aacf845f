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

/* Looks at a lock, and the most hints between two: 95 hints, which is 1 to 5 us. */
#define TURNS 9
#define MOST_HINTS 16

/*
 * The CPU of the last one who noted, plus 1, and above it that of the one before, if it
 * was another one: where two take turns the last one is often oneself.  0 is unknown.
 */
static uint32_t noted[PLACES];

#define CPU 0xffffu
#define BEFORE 16

static uint32_t *place(const void *object)
{
	uint64_t address = (uintptr_t)object;

	/* Fibonacci hashing: neighbours go far apart. */
	return &noted[(address * 0x9e3779b97f4a7c15u) >> 56];
}

void csysi_spin_note(const void *object)
{
	uint32_t *at = place(object);
	uint32_t cpu = (uint32_t)(csysi_os_cpu() + 1) & CPU;
	/* Relaxed, here and below: a hint, which orders nothing. */
	uint32_t last = csysi_load_relaxed(at);

	/* Twice in a row from one CPU: then nobody takes turns with it from another. */
	if (last != cpu)
		csysi_store_relaxed(at, (last & CPU) == cpu ? cpu : cpu | last << BEFORE);
}

/* Whether the other side was on another CPU. */
static int may_help(const void *object)
{
	uint32_t last = csysi_load_relaxed(place(object));
	if (last == 0)
		return 0;

	uint32_t cpu = (uint32_t)(csysi_os_cpu() + 1) & CPU;
	return (last & CPU) != cpu || (last >> BEFORE != 0 && last >> BEFORE != cpu);
}

int csysi_backs_off(int *round)
{
	int turn = (*round)++;

	if (turn >= TURNS)
		return 0;
	for (int i = 1 << turn < MOST_HINTS ? 1 << turn : MOST_HINTS; i > 0; i--)
		csys_spin_hint();
	return 1;
}

struct csysi_spin csysi_spin_begin(const void *object)
{
	struct csysi_spin spin = { 0, 0 };

	if (may_help(object))
		spin.end = csys_after_ns(CSYSI_SPIN_NS);
	return spin;
}

int csysi_spin_goes_on(struct csysi_spin *spin)
{
	if (spin->end == 0)
		return 0;
	csys_spin_hint();
	return ++spin->looks % LOOKS != 0 || csys_deadline_left(spin->end) > 0;
}
