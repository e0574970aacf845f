/*
 * sync/test_channel_batch.c - promises of csys/sync/channel.h: several messages in one call.
 */
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"
#include "sync/channel.h"

/* Messages first, first + 1, ..., as in an array. */
static unsigned char *array_of(size_t size, uint64_t first, size_t count)
{
	unsigned char *values = malloc(size * count + 1);
	assert_non_null(values);
	for (uint64_t i = 0; i < count; i++)
		fill(values + i * size, size, first + i);
	return values;
}

static int send_array(struct channel *channel, uint64_t first, size_t count, csys_deadline deadline,
		      size_t *out_sent)
{
	size_t size = channel->shape.size;
	unsigned char *values = array_of(size, first, count);
	int r = csys_sender_send_batch(channel->tx, values, count, deadline, out_sent);
	for (uint64_t i = 0; i < count; i++)
		assert_true(is_message(values + i * size, size, first + i));
	free(values);
	return r;
}

static void assert_sends_array(struct channel *channel, uint64_t first, size_t count)
{
	size_t sent = 77;
	assert_int_equal(send_array(channel, first, count, CSYS_POLL, &sent), 0);
	assert_int_equal(sent, count);
}

/* Receive at most so many, the first of which is this; how many that were. */
static size_t receive_array(struct channel *channel, uint64_t first, size_t most)
{
	size_t size = channel->shape.size, count = 0;
	unsigned char *values = malloc(size * (most + 1) + 1);
	assert_non_null(values);
	memset(values, 0x5a, size * (most + 1) + 1);
	assert_int_equal(csys_receiver_recv_batch(channel->rx, values, most, CSYS_POLL, &count), 0);
	assert_true(count <= most);
	for (size_t i = 0; i < count; i++)
		assert_true(is_message(values + i * size, size, first + i));
	size_t at = count * size, end = size * (most + 1) + 1;
	while (at < end && values[at] == 0x5a)
		at++;
	assert_int_equal(at, end); /* nothing is written behind them */
	free(values);
	return count;
}

/* Around the numbers of messages that a block has. */
static const uint64_t counts[] = { 1,  2,  3,  4,  5,   7,   14,  15,  16,  17,  31,  61,
				   62, 63, 64, 65, 126, 127, 128, 253, 254, 255, 256, 700 };
#define COUNTS (sizeof counts / sizeof *counts)

static void a_batch_is_received_in_order_across_blocks(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	for (uint64_t before = 0; before <= 2 && before < most; before++) {
		uint64_t first = 0;
		open_channel(&channel, shape);
		for (size_t c = 0; c < COUNTS && before + counts[c] <= most; c++) {
			uint64_t count = counts[c];
			assert_sends_all(&channel, first, before);
			assert_sends_array(&channel, first + before, (size_t)count);
			assert_int_equal(csys_receiver_len(channel.rx), before + count);
			assert_receives_all(&channel, first, before + count);
			assert_empty(&channel);
			first += before + count;
		}
		close_channel(&channel);
		assert_int_equal(channel.drops.count, 0);
	}
}

static void a_batch_takes_what_is_there_across_blocks(const struct shape *shape)
{
	struct channel channel;
	uint64_t all = many(shape), first = 0;
	open_channel(&channel, shape);
	for (size_t c = 0; c < COUNTS && counts[c] <= all + 1; c++) {
		size_t most = (size_t)counts[c];
		assert_sends_all(&channel, first, all);
		for (uint64_t got = 0; got < all;) {
			size_t count = receive_array(&channel, first + got, most);
			assert_int_equal(count, most < all - got ? most : all - got);
			got += count;
			assert_int_equal(csys_receiver_len(channel.rx), all - got);
		}
		assert_empty(&channel);
		first += all;
	}
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0);
}

static void a_received_batch_makes_room_at_once(const struct shape *shape)
{
	struct channel channel;
	uint64_t all = shape->capacity, first = 0;
	open_channel(&channel, shape);
	assert_sends_array(&channel, 0, shape->capacity);
	for (size_t most = 1; most <= all && most < 40; most++) {
		assert_full(&channel);
		assert_int_equal(receive_array(&channel, first, most), most);
		assert_sends_array(&channel, first + all, most);
		first += most;
	}
	assert_full(&channel);
	channel.drops.next = first;
	close_channel(&channel);
	assert_drops(&channel, first, (uint32_t)all);
}

