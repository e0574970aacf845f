/*
 * os/posix/condvar.c - waiting on a condvar until a deadline on the monotonic clock.
 */
#define _XOPEN_SOURCE 700
#define _DARWIN_C_SOURCE /* pthread_cond_timedwait_relative_np */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "os/posix/posix.h"

static struct timespec split(int64_t ns)
{
	struct timespec time = { .tv_sec = (time_t)(ns / 1000000000),
				 .tv_nsec = (long)(ns % 1000000000) };
	return time;
}

#ifdef CSYSI_HAVE_PTHREAD_CONDATTR_SETCLOCK

void csysi_posix_condvar_init(pthread_cond_t *condvar)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condvar, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static int wait_until(pthread_cond_t *condvar, pthread_mutex_t *mutex, csys_deadline deadline)
{
	struct timespec at = split(csys_deadline_is_poll(deadline) ? 0 : deadline.ns);

	return pthread_cond_timedwait(condvar, mutex, &at);
}

#else

/* macOS has no condvars of another clock, but a wait for a time. */
void csysi_posix_condvar_init(pthread_cond_t *condvar)
{
	pthread_cond_init(condvar, NULL);
}

static int wait_until(pthread_cond_t *condvar, pthread_mutex_t *mutex, csys_deadline deadline)
{
	struct timespec left = split(csys_deadline_left(deadline));

	return pthread_cond_timedwait_relative_np(condvar, mutex, &left);
}

#endif

int csysi_posix_condvar_wait(pthread_cond_t *condvar, pthread_mutex_t *mutex,
			     csys_deadline deadline)
{
	return csys_deadline_is_forever(deadline) ? pthread_cond_wait(condvar, mutex)
						  : wait_until(condvar, mutex, deadline);
}
