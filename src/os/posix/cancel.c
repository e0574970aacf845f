/*
 * os/posix/cancel.c - keeping a thread from being cancelled in the middle.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "os/posix/posix.h"

int csysi_os_hold_cancel(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

void csysi_os_release_cancel(int before)
{
	pthread_setcancelstate(before, NULL);
}
