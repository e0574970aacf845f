/*
 * io/test_stream.c - promises of csys/io/stream.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/support.h"

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char text[16];
	size_t size;
	assert_int_equal(csys_stream_write(pipe.writer, "hello", 5, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(csys_stream_read(pipe.reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(text, "hello", 5);
	close_ends(pipe);
}

static void the_end_reads_as_zero_bytes(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char text[4];
	size_t size = 7;
	csys_handle_close(pipe.writer);
	assert_int_equal(csys_stream_read(pipe.reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 0);
	size = 7;
	assert_int_equal(csys_stream_read_until(pipe.reader, text, 4, CSYS_POLL, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
}

static void a_size_of_zero_moves_nothing_and_does_not_wait(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	size_t size = 7;
	assert_int_equal(csys_stream_read(pipe.reader, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	size = 7;
	assert_int_equal(csys_stream_write(pipe.writer, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	close_ends(pipe);
}

static void reading_gives_up_at_the_deadline(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		char text[4];
		size_t size = 77;
		assert_int_equal(csys_stream_set_nonblocking(pipe.reader, nonblocking), 0);
		csys_deadline deadline = csys_after_ms(3);
		assert_int_equal(csys_stream_read_until(pipe.reader, text, 4, deadline, &size),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() >= csys_deadline_ns(deadline));
		assert_int_equal(csys_stream_read_until(pipe.reader, text, 4, CSYS_POLL, &size),
				 CSYS_ETIMEDOUT);
		assert_int_equal(size, 77);
	}
	close_ends(pipe);
}

static void a_past_deadline_still_takes_what_is_there(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char text[4];
	size_t size;
	assert_int_equal(csys_stream_write_until(pipe.writer, "ab", 2, CSYS_POLL, &size), 0);
	assert_int_equal(csys_stream_read_until(pipe.reader, text, 4, csys_after_ms(-5), &size), 0);
	assert_int_equal(size, 2);
	close_ends(pipe);
}

static char big[1 << 20];

static void writing_gives_up_at_the_deadline(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		size_t size = 77;
		assert_int_equal(csys_stream_set_nonblocking(pipe.writer, nonblocking), 0);
		fill_pipe(pipe.writer);
		csys_deadline deadline = csys_after_ms(3);
		assert_int_equal(
			csys_stream_write_until(pipe.writer, big, sizeof big, deadline, &size),
			CSYS_ETIMEDOUT);
		assert_true(csys_now() >= csys_deadline_ns(deadline));
		assert_int_equal(size, 77);
	}
	close_ends(pipe);
}

static void one_write_takes_what_there_is_room_for(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	size_t size = 0;
	/* Nobody reads: it would wait for ever for room for all of it. */
	assert_int_equal(csys_stream_write(pipe.writer, big, sizeof big, &size), 0);
	assert_true(size >= 1 && size < sizeof big);
	close_ends(pipe);
}

static void all_tells_how_far_it_came(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char text[8];
	size_t size = 77;
	assert_int_equal(csys_stream_write_all(pipe.writer, "abc", 3, NULL), 0);
	assert_int_equal(csys_stream_read_all_until(pipe.reader, text, 8, csys_after_ms(2), &size),
			 CSYS_ETIMEDOUT);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "abc", 3);

	size_t room = fill_pipe(pipe.writer);
	size_t got;
	assert_int_equal(csys_stream_read_all(pipe.reader, big, 10000, &got), 0);
	assert_int_equal(got, 10000);
	assert_int_equal(
		csys_stream_write_all_until(pipe.writer, big, sizeof big, csys_after_ms(2), &size),
		CSYS_ETIMEDOUT);
	assert_true(size <= 10000 && size > 0);
	assert_true(room >= 10000);
	close_ends(pipe);
}

static void *write_a_lot(void *writer)
{
	static char pattern[3000000];
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (char)(i % 251);
	csys_handle handle = *(csys_handle *)writer;
	assert_int_equal(csys_stream_write_all_until(handle, pattern, sizeof pattern,
						     csys_after_s(60), NULL),
			 0);
	csys_handle_close(handle);
	return NULL;
}

static void all_of_a_lot_arrives(void **state)
{
	(void)state;
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		struct ends pipe = opened_ends();
		pthread_t thread;
		char *got = malloc(4000000);
		size_t size;
		assert_int_equal(csys_stream_set_nonblocking(pipe.reader, nonblocking), 0);
		assert_int_equal(csys_stream_set_nonblocking(pipe.writer, nonblocking), 0);
		assert_int_equal(pthread_create(&thread, NULL, write_a_lot, &pipe.writer), 0);
		assert_int_equal(csys_stream_read_all(pipe.reader, got, 4000000, &size), 0);
		pthread_join(thread, NULL);
		assert_int_equal(size, 3000000);
		for (size_t i = 0; i < size; i++)
			if (got[i] != (char)(i % 251))
				fail();
		free(got);
		csys_handle_close(pipe.reader);
	}
}

