/*
 * base/test_handle.c - promises of csys/base/handle.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

static void close_accepts_no_handle(void **state)
{
	(void)state;
	csys_handle_close(CSYS_NO_HANDLE);
}

static void dup_is_the_same_file_above_2_and_close_on_exec(void **state)
{
	(void)state;
	csys_handle copy;
	struct stat a, b;

	assert_int_equal(csys_handle_dup(2, &copy), 0);
	assert_true(copy > 2);
	assert_true(fcntl((int)copy, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(2, &a), 0);
	assert_int_equal(fstat((int)copy, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	csys_handle_close(copy);
	assert_int_equal(fcntl((int)copy, F_GETFD), -1);
}

static void dup_stays_above_2_even_if_those_are_closed(void)
{
	csys_handle copy;
	int file = fcntl(2, F_DUPFD, 10);
	close(0);
	close(1);
	close(2);
	CHECK(csys_handle_dup(file, &copy) == 0);
	CHECK(copy > 2);
}

static void dup_above_2(void **state)
{
	(void)state;
	in_process(dup_stays_above_2_even_if_those_are_closed);
}

static void dup_of_no_handle_is_ebadf(void **state)
{
	(void)state;
	csys_handle copy = 77;
	assert_int_equal(csys_handle_dup(CSYS_NO_HANDLE, &copy), CSYS_EBADF);
	assert_int_equal(csys_handle_dup(0, NULL), CSYS_EINVAL);
	assert_int_equal(copy, 77);
}

static void run_out(void)
{
	csys_handle copy = 77;
	allow_handles(3);
	CHECK(csys_handle_dup(2, &copy) == CSYS_EMFILE);
	CHECK(copy == 77);
}

static void dup_without_room_is_emfile(void **state)
{
	(void)state;
	in_process(run_out);
}

static void standard_is_each_of_the_three_streams(void **state)
{
	(void)state;
	struct stat a, b;
	for (int stream = 0; stream < 3; stream++) {
		assert_int_equal(fstat(stream, &a), 0);
		assert_int_equal(fstat((int)csys_standard(stream), &b), 0);
		assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	}
	assert_int_equal(csys_standard(3), CSYS_NO_HANDLE);
	assert_int_equal(csys_standard(-1), CSYS_NO_HANDLE);
	assert_int_equal(csys_standard(INT_MIN), CSYS_NO_HANDLE);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(dup_stays_above_2_even_if_those_are_closed),
		PART(run_out),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(close_accepts_no_handle),
		TEST(dup_is_the_same_file_above_2_and_close_on_exec),
		TEST(dup_above_2),
		TEST(dup_of_no_handle_is_ebadf),
		TEST(dup_without_room_is_emfile),
		TEST(standard_is_each_of_the_three_streams),
	};
	return RUN(tests);
}
