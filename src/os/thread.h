/*
 * os/thread.h - threads, and making way for others.
 */
#ifndef CSYSI_OS_THREAD_H
#define CSYSI_OS_THREAD_H

#include <stddef.h>
#include <stdint.h>

/* One that runs, or has ended and was neither joined nor detached. */
struct csysi_os_thread {
	uintptr_t place; /* the system's own */
};

/*
 * A thread to be.  Its own `run` is called in it and then `leave`, also when run is
 * left otherwise (csysi_os_thread_exit, a cancellation), after everything in
 * between was unwound; from then on it cannot be cancelled.
 */
struct csysi_os_thread_start {
	void (*run)(void *argument);
	void (*leave)(void *argument);
	void *argument;
	const char *name;     /* for debuggers and the like, cut as they want it; NULL: none */
	size_t stack_size;    /* bytes, rounded up to what is possible; 0: the system's own */
	const unsigned *cpus; /* where it may run from its beginning; NULL: where this one may */
	size_t cpu_count;
	/* Private. */
	uint32_t is_placed;
	int result;
	int error;
};

/*
 * Start it, joinable.  *start stays where it is until `leave` is called, but for what
 * `cpus` points to.  CSYS_EAGAIN, CSYS_ENOMEM, CSYS_EINVAL: none of these CPUs;
 * CSYS_ENOTSUP: not on chosen ones.
 */
int csysi_os_thread_start(struct csysi_os_thread_start *start);

/* The calling thread. */
struct csysi_os_thread csysi_os_thread_self(void);

/* Wait for the end of one that is about to end; or have it go by itself.  Once for each. */
void csysi_os_thread_join(const struct csysi_os_thread *thread);
void csysi_os_thread_detach(const struct csysi_os_thread *thread);

/* End the calling thread, unwinding its stack. */
void csysi_os_thread_exit(void);

/* run(argument), then leave(argument); leave also runs if `run` is unwound, by the thread's end or
 * by an exception of C++. */
void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument);

/* Let others run on this CPU first. */
void csysi_os_yield(void);

#endif
