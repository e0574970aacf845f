/*
 * os/test_pollset.c - exam: a kept set of handles.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"

enum { READ = CSYSI_OS_POLLSET_READ, WRITE = CSYSI_OS_POLLSET_WRITE };

static struct csysi_os_pollset opened(void)
{
	struct csysi_os_pollset set;
	assert_int_equal(csysi_os_pollset_open(&set), 0);
	return set;
}

/* The one event that a wait tells; key 0: none. */
static struct csysi_os_pollset_event next(struct csysi_os_pollset *set, csys_deadline deadline)
{
	struct csysi_os_pollset_event event = { 0, 0 };
	size_t count = 0;
	int r = csysi_os_pollset_wait(set, &event, 1, deadline, &count);
	assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	return r == 0 && count > 0 ? event : (struct csysi_os_pollset_event){ 0, 0 };
}

static uint64_t next_key(struct csysi_os_pollset *set)
{
	return next(set, CSYS_POLL).key;
}

static void say(struct ends pipe)
{
	assert_int_equal(csys_stream_write_all(pipe.writer, "x", 1, NULL), 0);
}

static void hear(struct ends pipe)
{
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read_until(pipe.reader, &byte, 1, CSYS_POLL, &size), 0);
}

static void a_registration_is_told_as_long_as_it_is_ready(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	struct ends pipe = opened_ends();
	assert_int_equal(csysi_os_pollset_add(&set, pipe.reader, READ, 5), 0);
	assert_int_equal(next_key(&set), 0);
	say(pipe);
	for (int i = 0; i < 3; i++) {
		struct csysi_os_pollset_event event = next(&set, CSYS_FOREVER);
		assert_int_equal(event.key, 5);
		assert_true(event.ready & READ);
	}
	hear(pipe);
	assert_int_equal(next_key(&set), 0);

	/* The end is for both directions. */
	csys_handle_close(pipe.writer);
	assert_int_equal(next(&set, CSYS_FOREVER).ready, READ | WRITE);
	assert_int_equal(csysi_os_pollset_remove(&set, pipe.reader, 5), 0);
	assert_int_equal(next_key(&set), 0);
	csys_handle_close(pipe.reader);
	csysi_os_pollset_close(&set);
}

static void interest_can_be_changed(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	struct ends pipe = opened_ends();
	assert_int_equal(csysi_os_pollset_add(&set, pipe.writer, WRITE, 7), 0);
	assert_int_equal(next_key(&set), 7);
	assert_int_equal(csysi_os_pollset_change(&set, pipe.writer, READ, 7), CSYS_EBADF);
	assert_int_equal(csysi_os_pollset_change(&set, pipe.writer, WRITE, 7), 0);
	assert_int_equal(next_key(&set), 7);
	assert_int_equal(csysi_os_pollset_add(&set, pipe.reader, WRITE, 8), CSYS_EBADF);
	assert_int_equal(csysi_os_pollset_add(&set, pipe.reader, READ | WRITE, 8), CSYS_EBADF);
	assert_int_equal(csysi_os_pollset_add(&set, 4000, READ, 8), CSYS_EBADF);
	assert_int_equal(csysi_os_pollset_add(&set, CSYS_NO_HANDLE, READ, 8), CSYS_EBADF);
	close_ends(pipe);
	csysi_os_pollset_close(&set);
}

static void a_file_is_told_or_said_to_be_ready_always(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	csys_handle file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (file < 0)
		file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	int r = csysi_os_pollset_add(&set, file, READ, 9);
	assert_true(r == 1 || r == 0);
	assert_int_equal(next_key(&set), r == 1 ? 0 : 9);
	csys_handle_close(file);
	csysi_os_pollset_close(&set);
}

static void the_alarm_is_told_from_its_point_on(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	int64_t at = csys_now() + 1000000;
	assert_int_equal(csysi_os_pollset_alarm(&set, at), 0);
	assert_true(next(&set, CSYS_FOREVER).key == CSYSI_OS_POLLSET_ALARM);
	assert_true(csys_now() >= at);
	assert_true(next_key(&set) == CSYSI_OS_POLLSET_ALARM);
	assert_int_equal(csysi_os_pollset_alarm(&set, INT64_MAX), 0);
	assert_int_equal(next_key(&set), 0);
	assert_int_equal(csysi_os_pollset_alarm(&set, 1), 0);
	/* Once the kernel looks at its timers, which an emulated machine does late. */
	assert_true(next(&set, CSYS_FOREVER).key == CSYSI_OS_POLLSET_ALARM);
	csysi_os_pollset_close(&set);
}

