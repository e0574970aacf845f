/*
 * ipc/test_shared_channel_in_place.c - promises of csys/ipc/shared_channel_in_place.h and
 * csys/ipc/typed_shared_channel.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- sending --------------------------------------------------------------------------------- */

static void *reserve(void)
{
	void *place = NULL;
	assert_int_equal(csys_shared_sender_reserve(sender, CSYS_FOREVER, &place), 0);
	assert_non_null(place);
	assert_int_equal((uintptr_t)place % 16, 0);
	return place;
}

static void commit(void *place, uint64_t number)
{
	memcpy(place, &number, sizeof number);
	assert_int_equal(csys_shared_sender_commit(sender, place, sizeof number), 0);
}

static void reserve_and_commit(void)
{
	void *places[4];
	open_both();
	for (uint64_t lap = 0; lap < 2 * CAPACITY; lap++) {
		for (int i = 0; i < 4; i++)
			places[i] = reserve();
		put(4);
		assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
		assert_int_equal(csys_shared_channel_len(channel), 1);
		/* In any order; they are received in that of the reservations. */
		commit(places[2], 2);
		commit(places[0], 0);
		csys_shared_sender_abort(sender, places[3]);
		get(0);
		assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
		commit(places[1], 1);
		get(1);
		get(2);
		get(4);
		assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	}
	close_both();
}

static void places_are_received_in_the_order_in_which_they_were_reserved(void **state)
{
	(void)state;
	with_channels(NULL, reserve_and_commit);
}

static void reserve_all(void)
{
	void *places[CAPACITY], *more = NULL;
	open_both();
	for (int i = 0; i < CAPACITY; i++)
		assert_int_equal(csys_shared_sender_try_reserve(sender, &places[i]), 0);
	assert_int_equal(csys_shared_sender_try_reserve(sender, &more), CSYS_EAGAIN);
	assert_int_equal(csys_shared_sender_reserve(sender, csys_after_ms(1), &more),
			 CSYS_ETIMEDOUT);
	assert_null(more);
	assert_int_equal(try_put(1), CSYS_EAGAIN);
	/* The receiver comes to those that are aborted. */
	for (int i = 0; i < CAPACITY; i++)
		csys_shared_sender_abort(sender, places[i]);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_int_equal(try_put(i), 0);
	for (uint64_t i = 0; i < CAPACITY; i++)
		get(i);
	close_both();
}

static void reserved_places_take_room(void **state)
{
	(void)state;
	with_channels(NULL, reserve_all);
}

static void commit_with_lengths(void)
{
	char got[8];
	size_t length;
	open_both();
	void *place = reserve();
	assert_int_equal(csys_shared_sender_commit(sender, place, 9), CSYS_EMSGSIZE);
	memcpy(place, "abc", 3);
	assert_int_equal(csys_shared_sender_commit(sender, place, 3), 0);
	assert_int_equal(csys_shared_receiver_recv(receiver, got, 8, &length), 0);
	assert_int_equal(length, 3);
	assert_memory_equal(got, "abc", 3);
	place = reserve();
	csys_shared_receiver_close(receiver);
	assert_int_equal(csys_shared_sender_commit(sender, place, 3), CSYS_EDISCONNECTED);
	open_receiver();
	commit(place, 7);
	get(7);
	close_both();
}

static void a_commit_that_fails_leaves_the_place_reserved(void **state)
{
	(void)state;
	with_channels(NULL, commit_with_lengths);
}

static void *place_of_thread;

static void *reserve_and_end(void *unused)
{
	(void)unused;
	place_of_thread = reserve();
	return NULL;
}

static void commit_after_the_end(void)
{
	pthread_t thread;
	open_both();
	/* Before the receiver comes to it... */
	assert_int_equal(pthread_create(&thread, NULL, reserve_and_end, NULL), 0);
	pthread_join(thread, NULL);
	commit(place_of_thread, 1);
	get(1);
	/* ...and after it has. */
	assert_int_equal(pthread_create(&thread, NULL, reserve_and_end, NULL), 0);
	pthread_join(thread, NULL);
	put(2);
	get(2);
	assert_int_equal(csys_shared_sender_commit(sender, place_of_thread, 8), CSYS_EOWNERDEAD);
	/* It may be another's by then: that one's message is not touched. */
	assert_int_equal(pthread_create(&thread, NULL, reserve_and_end, NULL), 0);
	pthread_join(thread, NULL);
	put(3);
	get(3);
	for (uint64_t i = 0; i < CAPACITY; i++)
		put(i);
	csys_shared_sender_abort(sender, place_of_thread);
	for (uint64_t i = 0; i < CAPACITY; i++)
		get(i);
	close_both();
}

static void a_place_of_a_thread_that_has_ended_can_be_committed_until_it_is_passed(void **state)
{
	(void)state;
	with_channels(NULL, commit_after_the_end);
}

static void commit_what_is_not_reserved(void)
{
	uint64_t number;
	(void)!csys_shared_sender_commit(sender, &number, 8);
}

static void abort_twice(void)
{
	void *place = reserve();
	csys_shared_sender_abort(sender, place);
	csys_shared_sender_abort(sender, place);
}

