/*
 * os/linux/process.c - other processes than children, by pidfd.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Newer than some headers. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

int csysi_os_process_open(int64_t pid, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	/* Needs Linux 5.3.  The pidfd is close-on-exec. */
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0U);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		/* EPERM means a sandbox, since the call needs no permission; EINVAL a thread. */
		if (errno == EPERM || errno == EINVAL)
			return CSYS_ENOTSUP;
		return csysi_posix_fail();
	}
	*out = fd;
	return 0;
}

int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;
	r = handle == CSYS_NO_HANDLE
		    ? kill((pid_t)pid, signal)
		    : (int)syscall(SYS_pidfd_send_signal, (int)handle, signal, NULL, 0U);
	return r < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_process_act(int64_t pid, csys_handle handle, enum csysi_os_act act)
{
	return csysi_os_process_signal(pid, handle, csysi_posix_signal_of(act));
}
