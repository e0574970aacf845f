/*
 * os/posix/clock.c - the monotonic clock.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC_COARSE */
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

/* Cannot fail: every system with this folder has the clocks. */
static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t csysi_os_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* The counter of a virtual machine takes 100 ns to read, the last tick 5. */
#if defined CLOCK_MONOTONIC_COARSE /* Linux */
#define TICKS CLOCK_MONOTONIC_COARSE
#elif defined CLOCK_MONOTONIC_FAST /* FreeBSD */
#define TICKS CLOCK_MONOTONIC_FAST
#else
#define TICKS CLOCK_MONOTONIC
#endif

int64_t csysi_os_now_about(void)
{
	return read_clock(TICKS);
}
