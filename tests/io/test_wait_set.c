/*
 * io/test_wait_set.c - promises of csys/io/wait_set.h about entries and what is told of them.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csys/sync/thread.h>

#include "support/support.h"
#include "support/wait_set.h"

static void the_first_of_all_kinds_is_told(void **state)
{
	(void)state;
	const int numbers[] = { SIGUSR1 };
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_signals *signals;
	csys_sender *tx;
	csys_receiver *rx;
	csys_handle receives;
	csys_child *child = spawned(helper_command("stay", NULL));
	assert_int_equal(csys_signals_open(numbers, 1, NULL, &signals), 0);
	assert_int_equal(csys_channel_new(1, CSYS_UNBOUNDED, NULL, &tx, &rx), 0);
	assert_int_equal(csys_receiver_handle(rx, &receives), 0);
	add(set, csys_waitable_reading(pipe.reader), 1);
	add(set, csys_child_waitable(child), 2);
	add(set, csys_signals_waitable(signals), 3);
	add(set, csys_waitable_reading(receives), 4);
	assert_told(set, 0, 0, 0, 0);
	size_t count = 77;
	csys_wait_event event;
	int64_t begin = csys_now();
	assert_int_equal(csys_wait_set_wait_until(set, &event, 1, csys_after_ms(2), &count),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= begin + 2000000);
	assert_int_equal(count, 77);

	say(pipe);
	assert_told(set, 1, 0, 0, 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(csys_sender_try_send(tx, ""), 0);
	csys_wait_entry timer = add_timer(set, CSYS_POLL, 0, 5);
	csys_thread_sleep_until(csys_after_ms(1)); /* the kernel may see late that it is due */
	assert_told(set, 1, 3, 4, 5);
	assert_told(set, 1, 3, 4, 0); /* a timer once, the others as long as they are ready */
	hear(pipe);
	csys_signal_event signal_event;
	char byte;
	assert_int_equal(csys_signals_try_wait(signals, &signal_event), 0);
	assert_int_equal(csys_receiver_try_recv(rx, &byte), 0);
	assert_int_equal(csys_wait_set_remove(set, timer), 0);
	assert_int_equal(csys_child_kill(child), 0);
	event = next(set, csys_after_s(60));
	while (event.token.number != 2) /* the channel's, once too often */
		event = next(set, csys_after_s(60));
	assert_int_equal(event.result, 0);
	assert_int_equal(event.count, 1);
	csys_wait_set_close(set);
	csys_sender_close(tx);
	csys_receiver_close(rx);
	csys_signals_close(signals);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	close_ends(pipe);
}

static void tokens_and_entries_come_back(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_wait_entry entry;
	assert_int_equal(csys_wait_set_add(set, csys_waitable_writing(pipe.writer),
					   csys_token_pointer(&entry), &entry),
			 0);
	csys_wait_event event = next(set, CSYS_POLL);
	assert_ptr_equal(event.token.pointer, &entry);
	assert_true(event.entry.id == entry.id && entry.id != 0);
	assert_int_equal(csys_wait_set_change(set, entry, csys_waitable_writing(pipe.writer),
					      csys_token_number(UINT64_MAX)),
			 0);
	event = next(set, CSYS_POLL);
	assert_true(event.token.number == UINT64_MAX && event.entry.id == entry.id);
	csys_wait_set_close(set);
	close_ends(pipe);
}

static void several_entries_for_a_handle_are_all_told(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	add(set, csys_waitable_reading(ends[0]), 1);
	csys_wait_entry writing = add(set, csys_waitable_writing(ends[0]), 2);
	csys_wait_entry again = add(set, csys_waitable_reading(ends[0]), 3);
	assert_told(set, 2, 0, 0, 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_told(set, 1, 2, 3, 0);
	assert_int_equal(csys_wait_set_remove(set, again), 0);
	assert_told(set, 1, 2, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, writing), 0);
	assert_told(set, 1, 0, 0, 0);
	close(ends[1]);
	writing = add(set, csys_waitable_writing(ends[0]), 4);
	assert_told(set, 1, 4, 0, 0);
	csys_wait_set_close(set);
	close(ends[0]);
}

