/*
 * sync/barrier.c - a number of threads wait for each other.
 *
 *   word:  ABORTED | DUE | LEFT | round, low 29 bits || round, high 16 bits | arrived (16 bits)
 *
 * The last thread to arrive starts the next round in one step, and wakes all that sleep; after that
 * step the barrier may be gone.  Threads sleep on the upper half of the word, which changes with
 * each round, with DUE and with an abort, not with an arrival.
 *
 * A thread that waits remembers its round, and that round is over once the word has another one.
 * The thread may look late: after its round is over the others can go through any number of
 * further ones.  So a number must not come again as long as any thread remembers it: 2^45 rounds
 * take weeks, at 50 ns each.
 *
 * Leaving.  `count` stays what it was, and `left` is how many have left: that is where `arrived`
 * begins in each round.  A thread that leaves adds 1 to `left`, and then to `arrived`, with LEFT:
 * in this round a thread has left.  The round needs this arrival as it needs all others, so it ends
 * only after that; and the arrival is the last touch of the thread that leaves.
 *
 * The next round begins with a `left` that was read before the step that begins it.  Without LEFT
 * that is right: no thread has left in this round, or LEFT would make the step fail.  With LEFT
 * it might be too old, since the arrival of a thread that leaves can make up for one that
 * withdraws, and then the word is what it was.  So the last thread to arrive makes the round DUE
 * first: then no thread withdraws or leaves, and `left` stays.  Any thread of the round that sees
 * DUE ends the round, and is its leader.  So it is also if the last to arrive is one that leaves.
 *
 * Invariant: `arrived` counts the threads that wait in the round that the word has, and those that
 * have left, and no others; a thread withdraws by a compare-and-swap of a word that has its round,
 * without DUE.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/barrier.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define ABORTED ((uint64_t)1 << 63)
#define DUE ((uint64_t)1 << 62)
#define LEFT ((uint64_t)1 << 61)
#define ROUND_LOW ((uint64_t)0x1fffffff << 32)
#define ROUND_HIGH ((uint64_t)0xffff0000)
#define ROUND (ROUND_LOW | ROUND_HIGH)
#define ONE_LOW ((uint64_t)1 << 32)
#define ONE_HIGH ((uint64_t)0x10000)
#define ARRIVED ((uint64_t)0xffff)

/* The word of the round after this one, with no thread arrived but those that have left, and not
 * aborted. */
static uint64_t next_round(const csys_barrier *barrier, uint64_t word)
{
	uint64_t low = (word + ONE_LOW) & ROUND_LOW;
	uint64_t high = (low == 0 ? word + ONE_HIGH : word) & ROUND_HIGH;

	/* Relaxed: the word that the caller has read acquires what was done before the arrivals of
	 * those that have left. */
	return low | high | csysi_load_relaxed(&barrier->left);
}

void csys_barrier_init(csys_barrier *barrier, uint32_t count)
{
	if (count > CSYS_BARRIER_MAX)
		csysi_os_abort("a barrier for more than CSYS_BARRIER_MAX");
	barrier->count = count;
	csysi_store_relaxed(&barrier->left, 0);
	/* Relaxed: others hear of the barrier in some other way. */
	csysi_store_relaxed(&barrier->word, 0);
}

/* What a thread is told of its round: it waits; it is over; this thread has ended it. */
enum { WAITS, OVER, LEADS };

/* The word once all have arrived. */
static uint64_t when_complete(const csys_barrier *barrier, uint64_t word)
{
	if (word & LEFT && !(word & DUE))
		return (word + 1) | DUE;
	return next_round(barrier, word) | (word & ABORTED);
}

/* Arrive: WAITS, or LEADS if this thread has ended the round; with the round.  CSYS_ECANCELED: it
 * was aborted. */
static int arrive(csys_barrier *barrier, uint64_t *out_round)
{
	/* Acquire: see next_round, here and at the failed compare-and-swap. */
	uint64_t word = csysi_load_acquire(&barrier->word);

	for (;;) {
		if (word & ABORTED)
			return CSYS_ECANCELED;
		int is_last = (word & ARRIVED) + 1 >= barrier->count;
		uint64_t next = is_last ? when_complete(barrier, word) : word + 1;
		/* Both orders: the last thread sees what the others did before they arrived, and
		 * its step shows that to all. */
		if (csysi_cas_acq_rel(&barrier->word, &word, next)) {
			*out_round = word & ROUND;
			return is_last && !(next & DUE) ? LEADS : WAITS;
		}
		word = csysi_load_acquire(&barrier->word);
	}
}

