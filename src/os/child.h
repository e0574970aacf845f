/*
 * os/child.h - children: waiting for them, reaping them, acting on them.
 */
#ifndef CSYSI_OS_CHILD_H
#define CSYSI_OS_CHILD_H

#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* A process that csysi_os_spawn has started. */
struct csysi_os_child {
	int64_t pid;
	csys_handle
		handle; /* becomes ready (os/poll.h) once it has ended; "none" if there is none */
	uintptr_t place[2]; /* the system's own */
};

/*
 * Wait until the child has ended, without reaping it.  A child that was reaped already
 * counts as ended.  CSYS_ETIMEDOUT.
 */
int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline);

/* How a child ended. */
struct csysi_os_exit {
	int known;    /* 0: other code, or the system, reaped it */
	int signaled; /* value is a signal, else an exit code */
	int core_dumped;
	int value;         /* the whole exit code, or the number of a signal */
	int64_t system;    /* the system's own word for all that */
	int usage_known;   /* the following, of it and of the children that it waited for */
	int64_t user_ns;   /* CPU time in user mode */
	int64_t system_ns; /* CPU time in the system */
	int64_t peak;      /* most memory of any one of them, bytes */
};

/*
 * Read the system's own word for an end.  No usage is known.  CSYS_EAGAIN: it tells of no end;
 * CSYS_EINVAL: it tells of nothing.
 */
int csysi_os_exit_from_system(int64_t system, struct csysi_os_exit *out);

/* Reap the child if it has ended.  CSYS_EAGAIN if it still runs.  Not called again after that. */
int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out);

/*
 * Check that the child is not reaped, so that its pid and the number of its group cannot be
 * those of another process.  CSYS_ESRCH: the system or other code has reaped it.
 */
int csysi_os_child_check(const struct csysi_os_child *child);

/* What can be done to a process. */
enum csysi_os_act {
	CSYSI_OS_LOOK,    /* nothing, but tell whether it could be */
	CSYSI_OS_ASK,     /* ask it to end, which it may do later or not at all */
	CSYSI_OS_END,     /* end it at once */
	CSYSI_OS_SUSPEND, /* let it stop running */
	CSYSI_OS_RESUME   /* let it go on */
};

/*
 * Do that to the child, if it is not reaped.  CSYS_ENOTSUP: this system cannot, or cannot with
 * this child, and nothing was done; for CSYSI_OS_LOOK and CSYSI_OS_END that never comes.
 * CSYS_ESRCH (the system or other code has reaped it), CSYS_EPERM.
 */
int csysi_os_child_act(const struct csysi_os_child *child, enum csysi_os_act act);

/* Do that to all of the process group that the child leads.  Results as csysi_os_child_act. */
int csysi_os_group_act(const struct csysi_os_child *child, enum csysi_os_act act);

/*
 * Send a signal by its number to the child, if it is not reaped.  Results as csysi_os_child_act;
 * CSYS_EINVAL: there is no such signal; CSYS_ENOTSUP also if the system has no signals.
 */
int csysi_os_child_signal(const struct csysi_os_child *child, int signal);

/* Send a signal to the process group that the child leads.  Results as csysi_os_child_signal. */
int csysi_os_group_signal(const struct csysi_os_child *child, int signal);

/*
 * Whether the child is suspended now: 1 or 0.  CSYS_ESRCH if it has ended; CSYS_ENOTSUP if the
 * system does not tell.
 */
int csysi_os_child_is_stopped(const struct csysi_os_child *child);

#endif
