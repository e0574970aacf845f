/*
 * os/posix/polled.c - transfers that ask poll first whether they would wait.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "os/posix/posix.h"

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF /* systems where it depends on the file */
#endif

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
	return ready_now(fd, POLLIN) ? read(fd, buffer, size) : -1;
}

ssize_t csysi_posix_write_polled(int fd, const void *data, size_t size)
{
	/* Room for PIPE_BUF bytes is all that POLLOUT promises. */
	if (size > PIPE_BUF)
		size = PIPE_BUF;
	return ready_now(fd, POLLOUT) ? csysi_posix_write_nosigpipe(fd, data, size) : -1;
}
