/*
 * ipc/test_shared_channel_edge.c - promises of csys/ipc/shared_channel.h at their edges: what is
 * told again, senders that come while others go, counters at their last value.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- a receiver that is gone ----------------------------------------------------------------- */

static void receive_one_and_stay(void)
{
	open_receiver();
	get(1);
	reach_step(1);
	stay();
}

static void send_to_a_dead_one(void)
{
	size_t sent = 77;
	open_sender();
	put(1);
	pid_t pid = forked(receive_one_and_stay);
	await_step(1);
	put(2);
	kill_it(pid);
	if (region->tokens.way != CSYSI_OS_TOKEN_LIST)
		while (try_put(3) == 0)
			continue; /* it is noticed when the channel is full */
	size_t before = csys_shared_channel_len(channel);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(try_put(3), CSYS_EDISCONNECTED);
		assert_int_equal(csys_shared_sender_send_batch(sender, (uint64_t[2]){ 0 }, 8, 2,
							       CSYS_POLL, &sent),
				 CSYS_EDISCONNECTED);
		assert_int_equal(sent, 0);
	}
	assert_int_equal(csys_shared_channel_len(channel), before);
	open_receiver();
	get(2);
	assert_int_equal(try_put(4), 0);
	close_both();
}

static void each_send_to_a_dead_receiver_fails(void **state)
{
	(void)state;
	with_channels(NULL, send_to_a_dead_one);
}

static long sleeps(void)
{
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_nvcsw;
}

static void wait_for_a_successor(void)
{
	open_sender();
	put(1);
	pid_t pid = forked(receive_one_and_stay);
	await_step(1);
	kill_it(pid);
	while (try_put(2) == 0)
		continue;
	long before = sleeps();
	assert_int_equal(
		csys_shared_sender_send_until(sender, &(uint64_t){ 2 }, 8, csys_after_ms(50)),
		CSYS_ETIMEDOUT);
	assert_true(sleeps() > before);
	csys_shared_sender_close(sender);
	sender = NULL;
}

static void a_sender_of_a_lasting_channel_sleeps_while_the_receiver_is_dead(void **state)
{
	(void)state;
	with_channels(&(csys_shared_channel_options){ .lasting = 1 }, wait_for_a_successor);
}

/* ---- senders that come while others go ------------------------------------------------------- */

enum { ENTRIES = 200, ROUNDS = 15 };
static csys_shared_channel *wide;
static uint32_t is_over;

/* One is open at each moment: first the last of all entries, then the first. */
static void *hand_on(void *unused)
{
	static csys_shared_sender *senders[ENTRIES];
	(void)unused;
	for (int i = 0; i < ENTRIES; i++)
		assert_int_equal(csys_shared_sender_open(wide, &senders[i]), 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < ENTRIES - 1; i++)
			csys_shared_sender_close(senders[i]);
		csys_thread_yield();
		assert_int_equal(csys_shared_sender_open(wide, &senders[0]), 0);
		csys_shared_sender_close(senders[ENTRIES - 1]);
		for (int i = 1; i < ENTRIES; i++)
			assert_int_equal(csys_shared_sender_open(wide, &senders[i]), 0);
	}
	csysi_store_release(&is_over, 1);
	for (int i = 0; i < ENTRIES; i++)
		csys_shared_sender_close(senders[i]);
	return NULL;
}

