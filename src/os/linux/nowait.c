/*
 * os/linux/nowait.c - transfers that do not wait, in one system call each.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/nowait.h"
#include "os/posix/posix.h"

/* poll reports these as ready even if a transfer has to wait for a disk. */
static int is_on_disk(int fd)
{
	return csysi_linux_is_kind(fd, S_IFREG) || csysi_linux_is_kind(fd, S_IFBLK);
}

/*
 * Descriptors whose file has refused NOWAIT the last time, as a FIFO does.  A nonblocking one
 * needs no flag then.  It is only a hint, as the number may be another file's by now: then one
 * system call is wasted, or a nonblocking file on a disk is waited for, as it is after poll has
 * announced it.  All others keep to their nonblocking flag.  Relaxed: it guards no data.
 */
static unsigned char refusals[1024];

static void note(int fd, int is_refused)
{
	if (fd >= 0 && fd < (int)sizeof refusals && csysi_load_relaxed(&refusals[fd]) != is_refused)
		csysi_store_relaxed(&refusals[fd], (unsigned char)is_refused);
}

static int needs_no_flag(int fd)
{
	return fd >= 0 && fd < (int)sizeof refusals && csysi_load_relaxed(&refusals[fd]) &&
	       csysi_posix_is_nonblocking(fd);
}

ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced)
{
	if (needs_no_flag(fd))
		return read(fd, buffer, size);
	struct iovec io = { buffer, size };
	ssize_t moved = csysi_linux_transfer(SYS_preadv2, fd, &io, 1, NOWAIT);
	int is_refused = moved < 0 && csysi_linux_is_unsupported(moved);

	note(fd, is_refused);
	if (is_refused)
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
	if (needs_no_flag(fd))
		return csysi_posix_write_nosigpipe(fd, io, count);
	ssize_t moved = csysi_linux_write_nosignal(fd, io, count, NOWAIT);
	int is_refused = moved < 0 && csysi_linux_is_unsupported(moved);

	note(fd, is_refused);
	if (is_refused)
		return csysi_posix_write_polled(fd, io, count);
	if (moved < 0 && errno == EAGAIN && announced) {
		if (is_on_disk(fd))
			return csysi_posix_write_nosigpipe(fd, io, count);
		errno = EAGAIN;
	}
	return moved;
}
