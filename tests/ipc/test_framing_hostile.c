/*
 * ipc/test_framing_hostile.c - promises of csys/ipc/framing.h, against peers that lie, stop, come
 * byte by byte or go away, and against signals and a lack of memory.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "support/framing.h"

/* ---- lengths ------------------------------------------------------------------------------ */

/* The reader says so, says so again, and has asked for no memory but the buffer. */
static void assert_refused(int prefix, size_t limit, const char *bytes, size_t size, int result)
{
	for (size_t step = 1; step <= 16; step += 15) {
		csys_framing_options options = { .prefix = prefix, .limit = limit, .buffer = 64 };
		struct memory memory = { .bytes = bytes, .size = size, .step = step };
		csys_frame_reader *reader = memory_reader(&memory, &options);
		csys_frame frame = { .size = 77 };
		csysi_fault_exhaust(2, CSYS_ENOMEM);
		assert_int_equal(csys_frame_reader_next(reader, &frame), result);
		assert_false(csysi_fault_fired());
		csysi_fault_arm(0);
		assert_true(csys_frame_reader_has_next(reader));
		assert_int_equal(csys_frame_reader_try_next(reader, &frame), result);
		assert_int_equal(frame.size, 77);
		csys_frame_reader_close(reader);
	}
}

static void a_size_above_the_limit_is_refused_before_memory_is_taken(void **state)
{
	(void)state;
	assert_refused(CSYS_PREFIX_BIG_32, 0, "\0\x80\0\1", 4, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_BIG_32, 0, "\xff\xff\xff\xff", 4, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_BIG_32, 5, "\0\0\0\6hello!", 10, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_LITTLE_32, 0, "\1\0\x80\0", 4, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_LITTLE_32, 0, "\xff\xff\xff\xff", 4, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_BIG_16, 256, "\1\1", 2, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_LITTLE_16, 256, "\1\1", 2, CSYS_EMSGSIZE);
	/* What 32 bits of it say would be within the limit. */
	assert_refused(CSYS_PREFIX_BIG_64, 0, "\0\0\0\1\0\0\0\2ab", 10, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_LITTLE_64, 0, "\2\0\0\0\0\0\0\x80", 8, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_BIG_64, SIZE_MAX / 4, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
		       CSYS_EMSGSIZE);
	/* With the prefix it is 2 bytes. */
	assert_refused(CSYS_PREFIX_BIG_64, SIZE_MAX / 4, "\xff\xff\xff\xff\xff\xff\xff\xfa", 8,
		       CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_VARINT, 0, "\x81\x80\x80\x04", 4, CSYS_EMSGSIZE);
	assert_refused(CSYS_PREFIX_VARINT, 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10,
		       CSYS_EMSGSIZE);
}

static void a_varint_of_more_than_64_bits_is_no_prefix(void **state)
{
	(void)state;
	assert_refused(CSYS_PREFIX_VARINT, 0, "\x81\x80\x80\x80\x80\x80\x80\x80\x80\2", 10,
		       CSYS_EBADMSG);
	assert_refused(CSYS_PREFIX_VARINT, 0, "\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", 11,
		       CSYS_EBADMSG);
	assert_refused(CSYS_PREFIX_VARINT, 0,
		       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13, CSYS_EBADMSG);
	/* With zeros at its end it is one. */
	csys_framing_options options = { .prefix = CSYS_PREFIX_VARINT };
	struct memory memory = { .bytes = "\x81\x80\x80\x80\x80\x80\x80\x80\x80\0a",
				 .size = 11,
				 .step = 1 };
	csys_frame_reader *reader = memory_reader(&memory, &options);
	csys_frame frame;
	assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
	assert_int_equal(frame.size, 1);
	assert_int_equal(csys_frame_reader_next(reader, &frame), 0);
	csys_frame_reader_close(reader);
}

static void messages_of_the_limit_are_taken_and_sent_and_no_longer_ones(void **state)
{
	(void)state;
	csys_framing_options options = { .limit = 1000, .buffer = 1 };
	char text[1001] = "";
	struct ends pipe = opened_ends();
	csys_frame_writer *writer = writer_of(pipe.writer, &options);
	csys_frame_reader *reader = reader_of(pipe.reader, &options);
	csys_slice slices[3] = { { text, 600 }, { text, 400 }, { text, 1 } };
	csys_frame frame;
	int r = csys_frame_writer_send_slices_until(writer, slices, 3, CSYS_FOREVER);
	assert_int_equal(r, CSYS_EMSGSIZE);
	slices[1].size = SIZE_MAX - 600; /* the sum would wrap */
	r = csys_frame_writer_send_slices_until(writer, slices, 3, CSYS_FOREVER);
	assert_int_equal(r, CSYS_EMSGSIZE);
	assert_int_equal(csys_frame_writer_send(writer, text, 1001), CSYS_EMSGSIZE);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), CSYS_EAGAIN);
	assert_int_equal(csys_frame_writer_send(writer, text, 1000), 0);
	assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
	assert_int_equal(frame.size, 1000);
	csys_frame_writer_close(writer);

	options = (csys_framing_options){ .limit = 1 << 20, .prefix = CSYS_PREFIX_BIG_16 };
	char *large = calloc(1, 65536);
	assert_non_null(large);
	writer = writer_of(pipe.writer, &options);
	assert_int_equal(csys_frame_writer_try_send(writer, large, 65536), CSYS_EMSGSIZE);
	free(large);
	csys_frame_writer_close(writer);
	csys_frame_reader_close(reader);
	close_ends(pipe);
}

