/*
 * sync/test_channel_ends.c - promises of csys/sync/channel.h: ends that come and go.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"
#include "sync/channel.h"

static void what_is_queued_can_be_received_after_the_last_sender(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, most);
	csys_sender_close(channel.tx);
	assert_int_equal(csys_receiver_is_disconnected(channel.rx), 1);
	assert_int_equal(csys_receiver_len(channel.rx), most);
	assert_receives_all(&channel, 0, most); /* try_recv too: not empty is not disconnected */
	assert_no_sender(&channel);
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, 0);
}

static void a_channel_without_senders_says_so_though_nothing_was_sent(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_sender_close(channel.tx);
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
}

static void what_is_queued_is_destroyed_with_the_last_receiver(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	/* None, one, a part of a block, its end, several: and what was received is not. */
	const uint64_t counts[] = { 0, 1, 2, 3, 15, 62, 63, 64, 254, 255, 256, most };
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		uint64_t received = counts[i] / 3;
		if (counts[i] > most)
			continue;
		open_channel(&channel, shape);
		assert_sends_all(&channel, 0, counts[i]);
		assert_receives_all(&channel, 0, received);
		channel.drops.next = received;
		csys_receiver_close(channel.rx);
		assert_drops(&channel, received, (uint32_t)(counts[i] - received));
		csys_sender_close(channel.tx);
		assert_drops(&channel, received, (uint32_t)(counts[i] - received));
	}
}

static void they_are_destroyed_though_the_sender_was_closed_before(const struct shape *shape)
{
	struct channel channel;
	uint32_t most = (uint32_t)many(shape);
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, most);
	csys_sender_close(channel.tx);
	assert_drops(&channel, 0, 0);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, most);
}

static void they_are_destroyed_after_several_laps(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape), first = 0;
	open_channel(&channel, shape);
	for (int round = 0; round < 5; round++, first += most) {
		assert_sends_all(&channel, first, most);
		assert_receives_all(&channel, first, most);
	}
	assert_sends_all(&channel, first, most);
	channel.drops.next = first;
	close_channel(&channel);
	assert_drops(&channel, first, (uint32_t)most);
}

static void sends_fail_after_the_last_receiver_and_leave_the_message(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_int_equal(csys_sender_is_disconnected(channel.tx), 0);
	csys_receiver_close(channel.rx);
	for (int i = 0; i < 300; i++)
		assert_no_receiver(&channel);
	assert_int_equal(csys_sender_len(channel.tx), 0);
	assert_drops(&channel, 0, 0);
	csys_sender *other = csys_sender_clone(channel.tx);
	assert_sends_fail(other, shape->size, CSYS_EDISCONNECTED, CSYS_EDISCONNECTED);
	csys_sender_close(other);
	csys_sender_close(channel.tx);
	assert_drops(&channel, 0, 0);
}

static void
a_full_channel_without_a_receiver_is_disconnected_and_not_full(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, shape->capacity);
	assert_full(&channel);
	csys_receiver_close(channel.rx);
	assert_no_receiver(&channel);
	assert_drops(&channel, 0, (uint32_t)shape->capacity);
	csys_sender_close(channel.tx);
}

static void the_memory_of_a_channel_goes_with_its_last_end(const struct shape *shape)
{
	struct channel channel;
	uint32_t before = blocks_held();
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, is_rendezvous(shape) ? 0 : many(shape));
	csys_receiver_close(channel.rx);
	assert_true(blocks_held() > before);
	csys_sender *other = csys_sender_clone(channel.tx);
	csys_sender_close(channel.tx);
	assert_true(blocks_held() > before);
	csys_sender_close(other);
	assert_int_equal(blocks_held(), before);
}

