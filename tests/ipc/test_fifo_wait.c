/*
 * ipc/test_fifo_wait.c - promises of csys/ipc/fifo.h about the other end, and waiting for it.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/fifo.h"
#include "support/system.h"

/* ---- the other end -------------------------------------------------------------------- */

static void without_the_other_end_a_try_and_a_deadline_give_up(void **state)
{
	(void)state;
	csys_handle end = 77;
	fresh();
	assert_int_equal(csys_fifo_try_open_reader(path, NULL, &end), CSYS_EAGAIN);
	assert_int_equal(csys_fifo_try_open_writer(path, NULL, &end), CSYS_EAGAIN);
	for (int writing = 0; writing < 2; writing++) {
		csys_deadline deadline = csys_after_ms(7);
		int r = writing ? csys_fifo_open_writer_until(path, NULL, deadline, &end)
				: csys_fifo_open_reader_until(path, NULL, deadline, &end);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
	}
	assert_int_equal(end, 77);
	unlink(path);
}

static void with_the_other_end_even_a_passed_deadline_is_enough(void **state)
{
	(void)state;
	csys_handle kept, keeper, reader, writer;
	fresh();
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &kept, &keeper), 0);
	assert_int_equal(csys_fifo_open_reader_until(path, NULL, CSYS_POLL, &reader), 0);
	assert_int_equal(csys_fifo_try_open_writer(path, NULL, &writer), 0);
	csys_handle_close(writer);
	assert_int_equal(csys_fifo_open_writer(path, NULL, &writer), 0);
	csys_handle_close(reader);
	assert_int_equal(csys_fifo_open_reader(path, NULL, &reader), 0);
	csys_handle_close(reader);
	csys_handle_close(writer);
	csys_handle_close(kept);
	csys_handle_close(keeper);
	unlink(path);
}

/* By the system's own calls, as other programs do it. */
static void write_as_others(void)
{
	make_path((long)getppid());
	int fd = open(path, O_WRONLY);
	CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
}

static void open_and_stay(void)
{
	csys_handle end;
	make_path((long)getppid());
	CHECK(csys_fifo_open_writer_until(path, NULL, soon(), &end) == 0);
	CHECK(write(1, "\n", 1) == 1);
	pause();
}

static void read_as_others(void)
{
	char text[8] = "";
	make_path((long)getppid());
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, 5) == 5 && strcmp(text, "hello") == 0);
}

static void assert_reads_hello_and_the_end(csys_handle reader)
{
	char text[8] = "";
	size_t size;
	assert_int_equal(csys_stream_read_all_until(reader, text, 8, soon(), &size), 0);
	assert_int_equal(size, 5);
	assert_string_equal(text, "hello");
	csys_handle_close(reader);
}

static void a_reader_waits_for_a_writer_and_loses_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		csys_handle reader;
		fresh();
		csys_child *child = started("write_as_others");
		assert_int_equal(i % 2 ? csys_fifo_open_reader(path, NULL, &reader)
				       : csys_fifo_open_reader_until(path, NULL, soon(), &reader),
				 0);
		assert_reads_hello_and_the_end(reader);
		assert_true(csys_exit_success(finished(child)));
		unlink(path);
	}
}

static void a_writer_waits_for_a_reader(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		csys_handle writer;
		fresh();
		csys_child *child = started("read_as_others");
		assert_int_equal(i % 2 ? csys_fifo_open_writer(path, NULL, &writer)
				       : csys_fifo_open_writer_until(path, NULL, soon(), &writer),
				 0);
		assert_int_equal(csys_stream_write_all_until(writer, "hello", 5, soon(), NULL), 0);
		csys_handle_close(writer);
		assert_true(csys_exit_success(finished(child)));
		unlink(path);
	}
}

