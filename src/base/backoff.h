/*
 * base/backoff.h - growing intervals, for what can only be looked at again and again.
 *
 *     struct csysi_backoff backoff = { 50000, 5000000 };
 *     while (!is_done() && csys_deadline_left(deadline) > 0)
 *             csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
 */
#ifndef CSYSI_BASE_BACKOFF_H
#define CSYSI_BASE_BACKOFF_H

#include <stdint.h>

#include <csys/base/deadline.h>

struct csysi_backoff {
	int64_t next; /* ns; at first, the shortest */
	int64_t most; /* ns */
};

/* The next interval in ns, twice as long as the one before, but not beyond the deadline. */
static inline int64_t csysi_backoff_next(struct csysi_backoff *backoff, csys_deadline deadline)
{
	int64_t left = csys_deadline_left(deadline);
	int64_t next = backoff->next;

	backoff->next = next < backoff->most / 2 ? 2 * next : backoff->most;
	return left < next ? left : next;
}

#endif
