/*
 * ipc/test_shared_channel_quick.c - short messages of csys/ipc/shared_channel.h in a row.
 *
 * What a call leaves at hand for the next one (src/ipc/shared_quick.h) must not outlive what it was
 * noted of: the thread, the member, the process, the receiver.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- at hand --------------------------------------------------------------------------------- */

/* What is at hand is the next place, with the state that it will have. */
static void check_quick(const struct csysi_shared_quick *quick, uint64_t position,
			const csys_shared_channel *of, uint64_t before)
{
	struct csysi_shared_spot spot = csysi_spot_of(of, position);
	if (!quick->thread)
		return; /* a sanitizer is told of all */
	assert_int_equal(quick->position, position);
	assert_ptr_equal(quick->place, spot.place);
	assert_int_equal(quick->before, spot.state | before);
}

static void pass_some_laps(void)
{
	csys_shared_channel *before = channel;
	csys_shared_channel_options options = { .single_sender = before->senders == 1 };
	for (size_t n = 1; n <= CAPACITY; n *= 2) {
		memset(MEMORY, 0, ROOM);
		assert_int_equal(
			csys_shared_channel_create_in(region, MEMORY, 8, n, &options, &channel), 0);
		open_both();
		for (uint64_t i = 0; i < 5 * n; i++) {
			put(i);
			check_quick(&sender->quick, i + 1, channel, 0);
			get(i);
			check_quick(&receiver->quick, i + 1, channel,
				    (uint64_t)receiver->end.id << 2 | CSYSI_PLACE_READY);
		}
		close_both();
		csys_shared_channel_close(channel);
	}
	channel = before;
}

static void what_is_at_hand_is_the_next_place_in_each_lap(void **state)
{
	(void)state;
	with_channels(NULL, pass_some_laps);
}

static void release_nothing(void)
{
	csys_shared_receiver_release(receiver);
}

static void receive_what_is_peeked_at(void)
{
	void *place;
	open_both();
	put(1);
	put(2);
	put(3);
	get(1); /* the next one would be quick */
	assert_int_equal(csys_shared_receiver_peek(receiver, CSYS_FOREVER, &place, NULL), 0);
	get(2);
	assert_aborts(release_nothing, "a shared receiver releases what it has not peeked at");
	get(3);
	close_both();
}

static void a_message_that_was_peeked_at_and_received_is_not_released(void **state)
{
	(void)state;
	with_channels(NULL, receive_what_is_peeked_at);
}

static void receive_what_is_too_short(void)
{
	uint64_t number = 1;
	uint64_t got = 0;
	open_both();
	put(number);
	put(number);
	assert_int_equal(csys_shared_sender_send(sender, &number, 4), 0);
	put(2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(csysi_shared_receiver_recv_exactly(receiver, CSYS_FOREVER, &got,
								    sizeof got),
				 0);
	assert_int_equal(
		csysi_shared_receiver_recv_exactly(receiver, CSYS_FOREVER, &got, sizeof got),
		CSYS_EBADMSG);
	assert_int_equal(got, 1);
	assert_int_equal(
		csysi_shared_receiver_recv_exactly(receiver, CSYS_FOREVER, &got, sizeof got), 0);
	assert_int_equal(got, 2);
	close_both();
}

static void a_message_that_is_too_short_for_its_type_is_none(void **state)
{
	(void)state;
	with_channels(NULL, receive_what_is_too_short);
}

/* ---- members --------------------------------------------------------------------------------- */

/* Send a number; its place tells which member has sent it. */
static void put_as_myself(uint64_t number)
{
	uint64_t tail = csysi_load_relaxed(&channel->ring->tail);
	put(number);
	uint64_t state = csysi_load_relaxed(&csysi_spot_of(channel, tail).place->state);
	assert_int_equal(csysi_place_claimer(state), csysi_region_own_id(region));
}

/* Go on with both ends, and leave a message. */
static void *go_on_with_both(void *unused)
{
	for (uint64_t i = 0; i < 3; i++) {
		put_as_myself(i);
		get(i);
	}
	put_as_myself(3);
	return unused;
}

static void hand_both_over(void)
{
	open_both();
	for (int i = 0; i < 10; i++) {
		go_on_with_both(NULL);
		get(3);
		run_threads(1, go_on_with_both, NULL);
		/* That thread has ended: the receiver has to be this one's before it is sent to. */
		get(3);
	}
	close_both();
}

static void threads_go_on_with_ends_as_themselves(void **state)
{
	(void)state;
	with_channels(NULL, hand_both_over);
}

enum { ROUNDS = 40 };

static void send_every_other(void)
{
	open_sender();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		await_step(2 * i + 1);
		put_as_myself(2 * i + 1);
		put_as_myself(2 * i + 1);
		reach_step(2 * i + 2);
	}
	csys_shared_sender_close(sender);
}

static void receive_from_two(void)
{
	if (channel->senders == 1)
		return;
	pid_t child = forked(send_every_other);
	open_both();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		put_as_myself(2 * i);
		put_as_myself(2 * i);
		reach_step(2 * i + 1);
		await_step(2 * i + 2);
		for (uint32_t j = 0; j < 2; j++) {
			get(2 * i + j);
			get(2 * i + j);
		}
	}
	assert_int_equal(code_of(child), 0);
	close_both();
}