static void each_clone_keeps_a_channel_connected(const struct shape *shape)
{
	enum { CLONES = 5 };
	struct channel channel;
	csys_sender *senders[CLONES];
	open_channel(&channel, shape);
	senders[0] = channel.tx;
	for (int i = 1; i < CLONES; i++)
		senders[i] = csys_sender_clone(senders[i / 2]);
	uint64_t sent = 0;
	for (int i = 0; i < CLONES; i++) {
		assert_empty(&channel);
		if (!is_rendezvous(shape)) {
			assert_int_equal(send_number(senders[i], shape->size, sent), 0);
			assert_receives(&channel, sent++);
		}
		assert_empty(&channel);
		csys_sender_close(senders[i]);
	}
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
}

static void the_messages_of_a_closed_sender_stay_in_order(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	csys_sender *other = csys_sender_clone(channel.tx);
	for (uint64_t i = 0; i < most; i++) {
		int r = send_number(i % 2 ? other : channel.tx, shape->size, i);
		assert_int_equal(r, 0);
	}
	csys_sender_close(other);
	assert_receives_all(&channel, 0, most);
	assert_empty(&channel);
	close_channel(&channel);
}

static void closing_nothing_is_ignored(void **state)
{
	(void)state;
	csys_sender_close(NULL);
	csys_receiver_close(NULL);
	csys_weak_sender_close(NULL);
}

/* ---- draining ---------------------------------------------------------------------------- */

static void draining_destroys_what_is_queued_and_the_channel_goes_on(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	uint32_t dropped = 0;
	open_channel(&channel, shape);
	assert_int_equal(drained(channel.rx), 0);
	for (uint64_t count = 1; count <= most; count = count * 3 + 1) {
		channel.drops.next = 0;
		assert_sends_all(&channel, 0, count);
		assert_int_equal(drained(channel.rx), count);
		dropped += (uint32_t)count;
		assert_int_equal(channel.drops.count, dropped);
		assert_int_equal(channel.drops.wrong, 0);
		assert_int_equal(csys_receiver_len(channel.rx), 0);
		assert_empty(&channel);
		assert_sends_all(&channel, 5, most);
		if (!is_unbounded(shape))
			assert_full(&channel);
		assert_receives_all(&channel, 5, most);
	}
	assert_int_equal(drained(channel.rx), 0);
	csys_sender_close(channel.tx);
	assert_int_equal(drained(channel.rx), 0);
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
	assert_int_equal(channel.drops.count, dropped);
}

static void the_count_of_a_drain_may_be_left_out(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_sends(&channel, 0);
	assert_int_equal(csys_receiver_drain(channel.rx, NULL), 0);
	assert_drops(&channel, 0, 1);
	close_channel(&channel);
}

static void draining_works_after_the_last_sender(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, most);
	csys_sender_close(channel.tx);
	assert_int_equal(drained(channel.rx), most);
	assert_drops(&channel, 0, (uint32_t)most);
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, (uint32_t)most);
}

