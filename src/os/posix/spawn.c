/*
 * os/posix/spawn.c - what a spawn does before and after the process is made: before it,
 * all that needs memory, after it, what the report of the child asks for.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/spawn.h"

static void release(struct spawn *spawn)
{
	if (spawn->sources != spawn->usual)
		csysi_free(spawn->sources);
	csysi_posix_program_free(&spawn->program);
}

/* Do all that needs memory.  *out must not move any more, since it points into itself. */
static int prepare(const struct csysi_os_command *command, struct spawn *out)
{
	const struct csysi_os_options *options = command->options;
	*out = (struct spawn){
		.command = command,
		.parent_end = -1,
		.handlers = options->inherit_signals,
		.reset = options->inherit_signals ? options->standard : UINT64_MAX,
		/* No other child can be delayed. */
		.deadline = csysi_posix_is_delayable(options) ? command->deadline : CSYS_FOREVER,
		.pipe = -1,
		.report = &out->own,
	};

	int r = csysi_posix_program_find(command, &out->program);
	if (r < 0)
		return r;
	out->sources = command->map_count <= USUAL_MAPS
			       ? out->usual
			       : csysi_alloc(command->map_count * sizeof *out->sources);
	if (!out->sources) {
		release(out);
		return CSYS_ENOMEM;
	}
	if (!options->inherit_handles)
		out->most_handles = csysi_posix_most_handles();
	return 0;
}

/* End a child whose spawn has failed.  *out as csysi_os_spawn says. */
static void discard(const struct spawn *spawn, const struct csysi_os_child *child,
		    struct csysi_os_child *out)
{
	int os_error = csys_os_error();
	/* A child that has reported a failure is about to exit. */
	csys_deadline patience = csysi_posix_is_complete(&spawn->own) ? spawn->deadline : CSYS_POLL;
	/* SIGKILL takes effect at once, unless the child is in an uninterruptible sleep, or its
	 * tracer has not seen its end.  A caller with a deadline does not wait for these. */
	csys_deadline grace = csys_after_s(1);
	if (csys_deadline_compare(grace, spawn->deadline) < 0)
		grace = spawn->deadline;

	if (csysi_posix_end_child(child, patience, grace) < 0)
		*out = *child;
	csysi_set_os_error(os_error);
}

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct spawn spawn;
	struct csysi_os_child child = { .pid = 0, .handle = CSYS_NO_HANDLE };

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = prepare(command, &spawn);
	if (r < 0)
		return r;
	int self = -1; /* to be closed here, since the child may move spawn.parent_end */
	if (command->options->death_signal) {
		spawn.parent = getpid(); /* a system call */
		spawn.parent_end = self = csysi_posix_open_self();
	}

	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_fault(CSYS_EAGAIN);
	if (r == 0)
		r = csysi_posix_make_child(&spawn, &child);
	if (r == 0 && csysi_posix_has_succeeded(&spawn.own)) {
		*out = child;
	} else {
		if (r == 0)
			r = csysi_posix_report_failure(&spawn.own, &spawn.program, command,
						       out_step);
		if (child.pid != 0)
			discard(&spawn, &child, out);
	}
	csysi_os_close(self);
	release(&spawn);
	return r;
}

int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step)
{
	struct spawn spawn;
	sigset_t here;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = prepare(command, &spawn);
	if (r < 0)
		return r;
	spawn.parent = getppid();
	spawn.handlers = 0; /* exec drops them */
	pthread_sigmask(SIG_SETMASK, NULL, &here);
	spawn.blocked = csysi_posix_blocked_in_child(command->options, &here);
	csysi_posix_exec_child(&spawn);
	r = csysi_posix_report_failure(&spawn.own, &spawn.program, command, out_step);
	release(&spawn);
	return r;
}
