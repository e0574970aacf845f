/*
 * os/pipe.h - pipes.
 */
#ifndef CSYSI_OS_PIPE_H
#define CSYSI_OS_PIPE_H

#include <stddef.h>

#include <csys/base/handle.h>

/* The ends of a pipe that this process uses itself. */
#define CSYSI_OS_PIPE_READER 1u
#define CSYSI_OS_PIPE_WRITER 2u
#define CSYSI_OS_PIPE_BOTH 3u

/*
 * Create a pipe.  The ends that are `ours` are made for deadlines and polls in this process; the
 * others as the programs of this system expect a stream.  `capacity` is how many bytes it is wished
 * to hold, 0 the usual; a wish that cannot be had is no failure.
 */
int csysi_os_pipe(unsigned ours, size_t capacity, csys_handle *out_reader, csys_handle *out_writer);

/*
 * Get and set how many bytes a pipe holds.  A set may round up.  CSYS_ENOTSUP: it is not told, or
 * cannot change later.
 */
int csysi_os_pipe_capacity(csys_handle pipe, size_t *out);
int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity);

#endif
