/*
 * ipc/test_connection_end.c - promises of csys/ipc/parcel.h: ends of shared channels that are sent
 * to another process.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/connection.h"
#include "support/shared_channel.h"

/* ---- one process ---------------------------------------------------------------------------- */

static csys_parcel *sent_with(csys_attachment attachment)
{
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	return heard(far_side);
}

static csys_shared_channel *anonymous(const csys_shared_channel_options *options)
{
	csys_shared_channel *made;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, options, &made), 0);
	return made;
}

static void ends_of_a_channel_go_to_the_other_side(void **state)
{
	(void)state;
	channel = anonymous(NULL);
	open_both();
	csys_shared_channel_close(channel);
	connect_both();
	put(1);
	put(2);
	csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_SHARED_SENDER);
	/* In flight it counts as alive. */
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	get(1);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	put(3);
	parcel = sent_with(csys_attach_shared_receiver_take(receiver));
	assert_false(csys_shared_sender_is_disconnected(sender));
	put(4);
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), 0);
	csys_parcel_close(parcel);
	for (uint64_t i = 2; i <= 4; i++)
		get(i);
	csys_shared_sender_close(sender);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	close_sides();
}

static void send_beside_others(void)
{
	connect_both();
	open_both();
	csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	put(1);
	get(1);
	parcel = sent_with(csys_attach_shared_receiver_take(receiver));
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), 0);
	csys_parcel_close(parcel);
	put(2);
	get(2);
	close_both();
	close_sides();
}

static void ends_of_a_channel_in_a_region_of_the_caller_go_along(void **state)
{
	(void)state;
	with_channels(NULL, send_beside_others);
}

static void ends_that_are_in_use_are_not_sent(void **state)
{
	(void)state;
	void *place;
	channel = anonymous(NULL);
	open_both();
	connect_both();
	csys_attachment attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_shared_sender_reserve(sender, CSYS_POLL, &place), 0);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), CSYS_EBUSY);
	csys_shared_sender_abort(sender, place);
	put(1);
	size_t length;
	assert_int_equal(csys_shared_receiver_peek(receiver, CSYS_POLL, &place, &length), 0);
	attachment = csys_attach_shared_receiver_take(receiver);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), CSYS_EBUSY);
	csys_shared_receiver_release(receiver);
	put(2);
	get(2);
	/* Nor is one that is given twice, or to a connection that has ended. */
	const csys_attachment twice[] = { csys_attach_shared_sender_take(sender),
					  csys_attach_shared_sender_take(sender) };
	assert_int_equal(csys_connection_send(near_side, "x", 1, twice, 2), CSYS_EINVAL);
	csys_connection_close(far_side);
	assert_int_equal(csys_connection_send(near_side, "x", 1, twice, 1), CSYS_EDISCONNECTED);
	put(3);
	get(3);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	csys_connection_close(near_side);
	close_both();
	csys_shared_channel_close(channel);
}

static void ends_of_another_layout_stay(void **state)
{
	(void)state;
	const csys_shared_channel_options options = { .layout = 77 };
	channel = anonymous(&options);
	open_sender();
	connect_both();
	csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 78, &sender), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 77, &receiver), CSYS_EBADMSG);
	assert_int_equal(csysi_parcel_take_shared_sender(parcel, 0, 9, 77, &sender), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_SHARED_SENDER);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 77, &sender), 0);
	csys_parcel_close(parcel);
	csys_shared_sender_close(sender);
	csys_shared_channel_close(channel);
	close_sides();
}

