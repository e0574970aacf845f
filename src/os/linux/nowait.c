/*
 * os/linux/nowait.c - transfers that do not wait, and writes without SIGPIPE,
 * in one system call each.
 *
 * preadv2 and pwritev2 take flags for the one call: RWF_NOWAIT (pipes: Linux
 * 6.4) and RWF_NOSIGNAL (Linux 6.18).  A file or kernel without the flag fails with
 * EOPNOTSUPP, a kernel without the calls with ENOSYS.  Then the calls of POSIX are used.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/posix/posix.h"

#define NOWAIT 0x00000008   /* RWF_NOWAIT, newer than some headers */
#define NOSIGNAL 0x00000100 /* RWF_NOSIGNAL, likewise */

/* Set when this kernel does not know NOSIGNAL.  Relaxed: it guards no data. */
static int no_nosignal;

/* Whether a file, a kernel or a sandbox has refused the call or the flag.  If the error means
 * something else, the call of POSIX fails with it again. */
static int unsupported(ssize_t moved)
{
	return moved < 0 &&
	       (errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM || errno == EINVAL);
}

/* The raw call, since musl has no wrapper.  Position -1 is the current one. */
static ssize_t transfer(long number, int fd, const void *data, size_t size, int flags)
{
	struct iovec io = { (void *)(uintptr_t)data, size };

	return syscall(number, fd, &io, 1L, -1L, -1L, flags);
}

static int is_kind(int fd, mode_t kind)
{
	struct stat about;
	return fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == kind;
}

/* poll reports these as ready even if a transfer has to wait for a disk. */
static int is_on_disk(int fd)
{
	return is_kind(fd, S_IFREG) || is_kind(fd, S_IFBLK);
}

ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced)
{
	ssize_t moved = transfer(SYS_preadv2, fd, buffer, size, NOWAIT);

	if (unsupported(moved))
		return csysi_posix_read_polled(fd, buffer, size);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_on_disk(fd))
			return read(fd, buffer, size);
		errno = EAGAIN;
	}
	return moved;
}

static ssize_t write_nowait(int fd, const void *data, size_t size)
{
	return transfer(SYS_pwritev2, fd, data, size, NOWAIT);
}

/*
 * Write with NOSIGNAL, or, if that is refused, with SIGPIPE masked; `flags` are 0 or NOWAIT.  The
 * refusal is remembered if NOSIGNAL must be its reason: the write worked with NOWAIT, or the file
 * is a pipe, which supports all flags of the kernel.
 */
static ssize_t write_nosignal(int fd, const void *data, size_t size, int flags)
{
	if (!csysi_load_relaxed(&no_nosignal)) {
		ssize_t moved = transfer(SYS_pwritev2, fd, data, size, flags | NOSIGNAL);
		if (!unsupported(moved))
			return moved;
	}
	ssize_t moved = csysi_posix_masked(flags ? write_nowait : write, fd, data, size);
	if (!unsupported(moved) && (flags || is_kind(fd, S_IFIFO)))
		csysi_store_relaxed(&no_nosignal, 1);
	return moved;
}

ssize_t csysi_posix_write_nowait(int fd, const void *data, size_t size, int announced)
{
	ssize_t moved = write_nosignal(fd, data, size, NOWAIT);

	if (unsupported(moved))
		return csysi_posix_write_polled(fd, data, size);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_on_disk(fd))
			return csysi_posix_write_nosigpipe(fd, data, size);
		errno = EAGAIN;
	}
	return moved;
}

ssize_t csysi_posix_write_nosigpipe(int fd, const void *data, size_t size)
{
	return write_nosignal(fd, data, size, 0);
}
