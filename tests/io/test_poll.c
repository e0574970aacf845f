/*
 * io/test_poll.c - promises of csys/io/poll.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

static csys_child *sleeping(void)
{
	return spawned(helper_command("stay", NULL));
}

static void the_first_of_several_kinds_is_told(void **state)
{
	(void)state;
	const int numbers[] = { SIGUSR1 };
	csys_signals *signals;
	csys_exit end;
	struct ends pipe = opened_ends();
	csys_child *child = sleeping();
	assert_int_equal(csys_signals_open(numbers, 1, NULL, &signals), 0);
	csys_poll_item items[3] = {
		{ .waitable = csys_waitable_reading(pipe.reader), .ready = 77 },
		{ .waitable = csys_child_waitable(child), .ready = 77 },
		{ .waitable = csys_signals_waitable(signals), .ready = 77 },
	};
	int64_t begin = csys_now();
	assert_int_equal(csys_poll(items, 3, csys_after_ms(2)), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= begin + 2000000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(items[i].ready, 0);

	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(csys_poll(items, 3, csys_after_s(60)), 1);
	assert_int_equal(items[2].ready, 1);

	assert_int_equal(csys_stream_write_all(pipe.writer, "x", 1, NULL), 0);
	assert_int_equal(csys_poll(items, 3, csys_after_s(60)), 2);
	assert_int_equal(items[0].ready, 1);
	assert_int_equal(items[1].ready, 0);
	assert_int_equal(items[2].ready, 1);

	/* Both are level: they are ready until somebody takes what is there. */
	csys_signal_event event;
	char byte;
	size_t size;
	assert_int_equal(csys_signals_try_wait(signals, &event), 0);
	assert_int_equal(csys_stream_read_until(pipe.reader, &byte, 1, CSYS_POLL, &size), 0);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_poll(items, 3, csys_after_s(60)), 1);
	assert_int_equal(items[1].ready, 1);

	/* It is not reaped by this, and ready after it was, too. */
	assert_int_equal(csys_child_try_wait(child, &end), 0);
	assert_int_equal(end.how, CSYS_EXIT_SIGNAL);
	assert_int_equal(csys_poll(items, 3, csys_after_s(60)), 1);
	assert_int_equal(items[1].ready, 1);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	csys_signals_close(signals);
	close_ends(pipe);
}

