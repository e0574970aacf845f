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

static void capacity_is_told_and_set_where_the_system_can(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	size_t capacity = 77, became = 77;
#ifdef CSYS_TEST_LINUX
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
#else
	assert_int_equal(csys_pipe_capacity(pipe.reader, &capacity), CSYS_ENOTSUP);
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 300000, &became), CSYS_ENOTSUP);
	assert_int_equal(capacity, 77);
	assert_int_equal(became, 77);
#endif
	assert_int_equal(csys_pipe_set_capacity(pipe.writer, 0, NULL), CSYS_EINVAL);
	close_ends(pipe);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle one;
	assert_int_equal(csys_pipe_create(NULL, &one), CSYS_EINVAL);
	assert_int_equal(csys_pipe_create(&one, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipe_capacity(pipe.reader, NULL), CSYS_EINVAL);
	close_ends(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_close_on_exec_and_above_2),
		TEST(ends_stay_above_2_even_if_those_are_closed),
		TEST(without_room_it_is_emfile_and_nothing_is_left),
		TEST(capacity_is_told_and_set_where_the_system_can),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
