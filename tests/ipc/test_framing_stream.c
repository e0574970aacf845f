/*
 * ipc/test_framing_stream.c - promises of csys/ipc/framing.h about streams of functions, about
 * sockets, and about arguments.
 */
#include <string.h>

#include "support/framing.h"

static int write_memory(void *context, const csys_slice *slices, size_t count,
			csys_deadline deadline, size_t *out_size)
{
	struct memory *m = context;
	size_t moved = 0;
	(void)deadline;
	assert_true(count > 0);
	if (m->result < 0 && m->at >= m->size)
		return m->result;
	for (size_t i = 0; i < count && moved < m->step; i++) {
		size_t size = slices[i].size;
		assert_true(size > 0);
		size = size < m->step - moved ? size : m->step - moved;
		assert_true(size <= sizeof m->written - m->at);
		memcpy(m->written + m->at, slices[i].data, size);
		m->at += size;
		moved += size;
	}
	*out_size = moved;
	return 0;
}

static void any_number_of_slices_goes_byte_by_byte_and_comes_back(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	static csys_slice slices[COUNT];
	static const char digits[] = "0123456789";
	for (size_t i = 0; i < COUNT; i++)
		slices[i] = (csys_slice){ digits, i % 11 };
	for (size_t step = 1; step < 2000; step = 3 * step + 1) {
		struct memory out = { .step = step };
		csys_frame_stream stream = { &out, read_memory, write_memory };
		csys_frame_writer *writer;
		csys_frame frame;
		assert_int_equal(csys_frame_writer_open_stream(&stream, NULL, &writer), 0);
		/* It is interrupted after each quarter. */
		int r, rounds = 0;
		out.result = CSYS_ETIMEDOUT;
		do {
			out.size += 1300;
			r = csys_frame_writer_send_slices_until(writer, slices, COUNT, CSYS_POLL);
			rounds++;
		} while (r == CSYS_ETIMEDOUT);
		assert_int_equal(r, 0);
		assert_in_range(rounds, 2, 8);
		csys_frame_writer_close(writer);
		struct memory in = { .bytes = out.written, .size = out.at, .step = step };
		csys_frame_reader *reader = memory_reader(&in, NULL);
		assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
		const char *at = frame.data;
		for (size_t i = 0; i < COUNT; at += slices[i++].size)
			assert_memory_equal(at, digits, slices[i].size);
		assert_int_equal(at - (const char *)frame.data, frame.size);
		assert_int_equal(csys_frame_reader_next(reader, &frame), 0);
		csys_frame_reader_close(reader);
	}
}

static void a_failure_of_the_stream_is_told_and_loses_nothing(void **state)
{
	(void)state;
	struct memory memory = { .bytes = "\0\0\0\2ab", .size = 5, .step = 9, .result = CSYS_EIO };
	csys_frame_reader *reader = memory_reader(&memory, NULL);
	csys_frame frame;
	csys_poll_item item = { .waitable = csys_frame_reader_waitable(reader) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
	assert_int_equal(csys_frame_reader_next(reader, &frame), CSYS_EIO);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), CSYS_EIO);
	memory.size = 6;
	assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
	assert_memory_equal(frame.data, "ab", 2);
	csys_frame_reader_close(reader);
}

static int move_too_much(void *context, void *buffer, size_t size, csys_deadline deadline,
			 size_t *out_size)
{
	(void)context;
	(void)buffer;
	(void)deadline;
	*out_size = size + 1;
	return 0;
}

static int write_nothing(void *context, const csys_slice *slices, size_t count,
			 csys_deadline deadline, size_t *out_size)
{
	(void)slices;
	(void)deadline;
	assert_true(count > 0);
	*out_size = *(size_t *)context;
	return 0;
}

static void functions_that_are_wrong_do_no_harm(void **state)
{
	(void)state;
	size_t written = 0;
	csys_frame_stream stream = { &written, move_too_much, write_nothing };
	csys_frame_reader *reader;
	csys_frame_writer *writer;
	csys_frame frame;
	assert_int_equal(csys_frame_reader_open_stream(&stream, NULL, &reader), 0);
	assert_int_equal(csys_frame_writer_open_stream(&stream, NULL, &writer), 0);
	assert_int_equal(csys_frame_reader_next(reader, &frame), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send(writer, "a", 1), CSYS_EINVAL);
	written = 100;
	assert_int_equal(csys_frame_writer_send(writer, "a", 1), CSYS_EINVAL);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
}

/* ---- sockets ------------------------------------------------------------------------------ */

struct connection {
	csys_socket *a, *b;
	csys_frame_writer *writer; /* into a */
	csys_frame_reader *reader; /* out of b */
};

