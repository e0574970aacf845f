/*
 * sync/test_channel_wait.c - promises of csys/sync/channel.h: threads that wait.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

enum { WAITERS = 5 };
static struct call calls[WAITERS]; /* large */

static void a_receiver_sleeps_until_a_message_comes(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < 3; i++) {
		begin_recv(&calls[0], &channel, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
		await_sleep(&calls[0]);
		assert_sends(&channel, i);
		end_recv(&calls[0], i);
	}
	close_channel(&channel);
}

static void a_receiver_is_woken_by_a_batch(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[2 * MOST_SIZE];
	size_t sent;
	open_channel(&channel, shape);
	begin_recv(&calls[0], &channel, CSYS_FOREVER);
	await_sleep(&calls[0]);
	fill(value, shape->size, 4);
	fill(value + shape->size, shape->size, 5);
	int r = csys_sender_send_batch(channel.tx, value, 2, csys_after_ms(2), &sent);
	end_recv(&calls[0], 4);
	assert_int_equal(r, is_rendezvous(shape) ? CSYS_ETIMEDOUT : 0);
	assert_int_equal(sent, is_rendezvous(shape) ? 1 : 2);
	if (r == 0)
		assert_receives(&channel, 5);
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0);
}

static void stays_asleep(struct call *call)
{
	await_sleep(call);
	while (!thread_sleeps((intptr_t)call->runs_as))
		take_a_nap();
	for (int i = 0; i < 10; i++) {
		take_a_nap();
		assert_true(thread_sleeps((intptr_t)call->runs_as));
	}
}

static void a_thread_that_waits_uses_no_cpu(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, CSYS_UNBOUNDED }, { 8, 0, 1 }, { 8, 0, 0 } };
	skip_unless_sleep_is_seen();
	for (int i = 0; i < 3; i++) {
		struct channel channel;
		open_channel(&channel, &shapes[i]);
		begin_recv(&calls[0], &channel, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
		stays_asleep(&calls[0]);
		assert_sends(&channel, 0);
		end_recv(&calls[0], 0);
		assert_sends_all(&channel, 0, i == 1);
		if (i > 0) {
			begin_send(&calls[0], &channel, 5, CSYS_FOREVER);
			stays_asleep(&calls[0]);
			assert_receives_all(&channel, 0, i == 1);
			assert_receives(&channel, 5); /* it waits until that comes */
			assert_int_equal(end_call(&calls[0]), 0);
		}
		close_channel(&channel);
	}
}

/* After so many messages the sides have left all that is slow at first. */
static void a_receiver_sleeps_and_wakes_after_many_messages(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (uint64_t i = 0; i < 10; i++) {
		for (uint64_t j = 0; j < 700; j++) {
			assert_sends(&channel, j);
			assert_receives(&channel, j);
		}
		begin_recv(&calls[0], &channel, CSYS_FOREVER);
		if (i % 2 == 0)
			await_sleep(&calls[0]);
		assert_sends(&channel, i);
		end_recv(&calls[0], i);
	}
	close_channel(&channel);
}

static int make_room(struct channel *channel, int how)
{
	static unsigned char values[1024 * MOST_SIZE];
	size_t count = 0;
	switch (how) {
	case 0:
		assert_int_equal(csys_receiver_recv(channel->rx, values), 0);
		return 1;
	case 1:
		assert_int_equal(csys_receiver_try_recv(channel->rx, values), 0);
		return 1;
	case 2:
		assert_int_equal(
			csys_receiver_recv_batch(channel->rx, values, 1024, CSYS_FOREVER, &count),
			0);
		return (int)count;
	default:
		return (int)drained(channel->rx);
	}
}

static void a_sender_sleeps_until_there_is_room(const struct shape *shape)
{
	for (int how = 0; how < 4; how++) {
		struct channel channel;
		open_channel(&channel, shape);
		assert_sends_all(&channel, 0, shape->capacity);
		begin_send(&calls[0], &channel, shape->capacity,
			   how % 2 ? CSYS_FOREVER : csys_after_s(1000));
		await_sleep(&calls[0]);
		assert_int_equal(csys_sender_len(channel.tx), shape->capacity);
		uint64_t received = (uint64_t)make_room(&channel, how);
		assert_int_equal(end_call(&calls[0]), 0);
		assert_receives_all(&channel, received, shape->capacity + 1 - received);
		assert_empty(&channel);
		close_channel(&channel);
	}
}

