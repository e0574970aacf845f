/*
 * io/test_pipe.c - promises of csys/io/pipe.h.
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

struct ends {
	csys_handle reader;
	csys_handle writer;
};

static struct ends made(void)
{
	struct ends pipe;
	assert_int_equal(csys_pipe_create(&pipe.reader, &pipe.writer), 0);
	return pipe;
}

static void closed(struct ends pipe)
{
	csys_handle_close(pipe.reader);
	csys_handle_close(pipe.writer);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct ends pipe = made();
	char text[16];
	size_t size;
	assert_int_equal(csys_pipe_write(pipe.writer, "hello", 5, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(csys_pipe_read(pipe.reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(text, "hello", 5);
	closed(pipe);
}

static void both_ends_are_close_on_exec_and_above_2(void **state)
{
	(void)state;
	struct ends pipe = made();
	assert_true(pipe.reader > 2 && pipe.writer > 2);
	assert_true(fcntl((int)pipe.reader, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl((int)pipe.writer, F_GETFD) & FD_CLOEXEC);
	closed(pipe);
}

static void create_above_2(void)
{
	csys_handle reader, writer;
	close(0);
	close(1);
	CHECK(csys_pipe_create(&reader, &writer) == 0);
	CHECK(reader > 2 && writer > 2);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
}

static void ends_stay_above_2_even_if_those_are_closed(void **state)
{
	(void)state;
	in_child(create_above_2);
}

/* With room for one handle too few, at each number: nothing is left behind. */
static void create_without_room(void)
{
	csys_handle reader = 1000, writer = 1000;
	int open = open_handles();
	for (int most = 3; most < 5; most++) {
		allow_handles(most);
		CHECK(csys_pipe_create(&reader, &writer) == CSYS_EMFILE);
		CHECK(reader == 1000 && writer == 1000);
		CHECK(open_handles() == open);
	}
	/* The pair lands on 0 and 1, and moving one of them up fails. */
	close(0);
	close(1);
	allow_handles(4);
	CHECK(csys_pipe_create(&reader, &writer) == CSYS_EMFILE);
	CHECK(open_handles() == open - 2);
}

static void without_room_it_is_emfile_and_nothing_is_left(void **state)
{
	(void)state;
	in_child(create_without_room);
}

