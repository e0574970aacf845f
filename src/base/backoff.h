/*
 * base/backoff.h - growing intervals, for what can only be looked at again and again.
 *
 *     struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
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

/*
 * Between two looks at a process, where the system tells of no change: short enough not to be seen
 * behind what takes a moment, and at most 200 looks a second at what takes long.
 */
#define CSYSI_BACKOFF_LOOK_FIRST 50000
#define CSYSI_BACKOFF_LOOK_MOST 5000000
#define CSYSI_BACKOFF_LOOK                                        \
	{                                                         \
		CSYSI_BACKOFF_LOOK_FIRST, CSYSI_BACKOFF_LOOK_MOST \
	}

/* The next interval in ns, twice as long as the one before, but not beyond the deadline. */
static inline int64_t csysi_backoff_next(struct csysi_backoff *backoff, csys_deadline deadline)
{
	int64_t left = csys_deadline_left(deadline);
	int64_t next = backoff->next;

	backoff->next = next < backoff->most / 2 ? 2 * next : backoff->most;
	return left < next ? left : next;
}

#endif
