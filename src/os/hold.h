/*
 * os/hold.h - keeping a thread from being cancelled, or interrupted by a handler, in the middle.
 */
#ifndef CSYSI_OS_HOLD_H
#define CSYSI_OS_HOLD_H

#include <stdint.h>

/*
 * Hold back a cancellation of this thread, where the system has such a thing, until the
 * release.  Pairs nest; `before` is what the matching csysi_os_hold_cancel has returned.
 */
int csysi_os_hold_cancel(void);
void csysi_os_release_cancel(int before);

/* What a release restores. */
struct csysi_os_hold {
	uint64_t place[20]; /* the system's own */
};

/*
 * Hold back signal handlers and cancellation in this thread until the release.  Pairs nest.
 */
void csysi_os_hold_signals(struct csysi_os_hold *hold);
void csysi_os_release_signals(const struct csysi_os_hold *hold);

#endif
