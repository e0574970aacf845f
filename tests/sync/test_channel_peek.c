/*
 * sync/test_channel_peek.c - promises of csys/sync/channel_in_place.h: peeking; handles; and both
 * sides at once.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

enum { SIZE = 24 };

static void open_many(struct channel *channel, size_t capacity)
{
	const struct shape shape = { SIZE, 8, capacity };
	open_channel_with(channel, &shape, (csys_channel_options){ .many_receivers = 1 });
}

static void *peeked(struct channel *channel, uint64_t number)
{
	void *place = NULL;
	assert_int_equal(csys_receiver_try_peek(channel->rx, &place), 0);
	assert_true(is_message(place, SIZE, number));
	return place;
}

static void *reserved(struct channel *channel, uint64_t number)
{
	void *place = NULL;
	assert_int_equal(csys_sender_try_reserve(channel->tx, &place), 0);
	fill(place, SIZE, number);
	return place;
}

/* ---- peeking ----------------------------------------------------------------------------- */

static void a_peeked_message_is_received_when_it_is_released(void **state)
{
	(void)state;
	struct channel channel;
	void *none = &channel;
	open_many(&channel, 2);
	assert_int_equal(csys_receiver_try_peek(channel.rx, &none), CSYS_EAGAIN);
	assert_int_equal(csys_receiver_peek(channel.rx, CSYS_POLL, &none), CSYS_ETIMEDOUT);
	assert_int_equal(csys_receiver_peek(channel.rx, csys_after_ns(1), &none), CSYS_ETIMEDOUT);
	assert_ptr_equal(none, &channel);
	for (uint64_t i = 0; i < 9; i++) {
		assert_sends(&channel, i);
		assert_sends(&channel, i + 1);
		void *place = peeked(&channel, i);
		assert_ptr_equal(peeked(&channel, i), place); /* the same again */
		assert_int_equal(csys_receiver_len(channel.rx), 2);
		assert_full(&channel);
		csys_receiver_release(channel.rx);
		assert_int_equal(csys_receiver_len(channel.rx), 1);
		peeked(&channel, i + 1);
		csys_receiver_release(channel.rx);
		assert_empty(&channel);
	}
	csys_sender_close(channel.tx);
	assert_int_equal(csys_receiver_peek(channel.rx, CSYS_FOREVER, &none), CSYS_EDISCONNECTED);
	assert_int_equal(csys_receiver_try_peek(channel.rx, &none), CSYS_EDISCONNECTED);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, 0);
}

static void what_is_committed_is_peeked_at_the_same_place(void **state)
{
	(void)state;
	struct channel channel;
	open_many(&channel, 3);
	for (uint64_t i = 0; i < 9; i++) {
		void *place = reserved(&channel, i);
		assert_int_equal(csys_sender_commit(channel.tx, place), 0);
		assert_ptr_equal(peeked(&channel, i), place);
		fill(place, SIZE, i + 50); /* may be changed */
		assert_receives(&channel, i + 50);
	}
	close_channel(&channel);
}

static void the_thread_that_peeks_receives_that_message(void **state)
{
	(void)state;
	struct channel channel;
	unsigned char values[3 * SIZE];
	size_t count, which;
	open_many(&channel, 3);
	for (int lap = 0; lap < 4; lap++) {
		csys_select_case one = csys_select_recv(channel.rx, values);
		assert_sends_all(&channel, 1, 3);
		peeked(&channel, 1);
		assert_receives(&channel, 1);
		peeked(&channel, 2);
		assert_int_equal(csys_select(&one, 1, &which), 0);
		assert_true(is_message(values, SIZE, 2));
		assert_sends_all(&channel, 4, 2);
		peeked(&channel, 3);
		assert_int_equal(
			csys_receiver_recv_batch(channel.rx, values, 3, CSYS_FOREVER, &count), 0);
		assert_int_equal(count, 3);
		for (uint64_t i = 0; i < 3; i++)
			assert_true(is_message(values + i * SIZE, SIZE, i + 3));
		assert_empty(&channel);
	}
	assert_sends_all(&channel, 0, 3);
	peeked(&channel, 0);
	assert_int_equal(drained(channel.rx), 3);
	close_channel(&channel);
	assert_drops(&channel, 0, 3);
}