static void what_of_a_batch_has_no_room_is_not_sent(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = shape->capacity;
	const csys_deadline deadlines[] = { CSYS_POLL, csys_after_ns(1), csys_after_ms(2) };
	open_channel(&channel, shape);
	for (uint64_t before = 0; before <= most; before += most / 3 + 1) {
		for (size_t i = 0; i < 3; i++) {
			size_t sent = 77;
			assert_sends_all(&channel, 0, before);
			assert_int_equal(send_array(&channel, before, shape->capacity + 1,
						    deadlines[i], &sent),
					 CSYS_ETIMEDOUT);
			assert_int_equal(csys_deadline_left(deadlines[i]), 0);
			assert_int_equal(sent, most - before);
			assert_receives_all(&channel, 0, most);
			assert_empty(&channel);
		}
	}
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void no_messages_are_a_batch_too(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE];
	size_t sent = 77, count = 77;
	open_channel(&channel, shape);
	assert_int_equal(csys_sender_send_batch(channel.tx, value, 0, CSYS_FOREVER, &sent), 0);
	assert_int_equal(sent, 0);
	assert_empty(&channel);
	assert_int_equal(csys_receiver_recv_batch(channel.rx, value, 0, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 0);
	if (!is_rendezvous(shape)) {
		assert_sends_all(&channel, 0, many(shape));
		sent = count = 77;
		assert_int_equal(csys_sender_send_batch(channel.tx, value, 0, CSYS_FOREVER, &sent),
				 0);
		assert_int_equal(sent, 0);
		assert_int_equal(
			csys_receiver_recv_batch(channel.rx, value, 0, CSYS_FOREVER, &count), 0);
		assert_int_equal(count, 0);
		assert_receives_all(&channel, 0, many(shape));
	}
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

/* ---- with another thread ----------------------------------------------------------------- */

struct batch {
	struct channel *channel;
	uint64_t first;
	size_t count;
	csys_deadline deadline;
	int result;
	size_t sent;
	uint32_t has_returned; /* atomic */
	pthread_t thread;
};

static void *send_it(void *argument)
{
	struct batch *batch = argument;
	batch->result = send_array(batch->channel, batch->first, batch->count, batch->deadline,
				   &batch->sent);
	csysi_store_release(&batch->has_returned, 1);
	return NULL;
}

static void begin(struct batch *batch, struct channel *channel, uint64_t first, size_t count)
{
	*batch = (struct batch){ channel, first, count, CSYS_FOREVER, 77, 77, 0, pthread_self() };
	assert_int_equal(pthread_create(&batch->thread, NULL, send_it, batch), 0);
}

static void receive_by_force(struct channel *channel, uint64_t number)
{
	unsigned char value[MOST_SIZE];
	assert_int_equal(csys_receiver_recv(channel->rx, value), 0);
	assert_true(is_message(value, channel->shape.size, number));
}

static void a_batch_waits_for_room_and_goes_on(const struct shape *shape)
{
	struct channel channel;
	struct batch batch;
	size_t all = 2 * (size_t)many(shape) + 5;
	open_channel(&channel, shape);
	begin(&batch, &channel, 0, all);
	for (uint64_t i = 0; i < all; i++) {
		if (i + many(shape) < all && !is_unbounded(shape))
			assert_int_equal(csysi_load_acquire(&batch.has_returned), 0);
		receive_by_force(&channel, i);
	}
	pthread_join(batch.thread, NULL);
	assert_int_equal(batch.result, 0);
	assert_int_equal(batch.sent, all);
	assert_empty(&channel);
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void a_batch_tells_how_many_went_before_the_receiver_did(const struct shape *shape)
{
	struct channel channel;
	struct batch batch;
	size_t all = 2 * (size_t)many(shape) + 9;
	for (uint64_t received = 0; received < 3; received++) {
		open_channel(&channel, shape);
		begin(&batch, &channel, 0, all);
		for (uint64_t i = 0; i < received; i++)
			receive_by_force(&channel, i);
		for (int naps = 0; naps < 3; naps++)
			take_a_nap();
		channel.drops.next = received;
		csys_receiver_close(channel.rx);
		pthread_join(batch.thread, NULL);
		assert_int_equal(batch.result, CSYS_EDISCONNECTED);
		assert_int_equal(batch.sent, received + channel.drops.count);
		assert_int_equal(channel.drops.wrong, 0);
		csys_sender_close(channel.tx);
		assert_int_equal(batch.sent, received + channel.drops.count);
	}
}

static void a_batch_ends_at_its_deadline_with_what_was_sent(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, 3 }, { 8, 0, 0 } };
	for (size_t i = 0; i < 2; i++) {
		struct channel channel;
		struct batch batch;
		open_channel(&channel, &shapes[i]);
		batch = (struct batch){ &channel, 0,  10, csys_after_ms(20),
					77,       77, 0,  pthread_self() };
		assert_int_equal(pthread_create(&batch.thread, NULL, send_it, &batch), 0);
		uint64_t received = 0;
		unsigned char value[8];
		while (received < 2 &&
		       csys_receiver_recv_until(channel.rx, csys_after_ms(500), value) == 0)
			assert_true(is_message(value, 8, received++));
		pthread_join(batch.thread, NULL);
		assert_int_equal(batch.result, CSYS_ETIMEDOUT);
		assert_int_equal(batch.sent, received + csys_receiver_len(channel.rx));
		assert_in_range(batch.sent, shapes[i].capacity, received + shapes[i].capacity);
		channel.drops.next = received;
		close_channel(&channel);
		assert_drops(&channel, received, (uint32_t)shapes[i].capacity);
	}
}

static void a_batch_waits_for_the_first_message_only(const struct shape *shape)
{
	struct channel channel;
	static struct call call;
	unsigned char value[MOST_SIZE * 3];
	size_t count = 77;
	open_channel(&channel, shape);
	begin_send(&call, &channel, 5, CSYS_FOREVER);
	assert_int_equal(csys_receiver_recv_batch(channel.rx, value, 3, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 1);
	assert_true(is_message(value, shape->size, 5));
	assert_int_equal(end_call(&call), 0);
	close_channel(&channel);
}

static void a_batch_receives_what_is_queued_after_the_last_sender(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_sends_array(&channel, 0, (size_t)many(shape));
	csys_sender_close(channel.tx);
	for (uint64_t got = 0; got < many(shape);)
		got += receive_array(&channel, got, (size_t)many(shape) / 2 + 1);
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
}

static void a_batch_of_one_sender_among_several_is_received_in_order(const struct shape *shape)
{
	struct channel channel;
	static struct call call;
	uint64_t first = 0;
	open_channel(&channel, shape);
	for (; first < 16; first++) { /* in turns, until none of the two is the owner */
		if (first % 2 == 0) {
			assert_sends(&channel, first);
		} else {
			begin_send(&call, &channel, first, CSYS_FOREVER);
			assert_int_equal(end_call(&call), 0);
		}
		assert_receives(&channel, first);
	}
	for (size_t c = 0; c < COUNTS && counts[c] <= many(shape); c++) {
		assert_sends_array(&channel, first, (size_t)counts[c]);
		assert_receives_all(&channel, first, counts[c]);
		assert_empty(&channel);
		first += counts[c];
	}
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0);
}

/* A message that is being sent, with others behind it. */
static void a_batch_ends_before_a_message_that_is_not_there_yet(void **state)
{
	static const size_t sizes[] = { 0, 4, 8, 16, 64 };
	(void)state;
	for (size_t i = 0; i < 8 * sizeof sizes / sizeof *sizes; i++) {
		const struct shape shape = { sizes[i / 8], 0, 64 };
		uint64_t before = i % 8 + 1, t;
		unsigned char late[64];
		struct channel channel;
		open_channel(&channel, &shape);
		struct csysi_channel *c = csysi_channel_of_sender(channel.tx);
		assert_int_equal(csysi_channel_share(c, &c->tx_owner, &c->tx_is_shared), 0);
		assert_sends_all(&channel, 0, before);
		t = csysi_load_relaxed(&c->tail);
		assert_true(csysi_channel_claim(c, &t));
		assert_sends_array(&channel, before + 1, 8);
		assert_int_equal(receive_array(&channel, 0, 32), before);
		fill(late, shape.size, before);
		csysi_channel_write_ring(c, t, 0, late, &c->layout);
		assert_int_equal(receive_array(&channel, before, 32), 9);
		close_channel(&channel);
	}
}

static void a_received_batch_lets_a_sender_go_on(const struct shape *shape)
{
	struct channel channel;
	static struct call call;
	uint64_t all = shape->capacity;
	open_channel(&channel, shape);
	assert_sends_array(&channel, 0, (size_t)all);
	begin_send(&call, &channel, all, CSYS_FOREVER);
	await_sleep(&call);
	for (uint64_t got = 0; got < all;)
		got += receive_array(&channel, got, (size_t)(all - got));
	assert_int_equal(end_call(&call), 0);
	assert_receives(&channel, all);
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_QUEUES, a_batch_is_received_in_order_across_blocks),
		TEST_ON(OF_QUEUES, a_batch_takes_what_is_there_across_blocks),
		TEST_ON(OF_QUEUES, a_batch_of_one_sender_among_several_is_received_in_order),
		TEST_ONE(a_batch_ends_before_a_message_that_is_not_there_yet),
		TEST_ON(OF_BOUNDED, a_received_batch_makes_room_at_once),
		TEST_ON(OF_BOUNDED, a_received_batch_lets_a_sender_go_on),
		TEST_ON(OF_BOUNDED, what_of_a_batch_has_no_room_is_not_sent),
		TEST_ON(OF_ALL, no_messages_are_a_batch_too),
		TEST_ON(OF_ALL, a_batch_waits_for_room_and_goes_on),
		TEST_ON(OF_BOUNDED | OF_RENDEZVOUS,
			a_batch_tells_how_many_went_before_the_receiver_did),
		TEST_ONE(a_batch_ends_at_its_deadline_with_what_was_sent),
		TEST_ON(OF_ALL, a_batch_waits_for_the_first_message_only),
		TEST_ON(OF_QUEUES, a_batch_receives_what_is_queued_after_the_last_sender),
	};
	count_memory();
	return RUN(tests);
}