static void two_senders_in_turns_keep_their_order(void **state)
{
	(void)state;
	with_channels(NULL, receive_from_two);
}

static void use_ends_of_parent(void)
{
	uint64_t number = 9;
	if (csys_shared_sender_send(sender, &number, sizeof number) != CSYS_EBADF)
		_exit(1);
	if (csys_shared_receiver_recv(receiver, &number, sizeof number, NULL) != CSYS_EBADF)
		_exit(2);
}

static void fork_between_messages(void)
{
	open_both();
	for (uint64_t i = 0; i < CAPACITY; i++) {
		put(i);
		get(i);
		put(i);
		put(i);
		get(i);
		assert_int_equal(code_of(forked(use_ends_of_parent)), 0);
		get(i);
	}
	assert_int_equal(csys_shared_channel_len(channel), 0);
	close_both();
}

static void a_forked_child_has_no_ends_however_short_the_messages(void **state)
{
	(void)state;
	with_channels(NULL, fork_between_messages);
}

/* ---- the other side -------------------------------------------------------------------------- */

static void close_the_receiver_between_messages(void)
{
	for (int i = 0; i < 3; i++) {
		open_both();
		for (uint64_t j = 0; j < 3; j++) {
			put(j);
			get(j);
		}
		csys_shared_receiver_close(receiver);
		assert_int_equal(try_put(0), CSYS_EDISCONNECTED);
		assert_int_equal(try_put(0), CSYS_EDISCONNECTED);
		open_receiver();
		put(7);
		put(8);
		get(7);
		csys_shared_sender_close(sender);
		get(8);
		assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
		csys_shared_receiver_close(receiver);
	}
	sender = NULL;
	receiver = NULL;
}

static void a_close_is_told_to_the_next_call_however_short_the_messages(void **state)
{
	(void)state;
	with_channels(NULL, close_the_receiver_between_messages);
}

/* With two members, a thread that attaches again has its place and its number again. */
static void receive_and_become_another(void)
{
	open_receiver();
	for (uint64_t i = 0; i < 3; i++)
		get(i);
	reach_step(1);
	await_step(2);
	csys_region_detach(region);
	if (csys_region_attach(region) < 0)
		_exit(1);
	reach_step(3);
	await_step(4);
	get(3);
	close_both();
}

static void send_to_one_that_has_left(void)
{
	open_sender();
	for (uint64_t i = 0; i < 3; i++)
		put(i);
	pid_t child = forked(receive_and_become_another);
	await_step(1);
	put(3);
	reach_step(2);
	await_step(3);
	if (region->tokens.way != CSYSI_OS_TOKEN_LIST)
		while (try_put(4) == 0)
			continue; /* it is noticed when the channel is full */
	assert_int_equal(try_put(4), CSYS_EDISCONNECTED);
	reach_step(4);
	assert_int_equal(code_of(child), 0);
	csys_shared_sender_close(sender);
	sender = NULL;
}

static void send_to_one_that_has_left_in_both(void)
{
	csys_shared_channel_options options = { .senders = 1 };
	for (int single = 0; single < 2; single++) {
		memset(STEPS, 0, sizeof *STEPS);
		options.single_sender = single;
		assert_int_equal(csys_shared_channel_create_in(region, MEMORY, 8, CAPACITY,
							       &options, &channel),
				 0);
		send_to_one_that_has_left();
		csys_shared_channel_close(channel);
	}
}

static void a_receiver_that_has_left_is_not_taken_for_the_member_it_becomes(void **state)
{
	(void)state;
	in_each_way_with(&(csys_region_options){ .members = 2 }, send_to_one_that_has_left_in_both);
}

static void receive_what_was_peeked(void)
{
	open_sender();
	for (uint64_t i = 0; i < 5; i++)
		put(i);
	/* As a receiver has left it that looked at the third. */
	csysi_store_relaxed(&channel->ring->peeked, 3);
	open_receiver();
	get(0);
	get(1);
	get_as(2, CSYS_REDELIVERED);
	get(3);
	get(4);
	close_both();
}

static void what_was_peeked_is_told_of_behind_short_messages(void **state)
{
	(void)state;
	with_channels(NULL, receive_what_was_peeked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_is_at_hand_is_the_next_place_in_each_lap),
		NAMES_TEST(a_message_that_was_peeked_at_and_received_is_not_released),
		NAMES_TEST(a_message_that_is_too_short_for_its_type_is_none),
		NAMES_TEST(threads_go_on_with_ends_as_themselves),
		NAMES_TEST(two_senders_in_turns_keep_their_order),
		NAMES_TEST(a_forked_child_has_no_ends_however_short_the_messages),
		NAMES_TEST(a_close_is_told_to_the_next_call_however_short_the_messages),
		NAMES_TEST(a_receiver_that_has_left_is_not_taken_for_the_member_it_becomes),
		NAMES_TEST(what_was_peeked_is_told_of_behind_short_messages),
	};
	return RUN(tests);
}
