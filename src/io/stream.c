/*
 * io/stream.c - transfers with a deadline, one at a time or until they are complete.
 */
#include <csys/base/result.h>
#include <csys/io/stream.h>

#include "os/os.h"

int csys_stream_read_until(csys_handle reader, void *buffer, size_t size, csys_deadline deadline,
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

int csys_stream_read(csys_handle reader, void *buffer, size_t size, size_t *out_size)
{
	return csys_stream_read_until(reader, buffer, size, CSYS_FOREVER, out_size);
}

int csys_stream_read_all_until(csys_handle reader, void *buffer, size_t size,
			       csys_deadline deadline, size_t *out_size)
{
	if (!out_size)
		return CSYS_EINVAL;

	size_t got = 0;
	int r = 0;
	while (got < size) {
		size_t more;
		r = csys_stream_read_until(reader, buffer ? (char *)buffer + got : NULL, size - got,
					   deadline, &more);
		if (r < 0 || more == 0)
			break;
		got += more;
	}
	*out_size = got;
	return r;
}

int csys_stream_read_all(csys_handle reader, void *buffer, size_t size, size_t *out_size)
{
	return csys_stream_read_all_until(reader, buffer, size, CSYS_FOREVER, out_size);
}

int csys_stream_write_until(csys_handle writer, const void *data, size_t size,
			    csys_deadline deadline, size_t *out_size)
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

int csys_stream_write(csys_handle writer, const void *data, size_t size, size_t *out_size)
{
	return csys_stream_write_until(writer, data, size, CSYS_FOREVER, out_size);
}

int csys_stream_write_all_until(csys_handle writer, const void *data, size_t size,
				csys_deadline deadline, size_t *out_size)
{
	size_t done = 0;
	int r = 0;

	if (!data && size > 0)
		r = CSYS_EINVAL;
	else if (size > 0 && writer == CSYS_NO_HANDLE)
		r = CSYS_EBADF;
	else if (size > 0)
		r = csysi_os_write_all(writer, data, size, deadline, &done);
	if (out_size)
		*out_size = done;
	return r;
}

int csys_stream_write_all(csys_handle writer, const void *data, size_t size, size_t *out_size)
{
	return csys_stream_write_all_until(writer, data, size, CSYS_FOREVER, out_size);
}

int csys_stream_nonblocking(csys_handle stream, int *out_nonblocking)
{
	return out_nonblocking ? csysi_os_nonblocking(stream, out_nonblocking) : CSYS_EINVAL;
}

int csys_stream_set_nonblocking(csys_handle stream, int nonblocking)
{
	return csysi_os_set_nonblocking(stream, nonblocking);
}
