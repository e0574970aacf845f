/*
 * sync/test_channel_race.c - promises of csys/sync/channel.h: what happens while a thread is in the
 * midst of a call.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

/* ---- a second thread that comes in the midst --------------------------------------------- */

enum { SHORT = 300 };

struct meeting {
	csys_sender *tx;
	csys_receiver *rx;
	uint32_t go, threads;     /* atomic */
	uint32_t seen[2 * SHORT]; /* atomic */
};

static void *send_at_once(void *argument)
{
	struct meeting *meeting = argument;
	uint32_t thread = csysi_add_relaxed(&meeting->threads, 1) - 1;
	while (csysi_load_acquire(&meeting->go) < 1 + thread * SHORT / 10)
		continue;
	for (uint64_t i = 0; i < SHORT; i++) {
		uint64_t number = thread * SHORT + i;
		CHECK(csys_sender_try_send(meeting->tx, &number) == 0);
		if (thread == 0)
			csysi_store_release(&meeting->go, (uint32_t)i + 2);
	}
	return NULL;
}

static void *receive_at_once(void *argument)
{
	struct meeting *meeting = argument;
	uint32_t thread = csysi_add_relaxed(&meeting->threads, 1) - 1;
	uint64_t number;
	while (csysi_load_acquire(&meeting->go) < 1 + thread * SHORT / 10)
		continue;
	for (uint32_t i = 0; csys_receiver_try_recv(meeting->rx, &number) == 0; i++) {
		CHECK(number < 2 * SHORT);
		csysi_add_relaxed(&meeting->seen[number], 1);
		if (thread == 0)
			csysi_store_release(&meeting->go, i + 2);
	}
	csysi_store_release(&meeting->go, SHORT);
	return NULL;
}

static void run_two(struct meeting *meeting, void *(*run)(void *))
{
	pthread_t threads[2];
	meeting->go = meeting->threads = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, meeting), 0);
	csysi_store_release(&meeting->go, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* The side passes from the thread that has it alone to both, while that uses it. */
static void a_second_thread_may_come_while_the_first_is_in_the_midst(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct meeting meeting;
		memset(&meeting, 0, sizeof meeting);
		assert_int_equal(csys_channel_new(sizeof(uint64_t),
						  round % 2 ? CSYS_UNBOUNDED : 2 * SHORT, NULL,
						  &meeting.tx, &meeting.rx),
				 0);
		run_two(&meeting, send_at_once);
		assert_int_equal(csys_receiver_len(meeting.rx), 2 * SHORT);
		run_two(&meeting, receive_at_once);
		for (int i = 0; i < 2 * SHORT; i++)
			assert_int_equal(meeting.seen[i], 1);
		csys_sender_close(meeting.tx);
		csys_receiver_close(meeting.rx);
	}
}

/* ---- closing in the midst ---------------------------------------------------------------- */

struct flow {
	csys_sender *tx;
	size_t size;
	int has_clones;
	uint32_t threads; /* atomic: that have begun */
	uint32_t sent;    /* atomic */
};

static const struct shape shapes[] = {
	{ 8, 0, CSYS_UNBOUNDED },
	{ 17, 0, CSYS_UNBOUNDED },
	{ 5000, 0, CSYS_UNBOUNDED },
	{ 8, 0, 1 },
	{ 64, 0, 3 },
	{ 8, 0, 1024 },
	{ 512, 0, 1024 },
	{ 24, 0, 0 },
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void *send_until_it_fails(void *argument)
{
	struct flow *flow = argument;
	csys_sender *tx = flow->tx;
	unsigned char value[MOST_SIZE];
	if (flow->has_clones)
		tx = csys_sender_clone(tx);
	csysi_add_release(&flow->threads, 1);
	int r = 0;
	while (r == 0) {
		fill(value, flow->size, 0);
		r = csys_sender_send(tx, value);
		if (r == 0)
			csysi_add_relaxed(&flow->sent, 1);
	}
	CHECK(r == CSYS_EDISCONNECTED);
	if (flow->has_clones)
		csys_sender_close(tx);
	return NULL;
}

static void count_only(void *value, void *argument)
{
	(void)value;
	csysi_add_relaxed((uint32_t *)argument, 1);
}

/* The list's first block, its next ones, full rings: the receiver goes at all moments. */
static void each_message_sent_is_received_or_destroyed_when_the_receiver_goes(void **state)
{
	(void)state;
	for (int round = 0; round < 240; round++) {
		struct shape shape = shapes[round % (int)SHAPES];
		int senders = 1 + round / 8 % 3;
		pthread_t threads[3];
		uint32_t dropped = 0, received = 0;
		csys_receiver *rx;
		unsigned char value[MOST_SIZE];
		csys_channel_options options = { .drop = count_only, .drop_argument = &dropped };
		struct flow flow = { .size = shape.size, .has_clones = round % 2 };
		assert_int_equal(
			csys_channel_new(shape.size, shape.capacity, &options, &flow.tx, &rx), 0);
		for (int i = 0; i < senders; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, send_until_it_fails, &flow), 0);
		while (csysi_load_acquire(&flow.threads) < (uint32_t)senders)
			csys_thread_yield();
		for (int n = 0; n < round / 24 * 30; n++, received++)
			assert_int_equal(csys_receiver_recv(rx, value), 0);
		csys_receiver_close(rx);
		for (int i = 0; i < senders; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(flow.sent, received + dropped);
		csys_sender_close(flow.tx);
		assert_int_equal(flow.sent, received + dropped);
	}
}

static void *send_and_close(void *argument)
{
	struct flow *flow = argument;
	uint64_t number = 5;
	csysi_store_release(&flow->threads, 1);
	for (uint32_t i = 0; i < flow->sent; i++)
		csys_spin_hint();
	CHECK(csys_sender_send(flow->tx, &number) == 0);
	csys_sender_close(flow->tx);
	return NULL;
}

static void the_last_message_is_received_though_its_sender_closes_at_once(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 600; round++) {
		struct flow flow = { .sent = round % 40 };
		csys_receiver *rx;
		pthread_t thread;
		uint64_t number = 0;
		int r;
		assert_int_equal(
			csys_channel_new(8, round % 2 ? CSYS_UNBOUNDED : 2, NULL, &flow.tx, &rx),
			0);
		assert_int_equal(pthread_create(&thread, NULL, send_and_close, &flow), 0);
		while (!csysi_load_acquire(&flow.threads))
			csys_thread_yield();
		while ((r = csys_receiver_try_recv(rx, &number)) == CSYS_EAGAIN)
			continue;
		assert_int_equal(r, 0);
		assert_int_equal(csys_receiver_recv(rx, &number), CSYS_EDISCONNECTED);
		pthread_join(thread, NULL);
		csys_receiver_close(rx);
	}
}