static void the_end_reads_as_zero_bytes(void **state)
{
	(void)state;
	struct ends pipe = made();
	char text[4];
	size_t size = 7;
	csys_handle_close(pipe.writer);
	assert_int_equal(csys_pipe_read(pipe.reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 0);
	size = 7;
	assert_int_equal(csys_pipe_read_until(pipe.reader, text, 4, CSYS_POLL, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
}

static void a_size_of_zero_moves_nothing_and_does_not_wait(void **state)
{
	(void)state;
	struct ends pipe = made();
	size_t size = 7;
	assert_int_equal(csys_pipe_read(pipe.reader, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	size = 7;
	assert_int_equal(csys_pipe_write(pipe.writer, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	closed(pipe);
}

static void reading_gives_up_at_the_deadline(void **state)
{
	(void)state;
	struct ends pipe = made();
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		char text[4];
		size_t size = 77;
		assert_int_equal(csys_pipe_set_nonblocking(pipe.reader, nonblocking), 0);
		csys_deadline deadline = csys_after_ms(3);
		assert_int_equal(csys_pipe_read_until(pipe.reader, text, 4, deadline, &size),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() >= deadline);
		assert_int_equal(csys_pipe_read_until(pipe.reader, text, 4, CSYS_POLL, &size),
				 CSYS_ETIMEDOUT);
		assert_int_equal(size, 77);
	}
	closed(pipe);
}

static void a_past_deadline_still_takes_what_is_there(void **state)
{
	(void)state;
	struct ends pipe = made();
	char text[4];
	size_t size;
	assert_int_equal(csys_pipe_write_until(pipe.writer, "ab", 2, CSYS_POLL, &size), 0);
	assert_int_equal(csys_pipe_read_until(pipe.reader, text, 4, csys_after_ms(-5), &size), 0);
	assert_int_equal(size, 2);
	closed(pipe);
}

static char big[1 << 20];

/* Fill a pipe until it takes no more; how much it took. */
static size_t fill(csys_handle writer)
{
	size_t all = 0, size;
	while (csys_pipe_write_until(writer, big, sizeof big, CSYS_POLL, &size) == 0)
		all += size;
	return all;
}

static void writing_gives_up_at_the_deadline(void **state)
{
	(void)state;
	struct ends pipe = made();
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		size_t size = 77;
		assert_int_equal(csys_pipe_set_nonblocking(pipe.writer, nonblocking), 0);
		fill(pipe.writer);
		csys_deadline deadline = csys_after_ms(3);
		assert_int_equal(
			csys_pipe_write_until(pipe.writer, big, sizeof big, deadline, &size),
			CSYS_ETIMEDOUT);
		assert_true(csys_now() >= deadline);
		assert_int_equal(size, 77);
	}
	closed(pipe);
}

static void all_tells_how_far_it_came(void **state)
{
	(void)state;
	struct ends pipe = made();
	char text[8];
	size_t size = 77;
	assert_int_equal(csys_pipe_write_all(pipe.writer, "abc", 3, NULL), 0);
	assert_int_equal(csys_pipe_read_all_until(pipe.reader, text, 8, csys_after_ms(2), &size),
			 CSYS_ETIMEDOUT);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "abc", 3);

	size_t room = fill(pipe.writer);
	size_t got;
	assert_int_equal(csys_pipe_read_all(pipe.reader, big, 10000, &got), 0);
	assert_int_equal(got, 10000);
	assert_int_equal(
		csys_pipe_write_all_until(pipe.writer, big, sizeof big, csys_after_ms(2), &size),
		CSYS_ETIMEDOUT);
	assert_true(size <= 10000 && size > 0);
	assert_true(room >= 10000);
	closed(pipe);
}

static void *write_a_lot(void *writer)
{
	static char pattern[3000000];
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (char)(i % 251);
	csys_handle handle = *(csys_handle *)writer;
	assert_int_equal(
		csys_pipe_write_all_until(handle, pattern, sizeof pattern, csys_after_s(60), NULL),
		0);
	csys_handle_close(handle);
	return NULL;
}

static void all_of_a_lot_arrives(void **state)
{
	(void)state;
	for (int nonblocking = 0; nonblocking <= 1; nonblocking++) {
		struct ends pipe = made();
		pthread_t thread;
		char *got = malloc(4000000);
		size_t size;
		assert_int_equal(csys_pipe_set_nonblocking(pipe.reader, nonblocking), 0);
		assert_int_equal(csys_pipe_set_nonblocking(pipe.writer, nonblocking), 0);
		assert_int_equal(pthread_create(&thread, NULL, write_a_lot, &pipe.writer), 0);
		assert_int_equal(csys_pipe_read_all(pipe.reader, got, 4000000, &size), 0);
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
	CHECK(csys_pipe_write(writer, "x", 1, &size) == CSYS_EPIPE);
	CHECK(csys_pipe_write_until(writer, "x", 1, CSYS_POLL, &size) == CSYS_EPIPE);
	CHECK(csys_pipe_write_all(writer, "x", 1, NULL) == CSYS_EPIPE);
	CHECK(size == 77);
	signal(SIGPIPE, SIG_IGN);
	CHECK(csys_pipe_write(writer, "x", 1, &size) == CSYS_EPIPE);

	/* Blocked: none may be left pending, but one that was there stays. */
	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(csys_pipe_write(writer, "x", 1, &size) == CSYS_EPIPE);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	raise(SIGPIPE);
	CHECK(csys_pipe_write(writer, "x", 1, &size) == CSYS_EPIPE);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGPIPE));
}

static void writing_unread_is_epipe_and_no_signal(void **state)
{
	(void)state;
	in_child(write_unread);
}

static void *take_some_and_close(void *reader)
{
	size_t size;
	assert_int_equal(csys_pipe_read(*(csys_handle *)reader, big, 5000, &size), 0);
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
		int r = csys_pipe_write(writer, data, sizeof data, &size);
		CHECK(r == CSYS_EPIPE || (r == 0 && size < sizeof data));
		pthread_join(thread, NULL);
		csys_handle_close(writer);
	}
}

static void a_reader_that_goes_in_the_middle_raises_no_signal(void **state)
{
	(void)state;
	in_child(write_half_read);
}

static void the_disposition_of_sigpipe_is_not_touched(void **state)
{
	(void)state;
	struct sigaction before, after;
	sigaction(SIGPIPE, NULL, &before);
	struct ends pipe = made();
	size_t size;
	csys_handle_close(pipe.reader);
	assert_int_equal(csys_pipe_write(pipe.writer, "x", 1, &size), CSYS_EPIPE);
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
	struct ends pipe = made();
	struct sigaction handle = { 0 }, old;
	pthread_t self = pthread_self(), thread;
	char text[4];
	size_t size;

	handle.sa_handler = do_nothing; /* and no SA_RESTART */
	sigaction(SIGUSR1, &handle, &old);
	csys_deadline deadline = csys_after_ms(30);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &self), 0);
	assert_int_equal(csys_pipe_read_until(pipe.reader, text, 4, deadline, &size),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= deadline);
	pthread_join(thread, NULL);
	sigaction(SIGUSR1, &old, NULL);
	closed(pipe);
}

static void the_flag_is_told_and_set_and_not_changed_by_transfers(void **state)
{
	(void)state;
	struct ends pipe = made();
	int flag = 7;
	size_t size;
	assert_int_equal(csys_pipe_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 0);
	assert_int_equal(csys_pipe_set_nonblocking(pipe.reader, 1), 0);
	assert_int_equal(csys_pipe_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 1);
	assert_int_equal(csys_pipe_nonblocking(pipe.writer, &flag), 0);
	assert_int_equal(flag, 0);
	fill(pipe.writer);
	assert_int_equal(csys_pipe_read_until(pipe.reader, big, sizeof big, CSYS_POLL, &size), 0);
	assert_int_equal(csys_pipe_nonblocking(pipe.writer, &flag), 0);
	assert_int_equal(flag, 0);
	assert_int_equal(csys_pipe_nonblocking(pipe.reader, &flag), 0);
	assert_int_equal(flag, 1);
	closed(pipe);
}

