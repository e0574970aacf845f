/*
 * os/posix/nowait.c - transfers that do not wait, by poll.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced)
{
	(void)announced;
	return csysi_posix_read_polled(fd, buffer, size);
}

ssize_t csysi_posix_write_nowait(int fd, const struct iovec *io, int count, int announced)
{
	(void)announced;
	return csysi_posix_write_polled(fd, io, count);
}
