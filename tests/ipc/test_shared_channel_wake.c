/*
 * ipc/test_shared_channel_wake.c - promises of csys/ipc/shared_channel.h: a thread that sleeps is
 * woken by each call that lets it go on, and by that alone; and what is sent before an end is not
 * missed.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- senders --------------------------------------------------------------------------------- */

static void send_one(void)
{
	csys_shared_sender_close(sender); /* its parent's, if that has one */
	open_sender();
	reach_step(1);
	int r = csys_shared_sender_send(sender, &(uint64_t){ 9 }, 8);
	_exit(r == 0 ? 0 : r == CSYS_EDISCONNECTED ? 1 : 2);
}

/* The channel is full, and another process waits for room. */
static pid_t fill_before_one_that_waits(void)
{
	open_both();
	for (uint64_t i = 0; i < CAPACITY; i++)
		put(i);
	csys_shared_sender_close(sender);
	sender = NULL;
	pid_t pid = forked(send_one);
	await_step(1);
	take_a_nap(); /* by then it sleeps */
	return pid;
}

static void receive_a_quarter(void)
{
	pid_t pid = fill_before_one_that_waits();
	for (uint64_t i = 0; i < CAPACITY / 4; i++)
		get(i);
	assert_int_equal(code_of(pid), 0);
	close_both();
}

static void a_quarter_of_room_wakes_a_sender(void **state)
{
	(void)state;
	with_channels_without_naps(receive_a_quarter);
}

static void receive_a_batch(void)
{
	uint64_t got[CAPACITY];
	size_t count;
	pid_t pid = fill_before_one_that_waits();
	assert_int_equal(csys_shared_receiver_recv_batch(receiver, got, 8, CAPACITY, CSYS_POLL,
							 NULL, &count),
			 0);
	assert_int_equal(count, CAPACITY);
	assert_int_equal(code_of(pid), 0);
	close_both();
}

static void a_batch_that_is_received_wakes_a_sender(void **state)
{
	(void)state;
	with_channels_without_naps(receive_a_batch);
}

static void close_before_one_that_waits(void)
{
	pid_t pid = fill_before_one_that_waits();
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	assert_int_equal(code_of(pid), 1);
}

static void the_close_of_the_receiver_wakes_a_sender(void **state)
{
	(void)state;
	with_channels_without_naps(close_before_one_that_waits);
}

static void pass_over_what_is_aborted(void)
{
	void *places[CAPACITY];
	if (channel->senders == 1)
		return; /* which is open here */
	open_both();
	for (int i = 0; i < CAPACITY; i++)
		assert_int_equal(csys_shared_sender_try_reserve(sender, &places[i]), 0);
	pid_t pid = forked(send_one);
	await_step(1);
	take_a_nap();
	for (int i = 0; i < CAPACITY; i++)
		csys_shared_sender_abort(sender, places[i]);
	int r = get_within(CSYS_POLL);
	assert_true(r == 0 || r == CSYS_ETIMEDOUT); /* it may have sent by then */
	assert_int_equal(code_of(pid), 0);
	close_both();
}

static void a_receive_that_passes_over_places_wakes_a_sender(void **state)
{
	(void)state;
	with_channels_without_naps(pass_over_what_is_aborted);
}

/* ---- the receiver ---------------------------------------------------------------------------- */

static void receive_the_end(void)
{
	open_receiver();
	reach_step(1);
	_exit(get_within(CSYS_FOREVER) == CSYS_EDISCONNECTED ? 0 : 1);
}

static void close_before_the_receiver(void)
{
	open_sender();
	pid_t pid = forked(receive_the_end);
	await_step(1);
	take_a_nap();
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(code_of(pid), 0);
}

static void the_close_of_the_last_sender_wakes_the_receiver(void **state)
{
	(void)state;
	with_channels_without_naps(close_before_the_receiver);
}

enum { TURNS = 20000 };

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* As long as it takes the other side to fall asleep, more or less. */
static void dawdle(unsigned *seed)
{
	for (unsigned i = roll(seed) % 8 ? 0 : roll(seed) % 600; i > 0; i--)
		csys_spin_hint();
}

