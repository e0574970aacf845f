/*
 * os/posix/handle.c - descriptors: closing, copying, keeping them above 2.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

int csysi_posix_is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

void csysi_os_close(csys_handle handle)
{
	if (handle == CSYS_NO_HANDLE)
		return;

	/* close is a cancellation point, and a thread that is cancelled there would leak the
	 * handle.  No retry after EINTR: on Linux and most systems the descriptor is closed
	 * then, and another thread may have opened its number again. */
	int error = errno;
	int before = csysi_os_hold_cancel();
	close((int)handle);
	csysi_os_release_cancel(before);
	errno = error;
}

int csysi_os_dup(csys_handle handle, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = fcntl((int)handle, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		r = csysi_posix_fail();
		/* EINVAL: not even 3 is within the limit. */
		return r == CSYS_EINVAL ? CSYS_EMFILE : r;
	}
	*out = fd;
	return 0;
}

csys_handle csysi_os_standard(int stream)
{
	return stream;
}

int csysi_posix_above_2(int fd)
{
	if (fd > 2)
		return fd;

	int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int error = errno == EINVAL ? EMFILE : errno;
	close(fd);
	errno = error;
	return higher;
}

int csysi_posix_pipe_ends(const int made[2], csys_handle *out_reader, csys_handle *out_writer)
{
	/* Move the second also if the first fails, so that neither old descriptor stays open. */
	int reader = csysi_posix_above_2(made[0]);
	int error = errno;
	int writer = csysi_posix_above_2(made[1]);

	if (reader < 0 || writer < 0) {
		if (reader < 0)
			errno = error;
		int r = csysi_posix_fail();
		csysi_os_close(reader);
		csysi_os_close(writer);
		return r;
	}
	*out_reader = reader;
	*out_writer = writer;
	return 0;
}

int csysi_os_is_open(csys_handle handle)
{
	return handle >= 0 && handle <= INT_MAX && fcntl((int)handle, F_GETFD) >= 0;
}

int csysi_os_is_inheritable(csys_handle handle)
{
	int flags = handle >= 0 && handle <= INT_MAX ? fcntl((int)handle, F_GETFD) : -1;
	return flags >= 0 && !(flags & FD_CLOEXEC);
}

int csysi_os_nonblocking(csys_handle handle, int *out)
{
	int flags = fcntl((int)handle, F_GETFL);
	if (flags < 0)
		return csysi_posix_fail();
	*out = (flags & O_NONBLOCK) != 0;
	return 0;
}

int csysi_os_set_nonblocking(csys_handle handle, int nonblocking)
{
	int flags = fcntl((int)handle, F_GETFL);
	if (flags < 0)
		return csysi_posix_fail();
	flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl((int)handle, F_SETFL, flags) < 0 ? csysi_posix_fail() : 0;
}