/* Of so many threads each has one message in the channel at most. */
static void *send_and_receive(void *argument)
{
	const struct meeting *meeting = argument;
	uint64_t number = 5;
	for (int i = 0; i < 20000; i++) {
		CHECK(csys_sender_try_send(meeting->tx, &number) == 0);
		CHECK(csys_receiver_recv(meeting->rx, &number) == 0);
	}
	return NULL;
}

static void a_channel_that_has_room_is_not_full_for_any_of_several_threads(void **state)
{
	(void)state;
	struct meeting meeting = { 0 };
	assert_int_equal(csys_channel_new(8, 3, NULL, &meeting.tx, &meeting.rx), 0);
	run_threads(3, send_and_receive, &meeting);
	csys_sender_close(meeting.tx);
	csys_receiver_close(meeting.rx);
}

struct weak_race {
	csys_weak_sender *weak;
	csys_receiver *rx;
	uint32_t is_upgraded;
};

static void *upgrade_it(void *argument)
{
	struct weak_race *race = argument;
	int value = 5;
	csys_sender *tx = csys_weak_sender_upgrade(race->weak);
	if (tx) {
		race->is_upgraded = 1;
		CHECK(csys_sender_send(tx, &value) == 0);
		csys_sender_close(tx);
	}
	csys_weak_sender_close(race->weak);
	return NULL;
}

static void an_upgrade_that_meets_the_last_close_has_a_sender_or_none(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct weak_race race = { NULL, NULL, 0 };
		pthread_t thread;
		csys_sender *tx;
		int value;
		assert_int_equal(csys_channel_new(sizeof value, round % 2 ? CSYS_UNBOUNDED : 1,
						  NULL, &tx, &race.rx),
				 0);
		race.weak = csys_sender_downgrade(tx);
		assert_int_equal(pthread_create(&thread, NULL, upgrade_it, &race), 0);
		for (int i = 0; i < round % 50 * 20; i++)
			csys_thread_yield();
		csys_sender_close(tx);
		int r = csys_receiver_recv(race.rx, &value);
		pthread_join(thread, NULL);
		assert_int_equal(r, race.is_upgraded ? 0 : CSYS_EDISCONNECTED);
		assert_int_equal(csys_receiver_recv(race.rx, &value), CSYS_EDISCONNECTED);
		csys_receiver_close(race.rx);
	}
}

/* ---- places that are aborted at once ------------------------------------------------------ */

enum { ABORTS = 10000 };

struct pair {
	csys_sender *tx;
	void *places[2];
	uint32_t begun, ended; /* atomic: rounds */
};

static void *abort_the_first(void *argument)
{
	struct pair *pair = argument;
	for (uint32_t round = 1; round <= ABORTS; round++) {
		for (int tries = 0; csysi_load_acquire(&pair->begun) < round; tries++)
			if (tries > 1000)
				csys_thread_yield();
		csys_sender_abort(pair->tx, pair->places[0]);
		csysi_store_release(&pair->ended, round);
	}
	return NULL;
}

/* The first one is not the last that was reserved, until the other one is given back. */
static void places_that_two_threads_abort_at_once_are_both_free(void **state)
{
	(void)state;
	struct pair pair = { 0 };
	csys_receiver *rx;
	pthread_t thread;
	assert_int_equal(csys_channel_new(8, 2, NULL, &pair.tx, &rx), 0);
	assert_int_equal(pthread_create(&thread, NULL, abort_the_first, &pair), 0);
	for (uint32_t round = 1; round <= ABORTS; round++) {
		for (int i = 0; i < 2; i++)
			CHECK(csys_sender_try_reserve(pair.tx, &pair.places[i]) == 0);
		csysi_store_release(&pair.begun, round);
		for (uint32_t i = 0; i < round % 100; i++)
			csys_spin_hint();
		csys_sender_abort(pair.tx, pair.places[1]);
		for (int tries = 0; csysi_load_acquire(&pair.ended) < round; tries++)
			if (tries > 1000)
				csys_thread_yield();
	}
	pthread_join(thread, NULL);
	csys_sender_close(pair.tx);
	csys_receiver_close(rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_second_thread_may_come_while_the_first_is_in_the_midst),
		TEST_ONE(each_message_sent_is_received_or_destroyed_when_the_receiver_goes),
		TEST_ONE(the_last_message_is_received_though_its_sender_closes_at_once),
		TEST_ONE(a_channel_that_has_room_is_not_full_for_any_of_several_threads),
		TEST_ONE(an_upgrade_that_meets_the_last_close_has_a_sender_or_none),
		TEST_ONE(places_that_two_threads_abort_at_once_are_both_free),
	};
	count_memory();
	share_receivers();
	return RUN(tests);
}
