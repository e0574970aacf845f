/*
 * io/pipe.c - making pipes, and how much they hold.
 */
#include <csys/base/result.h>
#include <csys/io/pipe.h>

#include "os/os.h"

int csys_pipe_create(csys_handle *out_reader, csys_handle *out_writer)
{
	if (!out_reader || !out_writer)
		return CSYS_EINVAL;
	return csysi_os_pipe(out_reader, out_writer);
}

int csys_pipe_capacity(csys_handle pipe, size_t *out_capacity)
{
	return out_capacity ? csysi_os_pipe_capacity(pipe, out_capacity) : CSYS_EINVAL;
}

int csys_pipe_set_capacity(csys_handle pipe, size_t capacity, size_t *out_capacity)
{
	if (capacity == 0)
		return CSYS_EINVAL;

	int r = csysi_os_pipe_set_capacity(pipe, capacity);
	if (r == 0 && out_capacity)
		r = csysi_os_pipe_capacity(pipe, out_capacity);
	return r;
}
