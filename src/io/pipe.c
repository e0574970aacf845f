/*
 * io/pipe.c - pipes, and transfers that go on until they are complete.
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

int csys_pipe_read_until(csys_handle reader, void *buffer, size_t size, csys_deadline deadline,
			 size_t *out_size)
{
	if (!out_size || (!buffer && size > 0))
		return CSYS_EINVAL;
	if (reader == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	if (size == 0) {
		*out_size = 0;
		return 0;
	}
	return csysi_os_read(reader, buffer, size, deadline, out_size);
}

int csys_pipe_read(csys_handle reader, void *buffer, size_t size, size_t *out_size)
{
	return csys_pipe_read_until(reader, buffer, size, CSYS_FOREVER, out_size);
}

int csys_pipe_read_all_until(csys_handle reader, void *buffer, size_t size, csys_deadline deadline,
			     size_t *out_size)
{
	if (!out_size)
		return CSYS_EINVAL;

	size_t got = 0;
	int r = 0;
	while (got < size) {
		size_t more;
		r = csys_pipe_read_until(reader, buffer ? (char *)buffer + got : NULL, size - got,
					 deadline, &more);
		if (r < 0 || more == 0)
			break;
		got += more;
	}
	*out_size = got;
	return r;
}

int csys_pipe_read_all(csys_handle reader, void *buffer, size_t size, size_t *out_size)
{
	return csys_pipe_read_all_until(reader, buffer, size, CSYS_FOREVER, out_size);
}

int csys_pipe_write_until(csys_handle writer, const void *data, size_t size, csys_deadline deadline,
			  size_t *out_size)
{
	if (!out_size || (!data && size > 0))
		return CSYS_EINVAL;
	if (writer == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	if (size == 0) {
		*out_size = 0;
		return 0;
	}
	return csysi_os_write(writer, data, size, deadline, out_size);
}

int csys_pipe_write(csys_handle writer, const void *data, size_t size, size_t *out_size)
{
	return csys_pipe_write_until(writer, data, size, CSYS_FOREVER, out_size);
}

int csys_pipe_write_all_until(csys_handle writer, const void *data, size_t size,
			      csys_deadline deadline, size_t *out_size)
{
	size_t done = 0;
	int r = 0;

	while (r == 0 && done < size) {
		size_t more = 0;
		r = csys_pipe_write_until(writer, data ? (const char *)data + done : NULL,
					  size - done, deadline, &more);
		done += more;
	}
	if (out_size)
		*out_size = done;
	return r;
}

int csys_pipe_write_all(csys_handle writer, const void *data, size_t size, size_t *out_size)
{
	return csys_pipe_write_all_until(writer, data, size, CSYS_FOREVER, out_size);
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

int csys_pipe_nonblocking(csys_handle pipe, int *out_nonblocking)
{
	return out_nonblocking ? csysi_os_nonblocking(pipe, out_nonblocking) : CSYS_EINVAL;
}

int csys_pipe_set_nonblocking(csys_handle pipe, int nonblocking)
{
	return csysi_os_set_nonblocking(pipe, nonblocking);
}
