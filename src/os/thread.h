/*
 * os/thread.h - threads.
 */
#ifndef CSYSI_OS_THREAD_H
#define CSYSI_OS_THREAD_H

#include <stddef.h>
#include <stdint.h>

/* A thread that is neither joined nor detached. */
struct csysi_os_thread {
	uintptr_t place; /* the system's own */
};

/*
 * What a new thread does.  It calls `run` and then `leave`.  `leave` is called also if `run`
 * does not return (csysi_os_thread_exit, a cancellation), after the stack was unwound.  The
 * thread cannot be cancelled from `leave` on.
 */
struct csysi_os_thread_start {
	void (*run)(void *argument);
	void (*leave)(void *argument);
	void *argument;
	const char *name;     /* as far as the system keeps it; NULL: none */
	size_t stack_size;    /* bytes, rounded up to what is possible; 0: the system's default */
	const unsigned *cpus; /* where it may run; NULL: where the calling thread may */
	size_t cpu_count;
	/* Private. */
	uint32_t is_placed;
	int result;
	int error;
};

/*
 * Start a thread, which is to be joined or detached.  *start stays in place until `leave` is
 * called; what `cpus` points to is not needed after the return.  CSYS_EAGAIN, CSYS_ENOMEM;
 * CSYS_EINVAL: none of the CPUs can be used; CSYS_ENOTSUP: the system cannot choose CPUs.
 */
int csysi_os_thread_start(struct csysi_os_thread_start *start);

/* The calling thread. */
struct csysi_os_thread csysi_os_thread_self(void);

/* Wait until the thread has ended, and free what the system keeps of it.  At most one join or
 * detach for each thread. */
void csysi_os_thread_join(const struct csysi_os_thread *thread);

/* Let the system free what it keeps of the thread once it has ended. */
void csysi_os_thread_detach(const struct csysi_os_thread *thread);

/* Unwind the stack of the calling thread, and end it. */
void csysi_os_thread_exit(void);

/*
 * Call run(argument), then leave(argument).  `leave` is called also if `run` is unwound, by the
 * end of the thread or by an exception of C++.
 */
void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument);

/* Let other threads run on this CPU first. */
void csysi_os_yield(void);

#endif