static void each_room_lets_one_sender_go_on(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE];
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, shape->capacity);
	for (int i = 0; i < WAITERS; i++)
		begin_send(&calls[i], &channel, 9, CSYS_FOREVER);
	for (int i = 0; i < WAITERS; i++)
		await_sleep(&calls[i]);
	/* Each of the senders is let go on, though each receive wakes one at most. */
	for (uint64_t i = 0; i < shape->capacity; i++)
		assert_receives(&channel, i);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(csys_receiver_recv(channel.rx, value), 0);
		assert_true(is_message(value, shape->size, 9));
	}
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(end_call(&calls[i]), 0);
	assert_empty(&channel);
	close_channel(&channel);
}

static void much_room_at_once_lets_all_senders_go_on(const struct shape *shape)
{
	for (int how = 2; how < 4; how++) {
		struct channel channel;
		open_channel(&channel, shape);
		assert_sends_all(&channel, 0, shape->capacity);
		for (int i = 0; i < WAITERS; i++)
			begin_send(&calls[i], &channel, 9, CSYS_FOREVER);
		for (int i = 0; i < WAITERS; i++)
			await_sleep(&calls[i]);
		/* One call; nobody receives after it until they have come. */
		int left = WAITERS + (int)shape->capacity - make_room(&channel, how);
		int room = left < (int)shape->capacity ? left : (int)shape->capacity;
		while ((int)csys_receiver_len(channel.rx) < room)
			take_a_nap();
		for (; left > 0; left--) {
			unsigned char value[MOST_SIZE];
			assert_int_equal(csys_receiver_recv(channel.rx, value), 0);
		}
		for (int i = 0; i < WAITERS; i++)
			assert_int_equal(end_call(&calls[i]), 0);
		close_channel(&channel);
	}
}

static void a_sender_that_gives_up_leaves_its_room_to_others(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, shape->capacity);
	begin_send(&calls[0], &channel, 7, csys_after_ms(5));
	begin_send(&calls[1], &channel, 8, CSYS_FOREVER);
	begin_send(&calls[2], &channel, 9, csys_after_ms(5));
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	assert_int_equal(end_call(&calls[2]), CSYS_ETIMEDOUT);
	await_sleep(&calls[1]);
	assert_receives_all(&channel, 0, shape->capacity);
	assert_int_equal(end_call(&calls[1]), 0);
	if (!is_rendezvous(shape))
		assert_receives(&channel, 8);
	assert_empty(&channel);
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0); /* nothing is left of those that gave up */
}

static void a_receiver_that_gives_up_takes_no_message_with_it(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (int i = 0; i < WAITERS; i++) {
		begin_recv(&calls[0], &channel, csys_after_ms(1));
		assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	}
	if (is_rendezvous(shape)) {
		assert_full(&channel);
	} else {
		assert_sends(&channel, 3);
		assert_receives(&channel, 3);
	}
	assert_empty(&channel);
	close_channel(&channel);
}

/* ---- disconnection ----------------------------------------------------------------------- */

static void the_last_sender_wakes_a_receiver(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_sender *other = csys_sender_clone(channel.tx);
	begin_recv(&calls[0], &channel, CSYS_FOREVER);
	await_sleep(&calls[0]);
	csys_sender_close(channel.tx);
	await_sleep(&calls[0]);
	csys_sender_close(other);
	assert_int_equal(end_call(&calls[0]), CSYS_EDISCONNECTED);
	csys_receiver_close(channel.rx);
}

static void the_last_sender_wakes_all_receivers(const struct shape *shape)
{
	struct channel channel;
	csys_receiver *receivers[WAITERS];
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	for (int i = 0; i < WAITERS; i++) {
		receivers[i] = i == 0 ? channel.rx : csys_receiver_clone(channel.rx);
		struct channel clone = channel;
		clone.rx = receivers[i];
		begin_recv(&calls[i], &clone, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
	}
	for (int i = 0; i < WAITERS; i++)
		await_sleep(&calls[i]);
	csys_sender_close(channel.tx);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(end_call(&calls[i]), CSYS_EDISCONNECTED);
		csys_receiver_close(receivers[i]);
	}
}

static void the_last_receiver_wakes_all_senders_which_keep_their_messages(const struct shape *shape)
{
	struct channel channel;
	csys_sender *senders[WAITERS];
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, shape->capacity);
	for (int i = 0; i < WAITERS; i++) {
		senders[i] = i == 0 ? channel.tx : csys_sender_clone(channel.tx);
		struct channel clone = channel;
		clone.tx = senders[i];
		begin_send(&calls[i], &clone, 100, i % 2 ? CSYS_FOREVER : csys_after_s(1000));
	}
	for (int i = 0; i < WAITERS; i++)
		await_sleep(&calls[i]);
	csys_receiver_close(channel.rx);
	for (int i = 0; i < WAITERS; i++) {
		assert_int_equal(end_call(&calls[i]), CSYS_EDISCONNECTED);
		csys_sender_close(senders[i]);
	}
	assert_drops(&channel, 0, (uint32_t)shape->capacity); /* and none of theirs */
}

