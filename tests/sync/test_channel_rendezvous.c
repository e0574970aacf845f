/*
 * sync/test_channel_rendezvous.c - promises of csys/sync/channel.h: capacity 0.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

enum { WAITERS = 5 };
static struct call calls[WAITERS]; /* large */

static void a_send_returns_when_its_message_was_taken(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE];
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < 3; i++) {
		begin_send(&calls[0], &channel, i, CSYS_FOREVER);
		await_sleep(&calls[0]); /* it has not returned */
		assert_int_equal(csys_receiver_recv(channel.rx, value), 0);
		assert_true(is_message(value, shape->size, i));
		assert_int_equal(end_call(&calls[0]), 0);
	}
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void each_receive_takes_from_a_sender_that_waits(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < 5; i++) { /* assert_receives: each of the calls */
		begin_send(&calls[0], &channel, i, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
		await_sleep(&calls[0]);
		assert_receives(&channel, i);
		assert_int_equal(end_call(&calls[0]), 0);
		assert_empty(&channel);
	}
	close_channel(&channel);
}

static void each_send_gives_to_a_receiver_that_waits(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < 4; i++) {
		assert_full(&channel); /* nobody waits: no call that does not wait can send */
		begin_recv(&calls[0], &channel, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
		/* It waits a moment later. */
		int r;
		do
			r = send_number(channel.tx, shape->size, i);
		while (i % 4 != 0 && r != 0);
		assert_int_equal(r, 0);
		end_recv(&calls[0], i);
		assert_full(&channel);
	}
	close_channel(&channel);
}

static void a_sender_that_waits_is_not_a_queue(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	begin_send(&calls[0], &channel, 1, CSYS_FOREVER);
	begin_send(&calls[1], &channel, 1, CSYS_FOREVER);
	await_sleep(&calls[0]);
	await_sleep(&calls[1]);
	assert_int_equal(csys_sender_len(channel.tx), 0);
	assert_int_equal(csys_receiver_len(channel.rx), 0);
	assert_full(&channel);
	assert_receives(&channel, 1);
	assert_receives(&channel, 1);
	assert_empty(&channel);
	assert_int_equal(end_call(&calls[0]), 0);
	assert_int_equal(end_call(&calls[1]), 0);
	close_channel(&channel);
}

static void each_of_several_senders_is_served_once(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < WAITERS; i++) {
		begin_send(&calls[i], &channel, i, CSYS_FOREVER);
		await_sleep(&calls[i]);
	}
	int seen[WAITERS] = { 0 };
	for (int i = 0; i < WAITERS; i++) {
		unsigned char value[MOST_SIZE];
		assert_int_equal(csys_receiver_try_recv(channel.rx, value), 0);
		int which = 0;
		while (which < WAITERS &&
		       (seen[which] || !is_message(value, shape->size, (uint64_t)which)))
			which++;
		assert_true(which < WAITERS);
		seen[which] = 1;
	}
	assert_empty(&channel);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(end_call(&calls[i]), 0);
	close_channel(&channel);
}