static void what_is_ready_is_told_though_the_deadline_has_passed(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	csys_poll_item item = { .waitable = csys_child_waitable(child) };
	assert_int_equal(csys_poll(&item, 1, CSYS_FOREVER), 1);
	item.ready = 0;
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
	assert_int_equal(item.ready, 1);
	assert_int_equal(csys_poll(&item, 1, csys_after_ms(-5)), 1);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void any_of_many_children_is_waited_for(void **state)
{
	(void)state;
	enum { MANY = 20 }; /* more than need no memory */
	csys_child *children[MANY];
	csys_poll_item items[MANY];
	for (int i = 0; i < MANY; i++) {
		children[i] = sleeping();
		items[i] = (csys_poll_item){ .waitable = csys_child_waitable(children[i]) };
	}
	for (int i = 0; i < MANY; i += 7) {
		assert_int_equal(csys_poll(items, MANY, CSYS_POLL), i ? i / 7 : CSYS_ETIMEDOUT);
		assert_int_equal(csys_child_kill(children[i]), 0);
		csys_deadline deadline = csys_after_s(60);
		int ready;
		do
			ready = csys_poll(items, MANY, deadline);
		while (ready <= i / 7 && ready > 0);
		assert_int_equal(ready, i / 7 + 1);
		for (int j = 0; j < MANY; j++)
			assert_int_equal(items[j].ready, j <= i && j % 7 == 0);
	}
	csysi_fault_arm(1);
	assert_int_equal(csys_poll(items, MANY, CSYS_POLL), CSYS_ENOMEM);
	csysi_fault_arm(0);
	for (int i = 0; i < MANY; i++)
		csys_child_close(children[i], CSYS_CLOSE_KILL);
}

static void a_process_of_somebody_else_is_waited_for(void **state)
{
	(void)state;
	csys_child *child = sleeping();
	csys_process *process;
	int r = csys_process_open(csys_child_pid(child), &process);
	if (r == CSYS_ENOTSUP) {
		csys_child_close(child, CSYS_CLOSE_KILL);
		skip_because("this system has no process table");
	}
	assert_int_equal(r, 0);
	csys_poll_item item = { .waitable = csys_process_waitable(process) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_poll(&item, 1, csys_after_s(60)), 1);
	csys_process_close(process);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void *write_later(void *writer)
{
	assert_int_equal(csys_stream_write_all(*(csys_handle *)writer, "x", 1, NULL), 0);
	return NULL;
}

static void it_wakes_when_another_thread_writes(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		struct ends pipe = opened_ends();
		csys_poll_item item = { .waitable = csys_waitable_reading(pipe.reader) };
		assert_int_equal(pthread_create(&thread, NULL, write_later, &pipe.writer), 0);
		assert_int_equal(csys_poll(&item, 1, CSYS_FOREVER), 1);
		pthread_join(thread, NULL);
		close_ends(pipe);
	}
}

/* More items than handles may be open, and one of them is not: poll cannot be asked. */
static void poll_above_the_limit(void)
{
	csys_poll_item items[20];
	struct ends pipe;
	CHECK(csys_pipe_create(&pipe.reader, &pipe.writer) == 0);
	for (int i = 0; i < 20; i++)
		items[i] = (csys_poll_item){ .waitable = csys_waitable_reading(pipe.reader) };
	allow_handles(10);
	CHECK(csys_poll(items, 20, CSYS_POLL) == CSYS_ETIMEDOUT);
	items[19].waitable = csys_waitable_reading(4000);
	CHECK(csys_poll(items, 20, CSYS_FOREVER) == CSYS_EBADF);
	items[19].waitable = csys_waitable_reading(0x7fffffff);
	CHECK(csys_poll(items, 20, CSYS_FOREVER) == CSYS_EBADF);
	items[19].waitable = csys_waitable_writing(pipe.writer);
	CHECK(csys_poll(items, 20, CSYS_FOREVER) == 1 && items[19].ready);
	close_ends(pipe);
}

static void a_limit_below_the_items_changes_nothing(void **state)
{
	(void)state;
	in_process(poll_above_the_limit);
}

static void any_number_of_items_is_waited_for(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	for (size_t count = 1; count <= 40; count++) {
		csys_poll_item *items = malloc(count * sizeof *items);
		assert_non_null(items);
		for (size_t i = 0; i < count; i++)
			items[i] =
				(csys_poll_item){ .waitable = csys_waitable_writing(pipe.writer) };
		assert_int_equal(csys_poll(items, count, CSYS_POLL), count);
		free(items);
	}
	close_ends(pipe);
}

static csys_signals *inherited;

static void poll_what_the_parent_has(void)
{
	csys_poll_item item = { .waitable = csys_signals_waitable(inherited) };
	CHECK(csys_poll(&item, 1, CSYS_POLL) == CSYS_EBADF);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	const int numbers[] = { SIGUSR1 };
	struct ends pipe = opened_ends();
	csys_poll_item items[2] = {
		{ .waitable = csys_waitable_writing(pipe.writer), .ready = 77 },
		{ .waitable = csys_child_waitable(NULL), .ready = 77 },
	};
	assert_int_equal(csys_poll(NULL, 1, CSYS_FOREVER), CSYS_EINVAL);
	assert_int_equal(csys_poll(items, 0, CSYS_FOREVER), CSYS_EINVAL);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	items[1].waitable = csys_process_waitable(NULL);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	items[1].waitable = csys_signals_waitable(NULL);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	items[1].waitable = csys_waitable_reading(4000);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
	items[1].waitable = csys_waitable_reading(-5);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
#if INTPTR_MAX > INT32_MAX
	items[1].waitable = csys_waitable_reading(((csys_handle)1 << 32) + pipe.reader);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), CSYS_EBADF);
#endif
	assert_int_equal(csys_poll(items, SIZE_MAX / 8, CSYS_FOREVER), CSYS_ENOMEM);
	assert_int_equal(items[0].ready, 77);
	assert_int_equal(items[1].ready, 77);
	close_ends(pipe);

	assert_int_equal(csys_signals_open(numbers, 1, NULL, &inherited), 0);
	in_child(poll_what_the_parent_has);
	csys_signals_close(inherited);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(poll_above_the_limit),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(the_first_of_several_kinds_is_told),
		TEST(what_is_ready_is_told_though_the_deadline_has_passed),
		TEST(any_of_many_children_is_waited_for),
		TEST(a_process_of_somebody_else_is_waited_for),
		TEST(it_wakes_when_another_thread_writes),
		TEST(a_limit_below_the_items_changes_nothing),
		TEST(any_number_of_items_is_waited_for),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