/* ---- memory ------------------------------------------------------------------------------- */

static size_t largest; /* request for memory */

static void *allocate(size_t size, void *context)
{
	(void)context;
	largest = size > largest ? size : largest;
	return malloc(size);
}

static void *reallocate(void *block, size_t size, void *context)
{
	(void)context;
	largest = size > largest ? size : largest;
	return realloc(block, size);
}

static void release(void *block, void *context)
{
	(void)context;
	free(block);
}

static void announce_much_and_send_little(void)
{
	static const csys_allocator counting = { allocate, reallocate, release, NULL };
	static char bytes[100000] = "\x3f\xff\xff\xff";
	csys_framing_options options = { .limit = 0x3fffffff, .buffer = 1000 };
	csys_frame frame;
	assert_int_equal(csys_allocator_set(&counting), 0);
	for (size_t size = 4; size <= sizeof bytes; size = 3 * size) {
		struct memory memory = {
			.bytes = bytes, .size = size, .step = sizeof bytes, .result = CSYS_ETIMEDOUT
		};
		csys_frame_reader *reader = memory_reader(&memory, &options);
		largest = 0;
		assert_int_equal(csys_frame_reader_next(reader, &frame), CSYS_ETIMEDOUT);
		assert_in_range(largest, 1000, size < 1000 ? 1000 : 2 * size);
		csys_frame_reader_close(reader);
	}
}

static void memory_grows_with_what_has_come_and_not_with_what_was_announced(void **state)
{
	(void)state;
	in_process(announce_much_and_send_little);
}

static void without_memory_nothing_is_lost(void **state)
{
	(void)state;
	static char bytes[10004] = "\0\0\x27\x10";
	csys_framing_options options = { .buffer = 100 };
	csys_frame_reader *reader = NULL;
	csys_frame_writer *writer = NULL;
	csys_frame_stream stream = { NULL, read_memory, NULL };
	csysi_fault_arm(1);
	assert_int_equal(csys_frame_writer_open(0, NULL, &writer), CSYS_ENOMEM);
	csysi_fault_arm(1);
	assert_int_equal(csys_frame_reader_open_stream(&stream, NULL, &reader), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_null(writer);
	assert_null(reader);
	int nth = 1;
	for (;; nth++) {
		struct memory memory = { .bytes = bytes, .size = sizeof bytes, .step = 64 };
		csys_frame frame = { .size = 77 };
		reader = memory_reader(&memory, &options);
		csysi_fault_arm(nth);
		int r = csys_frame_reader_next(reader, &frame);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (fired) {
			assert_int_equal(r, CSYS_ENOMEM);
			assert_int_equal(frame.size, 77);
			r = csys_frame_reader_next(reader, &frame);
		}
		assert_int_equal(r, 1);
		assert_int_equal(frame.size, 10000);
		csys_frame_reader_close(reader);
		if (!fired)
			break;
	}
	assert_in_range(nth, 7, 10); /* the buffer, and each time it doubles */
}

/* ---- ends --------------------------------------------------------------------------------- */

static void half_a_message_and_then_nothing_is_met_by_a_deadline(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame frame;
	size_t size;
	assert_int_equal(csys_stream_write_all(pipe.writer, "\0\0\0\5hel", 7, NULL), 0);
	for (int i = 0; i < 2; i++) {
		int r = csys_frame_reader_next_until(reader, csys_after_ms(1), &frame);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		(void)csys_frame_reader_rest(reader, &size);
		assert_int_equal(size, 7);
	}
	csys_frame_reader_close(reader);
	close_ends(pipe);
}

static void an_end_in_the_middle_of_a_message_is_no_message_and_no_end(void **state)
{
	(void)state;
	static const char bytes[] = "\0\0\0\1a\0\0\0\5hello";
	for (size_t size = 5; size < sizeof bytes - 1; size++) {
		struct ends pipe = opened_ends();
		csys_frame_reader *reader = reader_of(pipe.reader, NULL);
		csys_frame frame = { .size = 77 };
		assert_int_equal(csys_stream_write_all(pipe.writer, bytes, size, NULL), 0);
		csys_handle_close(pipe.writer);
		assert_int_equal(csys_frame_reader_next(reader, &frame), 1);
		frame.size = 77;
		for (int i = 0; i < 2; i++) {
			int r = csys_frame_reader_next_until(reader, CSYS_FOREVER, &frame);
			assert_int_equal(r, size == 5 ? 0 : CSYS_EDISCONNECTED);
		}
		assert_int_equal(frame.size, 77);
		assert_true(csys_frame_reader_has_next(reader));
		csys_frame_reader_close(reader);
		csys_handle_close(pipe.reader);
	}
}

static void a_writer_that_is_killed_in_the_middle_of_a_message_is_told(void **state)
{
	(void)state;
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_frame_reader *reader = reader_of(csys_child_stream(child, CSYS_STDOUT), NULL);
	csys_frame frame;
	size_t size = 0;
	int r = csys_stream_write_all(csys_child_stream(child, CSYS_STDIN), "\0\0\0\5he", 6, NULL);
	assert_int_equal(r, 0);
	while (size < 6) {
		r = csys_frame_reader_next_until(reader, csys_after_ms(1), &frame);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		(void)csys_frame_reader_rest(reader, &size);
	}
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_frame_reader_next(reader, &frame), CSYS_EDISCONNECTED);
	csys_frame_reader_close(reader);
	(void)finished(child);
}

