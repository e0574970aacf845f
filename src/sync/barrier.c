/*
 * sync/barrier.c - a number of threads wait for each other.
 *
 *   word:  ABORTED | round, low 31 bits || round, high 16 bits | arrived (16 bits)
 *
 * The last thread to arrive starts the next round, with no thread arrived, in one step, and wakes
 * all that sleep; after that step the barrier may be gone.  Threads sleep on the upper half of
 * the word, which changes with each round and with an abort, not with an arrival.
 *
 * A thread that waits remembers its round, and that round is over once the word has another one.
 * The thread may look late: after its round is over the others can go through any number of
 * further ones.  So a number must not come again as long as any thread remembers it: 2^47 rounds
 * take months, at 50 ns each.
 *
 * Invariant: `arrived` counts the threads that wait in the round that the word has, and no
 * others; a thread withdraws by a compare-and-swap of a word that has its round.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/barrier.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define ABORTED ((uint64_t)1 << 63)
#define ROUND_LOW ((uint64_t)0x7fffffff << 32)
#define ROUND_HIGH ((uint64_t)0xffff0000)
#define ROUND (ROUND_LOW | ROUND_HIGH)
#define ONE_LOW ((uint64_t)1 << 32)
#define ONE_HIGH ((uint64_t)0x10000)
#define ARRIVED ((uint64_t)0xffff)

/* The word of the round after this one, with no thread arrived and not aborted. */
static uint64_t next_round(uint64_t word)
{
	uint64_t low = (word + ONE_LOW) & ROUND_LOW;
	uint64_t high = (low == 0 ? word + ONE_HIGH : word) & ROUND_HIGH;

	return low | high;
}

void csys_barrier_init(csys_barrier *barrier, uint32_t count)
{
	if (count > CSYS_BARRIER_MAX)
		csysi_os_abort("a barrier for more than CSYS_BARRIER_MAX");
	barrier->count = count;
	/* Relaxed: others hear of the barrier in some other way. */
	csysi_store_relaxed(&barrier->word, 0);
}

/* Arrive: 0, or 1 if this thread is the last of the round; with the round.  CSYS_ECANCELED: it was
 * aborted. */
static int arrive(csys_barrier *barrier, uint64_t *out_round)
{
	uint64_t word = csysi_load_relaxed(&barrier->word);

	for (;;) {
		if (word & ABORTED)
			return CSYS_ECANCELED;
		int is_last = (word & ARRIVED) + 1 >= barrier->count;
		uint64_t next = is_last ? next_round(word) : word + 1;
		/* Both orders: the last thread sees what the others did before they arrived, and
		 * its step shows that to all. */
		if (csysi_cas_acq_rel(&barrier->word, &word, next)) {
			*out_round = word & ROUND;
			return is_last;
		}
	}
}

/* 1 if the round is over, CSYS_ECANCELED if it was aborted before that, else 0. */
static int look(const csys_barrier *barrier, uint64_t round, uint64_t *out_word)
{
	/* Acquire pairs with the release of the last thread to arrive, and with that of abort. */
	uint64_t word = csysi_load_acquire(&barrier->word);

	*out_word = word;
	if ((word & ROUND) != round)
		return 1;
	return word & ABORTED ? CSYS_ECANCELED : 0;
}

/* Undo the arrival: CSYS_ETIMEDOUT.  If the round is over or aborted by now, as look. */
static int withdraw(csys_barrier *barrier, uint64_t round)
{
	uint64_t word;
	int r = look(barrier, round, &word);

	/* Relaxed: nothing was done since the arrival that others have to see. */
	while (r == 0 && !csysi_cas_relaxed(&barrier->word, &word, word - 1))
		r = look(barrier, round, &word);
	return r == 0 ? CSYS_ETIMEDOUT : r;
}

static int wait_for(csys_barrier *barrier, uint64_t round, csys_deadline deadline)
{
	uint64_t word;
	int r = look(barrier, round, &word);

	/* Spin only for the last thread that is missing, and if there are CPUs for all, or just two
	 * threads: else the missing one may need this CPU. */
	int may_spin = (word & ARRIVED) + 1 == barrier->count &&
		       (barrier->count == 2 || barrier->count <= (uint32_t)csysi_os_cpus());
	if (may_spin)
		for (struct csysi_spin spin = csysi_spin_begin(&barrier->word, deadline);
		     csysi_spin_goes_on(&spin, r != 0);)
			r = look(barrier, round, &word);
	while (r == 0) {
		if (csysi_os_wait(csysi_upper_half(&barrier->word), (uint32_t)(word >> 32),
				  deadline, 0) == CSYS_ETIMEDOUT)
			r = withdraw(barrier, round);
		else
			r = look(barrier, round, &word);
	}
	return r;
}

int csys_barrier_wait_until(csys_barrier *barrier, csys_deadline deadline, int *out_is_leader)
{
	const uint64_t *address =
		&barrier->word; /* the barrier may be gone once all have arrived */
	uint64_t round;

	int r = arrive(barrier, &round);
	int is_leader = r == 1;

	if (is_leader) {
		/* Only the last thread notes its CPU.  If the first did so too, one that is last in
		 * this round and first in the next would be both notes that spin.c keeps. */
		csysi_spin_note(address);
		csysi_os_wake(csysi_upper_half(address), UINT32_MAX, 0);
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
	const uint32_t *address = csysi_upper_half(&barrier->word);

	/* Release pairs with the acquire of look: the threads see what was done before. */
	csysi_or_release(&barrier->word, ABORTED);
	csysi_os_wake(address, UINT32_MAX, 0);
}

void csys_barrier_reset(csys_barrier *barrier)
{
	uint64_t word = csysi_load_relaxed(&barrier->word);

	/* A new round: for a thread that waited and has not looked yet, its round is over. */
	while (!csysi_cas_release(&barrier->word, &word, next_round(word)))
		;
}