static void a_wake_is_told_once(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	csysi_os_pollset_wake(&set);
	csysi_os_pollset_wake(&set);
	assert_int_equal(csysi_os_pollset_is_ready(&set), 1);
	assert_true(next_key(&set) == CSYSI_OS_POLLSET_WAKE);
	assert_int_equal(next_key(&set), 0);
	assert_int_equal(csysi_os_pollset_is_ready(&set), 0);
	csysi_os_pollset_close(&set);
}

static void what_is_ready_takes_turns(void **state)
{
	(void)state;
	enum { MANY = 20 };
	struct csysi_os_pollset set = opened();
	struct ends pipes[MANY];
	int told[MANY] = { 0 };
	assert_int_equal(csysi_os_pollset_alarm(&set, 1), 0);
	for (int i = 0; i < MANY; i++) {
		pipes[i] = opened_ends();
		assert_int_equal(
			csysi_os_pollset_add(&set, pipes[i].writer, WRITE, 1u + (unsigned)i), 0);
	}
	int alarms = 0;
	for (int i = 0; i < 2 * (MANY + 1); i++) {
		uint64_t key = next_key(&set);
		if (key == CSYSI_OS_POLLSET_ALARM)
			alarms++;
		else
			told[key - 1]++;
	}
	assert_int_equal(alarms, 2);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(told[i], 2);
		close_ends(pipes[i]);
	}
	csysi_os_pollset_close(&set);
}

/* A registration whose handle was closed, while the pipe has another one. */
static csys_handle lose(struct csysi_os_pollset *set, struct ends *pipe, uint64_t key)
{
	csys_handle copy;
	assert_int_equal(csysi_os_pollset_add(set, pipe->reader, READ, key), 0);
	assert_int_equal(csys_handle_dup(pipe->reader, &copy), 0);
	csys_handle_close(pipe->reader);
	return copy;
}

static void what_was_closed_is_found_out_and_cleared(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	struct ends pipe = opened_ends(), other = opened_ends();
	csys_handle handle = CSYS_NO_HANDLE;
	int has_handle = csysi_os_pollset_handle(&set, &handle) == 0;
	csys_handle number = pipe.reader;
	pipe.reader = lose(&set, &pipe, 1);
	assert_int_equal(csysi_os_pollset_change(&set, number, READ, 1), CSYS_EBADF);
	int is_lost = csysi_os_pollset_remove(&set, number, 1);
	assert_true(is_lost == 0 || is_lost == 1);
	say(pipe);
	assert_int_equal(next_key(&set), is_lost); /* the key is 1 */

	assert_int_equal(csysi_os_pollset_alarm(&set, 1), 0);
	assert_int_equal(csysi_os_pollset_clear(&set), 0);
	assert_true(next_key(&set) == CSYSI_OS_POLLSET_ALARM);
	assert_int_equal(csysi_os_pollset_alarm(&set, INT64_MAX), 0);
	assert_int_equal(next_key(&set), 0);
	csysi_os_pollset_wake(&set);
	assert_true(next_key(&set) == CSYSI_OS_POLLSET_WAKE);

	/* The set's handle is still the set's. */
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	if (has_handle)
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_pollset_add(&set, other.writer, WRITE, 2), 0);
	assert_int_equal(next_key(&set), 2);
	if (has_handle)
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
	assert_int_equal(csysi_os_pollset_clear(&set), 0);
	close_ends(pipe);
	close_ends(other);
	csysi_os_pollset_close(&set);
}

#ifdef CSYS_TEST_WRAPS_POLL
/* How often this process has asked the system, while it is counted. */
static int is_counting, polls;

/* A set that is changed just before each question, so often at most. */
static struct csysi_os_pollset *restless;
static csys_handle changed;
static int changes;

int __real_poll(struct pollfd *polled, nfds_t count, int wait);
int __wrap_poll(struct pollfd *polled, nfds_t count, int wait);
int __wrap_poll(struct pollfd *polled, nfds_t count, int wait)
{
	polls += is_counting;
	if (restless && changes > 0) {
		unsigned interest = --changes % 2 ? READ | WRITE : READ;
		assert_int_equal(csysi_os_pollset_change(restless, changed, interest, 1), 0);
	}
	return __real_poll(polled, count, wait);
}

static void changes_keep_no_wait_beyond_its_deadline(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	while (send(ends[0], "x", 1, MSG_DONTWAIT) == 1)
		;
	changed = ends[0];
	assert_int_equal(csysi_os_pollset_add(&set, changed, READ, 1), 0);
	changes = 1000;
	restless = &set;
	assert_int_equal(next(&set, CSYS_POLL).key, 0);
	restless = NULL;
	assert_true(changes > 990);
	csysi_os_pollset_close(&set);
	close(ends[0]);
	close(ends[1]);
}

