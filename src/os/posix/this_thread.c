/*
 * os/posix/this_thread.c - the name of the calling thread, which POSIX does not have.
 */
#include "os/posix/posix.h"

void csysi_os_name_thread(const char *name)
{
	(void)name;
}

int csysi_os_is_main_thread(void)
{
	return 0;
}