static void close_with_a_place(void)
{
	(void)reserve();
	csys_shared_sender_close(sender);
}

static void release_nothing(void)
{
	void *data;
	put(1);
	(void)!csys_shared_receiver_peek(receiver, CSYS_POLL, &data, NULL);
	csys_shared_receiver_release(receiver);
	csys_shared_receiver_release(receiver);
}

/* Each in a forked child, with ends of its own. */
static void (*misuse)(void);

static void open_and_misuse(void)
{
	open_both();
	misuse();
}

static void misuse_all(void)
{
	misuse = commit_what_is_not_reserved;
	assert_aborts(open_and_misuse, "a place of a shared channel is not reserved");
	misuse = abort_twice;
	assert_aborts(open_and_misuse, "a place of a shared channel is not reserved");
	misuse = close_with_a_place;
	assert_aborts(open_and_misuse, "a shared sender is closed while a place is reserved");
	misuse = release_nothing;
	assert_aborts(open_and_misuse, "a shared receiver releases what it has not peeked at");
}

static void what_is_not_reserved_or_peeked_at_aborts(void **state)
{
	(void)state;
	with_channels(NULL, misuse_all);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void peek_and_release(void)
{
	uint64_t *data = NULL, *again;
	size_t length = 77;
	open_both();
	assert_int_equal(csys_shared_receiver_try_peek(receiver, (void **)&data, &length),
			 CSYS_EAGAIN);
	assert_int_equal(
		csys_shared_receiver_peek(receiver, csys_after_ms(1), (void **)&data, &length),
		CSYS_ETIMEDOUT);
	assert_null(data);
	assert_int_equal(length, 77);
	for (uint64_t i = 0; i < 3 * CAPACITY; i += 3) {
		put(i);
		put(i + 1);
		put(i + 2);
		assert_int_equal(csys_shared_receiver_try_peek(receiver, (void **)&data, &length),
				 0);
		assert_int_equal(*data, i);
		assert_int_equal(length, 8);
		*data = i + 100; /* it may be changed */
		assert_int_equal(
			csys_shared_receiver_peek(receiver, CSYS_FOREVER, (void **)&again, NULL),
			0);
		assert_ptr_equal(again, data);
		assert_int_equal(csys_shared_channel_len(channel), 3);
		csys_shared_receiver_release(receiver);
		assert_int_equal(csys_shared_receiver_try_peek(receiver, (void **)&data, NULL), 0);
		assert_int_equal(*data, i + 1);
		get(i + 1); /* which releases it */
		get(i + 2);
	}
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(csys_shared_receiver_try_peek(receiver, (void **)&data, NULL),
			 CSYS_EDISCONNECTED);
	close_both();
}

static void a_peeked_message_is_received_when_it_is_released(void **state)
{
	(void)state;
	with_channels(NULL, peek_and_release);
}

static void detach_while_peeking(void)
{
	uint64_t *data;
	open_both();
	put(1);
	put(2);
	assert_int_equal(csys_shared_receiver_try_peek(receiver, (void **)&data, NULL), 0);
	csys_region_detach(region);
	/* It was seen as dead: nothing is released, and the message comes again. */
	csys_shared_receiver_release(receiver);
	get_as(1, CSYS_REDELIVERED);
	get(2);
	close_both();
}

static void a_receiver_that_was_seen_as_dead_gets_its_message_again(void **state)
{
	(void)state;
	with_channels(NULL, detach_while_peeking);
}

/* ---- several processes ----------------------------------------------------------------------- */

enum { MANY = 1000 };

static void send_in_place(void)
{
	open_sender();
	for (uint64_t i = 0; i < MANY; i++) {
		void *place = reserve();
		if (i % 5 == 0) {
			csys_shared_sender_abort(sender, place);
			place = reserve();
		}
		commit(place, i);
	}
	csys_shared_sender_close(sender);
}

static void receive_in_place(void)
{
	uint64_t *data;
	pid_t pid = forked(send_in_place);
	open_receiver();
	for (uint64_t i = 0; i < MANY; i++) {
		if (i % (MANY / 5) == 0)
			take_a_nap(); /* by then the sender sleeps */
		assert_int_equal(
			csys_shared_receiver_peek(receiver, CSYS_FOREVER, (void **)&data, NULL), 0);
		assert_int_equal(*data, i);
		csys_shared_receiver_release(receiver);
	}
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	assert_int_equal(code_of(pid), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void commits_aborts_and_releases_wake_the_other_side(void **state)
{
	(void)state;
	with_channels_without_naps(receive_in_place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(places_are_received_in_the_order_in_which_they_were_reserved),
		NAMES_TEST(reserved_places_take_room),
		NAMES_TEST(a_commit_that_fails_leaves_the_place_reserved),
		NAMES_TEST(a_place_of_a_thread_that_has_ended_can_be_committed_until_it_is_passed),
		NAMES_TEST(what_is_not_reserved_or_peeked_at_aborts),
		NAMES_TEST(a_peeked_message_is_received_when_it_is_released),
		NAMES_TEST(a_receiver_that_was_seen_as_dead_gets_its_message_again),
		NAMES_TEST(commits_aborts_and_releases_wake_the_other_side),
	};
	return RUN(tests);
}
