/*
 * os/posix/content.c - room in files, and transfers at a place of them.
 */
#define _DEFAULT_SOURCE /* pread and posix_fallocate, with an off_t of 64 bits */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Allocation begins with this at once, and goes on with less when signals interrupt it. */
#define MOST ((uint64_t)1 << 30)
#define LEAST ((uint64_t)1 << 16)

/* Whether a file may become so long: beyond its limit a process would get SIGXFSZ. */
static int is_within_limits(uint64_t size)
{
	struct rlimit limit;

	if (size > INT64_MAX || (uint64_t)(off_t)size != size || (off_t)size < 0)
		return 0;
	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       size <= (uint64_t)limit.rlim_cur;
}

/*
 * Whether there can be so much room at all.  The system finds out by taking what it has, until
 * nothing is left for others; so it is not even asked for what cannot be.
 */
static int can_be_there(int fd, uint64_t more)
{
	struct statvfs about;
	unsigned seals;

	if (more <= MOST || fstatvfs(fd, &about) < 0)
		return 1;
	if (about.f_blocks > 0)
		return more / (about.f_frsize ? about.f_frsize : about.f_bsize) <= about.f_bfree;
	/* No limit, or not told; memory has one all the same. */
	return csysi_os_memory_seals(fd, &seals) < 0 || more <= csysi_os_memory_total();
}

/* Write a zero at the end of each block that is missing, where there is no call for it. */
static int fill(int fd, uint64_t end)
{
	for (;;) {
		struct stat about;
		if (fstat(fd, &about) < 0)
			return errno;

		uint64_t size = (uint64_t)about.st_size;
		if (size >= end)
			return 0;
		/* Another process may grow the file as well: write only where it has no byte. */
		uint64_t last = (size / 4096 + 1) * 4096 - 1;
		if (pwrite(fd, "", 1, (off_t)(last < end ? last : end - 1)) < 0 && errno != EINTR)
			return errno == EINVAL ? ENOTSUP : errno; /* huge pages */
	}
}

/* Allocate a part of a file: 0 or an errno. */
static int allocate(int fd, uint64_t from, uint64_t size)
{
#ifdef CSYSI_HAVE_POSIX_FALLOCATE
	int error = posix_fallocate(fd, (off_t)from, (off_t)size);
	if (error != EINVAL && error != EOPNOTSUPP && error != ENOTSUP && error != ENOSYS)
		return error;
#endif
	return fill(fd, from + size);
}

int csysi_os_file_allocate(csys_handle file, uint64_t size)
{
	int r = csysi_fault(CSYS_ENOSPC);
	if (r < 0)
		return r;

	struct stat about;
	if (fstat((int)file, &about) < 0)
		return csysi_posix_fail();
	if (!is_within_limits(size))
		return csysi_posix_fail_with(EFBIG);
	uint64_t from = (uint64_t)about.st_size;
	if (from < size && !can_be_there((int)file, size - from))
		return csysi_posix_fail_with(ENOSPC);

	uint64_t part = MOST;
	while (from < size) {
		uint64_t now = size - from < part ? size - from : part;
		int error = allocate((int)file, from, now);
		if (error == EINTR) /* the part is given up, so that a smaller one gets on */
			part = part / 2 > LEAST ? part / 2 : LEAST;
		else if (error != 0)
			return csysi_posix_fail_with(error);
		else
			from += now;
	}
	return 0;
}

int csysi_os_is_readable(csys_handle file)
{
	int flags = fcntl((int)file, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

int csysi_os_is_writable(csys_handle file)
{
	int flags = fcntl((int)file, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == O_RDWR;
}

int csysi_os_read_at(csys_handle file, uint64_t offset, void *buffer, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t now = pread((int)file, (char *)buffer + done, size - done,
				    (off_t)(offset + done));
		if (now == 0)
			return csysi_posix_fail_with(EIO); /* its end */
		if (now < 0 && errno != EINTR)
			return csysi_posix_fail();
		done += now > 0 ? (size_t)now : 0;
	}
	return 0;
}

int csysi_os_write_at(csys_handle file, uint64_t offset, const void *data, size_t size)
{
	int r = csysi_fault(CSYS_EIO);
	if (r < 0)
		return r;

	for (size_t done = 0; done < size;) {
		ssize_t now = pwrite((int)file, (const char *)data + done, size - done,
				     (off_t)(offset + done));
		if (now < 0 && errno != EINTR)
			return csysi_posix_fail();
		done += now > 0 ? (size_t)now : 0;
	}
	return 0;
}