static void send_in_turns(void)
{
	unsigned seed = 1;
	open_sender();
	for (uint64_t i = 0; i < TURNS; i++) {
		dawdle(&seed);
		put(i);
	}
	csys_shared_sender_close(sender);
}

static void receive_in_turns(void)
{
	unsigned seed = 2;
	csys_shared_channel_options options = { .single_sender = channel->senders == 1 };
	csys_shared_channel *before = channel;
	memset(MEMORY, 0, ROOM);
	assert_int_equal(csys_shared_channel_create_in(region, MEMORY, 8, 1, &options, &channel),
			 0);
	pid_t pid = forked(send_in_turns);
	open_receiver();
	for (uint64_t i = 0; i < TURNS; i++) {
		get(i);
		dawdle(&seed);
	}
	assert_int_equal(code_of(pid), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	csys_shared_channel_close(channel);
	channel = before;
}

static void no_wake_is_lost_at_the_edge_of_sleep(void **state)
{
	(void)state;
	with_channels_without_naps(receive_in_turns);
}

/* ---- ends ------------------------------------------------------------------------------------ */

enum { ROUNDS = 5000 };
static uint32_t asked, opened;

static void *send_and_close(void *unused)
{
	(void)unused;
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		for (int tries = 0; csysi_load_acquire(&asked) != i; tries++)
			if (tries > 2000)
				csys_thread_yield();
		open_sender();
		csysi_store_release(&opened, i);
		for (uint32_t n = i % 64; n > 0; n--)
			csys_spin_hint();
		put(i);
		csys_shared_sender_close(sender);
		sender = NULL;
	}
	return NULL;
}

static void receive_before_the_end(void)
{
	pthread_t thread;
	int missed = 0;
	uint64_t got;
	csysi_store_relaxed(&asked, 0);
	csysi_store_relaxed(&opened, 0);
	open_receiver();
	assert_int_equal(pthread_create(&thread, NULL, send_and_close, NULL), 0);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		csysi_store_release(&asked, i);
		for (int tries = 0; csysi_load_acquire(&opened) != i; tries++)
			if (tries > 2000)
				csys_thread_yield();
		/* It has a sender, which sends before it is closed. */
		int r, tries = 0;
		while ((r = csys_shared_receiver_try_recv(receiver, &got, 8, NULL)) < 0) {
			missed += r == CSYS_EDISCONNECTED;
			if (++tries > 200)
				csys_thread_yield();
		}
		assert_int_equal(got, i);
	}
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void what_the_last_sender_sent_before_its_end_is_not_missed(void **state)
{
	(void)state;
	with_channels(NULL, receive_before_the_end);
}

static void *put_two(void *unused)
{
	(void)unused;
	put(2);
	return NULL;
}

static void end_with_a_place_of_another(void)
{
	pthread_t thread;
	void *place;
	open_both();
	assert_int_equal(csys_shared_sender_try_reserve(sender, &place), 0);
	*(uint64_t *)place = 1;
	assert_int_equal(pthread_create(&thread, NULL, put_two, NULL), 0);
	pthread_join(thread, NULL);
	/* The sender is seen as closed, but this thread lives and has reserved the first place. */
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_sender_commit(sender, place, 8), 0);
	get(1);
	get(2);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	close_both();
}

static void a_place_that_a_living_thread_has_reserved_is_waited_for(void **state)
{
	(void)state;
	with_channels(NULL, end_with_a_place_of_another);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_quarter_of_room_wakes_a_sender),
		NAMES_TEST(a_batch_that_is_received_wakes_a_sender),
		NAMES_TEST(the_close_of_the_receiver_wakes_a_sender),
		NAMES_TEST(a_receive_that_passes_over_places_wakes_a_sender),
		NAMES_TEST(the_close_of_the_last_sender_wakes_the_receiver),
		NAMES_TEST(no_wake_is_lost_at_the_edge_of_sleep),
		NAMES_TEST(what_the_last_sender_sent_before_its_end_is_not_missed),
		NAMES_TEST(a_place_that_a_living_thread_has_reserved_is_waited_for),
	};
	return RUN(tests);
}