static void other_threads_wait_for_the_release(void **state)
{
	(void)state;
	struct channel channel;
	struct call calls[3];
	open_many(&channel, 3);
	assert_sends_all(&channel, 7, 1);
	peeked(&channel, 7);
	begin_recv(&calls[0], &channel, CSYS_POLL);
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	begin_recv(&calls[0], &channel, csys_after_ms(1));
	assert_int_equal(end_call(&calls[0]), CSYS_ETIMEDOUT);
	for (int i = 0; i < 3; i++) {
		begin_recv(&calls[i], &channel, CSYS_FOREVER);
		await_sleep(&calls[i]);
	}
	assert_sends(&channel, 8);
	assert_sends(&channel, 8);
	for (int i = 0; i < 3; i++)
		await_sleep(&calls[i]);
	/* No sender is left: they wait for the two behind it all the same, and one gets none. */
	csys_sender_close(channel.tx);
	for (int i = 0; i < 3; i++)
		await_sleep(&calls[i]);
	csys_receiver_release(channel.rx);
	int received = 0;
	for (int i = 0; i < 3; i++) {
		int r = end_call(&calls[i]);
		assert_true(r == CSYS_EDISCONNECTED || is_message(calls[i].value, SIZE, 8));
		received += r == 0;
	}
	assert_int_equal(received, 2);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, 0);
}

static void other_threads_go_on_when_the_peeked_message_is_received(void **state)
{
	(void)state;
	struct channel channel;
	struct call call;
	for (int by_batch = 0; by_batch < 2; by_batch++) {
		unsigned char value[SIZE];
		size_t count = 1;
		open_many(&channel, 3);
		assert_sends_all(&channel, 1, 2);
		peeked(&channel, 1);
		begin_recv(&call, &channel, CSYS_FOREVER);
		await_sleep(&call);
		assert_int_equal(
			by_batch ? csys_receiver_recv_batch(channel.rx, value, 1, CSYS_POLL, &count)
				 : csys_receiver_recv(channel.rx, value),
			0);
		assert_true(count == 1 && is_message(value, SIZE, 1));
		end_recv(&call, 2);
		close_channel(&channel);
	}
}

static void a_sender_that_waits_for_room_goes_on_at_the_release(void **state)
{
	(void)state;
	struct channel channel;
	struct call call;
	open_many(&channel, 1);
	assert_sends(&channel, 1);
	peeked(&channel, 1);
	begin_send(&call, &channel, 2, CSYS_FOREVER);
	await_sleep(&call);
	csys_receiver_release(channel.rx);
	assert_int_equal(end_call(&call), 0);
	assert_receives(&channel, 2);
	close_channel(&channel);
}

static void closing_the_receiver_destroys_a_peeked_message(void **state)
{
	(void)state;
	struct channel channel;
	open_many(&channel, 3);
	assert_sends_all(&channel, 0, 3);
	peeked(&channel, 0);
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, 3);
	csys_sender_close(channel.tx);
}

static void release_nothing(void)
{
	csys_sender *tx;
	csys_receiver *rx;
	int value = 5;
	CHECK(csys_channel_new(sizeof value, 2, NULL, &tx, &rx) == 0);
	CHECK(csys_sender_send(tx, &value) == 0);
	csys_receiver_release(rx);
}

static void a_release_without_a_peek_aborts(void **state)
{
	(void)state;
	assert_aborts(release_nothing,
		      "csys: a release by a receiver that has no message peeked\n");
}

/* ---- event loops and selects ------------------------------------------------------------- */

static int is_ready(csys_handle handle)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, CSYS_POLL);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static void a_receiver_s_handle_is_not_ready_for_places_and_peeked_messages(void **state)
{
	(void)state;
	struct channel channel;
	csys_handle handle;
	open_many(&channel, 4);
	assert_int_equal(csys_receiver_handle(channel.rx, &handle), 0);
	for (int lap = 0; lap < 5; lap++) {
		void *first = reserved(&channel, 1);
		assert_int_equal(is_ready(handle), 0);
		assert_sends(&channel, 2);
		assert_int_equal(is_ready(handle), 0); /* nor for what is behind it */
		void *last = reserved(&channel, 3);
		assert_int_equal(csys_sender_commit(channel.tx, first), 0);
		assert_int_equal(is_ready(handle), 1);
		peeked(&channel, 1);
		assert_int_equal(is_ready(handle), 0);
		csys_receiver_release(channel.rx);
		assert_int_equal(is_ready(handle), 1);
		assert_receives(&channel, 2);
		assert_int_equal(is_ready(handle), 0);
		csys_sender_abort(channel.tx, last);
		assert_int_equal(is_ready(handle), 0);
		/* An aborted place at head, in the middle, and behind the last message. */
		void *places[2];
		places[0] = reserved(&channel, 1);
		assert_sends(&channel, 2);
		places[1] = reserved(&channel, 3);
		void *open = reserved(&channel, 4);
		csys_sender_abort(channel.tx, places[1]);
		csys_sender_abort(channel.tx, places[0]);
		assert_int_equal(is_ready(handle), 1);
		assert_receives(&channel, 2);
		assert_int_equal(is_ready(handle), 0);
		assert_int_equal(csys_receiver_len(channel.rx), 0);
		csys_sender_abort(channel.tx, open);
		assert_int_equal(is_ready(handle), 0);
	}
	close_channel(&channel);
}