static void a_writer_that_has_not_written_yet_lets_a_reader_in(void **state)
{
	(void)state;
	char byte;
	size_t size;
	csys_handle reader, told;
	fresh();
	csys_child *child = started_telling("open_and_stay", &told);
	assert_int_equal(csys_fifo_open_reader_until(path, NULL, soon(), &reader), 0);
	await(told);
	/* SIGKILL of the only writer is the end, and of the only reader a broken pipe. */
	assert_int_equal(csys_stream_read_until(reader, &byte, 1, CSYS_POLL, &size),
			 CSYS_ETIMEDOUT);
	killed(child);
	assert_int_equal(csys_stream_read_until(reader, &byte, 1, soon(), &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(reader);
	unlink(path);
}

static void come_and_go(void)
{
	csys_handle end;
	make_path((long)getppid());
	CHECK(csys_fifo_open_writer_until(path, NULL, soon(), &end) == 0);
	csys_handle_close(end);
}

static void a_writer_that_has_come_and_gone_is_seen_on_linux(void **state)
{
	(void)state;
	if (may_copy_pipes() != 1)
		skip_because("plain POSIX may miss it");
	for (int i = 0; i < 20; i++) {
		csys_handle reader;
		char byte;
		size_t size = 77;
		fresh();
		csys_child *child = started("come_and_go");
		assert_int_equal(csys_fifo_open_reader_until(path, NULL, soon(), &reader), 0);
		assert_int_equal(csys_stream_read_until(reader, &byte, 1, soon(), &size), 0);
		assert_int_equal(size, 0);
		csys_handle_close(reader);
		assert_true(csys_exit_success(finished(child)));
		unlink(path);
	}
}

static void a_killed_reader_is_a_broken_pipe(void **state)
{
	(void)state;
	csys_handle writer;
	fresh();
	csys_child *child = started("read_as_others");
	assert_int_equal(csys_fifo_open_writer_until(path, NULL, soon(), &writer), 0);
	killed(child);
	size_t size;
	assert_int_equal(csys_stream_write_until(writer, "x", 1, soon(), &size), CSYS_EPIPE);
	csys_handle_close(writer);
	unlink(path);
}

static void a_kept_reader_sees_no_end_until_its_keeper_is_closed(void **state)
{
	(void)state;
	csys_handle reader, keeper, writer;
	char text[8];
	size_t size;
	fresh();
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_fifo_try_open_writer(path, NULL, &writer), 0);
		assert_int_equal(csys_stream_write_all(writer, "abc", 3, NULL), 0);
		csys_handle_close(writer);
		assert_int_equal(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size), 0);
		assert_int_equal(size, 3);
		assert_int_equal(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size),
				 CSYS_ETIMEDOUT);
	}
	csys_handle_close(keeper);
	assert_int_equal(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(reader);
	unlink(path);
}

/* ---- signals --------------------------------------------------------------------------- */

static void ignore(int number)
{
	(void)number;
}

/* Signals that interrupt what waits, all the time: usec 0 ends it. */
static void storm(int usec)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval timer = { { 0, usec }, { 0, usec } };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void wait_in_a_storm(void)
{
	csys_handle end = 77;
	make_path((long)getppid());
	storm(200);
	csys_deadline deadline = csys_after_ms(5);
	CHECK(csys_fifo_open_reader_until(path, NULL, deadline, &end) == CSYS_ETIMEDOUT);
	CHECK(csys_deadline_left(deadline) == 0);
	deadline = csys_after_ms(5);
	CHECK(csys_fifo_open_writer_until(path, NULL, deadline, &end) == CSYS_ETIMEDOUT);
	CHECK(csys_deadline_left(deadline) == 0);
	csys_child *child = started("meet_after_a_while");
	CHECK(csys_fifo_open_reader(path, NULL, &end) == 0);
	csys_handle_close(end);
	CHECK(csys_fifo_open_writer(path, NULL, &end) == 0);
	csys_handle_close(end);
	storm(0);
	CHECK(csys_exit_success(finished(child)));
}

static void meet_after_a_while(void)
{
	csys_handle end;
	/* The path is that of the test, two processes above. */
	snprintf(path, sizeof path, "%s", getenv("CSYS_TEST_FIFO"));
	csys_thread_sleep_until(csys_after_ms(3));
	CHECK(csys_fifo_open_writer(path, NULL, &end) == 0);
	/* The other side has closed its reader before it opens its writer. */
	size_t size;
	while (csys_stream_write_until(end, "x", 1, csys_after_ms(1), &size) != CSYS_EPIPE)
		;
	csys_handle_close(end);
	csys_thread_sleep_until(csys_after_ms(3));
	CHECK(csys_fifo_open_reader(path, NULL, &end) == 0);
}

static void signals_do_not_end_a_wait(void **state)
{
	(void)state;
	fresh();
	setenv("CSYS_TEST_FIFO", path, 1);
	in_process(wait_in_a_storm);
	unsetenv("CSYS_TEST_FIFO");
	unlink(path);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(write_as_others), PART(read_as_others),  PART(come_and_go),
		PART(open_and_stay),   PART(wait_in_a_storm), PART(meet_after_a_while),
	};
	fifo_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(without_the_other_end_a_try_and_a_deadline_give_up),
		TEST(with_the_other_end_even_a_passed_deadline_is_enough),
		TEST(a_reader_waits_for_a_writer_and_loses_nothing),
		TEST(a_writer_waits_for_a_reader),
		TEST(a_writer_that_has_not_written_yet_lets_a_reader_in),
		TEST(a_writer_that_has_come_and_gone_is_seen_on_linux),
		TEST(a_killed_reader_is_a_broken_pipe),
		TEST(a_kept_reader_sees_no_end_until_its_keeper_is_closed),
		TEST(signals_do_not_end_a_wait),
	};
	return RUN(tests);
}