static void a_removed_entry_is_told_no_more(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_wait_entry entries[100];
	for (int i = 0; i < 100; i++)
		entries[i] = add(set, csys_waitable_writing(pipe.writer), 1 + (uint64_t)i);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(csys_wait_set_remove(set, entries[i]), 0);
		assert_int_equal(csys_wait_set_remove(set, entries[i]), CSYS_ENOENT);
		assert_int_equal(csys_wait_set_pause(set, entries[i]), CSYS_ENOENT);
		assert_int_equal(csys_wait_set_resume(set, entries[i]), CSYS_ENOENT);
		csys_wait_event events[200];
		size_t count = 0;
		int r = csys_wait_set_try_wait(set, events, 200, &count);
		assert_int_equal(r, i < 99 ? 0 : CSYS_EAGAIN);
		assert_int_equal(count, 99 - i);
		for (size_t n = 0; n < count; n++)
			assert_true(events[n].token.number > 1 + (uint64_t)i);
	}
	/* The place of a removed one is another's, and does not hear its name. */
	csys_wait_entry other = add(set, csys_waitable_writing(pipe.writer), 1);
	assert_int_equal(csys_wait_set_remove(set, entries[0]), CSYS_ENOENT);
	assert_int_equal(csys_wait_set_set_timer(set, entries[99], CSYS_POLL, 0), CSYS_ENOENT);
	assert_told(set, 1, 0, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, other), 0);
	assert_int_equal(csys_wait_set_remove(set, (csys_wait_entry){ 0 }), CSYS_ENOENT);
	csys_wait_set_close(set);
	close_ends(pipe);
}

