/*
 * os/posix/fork.c - making the process of a child with fork.
 *
 * The child reports through a pipe that exec closes, as the memory of a forked child
 * is its own.  Its end is how the parent learns of the exec: a process that other code
 * forks in the same moment holds the pipe too, and then the parent waits for that
 * process as well.  POSIX has nothing better.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "os/posix/birth.h"

/* Fork, with the whole of the child's life in it.  Returns its pid or -1. */
static pid_t fork_blocked(struct birth *birth)
{
	sigset_t all, before;
	sigfillset(&all);

	/* No handler of the program may run in the child. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	birth->blocked = csysi_posix_blocked_there(birth->command->options, &before);
	csysi_posix_fork_lock();
	pid_t pid = fork();
	if (pid == 0) {
		csysi_posix_be_born(birth);
		_exit(127);
	}
	int error = errno;
	csysi_posix_fork_unlock();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

int csysi_posix_give_birth(struct birth *birth, struct csysi_os_child *out)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(&reader, &writer);
	if (r < 0)
		return r;

	birth->is_copy = 1;
	birth->pipe = (int)writer;
	pid_t pid = fork_blocked(birth);
	if (pid < 0)
		r = csysi_posix_fail();
	csysi_os_close(writer);
	if (pid > 0) {
		*out = (struct csysi_os_child){ .pid = pid, .handle = CSYS_NO_HANDLE };
		r = csysi_posix_read_reports((int)reader, pid, birth->deadline, &birth->own);
	}
	csysi_os_close(reader);
	return r;
}

void csysi_posix_tell(const struct birth *birth)
{
	if (birth->pipe < 0)
		return;
	/* The parent reads it or is gone; there is nobody else to tell. */
	ssize_t told = write(birth->pipe, birth->report, sizeof *birth->report);
	(void)told;
}

int csysi_posix_hold_self(void)
{
	return -1;
}

/* The pipe ends with the child, whatever a hook does. */
void csysi_posix_watch_again(struct birth *birth)
{
	(void)birth;
}
