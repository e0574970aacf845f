/*
 * os/posix/fifo.h - whether a FIFO has a writer (fifo_look.c).
 */
#ifndef CSYSI_OS_POSIX_FIFO_H
#define CSYSI_OS_POSIX_FIFO_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "base/backoff.h"

/* What looks at a reader need. */
struct csysi_posix_fifo_look {
	int reader;                /* nonblocking */
	struct csysi_backoff naps; /* between two looks */
	int is_armed;              /* posix: a reader without a writer is hung up */
	csys_handle pipe[2];       /* linux: where a copy of the first byte goes */
};

/* Prepare to look at a reader that was opened at this path. */
int csysi_posix_fifo_look_begin(int reader, const char *path, struct csysi_posix_fifo_look *out);
void csysi_posix_fifo_look_end(struct csysi_posix_fifo_look *look);

/* Whether there is a writer, or what one has left: 1, 0, or a failure.  No byte is taken. */
int csysi_posix_fifo_has_writer(struct csysi_posix_fifo_look *look);

/* Wait for a moment, or until something has come. */
void csysi_posix_fifo_nap(struct csysi_posix_fifo_look *look, csys_deadline deadline);

/* The way of POSIX alone, for folders above (fifo_hang_up.c). */
int csysi_posix_fifo_arm(int reader, const char *path, int *out_is_armed);
int csysi_posix_fifo_had_writer(int reader, int is_armed);

/* Open what is a FIFO; EBADMSG for all else, links too.  -1 with errno. */
int csysi_posix_fifo_open(const char *path, int flags);

/* Open an end at once: O_RDONLY or O_WRONLY, nonblocking.  -1 with errno. */
int csysi_posix_fifo_open_now(const char *path, int access);

/* Whether two descriptors are of one file. */
int csysi_posix_fifo_is_same(int a, int b);

#endif
