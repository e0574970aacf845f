/*
 * os/posix/this_thread.c - the name and the CPUs of the calling thread, which POSIX does not have.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>

#include "os/posix/posix.h"

void csysi_os_name_thread(const char *name)
{
	(void)name;
}

int csysi_os_place_thread(const unsigned *cpus, size_t count)
{
	(void)cpus;
	(void)count;
	errno = ENOTSUP;
	return csysi_posix_fail();
}

int csysi_os_is_main_thread(void)
{
	return 0;
}
