/*
 * os/posix/thread_control.c - the priority of a running thread; POSIX has no names of threads, no
 * numbers, no CPUs, and nice values of processes only.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "os/posix/posix.h"

int64_t csysi_os_thread_number(void)
{
	return 0;
}

void csysi_os_thread_rename(const struct csysi_os_thread *thread, const char *name)
{
	(void)thread;
	(void)name;
}

int csysi_os_thread_set_cpus(const struct csysi_os_thread *thread, const unsigned *cpus,
			     size_t count)
{
	(void)thread;
	(void)cpus;
	(void)count;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_thread_set_priority(const struct csysi_os_thread *thread, int kind, int value)
{
	struct sched_param parameters;
	pthread_t its;

	if (kind == CSYSI_OS_PRIORITY_NICE)
		return csysi_posix_fail_with(ENOTSUP);
	int policy = kind == CSYSI_OS_PRIORITY_NORMAL ? SCHED_OTHER
		     : kind == CSYSI_OS_PRIORITY_FIFO ? SCHED_FIFO
						      : SCHED_RR;
	memset(&parameters, 0, sizeof parameters);
	parameters.sched_priority = value;
	memcpy(&its, &thread->place, sizeof its);
	int error = pthread_setschedparam(its, policy, &parameters);
	return error ? csysi_posix_fail_with(error) : 0;
}
