/*
 * os/posix/child.c - children by pid, which stays theirs until they are reaped.
 */
#define _XOPEN_SOURCE 700
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

int csysi_os_child_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;
	return csysi_posix_signal_pid((pid_t)child->pid, signal);
}