static void what_is_not_taken_is_closed_and_the_channel_told(void **state)
{
	(void)state;
	/* What is received is closed with the parcel, if nobody can cut the memory. */
	for (int is_received = 0; is_received < 1 + csys_can(CSYS_CAN_SEAL_MEMORY); is_received++) {
		channel = anonymous(NULL);
		open_both();
		connect_both();
		put(1);
		csys_attachment attachment = csys_attach_shared_sender_take(sender);
		assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
		if (is_received)
			csys_parcel_close(heard(far_side));
		else
			csys_connection_close(far_side);
		if (!is_received) {
			/* This side finds that out in its next call. */
			assert_false(csys_shared_receiver_is_disconnected(receiver));
			csys_parcel *parcel;
			assert_int_equal(csys_connection_try_recv(near_side, &parcel),
					 CSYS_EDISCONNECTED);
			csys_connection_close(near_side);
			near_side = NULL;
		}
		get(1);
		assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
		/* The receiver likewise. */
		open_sender();
		if (!is_received)
			connect_both();
		attachment = csys_attach_shared_receiver_take(receiver);
		assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
		assert_false(csys_shared_sender_is_disconnected(sender));
		if (is_received) {
			csys_parcel_close(heard(far_side));
			assert_true(csys_shared_sender_is_disconnected(sender));
			csys_connection_close(far_side);
		} else {
			csys_connection_close(far_side);
			assert_int_equal(csys_connection_send(near_side, "x", 1, NULL, 0),
					 CSYS_EDISCONNECTED);
			assert_true(csys_shared_sender_is_disconnected(sender));
		}
		csys_connection_close(near_side);
		csys_shared_sender_close(sender);
		csys_shared_channel_close(channel);
	}
}

static int is_ready(csys_handle handle)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	return csys_poll(&item, 1, CSYS_POLL) == 1;
}

static void ends_that_are_waited_for_by_their_handles_are_sent_too(void **state)
{
	(void)state;
	csys_handle handle;
	channel = anonymous(NULL);
	open_both();
	int r = csys_shared_sender_handle(sender, &handle);
	if (r == CSYS_ENOTSUP) {
		close_both();
		csys_shared_channel_close(channel);
		skip_because("ends of shared channels have no handles here");
	}
	assert_int_equal(r, 0);
	assert_int_equal(csys_shared_receiver_handle(receiver, &handle), 0);
	connect_both();
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_false(is_ready(handle));
	/* The receiver waits, and gets a message of the adopted sender. */
	csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	/* It has another process to watch. */
	assert_true(is_ready(handle));
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_false(is_ready(handle));
	put(1);
	assert_true(is_ready(handle));
	get(1);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	/* It goes itself: its new handle is told. */
	parcel = sent_with(csys_attach_shared_receiver_take(receiver));
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), 0);
	csys_parcel_close(parcel);
	put(2);
	assert_int_equal(csys_shared_receiver_handle(receiver, &handle), 0);
	assert_true(is_ready(handle));
	get(2);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_false(is_ready(handle));
	put(3);
	assert_true(is_ready(handle));
	get(3);
	/* An end that is closed in flight is told too. */
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	const csys_attachment last = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &last, 1), 0);
	csys_connection_close(far_side);
	csys_connection_close(near_side);
	assert_true(is_ready(handle));
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

static void an_end_of_a_channel_with_a_name_that_is_not_taken_is_closed_later(void **state)
{
	(void)state;
	csys_parcel *parcel;
	assert_int_equal(csys_shared_channel_create("named", 8, CAPACITY, NULL, &channel), 0);
	open_both();
	connect_both();
	parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	put(1);
	get(1);
	csys_parcel_close(sent_with(csys_attach_shared_sender_take(sender)));
	csys_connection_close(far_side);
	csys_connection_close(near_side);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

static void a_connection_may_be_closed_after_its_ends_were_sent(void **state)
{
	(void)state;
	csys_parcel *parcel;
	channel = anonymous(NULL);
	open_both();
	connect_both();
	csys_attachment attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	csys_connection_close(near_side);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	parcel = heard(far_side);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(far_side);
	put(1);
	get(1);
	/* And one that nobody receives. */
	connect_both();
	attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	csys_connection_close(near_side);
	csys_connection_close(far_side);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

static void an_end_that_was_opened_after_one_in_flight_is_another_one(void **state)
{
	(void)state;
	const csys_shared_channel_options single = { .single_sender = 1 };
	csys_parcel *parcel;
	channel = anonymous(&single);
	open_both();
	connect_both();
	parcel = sent_with(csys_attach_shared_sender_take(sender));
	/* There is one, on its way. */
	assert_int_equal(csys_shared_sender_open(channel, &sender), CSYS_EBUSY);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	csys_shared_sender_close(sender);
	/* The same thread has the same place again: what closes those in flight leaves it alone. */
	open_sender();
	csys_connection_close(far_side);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	put(1);
	get(1);
	/* The receiver likewise. */
	connect_both();
	parcel = sent_with(csys_attach_shared_receiver_take(receiver));
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), CSYS_EBUSY);
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), 0);
	csys_parcel_close(parcel);
	csys_shared_receiver_close(receiver);
	open_receiver();
	csys_connection_close(far_side);
	csys_connection_close(near_side);
	assert_false(csys_shared_sender_is_disconnected(sender));
	close_both();
	csys_shared_channel_close(channel);
}

