/*
 * sync/test_oneshot.c - promises of csys/sync/oneshot.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/select.h"
#include "support/thread.h"
#include "sync/channel.h"

struct once {
	csys_oneshot_sender *tx;
	csys_receiver *rx;
	uint32_t drops; /* atomic */
	size_t size;
};

static void note_drop(void *value, void *argument)
{
	struct once *once = argument;
	CHECK(is_message(value, once->size, 5));
	csysi_add_relaxed(&once->drops, 1);
}

static void open_once(struct once *once, size_t size)
{
	const csys_channel_options options = { .drop = note_drop, .drop_argument = once };
	memset(once, 0, sizeof *once);
	once->size = size;
	assert_int_equal(csys_oneshot_new(size, &options, &once->tx, &once->rx), 0);
}

static int send_five(struct once *once)
{
	unsigned char value[MOST_SIZE];
	fill(value, once->size, 5);
	int r = csys_oneshot_sender_send_take(once->tx, value);
	CHECK(is_message(value, once->size, 5));
	return r;
}

static const size_t sizes[] = { 0, 1, 8, 24, 600, MOST_SIZE };
enum { SIZES = 6 };

/* ---- one message ------------------------------------------------------------------------- */

static void the_message_is_received_once_and_then_no_sender_is_left(void **state)
{
	(void)state;
	for (int s = 0; s < SIZES; s++) {
		struct once once;
		unsigned char value[MOST_SIZE];
		open_once(&once, sizes[s]);
		assert_int_equal(csys_receiver_try_recv(once.rx, value), CSYS_EAGAIN);
		assert_int_equal(csys_receiver_recv_until(once.rx, CSYS_POLL, value),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_oneshot_sender_is_disconnected(once.tx), 0);
		assert_int_equal(send_five(&once), 0);
		assert_int_equal(csys_receiver_is_disconnected(once.rx), 1);
		assert_int_equal(csys_receiver_recv(once.rx, value), 0);
		assert_true(is_message(value, sizes[s], 5));
		assert_int_equal(csys_receiver_recv(once.rx, value), CSYS_EDISCONNECTED);
		csys_receiver_close(once.rx);
		assert_int_equal(once.drops, 0);
	}
}

static void a_message_that_is_not_received_is_destroyed_with_the_receiver(void **state)
{
	(void)state;
	for (int s = 0; s < SIZES; s++) {
		struct once once;
		open_once(&once, sizes[s]);
		assert_int_equal(send_five(&once), 0);
		assert_int_equal(once.drops, 0);
		csys_receiver_close(once.rx);
		assert_int_equal(once.drops, 1);
	}
}

static void a_send_without_a_receiver_leaves_message_and_sender_with_the_caller(void **state)
{
	(void)state;
	struct once once;
	open_once(&once, 24);
	csys_receiver_close(once.rx);
	assert_int_equal(csys_oneshot_sender_is_disconnected(once.tx), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_five(&once), CSYS_EDISCONNECTED);
	csys_oneshot_sender_close(once.tx);
	assert_int_equal(once.drops, 0);
}

static void a_sender_may_be_closed_without_a_message(void **state)
{
	(void)state;
	struct once once;
	unsigned char value[24];
	open_once(&once, 24);
	csys_oneshot_sender_close(once.tx);
	assert_int_equal(csys_receiver_try_recv(once.rx, value), CSYS_EDISCONNECTED);
	assert_int_equal(csys_receiver_recv(once.rx, value), CSYS_EDISCONNECTED);
	csys_receiver_close(once.rx);
	csys_oneshot_sender_close(NULL);
}

