/*
 * os/posix/this_process.c - this process, and the copies that fork makes of it.
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
	/* What is told of it is the lack of memory; no caller's operation fails by it. */
	return pthread_atfork(NULL, NULL, run) == 0 ? 0 : CSYS_ENOMEM;
}
