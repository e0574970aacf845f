/*
 * io/test_wait_set_handle.c - promises of csys/io/wait_set.h about handles: those that were closed,
 * that of a set itself, none left, and a forked child.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"
#include "support/wait_set.h"

/* ---- handles side by side -------------------------------------------------------------- */

static void a_removal_changes_no_other_handle(void **state)
{
	(void)state;
	enum { COUNT = 4 };
	for (int removed = 0; removed < COUNT; removed++) {
		csys_wait_set *set = opened_set();
		csys_wait_entry entries[COUNT];
		int ends[COUNT][2];
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
			entries[i] = add(set, csys_waitable_reading(ends[i][0]), 1 + (uint64_t)i);
		}
		assert_int_equal(csys_wait_set_remove(set, entries[removed]), 0);
		for (int i = 0; i < COUNT; i++) {
			if (i == removed)
				continue;
			uint64_t number = 1 + (uint64_t)i;
			change(set, entries[i], csys_waitable_writing(ends[i][0]), number);
			assert_told(set, number, 0, 0, 0);
			change(set, entries[i], csys_waitable_reading(ends[i][0]), number);
			assert_told(set, 0, 0, 0, 0);
			assert_int_equal(write(ends[i][1], "x", 1), 1);
			assert_told(set, number, 0, 0, 0);
			assert_int_equal(csys_wait_set_remove(set, entries[i]), 0);
			assert_told(set, 0, 0, 0, 0);
		}
		csys_wait_set_close(set);
		for (int i = 0; i < COUNT; i++) {
			close(ends[i][0]);
			close(ends[i][1]);
		}
	}
}

/* ---- handles that were closed ------------------------------------------------------------ */

static void a_closed_handle_is_removed_though_its_file_is_open(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends(), other = opened_ends();
	csys_handle copy;
	csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 1);
	add(set, csys_waitable_reading(other.reader), 2);
	csys_waitable nested = csys_wait_set_waitable(set);
	csys_poll_item item = { .waitable = nested };
	assert_int_equal(csys_handle_dup(pipe.reader, &copy), 0);
	csys_handle_close(pipe.reader);
	say(pipe);
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	csys_wait_event event;
	size_t count;
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_wait_set_wait_until(set, &event, 1, csys_after_ms(1), &count),
				 CSYS_ETIMEDOUT);
	/* And the system tells it no more. */
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	say(other);
	assert_told(set, 2, 0, 0, 0);
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
	csys_wait_set_close(set);
	csys_handle_close(copy);
	csys_handle_close(pipe.writer);
	close_ends(other);
}

/* poll tells of it, epoll does not. */
static void a_closed_handle_is_never_told_as_ready(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends(), other = opened_ends();
	csys_wait_event events[2];
	size_t count = 0;
	csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 1);
	csys_handle_close(pipe.reader);
	for (int i = 0; i < 3; i++) {
		int r = csys_wait_set_try_wait(set, events, 2, &count);
		assert_int_equal(r, count > 0 ? 0 : CSYS_EAGAIN);
		assert_true(count <= 1);
		if (count > 0)
			assert_int_equal(events[0].result, CSYS_EBADF);
	}
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	add(set, csys_waitable_reading(other.reader), 2);
	say(other);
	assert_told(set, 2, 0, 0, 0);
	csys_wait_set_close(set);
	csys_handle_close(pipe.writer);
	close_ends(other);
}

static void a_number_that_is_another_files_is_found_out(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_handle copy;
	csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 1);
	csys_wait_entry paused = add(set, csys_waitable_reading(pipe.reader), 2);
	assert_int_equal(csys_wait_set_pause(set, paused), 0);
	assert_int_equal(csys_handle_dup(pipe.reader, &copy), 0);
	/* The number is that of the writing end now. */
	csys_handle_close(pipe.reader);
	assert_int_equal(dup2((int)pipe.writer, (int)pipe.reader), (int)pipe.reader);
	add(set, csys_waitable_writing(pipe.reader), 3);
	csys_wait_event events[4];
	size_t count;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_wait_set_try_wait(set, events, 4, &count), 0);
		assert_int_equal(count, 2);
		for (int n = 0; n < 2; n++) {
			int is_old = events[n].token.number == 1;
			assert_true(is_old || events[n].token.number == 3);
			assert_int_equal(events[n].result, is_old ? CSYS_EBADF : 0);
		}
	}
	int r = csys_wait_set_resume(set, paused);
	assert_true(r == 0 || r == CSYS_EBADF);
	assert_int_equal(csys_wait_set_remove(set, paused), 0);
	/* It may be of use again. */
	change(set, entry, csys_waitable_reading(copy), 4);
	assert_told(set, 3, 0, 0, 0);
	say(pipe);
	assert_told(set, 3, 4, 0, 0);
	csys_wait_set_close(set);
	csys_handle_close(copy);
	close_ends(pipe);
}