static void a_reader_that_is_gone_is_epipe_and_no_signal(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	fill_pipe(pipe.writer);
	csys_handle_close(pipe.reader);
	assert_int_equal(csys_frame_writer_send(writer, "one", 3), CSYS_EPIPE);
	assert_int_equal(csys_frame_writer_try_send(writer, "one", 3), CSYS_EPIPE);
	assert_false(csys_frame_writer_is_pending(writer));
	csys_frame_writer_close(writer);
	csys_handle_close(pipe.writer);
}

/* ---- signals ------------------------------------------------------------------------------ */

static void ignore(int signal)
{
	(void)signal;
}

enum { STORM_MESSAGES = 40, STORM_SIZE = 200000 };

static void *send_in_the_storm(void *argument)
{
	static char text[STORM_SIZE];
	for (int i = 0; i < STORM_MESSAGES; i++)
		assert_int_equal(
			csys_frame_writer_send_until(argument, text, STORM_SIZE, csys_after_s(60)),
			0);
	return NULL;
}

static void transfer_in_a_storm_of_signals(void)
{
	struct sigaction action = { .sa_handler = ignore }; /* without SA_RESTART */
	const struct itimerval storm = { { 0, 100 }, { 0, 100 } };
	struct ends pipe = opened_ends();
	csys_frame_reader *reader = reader_of(pipe.reader, NULL);
	csys_frame_writer *writer = writer_of(pipe.writer, NULL);
	csys_frame frame;
	csys_thread *thread;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &storm, NULL), 0);
	int r = csys_frame_reader_next_until(reader, csys_after_ms(3), &frame);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(csys_thread_spawn(send_in_the_storm, writer, NULL, &thread), 0);
	for (int i = 0; i < STORM_MESSAGES; i++) {
		r = i % 2 ? csys_frame_reader_next_until(reader, csys_after_s(60), &frame)
			  : csys_frame_reader_next(reader, &frame);
		assert_int_equal(r, 1);
		assert_int_equal(frame.size, STORM_SIZE);
	}
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	csys_frame_reader_close(reader);
	csys_frame_writer_close(writer);
	close_ends(pipe);
}

static void no_signal_interrupts_a_transfer(void **state)
{
	(void)state;
	in_process(transfer_in_a_storm_of_signals);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(announce_much_and_send_little),
		PART(transfer_in_a_storm_of_signals),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_size_above_the_limit_is_refused_before_memory_is_taken),
		TEST(a_varint_of_more_than_64_bits_is_no_prefix),
		TEST(messages_of_the_limit_are_taken_and_sent_and_no_longer_ones),
		TEST(memory_grows_with_what_has_come_and_not_with_what_was_announced),
		TEST(without_memory_nothing_is_lost),
		TEST(half_a_message_and_then_nothing_is_met_by_a_deadline),
		TEST(an_end_in_the_middle_of_a_message_is_no_message_and_no_end),
		TEST(a_writer_that_is_killed_in_the_middle_of_a_message_is_told),
		TEST(a_reader_that_is_gone_is_epipe_and_no_signal),
		TEST(no_signal_interrupts_a_transfer),
	};
	return RUN(tests);
}
