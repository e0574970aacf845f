/*
 * os/posix/polled.c - transfers that ask poll first whether they would wait.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/posix/posix.h"

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF /* systems where it depends on the file */
#endif

int csysi_posix_is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_NONBLOCK;
}

static int ready_now(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };
	int ready;

	if (fd < 0) { /* which poll passes over */
		errno = EBADF;
		return 0;
	}
	do
		ready = csysi_posix_poll(&polled, 1, 0);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		errno = csysi_posix_is_open_for(fd, events == POLLOUT) ? EAGAIN : EBADF;
	return ready > 0;
}

ssize_t csysi_posix_read_polled(int fd, void *buffer, size_t size)
{
	if (csysi_posix_is_nonblocking(fd))
		return read(fd, buffer, size);
	return ready_now(fd, POLLIN) ? read(fd, buffer, size) : -1;
}

ssize_t csysi_posix_write_polled(int fd, const struct iovec *io, int count)
{
	if (csysi_posix_is_nonblocking(fd))
		return csysi_posix_write_nosigpipe(fd, io, count);
	/* Room for PIPE_BUF bytes is all that POLLOUT promises. */
	struct iovec first = io[0];
	size_t size = 0;
	int fit = 0;
	while (fit < count && io[fit].iov_len <= PIPE_BUF - size)
		size += io[fit++].iov_len;
	if (size == 0) { /* so the first one that is not empty is longer */
		first = io[fit];
		first.iov_len = PIPE_BUF;
		io = &first;
		fit = 1;
	}
	return ready_now(fd, POLLOUT) ? csysi_posix_write_nosigpipe(fd, io, fit) : -1;
}
