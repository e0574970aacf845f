/*
 * os/posix/this_process.c - this process, and its forked children.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "os/posix/posix.h"

intptr_t csysi_os_pid(void)
{
	return getpid();
}

int csysi_os_at_fork(void (*run)(void))
{
	/* Its only failure. */
	return pthread_atfork(NULL, NULL, run) == 0 ? 0 : CSYS_ENOMEM;
}