static void capacity_is_told_and_set_where_the_system_can(void **state)
{
	(void)state;
	struct ends pipe = made();
	size_t capacity = 77, became = 77;
#ifdef CSYS_TEST_LINUX
	assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), 0);
	assert_int_equal(fill(pipe.writer), capacity);
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 4096, NULL), CSYS_EBUSY);
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 300000, &became), 0);
	assert_true(became >= 300000);
	assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), 0);
	assert_int_equal(capacity, became);
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, SIZE_MAX, NULL), CSYS_EINVAL);
	csys_handle null;
	assert_int_equal(csys_handle_dup(2, &null), 0);
	csys_handle_close(null);
	assert_int_equal(csys_pipe_capacity(null, &capacity), CSYS_EBADF);
#else
	assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), CSYS_ENOTSUP);
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 300000, &became), CSYS_ENOTSUP);
	assert_int_equal(capacity, 77);
	assert_int_equal(became, 77);
#endif
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 0, NULL), CSYS_EINVAL);
	closed(pipe);
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
	CHECK(csys_pipe_read_until(reader, text, 8, CSYS_POLL, &size) == CSYS_ETIMEDOUT);
	CHECK(csys_pipe_read_until(high, text, 8, csys_after_ms(1), &size) == CSYS_ETIMEDOUT);
	CHECK(csys_pipe_write_all_until(writer, "abcd", 4, csys_after_s(60), &size) == 0);
	CHECK(csys_pipe_read_until(high, text, 2, csys_after_s(60), &size) == 0 && size == 2);
	CHECK(csys_pipe_read_until(reader, text, 8, CSYS_POLL, &size) == 0 && size == 2);
	/* A full pipe, and one that nobody reads any more. */
	do
		size = 0;
	while (csys_pipe_write_until(writer, text, 8, CSYS_POLL, &size) == 0);
	CHECK(csys_pipe_write_until(writer, text, 8, csys_after_ms(1), &size) == CSYS_ETIMEDOUT);
	csys_handle_close(reader);
	csys_handle_close(high);
	CHECK(csys_pipe_write_until(writer, text, 8, csys_after_s(60), &size) == CSYS_EPIPE);
	csys_handle_close(writer);
}

static void a_limit_below_the_open_handles_changes_nothing(void **state)
{
	(void)state;
	in_child(transfer_above_the_limit);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	struct ends pipe = made();
	csys_handle one;
	char text[4] = "";
	size_t size = 77;
	int flag = 77;
	assert_int_equal(csys_pipe_create(NULL, &one), CSYS_EINVAL);
	assert_int_equal(csys_pipe_create(&one, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_read(pipe.reader, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(csys_pipe_read(pipe.reader, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_read_all(pipe.reader, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(size, 0);
	size = 77;
	assert_int_equal(csys_pipe_read_all(pipe.reader, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_write(pipe.writer, NULL, 4, &size), CSYS_EINVAL);
	assert_int_equal(csys_pipe_write(pipe.writer, text, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_write_all(pipe.writer, NULL, 4, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_capacity(pipe.reader, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_nonblocking(pipe.reader, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_read(CSYS_NO_HANDLE, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_write(CSYS_NO_HANDLE, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_read_until(4000, text, 4, csys_after_s(9), &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_write_until(4000, text, 4, csys_after_s(9), &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_read(pipe.writer, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_write(pipe.reader, text, 4, &size), CSYS_EBADF);
	assert_int_equal(csys_pipe_nonblocking(4000, &flag), CSYS_EBADF);
	assert_int_equal(csys_pipe_set_nonblocking(4000, 1), CSYS_EBADF);
	assert_int_equal(size, 77);
	assert_int_equal(flag, 77);
	closed(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(both_ends_are_close_on_exec_and_above_2),
		TEST(ends_stay_above_2_even_if_those_are_closed),
		TEST(without_room_it_is_emfile_and_nothing_is_left),
		TEST(the_end_reads_as_zero_bytes),
		TEST(a_size_of_zero_moves_nothing_and_does_not_wait),
		TEST(reading_gives_up_at_the_deadline),
		TEST(a_past_deadline_still_takes_what_is_there),
		TEST(writing_gives_up_at_the_deadline),
		TEST(all_tells_how_far_it_came),
		TEST(all_of_a_lot_arrives),
		TEST(writing_unread_is_epipe_and_no_signal),
		TEST(a_reader_that_goes_in_the_middle_raises_no_signal),
		TEST(the_disposition_of_sigpipe_is_not_touched),
		TEST(signals_do_not_end_a_wait),
		TEST(the_flag_is_told_and_set_and_not_changed_by_transfers),
		TEST(capacity_is_told_and_set_where_the_system_can),
		TEST(a_limit_below_the_open_handles_changes_nothing),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
