/*
 * os/linux/nowait.c - transfers that do not wait, in one system call each.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/nowait.h"
#include "os/posix/posix.h"

/* poll reports these as ready even if a transfer has to wait for a disk. */
static int is_on_disk(int fd)
{
	return csysi_linux_is_kind(fd, S_IFREG) || csysi_linux_is_kind(fd, S_IFBLK);
}

ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced)
{
	struct iovec io = { buffer, size };
	ssize_t moved = csysi_linux_transfer(SYS_preadv2, fd, &io, 1, NOWAIT);

	if (csysi_linux_is_unsupported(moved))
		return csysi_posix_read_polled(fd, buffer, size);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_on_disk(fd))
			return read(fd, buffer, size);
		errno = EAGAIN;
	}
	return moved;
}

ssize_t csysi_posix_write_nowait(int fd, const struct iovec *io, int count, int announced)
{
	ssize_t moved = csysi_linux_write_nosignal(fd, io, count, NOWAIT);

	if (csysi_linux_is_unsupported(moved))
		return csysi_posix_write_polled(fd, io, count);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_on_disk(fd))
			return csysi_posix_write_nosigpipe(fd, io, count);
		errno = EAGAIN;
	}
	return moved;
}