static void an_aborted_place_at_head_is_free_at_once_where_there_is_a_handle(void **state)
{
	(void)state;
	struct channel channel;
	csys_handle receivers, senders;
	open_many(&channel, 2);
	assert_int_equal(csys_receiver_handle(channel.rx, &receivers), 0);
	assert_int_equal(csys_sender_handle(channel.tx, &senders), 0);
	for (int lap = 0; lap < 5; lap++) {
		void *first = reserved(&channel, 1);
		assert_int_equal(is_ready(senders), 1);
		void *second = reserved(&channel, 2);
		assert_int_equal(is_ready(senders), 0);
		csys_sender_abort(channel.tx, first);
		assert_int_equal(is_ready(senders), 1);
		assert_int_equal(is_ready(receivers), 0);
		assert_sends(&channel, 3);
		assert_int_equal(is_ready(senders), 0);
		csys_sender_abort(channel.tx, second);
		assert_int_equal(is_ready(senders), 1);
		assert_int_equal(is_ready(receivers), 1);
		assert_receives(&channel, 3);
		assert_int_equal(is_ready(receivers), 0);
	}
	close_channel(&channel);
}

struct selecting {
	csys_receiver *rx;
	unsigned char value[SIZE];
	uint32_t runs; /* atomic */
};

static void *select_one(void *argument)
{
	struct selecting *self = argument;
	csys_select_case one = csys_select_recv(self->rx, self->value);
	size_t which;
	csysi_store_release(&self->runs, 1);
	CHECK(csys_select(&one, 1, &which) == 0);
	return NULL;
}

static void a_select_waits_for_the_commit_or_goes_on_behind_the_aborted(void **state)
{
	(void)state;
	for (int commits = 0; commits < 2; commits++) {
		struct channel channel;
		struct selecting other = { 0 };
		pthread_t thread;
		csys_select_case one;
		size_t which;
		open_many(&channel, 3);
		other.rx = channel.rx;
		void *place = reserved(&channel, 1);
		assert_sends(&channel, 2);
		one = csys_select_recv(channel.rx, other.value);
		assert_int_equal(csys_try_select(&one, 1, &which), CSYS_EAGAIN);
		assert_int_equal(csys_select_until(&one, 1, csys_after_ns(1), &which),
				 CSYS_ETIMEDOUT);
		assert_int_equal(pthread_create(&thread, NULL, select_one, &other), 0);
		while (!csysi_load_acquire(&other.runs))
			take_a_nap();
		take_a_nap();
		if (commits)
			assert_int_equal(csys_sender_commit(channel.tx, place), 0);
		else
			csys_sender_abort(channel.tx, place);
		pthread_join(thread, NULL);
		assert_true(is_message(other.value, SIZE, commits ? 1 : 2));
		if (commits)
			assert_receives(&channel, 2);
		close_channel(&channel);
	}
}

/* ---- many at once ------------------------------------------------------------------------ */

enum { SENDERS = 3, EACH = 400 };

struct crowd {
	csys_sender *tx;
	csys_receiver *rx;
	uint32_t threads;               /* atomic */
	uint32_t sent[SENDERS];         /* each by its sender */
	uint32_t seen[SENDERS][EACH];   /* atomic: received or destroyed */
	uint32_t disorder;              /* atomic */
	int receivers, rounds_to_close; /* rounds_to_close: of a receiver, then it closes */
};

struct crowded {
	uint32_t sender, serial;
	uint64_t check;
	unsigned char more[40];
};

static uint64_t check_of(uint32_t sender, uint32_t serial)
{
	return (serial * 31u + sender) * UINT64_C(0x9e3779b97f4a7c15);
}

static void note(struct crowd *crowd, const struct crowded *value)
{
	if (value->sender >= SENDERS || value->serial >= EACH ||
	    value->check != check_of(value->sender, value->serial))
		csysi_add_relaxed(&crowd->disorder, 1);
	else
		csysi_add_relaxed(&crowd->seen[value->sender][value->serial], 1);
}

static void note_drop(void *value, void *argument)
{
	note(argument, value);
}

