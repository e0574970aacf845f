/*
 * os/posix/sigpipe.c - writing without SIGPIPE, where the system has no flag for it.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "os/posix/posix.h"

/*
 * SIGPIPE comes to the writing thread alone and at once, so: block it there,
 * write, take back the one that came, unblock.  One that was pending before is
 * somebody else's and stays; two of a kind cannot be pending, so then there is
 * nothing to take back.
 */
static int is_pending(int signal)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, signal) == 1;
}

ssize_t csysi_posix_masked(csysi_posix_writer *writer, int fd, const void *data, size_t size)
{
	sigset_t pipe, before;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);

	int foreign = is_pending(SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);

	ssize_t written = writer(fd, data, size);
	int error = errno;
	/* It comes with a part of the data written, too.  Not at all if the process ignores
	 * it; sigwait would wait for it. */
	int taken;
	if (written < (ssize_t)size && !foreign && is_pending(SIGPIPE))
		sigwait(&pipe, &taken);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

ssize_t csysi_posix_write_masked(int fd, const void *data, size_t size)
{
	return csysi_posix_masked(write, fd, data, size);
}
