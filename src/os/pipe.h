/*
 * os/pipe.h - pipes.
 */
#ifndef CSYSI_OS_PIPE_H
#define CSYSI_OS_PIPE_H

#include <stddef.h>

#include <csys/base/handle.h>

/* Create a pipe, as large as the system makes it. */
int csysi_os_pipe(csys_handle *out_reader, csys_handle *out_writer);

/* Get and set how many bytes a pipe holds.  A set may round up.  CSYS_ENOTSUP. */
int csysi_os_pipe_capacity(csys_handle pipe, size_t *out);
int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity);

#endif
