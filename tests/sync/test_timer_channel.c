/*
 * sync/test_timer_channel.c - promises of csys/sync/timer_channel.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/channel.h"
#include "support/thread.h"

#define MS INT64_C(1000000)

static csys_receiver *after(int64_t ns)
{
	csys_receiver *rx = NULL;
	assert_int_equal(csys_channel_after(ns, &rx), 0);
	return rx;
}

static csys_receiver *at(csys_deadline deadline)
{
	csys_receiver *rx = NULL;
	assert_int_equal(csys_channel_at(deadline, &rx), 0);
	return rx;
}

static csys_receiver *tick(int64_t period)
{
	csys_receiver *rx = NULL;
	assert_int_equal(csys_channel_tick(period, &rx), 0);
	return rx;
}

static csys_receiver *never(void)
{
	csys_receiver *rx = NULL;
	assert_int_equal(csys_channel_never(&rx), 0);
	return rx;
}

static void pause_until(int64_t ns)
{
	csys_receiver *rx = at(csys_deadline_at(ns));
	int64_t due;
	assert_int_equal(csys_receiver_recv(rx, &due), 0);
	assert_true(due == ns);
	csys_receiver_close(rx);
}

/* No receive of any kind finds one. */
static void assert_nothing(csys_receiver *rx)
{
	int64_t due = 7;
	size_t count = 7, which = 7;
	const csys_select_case cases[] = { csys_select_recv(rx, &due) };
	assert_int_equal(csys_receiver_try_recv(rx, &due), CSYS_EAGAIN);
	assert_int_equal(csys_receiver_recv_until(rx, CSYS_POLL, &due), CSYS_ETIMEDOUT);
	assert_int_equal(csys_receiver_recv_until(rx, csys_after_us(50), &due), CSYS_ETIMEDOUT);
	assert_int_equal(csys_receiver_recv_batch(rx, &due, 1, CSYS_POLL, &count), CSYS_ETIMEDOUT);
	assert_int_equal(csys_try_select(cases, 1, &which), CSYS_EAGAIN);
	assert_int_equal(csys_select_until(cases, 1, csys_after_us(50), &which), CSYS_ETIMEDOUT);
	assert_int_equal(csys_select_biased_until(cases, 1, CSYS_POLL, &which), CSYS_ETIMEDOUT);
	assert_true(due == 7 && count == 7 && which == 7);
	assert_int_equal(drained(rx), 0);
	assert_int_equal(csys_receiver_len(rx), 0);
	assert_int_equal(csys_receiver_capacity(rx), 1);
	assert_int_equal(csys_receiver_is_disconnected(rx), 0);
}

/* By one of the calls, without a deadline. */
static int64_t received(csys_receiver *rx, int how)
{
	int64_t due = 0;
	size_t which = 7;
	const csys_select_case cases[] = { csys_select_recv(rx, &due) };
	switch (how % 4) {
	case 0:
		assert_int_equal(csys_receiver_recv(rx, &due), 0);
		break;
	case 1:
		assert_int_equal(csys_receiver_recv_until(rx, csys_after_s(100), &due), 0);
		break;
	case 2:
		assert_int_equal(csys_receiver_recv_batch(rx, &due, 1, CSYS_FOREVER, &which), 0);
		assert_int_equal(which, 1);
		break;
	default:
		assert_int_equal(csys_select(cases, 1, &which), 0);
		assert_int_equal(which, 0);
	}
	assert_true(csys_now() >= due);
	return due;
}

static void after_has_one_message_at_its_time_and_none_from_then_on(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		int64_t before = csys_now();
		csys_receiver *rx = after(2 * MS);
		int64_t behind = csys_now();
		int64_t due = received(rx, how);
		assert_true(due >= before + 2 * MS && due <= behind + 2 * MS);
		assert_nothing(rx);
		csys_receiver_close(rx);
	}
}

static void at_tells_the_deadline_that_it_was_made_for(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		csys_deadline deadline = csys_after_ms(1);
		csys_receiver *rx = at(deadline);
		assert_true(received(rx, how) == csys_deadline_ns(deadline));
		assert_nothing(rx);
		csys_receiver_close(rx);
	}
}

