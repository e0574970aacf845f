/*
 * sync/test_select_claim.c - promises of csys/sync/select.h: a thread that is woken for a case does
 * that case, and one that has left is woken for none.
 *
 * Each test stops a select at one moment, by the lock of one of its channels (a gate), and lets
 * another thread do something then.  A select lists its cases in the order of their channels'
 * addresses, and takes them out in that order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/page.h"
#include "support/select.h"
#include "support/thread.h"
#include "sync/channel.h"

/* ---- claims ------------------------------------------------------------------------------ */

/* It was claimed by the first channel while it found a message in the second. */
static void one_claimed_while_it_withdraws_does_what_it_was_claimed_for(const struct shape *shape)
{
	const struct shape shapes[] = { *shape, { shape->size, 0, 1 } };
	struct channel channels[2];
	struct letter letters[2] = { blank(), blank() };
	struct selector selector = { .is_biased = 1 };
	open_in_order(channels, shapes, 2);
	const csys_select_case cases[] = { receives(&channels[1], &letters[1]),
					   receives(&channels[0], &letters[0]) };
	close_gate(&channels[1]);
	begin_select(&selector, cases, 2, CSYS_FOREVER);
	await_gate(&channels[1]);
	assert_int_equal(listed_receivers(&channels[0]), 1);
	assert_sends(&channels[0], 5);
	assert_sends(&channels[1], 6);
	open_gate(&channels[1]);
	end_select_by(&selector, 1);
	assert_true(has_number(&letters[0], shape->size, 5));
	assert_true(is_blank(&letters[1]));
	assert_receives(&channels[1], 6);
	assert_empty(&channels[0]);
	close_unwaited(channels, 2);
}

/* A thread that withdraws is not claimed: the message is for the next one. */
static void one_that_withdraws_is_passed_over(const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape, { shape->size, 0, 1 } };
	struct channel channels[3];
	struct letter letters[3] = { blank(), blank(), blank() };
	csys_select_case cases[3];
	struct selector selector = { 0 };
	struct call call;
	open_in_order(channels, shapes, 3);
	for (int i = 0; i < 3; i++)
		cases[i] = receives(&channels[i], &letters[i]);
	close_gate(&channels[2]);
	begin_select(&selector, cases, 3, CSYS_FOREVER);
	await_gate(&channels[2]);
	begin_recv(&call, &channels[1], CSYS_FOREVER);
	await_receivers(&channels[1], 1);
	close_gate(&channels[0]);
	assert_sends(&channels[2], 6);
	open_gate(&channels[2]);
	await_gate(&channels[0]);
	assert_int_equal(listed_receivers(&channels[1]), 2);
	assert_sends(&channels[1], 5);
	end_recv(&call, 5);
	open_gate(&channels[0]);
	end_select_by(&selector, 2);
	assert_true(has_number(&letters[2], shape->size, 6));
	assert_true(is_blank(&letters[1]));
	close_unwaited(channels, 3);
}

/* 1: it waits at the gate; 0: it had passed it before. */
static int comes_to_gate(const struct channel *channel, struct selector *selector)
{
	while (!is_at_gate(channel))
		if (has_returned(selector))
			return 0;
		else
			take_a_nap();
	return 1;
}

/* The same of one whose deadline has come. */
static void one_that_gave_up_is_passed_over(const struct shape *shape)
{
	for (int is_send = 0; is_send < 2; is_send++) {
		const struct shape shapes[] = { { shape->size, 0, 1 }, *shape };
		struct channel channels[2];
		struct letter unused = blank(),
			      letter = is_send ? letter_of(shape->size, 9) : blank();
		struct selector selector = { 0 };
		struct call call;
		uint64_t count = shape->capacity;
		if (is_send && is_unbounded(shape))
			continue;
		open_in_order(channels, shapes, 2);
		if (is_send)
			fill_up(&channels[1], 0);
		const csys_select_case cases[] = { receives(&channels[0], &unused),
						   is_send ? sends(&channels[1], &letter)
							   : receives(&channels[1], &letter) };
		begin_select(&selector, cases, 2, csys_after_ms(10));
		while (listed_senders(&channels[1]) + listed_receivers(&channels[1]) == 0 &&
		       !has_returned(&selector))
			take_a_nap();
		close_gate(&channels[0]);
		if (!comes_to_gate(&channels[0], &selector)) {
			open_gate(&channels[0]); /* too late: a slow machine */
			assert_int_equal(end_select(&selector), CSYS_ETIMEDOUT);
			close_unwaited(channels, 2);
			continue;
		}
		if (is_send)
			begin_send(&call, &channels[1], count, CSYS_FOREVER);
		else
			begin_recv(&call, &channels[1], CSYS_FOREVER);
		while (listed_senders(&channels[1]) + listed_receivers(&channels[1]) != 2)
			take_a_nap();
		if (is_send) {
			assert_receives(&channels[1], 0);
			assert_int_equal(end_call(&call), 0);
		} else {
			assert_sends(&channels[1], 5);
			end_recv(&call, 5);
		}
		open_gate(&channels[0]);
		assert_int_equal(end_select(&selector), CSYS_ETIMEDOUT);
		assert_true(is_send ? has_number(&letter, shape->size, 9) : is_blank(&letter));
		for (uint64_t i = 1; is_send && is_bounded(shape) && i <= count; i++)
			assert_receives(&channels[1], i);
		assert_empty(&channels[1]);
		close_unwaited(channels, 2);
	}
}

