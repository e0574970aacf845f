/*
 * sync/semaphore.c - a value, and who waits for it, in one word.
 *
 *   word:  awake waiters (16 bits) | asleep (16) | value (32)
 *
 * One word, so that post knows from the same step which adds to the value whether
 * somebody is to be woken: after it the semaphore may be gone.
 *
 * Invariant: who sleeps has counted itself before, and sleeps only while the
 * value is 0; so a post that comes after the counting sees it, and one that came
 * before has changed the value.  Who gives up looks at the value once more, so
 * a wake that was meant for it is not lost: either it takes one, or there is none.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/semaphore.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define VALUE ((uint64_t)UINT32_MAX)
#define ONE_ASLEEP ((uint64_t)1 << 32)
#define ASLEEP ((uint64_t)0xffff << 32)
#define ONE_AWAKE ((uint64_t)1 << 48)

/* Where the counts are full one tries again after this. */
#define FULL_NAP_NS 500000

/* The half of the word that is the value: that is slept on. */
static const uint32_t *value_of(const csys_semaphore *semaphore)
{
	const uint32_t *halves = (const uint32_t *)(const void *)&semaphore->word;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return halves + 1;
#else
	return halves;
#endif
}

int csysi_semaphore_post_slow(csys_semaphore *semaphore, uint32_t n, uint64_t was)
{
	const uint32_t *address = value_of(semaphore);
	uint32_t sleepers = (uint32_t)((was & ASLEEP) / ONE_ASLEEP);

	if ((was & VALUE) > CSYS_SEMAPHORE_MAX - n) {
		/* Relaxed: what was added goes again; who has taken of it meanwhile has it. */
		csysi_sub_relaxed(&semaphore->word, n);
		return CSYS_EINVAL;
	}
	csysi_spin_note(semaphore);
	if (sleepers > 0 && n > 0)
		csysi_os_wake(address, n, 0);
	return 0;
}

/* Take one, and be one of `waiting` no more. */
static int take(csys_semaphore *semaphore, uint64_t waiting)
{
	/* Relaxed: the compare-and-swap decides. */
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	while ((word & VALUE) != 0)
		/* Acquire pairs with the release of post. */
		if (csysi_cas_acquire(&semaphore->word, &word, word - 1 - waiting))
			return 1;
	return 0;
}

/* Wait awake, counted as such, so that post leaves a note for the next time. */
static int spin(csys_semaphore *semaphore, csys_deadline deadline)
{
	int is_taken = 0;
	struct csysi_spin spin = csysi_spin_begin(semaphore, deadline);
	if (!csysi_spin_goes_on(&spin, is_taken))
		return 0;

	csysi_add_relaxed(&semaphore->word, ONE_AWAKE);
	do
		is_taken = take(semaphore, ONE_AWAKE);
	while (csysi_spin_goes_on(&spin, is_taken));
	if (!is_taken)
		csysi_sub_relaxed(&semaphore->word, ONE_AWAKE);
	return is_taken;
}

int csysi_semaphore_wait_slow(csys_semaphore *semaphore, csys_deadline deadline)
{
	if (take(semaphore, 0) || spin(semaphore, deadline))
		return 0;
	/* Relaxed: the sleep compares the value in the same word. */
	while ((csysi_load_relaxed(&semaphore->word) & ASLEEP) == ASLEEP) {
		if (take(semaphore, 0))
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(FULL_NAP_NS));
	}
	csysi_add_relaxed(&semaphore->word, ONE_ASLEEP);
	for (;;) {
		if (take(semaphore, ONE_ASLEEP))
			return 0;
		if (csysi_os_wait(value_of(semaphore), 0, deadline, 0) == CSYS_ETIMEDOUT)
			break;
	}
	/* What is there beats a deadline that has passed. */
	if (take(semaphore, ONE_ASLEEP))
		return 0;
	csysi_sub_relaxed(&semaphore->word, ONE_ASLEEP);
	return CSYS_ETIMEDOUT;
}

uint32_t csys_semaphore_value(const csys_semaphore *semaphore)
{
	return (uint32_t)(csysi_load_relaxed(&semaphore->word) & VALUE);
}
