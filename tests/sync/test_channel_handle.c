/*
 * sync/test_channel_handle.c - promises of csys/sync/channel.h about handles for event loops.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/support.h"
#include "support/thread.h"

struct pair {
	csys_sender *tx;
	csys_receiver *rx;
};

static const size_t capacities[] = { CSYS_UNBOUNDED, 1, 3, 1024 };
enum { CAPACITIES = 4 };

static struct pair make(size_t capacity, int many_receivers)
{
	const csys_channel_options options = { .many_receivers = many_receivers };
	struct pair pair;
	assert_int_equal(csys_channel_new(sizeof(int), capacity, &options, &pair.tx, &pair.rx), 0);
	return pair;
}

static void unmake(struct pair pair)
{
	csys_sender_close(pair.tx);
	csys_receiver_close(pair.rx);
}

static int is_ready_until(csys_handle handle, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, deadline);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static int is_ready(csys_handle handle)
{
	return is_ready_until(handle, CSYS_POLL);
}

static void assert_sends(struct pair pair, int value)
{
	assert_int_equal(csys_sender_try_send(pair.tx, &value), 0);
}

static void assert_receives(struct pair pair, int value)
{
	int got = -1;
	assert_int_equal(csys_receiver_try_recv(pair.rx, &got), 0);
	assert_int_equal(got, value);
}

static csys_handle receivers(struct pair pair)
{
	csys_handle handle = CSYS_NO_HANDLE;
	assert_int_equal(csys_receiver_handle(pair.rx, &handle), 0);
	return handle;
}

static csys_handle senders(struct pair pair)
{
	csys_handle handle = CSYS_NO_HANDLE;
	assert_int_equal(csys_sender_handle(pair.tx, &handle), 0);
	return handle;
}

static void a_receiver_s_is_ready_exactly_while_there_is_a_message(void **state)
{
	(void)state;
	for (int c = 0; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = receivers(pair);
		int most = capacities[c] < 3 ? (int)capacities[c] : 3;
		assert_int_equal(is_ready(handle), 0);
		for (int round = 0; round < 600; round++) {
			for (int i = 0; i < most; i++) {
				assert_sends(pair, i);
				assert_int_equal(is_ready(handle), 1);
			}
			for (int i = 0; i < most; i++) {
				assert_int_equal(is_ready(handle), 1);
				assert_receives(pair, i);
			}
			assert_int_equal(is_ready(handle), 0);
		}
		unmake(pair);
	}
}

static void it_may_be_asked_for_at_any_time_and_is_the_same_one(void **state)
{
	(void)state;
	struct pair pair = make(4, 1);
	assert_sends(pair, 1);
	csys_handle handle = receivers(pair);
	assert_int_equal(is_ready(handle), 1);
	assert_true(receivers(pair) == handle);
	csys_receiver *other = csys_receiver_clone(pair.rx);
	csys_handle again;
	assert_int_equal(csys_receiver_handle(other, &again), 0);
	assert_true(again == handle);
	csys_receiver_close(other);
	assert_receives(pair, 1);
	assert_int_equal(is_ready(handle), 0);
	unmake(pair);
}

static void a_receiver_s_stays_ready_when_the_last_sender_is_closed(void **state)
{
	(void)state;
	for (int c = 0; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = receivers(pair);
		int got;
		assert_sends(pair, 1);
		csys_sender_close(pair.tx);
		assert_receives(pair, 1);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(is_ready(handle), 1);
			assert_int_equal(csys_receiver_try_recv(pair.rx, &got), CSYS_EDISCONNECTED);
		}
		csys_receiver_close(pair.rx);
		/* And one that was quiet. */
		pair = make(capacities[c], 0);
		handle = receivers(pair);
		assert_int_equal(is_ready(handle), 0);
		csys_sender_close(pair.tx);
		assert_int_equal(is_ready(handle), 1);
		csys_receiver_close(pair.rx);
	}
}

