/*
 * sync/test_channel_wake.c - promises of csys/sync/channel.h: no wake is lost.
 *
 * A thread that uses a side alone leaves out a fence after some hundred operations, and the one
 * that falls asleep makes up for it (src/sync/channel_fence.c).  So here one side does that many,
 * and then one more at a moment, by chance, at which the other side may be about to sleep.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

enum { ROUNDS = 1500, QUICK = 300, CAPACITY = 4 };

struct wake {
	csys_sender *tx;
	csys_receiver *rx;
	uint32_t done; /* atomic: operations of the other thread */
};

/* Up to 12 us: a thread spins for 5 us before it sleeps. */
static void wait_by_chance(void)
{
	static unsigned seed = 1;
	seed = seed * 1103515245u + 12345u;
	int64_t end = csys_now() + (seed >> 16) % 12000;
	while (csys_now() < end)
		continue;
}

static void await_done(struct wake *wake, uint32_t count)
{
	csys_deadline deadline = csys_after_s(20);
	while (csysi_load_acquire(&wake->done) < count) {
		csys_thread_yield();
		CHECK(csys_deadline_left(deadline) > 0); /* else a wake is lost */
	}
}

static void *receive_on(void *argument)
{
	struct wake *wake = argument;
	uint64_t number;
	while (csys_receiver_recv(wake->rx, &number) == 0)
		csysi_store_release(&wake->done, wake->done + 1);
	return NULL;
}

static int rounds(void)
{
	return under_valgrind() || WITH_TSAN ? ROUNDS / 40 : ROUNDS;
}

/* Every second time none: the side still has its fence. */
static uint32_t quick_ones(int round)
{
	return round % 2 ? QUICK : 0;
}

static void a_message_wakes_a_receiver_that_falls_asleep(void **state)
{
	(void)state;
	const size_t capacities[] = { CSYS_UNBOUNDED, 2 * QUICK };
	for (size_t c = 0; c < 2; c++) {
		struct wake wake = { 0 };
		pthread_t thread;
		uint32_t sent = 0;
		assert_int_equal(csys_channel_new(8, capacities[c], NULL, &wake.tx, &wake.rx), 0);
		assert_int_equal(pthread_create(&thread, NULL, receive_on, &wake), 0);
		for (int round = 0; round < rounds(); round++) {
			uint64_t number = 0;
			uint32_t quick = quick_ones(round);
			for (uint32_t i = 0; i < quick; i++)
				assert_int_equal(csys_sender_send(wake.tx, &number), 0);
			await_done(&wake, sent += quick);
			wait_by_chance();
			assert_int_equal(csys_sender_send(wake.tx, &number), 0);
			await_done(&wake, ++sent);
		}
		csys_sender_close(wake.tx);
		pthread_join(thread, NULL);
		csys_receiver_close(wake.rx);
	}
}

static void *send_on(void *argument)
{
	struct wake *wake = argument;
	uint64_t number = 0;
	while (csys_sender_send(wake->tx, &number) == 0)
		csysi_store_release(&wake->done, wake->done + 1);
	return NULL;
}

static void room_wakes_a_sender_that_falls_asleep(void **state)
{
	(void)state;
	struct wake wake = { 0 };
	pthread_t thread;
	uint32_t received = 0;
	uint64_t number;
	assert_int_equal(csys_channel_new(8, CAPACITY, NULL, &wake.tx, &wake.rx), 0);
	assert_int_equal(pthread_create(&thread, NULL, send_on, &wake), 0);
	for (int round = 0; round < rounds(); round++) {
		uint32_t quick = quick_ones(round);
		for (uint32_t i = 0; i < quick; i++)
			assert_int_equal(csys_receiver_recv(wake.rx, &number), 0);
		await_done(&wake, (received += quick) + CAPACITY);
		wait_by_chance();
		assert_int_equal(csys_receiver_recv(wake.rx, &number), 0);
		await_done(&wake, ++received + CAPACITY);
	}
	csys_receiver_close(wake.rx);
	pthread_join(thread, NULL);
	csys_sender_close(wake.tx);
}

/* The last sender, or the last receiver, is closed at such a moment: join, or hang. */
static void a_close_wakes_a_thread_that_falls_asleep(void **state)
{
	(void)state;
	for (int round = 0; round < rounds() / 4; round++) {
		for (int is_sender = 0; is_sender < 2; is_sender++) {
			struct wake wake = { 0 };
			pthread_t thread;
			uint64_t number = 0;
			assert_int_equal(csys_channel_new(8, CAPACITY, NULL, &wake.tx, &wake.rx),
					 0);
			for (int i = 0; i < QUICK; i++) {
				assert_int_equal(csys_sender_send(wake.tx, &number), 0);
				assert_int_equal(csys_receiver_recv(wake.rx, &number), 0);
			}
			assert_int_equal(pthread_create(&thread, NULL,
							is_sender ? send_on : receive_on, &wake),
					 0);
			if (is_sender)
				await_done(&wake, CAPACITY);
			wait_by_chance();
			if (is_sender)
				csys_receiver_close(wake.rx);
			else
				csys_sender_close(wake.tx);
			pthread_join(thread, NULL);
			if (is_sender)
				csys_sender_close(wake.tx);
			else
				csys_receiver_close(wake.rx);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_message_wakes_a_receiver_that_falls_asleep),
		TEST_ONE(room_wakes_a_sender_that_falls_asleep),
		TEST_ONE(a_close_wakes_a_thread_that_falls_asleep),
	};
	count_memory();
	return RUN(tests);
}
