/*
 * os/posix/file.c - files that become streams of a child.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>

#include "base/fault.h"
#include "os/posix/posix.h"

static int open_retry(const char *path, int flags, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd;
	do
		fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
	while (fd < 0 && errno == EINTR); /* a FIFO, or a slow file system */
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

int csysi_os_open_file(const char *path, enum csysi_os_open how, csys_handle *out)
{
	static const int flags[] = {
		[CSYSI_OS_READ] = O_RDONLY,
		[CSYSI_OS_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
		[CSYSI_OS_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
		[CSYSI_OS_NEW] = O_WRONLY | O_CREAT | O_EXCL,
	};

	return open_retry(path, flags[how], out);
}

int csysi_os_open_null(int writing, csys_handle *out)
{
	return open_retry("/dev/null", writing ? O_WRONLY : O_RDONLY, out);
}
