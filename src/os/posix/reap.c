/*
 * os/posix/reap.c - waiting for a child by its pid.
 *
 * POSIX has no wait with a deadline that does not use SIGCHLD, which belongs to the program.
 * So a wait with a deadline asks again and again, at growing intervals: from 50 us, so that
 * the end of a short program is seen soon, to 5 ms, which is 200 cheap system calls a second.
 */
#define _XOPEN_SOURCE 700 /* waitid */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "os/posix/posix.h"

/* What WCOREDUMP tests on every system; POSIX does not have it. */
#define CORE_DUMPED 0x80

struct csysi_os_exit csysi_posix_exit(int code, int status)
{
	struct csysi_os_exit end = {
		.known = 1,
		.signaled = code != CLD_EXITED,
		.core_dumped = code == CLD_DUMPED,
		.value = status,
	};
	/* waitid has no status as waitpid has it: put it together as every system does. */
	end.system =
		end.signaled ? status | (end.core_dumped ? CORE_DUMPED : 0) : (status & 0xff) << 8;
	return end;
}

int csysi_os_exit_from_system(int64_t system, struct csysi_os_exit *out)
{
	if (system < INT_MIN || system > INT_MAX)
		return CSYS_EINVAL;

	int status = (int)system;
	if (WIFSTOPPED(status) || WIFCONTINUED(status))
		return CSYS_EAGAIN;
	if (!WIFEXITED(status) && !WIFSIGNALED(status))
		return CSYS_EINVAL;
	int code = WIFEXITED(status) ? CLD_EXITED : status & CORE_DUMPED ? CLD_DUMPED : CLD_KILLED;
	struct csysi_os_exit end =
		csysi_posix_exit(code, code == CLD_EXITED ? WEXITSTATUS(status) : WTERMSIG(status));
	/* The macros look at some bits alone: a number with others is no status. */
	if (end.system != system)
		return CSYS_EINVAL;
	*out = end;
	return 0;
}

/* waitid without EINTR.  1: the child is as asked; 0: it is not; -1: it was reaped. */
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

	if (csys_deadline_is_forever(deadline)) {
		look(pid, WEXITED | WNOWAIT, &info);
		return 0;
	}
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
	for (;;) {
		if (look(pid, WEXITED | WNOWAIT | WNOHANG, &info) != 0)
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}

/* Look without waiting, for callers that hold a lock: waitid is a cancellation point. */
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

	/* With WNOWAIT a stop is reported until the child continues. */
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
