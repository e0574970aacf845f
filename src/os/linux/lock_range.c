/*
 * os/linux/lock_range.c - locks of ranges of bytes that belong to an opening (Linux 3.15), and
 * which of them is in the way.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/lock_range.h"
#include "os/posix/posix.h"

_Static_assert(sizeof(off_t) == 8, "ranges are 64 bits");

static int fill(const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
		struct flock *out)
{
	static const short types[] = {
		[CSYSI_OS_LOCK_NONE] = F_UNLCK,
		[CSYSI_OS_LOCK_SHARED] = F_RDLCK,
		[CSYSI_OS_LOCK_EXCLUSIVE] = F_WRLCK,
	};

	if (range->offset > INT64_MAX || range->size > INT64_MAX - range->offset)
		return csysi_posix_fail_with(EINVAL);
	memset(out, 0, sizeof *out);
	out->l_type = types[kind];
	out->l_whence = SEEK_SET;
	out->l_start = (off_t)range->offset;
	out->l_len = (off_t)range->size;
	return 0;
}

int csysi_posix_lock_range(int fd, const struct csysi_os_lock_range *range,
			   enum csysi_os_lock_kind kind, int wait)
{
	struct flock lock;
	int r = fill(range, kind, &lock);
	if (r < 0)
		return r;

	/* A wait for a lock by fcntl is a cancellation point. */
	int before = csysi_os_hold_cancel();
	while (r == 0 && fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0) {
		/* The descriptor is not open for this kind. */
		if (errno == EBADF && csysi_os_is_open(fd))
			errno = EACCES;
		else if (errno == EACCES)
			errno = EAGAIN;
		if (errno != EINTR)
			r = csysi_posix_fail();
		else
			(void)csysi_os_now(); /* for ThreadSanitizer: see posix/file_lock.c */
	}
	csysi_os_release_cancel(before);
	return r;
}

int csysi_linux_range_owner(int fd, const struct csysi_os_lock_range *range,
			    enum csysi_os_lock_kind kind, struct csysi_os_lock_owner *out)
{
	struct flock lock;
	int r = fill(range, kind, &lock);
	if (r < 0)
		return r;
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return csysi_posix_fail();
	if (lock.l_type == F_UNLCK)
		return 0;
	out->kind = lock.l_type == F_RDLCK ? CSYSI_OS_LOCK_SHARED : CSYSI_OS_LOCK_EXCLUSIVE;
	out->pid = lock.l_pid > 0 ? lock.l_pid : 0; /* -1: a lock of an opening */
	out->range = (struct csysi_os_lock_range){ (uint64_t)lock.l_start, (uint64_t)lock.l_len };
	return 1;
}
