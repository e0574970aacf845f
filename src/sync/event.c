/*
 * sync/event.c - something has happened.
 *
 *   word:  waiters (31 bits) | SET
 *
 * Invariant: who sleeps is counted, and sleeps only while the word is not SET; so
 * the step which sets it also tells whether somebody is to be woken, and after that
 * step the event may be gone.  An automatic event is reset by the step of the one
 * who gets through; who gives up looks once more, so it takes no turn away.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/event.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"

#define SET 1u
#define ONE_WAITER 2u

void csys_event_set(csys_event *event)
{
	const uint32_t *address = &event->word;
	uint32_t count = event->is_automatic ? 1 : UINT32_MAX;

	/* Release pairs with the acquire of who gets through. */
	uint32_t was = csysi_fetch_or_release(&event->word, SET);
	if (was & SET || was < ONE_WAITER)
		return;
	csysi_spin_note(address);
	csysi_os_wake(address, count, 0);
}

void csys_event_reset(csys_event *event)
{
	/* Acquire: what was done before it was set is seen by who resets it. */
	csysi_and_acquire(&event->word, ~SET);
}

/* Get through if it is set, and be one of `waiting` no more. */
static int get_through(csys_event *event, uint32_t waiting)
{
	uint32_t word = csysi_load_acquire(&event->word);

	while (word & SET) {
		uint32_t next = (event->is_automatic ? word & ~SET : word) - waiting;
		/* Acquire pairs with the release of set. */
		if (next == word || csysi_cas_acquire(&event->word, &word, next))
			return 1;
	}
	return 0;
}

int csys_event_wait_until(csys_event *event, csys_deadline deadline)
{
	if (get_through(event, 0))
		return 0;
	/* Relaxed: the sleep compares the same word.  Counted before it spins, so that set
	 * leaves a note. */
	csysi_add_relaxed(&event->word, ONE_WAITER);
	int is_through = 0;
	for (struct csysi_spin spin = csysi_spin_begin(&event->word, deadline);
	     csysi_spin_goes_on(&spin, is_through);)
		is_through = get_through(event, ONE_WAITER);
	if (is_through)
		return 0;
	for (;;) {
		if (get_through(event, ONE_WAITER))
			return 0;
		uint32_t word = csysi_load_relaxed(&event->word);
		if (word & SET)
			continue;
		if (csysi_os_wait(&event->word, word, deadline, 0) == CSYS_ETIMEDOUT)
			break;
	}
	/* One that is set beats a deadline that has passed. */
	if (get_through(event, ONE_WAITER))
		return 0;
	csysi_sub_relaxed(&event->word, ONE_WAITER);
	return CSYS_ETIMEDOUT;
}

void csys_event_wait(csys_event *event)
{
	(void)!csys_event_wait_until(event, CSYS_FOREVER);
}

int csys_event_try_wait(csys_event *event)
{
	return get_through(event, 0) ? 0 : CSYS_EAGAIN;
}

int csys_event_is_set(const csys_event *event)
{
	/* Acquire pairs with the release of set. */
	return (csysi_load_acquire(&event->word) & SET) != 0;
}