static void look_while_they_come_and_go(void)
{
	csys_shared_channel_options options = { .senders = ENTRIES };
	pthread_t thread;
	assert_int_equal(csys_shared_channel_create_anonymous(8, 1, &options, &wide), 0);
	assert_int_equal(csys_shared_receiver_open(wide, &receiver), 0);
	csysi_store_relaxed(&is_over, 0);
	assert_int_equal(pthread_create(&thread, NULL, hand_on, NULL), 0);
	int told = 0;
	for (;;) {
		int is_disconnected = csys_shared_receiver_is_disconnected(receiver);
		int r = get_within(CSYS_POLL);
		if (csysi_load_acquire(&is_over))
			break;
		told += is_disconnected || r != CSYS_ETIMEDOUT;
	}
	pthread_join(thread, NULL);
	assert_int_equal(told, 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	csys_shared_channel_close(wide);
}

static void while_a_sender_is_open_at_each_moment_none_is_missed(void **state)
{
	(void)state;
	in_each_way(look_while_they_come_and_go);
}

/* ---- reserved places ------------------------------------------------------------------------- */

static void *place_of_parent;

static void end_the_place_of_a_parent(void)
{
	if (csys_shared_sender_commit(sender, place_of_parent, 8) != CSYS_EBADF)
		_exit(1);
	csys_shared_sender_abort(sender, place_of_parent);
}

static void fork_with_a_place(void)
{
	open_both();
	assert_int_equal(csys_shared_sender_try_reserve(sender, &place_of_parent), 0);
	memcpy(place_of_parent, &(uint64_t){ 6 }, 8);
	assert_int_equal(code_of(forked(end_the_place_of_a_parent)), 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_sender_commit(sender, place_of_parent, 8), 0);
	get(6);
	close_both();
}

static void a_forked_child_does_not_end_what_its_parent_has_reserved(void **state)
{
	(void)state;
	with_channels(NULL, fork_with_a_place);
}

static void *old_places[2];

static void *reserve_two_and_end(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_shared_sender_try_reserve(sender, &old_places[i]), 0);
	return NULL;
}

static void reserve_a_place_that_is_noted(void)
{
	pthread_t thread;
	void *place;
	open_both();
	assert_int_equal(pthread_create(&thread, NULL, reserve_two_and_end, NULL), 0);
	pthread_join(thread, NULL);
	for (uint64_t i = 2; i <= CAPACITY; i++) {
		put(i);
		get(i);
	}
	assert_int_equal(csys_shared_sender_try_reserve(sender, &place), 0);
	assert_ptr_equal(place, old_places[1]);
	csys_shared_sender_abort(sender, old_places[0]);
	memcpy(place, &(uint64_t){ 5 }, 8);
	assert_int_equal(csys_shared_sender_commit(sender, place, 8), 0);
	assert_int_equal(csys_shared_sender_commit(sender, place, 8), CSYS_EOWNERDEAD);
	get(5);
	close_both();
}

static void of_two_notes_of_one_place_the_later_is_ended_first(void **state)
{
	(void)state;
	with_channels(NULL, reserve_a_place_that_is_noted);
}

/* ---- what is not as it was left -------------------------------------------------------------- */

static void *flip(void *unused)
{
	struct csysi_shared_spot spot = csysi_spot_of(channel, 0);
	(void)unused;
	while (!csysi_load_acquire(&is_over)) {
		csysi_store_relaxed(&channel->ring->head, 0);
		csysi_store_relaxed(&spot.place->state, CSYSI_PLACE_READY);
		csysi_store_relaxed(&spot.place->state, CSYSI_PLACE_FREE);
	}
	return NULL;
}

static void receive_what_comes_and_goes(void)
{
	pthread_t thread;
	open_both();
	csysi_store_relaxed(&is_over, 0);
	assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
	int wrong = 0;
	for (int i = 0; i < 30000; i++) {
		uint64_t got[2];
		size_t count = 0;
		int r = csys_shared_receiver_recv_batch(receiver, got, 8, 2, CSYS_POLL, NULL,
							&count);
		wrong += r >= 0 && count == 0;
	}
	csysi_store_release(&is_over, 1);
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	close_both();
}

static void a_batch_that_is_received_has_a_message_whatever_the_bytes(void **state)
{
	(void)state;
	with_channels(NULL, receive_what_comes_and_goes);
}

/* The message at head has this length, and no bytes before 100 of room are touched but its own. */
static void receive_with_length(uint32_t length)
{
	unsigned char got[100];
	void *data;
	size_t lengths[1] = { 77 }, count;
	struct csysi_shared_spot spot =
		csysi_spot_of(channel, csysi_load_relaxed(&channel->ring->head));
	csysi_store_relaxed(&spot.place->length, length);
	assert_int_equal(csys_shared_receiver_try_peek(receiver, &data, lengths), 0);
	assert_int_equal(lengths[0], 8);
	memset(got, 'x', sizeof got);
	if (length % 2)
		assert_int_equal(csys_shared_receiver_recv(receiver, got, sizeof got, lengths), 0);
	else
		assert_int_equal(csys_shared_receiver_recv_batch(receiver, got, sizeof got, 1,
								 CSYS_POLL, lengths, &count),
				 0);
	assert_int_equal(lengths[0], 8);
	assert_int_equal(got[8], 'x');
}

