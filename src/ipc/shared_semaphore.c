/*
 * ipc/shared_semaphore.c - a value and whether threads wait for it, in one word.
 *
 *     word:  WAITED (1 bit) | value (31 bits) || number of posts (32 bits)
 *
 * There is no count of waiters, since a thread that is killed would stay in it.  A post adds to the
 * value and to the number of posts in one step; if that finds WAITED it wakes as many sleepers as
 * it has added.  If there were none it ends WAITED, but only if the word is still what it has made
 * of it.
 *
 *     a thread is killed      the state is                and then
 *     before it has posted    as it was                   nobody needs to do anything
 *     after that, before      the value is above 0,       they look after a nap
 *     the wake                others asleep
 *     a sleeper, just woken   the same                    the same
 *     after it has taken one  the value without that one  as if it had returned with it
 *
 * Invariants:
 *   - a thread sleeps only while the value is 0 and WAITED is set, compared by the system in one
 *     step with going to sleep;
 *   - while a thread sleeps, WAITED is set: a post that ends it has found no sleeper, and since
 *     then nobody went to sleep, for the value was above 0 all the time.  That it was is told by
 *     the number of posts: it comes again after 2^32 of them, and then a nap ends all the same;
 *   - while a thread sleeps and the value is above 0, as many are awake and will look, or a post is
 *     about to wake them; or one of these was killed, and the nap of the others will end.
 */
#include <csys/ipc/shared_semaphore.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"

#define MAX CSYS_SHARED_SEMAPHORE_MAX
#define WAITED ((uint64_t)1 << 63)
#define ONE ((uint64_t)1 << 32)

_Static_assert(sizeof(csys_shared_semaphore) == 8, "the same in all processes");

static uint32_t value_in(uint64_t word)
{
	return (uint32_t)(word >> 32) & MAX;
}

void csys_shared_semaphore_init(csys_shared_semaphore *semaphore, uint32_t value)
{
	if (value > MAX)
		csysi_os_abort("a semaphore of more than CSYS_SHARED_SEMAPHORE_MAX");
	/* Relaxed: others hear of the semaphore in some other way. */
	csysi_store_relaxed(&semaphore->word, value * ONE);
}

/* ---- posting -------------------------------------------------------------------------------- */

/* The word after a post of `n`, of which there is room for so many. */
static uint64_t when_posted(uint64_t word, uint32_t n)
{
	uint64_t upper = word >> 32;

	return (upper + n) << 32 | (uint32_t)(word + 1);
}

int csys_shared_semaphore_post(csys_shared_semaphore *semaphore, uint32_t n)
{
	const uint32_t *sleepers = csysi_upper_half(&semaphore->word);
	/* Relaxed: the compare-and-swap decides. */
	uint64_t word = csysi_load_relaxed(&semaphore->word);
	uint64_t next;

	do {
		if (n > MAX - value_in(word))
			return CSYS_EINVAL;
		next = when_posted(word, n);
		/* Release pairs with the acquire of the thread that takes it. */
	} while (!csysi_cas_release(&semaphore->word, &word, next));
	if ((word & WAITED) && n > 0 && csysi_os_wake(sleepers, n, 1) == 0)
		/* Relaxed: the thread that sleeps next sets it again. */
		(void)csysi_cas_relaxed(&semaphore->word, &next, next & ~WAITED);
	return 0;
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* Take one: 1.  0: there is none, and *out_word is what was there. */
static int take(csys_shared_semaphore *semaphore, uint64_t *out_word)
{
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	while (value_in(word) > 0)
		/* Acquire pairs with the release of post. */
		if (csysi_cas_acquire(&semaphore->word, &word, word - ONE))
			return 1;
	*out_word = word;
	return 0;
}

int csys_shared_semaphore_wait_until(csys_shared_semaphore *semaphore, csys_deadline deadline)
{
	int is_over = csys_deadline_is_poll(deadline);
	uint64_t word;

	for (;;) {
		/* What is there beats a deadline that has passed. */
		if (take(semaphore, &word))
			return 0;
		if (is_over)
			return CSYS_ETIMEDOUT;
		csysi_region_nap_upper(&semaphore->word, word, WAITED, deadline);
		is_over = csys_deadline_left(deadline) <= 0;
	}
}

void csys_shared_semaphore_wait(csys_shared_semaphore *semaphore)
{
	(void)!csys_shared_semaphore_wait_until(semaphore, CSYS_FOREVER);
}

int csys_shared_semaphore_try_wait(csys_shared_semaphore *semaphore)
{
	uint64_t word;

	return take(semaphore, &word) ? 0 : CSYS_EAGAIN;
}

uint32_t csys_shared_semaphore_value(const csys_shared_semaphore *semaphore)
{
	/* Relaxed: it tells of a moment that is over. */
	return value_in(csysi_load_relaxed(&semaphore->word));
}