static void an_entry_that_is_changed_to_its_number_waits_for_what_that_is_now(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends(), other = opened_ends();
	csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 1);
	assert_int_equal(dup2((int)other.reader, (int)pipe.reader), (int)pipe.reader);
	change(set, entry, csys_waitable_reading(pipe.reader), 2);
	assert_told(set, 0, 0, 0, 0);
	say(other);
	assert_told(set, 2, 0, 0, 0);
	/* A number of nothing is refused, and told. */
	csys_handle_close(pipe.reader);
	assert_int_equal(csys_wait_set_change(set, entry, csys_waitable_reading(pipe.reader),
					      csys_token_number(3)),
			 CSYS_EBADF);
	csys_wait_event event = next(set, CSYS_FOREVER);
	assert_int_equal(event.token.number, 2);
	assert_int_equal(event.result, CSYS_EBADF);
	csys_wait_set_close(set);
	csys_handle_close(pipe.writer);
	close_ends(other);
}

/* Let the system have a registration that cannot be ended: its file is open, and not its handle. */
static void left_over(csys_wait_set *set, struct ends *pipe)
{
	csys_handle copy;
	csys_wait_entry entry = add(set, csys_waitable_reading(pipe->reader), 77);
	assert_int_equal(csys_handle_dup(pipe->reader, &copy), 0);
	csys_handle_close(pipe->reader);
	pipe->reader = copy;
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
}

static void a_number_that_is_the_same_file_again_can_be_added_again(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_handle number = pipe.reader;
	left_over(set, &pipe); /* what the system still has, by this number */
	assert_int_equal(dup2((int)pipe.reader, (int)number), (int)number);
	csys_wait_entry entry = add(set, csys_waitable_reading(number), 1);
	assert_told(set, 0, 0, 0, 0);
	say(pipe);
	assert_told(set, 1, 0, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	assert_told(set, 0, 0, 0, 0);
	csys_wait_set_close(set);
	csys_handle_close(number);
	close_ends(pipe);
}

static void what_the_system_does_not_take_again_is_told(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_WAIT_SET_HANDLE))
		skip_because("nothing is left over where a set is a table");
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends(), other = opened_ends();
	csys_wait_entry entry = add(set, csys_waitable_reading(other.reader), 1);
	add_timer(set, CSYS_FOREVER, 0, 2);
	left_over(set, &pipe);
	say(pipe);
	csysi_fault_exhaust(1, CSYS_ENOSPC);
	csys_wait_event event = next(set, CSYS_FOREVER);
	assert_true(csysi_fault_fired());
	csysi_fault_arm(0);
	assert_int_equal(event.token.number, 1);
	assert_int_equal(event.result, CSYS_EBADF);
	/* It may be of use again. */
	change(set, entry, csys_waitable_reading(other.reader), 3);
	assert_told(set, 0, 0, 0, 0);
	say(other);
	assert_told(set, 3, 0, 0, 0);
	csys_wait_set_close(set);
	close_ends(pipe);
	close_ends(other);
}

static void a_forked_child_does_not_keep_the_handle_of_a_set_ready(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_poll_item item = { .waitable = csys_wait_set_waitable(set) };
	struct ends until = opened_ends();
	char byte;
	fflush(NULL);
	for (int i = 0; i < 2; i++) { /* the second time it is another one that is replaced */
		struct ends pipe = opened_ends();
		left_over(set, &pipe);
		say(pipe);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) { /* it has all of the parent's until the parent says so */
			csys_handle_close(until.writer);
			_exit(read((int)until.reader, &byte, 1) == 1 ? 0 : 1);
		}
		assert_told(set, 0, 0, 0, 0);
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
		csys_wait_set_wake(set);
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
		assert_int_equal(next(set, CSYS_FOREVER).token.number, 0);
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
		say(until);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		close_ends(pipe);
	}
	csys_wait_set_close(set);
	close_ends(until);
}

