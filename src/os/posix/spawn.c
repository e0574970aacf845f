/*
 * os/posix/spawn.c - starting a program with fork and exec.
 *
 * The child reports a failure through a pipe that exec closes, as the memory of
 * a forked child is its own.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/birth.h"

/* The mask that the program starts with. */
static uint64_t blocked_there(const struct csysi_os_options *options, const sigset_t *here)
{
	uint64_t blocked = options->set_mask ? options->blocked : 0;

	for (int i = 1; i <= 64 && options->inherit_signals && !options->set_mask; i++)
		if (sigismember(here, i) == 1)
			blocked |= (uint64_t)1 << (i - 1);
	return blocked;
}

/* Fork, with the whole of the child's life in it.  Returns its pid or -1. */
static pid_t fork_blocked(struct birth *birth)
{
	sigset_t all, before;
	sigfillset(&all);

	/* No handler of the program may run in the child. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	birth->blocked = blocked_there(birth->command->options, &before);
	csysi_posix_fork_lock();
	pid_t pid = fork();
	if (pid == 0) {
		csysi_posix_be_born(birth);
		/* The parent reads it or is gone; there is nobody else to tell. */
		ssize_t told = write(birth->pipe, &birth->report, sizeof birth->report);
		(void)told;
		_exit(127);
	}
	int error = errno;
	csysi_posix_fork_unlock();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

/* The parts of a birth that every way has in common; `sources` has room for all maps. */
static struct birth make_birth(const struct csysi_os_command *command,
			       const struct csysi_posix_program *program, int *sources)
{
	const struct csysi_os_options *options = command->options;
	struct birth birth = {
		.command = command,
		.program = program,
		.sources = sources,
		.parent = getpid(),
		.handlers = options->inherit_signals,
		.reset = options->inherit_signals ? options->standard : UINT64_MAX,
		.pipe = -1,
	};
	return birth;
}

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct csysi_posix_program program = { 0 };
	csys_handle reader = CSYS_NO_HANDLE;
	csys_handle writer = CSYS_NO_HANDLE;
	int *sources = NULL;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = csysi_posix_program_find(command, &program);
	if (r < 0)
		goto done;
	sources = csysi_alloc((command->map_count + 1) * sizeof *sources);
	r = CSYS_ENOMEM;
	if (!sources)
		goto done;

	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_os_pipe(&reader, &writer);
	if (r < 0)
		goto done;
	r = csysi_fault(CSYS_EAGAIN);
	if (r < 0)
		goto done;

	struct birth birth = make_birth(command, &program, sources);
	birth.pipe = (int)writer;
	pid_t pid = fork_blocked(&birth);
	if (pid < 0) {
		r = csysi_posix_fail();
		goto done;
	}
	csysi_os_close(writer);
	writer = CSYS_NO_HANDLE;

	struct csysi_os_child child = { .pid = pid, .handle = CSYS_NO_HANDLE };
	csysi_posix_read_report((int)reader, &birth.report);
	if (birth.report.error != 0)
		r = csysi_posix_stillborn(&child, &birth.report, &program, command, out_step);
	else
		*out = child;
done:
	csysi_os_close(reader);
	csysi_os_close(writer);
	csysi_free(sources);
	csysi_posix_program_free(&program);
	return r;
}

int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step)
{
	struct csysi_posix_program program;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = csysi_posix_program_find(command, &program);
	if (r < 0)
		return r;
	int *sources = csysi_alloc((command->map_count + 1) * sizeof *sources);
	r = CSYS_ENOMEM;
	if (sources) {
		sigset_t here;
		struct birth birth = make_birth(command, &program, sources);
		birth.parent = getppid();
		pthread_sigmask(SIG_SETMASK, NULL, &here);
		birth.blocked = blocked_there(command->options, &here);
		csysi_posix_be_born(&birth);
		r = csysi_posix_failed(&birth.report, &program, command, out_step);
	}
	csysi_free(sources);
	csysi_posix_program_free(&program);
	return r;
}
