/*
 * os/posix/nosigpipe.c - writes without SIGPIPE, by a signal mask.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

ssize_t csysi_posix_write_nosigpipe(int fd, const struct iovec *io, int count)
{
	return csysi_posix_write_masked(fd, io, count);
}