/* ---- sets in sets ------------------------------------------------------------------------ */

static void what_no_entry_wants_does_not_make_a_set_ready(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	csys_waitable reading = csys_waitable_reading(ends[0]);
	csys_waitable writing = csys_waitable_writing(ends[0]);
	csys_poll_item item = { .waitable = csys_wait_set_waitable(set) };
	add(set, reading, 1);
	csys_wait_entry entry = add(set, writing, 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_poll(&item, 1, CSYS_FOREVER), 1);
		assert_told(set, 2, 0, 0, 0);
		if (i == 0)
			assert_int_equal(csys_wait_set_pause(set, entry), 0);
		else if (i == 1)
			change(set, entry, reading, 3);
		else
			assert_int_equal(csys_wait_set_remove(set, entry), 0);
		/* A wait would come back for it again and again. */
		assert_told(set, 0, 0, 0, 0);
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
		if (i == 0)
			assert_int_equal(csys_wait_set_resume(set, entry), 0);
		else if (i == 1)
			change(set, entry, writing, 2);
	}
	csys_wait_set_close(set);
	close(ends[0]);
	close(ends[1]);
}

static void a_set_is_waited_for_in_another(void **state)
{
	(void)state;
	csys_wait_set *inner = opened_set(), *middle = opened_set(), *outer = opened_set();
	struct ends pipe = opened_ends();
	add(inner, csys_waitable_reading(pipe.reader), 1);
	add(middle, csys_wait_set_waitable(inner), 2);
	add(outer, csys_wait_set_waitable(middle), 3);
	csys_poll_item item = { .waitable = csys_wait_set_waitable(outer) };
	assert_told(inner, 0, 0, 0, 0);
	(void)next(middle, CSYS_POLL);
	(void)next(outer, CSYS_POLL);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			say(pipe);
		else if (i == 1)
			add_timer(inner, csys_after_ms(1), 0, 1);
		else
			csys_wait_set_wake(inner);
		assert_int_equal(csys_poll(&item, 1, CSYS_FOREVER), 1);
		assert_int_equal(next(outer, CSYS_FOREVER).token.number, 3);
		while (next(middle, CSYS_FOREVER).token.number != 2)
			continue;
		csys_wait_event event;
		size_t count;
		while (csys_wait_set_try_wait(inner, &event, 1, &count) == CSYS_EAGAIN)
			(void)next(middle, CSYS_FOREVER);
		assert_int_equal(count, i < 2);
		if (i == 0)
			hear(pipe);
		assert_told(inner, 0, 0, 0, 0);
	}
	csys_handle handle, again;
	int r = csys_wait_set_handle(middle, &handle);
	assert_int_equal(r, csys_can(CSYS_CAN_WAIT_SET_HANDLE) ? 0 : CSYS_ENOTSUP);
	if (r == 0) {
		assert_int_equal(csys_wait_set_handle(middle, &again), 0);
		assert_true(handle == again);
		csys_waitable itself = csys_wait_set_waitable(middle);
		r = csys_wait_set_add(inner, itself, csys_token_number(4), NULL);
		assert_int_equal(r, CSYS_EINVAL);
	}
	r = csys_wait_set_add(outer, csys_wait_set_waitable(outer), csys_token_number(4), NULL);
	assert_int_equal(r, CSYS_EINVAL);
	csys_wait_set_close(outer);
	csys_wait_set_close(middle);
	csys_wait_set_close(inner);
	close_ends(pipe);
}

/* ---- limits and forks ---------------------------------------------------------------------- */

static void wait_below_the_limit(void)
{
	csys_wait_set *set;
	csys_handle handle;
	csys_wait_event event;
	size_t count;
	struct ends pipe;
	csys_handle file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(csys_pipe_create(&pipe.reader, &pipe.writer) == 0);
	CHECK(csys_wait_set_open(&set) == 0);
	allow_handles(3);
	csys_token token = csys_token_number(1);
	csys_wait_set *other = NULL;
	CHECK(csys_wait_set_open(&other) == CSYS_EMFILE && !other);
	CHECK(csys_wait_set_add(set, csys_waitable_writing(pipe.writer), token, NULL) == 0);
	CHECK(csys_wait_set_wait(set, &event, 1, &count) == 0 && count == 1);
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE)) {
		CHECK(csys_wait_set_handle(set, &handle) == CSYS_EMFILE);
		CHECK(csys_wait_set_add_timer(set, CSYS_POLL, 0, token, NULL) == CSYS_EMFILE);
		CHECK(csys_wait_set_add(set, csys_waitable_reading(file), token, NULL) ==
		      CSYS_EMFILE);
	}
	/* Without a handle a set is looked at. */
	csys_poll_item item = { .waitable = csys_wait_set_waitable(set) };
	CHECK(csys_poll(&item, 1, CSYS_FOREVER) == 1);
	CHECK(csys_wait_set_wait(set, &event, 1, &count) == 0 && count == 1);
	csys_wait_set_close(set);
	csys_handle_close(file);
	close_ends(pipe);
}