static void a_batch_uses_it_up_too(void **state)
{
	(void)state;
	for (int c = 0; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = receivers(pair);
		int values[700] = { 0 };
		size_t sent, got, most = capacities[c] < 700 ? capacities[c] : 700;
		assert_int_equal(csys_sender_send_batch(pair.tx, values, most, CSYS_POLL, &sent),
				 0);
		assert_int_equal(is_ready(handle), 1);
		for (size_t left = most; left > 0; left -= got) {
			assert_int_equal(is_ready(handle), 1);
			assert_int_equal(
				csys_receiver_recv_batch(pair.rx, values, 700, CSYS_POLL, &got), 0);
		}
		assert_int_equal(is_ready(handle), 0);
		assert_sends(pair, 3);
		assert_int_equal(is_ready(handle), 1);
		assert_int_equal(csys_receiver_drain(pair.rx, &got), 0);
		assert_int_equal(got, 1);
		assert_int_equal(is_ready(handle), 0);
		unmake(pair);
	}
}

static void a_sender_s_is_ready_exactly_while_there_is_room(void **state)
{
	(void)state;
	for (int c = 1; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = senders(pair);
		int most = (int)capacities[c], value = 0;
		assert_int_equal(is_ready(handle), 1);
		for (int round = 0; round < 3; round++) {
			for (int i = 0; i < most; i++) {
				assert_int_equal(is_ready(handle), 1);
				assert_sends(pair, i);
			}
			assert_int_equal(is_ready(handle), 0);
			assert_int_equal(csys_sender_try_send(pair.tx, &value), CSYS_EAGAIN);
			assert_int_equal(is_ready(handle), 0);
			for (int i = 0; i < most; i++) {
				assert_receives(pair, i);
				assert_int_equal(is_ready(handle), 1);
			}
		}
		unmake(pair);
	}
}

static void a_sender_s_is_always_ready_if_there_is_no_bound_or_no_receiver(void **state)
{
	(void)state;
	struct pair pair = make(CSYS_UNBOUNDED, 0);
	csys_handle handle = senders(pair);
	int value = 0;
	for (int i = 0; i < 1000; i++)
		assert_sends(pair, i);
	assert_int_equal(is_ready(handle), 1);
	unmake(pair);
	pair = make(1, 0);
	handle = senders(pair);
	assert_sends(pair, 1);
	assert_int_equal(is_ready(handle), 0);
	csys_receiver_close(pair.rx);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(is_ready(handle), 1);
		assert_int_equal(csys_sender_try_send(pair.tx, &value), CSYS_EDISCONNECTED);
	}
	csys_sender_close(pair.tx);
}

static void *send_one(void *argument)
{
	int value = 5;
	assert_int_equal(csys_sender_send(argument, &value), 0);
	return NULL;
}

static void *select_one(void *argument)
{
	int value = 5;
	const csys_select_case cases[] = { csys_select_send(argument, &value) };
	size_t which = 1;
	assert_int_equal(csys_select(cases, 1, &which), 0);
	assert_int_equal(which, 0);
	return NULL;
}

static void *receive_one(void *argument)
{
	int value = 0;
	assert_int_equal(csys_receiver_recv(argument, &value), 0);
	assert_int_equal(value, 6);
	return NULL;
}