static void receive_with_wrong_lengths(void)
{
	static const uint32_t wrong[] = { 9,         12, 16, 17, 48, 99, 100, 101, UINT32_MAX - 1,
					  UINT32_MAX };
	open_both();
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		put(i);
		receive_with_length(wrong[i]);
	}
	close_both();
}

static void a_length_is_at_most_that_of_the_channel_whatever_the_bytes(void **state)
{
	(void)state;
	with_channels(NULL, receive_with_wrong_lengths);
}

static void leave_the_head_behind(void)
{
	size_t count = 77;
	open_both();
	put(1);
	put(2);
	put(3);
	for (uint64_t i = 1; i <= 3; i++)
		get(i);
	/* As a receiver leaves it that is killed while it frees a batch. */
	csysi_store_relaxed(&channel->ring->head, 0);
	for (uint64_t i = 0; i < CAPACITY; i++)
		put(i);
	assert_int_equal(csys_shared_channel_len(channel), CAPACITY);
	assert_int_equal(csys_shared_receiver_drain(receiver, &count), 0);
	assert_int_equal(count, CAPACITY);
	assert_int_equal(csys_shared_channel_len(channel), 0);
	close_both();
}

static void messages_behind_those_of_a_dead_receiver_are_counted_and_drained(void **state)
{
	(void)state;
	with_channels(NULL, leave_the_head_behind);
}

/* ---- the last lap ---------------------------------------------------------------------------- */

static void begin_at(uint64_t position)
{
	struct csysi_shared_ring *ring = channel->ring;
	csysi_store_relaxed(&ring->head, position);
	csysi_store_relaxed(&ring->tail, position);
	for (uint64_t i = 0; i <= channel->mask; i++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, position + i);
		csysi_store_relaxed(&spot.place->state, spot.state);
	}
}

static void pass_the_last_lap(void)
{
	static const size_t capacities[] = { 1, 2, 4, CAPACITY };
	csys_shared_channel *before = channel;
	csys_shared_channel_options options = { .single_sender = before->senders == 1 };
	for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
		size_t n = capacities[i];
		void *place;
		memset(MEMORY, 0, ROOM);
		assert_int_equal(
			csys_shared_channel_create_in(region, MEMORY, 8, n, &options, &channel), 0);
		begin_at(((uint64_t)UINT32_MAX - 1) * n + 1);
		open_both();
		for (int lap = 0; lap < 5; lap++) {
			for (uint64_t j = 0; j < n; j++)
				put(j);
			assert_int_equal(try_put(0), CSYS_EAGAIN);
			assert_int_equal(csys_shared_channel_len(channel), n);
			for (uint64_t j = 0; j < n; j++)
				get(j);
			assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
			assert_int_equal(csys_shared_sender_try_reserve(sender, &place), 0);
			csys_shared_sender_abort(sender, place);
			assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
		}
		close_both();
		csys_shared_channel_close(channel);
	}
	channel = before;
}

static void laps_begin_again_after_the_last(void **state)
{
	(void)state;
	with_channels(NULL, pass_the_last_lap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(each_send_to_a_dead_receiver_fails),
		NAMES_TEST(a_sender_of_a_lasting_channel_sleeps_while_the_receiver_is_dead),
		NAMES_TEST(while_a_sender_is_open_at_each_moment_none_is_missed),
		NAMES_TEST(a_forked_child_does_not_end_what_its_parent_has_reserved),
		NAMES_TEST(of_two_notes_of_one_place_the_later_is_ended_first),
		NAMES_TEST(a_batch_that_is_received_has_a_message_whatever_the_bytes),
		NAMES_TEST(a_length_is_at_most_that_of_the_channel_whatever_the_bytes),
		NAMES_TEST(messages_behind_those_of_a_dead_receiver_are_counted_and_drained),
		NAMES_TEST(laps_begin_again_after_the_last),
	};
	return RUN(tests);
}
