/*
 * os/linux/fifo_look.c - whether a FIFO has a writer, without touching it.
 *
 * tee copies what is in a pipe and takes nothing out.  If nothing is in it, it says 0 when there is
 * no writer, and EAGAIN when there is one.  So other readers, and those that wait in open, notice
 * nothing.  A writer that comes and writes ends the nap between two looks.
 */
#define _GNU_SOURCE /* tee */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/posix/fifo.h"
#include "os/posix/posix.h"

int csysi_posix_fifo_look_begin(int reader, const char *path, struct csysi_posix_fifo_look *out)
{
	*out = (struct csysi_posix_fifo_look){
		.reader = reader,
		.naps = CSYSI_BACKOFF_LOOK,
		.pipe = { CSYS_NO_HANDLE, CSYS_NO_HANDLE },
	};
	int r = csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &out->pipe[0], &out->pipe[1]);
	if (r < 0)
		return r;
	if (tee(reader, (int)out->pipe[1], 1, SPLICE_F_NONBLOCK) < 0 &&
	    (errno == ENOSYS || errno == EPERM)) {
		csysi_posix_fifo_look_end(out); /* a sandbox */
		return csysi_posix_fifo_arm(reader, path, &out->is_armed);
	}
	return 0;
}

void csysi_posix_fifo_look_end(struct csysi_posix_fifo_look *look)
{
	csysi_os_close(look->pipe[0]);
	csysi_os_close(look->pipe[1]);
	look->pipe[0] = look->pipe[1] = CSYS_NO_HANDLE;
}

int csysi_posix_fifo_has_writer(struct csysi_posix_fifo_look *look)
{
	ssize_t copied;

	if (look->pipe[1] == CSYS_NO_HANDLE)
		return csysi_posix_fifo_had_writer(look->reader, look->is_armed);
	do
		copied = tee(look->reader, (int)look->pipe[1], 1, SPLICE_F_NONBLOCK);
	while (copied < 0 && errno == EINTR);
	if (copied < 0)
		return errno == EAGAIN ? 1 : csysi_posix_fail();
	/* A writer that is gone, and has left nothing, is told by its hang-up. */
	return copied > 0 ? 1 : csysi_posix_fifo_had_writer(look->reader, 0);
}

void csysi_posix_fifo_nap(struct csysi_posix_fifo_look *look, csys_deadline deadline)
{
	struct csysi_os_poll item = { .handle = look->reader, .is_known = 1 };
	csys_deadline until = csys_after_ns(csysi_backoff_next(&look->naps, deadline));

	if (look->pipe[1] == CSYS_NO_HANDLE)
		csysi_os_nap(until);
	else
		(void)csysi_os_poll(&item, 1, until); /* looked at again either way */
}
