/*
 * os/thread.h - threads.
 */
#ifndef CSYSI_OS_THREAD_H
#define CSYSI_OS_THREAD_H

#include <stddef.h>
#include <stdint.h>

/* A thread that is neither joined nor detached. */
struct csysi_os_thread {
	uintptr_t place; /* the system's own handle */
	int64_t number;  /* by which the system knows it; 0: by none */
};

/*
 * What a new thread does.  It calls `run` and then `leave`.  `leave` is called also if `run`
 * does not return: after csysi_os_thread_exit, and after a foreign end of the thread or a
 * cancellation where that unwinds the stack.  Where a foreign end does not, only the function of
 * csysi_os_at_thread_end is called.  The thread cannot be cancelled from `leave` on.
 */
struct csysi_os_thread_start {
	void (*run)(void *argument);
	void (*leave)(void *argument);
	void *argument;
	const char *name;     /* as far as the system keeps it; NULL: none */
	size_t stack_size;    /* bytes, rounded up to what is possible; 0: the system's default */
	const unsigned *cpus; /* where it may run; NULL: where the calling thread may */
	size_t cpu_count;
	int priority_kind; /* of thread_control.h; 0: as the calling thread's */
	int priority;
	uintptr_t place[4]; /* the system's own */
};

/*
 * Start a thread, which is to be joined or detached.  *start stays in place until `leave` is
 * called; what `cpus` points to is not needed after the return.  CSYS_EAGAIN, CSYS_ENOMEM;
 * CSYS_EINVAL: none of the CPUs can be used, or no such priority; CSYS_EPERM: not this priority;
 * CSYS_ENOTSUP: the system cannot choose CPUs, or has no such priority.
 */
int csysi_os_thread_start(struct csysi_os_thread_start *start);

/* The calling thread, which csysi_os_thread_start began; the same each time. */
struct csysi_os_thread csysi_os_thread_self(void);

/* Wait until the thread has ended, and free what the system keeps of it.  At most one join or
 * detach for each thread. */
void csysi_os_thread_join(const struct csysi_os_thread *thread);

/* Let the system free what it keeps of the thread once it has ended. */
void csysi_os_thread_detach(const struct csysi_os_thread *thread);

/* End the calling thread: unwinding its stack where the system does, else as longjmp would. */
void csysi_os_thread_exit(void);

/*
 * Call run(argument), then leave(argument).  `leave` is called also if `run` is unwound: by an
 * exception of C++, and by the end of the thread where that unwinds.
 */
void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument);

/* Let other threads run on this CPU first. */
void csysi_os_yield(void);

#endif
