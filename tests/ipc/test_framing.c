/*
 * ipc/test_framing.c - promises of csys/ipc/framing.h, between ends that keep to them.
 *
 * What hostile ends do is in test_framing_hostile.c.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/framing.h"

static void assert_next(csys_frame_reader *reader, const char *data, size_t size)
{
	csys_frame frame = { .data = NULL };
	assert_int_equal(csys_frame_reader_next_until(reader, csys_after_s(60), &frame), 1);
	assert_int_equal(frame.size, size);
	assert_non_null(frame.data);
	assert_memory_equal(frame.data, data, size);
}

static void assert_end(csys_frame_reader *reader)
{
	csys_frame frame = { .size = 77 };
	assert_int_equal(csys_frame_reader_next(reader, &frame), 0);
	assert_int_equal(csys_frame_reader_next(reader, &frame), 0); /* and it stays so */
	assert_int_equal(frame.size, 77);
	assert_true(csys_frame_reader_has_next(reader));
}

/* Text that differs by position. */
static char *text_of(size_t size)
{
	char *text = malloc(size + 1);
	assert_non_null(text);
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + (i * 7 + size) % 26);
	return text;
}

static const size_t sizes[] = { 0, 1, 2, 127, 128, 129, 4095, 4096, 16383, 16384, 65535 };
#define SIZES (sizeof sizes / sizeof *sizes)

static void send_each_size(void *argument)
{
	csys_frame_writer *writer = argument;
	for (size_t i = 0; i < SIZES; i++) {
		char *text = text_of(sizes[i]);
		assert_int_equal(csys_frame_writer_send(writer, text, sizes[i]), 0);
		free(text);
	}
}

static void receive_each_size(csys_frame_reader *reader)
{
	for (size_t i = 0; i < SIZES; i++) {
		char *text = text_of(sizes[i]);
		assert_next(reader, text, sizes[i]);
		free(text);
	}
}

static void *send_each_size_in_a_thread(void *argument)
{
	send_each_size(argument);
	return NULL;
}

static void messages_come_out_as_they_went_in_with_each_prefix(void **state)
{
	(void)state;
	for (int prefix = CSYS_PREFIX_BIG_32; prefix <= CSYS_PREFIX_VARINT; prefix++) {
		csys_framing_options options = { .prefix = prefix, .buffer = 5000 };
		struct ends pipe = opened_ends();
		csys_frame_writer *writer = writer_of(pipe.writer, &options);
		csys_frame_reader *reader = reader_of(pipe.reader, &options);
		csys_thread *thread;
		int r = csys_thread_spawn(send_each_size_in_a_thread, writer, NULL, &thread);
		assert_int_equal(r, 0);
		receive_each_size(reader);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		csys_frame_writer_close(writer);
		csys_handle_close(pipe.writer);
		assert_end(reader);
		csys_frame_reader_close(reader);
		csys_handle_close(pipe.reader);
	}
}

static void messages_go_through_another_process(void **state)
{
	(void)state;
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_frame_writer *writer = writer_of(csys_child_stream(child, CSYS_STDIN), NULL);
	csys_frame_reader *reader = reader_of(csys_child_stream(child, CSYS_STDOUT), NULL);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(csys_frame_writer_send(writer, "ping", 4), 0);
		assert_next(reader, "ping", 4);
	}
	csys_frame_writer_close(writer);
	csys_child_close_stream(child, CSYS_STDIN);
	assert_end(reader);
	csys_frame_reader_close(reader);
	assert_true(csys_exit_success(finished(child)));
}

