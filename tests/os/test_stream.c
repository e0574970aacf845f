/*
 * os/test_stream.c - exam: streams, polling, files.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

#define MIB ((size_t)1 << 20)

static char mebibyte[MIB];

static void poll_tells_which_is_ready(void **state)
{
	(void)state;
	csys_handle r[2], w[2];
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &r[0], &w[0]), 0);
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &r[1], &w[1]), 0);

	struct csysi_os_poll items[] = { { .handle = r[0] },
					 { .handle = CSYS_NO_HANDLE },
					 { .handle = r[1] } };
	assert_int_equal(csysi_os_poll(items, 3, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_poll(items, 3, csys_after_us(1500)), CSYS_ETIMEDOUT);
	assert_int_equal(items[0].ready + items[1].ready + items[2].ready, 0);

	size_t size;
	assert_int_equal(csysi_os_write(w[1], "x", 1, CSYS_FOREVER, &size), 0);
	assert_int_equal(csysi_os_poll(items, 3, CSYS_FOREVER), 0);
	assert_int_equal(items[0].ready, 0);
	assert_int_equal(items[2].ready, 1);

	/* The end of a stream counts as ready. */
	csysi_os_close(w[0]);
	assert_int_equal(csysi_os_poll(items, 1, CSYS_FOREVER), 0);
	assert_int_equal(items[0].ready, 1);

	struct csysi_os_poll room = { .handle = w[1], .writing = 1 };
	assert_int_equal(csysi_os_poll(&room, 1, CSYS_POLL), 0);
	assert_int_equal(room.ready, 1);
	csysi_os_close(r[0]);
	csysi_os_close(r[1]);
	csysi_os_close(w[1]);
}

static void what_cannot_be_waited_for_ends_the_poll_at_once(void **state)
{
	(void)state;
	csys_handle reader, writer;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	struct csysi_os_poll items[2] = { { .handle = reader },
					  { .handle = reader, .writing = 1 } };
	assert_int_equal(csysi_os_poll(items, 2, CSYS_FOREVER), 0);
	assert_int_equal(items[0].ready, 0);
	assert_int_equal(items[1].ready, -1);
	items[1] = (struct csysi_os_poll){ .handle = writer };
	assert_int_equal(csysi_os_poll(items, 2, CSYS_FOREVER), 0);
	assert_int_equal(items[1].ready, -1);
	csysi_os_close(reader);
	csysi_os_close(writer);
	items[1].ready = 77;
	assert_int_equal(csysi_os_poll(items + 1, 1, CSYS_FOREVER), 0);
	assert_int_equal(items[1].ready, -1);
}

#ifdef CSYS_TEST_WRAPS
/* While it lies, this says that all is ready.  The linker puts it in place of the C library's. */
static int is_lying;
static int lies;

int __real_poll(struct pollfd *polled, nfds_t count, int wait);
int __wrap_poll(struct pollfd *polled, nfds_t count, int wait);
int __wrap_poll(struct pollfd *polled, nfds_t count, int wait)
{
	if (!is_lying)
		return __real_poll(polled, count, wait);
	for (nfds_t i = 0; i < count; i++)
		polled[i].revents = polled[i].events;
	lies++;
	return (int)count;
}

static void a_hint_that_is_wrong_does_not_make_a_loop(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char byte;
	size_t size;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	assert_int_equal(csysi_os_set_nonblocking(reader, 1), 0);
	csys_deadline deadline = csys_after_ms(50);
	is_lying = 1;
	int r = csysi_os_read(reader, &byte, 1, deadline, &size);
	is_lying = 0;
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(csys_deadline_left(deadline), 0);
	/* At 1 ms each, and the posix floor asks twice. */
	assert_in_range(lies, 2, 150);
	csysi_os_close(reader);
	csysi_os_close(writer);
}
#endif

#ifdef CSYS_TEST_WRAPS_READ
/* While it is above 0, the system has given up the connection that is read. */
static int timeouts;

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	if (timeouts == 0)
		return __real_read(fd, buffer, size);
	timeouts--;
	errno = ETIMEDOUT;
	return -1;
}

