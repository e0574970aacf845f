/*
 * os/posix/process.c - other processes than children, by pid.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>

#include "base/fault.h"
#include "os/posix/posix.h"

int csysi_os_process_open(int64_t pid, csys_handle *out)
{
	(void)pid;
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_process_pid(csys_handle handle, int64_t *out)
{
	(void)handle;
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal)
{
	(void)handle;
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;
	return kill((pid_t)pid, signal) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_process_act(int64_t pid, csys_handle handle, enum csysi_os_act act)
{
	return csysi_os_process_signal(pid, handle, csysi_posix_signal_of(act));
}
