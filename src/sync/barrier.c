/*
 * sync/barrier.c - so many threads wait for each other.
 *
 *   word:  ABORTED | round (15 bits) | arrived (16)
 *
 * The last one to come starts the next round, with nobody arrived, in one step,
 * and wakes all who sleep on the word; after that step the barrier may be gone.
 * Invariant: who waits in a round is counted in `arrived` as long as the word has
 * that round.  The next round cannot end without it, so the number of rounds may
 * wrap around.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/barrier.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define ABORTED 0x80000000u
#define ROUND 0x7fff0000u
#define ONE_ROUND 0x10000u
#define ARRIVED 0xffffu

/* Be counted: 0 with the round, or 1 as the last of it. */
static int arrive(csys_barrier *barrier, uint32_t *out_round)
{
	uint32_t word = csysi_load_relaxed(&barrier->word);

	for (;;) {
		if (word & ABORTED)
			return CSYS_ECANCELED;
		int is_last = (word & ARRIVED) + 1 >= barrier->count;
		uint32_t next = is_last ? (word + ONE_ROUND) & ROUND : word + 1;
		/* Both orders: the last one sees what all did before, and by its step all see
		 * that. */
		if (csysi_cas_acq_rel(&barrier->word, &word, next)) {
			*out_round = word & ROUND;
			return is_last;
		}
	}
}

/* 1 if the round is over, CSYS_ECANCELED if it was called off before. */
static int look(const csys_barrier *barrier, uint32_t round, uint32_t *out_word)
{
	/* Acquire pairs with the step of the last one. */
	uint32_t word = csysi_load_acquire(&barrier->word);

	*out_word = word;
	if ((word & ROUND) != round)
		return 1;
	return word & ABORTED ? CSYS_ECANCELED : 0;
}

/* Count no more.  As look, if there was no time for that. */
static int withdraw(csys_barrier *barrier, uint32_t round)
{
	uint32_t word;
	int r = look(barrier, round, &word);

	/* Relaxed: it has waited for nothing. */
	while (r == 0 && !csysi_cas_relaxed(&barrier->word, &word, word - 1))
		r = look(barrier, round, &word);
	return r == 0 ? CSYS_ETIMEDOUT : r;
}

static int wait_for(csys_barrier *barrier, uint32_t round, csys_deadline deadline)
{
	uint32_t word;
	int r = look(barrier, round, &word);

	/* The last one who is missing may need this CPU, where there are too few for all. */
	int may_spin = (word & ARRIVED) + 1 == barrier->count &&
		       (barrier->count == 2 || barrier->count <= (uint32_t)csysi_os_cpus());
	if (may_spin)
		for (struct csysi_spin spin = csysi_spin_begin(&barrier->word, deadline);
		     csysi_spin_goes_on(&spin, r != 0);)
			r = look(barrier, round, &word);
	while (r == 0) {
		if (csysi_os_wait(&barrier->word, word, deadline, 0) == CSYS_ETIMEDOUT)
			r = withdraw(barrier, round);
		else
			r = look(barrier, round, &word);
	}
	return r;
}

int csys_barrier_wait_until(csys_barrier *barrier, csys_deadline deadline, int *out_is_leader)
{
	const uint32_t *address = &barrier->word;
	uint32_t round;

	int r = arrive(barrier, &round);
	int is_leader = r == 1;

	if (is_leader) {
		/* Only the one who is waited for: who came first would note itself twice. */
		csysi_spin_note(address);
		csysi_os_wake(address, UINT32_MAX, 0);
	} else if (r == 0) {
		r = wait_for(barrier, round, deadline);
	}
	if (r < 0)
		return r;
	if (out_is_leader)
		*out_is_leader = is_leader;
	return 0;
}

int csys_barrier_wait(csys_barrier *barrier, int *out_is_leader)
{
	return csys_barrier_wait_until(barrier, CSYS_FOREVER, out_is_leader);
}

void csys_barrier_abort(csys_barrier *barrier)
{
	const uint32_t *address = &barrier->word;

	/* Release: who comes home sees what was done before. */
	csysi_or_release(&barrier->word, ABORTED);
	csysi_os_wake(address, UINT32_MAX, 0);
}

void csys_barrier_reset(csys_barrier *barrier)
{
	uint32_t word = csysi_load_relaxed(&barrier->word);

	/* Another round, for those who have not looked yet. */
	while (!csysi_cas_release(&barrier->word, &word, (word + ONE_ROUND) & ROUND))
		;
}
