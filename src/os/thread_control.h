/*
 * os/thread_control.h - the name, the CPUs and the priority of a running thread.
 *
 * The thread is the caller, or another one of this process that the caller keeps from ending.
 */
#ifndef CSYSI_OS_THREAD_CONTROL_H
#define CSYSI_OS_THREAD_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "os/thread.h"

/* The system's number of the calling thread; 0: it has none. */
int64_t csysi_os_thread_number(void);

/* Give the thread another name, as far as the system keeps one. */
void csysi_os_thread_rename(const struct csysi_os_thread *thread, const char *name);

/* Let the thread run on these CPUs only.  CSYS_EINVAL: on none of them; CSYS_EPERM;
 * CSYS_ENOTSUP. */
int csysi_os_thread_set_cpus(const struct csysi_os_thread *thread, const unsigned *cpus,
			     size_t count);

/* Kinds of priority: a nice value, no real-time class, or one of the real-time classes. */
enum {
	CSYSI_OS_PRIORITY_NICE = 1,
	CSYSI_OS_PRIORITY_NORMAL = 2,
	CSYSI_OS_PRIORITY_FIFO = 3,
	CSYSI_OS_PRIORITY_ROUND_ROBIN = 4
};

/* Give the thread another priority.  CSYS_EINVAL: no such value; CSYS_EPERM; CSYS_ENOTSUP. */
int csysi_os_thread_set_priority(const struct csysi_os_thread *thread, int kind, int value);

#endif
