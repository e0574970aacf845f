/*
 * ipc/shared_event.c - a flag that the threads of processes wait for.
 *
 *     word:  SET | WAITED | generation, low 30 bits || AUTOMATIC | generation, high 31 bits
 *
 *                       set: the next generation
 *     unset ----------------------------------------> SET      manual: wakes all, WAITED ends
 *       ^   reset, or an automatic one lets one through  |     automatic: wakes one, WAITED stays
 *       +------------------------------------------------+
 *
 * Each set of an event that is not set begins a new generation, in the same step.  A thread that
 * waits for a manual event remembers the generation in which it came, and goes on when it sees
 * another, whatever was reset meanwhile.  There are 2^61, so none comes again.
 *
 * No word names a thread: nobody is responsible for an event between two calls, and each call is
 * one atomic step, followed by a wake at most.
 *
 *     a thread is killed       the state is            and then
 *     before it has set        as it was               nobody needs to do anything
 *     after the set, before    SET, others asleep      they look after a nap
 *     the wake
 *     a sleeper, just woken    automatic: SET, others  the same
 *                              asleep
 *     after an automatic one   unset                   as if the thread had got through
 *     has let it through
 *
 * Invariant: while a thread sleeps on the word, WAITED is set; or a set has ended it, after which
 * all are woken or find another generation after their nap.  A set of an automatic event that has
 * found no sleeper ends WAITED too, but only if the word is still what this set has made of it: the
 * generation tells, and nobody goes to sleep while that is SET.
 */
#include <csys/ipc/shared_event.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"

#define SET ((uint64_t)1 << 63)
#define WAITED ((uint64_t)1 << 62)
#define LOW ((uint64_t)0x3fffffff << 32)
#define ONE_LOW ((uint64_t)1 << 32)
#define AUTOMATIC ((uint64_t)0x80000000)
#define HIGH ((uint64_t)0x7fffffff)
#define GENERATION (LOW | HIGH)

_Static_assert(sizeof(csys_shared_event) == 8, "the same in all processes");

void csys_shared_event_init_manual(csys_shared_event *event)
{
	/* Relaxed, here and below: others hear of the event in some other way. */
	csysi_store_relaxed(&event->word, 0);
}

void csys_shared_event_init_automatic(csys_shared_event *event)
{
	csysi_store_relaxed(&event->word, AUTOMATIC);
}

/* ---- setting ------------------------------------------------------------------------------- */

/* The word after a set. */
static uint64_t when_set(uint64_t word)
{
	if (word & SET)
		return word;
	uint64_t low = (word + ONE_LOW) & LOW;
	uint64_t high = (low == 0 ? word + 1 : word) & HIGH;
	uint64_t kept = word & AUTOMATIC ? word & (AUTOMATIC | WAITED) : 0;

	return SET | low | high | kept;
}

void csys_shared_event_set(csys_shared_event *event)
{
	const uint32_t *sleepers = csysi_upper_half(&event->word);
	uint64_t word = csysi_load_relaxed(&event->word);
	uint64_t next;

	do
		next = when_set(word);
	/* Release pairs with the acquires of the threads that get through, also where the word
	 * stays as it is. */
	while (!csysi_cas_release(&event->word, &word, next));
	if (next == word || !(word & WAITED))
		return;
	if (!(word & AUTOMATIC))
		csysi_os_wake(sleepers, UINT32_MAX, 1);
	else if (csysi_os_wake(sleepers, 1, 1) == 0)
		/* Relaxed: the thread that sleeps next sets it again. */
		(void)csysi_cas_relaxed(&event->word, &next, next & ~WAITED);
}

void csys_shared_event_reset(csys_shared_event *event)
{
	/* Acquire: the thread that resets it sees what was done before it was set. */
	csysi_and_acquire(&event->word, ~SET);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Get through if the event is set, and an automatic one is unset by that: 1.  0: *out_word is what
 * it was. */
static int pass(csys_shared_event *event, uint64_t *out_word)
{
	/* Acquire, both, pairs with the release of set. */
	uint64_t word = csysi_load_acquire(&event->word);

	while (word & SET)
		if (!(word & AUTOMATIC) || csysi_cas_acquire(&event->word, &word, word & ~SET))
			return 1;
	*out_word = word;
	return 0;
}

/* Whether a thread that waits since the word was `first` may go on, now that it is `word`. */
static int is_let_go(uint64_t first, uint64_t word)
{
	return !(word & AUTOMATIC) && (word & GENERATION) != (first & GENERATION);
}

int csys_shared_event_wait_until(csys_shared_event *event, csys_deadline deadline)
{
	int is_over = csys_deadline_is_poll(deadline);
	uint64_t word;
	if (pass(event, &word))
		return 0;

	/* A set that comes before the next look has another generation than this word. */
	uint64_t first = word;
	while (!is_over) {
		csysi_region_nap_upper(&event->word, word, WAITED, deadline);
		/* Before the look: what is there beats a deadline that has passed. */
		is_over = csys_deadline_left(deadline) <= 0;
		if (pass(event, &word) || is_let_go(first, word))
			return 0;
	}
	return CSYS_ETIMEDOUT;
}

void csys_shared_event_wait(csys_shared_event *event)
{
	(void)!csys_shared_event_wait_until(event, CSYS_FOREVER);
}

int csys_shared_event_try_wait(csys_shared_event *event)
{
	uint64_t word;

	return pass(event, &word) ? 0 : CSYS_EAGAIN;
}

int csys_shared_event_is_set(const csys_shared_event *event)
{
	/* Acquire pairs with the release of set. */
	return (csysi_load_acquire(&event->word) & SET) != 0;
}
