/*
 * os/posix/clock.c - the monotonic clock.
 */
#define _XOPEN_SOURCE 700
#include <time.h>

#include "os/posix/posix.h"

csys_deadline csysi_os_now(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists wherever this floor is built. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (csys_deadline)now.tv_sec * 1000000000 + now.tv_nsec;
}
