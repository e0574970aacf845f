/*
 * os/posix/clock.c - the monotonic clock.
 */
#define _XOPEN_SOURCE 700
#include <time.h>

#include "os/posix/posix.h"

void csysi_os_nap(csys_deadline deadline)
{
	int64_t left = csys_deadline_left(deadline);
	struct timespec pause = { .tv_sec = (time_t)(left / 1000000000),
				  .tv_nsec = (long)(left % 1000000000) };

	/* A signal may end it early: callers check again what they wait for. */
	nanosleep(&pause, NULL);
}

int64_t csysi_os_now(void)
{
	struct timespec now;

	/* Cannot fail: every system with this folder has the clock. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