/* Look, and end the round if it is DUE: WAITS, OVER or LEADS.  CSYS_ECANCELED: it was aborted
 * before all had arrived. */
static int look(csys_barrier *barrier, uint64_t round, uint64_t *out_word)
{
	/* Acquire pairs with the release of the last thread to arrive, and with that of abort. */
	uint64_t word = csysi_load_acquire(&barrier->word);

	while ((word & ROUND) == round && word & DUE) {
		/* Both orders, as in arrive. */
		if (csysi_cas_acq_rel(&barrier->word, &word, when_complete(barrier, word)))
			return LEADS;
		word = csysi_load_acquire(&barrier->word);
	}
	*out_word = word;
	if ((word & ROUND) != round)
		return OVER;
	return word & ABORTED ? CSYS_ECANCELED : WAITS;
}

/* Undo the arrival: CSYS_ETIMEDOUT.  If the round is over or aborted by now, as look. */
static int withdraw(csys_barrier *barrier, uint64_t round)
{
	uint64_t word;
	int r = look(barrier, round, &word);

	/* Relaxed: nothing was done since the arrival that others have to see. */
	while (r == WAITS && !csysi_cas_relaxed(&barrier->word, &word, word - 1))
		r = look(barrier, round, &word);
	return r == WAITS ? CSYS_ETIMEDOUT : r;
}

/* LEADS, OVER or a failure. */
static int wait_for(csys_barrier *barrier, uint64_t round, csys_deadline deadline)
{
	uint64_t word;
	int r = look(barrier, round, &word);

	/* Spin only for the last thread that is missing, and if there are CPUs for all, or just two
	 * threads: else the missing one may need this CPU. */
	int may_spin = r == WAITS && (word & ARRIVED) + 1 == barrier->count &&
		       (barrier->count == 2 || barrier->count <= (uint32_t)csysi_os_cpus());
	if (may_spin)
		for (struct csysi_spin spin = csysi_spin_begin(&barrier->word, deadline);
		     csysi_spin_goes_on(&spin, r != WAITS);)
			r = look(barrier, round, &word);
	while (r == WAITS) {
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
	if (r == WAITS)
		r = wait_for(barrier, round, deadline);
	if (r < 0)
		return r;
	if (r == LEADS) {
		/* Only the last thread notes its CPU.  If the first did so too, one that is last in
		 * this round and first in the next would be both notes that spin.c keeps. */
		csysi_spin_note(address);
		csysi_os_wake(csysi_upper_half(address), UINT32_MAX, 0);
	}
	if (out_is_leader)
		*out_is_leader = r == LEADS;
	return 0;
}

int csys_barrier_wait(csys_barrier *barrier, int *out_is_leader)
{
	return csys_barrier_wait_until(barrier, CSYS_FOREVER, out_is_leader);
}

/* Count this thread as one that has left: how many have by now.  0: all have left before. */
static uint32_t be_counted_as_left(csys_barrier *barrier)
{
	uint32_t left = csysi_load_relaxed(&barrier->left);

	do
		if (left >= barrier->count)
			return 0;
	/* Relaxed: the arrival that follows publishes it. */
	while (!csysi_cas_relaxed(&barrier->left, &left, left + 1));
	return left + 1;
}

/* The word once a thread has left, which is the nth to do so. */
static uint64_t when_left(const csys_barrier *barrier, uint64_t word, uint32_t left)
{
	/* An aborted round is over without this thread, and a reset counts those that left. */
	if (word & ABORTED)
		return word;
	if ((word & ARRIVED) + 1 < barrier->count)
		return (word + 1) | LEFT;
	/* The last one: no thread waits if all have left. */
	return left < barrier->count ? (word + 1) | LEFT | DUE : next_round(barrier, word);
}

void csys_barrier_leave(csys_barrier *barrier)
{
	const uint32_t *address = csysi_upper_half(&barrier->word);
	uint32_t left = be_counted_as_left(barrier);
	uint64_t word, next;

	if (left == 0)
		return;
	do {
		word = csysi_load_acquire(&barrier->word);
		next = when_left(barrier, word, left);
		/* Both orders, as in arrive. */
	} while (!csysi_cas_acq_rel(&barrier->word, &word, next));
	/* The barrier may be gone, unless a thread waits. */
	if (next & DUE)
		csysi_os_wake(address, 1, 0);
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
	uint64_t word = csysi_load_acquire(&barrier->word);

	/* A new round: for a thread that waited and has not looked yet, its round is over. */
	while (!csysi_cas_release(&barrier->word, &word, next_round(barrier, word)))
		word = csysi_load_acquire(&barrier->word);
}