static void at_a_rendezvous_it_is_ready_while_the_other_side_waits(void **state)
{
	(void)state;
	for (int is_select = 0; is_select < 2; is_select++) {
		struct pair pair = make(0, 0);
		csys_handle rx = receivers(pair), tx = senders(pair);
		pthread_t thread;
		int value = 0;
		assert_int_equal(is_ready(rx), 0);
		assert_int_equal(is_ready(tx), 0);
		assert_int_equal(
			pthread_create(&thread, NULL, is_select ? select_one : send_one, pair.tx),
			0);
		assert_int_equal(is_ready_until(rx, CSYS_FOREVER), 1);
		while (csys_receiver_try_recv(pair.rx, &value) == CSYS_EAGAIN)
			assert_int_equal(is_ready_until(rx, CSYS_FOREVER), 1);
		assert_int_equal(value, 5);
		pthread_join(thread, NULL);
		assert_int_equal(is_ready(rx), 0);
		assert_int_equal(pthread_create(&thread, NULL, receive_one, pair.rx), 0);
		value = 6;
		do
			assert_int_equal(is_ready_until(tx, CSYS_FOREVER), 1);
		while (csys_sender_try_send(pair.tx, &value) == CSYS_EAGAIN);
		pthread_join(thread, NULL);
		assert_int_equal(is_ready(tx), 0);
		csys_sender_close(pair.tx);
		assert_int_equal(is_ready(rx), 1);
		csys_receiver_close(pair.rx);
	}
}

/* The other side has waited and given up, so the handle is ready, and a try makes it quiet. */
static void assert_a_try_makes_it_quiet(int is_sender, int is_select)
{
	struct pair pair = make(0, 0);
	csys_handle handle = is_sender ? senders(pair) : receivers(pair);
	int value = 0, r;
	size_t which;
	const csys_select_case one =
		is_sender ? csys_select_send(pair.tx, &value) : csys_select_recv(pair.rx, &value);
	if (is_sender)
		r = csys_receiver_recv_until(pair.rx, csys_after_us(1), &value);
	else
		r = csys_sender_send_until(pair.tx, &value, csys_after_us(1));
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(is_ready(handle), 1);
	if (is_select)
		r = csys_try_select(&one, 1, &which);
	else
		r = is_sender ? csys_sender_try_send(pair.tx, &value)
			      : csys_receiver_try_recv(pair.rx, &value);
	assert_int_equal(r, CSYS_EAGAIN);
	assert_int_equal(is_ready(handle), 0);
	unmake(pair);
}

static void at_a_rendezvous_a_try_that_meets_no_thread_makes_it_quiet(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_a_try_makes_it_quiet(i & 1, i & 2);
}

enum { STREAM = 20000 };

static void *send_stream(void *argument)
{
	csys_sender *tx = argument;
	for (int i = 0; i < STREAM; i++)
		assert_int_equal(csys_sender_send(tx, &i), 0);
	csys_sender_close(tx);
	return NULL;
}

/* Receives until nothing is there, then waits for the handle. */
static void *receive_stream(void *argument)
{
	csys_receiver *rx = argument;
	csys_handle handle;
	int expected = 0, value, r;
	assert_int_equal(csys_receiver_handle(rx, &handle), 0);
	while ((r = csys_receiver_try_recv(rx, &value)) != CSYS_EDISCONNECTED) {
		if (r == 0)
			assert_int_equal(value, expected++);
		else
			assert_int_equal(is_ready_until(handle, csys_after_ms(20000)), 1);
	}
	assert_int_equal(expected, STREAM);
	return NULL;
}

static void an_event_loop_misses_no_message(void **state)
{
	(void)state;
	for (int c = 0; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		pthread_t sender;
		assert_int_equal(pthread_create(&sender, NULL, send_stream, pair.tx), 0);
		receive_stream(pair.rx);
		pthread_join(sender, NULL);
		csys_receiver_close(pair.rx);
	}
}

static void an_event_loop_misses_no_room(void **state)
{
	(void)state;
	for (int c = 1; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = senders(pair);
		pthread_t receiver;
		assert_int_equal(pthread_create(&receiver, NULL, receive_stream, pair.rx), 0);
		for (int i = 0; i < STREAM;) {
			int r = csys_sender_try_send(pair.tx, &i);
			if (r == 0)
				i++;
			else
				assert_int_equal(is_ready_until(handle, csys_after_ms(20000)), 1);
		}
		csys_sender_close(pair.tx);
		pthread_join(receiver, NULL);
		csys_receiver_close(pair.rx);
	}
}

/* Each sent when the one before is taken, while the handle is made quiet after that. */
enum { TURNS = 4000 };

