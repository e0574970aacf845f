/*
 * os/linux/this_thread.c - the name of the calling thread.
 */
#define _GNU_SOURCE /* syscall */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/linux.h"
#include "os/posix/posix.h"

#define BITS (8 * sizeof(unsigned long))

void csysi_os_name_thread(const char *name)
{
	/* The kernel keeps 15 bytes. */
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

int csysi_os_is_main_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}
