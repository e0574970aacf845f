/*
 * os/posix/spawn.c - starting a program with fork and exec.
 *
 * The child reports a failure through a pipe that exec closes, as the memory of
 * a forked child is its own.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/birth.h"

#define MOST_HANDLES (1 << 20) /* no sweep goes on for ever */

#ifdef SIGRTMAX
#define LAST_SIGNAL SIGRTMAX
#else
#define LAST_SIGNAL 31
#endif

BIRTH static int checked(int r)
{
	return r < 0 ? -errno : r;
}

BIRTH static int kernel_dup2(int from, int to)
{
	return checked(dup2(from, to));
}

BIRTH static int kernel_dup_above(int fd, int least)
{
	return checked(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

BIRTH static int kernel_mark(int fd, int close_on_exec)
{
	return checked(fcntl(fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0));
}

BIRTH static int kernel_poll(struct pollfd *polled, unsigned count)
{
	return checked(poll(polled, (nfds_t)count, 0));
}

BIRTH static int kernel_most_handles(int *out_soft)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	/* The hard limit: some may have been opened before the soft one was lowered. */
	*out_soft = limit.rlim_cur < MOST_HANDLES ? (int)limit.rlim_cur : MOST_HANDLES;
	return limit.rlim_max < MOST_HANDLES ? (int)limit.rlim_max : MOST_HANDLES;
}

BIRTH static int kernel_mark_all(void)
{
	return -ENOSYS;
}

BIRTH static int kernel_chdir(const char *directory)
{
	return checked(chdir(directory));
}

BIRTH static void kernel_reset_signals(const struct birth *birth)
{
	struct sigaction standard;
	standard.sa_handler = SIG_DFL;
	standard.sa_flags = 0;
	sigemptyset(&standard.sa_mask);

	/* Errors are signals that cannot be set and are at their default for ever. */
	for (int i = 1; i <= LAST_SIGNAL && i <= 64; i++)
		if (birth->reset >> (i - 1) & 1)
			sigaction(i, &standard, NULL);
	/* sigprocmask: this process has one thread. */
	sigprocmask(SIG_SETMASK, &standard.sa_mask, NULL);
}

BIRTH static int kernel_execve(const char *file, char *const *argv, char *const *envp)
{
	return checked(execve(file, argv, envp));
}

/* Fork, with the whole of the child's life in it.  Returns its pid or -1. */
static pid_t fork_blocked(struct birth *birth)
{
	sigset_t all, before;
	sigfillset(&all);

	/* No handler of the program may run in the child. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	csysi_posix_fork_lock();
	pid_t pid = fork();
	if (pid == 0) {
		be_born(birth);
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

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct csysi_posix_program program = { 0 };
	csys_handle reader = CSYS_NO_HANDLE;
	csys_handle writer = CSYS_NO_HANDLE;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = csysi_posix_program_find(command, &program);
	if (r < 0)
		goto done;

	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_os_pipe(&reader, &writer);
	if (r < 0)
		goto done;
	r = csysi_fault(CSYS_EAGAIN);
	if (r < 0)
		goto done;

	struct birth birth = {
		.command = command,
		.program = &program,
		.reset = UINT64_MAX,
		.pipe = (int)writer,
	};
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
	csysi_posix_program_free(&program);
	return r;
}
