/*
 * sync/semaphore.c - a value, and who waits for it, in one word.
 *
 *   word:  value (32 bits) | awake waiters (16) | asleep (16)
 *
 * One word, so that post knows from the same step which adds to the value whether
 * somebody is to be woken: after it the semaphore may be gone.
 *
 * Who waits first takes one, and gives it back if there was none.  Meanwhile the value is
 * less by that, and may be below 0; it is in the upper half, so nothing is borrowed.  A
 * post in between is seen as less than it is, and who is woken for it may find none.
 *
 * Invariants:
 *   - who sleeps has counted itself before, and sleeps only while the value is what
 *     it saw, 0 or less; so a post that comes after the counting sees it, and one that
 *     came before has changed the value;
 *   - who gives back what was not there looks at the value after that, and takes one or sees
 *     none; so if that hid a post, whoever looks last finds it;
 *   - who gives up looks at the value once more, so a wake that was meant for it is not
 *     lost: either it takes one, or there is none.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/semaphore.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define ONE CSYSI_SEMAPHORE_ONE
#define ONE_ASLEEP ((uint64_t)1)
#define ASLEEP ((uint64_t)0xffff)
#define ONE_AWAKE ((uint64_t)0x10000)
#define AWAKE ((uint64_t)0xffff0000)

/* Counts are full half way, since several may look before they add; and one tries again
 * after this. */
#define FULL_ASLEEP (ASLEEP / 2)
#define FULL_AWAKE (AWAKE / 2)
#define FULL_NAP_NS 500000

static int32_t value_in(uint64_t word)
{
	return (int32_t)(word >> 32);
}

/* The half of the word that is the value: that is slept on. */
static const uint32_t *value_of(const csys_semaphore *semaphore)
{
	const uint32_t *halves = (const uint32_t *)(const void *)&semaphore->word;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return halves;
#else
	return halves + 1;
#endif
}

int csysi_semaphore_post_slow(csys_semaphore *semaphore, uint32_t n, uint64_t was)
{
	const uint32_t *address = value_of(semaphore);

	if ((int64_t)value_in(was) + n > CSYS_SEMAPHORE_MAX) {
		/* Relaxed: what was added goes again; who has taken of it meanwhile has it. */
		was = csysi_add_relaxed(&semaphore->word, 0 - n * ONE);
		/* In between it may have looked like less than none. */
		if (was & ASLEEP)
			csysi_os_wake(address, UINT32_MAX, 0);
		return CSYS_EINVAL;
	}
	csysi_spin_note(semaphore);
	if (was & ASLEEP && n > 0)
		csysi_os_wake(address, n, 0);
	return 0;
}

/* Take one, and be one of `waiting` no more; 0, and the word that had none. */
static int take(csys_semaphore *semaphore, uint64_t waiting, uint64_t *out_word)
{
	/* Relaxed: the compare-and-swap decides. */
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	while (value_in(word) > 0)
		/* Acquire pairs with the release of post. */
		if (csysi_cas_acquire(&semaphore->word, &word, word - ONE - waiting))
			return 1;
	*out_word = word;
	return 0;
}

/* Wait awake, counted as such, so that post leaves a note for the next time. */
static int spin(csys_semaphore *semaphore, csys_deadline deadline)
{
	int is_taken = 0;
	uint64_t word = csysi_load_relaxed(&semaphore->word);
	struct csysi_spin spin = csysi_spin_begin(semaphore, deadline);
	if ((word & AWAKE) > FULL_AWAKE || !csysi_spin_goes_on(&spin, is_taken))
		return 0;

	(void)csysi_add_relaxed(&semaphore->word, ONE_AWAKE);
	do
		is_taken = take(semaphore, ONE_AWAKE, &word);
	while (csysi_spin_goes_on(&spin, is_taken));
	if (!is_taken)
		csysi_sub_relaxed(&semaphore->word, ONE_AWAKE);
	return is_taken;
}

int csysi_semaphore_wait_slow(csys_semaphore *semaphore, csys_deadline deadline)
{
	uint64_t word;

	/* Relaxed: a post's release goes on through all that adds and subtracts. */
	(void)csysi_add_relaxed(&semaphore->word, ONE);
	if (take(semaphore, 0, &word) || spin(semaphore, deadline))
		return 0;
	/* Relaxed: the sleep compares the value in the same word. */
	while ((csysi_load_relaxed(&semaphore->word) & ASLEEP) > FULL_ASLEEP) {
		if (take(semaphore, 0, &word))
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(FULL_NAP_NS));
	}
	(void)csysi_add_relaxed(&semaphore->word, ONE_ASLEEP);
	for (;;) {
		if (take(semaphore, ONE_ASLEEP, &word))
			return 0;
		uint32_t value = (uint32_t)value_in(word);
		if (csysi_os_wait(value_of(semaphore), value, deadline, 0) == CSYS_ETIMEDOUT)
			break;
	}
	/* What is there beats a deadline that has passed. */
	if (take(semaphore, ONE_ASLEEP, &word))
		return 0;
	csysi_sub_relaxed(&semaphore->word, ONE_ASLEEP);
	return CSYS_ETIMEDOUT;
}

int csys_semaphore_try_wait(csys_semaphore *semaphore)
{
	uint64_t word;

	return take(semaphore, 0, &word) ? 0 : CSYS_EAGAIN;
}

uint32_t csys_semaphore_value(const csys_semaphore *semaphore)
{
	int32_t value = value_in(csysi_load_relaxed(&semaphore->word));

	return value > 0 ? (uint32_t)value : 0;
}
