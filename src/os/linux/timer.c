/*
 * os/linux/timer.c - timers as descriptors.
 */
#define _XOPEN_SOURCE 700 /* the clock, itimerspec */
#include <sys/timerfd.h>
#include <time.h>

#include "base/fault.h"
#include "os/posix/posix.h"

int csysi_os_timer_open(csys_handle *out_timer)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return csysi_posix_fail();
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out_timer = fd;
	return 0;
}

void csysi_os_timer_set(csys_handle timer, int64_t at)
{
	struct itimerspec when = { 0 }; /* never */
	int64_t seconds = at / 1000000000;

	/* A time_t of 32 bits counts 68 years of the clock. */
	if (at != INT64_MAX && (time_t)seconds == seconds) {
		when.it_value.tv_sec = (time_t)seconds;
		when.it_value.tv_nsec = (long)(at % 1000000000);
	}
	/* It has not expired after this, unless it is late already.  Cannot fail: the descriptor is
	 * one of csysi_os_timer_open, and the time is valid. */
	(void)timerfd_settime((int)timer, TFD_TIMER_ABSTIME, &when, NULL);
}
