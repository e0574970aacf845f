/*
 * os/posix/sigpipe.c - writing without SIGPIPE, where the system has no flag for it.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>

#include "os/posix/posix.h"

/*
 * A write raises SIGPIPE in the calling thread, before it returns.  So block it in this thread,
 * write, remove the one that became pending, unblock.  A SIGPIPE that was pending before has
 * another cause and stays; a second one cannot become pending beside it.
 */
static int is_pending(int signal)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, signal) == 1;
}

ssize_t csysi_posix_masked(csysi_posix_writer *writer, int fd, const struct iovec *io, int count)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += io[i].iov_len;

	sigset_t pipe, before;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);

	int foreign = is_pending(SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);

	ssize_t written = writer(fd, io, count);
	int error = errno;
	/* It is raised also by a write that has written a part.  If the process ignores it, it
	 * never becomes pending, and sigwait would wait for ever. */
	int taken;
	if (written < (ssize_t)size && !foreign && is_pending(SIGPIPE))
		sigwait(&pipe, &taken);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

ssize_t csysi_posix_write_masked(int fd, const struct iovec *io, int count)
{
	return csysi_posix_masked(writev, fd, io, count);
}
