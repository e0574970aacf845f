/*
 * sync/park.c - parking, sleeping, yielding.
 *
 *              park                unpark
 *   NOTIFIED -------> EMPTY     any -------> NOTIFIED, and a wake if it was PARKED
 *                       |
 *                       | park: asleep while it is
 *                       v
 *                     PARKED
 *
 * Only the thread itself makes it EMPTY or PARKED, and only an unpark ends a sleep
 * on it; so a token given at any time is seen by the park that runs then, or by the next.
 * An unpark touches the object through a reference, so the thread may have ended.
 */
#include <csys/sync/thread.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/thread.h"

enum { EMPTY, NOTIFIED, PARKED };

#define MOST_NAP_NS 1000000

int csys_thread_park_until(csys_deadline deadline)
{
	csys_thread *self = csys_thread_current();

	/* There can be no reference to a thread without an object, so no thread will unpark it.
	 * Nap, so that a caller that looks in a loop does not keep others from running. */
	if (!self) {
		int64_t left = csys_deadline_left(deadline);
		csysi_spin_nap(left < MOST_NAP_NS ? left : MOST_NAP_NS);
		return csys_deadline_left(deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
	}

	/* Relaxed up to the swap at the end, which decides. */
	uint32_t token = csysi_load_relaxed(&self->token);
	for (struct csysi_spin spin = csysi_spin_begin(&self->token, deadline);
	     csysi_spin_goes_on(&spin, token != EMPTY);)
		token = csysi_load_relaxed(&self->token);
	if (!csys_deadline_is_poll(deadline) && token == EMPTY &&
	    csysi_cas_relaxed(&self->token, &token, PARKED)) {
		int r = 0;
		while (r == 0 && csysi_load_relaxed(&self->token) == PARKED)
			r = csysi_os_wait(&self->token, PARKED, deadline, 0);
	}
	/* Acquire pairs with the release in unpark.  A token that came with the deadline is
	 * taken: what is there beats a deadline. */
	return csysi_swap_acquire(&self->token, EMPTY) == NOTIFIED ? 0 : CSYS_ETIMEDOUT;
}

void csys_thread_park(void)
{
	int r = csys_thread_park_until(CSYS_FOREVER);
	(void)r; /* no deadline to pass */
}

int csys_thread_unpark(csys_thread *thread)
{
	csysi_spin_note(&thread->token);
	/* Release pairs with the acquire in park.  A swap also where a token is there already, so
	 * that park sees what both callers did before. */
	if (csysi_swap_release(&thread->token, NOTIFIED) != PARKED)
		return 0;
	csysi_os_wake(&thread->token, 1, 0);
	return 1;
}

void csys_thread_sleep_until(csys_deadline deadline)
{
	while (csys_deadline_left(deadline) > 0)
		csysi_os_nap(deadline);
}

void csys_thread_sleep_ns(int64_t ns)
{
	csys_thread_sleep_until(csys_after_ns(ns));
}

void csys_thread_yield(void)
{
	csysi_os_yield();
}

int csys_thread_available_parallelism(void)
{
	return csysi_os_parallelism();
}