static void a_connection_that_the_system_has_given_up_is_no_deadline(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char byte;
	size_t size = 77;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	timeouts = 1;
	assert_int_equal(csysi_os_read(reader, &byte, 1, CSYS_FOREVER, &size), CSYS_ECONNRESET);
	assert_int_equal(timeouts, 0);
	assert_int_equal(csys_os_error(), ETIMEDOUT);
	assert_int_equal(size, 77);
	csysi_os_close(reader);
	csysi_os_close(writer);
}
#endif

static void a_poll_does_not_end_before_its_deadline(void **state)
{
	(void)state;
	struct csysi_os_poll nothing = { .handle = CSYS_NO_HANDLE };
	csys_deadline deadline = csys_after_us(2300);
	assert_int_equal(csysi_os_poll(&nothing, 1, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
}

static void a_poll_of_many_tells_the_one_that_is_ready(void **state)
{
	(void)state;
	struct csysi_os_poll items[300];
	csys_handle reader, writer;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	for (size_t i = 0; i < 300; i++)
		items[i] = (struct csysi_os_poll){ .handle = reader };
	items[299] = (struct csysi_os_poll){ .handle = writer, .writing = 1 };
	assert_int_equal(csysi_os_poll(items, 299, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_poll(items, 300, CSYS_POLL), 0);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(items[i].ready, i == 299);

	csysi_fault_arm(1);
	assert_int_equal(csysi_os_poll(items, 300, CSYS_POLL), CSYS_ENOMEM);
	csysi_fault_arm(0);
	csysi_os_close(reader);
	csysi_os_close(writer);
}

static void poll_above_the_limit(void)
{
	struct csysi_os_poll items[4];
	csys_handle reader, writer, other, other_writer;
	CHECK(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer) == 0);
	CHECK(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &other, &other_writer) == 0);
	allow_handles(0);
	items[0] = (struct csysi_os_poll){ .handle = CSYS_NO_HANDLE };
	items[1] = (struct csysi_os_poll){ .handle = reader };
	items[2] = (struct csysi_os_poll){ .handle = writer, .writing = 1 };
	items[3] = (struct csysi_os_poll){ .handle = other };
	CHECK(csysi_os_poll(items, 4, csys_after_s(60)) == 0);
	CHECK(!items[0].ready && !items[1].ready && items[2].ready && !items[3].ready);
	items[2].handle = CSYS_NO_HANDLE;
	CHECK(csysi_os_poll(items, 4, CSYS_POLL) == CSYS_ETIMEDOUT);
	CHECK(!items[1].ready && !items[3].ready);
	csys_deadline deadline = csys_after_ms(2);
	CHECK(csysi_os_poll(items, 4, deadline) == CSYS_ETIMEDOUT &&
	      csys_now() >= csys_deadline_ns(deadline));
	csysi_os_close(other_writer); /* the end is something to read */
	CHECK(csysi_os_poll(items, 4, CSYS_FOREVER) == 0);
	CHECK(!items[1].ready && items[3].ready);
	csysi_os_close(other); /* what is closed is ready: a transfer will tell */
	CHECK(csysi_os_poll(items, 4, CSYS_FOREVER) == 0);
	CHECK(!items[1].ready && items[3].ready);
	csysi_os_close(reader);
	csysi_os_close(writer);
}

static void poll_tells_the_same_where_the_limit_is_below_what_is_open(void **state)
{
	(void)state;
	in_process(poll_above_the_limit);
}

static void sockets_and_files_are_streams_too(void **state)
{
	(void)state;
	int ends[2];
	size_t size = 0;
	char text[16] = "";
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(csysi_os_write(ends[0], "hello", 5, csys_after_s(10), &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(csysi_os_read(ends[1], text, sizeof text, csys_after_s(10), &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(csysi_os_read(ends[1], text, sizeof text, CSYS_POLL, &size),
			 CSYS_ETIMEDOUT);
	close(ends[1]);
	assert_int_equal(csysi_os_write(ends[0], "hello", 5, csys_after_s(10), &size), CSYS_EPIPE);
	close(ends[0]);

	csys_handle null;
	assert_int_equal(csysi_os_open_null(0, &null), 0);
	assert_int_equal(csysi_os_read(null, text, sizeof text, csys_after_s(10), &size), 0);
	assert_int_equal(size, 0);
	csysi_os_close(null);
	assert_int_equal(csysi_os_open_null(1, &null), 0);
	assert_int_equal(csysi_os_write(null, text, sizeof text, csys_after_s(10), &size), 0);
	assert_int_equal(size, sizeof text);
	csysi_os_close(null);

	csys_handle file;
	assert_int_equal(csysi_os_open_file(helper(), CSYSI_OS_READ, &file), 0);
	assert_int_equal(csysi_os_read(file, text, 4, csys_after_s(10), &size), 0);
	assert_int_equal(size, 4);
	csysi_os_close(file);
}

static void a_write_takes_what_there_is_room_for_and_waits_no_longer(void **state)
{
	(void)state;
	csys_handle reader, writer;
	size_t size = 0, rest = 77;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	/* Nobody reads: one that waited for all of it would wait for ever. */
	assert_int_equal(csysi_os_write(writer, mebibyte, MIB, CSYS_FOREVER, &size), 0);
	assert_in_range(size, 1, MIB - 1);
	fill_pipe(writer);
	assert_int_equal(csysi_os_write(writer, mebibyte, MIB, CSYS_POLL, &rest), CSYS_ETIMEDOUT);
	csysi_os_close(reader);
	csysi_os_close(writer);
}

static void *write_all(void *argument)
{
	static size_t size;
	csys_handle writer = *(csys_handle *)argument;
	size = 0;
	int r = csysi_os_write_all(writer, mebibyte, MIB, CSYS_FOREVER, &size);
	csysi_os_close(writer);
	return r == 0 ? &size : NULL;
}

static void a_write_of_all_goes_on_until_it_is_written_and_tells_how_far_it_came(void **state)
{
	(void)state;
	csys_handle reader, writer;
	size_t size = 0;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	assert_int_equal(csysi_os_write_all(writer, mebibyte, MIB, CSYS_POLL, &size),
			 CSYS_ETIMEDOUT);
	assert_in_range(size, 1, MIB - 1);
	csysi_os_close(reader);
	assert_int_equal(csysi_os_write_all(writer, mebibyte, MIB, CSYS_FOREVER, &size),
			 CSYS_EPIPE);
	assert_int_equal(size, 0);
	csysi_os_close(writer);

	pthread_t thread;
	void *written;
	size_t total = 0;
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_all, &writer), 0);
	do {
		assert_int_equal(csysi_os_read(reader, mebibyte, MIB, CSYS_FOREVER, &size), 0);
		total += size;
	} while (size > 0);
	assert_int_equal(pthread_join(thread, &written), 0);
	assert_non_null(written);
	assert_int_equal(*(size_t *)written, MIB);
	assert_int_equal(total, MIB);
	csysi_os_close(reader);
}

static void slices_are_written_in_their_order_by_one_call(void **state)
{
	(void)state;
	int pair[2];
	char text[16] = "";
	size_t size;
	char letters[] = "abcdef";
	struct csysi_os_slice slices[] = {
		{ letters, 2 }, { NULL, 0 }, { letters + 2, 3 }, { letters + 5, 1 }
	};
	csys_deadline deadlines[] = { CSYS_FOREVER, CSYS_POLL };
	/* Each call of the system is a datagram of its own. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csysi_os_write_slices(pair[0], slices, 4, deadlines[i], &size), 0);
		assert_int_equal(size, 6);
		assert_int_equal(read(pair[1], text, sizeof text), 6);
		assert_memory_equal(text, "abcdef", 6);
	}
	close(pair[0]);
	close(pair[1]);
}

static void of_many_or_long_slices_the_first_bytes_are_written(void **state)
{
	(void)state;
	csys_handle reader, writer;
	size_t size = 0, more = 0;
	char digits[] = "0123456789";
	struct csysi_os_slice slices[2 * CSYSI_OS_SLICES];
	for (size_t i = 0; i < 2 * CSYSI_OS_SLICES; i++)
		slices[i] = (struct csysi_os_slice){ digits, 1 + i % 10 };
	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	assert_int_equal(
		csysi_os_write_slices(writer, slices, 2 * CSYSI_OS_SLICES, CSYS_POLL, &size), 0);
	assert_in_range(size, 16, CSYSI_OS_SLICES * 10);
	assert_int_equal(csysi_os_read(reader, mebibyte, MIB, CSYS_POLL, &more), 0);
	assert_int_equal(more, size);
	assert_memory_equal(mebibyte, "001012012301234", 15);

	/* A long one behind a short one, and with a deadline no more than there is room for. */
	slices[1] = (struct csysi_os_slice){ mebibyte, MIB };
	assert_int_equal(csysi_os_write_slices(writer, slices, 2, CSYS_POLL, &size), 0);
	assert_in_range(size, 1, MIB);
	fill_pipe(writer);
	assert_int_equal(csysi_os_write_slices(writer, slices, 2, CSYS_POLL, &more),
			 CSYS_ETIMEDOUT);
	csysi_os_close(reader);
	assert_int_equal(csysi_os_write_slices(writer, slices, 2, CSYS_POLL, &more), CSYS_EPIPE);
	assert_int_equal(csysi_os_write_slices(writer, slices, 2, CSYS_FOREVER, &more), CSYS_EPIPE);
	csysi_os_close(writer);
}

static void files_open_as_asked(void **state)
{
	(void)state;
	char name[] = "csys-test-XXXXXX";
	csys_handle file = CSYS_NO_HANDLE;
	size_t size;
	char text[16];
	close(mkstemp(name));

	assert_int_equal(csysi_os_open_file(name, CSYSI_OS_NEW, &file), CSYS_EEXIST);
	assert_int_equal(csysi_os_open_file("no/such/folder", CSYSI_OS_WRITE, &file), CSYS_ENOENT);
	assert_int_equal(csysi_os_open_file(".", CSYSI_OS_WRITE, &file), CSYS_EISDIR);
	assert_int_equal(file, CSYS_NO_HANDLE);

	const enum csysi_os_open ways[] = { CSYSI_OS_WRITE, CSYSI_OS_APPEND };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csysi_os_open_file(name, ways[i], &file), 0);
		assert_int_equal(csysi_os_write(file, "ab", 2, CSYS_FOREVER, &size), 0);
		csysi_os_close(file);
	}
	assert_int_equal(csysi_os_open_file(name, CSYSI_OS_READ, &file), 0);
	assert_int_equal(csysi_os_read(file, text, sizeof text, CSYS_FOREVER, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(text, "abab", 4);
	csysi_os_close(file);
	unlink(name);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(poll_above_the_limit),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(poll_tells_which_is_ready),
		TEST(what_cannot_be_waited_for_ends_the_poll_at_once),
#ifdef CSYS_TEST_WRAPS
		TEST(a_hint_that_is_wrong_does_not_make_a_loop),
#endif
#ifdef CSYS_TEST_WRAPS_READ
		TEST(a_connection_that_the_system_has_given_up_is_no_deadline),
#endif
		TEST(a_poll_does_not_end_before_its_deadline),
		TEST(a_poll_of_many_tells_the_one_that_is_ready),
		TEST(poll_tells_the_same_where_the_limit_is_below_what_is_open),
		TEST(sockets_and_files_are_streams_too),
		TEST(a_write_takes_what_there_is_room_for_and_waits_no_longer),
		TEST(a_write_of_all_goes_on_until_it_is_written_and_tells_how_far_it_came),
		TEST(slices_are_written_in_their_order_by_one_call),
		TEST(of_many_or_long_slices_the_first_bytes_are_written),
		TEST(files_open_as_asked),
	};
	return RUN(tests);
}
