/*
 * os/posix/reap.c - waiting for a child by its pid.
 *
 * POSIX has no wait with a deadline that leaves SIGCHLD to the program, so one
 * with a deadline looks again and again, at growing intervals: from 50 us, so
 * that a short program is not waited for long, to 5 ms, which is 200 cheap
 * system calls a second.
 */
#define _XOPEN_SOURCE 700 /* waitid */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "os/posix/posix.h"

/* Between two looks, ns. */
#define FIRST_LOOK 50000
#define LAST_LOOK 5000000

struct csysi_os_exit csysi_posix_exit(int code, int status)
{
	struct csysi_os_exit end = {
		.known = 1,
		.signaled = code != CLD_EXITED,
		.core_dumped = code == CLD_DUMPED,
		.value = status,
	};
	return end;
}

/* waitid without EINTR.  1: it is as asked; 0: it runs; -1: not our child any more. */
static int look(pid_t pid, int options, siginfo_t *info)
{
	int r;

	do {
		memset(info, 0, sizeof *info);
		r = waitid(P_PID, (id_t)pid, info, options);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -1;
	return info->si_pid != 0;
}

int csysi_posix_wait_pid(pid_t pid, csys_deadline deadline)
{
	siginfo_t info;

	if (deadline == CSYS_FOREVER) {
		look(pid, WEXITED | WNOWAIT, &info);
		return 0;
	}
	struct csysi_backoff backoff = { FIRST_LOOK, LAST_LOOK };
	for (;;) {
		if (look(pid, WEXITED | WNOWAIT | WNOHANG, &info) != 0)
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}

/* look, at once, for callers that hold a lock: waitid is a cancellation point. */
static int glance(pid_t pid, int options, siginfo_t *info)
{
	int before = csysi_os_hold_cancel();
	int seen = look(pid, options | WNOHANG, info);

	csysi_os_release_cancel(before);
	return seen;
}

int csysi_posix_check_pid(pid_t pid, int *out_ended)
{
	siginfo_t info;
	int seen = glance(pid, WEXITED | WNOWAIT, &info);

	if (seen < 0)
		return CSYS_ESRCH;
	*out_ended = seen;
	return 0;
}

int csysi_posix_is_stopped(pid_t pid)
{
	siginfo_t info;

	/* Left waitable, the news of a stop is there until it goes on. */
	if (glance(pid, WEXITED | WSTOPPED | WNOWAIT, &info) == 0)
		return 0;
	return info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED ? 1 : CSYS_ESRCH;
}

int csysi_posix_reap_pid(pid_t pid, struct csysi_os_exit *out)
{
	siginfo_t info;

	switch (glance(pid, WEXITED, &info)) {
	case 0:
		return CSYS_EAGAIN;
	case 1:
		*out = csysi_posix_exit(info.si_code, info.si_status);
		return 0;
	default:
		*out = (struct csysi_os_exit){ .known = 0, .value = -1 };
		return 0;
	}
}

int csysi_posix_has_ended(pid_t pid)
{
	siginfo_t info;

	return glance(pid, WEXITED | WNOWAIT, &info) != 0;
}

int csysi_posix_end_child(const struct csysi_os_child *child, csys_deadline patience,
			  csys_deadline grace)
{
	struct csysi_os_exit end;
	int r = csysi_os_child_signal(child, SIGKILL);
	csys_deadline deadline = r == 0 || r == CSYS_ESRCH ? grace : patience;

	for (;;) {
		int waited = csysi_os_child_wait(child, deadline);
		/* An ended child that another process traces can be reaped once the tracer has
		 * seen its end, and not before. */
		if (waited == 0 && csysi_os_child_reap(child, &end) == 0)
			break;
		if (csys_deadline_left(deadline) == 0)
			return r < 0 && r != CSYS_ESRCH ? r : CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(LAST_LOOK));
	}
	csysi_os_close(child->handle);
	return 0;
}