static void a_sender_that_gives_up_has_not_sent(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	begin_send(&calls[0], &channel, 1, csys_after_ms(2));
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	assert_empty(&channel);
	begin_send(&calls[0], &channel, 2, csys_after_ms(2));
	begin_send(&calls[1], &channel, 3, CSYS_FOREVER);
	begin_send(&calls[2], &channel, 4, csys_after_ms(2));
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	assert_int_equal(end_call(&calls[2]), CSYS_ETIMEDOUT);
	await_sleep(&calls[1]);
	assert_receives(&channel, 3);
	assert_int_equal(end_call(&calls[1]), 0);
	assert_empty(&channel);
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void a_receiver_that_gives_up_is_not_sent_to(const struct shape *shape)
{
	struct channel channel;
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	struct channel clone = channel;
	clone.rx = csys_receiver_clone(channel.rx);
	begin_recv(&calls[0], &channel, csys_after_ms(2));
	begin_recv(&calls[1], &clone, CSYS_FOREVER);
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	await_sleep(&calls[1]);
	assert_sends(&channel, 8); /* a send, which waits; but for nobody that has gone */
	end_recv(&calls[1], 8);
	assert_full(&channel);
	csys_receiver_close(clone.rx);
	close_channel(&channel);
}

static void the_last_receiver_leaves_a_waiting_sender_its_message(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	begin_send(&calls[0], &channel, 1, CSYS_FOREVER);
	await_sleep(&calls[0]);
	csys_receiver_close(channel.rx);
	assert_int_equal(end_call(&calls[0]), CSYS_EDISCONNECTED);
	assert_no_receiver(&channel);
	csys_sender_close(channel.tx);
	assert_drops(&channel, 0, 0);
}

static void one_of_many_receivers_can_go_while_a_sender_waits(const struct shape *shape)
{
	struct channel channel;
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	csys_receiver *other = csys_receiver_clone(channel.rx);
	begin_send(&calls[0], &channel, 1, CSYS_FOREVER);
	await_sleep(&calls[0]);
	csys_receiver_close(other);
	await_sleep(&calls[0]);
	assert_receives(&channel, 1);
	assert_int_equal(end_call(&calls[0]), 0);
	close_channel(&channel);
}

/* ---- in numbers -------------------------------------------------------------------------- */

enum { MESSAGES = 600 };

struct crowd {
	struct channel channel;
	uint32_t next;           /* atomic: the number of the next message */
	uint32_t seen[MESSAGES]; /* atomic: how often */
};

static void *send_some(void *argument)
{
	struct crowd *crowd = argument;
	unsigned char value[MOST_SIZE];
	uint32_t number;
	while ((number = csysi_add_relaxed(&crowd->next, 1) - 1) < MESSAGES) {
		fill(value, crowd->channel.shape.size, number);
		int r;
		do
			r = csys_sender_send_until(crowd->channel.tx, value,
						   number % 3 ? CSYS_FOREVER : csys_after_us(5));
		while (r == CSYS_ETIMEDOUT);
		CHECK(r == 0);
		memset(value, 0, sizeof value); /* it was taken, and is not read any more */
	}
	return NULL;
}

static void *receive_some(void *argument)
{
	struct crowd *crowd = argument;
	unsigned char value[MOST_SIZE];
	for (int i = 0;; i++) {
		int r = csys_receiver_recv_until(crowd->channel.rx,
						 i % 3 ? CSYS_FOREVER : csys_after_us(5), value);
		if (r == CSYS_EDISCONNECTED)
			return NULL;
		if (r == CSYS_ETIMEDOUT)
			continue;
		CHECK(r == 0);
		uint64_t number = number_of(value);
		CHECK(number < MESSAGES && is_message(value, crowd->channel.shape.size, number));
		csysi_add_acq_rel(&crowd->seen[number], 1);
	}
}

static void each_message_is_taken_once_by_one(void **state)
{
	(void)state;
	static struct crowd crowd;
	const size_t sizes[] = { 8, 24, 5000 };
	for (int many_receivers = 0; many_receivers < 2; many_receivers++) {
		for (size_t i = 0; i < 3; i++) {
			const struct shape shape = { sizes[i], 0, 0 };
			pthread_t senders[3], receivers[2];
			memset(&crowd, 0, sizeof crowd);
			open_channel_with(
				&crowd.channel, &shape,
				(csys_channel_options){ .many_receivers = many_receivers });
			for (int t = 0; t < 3; t++)
				assert_int_equal(
					pthread_create(&senders[t], NULL, send_some, &crowd), 0);
			for (int t = 0; t < 1 + many_receivers; t++)
				assert_int_equal(
					pthread_create(&receivers[t], NULL, receive_some, &crowd),
					0);
			for (int t = 0; t < 3; t++)
				pthread_join(senders[t], NULL);
			csys_sender_close(crowd.channel.tx);
			for (int t = 0; t < 1 + many_receivers; t++)
				pthread_join(receivers[t], NULL);
			for (int n = 0; n < MESSAGES; n++)
				assert_int_equal(crowd.seen[n], 1);
			csys_receiver_close(crowd.channel.rx);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_RENDEZVOUS, a_send_returns_when_its_message_was_taken),
		TEST_ON(OF_RENDEZVOUS, each_receive_takes_from_a_sender_that_waits),
		TEST_ON(OF_RENDEZVOUS, each_send_gives_to_a_receiver_that_waits),
		TEST_ON(OF_RENDEZVOUS, a_sender_that_waits_is_not_a_queue),
		TEST_ON(OF_RENDEZVOUS, each_of_several_senders_is_served_once),
		TEST_ON(OF_RENDEZVOUS, a_sender_that_gives_up_has_not_sent),
		TEST_ON(OF_RENDEZVOUS, a_receiver_that_gives_up_is_not_sent_to),
		TEST_ON(OF_RENDEZVOUS, the_last_receiver_leaves_a_waiting_sender_its_message),
		TEST_ON(OF_RENDEZVOUS, one_of_many_receivers_can_go_while_a_sender_waits),
		TEST_ONE(each_message_is_taken_once_by_one),
	};
	count_memory();
	return RUN(tests);
}
