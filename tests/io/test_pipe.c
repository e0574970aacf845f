/*
 * io/test_pipe.c - promises of csys/io/pipe.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <unistd.h>

#include "support/support.h"

static void both_ends_are_close_on_exec_and_above_2(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	assert_true(pipe.reader > 2 && pipe.writer > 2);
	assert_true(fcntl((int)pipe.reader, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl((int)pipe.writer, F_GETFD) & FD_CLOEXEC);
	close_ends(pipe);
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
	in_process(create_above_2);
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
	in_process(create_without_room);
}

static void capacity_is_told_and_set_where_the_system_can(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	size_t capacity = 77, became = 77;
	if (!csys_can(CSYS_CAN_PIPE_RESIZE)) {
		assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), CSYS_ENOTSUP);
		assert_int_equal(csys_pipe_set_capacity(pipe.writer, 300000, &became),
				 CSYS_ENOTSUP);
		assert_int_equal(capacity, 77);
		assert_int_equal(became, 77);
		assert_int_equal(csys_pipe_set_capacity(pipe.writer, 0, NULL), CSYS_EINVAL);
		close_ends(pipe);
		return;
	}
	assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), 0);
	assert_int_equal(fill_pipe(pipe.writer), capacity);
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
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 0, NULL), CSYS_EINVAL);
	close_ends(pipe);
}

/* What the helper copies from its stdin to its stdout, when it gets these ends. */
static void copies(csys_handle input, csys_handle output)
{
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, input);
	csys_command_stdio_take(command, CSYS_STDOUT, output);
	csys_child *child = spawned(command);
	assert_true(csys_exit_success(finished(child)));
}

static void an_end_for_a_program_is_its_stream(void **state)
{
	(void)state;
	char text[8] = "";
	size_t size;
	struct ends in, out;
	assert_int_equal(csys_pipe_create_for(CSYS_PIPE_READER, 0, &in.reader, &in.writer), 0);
	assert_int_equal(csys_pipe_create_for(CSYS_PIPE_WRITER, 0, &out.reader, &out.writer), 0);
	assert_true(in.reader > 2 && fcntl((int)in.reader, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(csys_stream_write_all_until(in.writer, "hello", 5, csys_after_s(60), NULL),
			 0);
	csys_handle_close(in.writer);
	copies(in.reader, out.writer);
	assert_int_equal(csys_stream_read_all_until(out.reader, text, 8, csys_after_s(60), &size),
			 0);
	assert_int_equal(size, 5);
	assert_string_equal(text, "hello");
	csys_handle_close(out.reader);
}

static void both_ends_can_be_for_programs(void **state)
{
	(void)state;
	struct ends pipe;
	assert_int_equal(csys_pipe_create_for(CSYS_PIPE_BOTH, 0, &pipe.reader, &pipe.writer), 0);
	csys_command *command = helper_command("say", "out", NULL);
	csys_command_stdio_take(command, CSYS_STDOUT, pipe.writer);
	csys_child *first = spawned(command);
	command = helper_command("drain", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, pipe.reader);
	csys_child *last = spawned(command);
	assert_true(csys_exit_success(finished(first)));
	assert_true(csys_exit_success(finished(last)));
}

static void a_capacity_is_a_wish(void **state)
{
	(void)state;
	const size_t wishes[] = { 1, 300000, SIZE_MAX };
	for (int i = 0; i < 3; i++) {
		struct ends pipe;
		size_t capacity;
		assert_int_equal(csys_pipe_create_for(CSYS_PIPE_WRITER, wishes[i], &pipe.reader,
						      &pipe.writer),
				 0);
		int r = csys_pipe_capacity(pipe.reader, &capacity);
		if (r == 0 && wishes[i] < SIZE_MAX)
			assert_true(capacity >= wishes[i]);
		assert_true(fill_pipe(pipe.writer) > 0);
		close_ends(pipe);
	}
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle one;
	assert_int_equal(csys_pipe_create(NULL, &one), CSYS_EINVAL);
	assert_int_equal(csys_pipe_create(&one, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_capacity(pipe.reader, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_create_for(CSYS_PIPE_BOTH, 0, NULL, &one), CSYS_EINVAL);
	assert_int_equal(csys_pipe_create_for(CSYS_PIPE_BOTH, 0, &one, NULL), CSYS_EINVAL);
	csys_handle other;
	for (int end = 0; end <= 4; end += 4)
		assert_int_equal(csys_pipe_create_for((enum csys_pipe_end)end, 0, &one, &other),
				 CSYS_EINVAL);
	close_ends(pipe);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(create_above_2),
		PART(create_without_room),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_close_on_exec_and_above_2),
		TEST(ends_stay_above_2_even_if_those_are_closed),
		TEST(without_room_it_is_emfile_and_nothing_is_left),
		TEST(capacity_is_told_and_set_where_the_system_can),
		TEST(an_end_for_a_program_is_its_stream),
		TEST(both_ends_can_be_for_programs),
		TEST(a_capacity_is_a_wish),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
