/*
 * sync/latch.c - wait until a number of things are done.
 *
 *   word:  count (31 bits) | WAITED
 *
 * Invariant: a thread that sleeps has set WAITED while the count was not 0, and the step that
 * makes the count 0 clears WAITED and sees that it was set; after that step the latch may be gone.
 * A watcher (watch.h) sets WAITED too.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/latch.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/watch.h"

#define WAITED 1u
#define ONE 2u

void csys_latch_init(csys_latch *latch, uint32_t count)
{
	if (count > CSYS_LATCH_MAX)
		csysi_os_abort("a latch for more than CSYS_LATCH_MAX");
	/* Relaxed: others hear of the latch in some other way. */
	csysi_store_relaxed(&latch->word, count * ONE);
}

int csys_latch_add(csys_latch *latch, uint32_t n)
{
	uint32_t word = csysi_load_relaxed(&latch->word);

	do
		if (n > CSYS_LATCH_MAX - word / ONE)
			return CSYS_EINVAL;
	/* Relaxed: adding to the count publishes nothing. */
	while (!csysi_cas_relaxed(&latch->word, &word, word + n * ONE));
	return 0;
}

uint32_t csys_latch_done(csys_latch *latch, uint32_t n)
{
	const uint32_t *address = &latch->word;
	uint32_t word = csysi_load_relaxed(&latch->word);
	uint32_t next;

	do {
		if (n > word / ONE)
			csysi_os_abort("a latch was told of more than it waits for");
		next = word - n * ONE;
		if (next == WAITED)
			next = 0;
		/* Both orders: the last step sees what was done before the others, and shows it to
		 * the waiters. */
	} while (!csysi_cas_acq_rel(&latch->word, &word, next));
	if (next != 0 || !(word & WAITED))
		return 0;
	csysi_spin_note(address);
	uint32_t woken = csysi_os_wake(address, UINT32_MAX, 0);
	return woken + csysi_watch_notify(latch, UINT32_MAX);
}

static int is_open(const csys_latch *latch, uint32_t *out_word)
{
	/* Acquire pairs with the steps of done. */
	*out_word = csysi_load_acquire(&latch->word);
	return *out_word / ONE == 0;
}

int csys_latch_wait_until(csys_latch *latch, csys_deadline deadline)
{
	uint32_t word;

	for (;;) {
		if (is_open(latch, &word))
			return 0;
		/* Relaxed: the sleep compares the word.  Set before it spins, so that the last done
		 * finds a waiter and notes its CPU. */
		if (!(word & WAITED) && !csysi_cas_relaxed(&latch->word, &word, word | WAITED))
			continue;
		int is_over = 0;
		for (struct csysi_spin spin = csysi_spin_begin(&latch->word, deadline);
		     csysi_spin_goes_on(&spin, is_over);)
			is_over = is_open(latch, &word);
		if (is_over)
			return 0;
		/* An open latch beats a deadline that has passed. */
		word = csysi_load_relaxed(&latch->word);
		if (word & WAITED &&
		    csysi_os_wait(&latch->word, word, deadline, 0) == CSYS_ETIMEDOUT)
			return is_open(latch, &word) ? 0 : CSYS_ETIMEDOUT;
	}
}

void csys_latch_wait(csys_latch *latch)
{
	(void)!csys_latch_wait_until(latch, CSYS_FOREVER);
}

int csys_latch_try_wait(const csys_latch *latch)
{
	uint32_t word;

	return is_open(latch, &word) ? 0 : CSYS_EAGAIN;
}

uint32_t csys_latch_count(const csys_latch *latch)
{
	return csysi_load_relaxed(&latch->word) / ONE;
}

/* ---- one of several (wait_any.c) ---------------------------------------------------------- */

static int take_item(const csys_wait_item *item)
{
	uint32_t word;

	return is_open(item->object, &word);
}

static int look_at_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_latch *latch = item->object;
	uint32_t word;

	(void)watch;
	do
		if (is_open(latch, &word))
			return 1;
	/* Acquire and release: see watch.c; also where WAITED is set. */
	while (!csysi_cas_acq_rel(&latch->word, &word, word | WAITED));
	return 0;
}

const struct csysi_watch_kind csysi_latch_kind = { take_item, look_at_item, NULL, NULL };
