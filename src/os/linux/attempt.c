/*
 * os/linux/attempt.c - transfers that do not wait, and writes without SIGPIPE,
 * in one system call each.
 *
 * preadv2 and pwritev2 take flags for the one call: RWF_NOWAIT (pipes: Linux
 * 6.4) and RWF_NOSIGNAL (Linux 6.18).  A file or kernel that lacks one answers
 * EOPNOTSUPP, and one without the calls ENOSYS; then it goes the POSIX way.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/posix/posix.h"

#define NOWAIT 0x00000008   /* RWF_NOWAIT, younger than some headers */
#define NOSIGNAL 0x00000100 /* RWF_NOSIGNAL, likewise */

/* Set by the first answer "unknown flag".  A lasting wrong guess, by an odd file, costs two
 * system calls a write and nothing else.  Relaxed: it guards no data. */
static int no_nosignal;

static int unsupported(ssize_t moved)
{
	return moved < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL);
}

/* The system call, since musl has no wrapper.  Position -1: the current one. */
static ssize_t transfer(long number, int fd, const struct iovec *io, int flags)
{
	return syscall(number, fd, io, 1L, -1L, -1L, flags);
}

/* poll says "ready" of a regular file even while its bytes are on the disk. */
static int is_regular(int fd)
{
	struct stat about;
	return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

ssize_t csysi_posix_read_attempt(int fd, void *buffer, size_t size, int announced)
{
	struct iovec io = { buffer, size };
	ssize_t moved = transfer(SYS_preadv2, fd, &io, NOWAIT);

	if (unsupported(moved))
		return csysi_posix_read_polled(fd, buffer, size);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_regular(fd))
			return read(fd, buffer, size);
		errno = EAGAIN;
	}
	return moved;
}

ssize_t csysi_posix_write_attempt(int fd, const void *data, size_t size, int announced)
{
	struct iovec io = { (void *)(uintptr_t)data, size };
	ssize_t moved = -1;

	errno = EOPNOTSUPP;
	if (!csysi_load_relaxed(&no_nosignal))
		moved = transfer(SYS_pwritev2, fd, &io, NOWAIT | NOSIGNAL);
	if (unsupported(moved))
		return csysi_posix_write_polled(fd, data, size);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_regular(fd))
			return csysi_posix_write_quietly(fd, data, size);
		errno = EAGAIN;
	}
	return moved;
}

ssize_t csysi_posix_write_quietly(int fd, const void *data, size_t size)
{
	struct iovec io = { (void *)(uintptr_t)data, size };

	if (!csysi_load_relaxed(&no_nosignal)) {
		ssize_t moved = transfer(SYS_pwritev2, fd, &io, NOSIGNAL);
		if (!unsupported(moved))
			return moved;
		csysi_store_relaxed(&no_nosignal, 1);
	}
	return csysi_posix_write_masked(fd, data, size);
}