static void what_is_due_already_is_there_at_once(void **state)
{
	(void)state;
	const csys_deadline past[] = { csys_deadline_at(1), csys_deadline_at(csys_now()) };
	for (int i = 0; i < 2; i++) {
		csys_receiver *rx = at(past[i]);
		int64_t due;
		assert_int_equal(csys_receiver_len(rx), 1);
		assert_int_equal(csys_receiver_try_recv(rx, &due), 0);
		assert_true(due == csys_deadline_ns(past[i]));
		assert_nothing(rx);
		csys_receiver_close(rx);
	}
	for (int i = 0; i < 3; i++) {
		int64_t before = csys_now(), due;
		csys_receiver *rx = i == 0 ? at(CSYS_POLL) : after(i == 1 ? 0 : INT64_MIN);
		assert_int_equal(csys_receiver_try_recv(rx, &due), 0);
		assert_true(due >= before && due <= csys_now());
		assert_nothing(rx);
		csys_receiver_close(rx);
	}
}

static void what_is_too_far_to_count_is_never(void **state)
{
	(void)state;
	csys_receiver *far[] = { after(INT64_MAX), at(CSYS_FOREVER),
				 at(csys_deadline_at(INT64_MAX - 1)), tick(INT64_MAX), never() };
	for (int i = 0; i < 5; i++) {
		assert_nothing(far[i]);
		csys_receiver_close(far[i]);
	}
}

static void a_period_of_nothing_is_invalid(void **state)
{
	(void)state;
	const int64_t periods[] = { 0, -1, INT64_MIN };
	for (int i = 0; i < 3; i++) {
		csys_receiver *rx = NULL;
		assert_int_equal(csys_channel_tick(periods[i], &rx), CSYS_EINVAL);
		assert_null(rx);
	}
}

/* A message of this time was received between two looks at the clock; so is the next one. */
static void assert_next(int64_t period, int64_t due, int64_t before, int64_t behind, int64_t next)
{
	if (behind < due + period) /* it was received in time */
		assert_true(next == due + period);
	else if (before >= due + period)
		assert_true(next >= before + period && next <= behind + period);
}

static void ticks_are_a_period_apart_without_drift(void **state)
{
	(void)state;
	int64_t begin = csys_now();
	csys_receiver *rx = tick(MS);
	int64_t end = csys_now(), due = 0, before = 0, behind = 0;
	for (int i = 0; i < 8; i++) {
		int64_t start = csys_now(), next = received(rx, i);
		if (i == 0)
			assert_true(next >= begin + MS && next <= end + MS);
		else
			assert_next(MS, due, before, behind, next);
		due = next;
		before = start;
		behind = csys_now();
	}
	assert_int_equal(csys_receiver_is_disconnected(rx), 0);
	csys_receiver_close(rx);
}

static void ticks_that_nobody_receives_are_dropped(void **state)
{
	(void)state;
	csys_receiver *rx = tick(2 * MS);
	int64_t due, next, before, behind;
	pause_until(csys_now() + 7 * MS);
	assert_int_equal(csys_receiver_len(rx), 1);
	before = csys_now();
	assert_int_equal(csys_receiver_try_recv(rx, &due), 0);
	behind = csys_now();
	assert_true(before >= due + 5 * MS);
	if (csys_now() < before + 2 * MS)
		assert_int_equal(csys_receiver_len(rx), 0);
	next = received(rx, 0);
	assert_next(2 * MS, due, before, behind, next);
	csys_receiver_close(rx);
}

