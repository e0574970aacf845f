/*
 * ipc/test_shared_channel.c - promises of csys/ipc/shared_channel.h: messages, and ends.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- messages -------------------------------------------------------------------------------- */

static void send_and_receive(void)
{
	open_both();
	for (uint64_t lap = 0; lap < 3 * CAPACITY; lap++) {
		uint64_t some = lap % CAPACITY + 1;
		for (uint64_t i = 0; i < some; i++)
			put(100 * lap + i);
		assert_int_equal(csys_shared_channel_len(channel), some);
		for (uint64_t i = 0; i < some; i++)
			get(100 * lap + i);
		assert_int_equal(csys_shared_channel_len(channel), 0);
	}
	close_both();
}

static void messages_are_received_as_they_were_sent(void **state)
{
	(void)state;
	with_channels(NULL, send_and_receive);
}

static void fill_and_empty(void)
{
	open_both();
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_receiver_try_recv(receiver, &(uint64_t){ 0 }, 8, NULL),
			 CSYS_EAGAIN);
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_int_equal(try_put(i), 0);
	assert_int_equal(try_put(0), CSYS_EAGAIN);
	assert_int_equal(csys_shared_sender_send_until(sender, &(uint64_t){ 0 }, 8, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_sender_send_until(sender, &(uint64_t){ 0 }, 8, deadline),
			 CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	get(0);
	/* What there is room for beats a deadline that has passed. */
	assert_int_equal(
		csys_shared_sender_send_until(sender, &(uint64_t){ CAPACITY }, 8, deadline), 0);
	for (uint64_t i = 1; i <= CAPACITY; i++)
		get(i);
	deadline = csys_after_ms(5);
	assert_int_equal(get_within(deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	put(5);
	assert_int_equal(get_within(deadline), 0);
	close_both();
}

static void full_and_empty_are_told_or_waited_for_until_a_deadline(void **state)
{
	(void)state;
	with_channels(NULL, fill_and_empty);
}

static void use_lengths(void)
{
	char bytes[9] = "abcdefgh";
	char got[9];
	size_t length = 77;
	open_both();
	assert_int_equal(csys_shared_sender_send(sender, bytes, 9), CSYS_EMSGSIZE);
	assert_int_equal(csys_shared_channel_len(channel), 0);
	assert_int_equal(csys_shared_sender_send(sender, NULL, 0), 0);
	assert_int_equal(csys_shared_receiver_recv(receiver, NULL, 0, &length), 0);
	assert_int_equal(length, 0);
	for (size_t n = 1; n <= 8; n++) {
		assert_int_equal(csys_shared_sender_send(sender, bytes, n), 0);
		memset(got, 'x', sizeof got);
		length = 77;
		assert_int_equal(csys_shared_receiver_recv(receiver, got, n - 1, &length),
				 CSYS_EMSGSIZE);
		assert_int_equal(length, 77);
		assert_int_equal(got[0], 'x');
		assert_int_equal(csys_shared_receiver_recv(receiver, got, n, &length), 0);
		assert_int_equal(length, n);
		assert_memory_equal(got, bytes, n);
		assert_int_equal(got[n], 'x');
	}
	close_both();
}

static void a_message_has_its_length_and_waits_for_room(void **state)
{
	(void)state;
	with_channels(NULL, use_lengths);
}

static void use_batches(void)
{
	uint64_t numbers[2 * CAPACITY], got[2 * CAPACITY];
	size_t lengths[2 * CAPACITY];
	size_t count = 77;
	for (uint64_t i = 0; i < 2 * CAPACITY; i++)
		numbers[i] = i;
	open_both();
	assert_int_equal(csys_shared_sender_send_batch(sender, numbers, 8, 5, CSYS_POLL, &count),
			 0);
	assert_int_equal(count, 5);
	assert_int_equal(
		csys_shared_receiver_recv_batch(receiver, got, 8, 0, CSYS_POLL, NULL, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(
		csys_shared_receiver_recv_batch(receiver, got, 8, 3, CSYS_POLL, lengths, &count),
		0);
	assert_int_equal(count, 3);
	assert_int_equal(lengths[2], 8);
	assert_memory_equal(got, numbers, 3 * sizeof *got);
	assert_int_equal(csys_shared_receiver_recv_batch(receiver, got, 8, 2 * CAPACITY, CSYS_POLL,
							 NULL, &count),
			 0);
	assert_int_equal(count, 2);
	assert_memory_equal(got, numbers + 3, 2 * sizeof *got);
	count = 77;
	assert_int_equal(
		csys_shared_receiver_recv_batch(receiver, got, 8, 1, CSYS_POLL, NULL, &count),
		CSYS_ETIMEDOUT);
	assert_int_equal(count, 77);
	/* More than there is room for. */
	assert_int_equal(csys_shared_sender_send_batch(sender, numbers, 8, 2 * CAPACITY,
						       csys_after_ms(1), &count),
			 CSYS_ETIMEDOUT);
	assert_int_equal(count, CAPACITY);
	assert_int_equal(csys_shared_receiver_recv_batch(receiver, got, 8, 2 * CAPACITY, CSYS_POLL,
							 NULL, &count),
			 0);
	assert_int_equal(count, CAPACITY);
	assert_memory_equal(got, numbers, CAPACITY * sizeof *got);
	assert_int_equal(csys_shared_sender_send_batch(sender, numbers, 9, 1, CSYS_POLL, &count),
			 CSYS_EMSGSIZE);
	assert_int_equal(count, 0);
	/* One that is too long ends it. */
	put(1);
	assert_int_equal(csys_shared_sender_send(sender, numbers, 3), 0);
	put(2);
	assert_int_equal(
		csys_shared_receiver_recv_batch(receiver, got, 7, 3, CSYS_POLL, NULL, &count),
		CSYS_EMSGSIZE);
	get(1);
	assert_int_equal(
		csys_shared_receiver_recv_batch(receiver, got, 7, 3, CSYS_POLL, lengths, &count),
		0);
	assert_int_equal(count, 1);
	assert_int_equal(lengths[0], 3);
	get(2);
	close_both();
}

static void batches_take_what_is_there(void **state)
{
	(void)state;
	with_channels(NULL, use_batches);
}

static void drain_some(void)
{
	size_t count = 77;
	open_both();
	assert_int_equal(csys_shared_receiver_drain(receiver, &count), 0);
	assert_int_equal(count, 0);
	for (uint64_t i = 0; i < 5; i++)
		put(i);
	assert_int_equal(csys_shared_receiver_drain(receiver, &count), 0);
	assert_int_equal(count, 5);
	put(9);
	assert_int_equal(csys_shared_receiver_drain(receiver, NULL), 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(csys_shared_receiver_drain(receiver, &count), 0);
	assert_int_equal(count, 0);
	close_both();
}

static void draining_forgets_what_is_queued(void **state)
{
	(void)state;
	with_channels(NULL, drain_some);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void close_senders(void)
{
	open_receiver();
	/* None was there yet. */
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	assert_int_equal(get_within(csys_after_ms(1)), CSYS_ETIMEDOUT);
	open_sender();
	put(1);
	put(2);
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_true(csys_shared_receiver_is_disconnected(receiver));
	get(1);
	get(2);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	/* A new one connects it again. */
	open_sender();
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	put(3);
	get(3);
	close_both();
}

static void without_senders_what_is_queued_is_received_and_then_that_is_told(void **state)
{
	(void)state;
	with_channels(NULL, close_senders);
}

static void close_the_receiver(void)
{
	open_sender();
	/* None was there yet. */
	assert_false(csys_shared_sender_is_disconnected(sender));
	put(1);
	open_receiver();
	put(2);
	csys_shared_receiver_close(receiver);
	assert_true(csys_shared_sender_is_disconnected(sender));
	assert_int_equal(csys_shared_sender_send(sender, &(uint64_t){ 3 }, 8), CSYS_EDISCONNECTED);
	assert_int_equal(try_put(3), CSYS_EDISCONNECTED);
	/* The next one has what was sent before. */
	open_receiver();
	assert_false(csys_shared_sender_is_disconnected(sender));
	get(1);
	put(3);
	get(2);
	get(3);
	close_both();
}

static void without_a_receiver_sends_fail_and_what_was_sent_stays_for_the_next(void **state)
{
	(void)state;
	with_channels(NULL, close_the_receiver);
}

static void come_and_go(void)
{
	open_both();
	put(1);
	csys_shared_receiver_close(receiver);
	assert_false(csys_shared_sender_is_disconnected(sender));
	for (uint64_t i = 2; i <= CAPACITY; i++)
		put(i);
	assert_int_equal(
		csys_shared_sender_send_until(sender, &(uint64_t){ 0 }, 8, csys_after_ms(1)),
		CSYS_ETIMEDOUT);
	csys_shared_sender_close(sender);
	open_receiver();
	for (uint64_t i = 1; i <= CAPACITY; i++)
		get(i);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	assert_int_equal(get_within(csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_shared_receiver_close(receiver);
	sender = NULL;
	receiver = NULL;
}

static void a_lasting_channel_is_never_disconnected(void **state)
{
	(void)state;
	with_channels(&(csys_shared_channel_options){ .lasting = 1 }, come_and_go);
}

static void open_too_many(void)
{
	int single = channel->senders == 1;
	csys_shared_sender *others[2] = { NULL, NULL }, *more = NULL;
	csys_shared_receiver *second = NULL;
	csys_region_member member = { 0 };
	unsigned at = 0;
	assert_int_equal(csys_shared_channel_receiver(channel, &member), 0);
	assert_int_equal(csys_shared_channel_next_sender(channel, &at, &member), 0);
	open_both();
	assert_int_equal(csys_shared_receiver_open(channel, &second), CSYS_EBUSY);
	assert_null(second);
	if (!single)
		assert_int_equal(csys_shared_sender_open(channel, &others[0]), 0);
	assert_int_equal(csys_shared_sender_open(channel, &more),
			 single ? CSYS_EBUSY : CSYS_ENOSPC);
	assert_null(more);
	assert_int_equal(csys_shared_channel_receiver(channel, &member), 1);
	assert_int_equal(member.pid, getpid());
	for (at = 0; csys_shared_channel_next_sender(channel, &at, &member);) {
		assert_int_equal(member.pid, getpid());
		assert_true(member.is_alive);
	}
	csys_shared_sender_close(sender);
	assert_int_equal(csys_shared_sender_open(channel, &sender), 0);
	csys_shared_sender_close(others[0]);
	close_both();
}

static void there_are_as_many_ends_as_there_is_room_for(void **state)
{
	(void)state;
	with_channels(&(csys_shared_channel_options){ .senders = 2 }, open_too_many);
}

static void send_of_two(void)
{
	csys_shared_sender *other;
	if (channel->senders == 1)
		return;
	open_both();
	assert_int_equal(csys_shared_sender_open(channel, &other), 0);
	for (uint64_t i = 0; i < 5; i++) {
		put(2 * i);
		uint64_t number = 2 * i + 1;
		assert_int_equal(csys_shared_sender_send(other, &number, 8), 0);
		get(2 * i);
		get(2 * i + 1);
	}
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	csys_shared_sender_close(other);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	close_both();
}

static void messages_of_all_senders_are_received(void **state)
{
	(void)state;
	with_channels(NULL, send_of_two);
}

/* ---- threads and forks ----------------------------------------------------------------------- */

static void *use_both(void *unused)
{
	(void)unused;
	put(2);
	get(1);
	get(2);
	put(3);
	return NULL;
}

static void hand_over(void)
{
	pthread_t thread;
	open_both();
	put(1);
	assert_int_equal(pthread_create(&thread, NULL, use_both, NULL), 0);
	pthread_join(thread, NULL);
	/* That thread was responsible, and has ended: both are taken back. */
	get(3);
	put(4);
	get(4);
	close_both();
}

static void another_thread_goes_on_with_an_end(void **state)
{
	(void)state;
	with_channels(NULL, hand_over);
}

static void *open_and_end(void *unused)
{
	(void)unused;
	open_both();
	put(1);
	return NULL;
}

static void end_with_ends(void)
{
	pthread_t thread;
	csys_shared_receiver *second;
	csys_shared_sender *other;
	assert_int_equal(pthread_create(&thread, NULL, open_and_end, NULL), 0);
	pthread_join(thread, NULL);
	/* Seen as closed, they are others'. */
	assert_int_equal(csys_shared_receiver_open(channel, &second), 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EOWNERDEAD);
	csys_shared_receiver_close(receiver);
	receiver = second;
	get(1);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	assert_int_equal(csys_shared_sender_open(channel, &other), 0);
	if (channel->senders == 1)
		assert_int_equal(try_put(2), CSYS_EBUSY);
	else
		assert_int_equal(try_put(2), 0);
	csys_shared_sender_close(other);
	close_both();
}

static void the_ends_of_a_thread_that_has_ended_are_seen_as_closed(void **state)
{
	(void)state;
	with_channels(NULL, end_with_ends);
}

static void detach(void)
{
	open_both();
	put(1);
	csys_region_detach(region);
	assert_true(csys_shared_sender_is_disconnected(sender));
	get(1);
	put(2);
	get(2);
	close_both();
}

static void a_thread_that_has_detached_goes_on_with_its_ends(void **state)
{
	(void)state;
	with_channels(NULL, detach);
}

static void use_in_child(void)
{
	csys_shared_sender *own;
	void *place;
	uint64_t got;
	if (csys_shared_sender_try_send(sender, &(uint64_t){ 9 }, 8) != CSYS_EBADF ||
	    csys_shared_receiver_try_recv(receiver, &got, 8, NULL) != CSYS_EBADF ||
	    csys_shared_sender_try_reserve(sender, &place) != CSYS_EBADF ||
	    csys_shared_receiver_try_peek(receiver, &place, NULL) != CSYS_EBADF ||
	    csys_shared_receiver_drain(receiver, NULL) != CSYS_EBADF)
		_exit(1);
	close_both();
	/* The channel is the child's too. */
	if (channel->senders > 1) {
		if (csys_shared_sender_open(channel, &own) != 0 ||
		    csys_shared_sender_send(own, &(uint64_t){ 2 }, 8) != 0)
			_exit(2);
		csys_shared_sender_close(own);
	}
	csys_shared_channel_close(channel);
}

static void fork_with_ends(void)
{
	open_both();
	put(1);
	assert_int_equal(code_of(forked(use_in_child)), 0);
	get(1);
	if (channel->senders > 1)
		get(2);
	put(3);
	get(3);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	close_both();
}

static void a_forked_child_has_the_channel_and_no_ends(void **state)
{
	(void)state;
	with_channels(NULL, fork_with_ends);
}

/* ---- several processes ----------------------------------------------------------------------- */

enum { MANY = 2000 };

static void send_many(void)
{
	open_sender();
	for (uint64_t i = 0; i < MANY; i++)
		put(i);
	csys_shared_sender_close(sender);
}

static void receive_many(void)
{
	pid_t pid = forked(send_many);
	open_receiver();
	for (uint64_t i = 0; i < MANY; i++)
		get(i);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	assert_int_equal(code_of(pid), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void one_that_sleeps_is_woken(void **state)
{
	(void)state;
	with_channels_without_naps(receive_many);
}

static void receive_slowly(void)
{
	pid_t pid = forked(send_many);
	open_receiver();
	for (uint64_t i = 0; i < MANY; i++) {
		if (i % (MANY / 10) == 0)
			take_a_nap(); /* by then the sender sleeps */
		get(i);
	}
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void a_sender_that_waits_for_room_is_woken(void **state)
{
	(void)state;
	with_channels_without_naps(receive_slowly);
}

static void send_in_batches(void)
{
	uint64_t numbers[11];
	size_t sent;
	open_sender();
	for (uint64_t i = 0; i < MANY;) {
		size_t n = 0;
		for (; n < 11 && i < MANY; n++)
			numbers[n] = i++;
		if (csys_shared_sender_send_batch(sender, numbers, 8, n, CSYS_FOREVER, &sent) !=
			    0 ||
		    sent != n)
			_exit(1);
	}
	csys_shared_sender_close(sender);
}

static void receive_in_batches(void)
{
	uint64_t got[5];
	pid_t pid = forked(send_in_batches);
	open_receiver();
	for (uint64_t i = 0; i < MANY;) {
		size_t count;
		assert_int_equal(csys_shared_receiver_recv_batch(receiver, got, 8, 5, CSYS_FOREVER,
								 NULL, &count),
				 0);
		for (size_t n = 0; n < count; n++)
			assert_int_equal(got[n], i++);
	}
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	assert_int_equal(code_of(pid), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void batches_wake_those_that_sleep(void **state)
{
	(void)state;
	with_channels_without_naps(receive_in_batches);
}

enum { SENDERS = 3 };
static uint64_t which;

static void send_marked(void)
{
	open_sender();
	for (uint64_t i = 0; i < MANY / 2; i++)
		put(which << 32 | i);
}

static void receive_from_several(void)
{
	pid_t pids[SENDERS];
	uint64_t next[SENDERS] = { 0 };
	if (channel->senders == 1)
		return;
	for (which = 0; which < SENDERS; which++)
		pids[which] = forked(send_marked);
	open_receiver();
	for (int i = 0; i < SENDERS * MANY / 2; i++) {
		uint64_t got;
		while (csys_shared_receiver_recv(receiver, &got, 8, NULL) == CSYS_EDISCONNECTED)
			csys_thread_yield(); /* the next one is not there yet */
		assert_true(got >> 32 < SENDERS);
		assert_int_equal((uint32_t)got, next[got >> 32]++);
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void each_senders_messages_come_in_order_and_once(void **state)
{
	(void)state;
	with_channels_without_naps(receive_from_several);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(messages_are_received_as_they_were_sent),
		NAMES_TEST(full_and_empty_are_told_or_waited_for_until_a_deadline),
		NAMES_TEST(a_message_has_its_length_and_waits_for_room),
		NAMES_TEST(batches_take_what_is_there),
		NAMES_TEST(draining_forgets_what_is_queued),
		NAMES_TEST(without_senders_what_is_queued_is_received_and_then_that_is_told),
		NAMES_TEST(without_a_receiver_sends_fail_and_what_was_sent_stays_for_the_next),
		NAMES_TEST(a_lasting_channel_is_never_disconnected),
		NAMES_TEST(there_are_as_many_ends_as_there_is_room_for),
		NAMES_TEST(messages_of_all_senders_are_received),
		NAMES_TEST(another_thread_goes_on_with_an_end),
		NAMES_TEST(the_ends_of_a_thread_that_has_ended_are_seen_as_closed),
		NAMES_TEST(a_thread_that_has_detached_goes_on_with_its_ends),
		NAMES_TEST(a_forked_child_has_the_channel_and_no_ends),
		NAMES_TEST(one_that_sleeps_is_woken),
		NAMES_TEST(a_sender_that_waits_for_room_is_woken),
		NAMES_TEST(batches_wake_those_that_sleep),
		NAMES_TEST(each_senders_messages_come_in_order_and_once),
	};
	return RUN(tests);
}
