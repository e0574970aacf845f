/*
 * fuzz/fuzz_framing.c - any bytes as a stream of messages: csys/ipc/framing.h.
 *
 * The first bytes of the input say how the messages are framed and in which pieces they come.  A
 * reader has to find the messages that a look at the whole finds, whatever the pieces, and to end
 * in the same way.  A writer that sends them again writes the same bytes, but for varints that are
 * longer than they need to be.  What is asked of malloc at once is limited by run.sh.
 */
#include <stdlib.h>
#include <string.h>

#include <csys/ipc/framing.h>

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* A stream that gives its bytes in pieces, with a deadline that passes between two of them. */
struct stream {
	const uint8_t *bytes;
	size_t size, at;
	unsigned pieces; /* decides how long they are */
	uint8_t *written;
	size_t room;
};

static size_t piece(struct stream *s, size_t most)
{
	s->pieces = s->pieces * 1103515245 + 12345;
	size_t size = (s->pieces >> 16) % 64;
	return size < most ? size : most;
}

static int read_pieces(void *context, void *buffer, size_t size, csys_deadline deadline,
		       size_t *out_size)
{
	struct stream *s = context;
	size_t left = s->size - s->at;
	size_t now = piece(s, left < size ? left : size);

	(void)deadline;
	if (now == 0 && left > 0)
		return CSYS_ETIMEDOUT;
	if (now > 0)
		memcpy(buffer, s->bytes + s->at, now);
	s->at += now;
	*out_size = now;
	return 0;
}

static int write_pieces(void *context, const csys_slice *slices, size_t count,
			csys_deadline deadline, size_t *out_size)
{
	struct stream *s = context;
	size_t now = piece(s, 64), moved = 0;

	(void)deadline;
	if (now == 0)
		return CSYS_ETIMEDOUT;
	for (size_t i = 0; i < count && moved < now; i++) {
		size_t size = slices[i].size < now - moved ? slices[i].size : now - moved;
		MUST(slices[i].size > 0 && size <= s->room - s->at);
		memcpy(s->written + s->at, slices[i].data, size);
		s->at += size;
		moved += size;
	}
	*out_size = moved;
	return 0;
}

/* What a look at the whole says about the message at `bytes`: as csys_frame_reader_next. */
static int expected(const csys_framing_options *options, const uint8_t *bytes, size_t size,
		    csys_frame *out)
{
	static const size_t lengths[] = { 4, 4, 2, 2, 8, 8 };
	uint64_t value = 0;
	size_t length = 0;

	if (size == 0)
		return 0;
	if (options->prefix == CSYS_PREFIX_VARINT) {
		do {
			if (length == 9 && bytes[length] > 1)
				return CSYS_EBADMSG;
			value |= (uint64_t)(bytes[length] & 0x7f) << 7 * length;
		} while (bytes[length++] >= 0x80 && length < size);
		if (bytes[length - 1] >= 0x80)
			return CSYS_EDISCONNECTED;
	} else {
		length = lengths[options->prefix];
		if (size < length)
			return CSYS_EDISCONNECTED;
		for (size_t i = 0; i < length; i++) {
			size_t at = options->prefix % 2 ? length - 1 - i : i;
			value = value << 8 | bytes[at];
		}
	}
	if (value > options->limit)
		return CSYS_EMSGSIZE;
	if (value > size - length)
		return CSYS_EDISCONNECTED;
	*out = (csys_frame){ .data = bytes + length, .size = (size_t)value };
	return 1;
}

static void send(csys_frame_writer *writer, const csys_frame *frame, unsigned cut)
{
	size_t half = frame->size > 0 ? cut % frame->size : 0;
	const csys_slice slices[] = { { frame->data, half },
				      { NULL, 0 },
				      { (const char *)frame->data + half, frame->size - half } };
	int r;

	do
		r = csys_frame_writer_send_slices_until(writer, slices, 3, CSYS_POLL);
	while (r == CSYS_ETIMEDOUT);
	MUST(r == 0 && !csys_frame_writer_is_pending(writer));
}

static void check(csys_frame_reader *reader, csys_frame_writer *writer,
		  const csys_framing_options *options, struct stream *in, struct stream *out)
{
	size_t at = 0;
	csys_frame frame, wanted;
	int r, e;

	do {
		do
			r = csys_frame_reader_try_next(reader, &frame);
		while (r == CSYS_EAGAIN);
		e = expected(options, in->bytes + at, in->size - at, &wanted);
		MUST(r == e);
		if (r <= 0)
			break;
		MUST(frame.size == wanted.size);
		MUST(memcmp(frame.data, wanted.data, frame.size) == 0);
		size_t begin = out->at;
		send(writer, &frame, in->pieces);
		size_t length = (size_t)((const uint8_t *)wanted.data - (in->bytes + at));
		size_t sent = out->at - begin;
		MUST(sent <= length + frame.size);
		if (options->prefix != CSYS_PREFIX_VARINT)
			MUST(memcmp(out->written + begin, in->bytes + at, sent) == 0);
		at += length + frame.size;
	} while (r > 0);
	MUST(csys_frame_reader_has_next(reader));
	MUST(csys_frame_reader_try_next(reader, &frame) == r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	csys_framing_options options = { .prefix = data[0] % 7, .buffer = 1u + data[1] };
	options.limit = (size_t)1 << data[2] % 30;
	struct stream in = { .bytes = data + 3, .size = size - 3, .pieces = data[1] };
	struct stream out = { .written = malloc(size), .room = size, .pieces = data[2] };
	csys_frame_stream from = { &in, read_pieces, NULL }, to = { &out, NULL, write_pieces };
	csys_frame_reader *reader;
	csys_frame_writer *writer;
	MUST(csys_frame_reader_open_stream(&from, &options, &reader) == 0);
	MUST(csys_frame_writer_open_stream(&to, &options, &writer) == 0);
	check(reader, writer, &options, &in, &out);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	free(out.written);
	return 0;
}