static void it_is_one_block_of_memory_without_which_it_is_not_made(void **state)
{
	(void)state;
	struct once once;
	csys_oneshot_sender *tx = NULL;
	csys_receiver *rx = NULL;
	uint32_t before = blocks_made();
	open_once(&once, 600);
	assert_int_equal(blocks_made() - before, 1);
	csys_oneshot_sender_close(once.tx);
	csys_receiver_close(once.rx);
	csysi_fault_arm(1);
	assert_int_equal(csys_oneshot_new(8, NULL, &tx, &rx), CSYS_ENOMEM);
	assert_true(csysi_fault_fired());
	assert_int_equal(csys_oneshot_new(SIZE_MAX, NULL, &tx, &rx), CSYS_ENOMEM);
	csys_channel_options options = { .alignment = 3 };
	assert_int_equal(csys_oneshot_new(8, &options, &tx, &rx), CSYS_EINVAL);
	assert_null(tx);
	assert_null(rx);
}

/* ---- waiting ----------------------------------------------------------------------------- */

static void *receive(void *argument)
{
	struct once *once = argument;
	unsigned char value[MOST_SIZE];
	int r = csys_receiver_recv(once->rx, value);
	CHECK(r == 0 ? is_message(value, once->size, 5) : r == CSYS_EDISCONNECTED);
	return r == 0 ? once : NULL;
}

static void a_waiting_receiver_goes_on_at_the_send_and_at_the_close(void **state)
{
	(void)state;
	for (int sends = 0; sends < 2; sends++) {
		struct once once;
		pthread_t thread;
		void *got;
		open_once(&once, 24);
		assert_int_equal(pthread_create(&thread, NULL, receive, &once), 0);
		take_a_nap();
		if (sends)
			assert_int_equal(send_five(&once), 0);
		else
			csys_oneshot_sender_close(once.tx);
		pthread_join(thread, &got);
		assert_int_equal(got != NULL, sends);
		csys_receiver_close(once.rx);
	}
}

static void *wait_disconnected(void *argument)
{
	struct once *once = argument;
	CHECK(csys_oneshot_sender_wait_disconnected(once->tx, CSYS_FOREVER) == 0);
	CHECK(csys_oneshot_sender_is_disconnected(once->tx));
	return NULL;
}

static void a_sender_can_wait_until_no_receiver_is_left(void **state)
{
	(void)state;
	struct once once;
	pthread_t thread;
	open_once(&once, 24);
	assert_int_equal(csys_oneshot_sender_wait_disconnected(once.tx, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_oneshot_sender_wait_disconnected(once.tx, csys_after_ns(1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, wait_disconnected, &once), 0);
	take_a_nap();
	csys_receiver_close(once.rx);
	pthread_join(thread, NULL);
	assert_int_equal(csys_oneshot_sender_wait_disconnected(once.tx, CSYS_POLL), 0);
	csys_oneshot_sender_close(once.tx);
}

static void *wait_until_closed(void *argument)
{
	struct once *once = argument;
	CHECK(csys_oneshot_sender_wait_disconnected(once->tx, CSYS_FOREVER) == 0);
	return NULL;
}

/* It has seen the receiver there, and is not listed yet when the close looks for it. */
static void a_close_before_the_waiting_sender_is_listed_is_seen_by_it(void **state)
{
	(void)state;
	struct once once;
	pthread_t thread;
	open_once(&once, 24);
	struct csysi_channel *c = csysi_channel_of_receiver(once.rx);
	const struct channel channel = { .tx = (csys_sender *)(void *)c, .rx = once.rx };
	close_gate(&channel);
	assert_int_equal(pthread_create(&thread, NULL, wait_until_closed, &once), 0);
	await_gate(&channel);
	/* The close, as far as it is over by then. */
	(void)csysi_fetch_or_seq_cst(&c->rx_flags, CSYSI_CHANNEL_CLOSED);
	open_gate(&channel);
	pthread_join(thread, NULL);
	csys_receiver_close(once.rx);
	csys_oneshot_sender_close(once.tx);
}

static int is_ready(csys_handle handle)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, CSYS_POLL);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static void selects_and_event_loops_can_wait_for_it(void **state)
{
	(void)state;
	struct once all[3];
	unsigned char value[24];
	csys_select_case cases[3];
	csys_handle handle;
	size_t which = 77;
	for (int i = 0; i < 3; i++) {
		open_once(&all[i], 24);
		cases[i] = csys_select_recv(all[i].rx, value);
	}
	assert_int_equal(csys_try_select(cases, 3, &which), CSYS_EAGAIN);
	assert_int_equal(csys_receiver_handle(all[1].rx, &handle), 0);
	assert_int_equal(is_ready(handle), 0);
	assert_int_equal(send_five(&all[1]), 0);
	assert_int_equal(is_ready(handle), 1);
	assert_int_equal(csys_select(cases, 3, &which), 0);
	assert_int_equal(which, 1);
	assert_true(is_message(value, 24, 5));
	for (int i = 0; i < 3; i++) {
		if (i != 1)
			csys_oneshot_sender_close(all[i].tx);
		csys_receiver_close(all[i].rx);
	}
}

/* ---- both at once ------------------------------------------------------------------------ */

static void *close_receiver(void *argument)
{
	struct once *once = argument;
	csys_receiver_close(once->rx);
	return NULL;
}

static void a_message_that_meets_the_close_is_destroyed_or_the_sender_s(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct once once;
		pthread_t thread;
		open_once(&once, 24);
		assert_int_equal(pthread_create(&thread, NULL, close_receiver, &once), 0);
		for (int i = 0; i < round % 50; i++)
			csys_spin_hint();
		int r = send_five(&once);
		if (r < 0)
			csys_oneshot_sender_close(once.tx);
		pthread_join(thread, NULL);
		assert_true(r == 0 || r == CSYS_EDISCONNECTED);
		assert_int_equal(once.drops, r == 0);
	}
}

