/*
 * os/child.h - children: waiting, reaping, signals to them.
 */
#ifndef CSYSI_OS_CHILD_H
#define CSYSI_OS_CHILD_H

#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

struct csysi_os_child {
	int64_t pid;
	csys_handle handle; /* polls readable from its end on; "none" if unknown here */
};

/*
 * Wait until the child has ended; do not reap it.  One that is no child of ours
 * any more has ended.  CSYS_ETIMEDOUT.
 */
int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline);

struct csysi_os_exit {
	int known;    /* 0: somebody else reaped it */
	int signaled; /* value is a signal, else an exit code */
	int core_dumped;
	int value;
	int usage_known;   /* of it and of the children that it waited for: */
	int64_t user_ns;   /* CPU time in programs */
	int64_t system_ns; /* CPU time in the system for them */
	int64_t peak;      /* bytes of memory, of the largest of them */
};

/* Reap it, without waiting.  CSYS_EAGAIN if it runs. */
int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out);

/*
 * Whether the child is not reaped, and so its pid and the number of its group are its own: 0.
 * CSYS_ESRCH: the system reaped it, or other code of this process did.
 */
int csysi_os_child_check(const struct csysi_os_child *child);

/*
 * Send a signal to a child that is not reaped.  CSYS_ESRCH (also if somebody else reaped it),
 * CSYS_EPERM, CSYS_EINVAL.
 */
int csysi_os_child_signal(const struct csysi_os_child *child, int signal);

/* Send a signal to the process group that the child leads.  Fails as csysi_os_child_signal. */
int csysi_os_group_signal(const struct csysi_os_child *child, int signal);

/*
 * Whether a child that is not reaped is stopped now: 1 or 0; CSYS_ESRCH if it
 * has ended.
 */
int csysi_os_child_is_stopped(const struct csysi_os_child *child);

#endif
