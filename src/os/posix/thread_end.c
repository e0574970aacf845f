/*
 * os/posix/thread_end.c - a function that is called at the end of a thread.
 *
 * The destructor of a key is called at the end of a thread.  Destructors are called in no
 * order, and others may still lock or unlock something.  So this one sets its value again
 * until the last round but one that POSIX guarantees.  The last round is the one of the
 * runtimes of sanitizers, and of what destructors after this one have registered.  A
 * cancellation in a destructor would start all rounds again, so it is held back from the
 * first round on.
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

/* The first round of a thread; after its end was seen only one is left. */
static _Thread_local uintptr_t first_round = 1;

/* The value of the key is the number of the round. */
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
