/*
 * os/pipe.h - pipes.
 */
#ifndef CSYSI_OS_PIPE_H
#define CSYSI_OS_PIPE_H

#include <stddef.h>

#include <csys/base/handle.h>

int csysi_os_pipe(csys_handle *out_reader, csys_handle *out_writer);
int csysi_os_pipe_capacity(csys_handle pipe, size_t *out);
int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity);

#endif
