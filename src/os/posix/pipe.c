/*
 * os/posix/pipe.c - pipes with POSIX.1-2008 alone: no pipe2, no size.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Both kinds of ends are the same here: all streams can be polled. */
int csysi_os_pipe(unsigned ours, size_t capacity, csys_handle *out_reader, csys_handle *out_writer)
{
	(void)ours;
	(void)capacity; /* POSIX has no way to ask for one */
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int ends[2];
	csysi_posix_fork_lock_shared();
	int made = pipe(ends);
	if (made == 0) {
		fcntl(ends[0], F_SETFD, FD_CLOEXEC);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	}
	csysi_posix_fork_unlock();
	if (made < 0)
		return csysi_posix_fail();
	return csysi_posix_pipe_ends(ends, out_reader, out_writer);
}

int csysi_os_pipe_capacity(csys_handle pipe, size_t *out)
{
	(void)pipe;
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity)
{
	(void)pipe;
	(void)capacity;
	return CSYS_ENOTSUP;
}