/* Send one by reserving.  1: sent; 0: aborted; -1: no receiver is left. */
static int send_in_place(struct crowd *crowd, const struct crowded *value, int aborts)
{
	void *place;
	int r = csys_sender_reserve(crowd->tx, CSYS_FOREVER, &place);
	if (r < 0)
		return -1;
	memset(place, 0xee, sizeof *value);
	if (!aborts) {
		memcpy(place, value, sizeof *value);
		if (csys_sender_commit(crowd->tx, place) == 0)
			return 1;
	}
	csys_sender_abort(crowd->tx, place);
	return aborts ? 0 : -1;
}

static void *send_each(void *argument)
{
	struct crowd *crowd = argument;
	uint32_t me = csysi_add_relaxed(&crowd->threads, 1) - 1;
	uint64_t random = me + 1;
	struct crowded value = { .sender = me };
	while (value.serial < EACH) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		value.check = check_of(me, value.serial);
		int how = (int)(random >> 62), r;
		if (how == 0)
			r = csys_sender_send(crowd->tx, &value) == 0 ? 1 : -1;
		else
			r = send_in_place(crowd, &value, how == 1);
		if (r < 0)
			break;
		value.serial += (uint32_t)r;
	}
	crowd->sent[me] = value.serial;
	csys_sender_close(crowd->tx);
	return NULL;
}

static void *receive_each(void *argument)
{
	struct crowd *crowd = argument;
	struct crowded value;
	void *place;
	for (int i = 0; crowd->rounds_to_close == 0 || i < crowd->rounds_to_close; i++) {
		if (i % 3 == 0) {
			if (csys_receiver_recv(crowd->rx, &value) < 0)
				break;
			note(crowd, &value);
			continue;
		}
		if (csys_receiver_peek(crowd->rx, CSYS_FOREVER, &place) < 0)
			break;
		if (i % 3 == 1) {
			note(crowd, place);
			csys_receiver_release(crowd->rx);
		} else if (csys_receiver_recv(crowd->rx, &value) == 0) {
			note(crowd, &value);
		}
	}
	csys_receiver_close(crowd->rx);
	return NULL;
}

static void run_crowd(size_t capacity, int receivers, int rounds_to_close)
{
	static struct crowd crowd;
	pthread_t threads[SENDERS + 3];
	csys_channel_options options = { .drop = note_drop,
					 .drop_argument = &crowd,
					 .many_receivers = 1 };
	memset(&crowd, 0, sizeof crowd);
	crowd.rounds_to_close = rounds_to_close;
	assert_int_equal(
		csys_channel_new(sizeof(struct crowded), capacity, &options, &crowd.tx, &crowd.rx),
		0);
	for (int i = 1; i < SENDERS; i++)
		csys_sender_clone(crowd.tx);
	for (int i = 1; i < receivers; i++)
		csys_receiver_clone(crowd.rx);
	for (int i = 0; i < SENDERS + receivers; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < SENDERS ? send_each : receive_each, &crowd),
				 0);
	for (int i = 0; i < SENDERS + receivers; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.disorder, 0);
	for (int i = 0; i < SENDERS; i++)
		for (uint32_t k = 0; k < EACH; k++)
			assert_int_equal(crowd.seen[i][k], k < crowd.sent[i]);
}

static void each_message_of_many_threads_is_received_or_destroyed_once(void **state)
{
	(void)state;
	static const size_t capacities[] = { 1, 2, 5, 64 };
	for (int c = 0; c < 4; c++)
		for (int receivers = 1; receivers <= 3; receivers += 2)
			for (int rounds = 0; rounds <= 90; rounds += 30)
				run_crowd(capacities[c], receivers, rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_peeked_message_is_received_when_it_is_released),
		TEST_ONE(what_is_committed_is_peeked_at_the_same_place),
		TEST_ONE(the_thread_that_peeks_receives_that_message),
		TEST_ONE(other_threads_wait_for_the_release),
		TEST_ONE(other_threads_go_on_when_the_peeked_message_is_received),
		TEST_ONE(a_sender_that_waits_for_room_goes_on_at_the_release),
		TEST_ONE(closing_the_receiver_destroys_a_peeked_message),
		TEST_ONE(a_release_without_a_peek_aborts),
		TEST_ONE(a_receiver_s_handle_is_not_ready_for_places_and_peeked_messages),
		TEST_ONE(an_aborted_place_at_head_is_free_at_once_where_there_is_a_handle),
		TEST_ONE(a_select_waits_for_the_commit_or_goes_on_behind_the_aborted),
		TEST_ONE(each_message_of_many_threads_is_received_or_destroyed_once),
	};
	count_memory();
	return RUN(tests);
}