static void an_entry_can_wait_for_something_else(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	int ends[2];
	struct ends pipe = opened_ends();
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	csys_wait_entry other = add(set, csys_waitable_reading(ends[0]), 1);
	csys_wait_entry entry = add(set, csys_waitable_reading(ends[0]), 2);
	assert_told(set, 0, 0, 0, 0);
	change(set, entry, csys_waitable_writing(ends[0]), 3);
	assert_told(set, 3, 0, 0, 0);
	change(set, other, csys_waitable_writing(ends[0]), 4);
	assert_told(set, 3, 4, 0, 0);
	change(set, entry, csys_waitable_reading(ends[0]), 5);
	assert_told(set, 4, 0, 0, 0);
	change(set, entry, csys_waitable_writing(pipe.writer), 6);
	assert_told(set, 4, 6, 0, 0);

	/* After a failure it is as it was, and so are others of the handle. */
	csys_waitable wrong = csys_waitable_reading(pipe.writer);
	assert_int_equal(csys_wait_set_change(set, entry, wrong, csys_token_number(7)), CSYS_EBADF);
	wrong = csys_waitable_writing(pipe.reader);
	assert_int_equal(csys_wait_set_change(set, entry, wrong, csys_token_number(7)), CSYS_EBADF);
	wrong = csys_child_waitable(NULL);
	assert_int_equal(csys_wait_set_change(set, entry, wrong, csys_token_number(7)), CSYS_EBADF);
	assert_told(set, 4, 6, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, other), 0);
	change(set, entry, csys_child_waitable(child), 8);
	assert_int_equal(next(set, csys_after_s(60)).token.number, 8);
	change(set, entry, csys_waitable_reading(pipe.reader), 9);
	assert_told(set, 0, 0, 0, 0);
	say(pipe);
	assert_told(set, 9, 0, 0, 0);
	csys_wait_set_close(set);
	close(ends[0]);
	close(ends[1]);
	close_ends(pipe);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void a_paused_entry_is_not_told(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_handle file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	say(pipe);
	csys_handle_close(pipe.writer); /* the system tells the end though nobody asks */
	csys_wait_entry entries[] = {
		add(set, csys_waitable_reading(pipe.reader), 1),
		add(set, csys_waitable_reading(file), 2),
		add(set, csys_child_waitable(child), 3),
		add_timer(set, CSYS_POLL, 0, 4),
	};
	csys_exit end;
	assert_int_equal(csys_child_wait(child, &end), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(csys_wait_set_pause(set, entries[i]), 0);
		assert_int_equal(csys_wait_set_pause(set, entries[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_told(set, 0, 0, 0, 0);
		assert_int_equal(csys_wait_set_resume(set, entries[i]), 0);
		assert_int_equal(csys_wait_set_resume(set, entries[i]), 0);
		assert_told(set, (uint64_t)i + 1, 0, 0, 0);
		assert_int_equal(csys_wait_set_pause(set, entries[i]), 0);
	}
	/* What is changed while it is paused stays so. */
	change(set, entries[0], csys_waitable_reading(file), 5);
	change(set, entries[1], csys_waitable_reading(pipe.reader), 6);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_wait_set_resume(set, entries[0]), 0);
	assert_int_equal(csys_wait_set_resume(set, entries[1]), 0);
	assert_told(set, 5, 6, 0, 0);
	assert_int_equal(csys_wait_set_pause(set, entries[0]), 0);
	assert_int_equal(csys_wait_set_remove(set, entries[0]), 0);
	assert_told(set, 6, 0, 0, 0);
	csys_wait_set_close(set);
	csys_handle_close(pipe.reader);
	csys_handle_close(file);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void files_are_always_ready(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_handle file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	csys_wait_entry entry = add(set, csys_waitable_reading(file), 1);
	add(set, csys_waitable_reading(file), 2);
	for (int i = 0; i < 3; i++)
		assert_told(set, 1, 2, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	assert_told(set, 2, 0, 0, 0);
	assert_int_equal(
		csys_wait_set_add(set, csys_waitable_writing(file), csys_token_number(3), NULL),
		CSYS_EBADF);
	csys_wait_set_close(set);
	csys_handle_close(file);
}

/* How many of 12 entries of several kinds are told by waits that have room for `room`. */
static void assert_turns(csys_wait_set *set, size_t room, int waits)
{
	int told[13] = { 0 };
	for (int i = 0; i < waits; i++) {
		csys_wait_event events[8];
		size_t count;
		assert_int_equal(csys_wait_set_try_wait(set, events, room, &count), 0);
		assert_int_equal(count, room);
		for (size_t n = 0; n < count; n++)
			for (size_t m = 0; m < n; m++)
				assert_true(events[n].entry.id != events[m].entry.id);
		for (size_t n = 0; n < count; n++)
			told[events[n].token.number]++;
	}
	for (int i = 1; i <= 12; i++)
		assert_true(told[i] >= 2);
}

static void what_is_ready_takes_turns(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipes[4];
	int ends[2];
	uint64_t number = 0;
	csys_handle file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	for (int i = 0; i < 4; i++) {
		pipes[i] = opened_ends();
		add(set, csys_waitable_writing(pipes[i].writer), ++number);
	}
	for (int i = 0; i < 2; i++) {
		add(set, csys_waitable_reading(ends[0]), ++number);
		add(set, csys_waitable_writing(ends[0]), ++number);
		add(set, csys_waitable_reading(file), ++number);
		add_timer(set, CSYS_POLL, 1, ++number); /* always due */
	}
	assert_int_equal(number, 12);
	for (size_t room = 1; room <= 8; room++)
		assert_turns(set, room, 60);
	csys_wait_set_close(set);
	for (int i = 0; i < 4; i++)
		close_ends(pipes[i]);
	close(ends[0]);
	close(ends[1]);
	csys_handle_close(file);
}

static void many_handles_cost_no_turn(void **state)
{
	(void)state;
	enum { MANY = 1000 };
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends(), other = opened_ends();
	static csys_handle copies[MANY];
	static csys_wait_entry entries[MANY];
	int many = 0;
	/* As many as the limit allows: copies are registrations of their own. */
	while (many < MANY && csys_handle_dup(pipe.reader, &copies[many]) == 0) {
		csys_waitable waitable = csys_waitable_reading(copies[many]);
		entries[many] = add(set, waitable, (uint64_t)many + 1);
		many++;
	}
	add(set, csys_waitable_reading(other.reader), 7777);
	assert_told(set, 0, 0, 0, 0);
	say(other);
	assert_told(set, 7777, 0, 0, 0);
	say(pipe);
	csys_wait_event events[300];
	size_t count;
	assert_int_equal(csys_wait_set_try_wait(set, events, 300, &count), 0);
	assert_int_equal(count, many + 1 < 256 ? many + 1 : 256);
	hear(pipe);
	for (int i = 0; i < many; i++) {
		assert_int_equal(csys_wait_set_remove(set, entries[i]), 0);
		csys_handle_close(copies[i]);
	}
	assert_told(set, 7777, 0, 0, 0);
	csys_wait_set_close(set);
	close_ends(pipe);
	close_ends(other);
}

static void no_memory_and_no_handle_change_nothing(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	csys_wait_set *set;
	assert_true(file >= 0);
	for (int call = 0; call < 4; call++) {
		int nth = 1;
		for (;; nth++) {
			csys_wait_entry entry = { 7 };
			int handles = open_handles();
			set = call == 0 ? NULL : opened_set();
			int own = open_handles() - handles;
			csysi_fault_arm(nth);
			int r = call == 0 ? csys_wait_set_open(&set)
				: call == 1
					? csys_wait_set_add(set, csys_waitable_writing(pipe.writer),
							    csys_token_number(1), &entry)
				: call == 2 ? csys_wait_set_add(set, csys_waitable_reading(file),
								csys_token_number(1), &entry)
					    : csys_wait_set_add_timer(set, CSYS_POLL, 0,
								      csys_token_number(1), &entry);
			int has_fired = csysi_fault_fired();
			csysi_fault_arm(0);
			if (r == 0)
				assert_true(call == 0 || entry.id != 7);
			else if (call > 0) {
				assert_true(entry.id == 7);
				assert_int_equal(open_handles(), handles + own);
				assert_told(set, 0, 0, 0, 0);
			}
			assert_true(r == 0 || has_fired);
			if (r == 0 && call > 0)
				assert_told(set, 1, 0, 0, 0);
			csys_wait_set_close(set);
			assert_int_equal(open_handles(), handles);
			if (!has_fired)
				break;
		}
		assert_true(nth > 3);
	}
	close_ends(pipe);
	csys_handle_close(file);
}

static void an_entry_that_cannot_be_resumed_stays_paused(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_wait_entry entry = add(set, csys_waitable_writing(pipe.writer), 1);
	assert_int_equal(csys_wait_set_pause(set, entry), 0);
	csysi_fault_exhaust(1, CSYS_ENOSPC);
	int r = csys_wait_set_resume(set, entry);
	assert_int_equal(r, csysi_fault_fired() ? CSYS_ENOSPC : 0);
	csysi_fault_arm(0);
	assert_told(set, r == 0, 0, 0, 0);
	assert_int_equal(csys_wait_set_resume(set, entry), 0);
	assert_told(set, 1, 0, 0, 0);
	csys_wait_set_close(set);
	close_ends(pipe);
}

static void entries_that_come_and_go_need_no_more_memory(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	for (int i = 0; i < 1000; i++) {
		csys_wait_entry timer = add_timer(set, CSYS_FOREVER, 0, 1);
		csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 2);
		if (i == 0)
			csysi_fault_exhaust(1, CSYS_ENOMEM);
		assert_int_equal(csys_wait_set_remove(set, timer), 0);
		assert_int_equal(csys_wait_set_remove(set, entry), 0);
	}
	csysi_fault_arm(0);
	csys_wait_set_close(set);
	close_ends(pipe);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	struct ends pipe = opened_ends();
	csys_waitable writing = csys_waitable_writing(pipe.writer);
	csys_token token = csys_token_number(1);
	csys_wait_entry entry = add(set, writing, 1), timer = add_timer(set, CSYS_FOREVER, 0, 2);
	csys_wait_event event;
	csys_handle handle;
	size_t count = 77;
	const csys_waitable wrong[] = {
		csys_waitable_reading(pipe.writer),    csys_waitable_writing(pipe.reader),
		csys_waitable_reading(4000),           csys_waitable_reading(-5),
		csys_waitable_reading(CSYS_NO_HANDLE), csys_child_waitable(NULL),
		csys_signals_waitable(NULL),           csys_wait_set_waitable(NULL)
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(csys_wait_set_add(set, wrong[i], token, NULL), CSYS_EBADF);
	assert_int_equal(csys_wait_set_add_timer(set, CSYS_POLL, -1, token, NULL), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_POLL, -1), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_set_timer(set, entry, CSYS_POLL, 0), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_change(set, timer, writing, token), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_try_wait(set, NULL, 1, &count), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_try_wait(set, &event, 0, &count), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_try_wait(set, &event, 1, NULL), CSYS_EINVAL);
	assert_int_equal(count, 77);
	assert_int_equal(csys_wait_set_open(NULL), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_add(NULL, writing, token, NULL), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_add_timer(NULL, CSYS_POLL, 0, token, NULL), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_change(NULL, entry, writing, token), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_remove(NULL, entry), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_wait(NULL, &event, 1, &count), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_handle(NULL, &handle), CSYS_EINVAL);
	assert_int_equal(csys_wait_set_handle(set, NULL), CSYS_EINVAL);
	csys_wait_set_wake(NULL);
	csys_wait_set_close(NULL);
	assert_told(set, 1, 0, 0, 0);
	csys_wait_set_close(set);
	close_ends(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_of_all_kinds_is_told),
		TEST(tokens_and_entries_come_back),
		TEST(several_entries_for_a_handle_are_all_told),
		TEST(a_removed_entry_is_told_no_more),
		TEST(an_entry_can_wait_for_something_else),
		TEST(a_paused_entry_is_not_told),
		TEST(files_are_always_ready),
		TEST(what_is_ready_takes_turns),
		TEST(many_handles_cost_no_turn),
		TEST(no_memory_and_no_handle_change_nothing),
		TEST(an_entry_that_cannot_be_resumed_stays_paused),
		TEST(entries_that_come_and_go_need_no_more_memory),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
