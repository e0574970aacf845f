/*
 * ipc/framing_writer.c - whole messages into a stream of bytes.
 *
 * A writer keeps no bytes.  It counts how many of the frame (prefix and message) it has written;
 * when the call is made again with the same message, it goes on there.
 */
#include <csys/base/result.h>

#include "base/memory.h"
#include "ipc/framing.h"
#include "os/os.h"

struct csys_frame_writer {
	struct csysi_frame_stream stream;
	struct csysi_framing framing;
	size_t done; /* bytes of the frame that are written; 0 between messages */
	size_t size; /* of the message of which they are */
};

/* ---- making and closing ---------------------------------------------------------------- */

int csysi_frame_writer_over(const struct csysi_frame_stream *stream,
			    const csys_framing_options *options, csys_frame_writer **out)
{
	struct csysi_framing framing;
	int r = out ? csysi_framing_check(options, &framing) : CSYS_EINVAL;
	if (r < 0)
		return r;
	csys_frame_writer *writer = csysi_alloc_zero(sizeof *writer);
	if (!writer)
		return CSYS_ENOMEM;
	writer->stream = *stream;
	writer->framing = framing;
	*out = writer;
	return 0;
}

int csys_frame_writer_open(csys_handle stream, const csys_framing_options *options,
			   csys_frame_writer **out)
{
	struct csysi_frame_stream over;

	if (stream == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	csysi_frame_stream_of(stream, &over);
	return csysi_frame_writer_over(&over, options, out);
}

int csys_frame_writer_open_stream(const csys_frame_stream *stream,
				  const csys_framing_options *options, csys_frame_writer **out)
{
	if (!stream || !stream->write_until)
		return CSYS_EINVAL;
	struct csysi_frame_stream over = { .functions = *stream, .handle = CSYS_NO_HANDLE };
	return csysi_frame_writer_over(&over, options, out);
}

void csys_frame_writer_close(csys_frame_writer *writer)
{
	csysi_free(writer);
}

int csys_frame_writer_is_pending(const csys_frame_writer *writer)
{
	return writer && writer->done > 0;
}

csys_waitable csys_frame_writer_waitable(csys_frame_writer *writer)
{
	return csys_waitable_writing(writer ? writer->stream.handle : CSYS_NO_HANDLE);
}

/* ---- writing --------------------------------------------------------------------------- */

/* What is left of some slices: all but the first `skip` bytes. */
struct rest {
	const csys_slice *slices;
	size_t count;
	size_t skip;
};

/* Pass over `size` bytes, and over slices that are empty; how many bytes were not there. */
static size_t advance(struct rest *rest, size_t size)
{
	rest->skip += size;
	while (rest->count > 0 && rest->skip >= rest->slices->size) {
		rest->skip -= rest->slices->size;
		rest->slices++;
		rest->count--;
	}
	size_t beyond = rest->count > 0 ? 0 : rest->skip;
	if (rest->count == 0)
		rest->skip = 0;
	return beyond;
}

/* Add what is left to those that go into one call; returns how many there are then. */
static size_t gather(const struct rest *rest, csys_slice *slices, size_t used)
{
	size_t skip = rest->skip;

	for (size_t i = 0; i < rest->count && used < CSYSI_OS_SLICES; i++) {
		if (rest->slices[i].size > 0) {
			slices[used].data = (const char *)rest->slices[i].data + skip;
			slices[used++].size = rest->slices[i].size - skip;
		}
		skip = 0;
	}
	return used;
}

/* The size of a message; CSYS_EMSGSIZE, CSYS_EINVAL. */
static int measure(const csys_frame_writer *writer, const csys_slice *slices, size_t count,
		   size_t *out)
{
	size_t size = 0;

	if (!writer || (!slices && count > 0))
		return CSYS_EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!slices[i].data && slices[i].size > 0)
			return CSYS_EINVAL;
		if (slices[i].size > writer->framing.limit - size)
			return CSYS_EMSGSIZE;
		size += slices[i].size;
	}
	*out = size;
	return 0;
}

/* Write what is left of a frame. */
static int write_frame(csys_frame_writer *writer, struct rest head, struct rest body, size_t left,
		       csys_deadline deadline)
{
	void *context = csysi_frame_context(&writer->stream);

	while (left > 0) {
		csys_slice slices[CSYSI_OS_SLICES];
		size_t count = gather(&body, slices, gather(&head, slices, 0));
		size_t size = 0;
		int r = writer->stream.functions.write_until(context, slices, count, deadline,
							     &size);
		if (r < 0)
			return r;
		if (size == 0 || size > left) /* the function is wrong */
			return CSYS_EINVAL;
		advance(&body, advance(&head, size));
		writer->done += size;
		left -= size;
	}
	return 0;
}

int csys_frame_writer_send_slices_until(csys_frame_writer *writer, const csys_slice *slices,
					size_t count, csys_deadline deadline)
{
	uint8_t prefix[CSYSI_PREFIX];
	size_t size;
	int r = measure(writer, slices, count, &size);

	if (r < 0)
		return r;
	csys_slice first = { prefix, csysi_prefix_put(writer->framing.prefix, size, prefix) };
	if (first.size == 0)
		return CSYS_EMSGSIZE;
	if (writer->done > 0 && writer->size != size)
		return CSYS_EBUSY;
	struct rest head = { .slices = &first, .count = 1 };
	struct rest body = { .slices = slices, .count = count };
	advance(&body, advance(&head, writer->done));
	writer->size = size;
	r = write_frame(writer, head, body, first.size + size - writer->done, deadline);
	if (r == 0)
		writer->done = 0;
	return r;
}

int csys_frame_writer_send_until(csys_frame_writer *writer, const void *data, size_t size,
				 csys_deadline deadline)
{
	csys_slice slice = { data, size };

	return csys_frame_writer_send_slices_until(writer, &slice, 1, deadline);
}

int csys_frame_writer_send(csys_frame_writer *writer, const void *data, size_t size)
{
	return csys_frame_writer_send_until(writer, data, size, CSYS_FOREVER);
}

int csys_frame_writer_try_send(csys_frame_writer *writer, const void *data, size_t size)
{
	int r = csys_frame_writer_send_until(writer, data, size, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