static void a_set_works_when_no_handle_is_left(void **state)
{
	(void)state;
	in_process(wait_below_the_limit);
}

static csys_wait_set *of_the_parent;
static csys_wait_entry entry_of_the_parent;
static csys_waitable waitable_of_the_parent;

static void use_the_set_of_the_parent(void)
{
	csys_wait_event event;
	csys_handle handle;
	size_t count;
	csys_wait_set *set = of_the_parent;
	csys_wait_entry entry = entry_of_the_parent;
	csys_token token = csys_token_number(1);
	CHECK(csys_wait_set_try_wait(set, &event, 1, &count) == CSYS_EBADF);
	CHECK(csys_wait_set_wait(set, &event, 1, &count) == CSYS_EBADF);
	CHECK(csys_wait_set_remove(set, entry) == CSYS_EBADF);
	CHECK(csys_wait_set_pause(set, entry) == CSYS_EBADF);
	CHECK(csys_wait_set_resume(set, entry) == CSYS_EBADF);
	CHECK(csys_wait_set_add(set, waitable_of_the_parent, token, NULL) == CSYS_EBADF);
	CHECK(csys_wait_set_add_timer(set, CSYS_POLL, 0, token, NULL) == CSYS_EBADF);
	CHECK(csys_wait_set_change(set, entry, waitable_of_the_parent, token) == CSYS_EBADF);
	CHECK(csys_wait_set_set_timer(set, entry, CSYS_POLL, 0) == CSYS_EBADF);
	CHECK(csys_wait_set_handle(set, &handle) == CSYS_EBADF);
	csys_wait_set_wake(set);
	csys_poll_item item = { .waitable = csys_wait_set_waitable(set) };
	CHECK(csys_poll(&item, 1, CSYS_POLL) == CSYS_EBADF);
	csys_wait_set_close(set);
	CHECK(csys_wait_set_open(&set) == 0);
	CHECK(csys_wait_set_add(set, waitable_of_the_parent, token, NULL) == 0);
	CHECK(csys_wait_set_wait(set, &event, 1, &count) == 0 && count == 1);
	csys_wait_set_close(set);
}

static void a_forked_child_has_no_set_and_does_nothing_to_the_parents(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	of_the_parent = opened_set();
	waitable_of_the_parent = csys_waitable_writing(pipe.writer);
	entry_of_the_parent = add(of_the_parent, waitable_of_the_parent, 1);
	add_timer(of_the_parent, CSYS_FOREVER, 0, 2);
	in_child(use_the_set_of_the_parent);
	assert_told(of_the_parent, 1, 0, 0, 0);
	assert_int_equal(csys_wait_set_remove(of_the_parent, entry_of_the_parent), 0);
	assert_told(of_the_parent, 0, 0, 0, 0);
	csys_wait_set_close(of_the_parent);
	close_ends(pipe);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(wait_below_the_limit),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_removal_changes_no_other_handle),
		TEST(a_closed_handle_is_removed_though_its_file_is_open),
		TEST(a_closed_handle_is_never_told_as_ready),
		TEST(a_number_that_is_another_files_is_found_out),
		TEST(an_entry_that_is_changed_to_its_number_waits_for_what_that_is_now),
		TEST(a_number_that_is_the_same_file_again_can_be_added_again),
		TEST(what_the_system_does_not_take_again_is_told),
		TEST(a_forked_child_does_not_keep_the_handle_of_a_set_ready),
		TEST(what_no_entry_wants_does_not_make_a_set_ready),
		TEST(a_set_is_waited_for_in_another),
		TEST(a_set_works_when_no_handle_is_left),
		TEST(a_forked_child_has_no_set_and_does_nothing_to_the_parents),
	};
	return RUN(tests);
}
