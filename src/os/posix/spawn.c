/*
 * os/posix/spawn.c - what is the same about a spawn however the process is made:
 * the program is found and memory is there before it, and a report is read after it.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/birth.h"

static void release(struct birth *birth)
{
	if (birth->sources != birth->usual)
		csysi_free(birth->sources);
	csysi_posix_program_free(&birth->program);
}

/* All that needs memory.  *out stays where it is from here on. */
static int prepare(const struct csysi_os_command *command, struct birth *out)
{
	const struct csysi_os_options *options = command->options;
	*out = (struct birth){
		.command = command,
		.parent_end = -1,
		.handlers = options->inherit_signals,
		.reset = options->inherit_signals ? options->standard : UINT64_MAX,
		/* Every other child is started whatever the deadline. */
		.deadline = command->deadline != 0 && csysi_posix_is_delayable(options)
				    ? command->deadline
				    : CSYS_FOREVER,
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

/* Of a child that was made, but is not to go on.  *out as csysi_os_spawn says. */
static void bury(const struct birth *birth, const struct csysi_os_child *child,
		 struct csysi_os_child *out)
{
	int os_error = csys_os_error();
	/* A child that has reported a failure is about to exit. */
	csys_deadline patience = csysi_posix_is_complete(&birth->own) ? birth->deadline : CSYS_POLL;
	/* SIGKILL takes effect at once, unless the child is in an uninterruptible sleep, or its
	 * tracer has not seen the end yet.  A caller with a deadline does not wait for these. */
	csys_deadline grace = csys_after_s(1);
	if (grace < birth->deadline)
		grace = birth->deadline;

	if (csysi_posix_abandon(child, patience, grace) < 0)
		*out = *child;
	csysi_set_os_error(os_error);
}

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct birth birth;
	struct csysi_os_child child = { .pid = 0, .handle = CSYS_NO_HANDLE };

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = prepare(command, &birth);
	if (r < 0)
		return r;
	int self = -1; /* the child may move birth.parent_end */
	if (command->options->death_signal) {
		birth.parent = getpid(); /* a system call */
		birth.parent_end = self = csysi_posix_hold_self();
	}

	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_fault(CSYS_EAGAIN);
	if (r == 0)
		r = csysi_posix_give_birth(&birth, &child);
	if (r == 0 && csysi_posix_has_succeeded(&birth.own)) {
		*out = child;
	} else {
		if (r == 0)
			r = csysi_posix_failed(&birth.own, &birth.program, command, out_step);
		if (child.pid != 0)
			bury(&birth, &child, out);
	}
	csysi_os_close(self);
	release(&birth);
	return r;
}

int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step)
{
	struct birth birth;
	sigset_t here;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = prepare(command, &birth);
	if (r < 0)
		return r;
	birth.parent = getppid();
	birth.handlers = 0; /* exec drops them */
	pthread_sigmask(SIG_SETMASK, NULL, &here);
	birth.blocked = csysi_posix_blocked_there(command->options, &here);
	csysi_posix_be_born(&birth);
	r = csysi_posix_failed(&birth.own, &birth.program, command, out_step);
	release(&birth);
	return r;
}

/* ---- the hook ------------------------------------------------------------------------ */

struct hook_call {
	struct birth *birth;
	int r;
	int has_returned;
};

static void call_hook(void *argument)
{
	struct hook_call *call = argument;
	const struct csysi_os_options *options = call->birth->command->options;

	call->r = options->hook(options->hook_argument);
	call->has_returned = 1;
}

/*
 * What unwinds out of a hook, an exception or the end of the thread, would go on in the
 * copies of the parent's functions and do all they do a second time.  So a copy ends here.
 */
static void leave_hook(void *argument)
{
	struct hook_call *call = argument;

	if (call->has_returned || !call->birth->is_copy)
		return;
	call->birth->report->result = CSYS_ECANCELED;
	csysi_posix_tell(call->birth);
	_exit(127);
}

static void leave_hook_frame(struct hook_call *call)
{
	leave_hook(call);
}

/* Twice: some systems tell cleanup handlers of a thread's end alone, and frames of exceptions. */
int csysi_posix_call_hook(struct birth *birth)
{
	__attribute__((cleanup(leave_hook_frame))) struct hook_call call = { .birth = birth };

	csysi_os_run(call_hook, leave_hook, &call);
	return call.r;
}

uint64_t csysi_posix_blocked_there(const struct csysi_os_options *options, const sigset_t *here)
{
	uint64_t blocked = options->set_mask ? options->blocked : 0;

	for (int i = 1; i <= 64 && options->inherit_signals && !options->set_mask; i++)
		if (sigismember(here, i) == 1)
			blocked |= (uint64_t)1 << (i - 1);
	return blocked;
}
