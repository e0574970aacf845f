/*
 * os/posix/notifier.c - a pipe that signal handlers write into.
 *
 * Both ends are nonblocking.  A full pipe takes no byte more and is readable, which
 * is all that a notify asks for.  Cancellation is off around read and write,
 * since a thread must not end inside a handler, nor while it holds a lock.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "os/posix/posix.h"

int csysi_os_notifier_open(csys_handle *out_reader, csys_handle *out_writer)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer);
	if (r < 0)
		return r;

	r = csysi_os_set_nonblocking(reader, 1);
	if (r == 0)
		r = csysi_os_set_nonblocking(writer, 1);
	if (r < 0) {
		csysi_os_close(reader);
		csysi_os_close(writer);
		return r;
	}
	*out_reader = reader;
	*out_writer = writer;
	return 0;
}

void csysi_os_notifier_notify(csys_handle writer)
{
	int error = errno;
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	ssize_t written = write((int)writer, "", 1);
	(void)written; /* fails only if the pipe is full, and then it is readable */
	pthread_setcancelstate(cancel, NULL);
	errno = error;
}

void csysi_os_notifier_clear(csys_handle reader)
{
	char bytes[64];
	ssize_t size;
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	do
		size = read((int)reader, bytes, sizeof bytes);
	while (size == (ssize_t)sizeof bytes || (size < 0 && errno == EINTR));
	pthread_setcancelstate(cancel, NULL);
}
