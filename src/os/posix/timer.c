/*
 * os/posix/timer.c - no timers: those of POSIX send signals or start threads.
 */
#include "os/os.h"

int csysi_os_timer_open(csys_handle *out_timer)
{
	(void)out_timer;
	return CSYS_ENOTSUP;
}

void csysi_os_timer_set(csys_handle timer, int64_t at)
{
	(void)timer;
	(void)at;
}
