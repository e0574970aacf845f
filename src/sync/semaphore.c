/*
 * sync/semaphore.c - a value and its waiters, in one word.
 *
 *   word:  value (32 bits) | awake waiters (16) | asleep (16)
 *
 * One word, so that the step by which post adds to the value also tells whether a thread
 * has to be woken: after it the semaphore may be gone.
 *
 * A thread that waits subtracts 1 first.  If the value was 0 or less, the thread has a debt of 1:
 * the value is below 0 until the thread adds 1 again and takes the slow path, or until a post
 * has covered the debt.  The value is the upper half of the word, so subtracting from it does
 * not change the counts.
 *
 * Invariants:
 *   - the value never exceeds CSYS_SEMAPHORE_MAX: a post near it is one compare-and-swap, and a
 *     debt is undone only while the value is below 0;
 *   - a thread that sleeps is counted in `asleep`, and sleeps only while the value is what it
 *     saw, 0 or less: so a post that comes after the counting sees it, and one that came before
 *     has changed the value;
 *   - a thread with a debt looks at the value when it settles the debt: if a post has covered
 *     it, the thread has what it waits for; so no post is hidden by a debt;
 *   - a thread that gives up looks at the value once more, so a wake that was meant for it is not
 *     lost: either it takes one, or there is none;
 *   - the counts of waiting threads are never above their limits: FULL_NAP_NS.
 *
 * `awake` counts those that do not sleep on this word: they spin, or are watchers (watch.h).  A
 * post notifies as many watchers as it adds, beside the sleepers that it wakes; the first that look
 * take.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/semaphore.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/watch.h"

#define ONE CSYSI_SEMAPHORE_ONE
#define ONE_ASLEEP ((uint64_t)1)
#define ASLEEP ((uint64_t)0xffff)
#define ONE_AWAKE ((uint64_t)0x10000)
#define AWAKE ((uint64_t)0xffff0000)

/* If a count is full, a thread naps for this long and tries again. */
#define FULL_NAP_NS 500000

static int32_t value_in(uint64_t word)
{
	return (int32_t)(word >> 32);
}

void csys_semaphore_init(csys_semaphore *semaphore, uint32_t value)
{
	if (value > CSYS_SEMAPHORE_MAX)
		csysi_os_abort("a semaphore of more than CSYS_SEMAPHORE_MAX");
	/* Relaxed: others hear of the semaphore in some other way. */
	csysi_store_relaxed(&semaphore->word, value * ONE);
}

uint32_t csysi_semaphore_wake(csys_semaphore *semaphore, uint32_t n, uint64_t was)
{
	/* The semaphore may be gone: only its address is used. */
	csysi_spin_note(semaphore);
	uint32_t woken = 0;
	if (was & ASLEEP && n > 0)
		woken = csysi_os_wake(csysi_upper_half(&semaphore->word), n, 0);
	if (was & AWAKE && n > 0)
		woken += csysi_watch_notify(semaphore, n);
	return woken;
}

int csys_semaphore_post_woken(csys_semaphore *semaphore, uint32_t n, uint32_t *out_woken)
{
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	do
		if ((int64_t)value_in(word) + n > CSYS_SEMAPHORE_MAX)
			return CSYS_EINVAL;
	/* Release pairs with the acquire of the thread that takes it; after that the semaphore may
	 * be gone.  Acquire: see watch.c. */
	while (!csysi_cas_acq_rel(&semaphore->word, &word, word + n * ONE));
	*out_woken = (uint32_t)word != 0 ? csysi_semaphore_wake(semaphore, n, word) : 0;
	return 0;
}

int csysi_semaphore_post_slow(csys_semaphore *semaphore, uint32_t n)
{
	uint32_t woken;

	return csys_semaphore_post_woken(semaphore, n, &woken);
}

/* Take one, and subtract `waiting`, as which this thread is counted, in the same step: 1.  0: there
 * is none, by *out_word. */
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

/* Count this thread as one of those in `field`; 0: the count is full. */
static int be_counted(csys_semaphore *semaphore, uint64_t field, uint64_t one)
{
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	do
		if ((word & field) == field)
			return 0;
	/* A sleep compares the value in the same word after it.  Acquire and release are for
	 * watch.c. */
	while (!csysi_cas_acq_rel(&semaphore->word, &word, word + one));
	return 1;
}

/* Settle a debt: 1 if a post has covered it; 0 if it was undone, by adding 1. */
static int settle(csys_semaphore *semaphore)
{
	uint64_t word = csysi_load_relaxed(&semaphore->word);

	do
		if (value_in(word) >= 0) {
			/* Acquire pairs with the release of the post, through all that came
			 * between. */
			(void)csysi_load_acquire(&semaphore->word);
			return 1;
		}
	/* Relaxed: this thread has taken nothing. */
	while (!csysi_cas_relaxed(&semaphore->word, &word, word + ONE));
	return 0;
}

/* Spin, counted as awake, so that a post notes its CPU for the next time. */
static int spin(csys_semaphore *semaphore, csys_deadline deadline)
{
	int is_taken = 0;
	uint64_t word;
	struct csysi_spin spin = csysi_spin_begin(semaphore, deadline);
	if (!csysi_spin_goes_on(&spin, is_taken) || !be_counted(semaphore, AWAKE, ONE_AWAKE))
		return 0;

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

	if (settle(semaphore) || take(semaphore, 0, &word) || spin(semaphore, deadline))
		return 0;
	while (!be_counted(semaphore, ASLEEP, ONE_ASLEEP)) {
		if (take(semaphore, 0, &word))
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_spin_nap(FULL_NAP_NS);
	}
	for (;;) {
		if (take(semaphore, ONE_ASLEEP, &word))
			return 0;
		uint32_t value = (uint32_t)value_in(word);
		if (csysi_os_wait(csysi_upper_half(&semaphore->word), value, deadline, 0) ==
		    CSYS_ETIMEDOUT)
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

/* ---- one of several (wait_any.c) ---------------------------------------------------------- */

static int take_item(const csys_wait_item *item)
{
	uint64_t word;

	return take(item->object, 0, &word);
}

static int look_at_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_semaphore *semaphore = item->object;
	uint64_t word;

	if (!watch->is_noted) {
		if (!be_counted(semaphore, AWAKE, ONE_AWAKE))
			return take(semaphore, 0, &word) ? 1 : CSYS_EAGAIN;
		watch->is_noted = 1;
	}
	watch->is_noted = !take(semaphore, ONE_AWAKE, &word);
	return !watch->is_noted;
}

static void end_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_semaphore *semaphore = item->object;

	(void)watch;
	csysi_sub_relaxed(&semaphore->word, ONE_AWAKE);
}

static void pass_item_on(const csys_wait_item *item)
{
	const csys_semaphore *semaphore = item->object;

	if (value_in(csysi_load_acquire(&semaphore->word)) > 0)
		csysi_watch_notify(semaphore, 1);
}

const struct csysi_watch_kind csysi_semaphore_kind = { take_item, look_at_item, end_item,
						       pass_item_on };