static void draining_a_rendezvous_takes_nothing_from_its_senders(void **state)
{
	(void)state;
	const struct shape shape = { 8, 0, 0 };
	static struct call call;
	struct channel channel;
	open_channel(&channel, &shape);
	begin_send(&call, &channel, 3, CSYS_FOREVER);
	await_sleep(&call);
	assert_int_equal(drained(channel.rx), 0);
	assert_receives(&channel, 3);
	assert_int_equal(end_call(&call), 0);
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

/* ---- many receivers ---------------------------------------------------------------------- */

static void each_receiver_keeps_a_channel_connected(const struct shape *shape)
{
	struct channel channel;
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	csys_receiver *first = channel.rx, *second = csys_receiver_clone(first);
	csys_receiver *third = csys_receiver_clone(second);
	csys_receiver_close(first);
	channel.rx = second;
	assert_empty(&channel);
	assert_int_equal(csys_sender_is_disconnected(channel.tx), 0);
	if (!is_rendezvous(shape)) {
		assert_sends(&channel, 0);
		csys_receiver_close(second);
		channel.rx = third;
		assert_receives(&channel, 0); /* what is queued is anybody's */
		assert_sends(&channel, 1);
		channel.drops.next = 1;
	} else {
		csys_receiver_close(second);
	}
	assert_drops(&channel, is_rendezvous(shape) ? 0 : 1, 0);
	csys_receiver_close(third);
	assert_drops(&channel, is_rendezvous(shape) ? 0 : 1, is_rendezvous(shape) ? 0 : 1);
	assert_no_receiver(&channel);
	csys_sender_close(channel.tx);
}

static void each_message_goes_to_one_of_many_receivers(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	csys_receiver *receivers[3] = { channel.rx };
	receivers[1] = csys_receiver_clone(channel.rx);
	receivers[2] = csys_receiver_clone(receivers[1]);
	assert_sends_all(&channel, 0, most);
	for (uint64_t i = 0; i < most; i++) {
		channel.rx = receivers[i % 3];
		assert_receives(&channel, i);
	}
	csys_sender_close(channel.tx);
	for (int i = 0; i < 3; i++) {
		channel.rx = receivers[i];
		assert_no_sender(&channel);
		csys_receiver_close(receivers[i]);
	}
}

static void clone_the_only_receiver(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	CHECK(csys_channel_new(8, 1, NULL, &tx, &rx) == 0);
	csys_receiver_clone(rx);
}

static void a_second_receiver_where_there_may_be_one_aborts(void **state)
{
	(void)state;
	assert_aborts(clone_the_only_receiver,
		      "csys: a second receiver of a channel that was made for one\n");
}

/* ---- too many ends ----------------------------------------------------------------------- */

/* A channel with as many ends as there may be; the counts are as in src/sync/channel.c. */
static struct csysi_channel *with_many_ends(csys_sender **out_tx, csys_receiver **out_rx)
{
	const csys_channel_options options = { .many_receivers = 1 };
	CHECK(csys_channel_new(8, 1, &options, out_tx, out_rx) == 0);
	struct csysi_channel *c = csysi_channel_of_sender(*out_tx);
	c->senders = c->receivers = c->references = 0x7fffffff;
	return c;
}

static void clone_too_many_senders(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	with_many_ends(&tx, &rx);
	csys_sender_clone(tx);
}

static void clone_too_many_receivers(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	with_many_ends(&tx, &rx);
	csys_receiver_clone(rx);
}

static void downgrade_too_often(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	with_many_ends(&tx, &rx);
	csys_sender_downgrade(tx);
}

static void upgrade_too_often(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	struct csysi_channel *c = with_many_ends(&tx, &rx);
	c->references = 2;
	csys_weak_sender_upgrade(csys_sender_downgrade(tx));
}

static void too_many_ends_abort(void **state)
{
	(void)state;
	static void (*const all[])(void) = { clone_too_many_senders, clone_too_many_receivers,
					     downgrade_too_often, upgrade_too_often };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_aborts(all[i], "csys: a channel with too many ends\n");
}

/* ---- weak senders ------------------------------------------------------------------------ */

static void a_weak_sender_makes_senders_while_there_is_one(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_weak_sender *weak = csys_sender_downgrade(channel.tx);
	assert_non_null(weak);
	csys_sender *other = csys_weak_sender_upgrade(weak);
	assert_non_null(other);
	csys_sender_close(channel.tx);
	channel.tx = other; /* it keeps the channel connected, as any */
	assert_empty(&channel);
	if (!is_rendezvous(shape)) {
		assert_sends(&channel, 5);
		assert_receives(&channel, 5);
	}
	csys_weak_sender *another = csys_sender_downgrade(other);
	csys_sender_close(other);
	assert_no_sender(&channel);
	assert_null(csys_weak_sender_upgrade(weak));
	assert_null(csys_weak_sender_upgrade(another));
	assert_no_sender(&channel);
	csys_receiver_close(channel.rx);
	assert_null(csys_weak_sender_upgrade(weak));
	csys_weak_sender_close(weak);
	csys_weak_sender_close(another);
}

static void a_weak_sender_does_not_keep_the_messages(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_weak_sender *weak = csys_sender_downgrade(channel.tx);
	assert_sends(&channel, 0);
	csys_sender_close(channel.tx);
	assert_int_equal(csys_receiver_is_disconnected(channel.rx), 1);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, 1);
	csys_weak_sender_close(weak);
	assert_drops(&channel, 0, 1);
}