/* What has come before does not make it ask again and again. */
static void assert_waits_quietly(struct csysi_os_pollset *set)
{
	polls = 0;
	is_counting = 1;
	assert_int_equal(next(set, csys_after_ms(20)).key, 0);
	is_counting = 0;
	assert_in_range(polls, 0, 10);
}
#else
static void assert_waits_quietly(struct csysi_os_pollset *set)
{
	assert_int_equal(next(set, csys_after_ms(20)).key, 0);
}
#endif

#ifdef CSYS_TEST_WRAPS_EPOLL_WAIT
/* How many waits of the system end before their time, as one that is longer than an int says. */
static int early;

struct epoll_event;
int __real_epoll_wait(int epoll, struct epoll_event *events, int most, int wait);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int wait);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int wait)
{
	if (early == 0)
		return __real_epoll_wait(epoll, events, most, wait);
	early--;
	return 0;
}

static void a_part_of_a_wait_is_not_its_end(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	csys_deadline deadline = csys_after_ms(70);
	early = 3;
	assert_int_equal(next(&set, deadline).key, 0);
	assert_int_equal(early, 0);
	assert_int_equal(csys_deadline_left(deadline), 0);
	csysi_os_pollset_close(&set);
}
#endif

static void *wait_long(void *set)
{
	uint64_t key;
	do
		key = next(set, CSYS_FOREVER).key;
	while (key == 0);
	return (void *)(uintptr_t)key;
}

static void waits_that_are_under_way_go_on_with_what_is_added(void **state)
{
	(void)state;
	struct csysi_os_pollset set = opened();
	struct ends pipe = opened_ends();
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_long, &set), 0);
	take_a_nap();
	assert_int_equal(csysi_os_pollset_clear(&set), 0);
	take_a_nap();
	assert_int_equal(csysi_os_pollset_clear(&set), 0);
	assert_int_equal(csysi_os_pollset_add(&set, pipe.writer, WRITE, 3), 0);
	for (int i = 0; i < 3; i++) {
		void *key;
		pthread_join(threads[i], &key);
		assert_int_equal((uintptr_t)key, 3);
	}
	assert_int_equal(csysi_os_pollset_remove(&set, pipe.writer, 3), 0);
	assert_waits_quietly(&set);
	close_ends(pipe);
	csysi_os_pollset_close(&set);
}

static void after_a_failure_nothing_is_left(void **state)
{
	(void)state;
	struct csysi_os_pollset set;
	int before = open_handles();
	int nth = 1;
	for (;; nth++) {
		csysi_fault_arm(nth);
		int r = csysi_os_pollset_open(&set);
		int has_fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!has_fired)
			break;
		assert_true(r < 0);
		assert_int_equal(open_handles(), before);
	}
	assert_true(nth > 3);

	struct ends pipe = opened_ends();
	csys_handle handle;
	int r = csysi_os_pollset_handle(&set, &handle);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	assert_int_equal(csysi_os_pollset_alarm(&set, INT64_MAX), 0);
	assert_int_equal(csysi_os_pollset_add(&set, pipe.writer, WRITE, 3), 0);
	for (nth = 1;; nth++) {
		csysi_fault_arm(nth);
		r = csysi_os_pollset_clear(&set);
		int has_fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!has_fired)
			break;
		assert_true(r < 0);
		assert_int_equal(next_key(&set), 3);
	}
	assert_int_equal(r, 0);
	assert_int_equal(next_key(&set), 0);
	close_ends(pipe);
	csysi_os_pollset_close(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_registration_is_told_as_long_as_it_is_ready),
		TEST(interest_can_be_changed),
		TEST(a_file_is_told_or_said_to_be_ready_always),
		TEST(the_alarm_is_told_from_its_point_on),
		TEST(a_wake_is_told_once),
		TEST(what_is_ready_takes_turns),
		TEST(what_was_closed_is_found_out_and_cleared),
		TEST(waits_that_are_under_way_go_on_with_what_is_added),
#ifdef CSYS_TEST_WRAPS_POLL
		TEST(changes_keep_no_wait_beyond_its_deadline),
#endif
#ifdef CSYS_TEST_WRAPS_EPOLL_WAIT
		TEST(a_part_of_a_wait_is_not_its_end),
#endif
		TEST(after_a_failure_nothing_is_left),
	};
	return RUN(tests);
}