/* The deadline has come, and the select is about to return: it looks once more. */
static void what_can_be_done_at_the_deadline_is_done(const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape };
	struct channel channels[2];
	struct letter unused = blank(), letter = blank();
	struct selector selector = { 0 };
	open_in_order(channels, shapes, 2);
	const csys_select_case cases[] = { receives(&channels[0], &unused),
					   receives(&channels[1], &letter) };
	begin_select(&selector, cases, 2, csys_after_ms(10));
	while (listed_receivers(&channels[1]) == 0 && !has_returned(&selector))
		take_a_nap();
	close_gate(&channels[0]);
	int is_in_time = comes_to_gate(&channels[0], &selector);
	if (is_in_time)
		assert_sends(&channels[1], 5);
	open_gate(&channels[0]);
	assert_int_equal(end_select(&selector), is_in_time ? 0 : CSYS_ETIMEDOUT);
	assert_true(is_in_time ? has_number(&letter, shape->size, 5) : is_blank(&letter));
	close_unwaited(channels, 2);
}

/* Of two channels that claim a thread one succeeds; the message of the other is for the next. */
static void one_that_is_claimed_is_passed_over(const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape, *shape };
	struct channel channels[3];
	struct letter letters[3] = { blank(), blank(), blank() };
	csys_select_case cases[3];
	struct selector selector = { 0 };
	struct call call;
	open_in_order(channels, shapes, 3);
	for (int i = 0; i < 3; i++)
		cases[i] = receives(&channels[i], &letters[i]);
	begin_select(&selector, cases, 3, CSYS_FOREVER);
	await_receivers(&channels[2], 1);
	begin_recv(&call, &channels[2], CSYS_FOREVER);
	await_receivers(&channels[2], 2);
	close_gate(&channels[0]);
	assert_sends(&channels[1], 5);
	await_gate(&channels[0]);
	assert_sends(&channels[2], 6);
	end_recv(&call, 6);
	open_gate(&channels[0]);
	end_select_by(&selector, 1);
	assert_true(has_number(&letters[1], shape->size, 5));
	assert_true(is_blank(&letters[2]));
	close_unwaited(channels, 3);
}

/* The claim stands for that message: another thread waits behind. */
static void what_it_was_woken_for_is_done_though_another_case_comes_first(const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape, { shape->size, 0, 1 } };
	struct channel channels[3];
	struct letter letters[3] = { blank(), blank(), blank() };
	csys_select_case cases[3];
	struct selector selector = { .is_biased = 1 };
	struct call call;
	open_in_order(channels, shapes, 3);
	for (int i = 0; i < 3; i++)
		cases[2 - i] = receives(&channels[i], &letters[i]);
	begin_select(&selector, cases, 3, CSYS_FOREVER);
	await_receivers(&channels[2], 1);
	begin_recv(&call, &channels[1], CSYS_FOREVER);
	await_receivers(&channels[1], 2);
	close_gate(&channels[0]);
	assert_sends(&channels[1], 5);
	assert_sends(&channels[2], 6);
	open_gate(&channels[0]);
	end_select_by(&selector, 1);
	assert_true(has_number(&letters[1], shape->size, 5));
	assert_receives(&channels[2], 6);
	assert_sends(&channels[1], 8);
	end_recv(&call, 8);
	close_unwaited(channels, 3);
}

/* The select may not leave for another channel: then those behind it get one wake for two
 * messages. */
