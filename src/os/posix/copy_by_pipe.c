/*
 * os/posix/copy_by_pipe.c - copying memory whose use may be a fault.
 *
 * The system reads the memory in a write into a pipe, and says EFAULT where the program itself
 * would get SIGSEGV or SIGBUS.  An empty pipe takes PIPE_BUF bytes without waiting.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "os/posix/posix.h"

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF /* systems where it depends on the file */
#endif

/* Move up to PIPE_BUF bytes.  Returns how many, or -1 with errno. */
static ssize_t move(int reader, int writer, const char *from, char *to, size_t size)
{
	ssize_t written, got;
	size_t taken = 0;

	do
		written = write(writer, from, size < PIPE_BUF ? size : PIPE_BUF);
	while (written < 0 && errno == EINTR);
	while (written > 0 && taken < (size_t)written) {
		got = read(reader, to + taken, (size_t)written - taken);
		if (got > 0)
			taken += (size_t)got;
		else if (got == 0 || errno != EINTR)
			return -1;
	}
	return written;
}

int csysi_posix_copy_by_pipe(const void *from, void *to, size_t size)
{
	csys_handle reader, writer;
	ssize_t moved = 0;
	int r = csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer);
	if (r < 0)
		return r;

	int before = csysi_os_hold_cancel();
	for (size_t done = 0; done < size && moved >= 0; done += (size_t)moved) {
		moved = move((int)reader, (int)writer, (const char *)from + done, (char *)to + done,
			     size - done);
		if (moved < 0)
			break;
	}
	r = moved < 0 ? csysi_posix_fail() : 0;
	if (moved < 0 && errno == EFAULT)
		r = CSYS_EIO;
	csysi_os_release_cancel(before);
	csysi_os_close(reader);
	csysi_os_close(writer);
	return r;
}
