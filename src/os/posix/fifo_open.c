/*
 * os/posix/fifo_open.c - opening what is a FIFO, and nothing else.
 */
#define _DEFAULT_SOURCE /* O_NOFOLLOW, which macOS counts to no edition of XOPEN */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/posix/fifo.h"
#include "os/posix/posix.h"

int csysi_posix_fifo_is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	       csysi_posix_is_same_file(&one, &other);
}

/* The path may be another file's since the check. */
int csysi_posix_fifo_open(const char *path, int flags)
{
	struct stat about;
	int fd;

	do
		fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		errno = errno == ELOOP ? EBADMSG : errno;
		return -1;
	}
	if (fstat(fd, &about) < 0 || !S_ISFIFO(about.st_mode)) {
		csysi_os_close(fd);
		errno = EBADMSG;
		return -1;
	}
	return csysi_posix_above_2(fd);
}

int csysi_posix_fifo_open_now(const char *path, int access)
{
	return csysi_posix_fifo_open(path, access | O_NONBLOCK);
}
