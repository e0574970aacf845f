/*
 * os/posix/generation.c - telling this process from copies of it.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "base/atomic.h"
#include "os/posix/posix.h"

static uint32_t generation; /* 0: no handler is registered */
static pthread_once_t registered = PTHREAD_ONCE_INIT;

/* In a forked child, which has one thread. */
static void go_on(void)
{
	generation++;
}

static void register_once(void)
{
	if (csysi_os_at_fork(go_on) == 0)
		generation = 1;
}

uint32_t csysi_os_generation(void)
{
	pthread_once(&registered, register_once);
	/* Relaxed: it changes only while there is one thread. */
	return csysi_load_relaxed(&generation);
}

const uint32_t *csysi_os_generation_place(void)
{
	return &generation;
}
