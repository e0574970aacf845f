/*
 * os/posix/fifo_look.c - whether a FIFO has a writer, as POSIX alone can tell.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/fifo.h"
#include "os/posix/posix.h"

int csysi_posix_fifo_look_begin(int reader, const char *path, struct csysi_posix_fifo_look *out)
{
	*out = (struct csysi_posix_fifo_look){ .reader = reader, .naps = CSYSI_BACKOFF_LOOK };
	return csysi_posix_fifo_arm(reader, path, &out->is_armed);
}

void csysi_posix_fifo_look_end(struct csysi_posix_fifo_look *look)
{
	(void)look;
}

int csysi_posix_fifo_has_writer(struct csysi_posix_fifo_look *look)
{
	return csysi_posix_fifo_had_writer(look->reader, look->is_armed);
}

void csysi_posix_fifo_nap(struct csysi_posix_fifo_look *look, csys_deadline deadline)
{
	csysi_os_nap(csys_after_ns(csysi_backoff_next(&look->naps, deadline)));
}