static void a_message_behind_one_that_is_being_sent_wakes_a_thread_all_the_same(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, 1 }, { 8, 0, 3 }, { 8, 0, 1 } };
	struct channel channels[3];
	struct letter letters[3] = { blank(), blank(), blank() }, first = letter_of(8, 1);
	csys_select_case cases[3];
	struct selector selector = { .is_biased = 1 };
	struct call calls[2];
	open_in_order(channels, shapes, 3);
	struct csysi_channel *c = csysi_channel_of_sender(channels[1].tx);
	for (int i = 0; i < 3; i++)
		cases[2 - i] = receives(&channels[i], &letters[i]);
	begin_select(&selector, cases, 3, CSYS_FOREVER);
	await_receivers(&channels[2], 1);
	for (int i = 0; i < 2; i++) {
		begin_recv(&calls[i], &channels[1], CSYS_FOREVER);
		await_receivers(&channels[1], 2 + i);
	}
	close_gate(&channels[1]); /* so it has no owners, and can be claimed by hand */
	open_gate(&channels[1]);
	close_gate(&channels[0]);
	uint64_t t = csysi_load_relaxed(&c->tail);
	assert_true(csysi_channel_claim(c, &t));
	assert_sends(&channels[1], 2);
	assert_sends(&channels[2], 6);
	open_gate(&channels[0]);
	for (int i = 0; i < 10 && !has_returned(&selector); i++)
		take_a_nap();
	csysi_channel_write_ring(c, t, 0, first.bytes, &c->layout);
	(void)csysi_channel_tell_receiver(c);
	assert_int_equal(end_select(&selector), 0);
	assert_int_equal(end_call(&calls[0]), 0);
	if (selector.which == 1)
		assert_sends(&channels[1], 3);
	assert_int_equal(end_call(&calls[1]), 0);
	assert_empty(&channels[1]);
	if (selector.which == 1)
		assert_receives(&channels[2], 6);
	close_unwaited(channels, 3);
}

/* ---- senders ----------------------------------------------------------------------------- */

/* Two threads wait for room behind a gate: a select, and a plain sender. */
struct queue {
	struct channel channels[2];
	struct letter unused, letter;
	struct selector selector;
	struct call call;
};

static void make_queue(struct queue *queue, const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape };
	memset(&queue->selector, 0, sizeof queue->selector);
	queue->unused = blank();
	queue->letter = letter_of(shape->size, 100);
	open_in_order(queue->channels, shapes, 2);
	fill_up(&queue->channels[1], 0);
	const csys_select_case cases[] = { receives(&queue->channels[0], &queue->unused),
					   sends(&queue->channels[1], &queue->letter) };
	begin_select(&queue->selector, cases, 2, CSYS_FOREVER);
	await_senders(&queue->channels[1], 1);
	begin_send(&queue->call, &queue->channels[1], 101, CSYS_FOREVER);
	await_senders(&queue->channels[1], 2);
	close_gate(&queue->channels[0]);
}

static void a_select_that_sends_when_woken_wakes_the_next_sender(const struct shape *shape)
{
	struct queue queue;
	uint64_t received = shape->capacity > 1 ? 2 : 1;
	make_queue(&queue, shape);
	/* Of these only the first wakes a thread. */
	assert_receives_all(&queue.channels[1], 0, received);
	await_gate(&queue.channels[0]);
	assert_int_equal(listed_senders(&queue.channels[1]), 1);
	open_gate(&queue.channels[0]);
	end_select_by(&queue.selector, 1);
	if (shape->capacity == 1) {
		assert_receives(&queue.channels[1], 100);
		assert_int_equal(end_call(&queue.call), 0);
	} else {
		assert_int_equal(end_call(&queue.call), 0);
		assert_receives_all(&queue.channels[1], 2, shape->capacity - 2);
		assert_receives(&queue.channels[1], 100);
	}
	assert_receives(&queue.channels[1], 101);
	assert_empty(&queue.channels[1]);
	close_unwaited(queue.channels, 2);
}

/* Room that it was woken for is used, though a message came meanwhile and is the first case. */
static void room_that_it_was_woken_for_is_used(const struct shape *shape)
{
	const struct shape shapes[] = { { shape->size, 0, 1 }, *shape, { shape->size, 0, 1 } };
	struct channel channels[3];
	struct letter unused = blank(), letter = letter_of(shape->size, 100);
	struct selector selector = { .is_biased = 1 };
	open_in_order(channels, shapes, 3);
	fill_up(&channels[1], 0);
	const csys_select_case cases[] = { receives(&channels[2], &unused),
					   receives(&channels[0], &unused),
					   sends(&channels[1], &letter) };
	begin_select(&selector, cases, 3, CSYS_FOREVER);
	await_receivers(&channels[2], 1);
	close_gate(&channels[0]);
	assert_receives(&channels[1], 0);
	assert_sends(&channels[2], 6);
	open_gate(&channels[0]);
	end_select_by(&selector, 2);
	assert_true(is_blank(&unused));
	assert_receives(&channels[2], 6);
	assert_receives_all(&channels[1], 1, shape->capacity - 1);
	assert_receives(&channels[1], 100);
	close_unwaited(channels, 3);
}

