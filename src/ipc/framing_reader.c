/*
 * ipc/framing_reader.c - whole messages out of a stream of bytes.
 *
 *   data   | given away | prefix, message, prefix ... | free ......... |
 *          0          begin                          end             room
 *
 * A call looks at the frame at `begin`, and reads until it is complete.  A frame that is broken
 * stays where it is, so that every later call finds it again.
 *
 * Invariant: room is at most twice the bytes that were in the buffer when it grew, or the usual
 * buffer.  So it is the bytes that have come that decide how much memory there is, and not the
 * prefix.  What is moved to the front is either less than what was given away before it, or a
 * frame that does not fit behind `begin`, once: each byte is moved at most twice.
 */
#include <csys/base/result.h>

#include <string.h>

#include "base/memory.h"
#include "ipc/framing.h"
#include "os/os.h"

struct csys_frame_reader {
	struct csysi_frame_stream stream;
	struct csysi_framing framing;
	uint8_t *data; /* room bytes; NULL before the first read */
	size_t room, begin, end;
	int has_ended; /* nothing comes after `end` */
};

/* ---- making and closing ---------------------------------------------------------------- */

int csysi_frame_reader_over(const struct csysi_frame_stream *stream,
			    const csys_framing_options *options, csys_frame_reader **out)
{
	struct csysi_framing framing;
	int r = out ? csysi_framing_check(options, &framing) : CSYS_EINVAL;
	if (r < 0)
		return r;
	csys_frame_reader *reader = csysi_alloc_zero(sizeof *reader);
	if (!reader)
		return CSYS_ENOMEM;
	reader->stream = *stream;
	reader->framing = framing;
	*out = reader;
	return 0;
}

int csys_frame_reader_open(csys_handle stream, const csys_framing_options *options,
			   csys_frame_reader **out)
{
	struct csysi_frame_stream over;

	if (stream == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	csysi_frame_stream_of(stream, &over);
	return csysi_frame_reader_over(&over, options, out);
}

int csys_frame_reader_open_stream(const csys_frame_stream *stream,
				  const csys_framing_options *options, csys_frame_reader **out)
{
	if (!stream || !stream->read_until)
		return CSYS_EINVAL;
	struct csysi_frame_stream over = { .functions = *stream, .handle = CSYS_NO_HANDLE };
	return csysi_frame_reader_over(&over, options, out);
}

void csys_frame_reader_close(csys_frame_reader *reader)
{
	if (!reader)
		return;
	csysi_free(reader->data);
	csysi_free(reader);
}

/* ---- looking --------------------------------------------------------------------------- */

/*
 * Look at the frame at `begin`: 1 and the message if all of it is there, 0 if not, and then
 * *wanted is how many bytes there must be to know more, or a failure.
 */
static int look(const csys_frame_reader *reader, csys_frame *out, size_t *wanted)
{
	size_t size = reader->end - reader->begin;
	uint64_t announced;

	*wanted = size + 1;
	if (size == 0) /* perhaps there is no buffer yet */
		return 0;
	const uint8_t *data = reader->data + reader->begin;
	int length = csysi_prefix_get(reader->framing.prefix, data, size, &announced);
	if (length <= 0)
		return length;
	/* Compared as 64 bits: only then it is known to be a size of this machine. */
	if (announced > reader->framing.limit)
		return CSYS_EMSGSIZE;
	*wanted = (size_t)length + (size_t)announced;
	if (size < *wanted)
		return 0;
	*out = (csys_frame){ .data = data + length, .size = (size_t)announced };
	return 1;
}

int csys_frame_reader_has_next(const csys_frame_reader *reader)
{
	csys_frame frame;
	size_t wanted;

	return reader && (look(reader, &frame, &wanted) != 0 || reader->has_ended);
}

static int is_ready(void *object)
{
	return csys_frame_reader_has_next(object);
}

csys_waitable csys_frame_reader_waitable(csys_frame_reader *reader)
{
	if (!reader)
		return csys_waitable_reading(CSYS_NO_HANDLE);
	if (!csys_frame_reader_has_next(reader))
		return csys_waitable_reading(reader->stream.handle);
	return (csys_waitable){ .handle = CSYS_NO_HANDLE, .is_ready = is_ready, .object = reader };
}

const void *csys_frame_reader_rest(const csys_frame_reader *reader, size_t *out_size)
{
	*out_size = reader->end - reader->begin;
	return reader->data ? reader->data + reader->begin : (const uint8_t *)"";
}

/* ---- reading --------------------------------------------------------------------------- */

/* Move to a block of another size, which what is there fits into. */
static int move(csys_frame_reader *reader, size_t room)
{
	uint8_t *data = csysi_realloc(reader->data, room);

	if (!data)
		return CSYS_ENOMEM;
	reader->data = data;
	reader->room = room;
	return 0;
}

static void to_front(csys_frame_reader *reader)
{
	size_t size = reader->end - reader->begin;

	if (size > 0 && reader->begin > 0)
		memmove(reader->data, reader->data + reader->begin, size);
	reader->begin = 0;
	reader->end = size;
}

/* Make room for at least one byte more of a frame of which there must be `wanted`. */
static int reserve(csys_frame_reader *reader, size_t wanted)
{
	size_t size = reader->end - reader->begin;
	size_t free = reader->room - reader->end;

	if (size == 0 || (size <= reader->begin && free < reader->room / 2) ||
	    reader->room - reader->begin < wanted)
		to_front(reader);
	if (reader->end < reader->room)
		return 0;
	size_t room = reader->framing.buffer;
	if (reader->room > 0) /* it is full of one frame that has not ended */
		room = wanted < 2 * reader->room ? wanted : 2 * reader->room;
	return move(reader, room);
}

/* Read some more. */
static int fill(csys_frame_reader *reader, size_t wanted, csys_deadline deadline)
{
	void *context = csysi_frame_context(&reader->stream);
	size_t size = 0;
	int r = reserve(reader, wanted);

	if (r < 0)
		return r;
	size_t free = reader->room - reader->end;
	r = reader->stream.functions.read_until(context, reader->data + reader->end, free, deadline,
						&size);
	if (r < 0)
		return r;
	if (size > free) /* the function is wrong, and has perhaps written beyond the buffer */
		return CSYS_EINVAL;
	reader->end += size;
	reader->has_ended = size == 0;
	return 0;
}

int csys_frame_reader_next_until(csys_frame_reader *reader, csys_deadline deadline, csys_frame *out)
{
	if (!reader || !out)
		return CSYS_EINVAL;
	for (;;) {
		size_t wanted;
		csys_frame frame;
		int r = look(reader, &frame, &wanted);
		if (r > 0) {
			reader->begin += wanted;
			*out = frame;
		}
		if (r != 0)
			return r;
		if (reader->has_ended)
			return reader->begin < reader->end ? CSYS_EDISCONNECTED : 0;
		r = fill(reader, wanted, deadline);
		if (r < 0)
			return r;
	}
}

int csys_frame_reader_next(csys_frame_reader *reader, csys_frame *out)
{
	return csys_frame_reader_next_until(reader, CSYS_FOREVER, out);
}

int csys_frame_reader_try_next(csys_frame_reader *reader, csys_frame *out)
{
	int r = csys_frame_reader_next_until(reader, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

void csys_frame_reader_shrink(csys_frame_reader *reader)
{
	size_t usual = reader ? reader->framing.buffer : 0;

	if (!reader || reader->room <= usual || reader->end - reader->begin > usual)
		return;
	to_front(reader);
	if (move(reader, usual) < 0)
		return; /* what is there stays */
}