static struct connection connected(void)
{
	struct connection c;
	assert_int_equal(csys_socket_pair(NULL, &c.a, &c.b), 0);
	assert_int_equal(csys_frame_writer_open_socket(c.a, NULL, &c.writer), 0);
	assert_int_equal(csys_frame_reader_open_socket(c.b, NULL, &c.reader), 0);
	return c;
}

static void closed(struct connection c)
{
	csys_frame_writer_close(c.writer);
	csys_frame_reader_close(c.reader);
	csys_socket_close(c.a);
	csys_socket_close(c.b);
}

static void messages_go_over_a_socket(void **state)
{
	(void)state;
	struct connection c = connected();
	csys_frame frame;
	csys_slice slices[] = { { "he", 2 }, { "llo", 3 } };
	assert_int_equal(csys_frame_reader_try_next(c.reader, &frame), CSYS_EAGAIN);
	int r = csys_frame_writer_send_slices_until(c.writer, slices, 2, CSYS_POLL);
	assert_int_equal(r, 0);
	assert_int_equal(csys_frame_writer_send(c.writer, "", 0), 0);
	csys_poll_item item = { .waitable = csys_frame_reader_waitable(c.reader) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
	assert_int_equal(csys_frame_reader_next(c.reader, &frame), 1);
	assert_int_equal(frame.size, 5);
	assert_memory_equal(frame.data, "hello", 5);
	assert_int_equal(csys_frame_reader_next(c.reader, &frame), 1);
	assert_int_equal(frame.size, 0);
	r = csys_frame_reader_next_until(c.reader, csys_after_us(10), &frame);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(csys_socket_shutdown(c.a, CSYS_SHUTDOWN_SEND), 0);
	assert_int_equal(csys_frame_reader_next(c.reader, &frame), 0);
	closed(c);
}

static void a_full_socket_takes_the_rest_of_a_message_later(void **state)
{
	(void)state;
	static char text[1 << 20];
	struct connection c = connected();
	csys_frame frame = { .size = 0 };
	int r, rounds = 0;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * i >> 8);
	while ((r = csys_frame_writer_try_send(c.writer, text, sizeof text)) == CSYS_EAGAIN) {
		assert_true(csys_frame_writer_is_pending(c.writer));
		assert_int_equal(csys_frame_reader_try_next(c.reader, &frame), CSYS_EAGAIN);
		rounds++;
	}
	assert_int_equal(r, 0);
	assert_true(rounds > 0);
	assert_int_equal(csys_frame_reader_next(c.reader, &frame), 1);
	assert_int_equal(frame.size, sizeof text);
	assert_memory_equal(frame.data, text, sizeof text);
	closed(c);
}

static void a_socket_that_is_closed_at_the_other_side_is_told(void **state)
{
	(void)state;
	struct connection c = connected();
	csys_frame frame;
	assert_int_equal(csys_socket_send_all(c.a, "\0\0\0\5he", 6, NULL), 0);
	csys_socket_close(c.a);
	c.a = NULL;
	assert_int_equal(csys_frame_reader_next(c.reader, &frame), CSYS_EDISCONNECTED);
	csys_frame_writer_close(c.writer);
	assert_int_equal(csys_frame_writer_open_socket(c.b, NULL, &c.writer), 0);
	assert_int_equal(csys_frame_writer_send(c.writer, "a", 1), CSYS_EPIPE);
	closed(c);
}

static void a_socket_that_keeps_messages_apart_needs_no_framing(void **state)
{
	(void)state;
	csys_socket_options options = { .kind = CSYS_SOCKET_DATAGRAM };
	csys_socket *a, *b;
	csys_frame_reader *reader = NULL;
	csys_frame_writer *writer = NULL;
	if (!csys_can(CSYS_CAN_SOCKET_DATAGRAM))
		skip_because("this system has no local datagrams");
	assert_int_equal(csys_socket_pair(&options, &a, &b), 0);
	assert_int_equal(csys_frame_reader_open_socket(a, NULL, &reader), CSYS_EBADMSG);
	assert_int_equal(csys_frame_writer_open_socket(a, NULL, &writer), CSYS_EBADMSG);
	assert_int_equal(csys_frame_reader_open_socket(NULL, NULL, &reader), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_open_socket(NULL, NULL, &writer), CSYS_EINVAL);
	assert_null(reader);
	assert_null(writer);
	csys_socket_close(a);
	csys_socket_close(b);
}

/* What a reader asks for at once, at least. */
struct asking {
	struct memory memory;
	size_t least;
};