/* ---- typed ------------------------------------------------------------------------------- */

typedef struct answer {
	double x;
	char text[33];
} answer;
CSYS_ONESHOT_DEFINE(answers, answer);

static void typed_ones_are_of_their_type_and_closed_with_their_block(void **state)
{
	(void)state;
	answer value = { 0.5, "half" }, got = { 0, "" };
	for (int i = 0; i < 3; i++) {
		CSYS_AUTO_VALUE(answers_sender) tx = { NULL };
		CSYS_AUTO_VALUE(answers_receiver) rx = { NULL };
		CSYS_AUTO(csys_oneshot_sender) sender = NULL;
		size_t which;
		assert_null(sender);
		assert_int_equal(answers_new(NULL, &tx, &rx), 0);
		csys_select_case one = answers_select_recv(rx, &got);
		assert_int_equal(answers_try_recv(rx, &got), CSYS_EAGAIN);
		assert_int_equal(answers_recv_until(rx, CSYS_POLL, &got), CSYS_ETIMEDOUT);
		if (i == 0)
			continue;
		assert_int_equal(answers_send_take(tx, &value), 0);
		tx.core = NULL;
		assert_int_equal(i == 1 ? answers_recv(rx, &got) : csys_select(&one, 1, &which), 0);
		assert_true(got.x == 0.5 && strcmp(got.text, "half") == 0);
		answers_sender_close(tx);
		answers_receiver_close(rx);
		rx.core = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(the_message_is_received_once_and_then_no_sender_is_left),
		TEST_ONE(a_message_that_is_not_received_is_destroyed_with_the_receiver),
		TEST_ONE(a_send_without_a_receiver_leaves_message_and_sender_with_the_caller),
		TEST_ONE(a_sender_may_be_closed_without_a_message),
		TEST_ONE(it_is_one_block_of_memory_without_which_it_is_not_made),
		TEST_ONE(a_waiting_receiver_goes_on_at_the_send_and_at_the_close),
		TEST_ONE(a_sender_can_wait_until_no_receiver_is_left),
		TEST_ONE(a_close_before_the_waiting_sender_is_listed_is_seen_by_it),
		TEST_ONE(selects_and_event_loops_can_wait_for_it),
		TEST_ONE(a_message_that_meets_the_close_is_destroyed_or_the_sender_s),
		TEST_ONE(typed_ones_are_of_their_type_and_closed_with_their_block),
	};
	count_memory();
	return RUN(tests);
}
