/*
 * os/linux/child.c - children by pidfd, or by pid where there is none.
 *
 * A kernel or a sandbox may have pidfds and refuse one of the calls on them;
 * each then goes by pid, which stays the child's until it is reaped.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

#define BY_PIDFD ((idtype_t)3) /* P_PIDFD, younger than some headers */

/* waitid(P_PIDFD) is Linux 5.4; EINVAL is older, ENOSYS a sandbox. */
static int refused(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == EPERM;
}

int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline)
{
	if (child->handle == CSYS_NO_HANDLE)
		return csysi_posix_wait_pid((pid_t)child->pid, deadline);

	if (deadline == CSYS_FOREVER) {
		/* One call less than poll, since reaping asks the same way. */
		siginfo_t info;
		int r;
		do
			r = waitid(BY_PIDFD, (id_t)child->handle, &info, WEXITED | WNOWAIT);
		while (r < 0 && errno == EINTR);
		/* EAGAIN: somebody, an event loop say, made the pidfd nonblocking. */
		if (r == 0 || (errno != EAGAIN && !refused()))
			return 0; /* ended, or (ECHILD) reaped by somebody else */
	}
	struct csysi_os_poll end = { .handle = child->handle };
	int r = csysi_os_poll(&end, 1, deadline);
	return r == 0 || r == CSYS_ETIMEDOUT ? r
					     : csysi_posix_wait_pid((pid_t)child->pid, deadline);
}

static int64_t nanoseconds(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000000000 + (int64_t)time->tv_usec * 1000;
}

int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out)
{
	if (child->handle == CSYS_NO_HANDLE)
		return csysi_posix_reap_pid((pid_t)child->pid, out);

	/* The raw call: libc's is a cancellation point, and the caller holds a lock; and it
	 * tells the usage too.  It does not wait, so there is no EINTR. */
	siginfo_t info;
	struct rusage usage;
	memset(&info, 0, sizeof info);
	memset(&usage, 0, sizeof usage);
	long r =
		syscall(SYS_waitid, BY_PIDFD, (int)child->handle, &info, WEXITED | WNOHANG, &usage);
	if (r < 0 && refused())
		return csysi_posix_reap_pid((pid_t)child->pid, out);
	if (r == 0 && info.si_pid == 0)
		return CSYS_EAGAIN;
	if (r < 0) {
		*out = (struct csysi_os_exit){ .known = 0, .value = -1 };
		return 0;
	}
	*out = csysi_posix_exit(info.si_code, info.si_status);
	out->usage_known = 1;
	out->user_ns = nanoseconds(&usage.ru_utime);
	out->system_ns = nanoseconds(&usage.ru_stime);
	out->peak = (int64_t)usage.ru_maxrss * 1024;
	return 0;
}

int csysi_os_child_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;

	if (child->handle != CSYS_NO_HANDLE) {
		/* Linux 5.1, and refused with ENOSYS or EPERM by some sandboxes; then EPERM
		 * comes again below if it was meant. */
		if (syscall(SYS_pidfd_send_signal, (int)child->handle, signal, NULL, 0) == 0)
			return 0;
		if (errno != ENOSYS && errno != EPERM)
			return csysi_posix_fail();
	}
	return csysi_posix_signal_pid((pid_t)child->pid, signal);
}