/* ---- deaths ------------------------------------------------------------------------------- */

static void send_an_end_and_stay(void)
{
	open_sender();
	put(1);
	const csys_attachment attachment = csys_attach_shared_sender_take(sender);
	if (csys_connection_send(near_side, "x", 1, &attachment, 1) != 0)
		_exit(1);
	reach_step(1);
	stay();
}

static void kill_the_one_that_has_sent_it(void)
{
	connect_both();
	open_receiver();
	pid_t pid = forked(send_an_end_and_stay);
	csys_connection_close(near_side);
	await_step(1);
	kill_it(pid);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	put(2);
	get(1);
	get(2);
	assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(far_side);
	close_both();
}

static void an_end_outlives_the_process_that_has_sent_it(void **state)
{
	(void)state;
	with_channels(NULL, kill_the_one_that_has_sent_it);
}

static void take_an_end_and_stay(void)
{
	csys_connection_close(near_side);
	csys_parcel *parcel;
	if (csys_connection_recv(far_side, &parcel) != 0 ||
	    csys_parcel_take_shared_sender(parcel, 0, 0, &sender) != 0)
		_exit(1);
	put(7);
	reach_step(1);
	stay();
}

static void kill_the_one_that_has_taken_it(void)
{
	connect_both();
	pid_t pid = forked(take_an_end_and_stay);
	csys_connection_close(far_side);
	open_both();
	const csys_attachment attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	await_step(1);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	kill_it(pid);
	get(7);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
	csys_shared_receiver_close(receiver);
}

static void the_death_of_the_process_that_has_taken_an_end_is_told(void **state)
{
	(void)state;
	with_channels(NULL, kill_the_one_that_has_taken_it);
}

static void receive_nothing_and_stay(void)
{
	csys_connection_close(near_side);
	reach_step(1);
	stay();
}

static void kill_before_it_is_taken(void)
{
	connect_both();
	pid_t pid = forked(receive_nothing_and_stay);
	csys_connection_close(far_side);
	open_both();
	const csys_attachment attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	await_step(1);
	assert_int_equal(get_within(csys_after_ms(1)), CSYS_ETIMEDOUT);
	kill_it(pid);
	csys_parcel *parcel;
	assert_int_equal(csys_connection_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
	csys_shared_receiver_close(receiver);
}

static void the_death_of_the_process_that_was_to_take_an_end_is_told(void **state)
{
	(void)state;
	with_channels(NULL, kill_before_it_is_taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(ends_of_a_channel_go_to_the_other_side),
		NAMES_TEST(ends_of_a_channel_in_a_region_of_the_caller_go_along),
		NAMES_TEST(ends_that_are_waited_for_by_their_handles_are_sent_too),
		NAMES_TEST(ends_that_are_in_use_are_not_sent),
		NAMES_TEST(ends_of_another_layout_stay),
		NAMES_TEST(what_is_not_taken_is_closed_and_the_channel_told),
		NAMES_TEST(an_end_of_a_channel_with_a_name_that_is_not_taken_is_closed_later),
		NAMES_TEST(a_connection_may_be_closed_after_its_ends_were_sent),
		NAMES_TEST(an_end_that_was_opened_after_one_in_flight_is_another_one),
		NAMES_TEST(an_end_outlives_the_process_that_has_sent_it),
		NAMES_TEST(the_death_of_the_process_that_has_taken_an_end_is_told),
		NAMES_TEST(the_death_of_the_process_that_was_to_take_an_end_is_told),
	};
	return RUN(tests);
}