static void the_prefix_is_the_bytes_that_the_header_says(void **state)
{
	(void)state;
	static const struct {
		int prefix;
		size_t size;
		const char *bytes;
		size_t length;
	} expected[] = {
		{ CSYS_PREFIX_BIG_32, 0x10203, "\0\1\2\3", 4 },
		{ CSYS_PREFIX_LITTLE_32, 0x10203, "\3\2\1\0", 4 },
		{ CSYS_PREFIX_BIG_16, 0x203, "\2\3", 2 },
		{ CSYS_PREFIX_LITTLE_16, 0x203, "\3\2", 2 },
		{ CSYS_PREFIX_BIG_64, 0x10203, "\0\0\0\0\0\1\2\3", 8 },
		{ CSYS_PREFIX_LITTLE_64, 0x10203, "\3\2\1\0\0\0\0\0", 8 },
		{ CSYS_PREFIX_VARINT, 0, "\0", 1 },
		{ CSYS_PREFIX_VARINT, 127, "\x7f", 1 },
		{ CSYS_PREFIX_VARINT, 128, "\x80\1", 2 },
		{ CSYS_PREFIX_VARINT, 300, "\xac\2", 2 },
		{ CSYS_PREFIX_VARINT, 0x10203, "\x83\x84\4", 3 },
	};
	static char bytes[0x20000];
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		csys_framing_options options = { .prefix = expected[i].prefix };
		struct ends pipe = opened_ends();
		csys_frame_writer *writer = writer_of(pipe.writer, &options);
		size_t size;
		int r = csys_frame_writer_try_send(writer, bytes, expected[i].size);
		assert_true(r == 0 || r == CSYS_EAGAIN); /* a pipe may hold less */
		r = csys_stream_read_all_until(pipe.reader, bytes, expected[i].length, CSYS_POLL,
					       &size);
		assert_int_equal(r, 0);
		assert_memory_equal(bytes, expected[i].bytes, expected[i].length);
		csys_frame_writer_close(writer);
		close_ends(pipe);
	}
}

static void a_message_of_several_slices_is_one_call_of_the_system(void **state)
{
	(void)state;
	int pair[2];
	char bytes[64];
	csys_slice slices[15];
	for (int i = 0; i < 15; i++)
		slices[i] = (csys_slice){ "ab", (size_t)(i % 3) };
	/* Each call of the system is a datagram of its own. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	csys_frame_writer *writer = writer_of(pair[0], NULL);
	csys_deadline deadlines[] = { CSYS_FOREVER, CSYS_POLL };
	for (int i = 0; i < 2; i++) {
		int r = csys_frame_writer_send_slices_until(writer, slices, 15, deadlines[i]);
		assert_int_equal(r, 0);
		assert_int_equal(read(pair[1], bytes, sizeof bytes), 19);
		assert_memory_equal(bytes, "\0\0\0\17aabaabaabaabaab", 19);
	}
	csys_frame_writer_close(writer);
	close(pair[0]);
	close(pair[1]);
}

static void several_messages_are_read_by_one_call_of_the_system(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(csys_frame_writer_send(writer, "0123456789", 10), 0);
	assert_false(csys_frame_reader_has_next(reader));
	assert_next(reader, "0123456789", 10);
	/* All others are there: nothing is left in the pipe. */
	size_t size = 0;
	assert_int_equal(csys_stream_read_until(pipe.reader, &size, 1, CSYS_POLL, &size),
			 CSYS_ETIMEDOUT);
	(void)csys_frame_reader_rest(reader, &size);
	assert_int_equal(size, 99 * 14);
	for (int i = 0; i < 99; i++) {
		assert_true(csys_frame_reader_has_next(reader));
		assert_next(reader, "0123456789", 10);
	}
	assert_false(csys_frame_reader_has_next(reader));
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

static void a_deadline_in_the_middle_of_a_message_loses_nothing_of_it(void **state)
{
	(void)state;
	static const char bytes[] = "\0\0\0\5hello\0\0\0\0\0\0\0\1!";
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	int messages = 0;
	for (size_t i = 0; i < sizeof bytes - 1; i++) {
		csys_frame frame = { .size = 77 };
		int r = csys_frame_reader_try_next(reader, &frame);
		assert_int_equal(r, CSYS_EAGAIN);
		assert_int_equal(frame.size, 77);
		r = csys_frame_reader_next_until(reader, csys_after_us(10), &frame);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		assert_int_equal(csys_stream_write_all(pipe.writer, bytes + i, 1, NULL), 0);
		if (i == 8)
			assert_next(reader, "hello", 5);
		else if (i == 12)
			assert_next(reader, "", 0);
		else if (i == 17)
			assert_next(reader, "!", 1);
		else
			continue;
		messages++;
	}
	assert_int_equal(messages, 3);
	csys_frame_reader_close(reader);
	close_ends(pipe);
}

static void a_message_that_is_there_is_taken_after_the_deadline(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	csys_frame frame;
	assert_int_equal(csys_frame_writer_send_until(writer, "one", 3, CSYS_POLL), 0);
	assert_int_equal(csys_frame_writer_try_send(writer, "two", 3), 0);
	assert_int_equal(csys_frame_reader_next_until(reader, CSYS_POLL, &frame), 1);
	assert_memory_equal(frame.data, "one", 3);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), 1);
	assert_memory_equal(frame.data, "two", 3);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

