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
	return csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, out_reader, out_writer);
}

_Static_assert((unsigned)CSYS_PIPE_READER == CSYSI_OS_PIPE_READER &&
		       (unsigned)CSYS_PIPE_WRITER == CSYSI_OS_PIPE_WRITER &&
		       (unsigned)CSYS_PIPE_BOTH == CSYSI_OS_PIPE_BOTH,
	       "os/pipe.h says the same");

int csys_pipe_create_for(enum csys_pipe_end program, size_t capacity, csys_handle *out_reader,
			 csys_handle *out_writer)
{
	if (!out_reader || !out_writer || (int)program < CSYS_PIPE_READER ||
	    (int)program > CSYS_PIPE_BOTH)
		return CSYS_EINVAL;
	return csysi_os_pipe(CSYSI_OS_PIPE_BOTH & ~(unsigned)program, capacity, out_reader,
			     out_writer);
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
