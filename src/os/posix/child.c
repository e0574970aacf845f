/*
 * os/posix/child.c - children by pid.
 *
 * No other process can have the pid until the child is reaped.  But the system reaps children
 * where SIGCHLD is ignored, and other code of this process may reap them.  So before each
 * signal we check that this process has a child with that pid.  Two races are left: the child
 * is reaped between the check and the signal; or another child has the pid by then.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>

#include "base/fault.h"
#include "os/posix/posix.h"

int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline)
{
	return csysi_posix_wait_pid((pid_t)child->pid, deadline);
}

int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out)
{
	return csysi_posix_reap_pid((pid_t)child->pid, out);
}

int csysi_os_child_check(const struct csysi_os_child *child)
{
	int ended;
	return csysi_posix_check_pid((pid_t)child->pid, &ended);
}

int csysi_os_child_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r == 0)
		r = csysi_os_child_check(child);
	if (r < 0)
		return r;
	return kill((pid_t)child->pid, signal) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_group_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r == 0)
		r = csysi_os_child_check(child);
	if (r < 0)
		return r;
	return kill(-(pid_t)child->pid, signal) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_child_act(const struct csysi_os_child *child, enum csysi_os_act act)
{
	/* Here every child can be asked; the tests try what happens where it cannot. */
	int r = act == CSYSI_OS_ASK ? csysi_fault(CSYS_ENOTSUP) : 0;
	return r < 0 ? r : csysi_os_child_signal(child, csysi_posix_signal_of(act));
}

int csysi_os_group_act(const struct csysi_os_child *child, enum csysi_os_act act)
{
	return csysi_os_group_signal(child, csysi_posix_signal_of(act));
}

int csysi_os_child_is_stopped(const struct csysi_os_child *child)
{
	int r = csysi_fault(CSYS_ESRCH);
	return r < 0 ? r : csysi_posix_is_stopped((pid_t)child->pid);
}