static void a_message_that_was_written_in_part_is_completed_by_the_same_call(void **state)
{
	(void)state;
	enum { SIZE = 300000 };
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	csys_frame frame;
	char *text = text_of(SIZE);
	int r, rounds = 0, taken = 0;
	assert_false(csys_frame_writer_is_pending(writer));
	while ((r = csys_frame_writer_try_send(writer, text, SIZE)) == CSYS_EAGAIN) {
		assert_true(csys_frame_writer_is_pending(writer));
		/* It cannot be left, not even for a message that would fit. */
		assert_int_equal(csys_frame_writer_try_send(writer, text, 1), CSYS_EBUSY);
		assert_int_equal(csys_frame_reader_try_next(reader, &frame), CSYS_EAGAIN);
		r = csys_frame_writer_send_until(writer, text, SIZE, csys_after_us(10));
		assert_true(r == CSYS_ETIMEDOUT || r == 0);
		if (r == 0)
			break;
		/* By then what was read has made room. */
		taken = csys_frame_reader_try_next(reader, &frame);
		assert_int_equal(taken, CSYS_EAGAIN);
		rounds++;
	}
	assert_int_equal(r, 0);
	assert_true(rounds > 0);
	assert_false(csys_frame_writer_is_pending(writer));
	assert_next(reader, text, SIZE);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
	free(text);
}