static void a_weak_sender_keeps_a_channel_without_ends(const struct shape *shape)
{
	struct channel channel;
	uint32_t before = blocks_held();
	open_channel(&channel, shape);
	csys_weak_sender *weak = csys_sender_downgrade(channel.tx);
	close_channel(&channel);
	assert_true(blocks_held() > before);
	assert_null(csys_weak_sender_upgrade(weak));
	csys_weak_sender_close(weak);
	assert_int_equal(blocks_held(), before);
}

static void a_weak_sender_knows_nothing_of_receivers(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_weak_sender *weak = csys_sender_downgrade(channel.tx);
	csys_receiver_close(channel.rx);
	csys_sender *other = csys_weak_sender_upgrade(weak);
	assert_non_null(other);
	assert_sends_fail(other, shape->size, CSYS_EDISCONNECTED, CSYS_EDISCONNECTED);
	csys_sender_close(other);
	csys_sender_close(channel.tx);
	assert_null(csys_weak_sender_upgrade(weak));
	csys_weak_sender_close(weak);
}

/* ---- CSYS_AUTO --------------------------------------------------------------------------- */

static void an_end_is_closed_when_its_block_is_left(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	{
		CSYS_AUTO(csys_sender) other = csys_sender_clone(channel.tx);
		CSYS_AUTO(csys_weak_sender) weak = csys_sender_downgrade(other);
		CSYS_AUTO(csys_sender) tx = channel.tx;
		CSYS_AUTO(csys_sender) none = NULL;
		(void)tx;
		(void)weak;
		(void)none;
		assert_empty(&channel);
	}
	assert_no_sender(&channel);
	{
		CSYS_AUTO(csys_receiver) rx = channel.rx;
		(void)rx;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_QUEUES, what_is_queued_can_be_received_after_the_last_sender),
		TEST_ON(OF_ALL, a_channel_without_senders_says_so_though_nothing_was_sent),
		TEST_ON(OF_QUEUES, what_is_queued_is_destroyed_with_the_last_receiver),
		TEST_ON(OF_QUEUES, they_are_destroyed_though_the_sender_was_closed_before),
		TEST_ON(OF_QUEUES, they_are_destroyed_after_several_laps),
		TEST_ON(OF_ALL, sends_fail_after_the_last_receiver_and_leave_the_message),
		TEST_ON(OF_BOUNDED, a_full_channel_without_a_receiver_is_disconnected_and_not_full),
		TEST_ON(OF_ALL, the_memory_of_a_channel_goes_with_its_last_end),
		TEST_ON(OF_ALL, each_clone_keeps_a_channel_connected),
		TEST_ON(OF_QUEUES, the_messages_of_a_closed_sender_stay_in_order),
		TEST_ONE(closing_nothing_is_ignored),
		TEST_ON(OF_QUEUES, draining_destroys_what_is_queued_and_the_channel_goes_on),
		TEST_ON(OF_QUEUES, the_count_of_a_drain_may_be_left_out),
		TEST_ON(OF_QUEUES, draining_works_after_the_last_sender),
		TEST_ONE(draining_a_rendezvous_takes_nothing_from_its_senders),
		TEST_ON(OF_ALL, each_receiver_keeps_a_channel_connected),
		TEST_ON(OF_QUEUES, each_message_goes_to_one_of_many_receivers),
		TEST_ONE(a_second_receiver_where_there_may_be_one_aborts),
		TEST_ONE(too_many_ends_abort),
		TEST_ON(OF_ALL, a_weak_sender_makes_senders_while_there_is_one),
		TEST_ON(OF_QUEUES, a_weak_sender_does_not_keep_the_messages),
		TEST_ON(OF_ALL, a_weak_sender_keeps_a_channel_without_ends),
		TEST_ON(OF_ALL, a_weak_sender_knows_nothing_of_receivers),
		TEST_ON(OF_ALL, an_end_is_closed_when_its_block_is_left),
	};
	count_memory();
	return RUN(tests);
}
