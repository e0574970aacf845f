/*
 * os/posix/fork.c - making the process of a child with fork.
 *
 * A forked child does not share memory, so it reports through a pipe that is close-on-exec:
 * the end of the pipe tells the parent of the exec.  A process that other code forks meanwhile
 * holds the pipe too, and then the parent also waits for that process to exec or end.  POSIX
 * has nothing better.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "os/posix/spawn.h"

/* Fork, and set up and execute the child.  Returns its pid, or -1 with errno. */
static pid_t fork_blocked(struct spawn *spawn)
{
	sigset_t all, before;
	sigfillset(&all);

	/* No signal handler of this process may run in the child. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	spawn->blocked = csysi_posix_blocked_in_child(spawn->command->options, &before);
	csysi_posix_fork_lock_alone();
	pid_t pid = fork();
	if (pid == 0) {
		csysi_posix_exec_child(spawn);
		_exit(127);
	}
	int error = errno;
	csysi_posix_fork_unlock();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

int csysi_posix_make_child(struct spawn *spawn, struct csysi_os_child *out)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer);
	if (r < 0)
		return r;

	spawn->is_copy = 1;
	spawn->pipe = (int)writer;
	pid_t pid = fork_blocked(spawn);
	if (pid < 0)
		r = csysi_posix_fail();
	csysi_os_close(writer);
	if (pid > 0) {
		*out = (struct csysi_os_child){ .pid = pid, .handle = CSYS_NO_HANDLE };
		r = csysi_posix_read_reports((int)reader, pid, spawn->deadline, &spawn->own);
	}
	csysi_os_close(reader);
	return r;
}

int csysi_posix_open_self(void)
{
	return -1;
}