static void *send_in_turn(void *argument)
{
	struct pair *pair = argument;
	for (int i = 0; i < TURNS; i++) {
		for (int tries = 0; csys_sender_len(pair->tx) > 0; tries++)
			if (tries > 1000)
				csys_thread_yield();
		for (int pause = i % 64; pause > 0; pause--)
			csys_spin_hint();
		CHECK(csys_sender_send(pair->tx, &i) == 0);
	}
	return NULL;
}

static void a_message_that_comes_while_it_is_made_quiet_makes_it_ready(void **state)
{
	(void)state;
	for (int c = 0; c < CAPACITIES; c++) {
		struct pair pair = make(capacities[c], 0);
		csys_handle handle = receivers(pair);
		pthread_t sender;
		int value, received = 0;
		assert_int_equal(pthread_create(&sender, NULL, send_in_turn, &pair), 0);
		while (received < TURNS) {
			assert_true(is_ready_until(handle, csys_after_ms(60000)));
			/* One for each time that it is ready: a second one finds what it misses. */
			if (csys_receiver_try_recv(pair.rx, &value) == 0)
				assert_int_equal(value, received++);
		}
		pthread_join(sender, NULL);
		unmake(pair);
	}
}

struct meeting {
	struct pair pair;
	uint32_t come; /* atomic */
};

static void *ask_for_handles(void *argument)
{
	struct meeting *meeting = argument;
	csys_handle rx, tx;
	csysi_add_acq_rel(&meeting->come, 1);
	for (int tries = 0; csysi_load_acquire(&meeting->come) < 2; tries++)
		if (tries > 1000)
			csys_thread_yield();
	CHECK(csys_receiver_handle(meeting->pair.rx, &rx) == 0);
	CHECK(csys_sender_handle(meeting->pair.tx, &tx) == 0);
	CHECK(rx == receivers(meeting->pair) && tx == senders(meeting->pair));
	return NULL;
}

/* Handles that are left open are found after the test. */
static void threads_that_ask_for_it_at_once_get_the_same_one(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct meeting meeting = { make(2, 0), 0 };
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, ask_for_handles, &meeting), 0);
		(void)ask_for_handles(&meeting);
		pthread_join(thread, NULL);
		unmake(meeting.pair);
	}
}

static void without_handles_or_memory_the_channel_is_as_it_was(void **state)
{
	(void)state;
	struct pair pair = make(1, 0);
	csys_handle handle = CSYS_NO_HANDLE;
	for (int n = 1, r = -1; r < 0; n++) {
		csysi_fault_arm(n);
		r = csys_receiver_handle(pair.rx, &handle);
		csysi_fault_arm(0);
		assert_true(r < 0 ? handle == CSYS_NO_HANDLE : n > 2);
	}
	assert_sends(pair, 1);
	assert_int_equal(is_ready(handle), 1);
	assert_receives(pair, 1);
	unmake(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_receiver_s_is_ready_exactly_while_there_is_a_message),
		TEST(it_may_be_asked_for_at_any_time_and_is_the_same_one),
		TEST(a_receiver_s_stays_ready_when_the_last_sender_is_closed),
		TEST(a_batch_uses_it_up_too),
		TEST(a_sender_s_is_ready_exactly_while_there_is_room),
		TEST(a_sender_s_is_always_ready_if_there_is_no_bound_or_no_receiver),
		TEST(at_a_rendezvous_it_is_ready_while_the_other_side_waits),
		TEST(at_a_rendezvous_a_try_that_meets_no_thread_makes_it_quiet),
		TEST(an_event_loop_misses_no_message),
		TEST(an_event_loop_misses_no_room),
		TEST(a_message_that_comes_while_it_is_made_quiet_makes_it_ready),
		TEST(threads_that_ask_for_it_at_once_get_the_same_one),
		TEST(without_handles_or_memory_the_channel_is_as_it_was),
	};
	return RUN(tests);
}