static int read_asked(void *context, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out_size)
{
	struct asking *asking = context;
	asking->least = size < asking->least ? size : asking->least;
	return read_memory(&asking->memory, buffer, size, deadline, out_size);
}

static void a_reader_asks_for_half_of_its_buffer_at_least(void **state)
{
	(void)state;
	enum { SIZE = 60, COUNT = 200, BUFFER = 1024 };
	static char bytes[COUNT * (SIZE + 2)];
	const csys_framing_options options = { .prefix = CSYS_PREFIX_LITTLE_16, .buffer = BUFFER };
	struct asking asking = { { .bytes = bytes, .size = sizeof bytes, .step = 100 }, BUFFER };
	csys_frame_stream stream = { &asking, read_asked, NULL };
	csys_frame_reader *reader;
	csys_frame frame;
	for (int i = 0; i < COUNT; i++)
		bytes[i * (SIZE + 2)] = SIZE;
	assert_int_equal(csys_frame_reader_open_stream(&stream, &options, &reader), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
		assert_int_equal(frame.size, SIZE);
	}
	assert_int_equal(csys_frame_reader_next(reader, &frame), 0);
	assert_true(asking.least >= BUFFER / 2);
	csys_frame_reader_close(reader);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_frame_reader *reader = NULL;
	csys_frame_writer *writer = NULL;
	csys_frame_stream stream = { NULL, NULL, NULL };
	csys_framing_options bad[] = { { .prefix = -1 },
				       { .prefix = CSYS_PREFIX_VARINT + 1 },
				       { .limit = SIZE_MAX / 4 + 1 },
				       { .buffer = SIZE_MAX / 4 + 1 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(csys_frame_reader_open(0, &bad[i], &reader), CSYS_EINVAL);
		assert_int_equal(csys_frame_writer_open(0, &bad[i], &writer), CSYS_EINVAL);
	}
	assert_int_equal(csys_frame_reader_open(0, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_open(0, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_frame_reader_open(CSYS_NO_HANDLE, NULL, &reader), CSYS_EBADF);
	assert_int_equal(csys_frame_writer_open(CSYS_NO_HANDLE, NULL, &writer), CSYS_EBADF);
	assert_int_equal(csys_frame_reader_open_stream(&stream, NULL, &reader), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_open_stream(&stream, NULL, &writer), CSYS_EINVAL);
	assert_int_equal(csys_frame_reader_open_stream(NULL, NULL, &reader), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_open_stream(NULL, NULL, &writer), CSYS_EINVAL);
	assert_null(reader);
	assert_null(writer);
	csys_frame_reader_close(NULL);
	csys_frame_writer_close(NULL);

	csys_slice missing = { NULL, 1 };
	csys_slice beyond[] = { { "0123456789", 10 }, { "", SIZE_MAX - 5 } }; /* 4, if it wraps */
	csys_frame frame;
	assert_int_equal(csys_frame_reader_open(csys_standard(0), NULL, &reader), 0);
	assert_int_equal(csys_frame_writer_open(csys_standard(1), NULL, &writer), 0);
	assert_int_equal(csys_frame_reader_next(NULL, &frame), CSYS_EINVAL);
	assert_int_equal(csys_frame_reader_next(reader, NULL), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send(NULL, "a", 1), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send(writer, NULL, 1), CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send_slices_until(writer, NULL, 1, CSYS_POLL),
			 CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send_slices_until(writer, &missing, 1, CSYS_POLL),
			 CSYS_EINVAL);
	assert_int_equal(csys_frame_writer_send_slices_until(writer, beyond, 2, CSYS_POLL),
			 CSYS_EMSGSIZE);
	assert_false(csys_frame_writer_is_pending(writer));
	assert_false(csys_frame_reader_has_next(NULL));
	assert_false(csys_frame_writer_is_pending(NULL));
	csys_poll_item items[2] = { { .waitable = csys_frame_reader_waitable(NULL) },
				    { .waitable = csys_frame_writer_waitable(NULL) } };
	assert_int_equal(csys_poll(items, 1, CSYS_POLL), CSYS_EBADF);
	assert_int_equal(csys_poll(items + 1, 1, CSYS_POLL), CSYS_EBADF);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_number_of_slices_goes_byte_by_byte_and_comes_back),
		TEST(a_failure_of_the_stream_is_told_and_loses_nothing),
		TEST(functions_that_are_wrong_do_no_harm),
		TEST(messages_go_over_a_socket),
		TEST(a_full_socket_takes_the_rest_of_a_message_later),
		TEST(a_socket_that_is_closed_at_the_other_side_is_told),
		TEST(a_socket_that_keeps_messages_apart_needs_no_framing),
		TEST(a_reader_asks_for_half_of_its_buffer_at_least),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
