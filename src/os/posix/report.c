/*
 * os/posix/report.c - what a child reports before it runs the program.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/backoff.h"
#include "os/posix/posix.h"

/* Between two checks that the child has not ended, ns. */
#define FIRST_LOOK 10000000
#define LAST_LOOK 100000000

int csysi_posix_is_report(const struct csysi_posix_report *report)
{
	return report->step > CSYSI_OS_STEP_PREPARE && report->step <= CSYSI_OS_STEP_EXEC &&
	       report->error >= 0 && report->result <= 0 &&
	       (report->error == 0 || report->result == 0);
}

static int has_failed(const struct csysi_posix_report *report)
{
	return report->error != 0 || report->result != 0;
}

int csysi_posix_has_succeeded(const struct csysi_posix_report *report)
{
	return report->step == CSYSI_OS_STEP_EXEC && !has_failed(report);
}

int csysi_posix_is_complete(const struct csysi_posix_report *report)
{
	return report->step == CSYSI_OS_STEP_EXEC || has_failed(report);
}

/* Wait `ns` at most for bytes or the end.  1: there is something to read; 0: not yet. */
static int is_readable(int pipe, int64_t ns)
{
	struct pollfd polled = { .fd = pipe, .events = POLLIN };

	/* Rounded up, so that the last millisecond is not a busy loop. */
	return poll(&polled, 1, (int)((ns + 999999) / 1000000)) > 0;
}

int csysi_posix_read_reports(int pipe, pid_t pid, csys_deadline deadline,
			     struct csysi_posix_report *report)
{
	struct csysi_backoff backoff = { FIRST_LOOK, LAST_LOOK };
	int has_ended = 0;

	/* If a process that was forked meanwhile holds the pipe too, its end may never come.  So
	 * check now and then whether the child has ended. */
	while (!has_failed(report)) {
		struct csysi_posix_report next;
		if (is_readable(pipe, has_ended ? 0 : csysi_backoff_next(&backoff, deadline))) {
			/* A write of so few bytes is never split. */
			ssize_t size = read(pipe, &next, sizeof next);
			if (size < 0 && errno == EINTR)
				continue;
			if (size != (ssize_t)sizeof next || !csysi_posix_is_report(&next))
				return 0;
			*report = next;
		} else if (has_ended) {
			return 0;
		} else if (csysi_posix_has_ended(pid)) {
			has_ended = 1; /* read what it has left in the pipe */
		} else if (csys_deadline_left(deadline) == 0) {
			return CSYS_ETIMEDOUT;
		}
	}
	return 0;
}

int csysi_posix_report_failure(const struct csysi_posix_report *report,
			       const struct csysi_posix_program *program,
			       const struct csysi_os_command *command, enum csysi_os_step *out_step)
{
	if (!has_failed(report)) {
		/* The child was ended by a signal, or by its hook. */
		*out_step = report->step == CSYSI_OS_STEP_HOOK ? CSYSI_OS_STEP_HOOK
							       : CSYSI_OS_STEP_FORK;
		return CSYS_ECANCELED;
	}
	*out_step = (enum csysi_os_step)report->step;
	if (report->result < 0)
		return csysi_result_is_known(report->result) ? report->result : CSYS_EOTHER;
	if (report->step == CSYSI_OS_STEP_EXEC && report->error == ENOENT &&
	    csysi_posix_program_exists(program, command))
		*out_step = CSYSI_OS_STEP_INTERPRETER;
	csysi_set_os_error(report->error);
	return csysi_os_result(report->error);
}
