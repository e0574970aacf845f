/*
 * os/linux/pipe.c - pipes, created close-on-exec, and their capacity.
 */
#define _GNU_SOURCE /* pipe2, F_SETPIPE_SZ */
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Both kinds of ends are the same here: all streams can be polled. */
int csysi_os_pipe(unsigned ours, size_t capacity, csys_handle *out_reader, csys_handle *out_writer)
{
	(void)ours;
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return csysi_posix_fail();
	if (capacity > 0 && capacity <= INT_MAX)
		(void)fcntl(ends[1], F_SETPIPE_SZ, (int)capacity);
	return csysi_posix_pipe_ends(ends, out_reader, out_writer);
}

int csysi_os_pipe_capacity(csys_handle pipe, size_t *out)
{
	int size = fcntl((int)pipe, F_GETPIPE_SZ);
	if (size < 0)
		return csysi_posix_fail();
	*out = (size_t)size;
	return 0;
}

int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity)
{
	if (capacity > INT_MAX)
		return CSYS_EINVAL;
	return fcntl((int)pipe, F_SETPIPE_SZ, (int)capacity) < 0 ? csysi_posix_fail() : 0;
}
