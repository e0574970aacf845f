/*
 * os/posix/birth.c - what is the same about a start however the process is made:
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
	csysi_free(birth->sources);
	csysi_posix_program_free(&birth->program);
}

/* All that needs memory. */
static int prepare(const struct csysi_os_command *command, struct birth *out)
{
	const struct csysi_os_options *options = command->options;
	struct birth birth = {
		.command = command,
		.handlers = options->inherit_signals,
		.reset = options->inherit_signals ? options->standard : UINT64_MAX,
		.pipe = -1,
	};

	int r = csysi_posix_program_find(command, &birth.program);
	if (r < 0)
		return r;
	birth.sources = csysi_alloc((command->map_count + 1) * sizeof *birth.sources);
	if (!birth.sources) {
		release(&birth);
		return CSYS_ENOMEM;
	}
	*out = birth;
	return 0;
}

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct birth birth;
	struct csysi_os_child child;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = prepare(command, &birth);
	if (r < 0)
		return r;
	if (command->options->death_signal)
		birth.parent = getpid(); /* a system call */

	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_fault(CSYS_EAGAIN);
	if (r == 0)
		r = csysi_posix_give_birth(&birth, &child);
	if (r == 0 && birth.report.error != 0)
		r = csysi_posix_stillborn(&child, &birth.report, &birth.program, command, out_step);
	else if (r == 0)
		*out = child;
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
	r = csysi_posix_failed(&birth.report, &birth.program, command, out_step);
	release(&birth);
	return r;
}

uint64_t csysi_posix_blocked_there(const struct csysi_os_options *options, const sigset_t *here)
{
	uint64_t blocked = options->set_mask ? options->blocked : 0;

	for (int i = 1; i <= 64 && options->inherit_signals && !options->set_mask; i++)
		if (sigismember(here, i) == 1)
			blocked |= (uint64_t)1 << (i - 1);
	return blocked;
}
