/*
 * os/linux/nosigpipe.c - writes without SIGPIPE, in one system call each.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/nowait.h"
#include "os/posix/posix.h"

int csysi_linux_no_nosignal;

int csysi_linux_is_unsupported(ssize_t moved)
{
	return moved < 0 &&
	       (errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM || errno == EINVAL);
}

int csysi_linux_is_kind(int fd, mode_t kind)
{
	struct stat about;
	return fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == kind;
}

static ssize_t write_nowait(int fd, const struct iovec *io, int count)
{
	return csysi_linux_transfer(SYS_pwritev2, fd, io, count, NOWAIT);
}

ssize_t csysi_linux_write_masked(int fd, const struct iovec *io, int count, int flags)
{
	ssize_t moved = csysi_posix_masked(flags ? write_nowait : writev, fd, io, count);
	if (!csysi_linux_is_unsupported(moved) && (flags || csysi_linux_is_kind(fd, S_IFIFO)))
		csysi_store_relaxed(&csysi_linux_no_nosignal, 1);
	return moved;
}

ssize_t csysi_posix_write_nosigpipe(int fd, const struct iovec *io, int count)
{
	return csysi_linux_write_nosignal(fd, io, count, 0);
}