/* ---- several threads that wait at one end ------------------------------------------------ */

static void a_try_does_not_wait_for_a_thread_that_waits_to_receive(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	begin_recv(&calls[0], &channel, CSYS_FOREVER);
	await_sleep(&calls[0]);
	for (int i = 0; i < 3; i++)
		assert_empty(&channel);
	unsigned char value[MOST_SIZE];
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_receiver_recv_until(channel.rx, deadline, value), CSYS_ETIMEDOUT);
	assert_int_equal(csys_deadline_left(deadline), 0);
	assert_int_equal(csysi_load_acquire(&calls[0].has_returned), 0);
	assert_sends(&channel, 6);
	end_recv(&calls[0], 6);
	close_channel(&channel);
}

static void a_try_does_not_wait_for_a_thread_that_waits_to_send(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, shape->capacity);
	begin_send(&calls[0], &channel, shape->capacity, CSYS_FOREVER);
	await_sleep(&calls[0]);
	for (int i = 0; i < 3; i++)
		assert_full(&channel);
	assert_int_equal(csysi_load_acquire(&calls[0].has_returned), 0);
	assert_receives(&channel, 0);
	assert_int_equal(end_call(&calls[0]), 0);
	assert_receives_all(&channel, 1, shape->capacity);
	close_channel(&channel);
}

static void several_receivers_that_wait_get_a_message_each(const struct shape *shape)
{
	for (int is_shared = 0; is_shared < 2; is_shared++) {
		struct channel channel;
		csys_receiver *receivers[WAITERS];
		int seen[WAITERS] = { 0 };
		open_channel_with(&channel, shape,
				  (csys_channel_options){ .many_receivers = !is_shared });
		for (int i = 0; i < WAITERS; i++) {
			struct channel clone = channel;
			receivers[i] = NULL;
			if (i > 0 && !is_shared)
				clone.rx = receivers[i] = csys_receiver_clone(channel.rx);
			begin_recv(&calls[i], &clone, CSYS_FOREVER);
		}
		for (int i = 0; i < WAITERS; i++)
			await_sleep(&calls[i]);
		for (uint64_t i = 0; i < WAITERS; i++) {
			unsigned char value[MOST_SIZE];
			fill(value, shape->size, i);
			assert_int_equal(csys_sender_send(channel.tx, value), 0);
		}
		for (int i = 0; i < WAITERS; i++) {
			assert_int_equal(end_call(&calls[i]), 0);
			int which = 0;
			while (which < WAITERS &&
			       (seen[which] ||
				!is_message(calls[i].value, shape->size, (uint64_t)which)))
				which++;
			assert_true(which < WAITERS);
			seen[which] = 1;
			csys_receiver_close(receivers[i]);
		}
		close_channel(&channel);
		assert_int_equal(channel.drops.count, 0);
	}
}

static void a_batch_wakes_as_many_receivers_as_it_has_messages(const struct shape *shape)
{
	for (int round = 0; round < 4; round++) {
		struct channel channel;
		csys_receiver *receivers[3] = { NULL };
		unsigned char values[3 * MOST_SIZE];
		size_t sent = 77;
		int is_shared = round % 2;
		open_channel_with(&channel, shape,
				  (csys_channel_options){ .many_receivers = !is_shared });
		for (int i = 0; i < 3; i++) {
			struct channel clone = channel;
			if (!is_shared)
				clone.rx = receivers[i] = csys_receiver_clone(channel.rx);
			fill(values + (size_t)i * shape->size, shape->size, 9);
			begin_recv(&calls[i], &clone, CSYS_FOREVER);
		}
		for (int i = 0; i < 3; i++)
			await_sleep(&calls[i]);
		assert_int_equal(csys_sender_send_batch(channel.tx, values, 3, CSYS_FOREVER, &sent),
				 0);
		assert_int_equal(sent, 3);
		for (int i = 0; i < 3; i++) {
			end_recv(&calls[i], 9);
			csys_receiver_close(receivers[i]);
		}
		close_channel(&channel);
		assert_int_equal(channel.drops.count, 0);
	}
}

