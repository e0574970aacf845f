/*
 * os/posix/barrier.c - there is no memory barrier in other threads.
 */
#include "os/os.h"

int csysi_os_barrier_is_there(void)
{
	return 0;
}

void csysi_os_barrier(void)
{
}