static void write_unread(void)
{
	csys_handle reader, writer;
	size_t size = 77;
	CHECK(csys_pipe_create(&reader, &writer) == 0);
	csys_handle_close(reader);
	/* At its default SIGPIPE would end this process. */
	signal(SIGPIPE, SIG_DFL);
	CHECK(csys_stream_write(writer, "x", 1, &size) == CSYS_EPIPE);
	CHECK(csys_stream_write_until(writer, "x", 1, CSYS_POLL, &size) == CSYS_EPIPE);
	CHECK(csys_stream_write_all(writer, "x", 1, NULL) == CSYS_EPIPE);
	CHECK(size == 77);
	signal(SIGPIPE, SIG_IGN);
	CHECK(csys_stream_write(writer, "x", 1, &size) == CSYS_EPIPE);

	/* Blocked: none may be left pending, but one that was there stays. */
	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(csys_stream_write(writer, "x", 1, &size) == CSYS_EPIPE);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	raise(SIGPIPE);
	CHECK(csys_stream_write(writer, "x", 1, &size) == CSYS_EPIPE);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGPIPE));
}

static void writing_unread_is_epipe_and_no_signal(void **state)
{
	(void)state;
	in_process(write_unread);
}

static void *take_some_and_close(void *reader)
{
	size_t size;
	assert_int_equal(csys_stream_read(*(csys_handle *)reader, big, 5000, &size), 0);
	csys_handle_close(*(csys_handle *)reader);
	return NULL;
}

static void write_half_read(void)
{
	/* The write is under way, and has moved something, when the reader goes. */
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 50; i++) {
		static char data[1 << 20];
		csys_handle reader, writer;
		pthread_t thread;
		size_t size = 0;
		CHECK(csys_pipe_create(&reader, &writer) == 0);
		CHECK(pthread_create(&thread, NULL, take_some_and_close, &reader) == 0);
		int r = csys_stream_write(writer, data, sizeof data, &size);
		CHECK(r == CSYS_EPIPE || (r == 0 && size < sizeof data));
		pthread_join(thread, NULL);
		csys_handle_close(writer);
	}
}

static void a_reader_that_goes_in_the_middle_raises_no_signal(void **state)
{
	(void)state;
	in_process(write_half_read);
}

static void the_disposition_of_sigpipe_is_not_touched(void **state)
{
	(void)state;
	struct sigaction before, after;
	sigaction(SIGPIPE, NULL, &before);
	struct ends pipe = opened_ends();
	size_t size;
	csys_handle_close(pipe.reader);
	assert_int_equal(csys_stream_write(pipe.writer, "x", 1, &size), CSYS_EPIPE);
	csys_handle_close(pipe.writer);
	sigaction(SIGPIPE, NULL, &after);
	assert_true(before.sa_handler == after.sa_handler);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void *interrupt(void *main_thread)
{
	for (int i = 0; i < 50; i++) {
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void signals_do_not_end_a_wait(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	struct sigaction handle = { 0 }, old;
	pthread_t self = pthread_self(), thread;
	char text[4];
	size_t size;

	handle.sa_handler = do_nothing; /* and no SA_RESTART */
	sigaction(SIGUSR1, &handle, &old);
	csys_deadline deadline = csys_after_ms(30);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &self), 0);
	assert_int_equal(csys_stream_read_until(pipe.reader, text, 4, deadline, &size),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	pthread_join(thread, NULL);
	sigaction(SIGUSR1, &old, NULL);
	close_ends(pipe);
}

static void the_flag_is_told_and_set_and_not_changed_by_transfers(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	int flag = 7;
	size_t size;
	assert_int_equal(csys_stream_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 0);
	assert_int_equal(csys_stream_set_nonblocking(pipe.reader, 1), 0);
	assert_int_equal(csys_stream_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 1);
	assert_int_equal(csys_stream_nonblocking(pipe.writer, &flag), 0);
	assert_int_equal(flag, 0);
	fill_pipe(pipe.writer);
	assert_int_equal(csys_stream_read_until(pipe.reader, big, sizeof big, CSYS_POLL, &size), 0);
	assert_int_equal(csys_stream_nonblocking(pipe.writer, &flag), 0);
	assert_int_equal(flag, 0);
	assert_int_equal(csys_stream_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 1);
	close_ends(pipe);
}

/* All that waits, while the limit on handles is below those that are open. */
static void transfer_above_the_limit(void)
{
	char text[8] = { 0 };
	size_t size;
	csys_handle reader, writer, high;
	CHECK(csys_pipe_create(&reader, &writer) == 0);
	high = fcntl((int)reader, F_DUPFD_CLOEXEC, 1500);
	if (high < 0)
		high = fcntl((int)reader, F_DUPFD_CLOEXEC, 800);
	CHECK(high > 0);
	allow_handles(0);
	CHECK(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size) == CSYS_ETIMEDOUT);
	CHECK(csys_stream_read_until(high, text, 8, csys_after_ms(1), &size) == CSYS_ETIMEDOUT);
	CHECK(csys_stream_write_all_until(writer, "abcd", 4, csys_after_s(60), &size) == 0);
	CHECK(csys_stream_read_until(high, text, 2, csys_after_s(60), &size) == 0 && size == 2);
	CHECK(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size) == 0 && size == 2);
	/* A full pipe, and one that nobody reads any more. */
	do
		size = 0;
	while (csys_stream_write_until(writer, text, 8, CSYS_POLL, &size) == 0);
	CHECK(csys_stream_write_until(writer, text, 8, csys_after_ms(1), &size) == CSYS_ETIMEDOUT);
	csys_handle_close(reader);
	csys_handle_close(high);
	CHECK(csys_stream_write_until(writer, text, 8, csys_after_s(60), &size) == CSYS_EPIPE);
	csys_handle_close(writer);
}