static void a_receiver_that_gives_up_leaves_the_message_to_the_others(const struct shape *shape)
{
	struct channel channel;
	open_channel_with(&channel, shape, (csys_channel_options){ .many_receivers = 1 });
	struct channel clone = channel;
	clone.rx = csys_receiver_clone(channel.rx);
	for (uint64_t i = 0; i < 20; i++) {
		begin_recv(&calls[0], &channel, csys_after_us((int64_t)(i * 100)));
		begin_recv(&calls[1], &clone, CSYS_FOREVER);
		if (i % 2)
			await_sleep(&calls[1]);
		unsigned char value[MOST_SIZE];
		fill(value, shape->size, i);
		assert_int_equal(csys_sender_send(channel.tx, value), 0);
		if (end_call(&calls[0]) == 0) { /* it came first: the other still waits */
			fill(value, shape->size, i);
			assert_int_equal(csys_sender_send(channel.tx, value), 0);
		}
		end_recv(&calls[1], i);
		assert_empty(&channel);
	}
	csys_receiver_close(clone.rx);
	close_channel(&channel);
}

/* ---- deadlines that pass while a message is handed over ---------------------------------- */

struct race {
	struct channel channel;
	csys_deadline deadline; /* of the sender */
	uint64_t number;
	int result;
};

static void *send_in_race(void *argument)
{
	struct race *race = argument;
	unsigned char value[MOST_SIZE];
	fill(value, race->channel.shape.size, race->number);
	race->result = csys_sender_send_until(race->channel.tx, value, race->deadline);
	return NULL;
}

static void both_sides_agree_whether_a_message_was_sent_in_time(const struct shape *shape)
{
	struct race race;
	unsigned char value[MOST_SIZE];
	const int64_t least = 10000, most = 90000; /* around what a thread needs to begin */
	const int rounds = shape->capacity > 3 ? 3 : 60;
	open_channel(&race.channel, shape);
	for (uint64_t i = 0; i < (uint64_t)rounds; i++) {
		pthread_t thread;
		int64_t now = csys_now(), step = (most - least) / rounds * (int64_t)i;
		assert_sends_all(&race.channel, 1, shape->capacity);
		race.number = i;
		race.deadline = csys_deadline_at(now + least + step);
		assert_int_equal(pthread_create(&thread, NULL, send_in_race, &race), 0);
		assert_receives_all(&race.channel, 1, shape->capacity);
		int r = csys_receiver_recv_until(race.channel.rx,
						 csys_deadline_at(now + least + 40000), value);
		pthread_join(thread, NULL);
		if (r != 0 && !is_rendezvous(shape) && race.result == 0)
			r = csys_receiver_try_recv(race.channel.rx, value); /* it came later */
		assert_true(race.result == 0 || race.result == CSYS_ETIMEDOUT);
		assert_int_equal(r == 0, race.result == 0);
		if (r == 0)
			assert_true(is_message(value, shape->size, i));
		assert_empty(&race.channel);
	}
	close_channel(&race.channel);
	assert_int_equal(race.channel.drops.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_QUEUES, a_receiver_sleeps_until_a_message_comes),
		TEST_ON(OF_UNBOUNDED | OF_RENDEZVOUS, a_receiver_is_woken_by_a_batch),
		TEST_ONE(a_thread_that_waits_uses_no_cpu),
		TEST_ON(OF_QUEUES, a_receiver_sleeps_and_wakes_after_many_messages),
		TEST_ON(OF_BOUNDED, a_sender_sleeps_until_there_is_room),
		TEST_ON(OF_BOUNDED, each_room_lets_one_sender_go_on),
		TEST_ON(OF_BOUNDED, much_room_at_once_lets_all_senders_go_on),
		TEST_ON(OF_BOUNDED, a_sender_that_gives_up_leaves_its_room_to_others),
		TEST_ON(OF_ALL, a_receiver_that_gives_up_takes_no_message_with_it),
		TEST_ON(OF_ALL, the_last_sender_wakes_a_receiver),
		TEST_ON(OF_ALL, the_last_sender_wakes_all_receivers),
		TEST_ON(OF_BOUNDED | OF_RENDEZVOUS,
			the_last_receiver_wakes_all_senders_which_keep_their_messages),
		TEST_ON(OF_QUEUES, a_try_does_not_wait_for_a_thread_that_waits_to_receive),
		TEST_ON(OF_BOUNDED, a_try_does_not_wait_for_a_thread_that_waits_to_send),
		TEST_ON(OF_ALL, several_receivers_that_wait_get_a_message_each),
		TEST_ON(OF_ALL, a_batch_wakes_as_many_receivers_as_it_has_messages),
		TEST_ON(OF_ALL, a_receiver_that_gives_up_leaves_the_message_to_the_others),
		TEST_ON(OF_BOUNDED | OF_RENDEZVOUS,
			both_sides_agree_whether_a_message_was_sent_in_time),
	};
	count_memory();
	share_receivers();
	return RUN(tests);
}
