/*
 * io/test_waitable.c - promises of csys/io/waitable.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <unistd.h>

#include "support/support.h"

static int polled(csys_waitable waitable)
{
	csys_poll_item item = { .waitable = waitable, .ready = 77 };
	int r = csys_poll(&item, 1, CSYS_POLL);
	assert_int_equal(item.ready, r > 0 ? 1 : r == CSYS_ETIMEDOUT ? 0 : 77);
	return r;
}

static void reading_is_bytes_or_the_end(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_waitable waitable = csys_waitable_reading(pipe.reader);
	char byte;
	size_t size;
	assert_int_equal(polled(waitable), CSYS_ETIMEDOUT);
	assert_int_equal(csys_stream_write_all(pipe.writer, "x", 1, NULL), 0);
	assert_int_equal(polled(waitable), 1);
	assert_int_equal(polled(waitable), 1); /* nothing was read */
	assert_int_equal(csys_stream_read_until(pipe.reader, &byte, 1, CSYS_POLL, &size), 0);
	assert_int_equal(polled(waitable), CSYS_ETIMEDOUT);
	csys_handle_close(pipe.writer);
	assert_int_equal(polled(waitable), 1);
	csys_handle_close(pipe.reader);
}

static void writing_is_room_or_no_reader(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_waitable waitable = csys_waitable_writing(pipe.writer);
	assert_int_equal(polled(waitable), 1);
	fill_pipe(pipe.writer);
	assert_int_equal(polled(waitable), CSYS_ETIMEDOUT);
	csys_handle_close(pipe.reader);
	assert_int_equal(polled(waitable), 1);
	csys_handle_close(pipe.writer);
}

static void what_is_not_open_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(polled(csys_waitable_reading(CSYS_NO_HANDLE)), CSYS_EBADF);
	assert_int_equal(polled(csys_waitable_writing(CSYS_NO_HANDLE)), CSYS_EBADF);
	assert_int_equal(polled(csys_waitable_reading(4000)), CSYS_EBADF);
	assert_int_equal(polled(csys_waitable_writing(4000)), CSYS_EBADF);
}

static void the_wrong_end_is_an_error_and_no_wait(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_poll_item items[2] = {
		{ .waitable = csys_waitable_writing(pipe.reader), .ready = 77 },
		{ .waitable = csys_waitable_reading(pipe.reader), .ready = 77 },
	};
	/* Neither would ever be ready, and no deadline would end the wait. */
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	assert_int_equal(items[0].ready, 77);
	items[0].waitable = csys_waitable_reading(pipe.writer);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	assert_int_equal(polled(csys_waitable_writing(pipe.reader)), CSYS_EBADF);
	assert_int_equal(polled(csys_waitable_reading(pipe.writer)), CSYS_EBADF);
	/* Beside what has no handle, too. */
	csys_child *child = spawned(helper_command("stay", NULL));
	items[1].waitable = csys_child_waitable(child);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	csys_child_close(child, CSYS_CLOSE_KILL);
	close_ends(pipe);
}

static void a_file_is_always_ready(void **state)
{
	(void)state;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(null >= 0);
	assert_int_equal(polled(csys_waitable_reading(null)), 1);
	assert_int_equal(polled(csys_waitable_writing(null)), 1);
	csys_handle_close(null);
	int file = open(helper(), O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(polled(csys_waitable_reading(file)), 1);
	assert_int_equal(polled(csys_waitable_writing(file)), CSYS_EBADF);
	csys_handle_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_is_bytes_or_the_end),  TEST(writing_is_room_or_no_reader),
		TEST(what_is_not_open_is_an_error), TEST(the_wrong_end_is_an_error_and_no_wait),
		TEST(a_file_is_always_ready),
	};
	return RUN(tests);
}
