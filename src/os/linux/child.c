/*
 * os/linux/child.c - children by pidfd, or by pid where there is none.
 *
 * A pidfd always means this child.  A pid does only until the child is reaped, which other code
 * of the process may do, and the system does where SIGCHLD is ignored.  A kernel or a sandbox
 * may have pidfds and refuse one of the calls; then we check by the pidfd in another way that
 * the child is not reaped, and use the pid.  Without a pidfd we check by pid, as in
 * os/posix/child.c.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

#define BY_PIDFD ((idtype_t)3) /* P_PIDFD, newer than some headers */
#define TO_GROUP (1u << 2)     /* PIDFD_SIGNAL_PROCESS_GROUP, likewise */

/* waitid(P_PIDFD) needs Linux 5.4; EINVAL means an older one, ENOSYS or EPERM a sandbox. */
static int refused(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == EPERM;
}

int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline)
{
	if (child->handle == CSYS_NO_HANDLE)
		return csysi_posix_wait_pid((pid_t)child->pid, deadline);

	if (csys_deadline_is_forever(deadline)) {
		/* One call less than poll and waitid. */
		siginfo_t info;
		int r;
		do
			r = waitid(BY_PIDFD, (id_t)child->handle, &info, WEXITED | WNOWAIT);
		while (r < 0 && errno == EINTR);
		/* EAGAIN: other code, such as an event loop, made the pidfd nonblocking. */
		if (r == 0 || (errno != EAGAIN && !refused()))
			return 0; /* ended, or (ECHILD) reaped by other code */
	}
	struct csysi_os_poll end = { .handle = child->handle, .is_known = 1 };
	int r = csysi_os_poll(&end, 1, deadline);
	if (r == CSYS_ETIMEDOUT || (r == 0 && end.ready > 0))
		return r;
	return csysi_posix_wait_pid((pid_t)child->pid, deadline);
}

static long send(const struct csysi_os_child *child, int signal, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, (int)child->handle, signal, NULL, flags);
}

/* Does not wait.  The raw call, since that of libc is a cancellation point, and callers hold a
 * lock. */
static long look(const struct csysi_os_child *child, int options, siginfo_t *info)
{
	memset(info, 0, sizeof *info);
	return syscall(SYS_waitid, BY_PIDFD, (int)child->handle, info, options | WNOHANG, NULL);
}

/* Without waiting, for callers that hold a lock: poll is a cancellation point. */
static int has_ended_by_handle(csys_handle handle)
{
	struct csysi_os_poll end = { .handle = handle, .is_known = 1 };
	int before = csysi_os_hold_cancel();
	int r = csysi_os_poll(&end, 1, CSYS_POLL);

	csysi_os_release_cancel(before);
	return r == 0 && end.ready > 0;
}

int csysi_os_child_check(const struct csysi_os_child *child)
{
	siginfo_t info;
	int has_ended = 0;
	int ended;

	if (child->handle != CSYS_NO_HANDLE) {
		if (look(child, WEXITED | WNOWAIT, &info) == 0)
			return 0;
		if (!refused())
			return CSYS_ESRCH;
		/* A signal can be sent to a zombie, and not to a reaped child. */
		if (send(child, 0, 0) == 0)
			return 0;
		if (errno == ESRCH)
			return CSYS_ESRCH;
		has_ended = has_ended_by_handle(child->handle);
	}
	int r = csysi_posix_check_pid((pid_t)child->pid, &ended);
	/* The child has ended, and a process with its pid runs: that is a later child. */
	return r == 0 && has_ended && !ended ? CSYS_ESRCH : r;
}

/*
 * struct rusage as the kernel writes it.  A C library with 64 bits of time on a system with 32
 * has another one, which only its own functions fill.
 */
struct moment {
	long seconds;
	long microseconds;
};
struct kernel_usage {
	struct moment user, system;
	long peak; /* KiB */
	long others[13];
};

static int64_t nanoseconds(const struct moment *time)
{
	return (int64_t)time->seconds * 1000000000 + (int64_t)time->microseconds * 1000;
}

int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out)
{
	if (child->handle == CSYS_NO_HANDLE)
		return csysi_posix_reap_pid((pid_t)child->pid, out);

	/* The raw call, since that of libc is a cancellation point, while the caller holds a lock,
	 * and does not tell the usage.  It does not wait, so there is no EINTR. */
	siginfo_t info;
	struct kernel_usage usage;
	memset(&info, 0, sizeof info);
	memset(&usage, 0, sizeof usage);
	long r =
		syscall(SYS_waitid, BY_PIDFD, (int)child->handle, &info, WEXITED | WNOHANG, &usage);
	int reaped = r < 0;
	if (reaped && refused()) {
		reaped = csysi_os_child_check(child) < 0;
		if (!reaped)
			return csysi_posix_reap_pid((pid_t)child->pid, out);
	}
	if (r == 0 && info.si_pid == 0)
		return CSYS_EAGAIN;
	if (reaped) {
		*out = (struct csysi_os_exit){ .known = 0, .value = -1 };
		return 0;
	}
	*out = csysi_posix_exit(info.si_code, info.si_status);
	out->usage_known = 1;
	out->user_ns = nanoseconds(&usage.user);
	out->system_ns = nanoseconds(&usage.system);
	out->peak = (int64_t)usage.peak * 1024;
	return 0;
}

/* Signal by pid, after a check.  A real EPERM comes again. */
static int signal_pid(const struct csysi_os_child *child, pid_t pid, int signal)
{
	int r = csysi_os_child_check(child);
	if (r < 0)
		return r;
	return kill(pid, signal) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_child_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;

	if (child->handle != CSYS_NO_HANDLE) {
		/* Needs Linux 5.1; some sandboxes refuse it with ENOSYS or EPERM. */
		if (send(child, signal, 0) == 0)
			return 0;
		if (errno != ENOSYS && errno != EPERM)
			return csysi_posix_fail();
	}
	return signal_pid(child, (pid_t)child->pid, signal);
}

int csysi_os_group_signal(const struct csysi_os_child *child, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r == 0)
		r = csysi_os_child_check(child);
	if (r < 0)
		return r;

	if (child->handle != CSYS_NO_HANDLE) {
		/* Signals the group that the child leads, also if the child is reaped meanwhile.
		 * Needs Linux 6.9; EINVAL before that, and for a number that is no signal. */
		if (send(child, signal, TO_GROUP) == 0)
			return 0;
		if (errno == ESRCH)
			return csysi_posix_fail();
	}
	return signal_pid(child, -(pid_t)child->pid, signal);
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
	siginfo_t info;
	int r = csysi_fault(CSYS_ESRCH);
	if (r < 0)
		return r;

	if (child->handle != CSYS_NO_HANDLE) {
		/* With WNOWAIT a stop is reported until the child continues. */
		if (look(child, WEXITED | WSTOPPED | WNOWAIT, &info) < 0) {
			if (!refused() || csysi_os_child_check(child) < 0)
				return CSYS_ESRCH;
		} else {
			if (info.si_pid == 0)
				return 0;
			return info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED
				       ? 1
				       : CSYS_ESRCH;
		}
	}
	return csysi_posix_is_stopped((pid_t)child->pid);
}