static void a_limit_below_the_open_handles_changes_nothing(void **state)
{
	(void)state;
	in_process(transfer_above_the_limit);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char text[4] = "";
	size_t size = 77;
	int flag = 77;
	assert_int_equal(csys_stream_read(pipe.reader, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(csys_stream_read(pipe.reader, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_stream_read_all(pipe.reader, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(size, 0);
	size = 77;
	assert_int_equal(csys_stream_read_all(pipe.reader, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_stream_write(pipe.writer, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(csys_stream_write(pipe.writer, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_stream_write_all(pipe.writer, NULL, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_stream_nonblocking(pipe.reader, NULL), CSYS_EINVAL);
	assert_int_equal(csys_stream_read(CSYS_NO_HANDLE, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_stream_write(CSYS_NO_HANDLE, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_stream_read_until(4000, text, 4, csys_after_s(9), &size), CSYS_EBADF);
	assert_int_equal(csys_stream_write_until(4000, text, 4, csys_after_s(9), &size),
			 CSYS_EBADF);
	assert_int_equal(csys_stream_read_until(-5, text, 4, csys_after_s(9), &size), CSYS_EBADF);
	assert_int_equal(csys_stream_write_until(-5, text, 4, csys_after_s(9), &size), CSYS_EBADF);
	assert_int_equal(csys_stream_write_all(CSYS_NO_HANDLE, text, 4, NULL), CSYS_EBADF);
	assert_int_equal(csys_stream_read_until(pipe.writer, text, 4, csys_after_s(9), &size),
			 CSYS_EBADF);
	assert_int_equal(csys_stream_write_until(pipe.reader, text, 4, csys_after_s(9), &size),
			 CSYS_EBADF);
	assert_int_equal(csys_stream_read(pipe.writer, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_stream_write(pipe.reader, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_stream_nonblocking(4000, &flag), CSYS_EBADF);
	assert_int_equal(csys_stream_set_nonblocking(4000, 1), CSYS_EBADF);
	assert_int_equal(size, 77);
	assert_int_equal(flag, 77);
	close_ends(pipe);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(write_unread),
		PART(write_half_read),
		PART(transfer_above_the_limit),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(the_end_reads_as_zero_bytes),
		TEST(a_size_of_zero_moves_nothing_and_does_not_wait),
		TEST(reading_gives_up_at_the_deadline),
		TEST(a_past_deadline_still_takes_what_is_there),
		TEST(writing_gives_up_at_the_deadline),
		TEST(one_write_takes_what_there_is_room_for),
		TEST(all_tells_how_far_it_came),
		TEST(all_of_a_lot_arrives),
		TEST(writing_unread_is_epipe_and_no_signal),
		TEST(a_reader_that_goes_in_the_middle_raises_no_signal),
		TEST(the_disposition_of_sigpipe_is_not_touched),
		TEST(signals_do_not_end_a_wait),
		TEST(the_flag_is_told_and_set_and_not_changed_by_transfers),
		TEST(a_limit_below_the_open_handles_changes_nothing),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