static void without_room_nothing_is_written_and_another_message_may_follow(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	fill_pipe(pipe.writer);
	assert_int_equal(csys_frame_writer_try_send(writer, "one", 3), CSYS_EAGAIN);
	assert_int_equal(csys_frame_writer_send_until(writer, "one", 3, csys_after_us(10)),
			 CSYS_ETIMEDOUT);
	assert_false(csys_frame_writer_is_pending(writer));
	assert_int_equal(csys_frame_writer_try_send(writer, "four", 4), CSYS_EAGAIN);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

static void messages_that_were_read_ahead_are_ready_though_the_stream_is_not(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	csys_poll_item items[2] = { { .waitable = csys_frame_reader_waitable(reader) },
				    { .waitable = csys_frame_writer_waitable(writer) } };
	assert_int_equal(csys_poll(items, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_poll(items, 2, CSYS_POLL), 1);
	assert_true(items[1].ready);
	assert_int_equal(csys_frame_writer_send(writer, "one", 3), 0);
	assert_int_equal(csys_frame_writer_send(writer, "two", 3), 0);
	assert_int_equal(csys_poll(items, 1, CSYS_POLL), 1);
	assert_next(reader, "one", 3);
	items[0].waitable = csys_frame_reader_waitable(reader);
	assert_int_equal(csys_poll(items, 1, CSYS_POLL), 1);
	assert_next(reader, "two", 3);
	items[0].waitable = csys_frame_reader_waitable(reader);
	assert_int_equal(csys_poll(items, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

static void what_follows_the_last_message_can_be_had(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	size_t size = 77;
	assert_non_null(csys_frame_reader_rest(reader, &size));
	assert_int_equal(size, 0);
	assert_int_equal(csys_stream_write_all(pipe.writer, "\0\0\0\1aGET /", 10, NULL), 0);
	assert_next(reader, "a", 1);
	const char *rest = csys_frame_reader_rest(reader, &size);
	assert_int_equal(size, 5);
	assert_memory_equal(rest, "GET /", 5);
	csys_frame_reader_close(reader);
	close_ends(pipe);
}

static void no_memory_is_taken_for_a_message_once_the_buffer_is_large_enough(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_framing_options options = { .buffer = 1000 };
	csys_frame_reader *reader = reader_of(pipe.reader, &options);
	csys_frame_writer *writer = writer_of(pipe.writer, &options);
	char *text = text_of(3000);
	assert_int_equal(csys_frame_writer_send(writer, text, 3000), 0);
	assert_next(reader, text, 3000);
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	for (size_t i = 0; i < 3000; i += 7) {
		assert_int_equal(csys_frame_writer_send(writer, text, i), 0);
		assert_int_equal(csys_frame_writer_send(writer, text, i / 2), 0);
		assert_next(reader, text, i);
		assert_next(reader, text, i / 2);
	}
	assert_false(csysi_fault_fired());
	csysi_fault_arm(0);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
	free(text);
}

static void shrinking_keeps_what_was_read_ahead(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_framing_options options = { .buffer = 100 };
	csys_frame_reader *reader = reader_of(pipe.reader, &options);
	csys_frame_writer *writer = writer_of(pipe.writer, &options);
	char *text = text_of(5000);
	csys_frame_reader_shrink(NULL);
	csys_frame_reader_shrink(reader); /* there is nothing yet */
	assert_int_equal(csys_frame_writer_send(writer, text, 5000), 0);
	assert_next(reader, text, 5000);
	assert_int_equal(csys_frame_writer_send(writer, "one", 3), 0);
	assert_int_equal(csys_frame_writer_send(writer, "two", 3), 0);
	assert_next(reader, "one", 3);
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	csys_frame_reader_shrink(reader); /* in vain */
	csysi_fault_arm(0);
	csys_frame_reader_shrink(reader);
	assert_next(reader, "two", 3);
	/* It has to grow again. */
	assert_int_equal(csys_frame_writer_send(writer, text, 5000), 0);
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	csys_frame frame;
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_next(reader, text, 5000);
	/* Nor is a part given away that is longer than the buffer. */
	csys_frame_reader_shrink(reader);
	assert_int_equal(csys_stream_write_all(pipe.writer, "\0\0\x13\x88", 4, NULL), 0);
	assert_int_equal(csys_stream_write_all(pipe.writer, text, 3000, NULL), 0);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), CSYS_EAGAIN);
	csys_frame_reader_shrink(reader);
	assert_int_equal(csys_stream_write_all(pipe.writer, text + 3000, 2000, NULL), 0);
	assert_next(reader, text, 5000);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
	free(text);
}

static csys_frame_reader *inherited;

static void take_what_was_read_ahead(void)
{
	csys_frame frame;
	CHECK(csys_frame_reader_try_next(inherited, &frame) == 1);
	CHECK(frame.size == 3 && memcmp(frame.data, "two", 3) == 0);
	csys_frame_reader_close(inherited);
}

static void a_forked_child_has_a_copy_of_what_was_read_ahead(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	assert_int_equal(csys_frame_writer_send(writer, "one", 3), 0);
	assert_int_equal(csys_frame_writer_send(writer, "two", 3), 0);
	assert_next(reader, "one", 3);
	inherited = reader;
	in_child(take_what_was_read_ahead);
	assert_next(reader, "two", 3);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_come_out_as_they_went_in_with_each_prefix),
		TEST(messages_go_through_another_process),
		TEST(the_prefix_is_the_bytes_that_the_header_says),
		TEST(a_message_of_several_slices_is_one_call_of_the_system),
		TEST(several_messages_are_read_by_one_call_of_the_system),
		TEST(a_deadline_in_the_middle_of_a_message_loses_nothing_of_it),
		TEST(a_message_that_is_there_is_taken_after_the_deadline),
		TEST(a_message_that_was_written_in_part_is_completed_by_the_same_call),
		TEST(without_room_nothing_is_written_and_another_message_may_follow),
		TEST(messages_that_were_read_ahead_are_ready_though_the_stream_is_not),
		TEST(what_follows_the_last_message_can_be_had),
		TEST(no_memory_is_taken_for_a_message_once_the_buffer_is_large_enough),
		TEST(shrinking_keeps_what_was_read_ahead),
		TEST(a_forked_child_has_a_copy_of_what_was_read_ahead),
	};
	return RUN(tests);
}