static void a_batch_and_a_drain_find_one_at_most(void **state)
{
	(void)state;
	csys_receiver *rx = tick(INT64_MAX / 4);
	csys_receiver_close(rx);
	rx = at(CSYS_POLL);
	int64_t due[4] = { 0 };
	size_t count = 0;
	assert_int_equal(csys_receiver_recv_batch(rx, due, 4, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 1);
	assert_true(due[0] > 0 && due[1] == 0);
	csys_receiver_close(rx);
	rx = at(CSYS_POLL);
	assert_int_equal(csys_receiver_recv_batch(rx, due, 0, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(drained(rx), 1);
	assert_nothing(rx);
	csys_receiver_close(rx);
}

/* ---- in a select ------------------------------------------------------------------------- */

static void a_select_goes_on_when_the_first_of_its_timers_is_due(void **state)
{
	(void)state;
	for (int round = 0; round < 6; round++) {
		csys_sender *tx;
		csys_receiver *rx;
		assert_int_equal(csys_channel_new(8, (size_t)round % 3, NULL, &tx, &rx), 0);
		csys_receiver *late = after(1000000 * MS), *soon = after(MS), *no = never();
		int64_t due = 0;
		size_t which = 7;
		const csys_select_case cases[] = {
			csys_select_recv(late, &due), csys_select_recv(rx, &due),
			csys_select_recv(no, &due),   csys_select_recv(soon, &due),
			csys_select_recv(soon, &due), { 0 },
		};
		if (round < 3)
			assert_int_equal(csys_select(cases, 6, &which), 0);
		else
			assert_int_equal(
				csys_select_biased_until(cases, 6, csys_after_s(1000), &which), 0);
		assert_true(which == 3 || (round < 3 && which == 4));
		assert_true(due > 0 && csys_now() >= due);
		/* It is over, and the rest goes on. */
		assert_int_equal(csys_select_until(cases, 6, csys_after_us(50), &which),
				 CSYS_ETIMEDOUT);
		csys_sender_close(tx);
		assert_int_equal(csys_select(cases, 6, &which), CSYS_EDISCONNECTED);
		assert_int_equal(which, 1);
		csys_receiver_close(rx);
		csys_receiver_close(late);
		csys_receiver_close(soon);
		csys_receiver_close(no);
	}
}

struct post {
	csys_sender *tx;
	int count;
};

static void *post(void *argument)
{
	struct post *all = argument;
	for (int i = 0; i < all->count; i++) {
		int64_t value = -1 - i;
		assert_int_equal(csys_sender_send(all->tx, &value), 0);
		if (i % 64 == 0)
			take_a_nap();
	}
	csys_sender_close(all->tx);
	return NULL;
}

static void a_select_loses_no_message_for_its_ticks(void **state)
{
	(void)state;
	const size_t capacities[] = { 0, 1, CSYS_UNBOUNDED };
	for (int c = 0; c < 3; c++) {
		struct post all = { NULL, 400 };
		csys_receiver *rx, *ticks = tick(MS / 20);
		int64_t value = 0, expected = -1;
		size_t which = 7;
		int r, ticked = 0;
		pthread_t thread;
		assert_int_equal(csys_channel_new(8, capacities[c], NULL, &all.tx, &rx), 0);
		const csys_select_case cases[] = { csys_select_recv(ticks, &value),
						   csys_select_recv(rx, &value) };
		assert_int_equal(pthread_create(&thread, NULL, post, &all), 0);
		while ((r = csys_select(cases, 2, &which)) == 0) {
			assert_true(which == 0 ? value > 0 : value == expected--);
			ticked += which == 0;
		}
		assert_int_equal(r, CSYS_EDISCONNECTED);
		assert_int_equal(which, 1);
		assert_int_equal(expected, -1 - all.count);
		assert_true(ticked > 0);
		pthread_join(thread, NULL);
		csys_receiver_close(rx);
		csys_receiver_close(ticks);
	}
}

/* ---- several threads --------------------------------------------------------------------- */

enum { SHARERS = 4, EACH = 12 };

struct sharer {
	csys_receiver *rx;
	int how;
	int64_t due[EACH];
	pthread_t thread;
};

static void *receive_each(void *argument)
{
	struct sharer *sharer = argument;
	for (int i = 0; i < EACH; i++)
		sharer->due[i] = received(sharer->rx, sharer->how);
	csys_receiver_close(sharer->rx);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void each_message_goes_to_one_of_several_threads(void **state)
{
	(void)state;
	struct sharer sharers[SHARERS];
	int64_t all[SHARERS * EACH];
	csys_receiver *rx = tick(MS / 10);
	for (int i = 0; i < SHARERS; i++) {
		sharers[i].rx = csys_receiver_clone(rx);
		sharers[i].how = i;
		assert_int_equal(
			pthread_create(&sharers[i].thread, NULL, receive_each, &sharers[i]), 0);
	}
	csys_receiver_close(rx);
	for (int i = 0; i < SHARERS; i++) {
		pthread_join(sharers[i].thread, NULL);
		for (int k = 0; k < EACH; k++) {
			all[i * EACH + k] = sharers[i].due[k];
			assert_true(k == 0 || sharers[i].due[k] > sharers[i].due[k - 1]);
		}
	}
	qsort(all, SHARERS * EACH, sizeof *all, compare);
	for (int i = 1; i < SHARERS * EACH; i++)
		assert_true(all[i] - all[i - 1] >= MS / 10);
}

enum { MANY = 1000, RIVALS = 2 };

static csys_receiver *timers[MANY];
static uint32_t at_the_start; /* atomic */

static void *receive_what_is_left(void *argument)
{
	uint32_t *count = argument;
	int64_t due;
	(void)csysi_add_acq_rel(&at_the_start, 1);
	for (int tries = 1; csysi_load_acquire(&at_the_start) < RIVALS; tries++)
		if (tries % 100 == 0)
			sched_yield();
	for (int i = 0; i < MANY; i++)
		if (csys_receiver_try_recv(timers[i], &due) == 0)
			(void)csysi_add_relaxed(count, 1);
	return NULL;
}

static void no_message_is_received_twice(void **state)
{
	(void)state;
	uint32_t count = 0;
	for (int i = 0; i < MANY; i++)
		timers[i] = at(CSYS_POLL);
	run_threads(RIVALS, receive_what_is_left, &count);
	assert_int_equal(count, MANY);
	for (int i = 0; i < MANY; i++)
		csys_receiver_close(timers[i]);
}

/* ---- handles ----------------------------------------------------------------------------- */

static int is_ready(csys_handle handle, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, deadline);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

/* The handle, or none where timers have none; then nothing has happened. */
static csys_handle handle_of(csys_receiver *rx)
{
	csys_handle handle = CSYS_NO_HANDLE;
	int r = csys_receiver_handle(rx, &handle);
	assert_int_equal(r, csys_can(CSYS_CAN_TIMER_HANDLE) ? 0 : CSYS_ENOTSUP);
	if (r < 0)
		assert_true(handle == CSYS_NO_HANDLE);
	return handle;
}

static void a_handle_is_ready_from_the_time_of_a_message_until_it_is_received(void **state)
{
	(void)state;
	csys_receiver *rx = after(2 * MS), *ticks = tick(MS), *other = csys_receiver_clone(ticks);
	csys_handle once = handle_of(rx), often = handle_of(ticks);
	int64_t due = 0;
	if (once != CSYS_NO_HANDLE) {
		assert_true(handle_of(other) == often);
		assert_true(is_ready(once, CSYS_FOREVER) && is_ready(once, CSYS_POLL));
		assert_int_equal(csys_receiver_try_recv(rx, &due), 0);
		assert_nothing(rx);
		assert_int_equal(is_ready(once, csys_after_ms(1)), 0);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(is_ready(often, CSYS_FOREVER), 1);
			assert_int_equal(csys_receiver_try_recv(i % 2 ? ticks : other, &due), 0);
			int is_so = is_ready(often, CSYS_POLL);
			assert_true(!is_so || csys_now() >= due + MS);
		}
	}
	csys_receiver_close(rx);
	csys_receiver_close(other);
	csys_receiver_close(ticks);
}

static void a_handle_of_what_is_due_is_ready_and_of_what_is_not_is_not(void **state)
{
	(void)state;
	csys_receiver *past = at(csys_deadline_at(1)), *none = never(), *far = after(INT64_MAX / 2);
	csys_handle handle = handle_of(past);
	if (handle != CSYS_NO_HANDLE) {
		assert_int_equal(is_ready(handle, CSYS_POLL), 1);
		assert_int_equal(drained(past), 1);
		assert_int_equal(is_ready(handle, CSYS_POLL), 0);
		assert_int_equal(is_ready(handle_of(none), CSYS_POLL), 0);
		assert_int_equal(is_ready(handle_of(far), CSYS_POLL), 0);
	}
	csys_receiver_close(past);
	csys_receiver_close(none);
	csys_receiver_close(far);
}

static void *watch_and_receive(void *argument)
{
	struct sharer *sharer = argument;
	csys_handle handle = handle_of(sharer->rx);
	for (int i = 0; i < EACH;) {
		int r = csys_receiver_try_recv(sharer->rx, &sharer->due[i]);
		assert_true(r == 0 || r == CSYS_EAGAIN);
		if (r == 0)
			i++;
		else
			assert_int_equal(is_ready(handle, csys_after_s(100)), 1);
	}
	csys_receiver_close(sharer->rx);
	return NULL;
}

static void event_loops_that_share_a_tick_miss_none(void **state)
{
	(void)state;
	struct sharer sharers[SHARERS];
	csys_receiver *rx = tick(MS / 10);
	int can = csys_can(CSYS_CAN_TIMER_HANDLE);
	for (int i = 0; i < SHARERS && can; i++) {
		sharers[i].rx = csys_receiver_clone(rx);
		assert_int_equal(
			pthread_create(&sharers[i].thread, NULL, watch_and_receive, &sharers[i]),
			0);
	}
	csys_receiver_close(rx);
	for (int i = 0; i < SHARERS && can; i++)
		pthread_join(sharers[i].thread, NULL);
}

/* ---- ends, and failures ------------------------------------------------------------------ */

static csys_receiver *of_parent;

static void close_it(void)
{
	csys_receiver_close(of_parent);
}

static void in_a_forked_child_closing_does_nothing(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("at the end of a forked child valgrind reports what is the parent's");
	of_parent = after(MS);
	in_child(close_it);
	assert_true(received(of_parent, 0) > 0);
	csys_receiver_close(of_parent);
}

static void without_memory_or_handles_nothing_is_left(void **state)
{
	(void)state;
	csys_receiver *rx = NULL;
	int r = -1;
	for (int n = 1; r < 0; n++) {
		csysi_fault_arm(n);
		r = csys_channel_tick(MS, &rx);
		csysi_fault_arm(0);
		assert_true(r == 0 ? n > 1 : r == CSYS_ENOMEM && !rx);
	}
	csys_handle handle = CSYS_NO_HANDLE;
	r = csys_can(CSYS_CAN_TIMER_HANDLE) ? -1 : 0;
	for (int n = 1; r < 0; n++) {
		csysi_fault_arm(n);
		r = csys_receiver_handle(rx, &handle);
		csysi_fault_arm(0);
		assert_true(r == 0 ? n > 2 : handle == CSYS_NO_HANDLE);
	}
	assert_true(received(rx, 0) > 0);
	csys_receiver_close(rx);
}

int main(void)
{
	count_memory();
	const struct CMUnitTest tests[] = {
		TEST_ONE(after_has_one_message_at_its_time_and_none_from_then_on),
		TEST_ONE(at_tells_the_deadline_that_it_was_made_for),
		TEST_ONE(what_is_due_already_is_there_at_once),
		TEST_ONE(what_is_too_far_to_count_is_never),
		TEST_ONE(a_period_of_nothing_is_invalid),
		TEST_ONE(ticks_are_a_period_apart_without_drift),
		TEST_ONE(ticks_that_nobody_receives_are_dropped),
		TEST_ONE(a_batch_and_a_drain_find_one_at_most),
		TEST_ONE(a_select_goes_on_when_the_first_of_its_timers_is_due),
		TEST_ONE(a_select_loses_no_message_for_its_ticks),
		TEST_ONE(each_message_goes_to_one_of_several_threads),
		TEST_ONE(no_message_is_received_twice),
		TEST_ONE(a_handle_is_ready_from_the_time_of_a_message_until_it_is_received),
		TEST_ONE(a_handle_of_what_is_due_is_ready_and_of_what_is_not_is_not),
		TEST_ONE(event_loops_that_share_a_tick_miss_none),
		TEST_ONE(in_a_forked_child_closing_does_nothing),
		TEST_ONE(without_memory_or_handles_nothing_is_left),
	};
	return RUN(tests);
}