static void a_select_that_was_overtaken_wakes_the_next_sender_too(const struct shape *shape)
{
	struct queue queue;
	struct letter letter = blank();
	int found[2] = { 0 };
	make_queue(&queue, shape);
	assert_receives(&queue.channels[1], 0);
	assert_sends(&queue.channels[1], 50);
	await_gate(&queue.channels[0]);
	open_gate(&queue.channels[0]);
	/* It waits again. */
	await_senders(&queue.channels[1], 2);
	assert_receives_all(&queue.channels[1], 1, shape->capacity - 1);
	assert_receives(&queue.channels[1], 50);
	for (int i = 0; i < 2; i++) {
		letter = blank();
		assert_int_equal(csys_receiver_recv(queue.channels[1].rx, letter.bytes), 0);
		for (int k = 0; k < 2; k++)
			found[k] += has_number(&letter, shape->size, 100 + (uint64_t)k);
	}
	end_select_by(&queue.selector, 1);
	assert_int_equal(end_call(&queue.call), 0);
	if (shape->size > 0)
		assert_true(found[0] == 1 && found[1] == 1);
	close_unwaited(queue.channels, 2);
}

/* ---- the copy ---------------------------------------------------------------------------- */

static char *page;
static const struct channel *gate;
static struct selector *watched;
static int had_returned;

/* In the midst of the copy. */
static void let_select_go_on(void)
{
	open_gate(gate);
	for (int i = 0; i < 20; i++) {
		take_a_nap();
		had_returned |= has_returned(watched);
	}
}

/* A thread claims it while it is awake, and takes long to copy the message. */
static void copy_slowly(struct channel *channels, int is_send)
{
	struct selector selector = { 0 };
	struct letter unused = blank(), letter = is_send ? letter_of(64, 4) : blank();
	const csys_select_case cases[] = { is_send ? sends(&channels[0], &letter)
						   : receives(&channels[0], &letter),
					   receives(&channels[1], &unused) };
	fill(page, 64, 3);
	watched = &selector;
	gate = &channels[1];
	had_returned = 0;
	close_gate(gate);
	begin_select(&selector, cases, 2, CSYS_FOREVER);
	await_gate(gate);
	guard_page();
	assert_int_equal(is_send ? csys_receiver_try_recv(channels[0].rx, page)
				 : csys_sender_try_send(channels[0].tx, page),
			 0);
	end_select_by(&selector, 0);
	assert_false(had_returned);
	assert_true(is_message(is_send ? page : (char *)letter.bytes, 64, is_send ? 4 : 3));
}

static void a_rendezvous_is_over_when_the_message_is_copied(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 64, 0, 0 }, { 64, 0, 1 } };
	struct channel channels[2];
	page = map_page(let_select_go_on);
	open_in_order(channels, shapes, 2);
	for (int is_send = 0; is_send < 2; is_send++)
		copy_slowly(channels, is_send);
	close_unwaited(channels, 2);
	unmap_page();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_ALL, one_claimed_while_it_withdraws_does_what_it_was_claimed_for),
		TEST_ON(OF_ALL, one_that_withdraws_is_passed_over),
		TEST_ON(OF_ALL, one_that_gave_up_is_passed_over),
		TEST_ON(OF_QUEUES, what_can_be_done_at_the_deadline_is_done),
		TEST_ON(OF_ALL, one_that_is_claimed_is_passed_over),
		TEST_ON(OF_ALL, what_it_was_woken_for_is_done_though_another_case_comes_first),
		TEST_ON(OF_BOUNDED, a_select_that_sends_when_woken_wakes_the_next_sender),
		TEST_ON(OF_BOUNDED, room_that_it_was_woken_for_is_used),
		TEST_ON(OF_BOUNDED, a_select_that_was_overtaken_wakes_the_next_sender_too),
		TEST_ONE(a_rendezvous_is_over_when_the_message_is_copied),
		TEST_ONE(a_message_behind_one_that_is_being_sent_wakes_a_thread_all_the_same),
	};
	count_memory();
	return RUN(tests);
}
