/*
 * os/posix/thread_end.c - a function that is called at the end of a thread.
 *
 * A thread's end is seen by the destructor of a key.  Such destructors come in no
 * order, and others of them may still unlock, or lock, something; so this one
 * puts itself off to the last round but one that POSIX promises.  The last one is
 * where the runtimes of sanitizers go, and is for what destructors after this one
 * have noted.  A cancellation in a destructor would begin all of it again, so there
 * are none from the first round on.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/posix.h"

#ifndef PTHREAD_DESTRUCTOR_ITERATIONS
#define PTHREAD_DESTRUCTOR_ITERATIONS _POSIX_THREAD_DESTRUCTOR_ITERATIONS
#endif

#define LAST_BUT_ONE (PTHREAD_DESTRUCTOR_ITERATIONS - 1)

static pthread_key_t key;
static pthread_once_t made = PTHREAD_ONCE_INIT;
static int failed;
static void (*at_end)(void);

/* The round that a thread begins with; after its end has been seen there is but one left. */
static _Thread_local uintptr_t first_round = 1;

/* The value counts the rounds. */
static void end(void *value)
{
	uintptr_t round = (uintptr_t)value;

	csysi_os_hold_cancel();
	if (round < LAST_BUT_ONE) {
		pthread_setspecific(key, (void *)(round + 1));
		return;
	}
	first_round = LAST_BUT_ONE;
	void (*run)(void) = csysi_load_relaxed(&at_end);
	run();
}

__attribute__((constructor)) static void stay_loaded(void)
{
	csysi_posix_stay_loaded();
}

static void make_key(void)
{
	failed = pthread_key_create(&key, end);
}

int csysi_os_at_thread_end(void (*run)(void))
{
	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;

	csysi_store_relaxed(&at_end, run); /* always the same one */
	pthread_once(&made, make_key);
	int error = failed ? failed : pthread_setspecific(key, (void *)first_round);
	return error ? csysi_posix_fail_with(error) : 0;
}
