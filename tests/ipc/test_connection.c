/*
 * ipc/test_connection.c - promises of csys/ipc/connection.h.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/connection.h"
#include "support/place.h"

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

/* ---- making ------------------------------------------------------------------------------- */

static void messages_go_both_ways_whole_and_in_order(void **state)
{
	(void)state;
	connect_both();
	say_to(near_side, "one");
	say_to(near_side, "");
	say_to(near_side, "three");
	say_to(far_side, "back");
	hear_from(far_side, "one");
	hear_from(far_side, "");
	hear_from(far_side, "three");
	hear_from(near_side, "back");
	csys_parcel *parcel = (void *)1;
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	assert_int_equal(csys_connection_recv_until(near_side, csys_after_ms(1), &parcel),
			 CSYS_ETIMEDOUT);
	assert_ptr_equal(parcel, (void *)1);
	close_sides();
}

static void strangers_connect_by_a_name(void **state)
{
	(void)state;
	csys_listener *listener;
	csys_connection *connection = NULL;
	place_make();
	assert_int_equal(csys_connection_connect(place_address("x"), NULL, &connection),
			 CSYS_ENOENT);
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), 0);
	assert_int_equal(
		csys_connection_accept_until(listener, NULL, csys_after_ms(1), &connection),
		CSYS_ETIMEDOUT);
	assert_null(connection);
	assert_int_equal(csys_connection_connect_until(place_address("x"), NULL,
						       csys_after_ms(60000), &near_side),
			 0);
	assert_int_equal(csys_connection_accept(listener, NULL, &far_side), 0);
	say_to(near_side, "hello");
	hear_from(far_side, "hello");
	close_sides();
	csys_listener_close(listener);
	place_drop();
}

static void a_socket_becomes_a_connection_if_it_is_a_local_stream(void **state)
{
	(void)state;
	csys_socket *a, *b;
	csys_connection *connection = NULL;
	const csys_socket_options datagrams = { .kind = CSYS_SOCKET_DATAGRAM };
	if (csys_can(CSYS_CAN_SOCKET_DATAGRAM)) {
		assert_int_equal(csys_socket_pair(&datagrams, &a, &b), 0);
		assert_int_equal(csys_connection_from_socket_take(a, NULL, &connection),
				 CSYS_EBADMSG);
		csys_socket_close(a);
		csys_socket_close(b);
	}
	connect_wire();
	assert_non_null(csys_connection_socket(near_side));
	assert_int_equal(csys_connection_handle(near_side),
			 csys_socket_handle(csys_connection_socket(near_side)));
	close_wire();
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	const csys_connection_options large = { .most = CSYS_CONNECTION_MOST + 1 };
	const csys_connection_options reserved = { .reserved = { 1 } };
	csys_connection *connection = NULL;
	csys_parcel *parcel = NULL;
	assert_int_equal(csys_connection_pair(&large, &near_side, &far_side), CSYS_EINVAL);
	assert_int_equal(csys_connection_pair(&reserved, &near_side, &far_side), CSYS_EINVAL);
	assert_int_equal(csys_connection_pair(NULL, NULL, &far_side), CSYS_EINVAL);
	assert_int_equal(csys_connection_pair(NULL, &near_side, NULL), CSYS_EINVAL);
	assert_int_equal(csys_connection_from_socket_take(NULL, NULL, &connection), CSYS_EINVAL);
	assert_int_equal(csys_connection_connect(NULL, NULL, &connection), CSYS_EINVAL);
	assert_int_equal(csys_connection_accept(NULL, NULL, &connection), CSYS_EINVAL);
	assert_int_equal(csys_connection_send(NULL, "", 0, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_connection_recv(NULL, &parcel), CSYS_EINVAL);
	assert_int_equal(csys_connection_flush(NULL, CSYS_POLL), CSYS_EINVAL);
	assert_int_equal(csys_connection_advance(NULL), CSYS_EINVAL);
	assert_int_equal(csys_connection_is_pending(NULL), 0);
	assert_int_equal(csys_connection_handle(NULL), CSYS_NO_HANDLE);
	assert_null(csys_connection_socket(NULL));
	connect_both();
	assert_int_equal(csys_connection_send(near_side, NULL, 1, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_connection_send(near_side, "x", 1, NULL, 1), CSYS_EINVAL);
	assert_int_equal(csys_connection_recv(near_side, NULL), CSYS_EINVAL);
	csys_poll_item item = { .waitable = csys_connection_waitable_reading(NULL) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
	csys_connection_close(NULL);
	csys_parcel_close(NULL);
	close_sides();
}

/* ---- waiting ------------------------------------------------------------------------------ */

static int is_ready(csys_waitable waitable)
{
	csys_poll_item item = { .waitable = waitable };
	return csys_poll(&item, 1, CSYS_POLL) == 1;
}

static void a_connection_can_be_waited_for(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	connect_both();
	assert_false(is_ready(csys_connection_waitable_reading(far_side)));
	assert_true(is_ready(csys_connection_waitable_writing(near_side)));
	say_to(near_side, "x");
	assert_true(is_ready(csys_connection_waitable_reading(far_side)));
	hear_from(far_side, "x");
	assert_false(is_ready(csys_connection_waitable_reading(far_side)));
	assert_int_equal(csys_connection_try_send(near_side, data, LARGE, NULL, 0), 0);
	assert_false(is_ready(csys_connection_waitable_writing(near_side)));
	free(data);
	close_sides();
}

static void a_flush_waits_until_the_other_side_has_all(void **state)
{
	(void)state;
	connect_both();
	assert_int_equal(csys_connection_flush(near_side, CSYS_POLL), 0);
	say_to(near_side, "one");
	say_to(near_side, "two");
	assert_int_equal(csys_connection_flush(near_side, csys_after_ms(1)), CSYS_ETIMEDOUT);
	hear_from(far_side, "one");
	assert_int_equal(csys_connection_flush(near_side, csys_after_ms(1)), CSYS_ETIMEDOUT);
	hear_from(far_side, "two");
	csys_parcel *parcel;
	assert_int_equal(csys_connection_try_recv(far_side, &parcel), CSYS_EAGAIN);
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	close_sides();
}

static void a_flush_keeps_what_it_receives(void **state)
{
	(void)state;
	char text[20];
	connect_both();
	say_to(near_side, "mine");
	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof text, "yours %d", i);
		say_to(far_side, text);
	}
	assert_int_equal(csys_connection_flush(near_side, csys_after_ms(1)), CSYS_ETIMEDOUT);
	/* It is there though the socket is empty. */
	assert_true(is_ready(csys_connection_waitable_reading(near_side)));
	assert_false(is_ready(csys_waitable_reading(csys_connection_handle(near_side))));
	say_to(far_side, "last");
	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof text, "yours %d", i);
		hear_from(near_side, text);
	}
	hear_from(near_side, "last");
	hear_from(far_side, "mine");
	close_sides();
}

static void a_flush_does_not_keep_without_end(void **state)
{
	(void)state;
	connect_both();
	say_to(near_side, "mine");
	/* As much as there is room for, twice. */
	for (int i = 0; i < 2; i++) {
		int r;
		while ((r = csys_connection_try_send(far_side, "12345678", 8, NULL, 0)) == 0 &&
		       csys_connection_is_pending(far_side) == 0)
			continue;
		r = csys_connection_flush(near_side, csys_after_ms(1));
		assert_true(r == CSYS_EBUSY);
	}
	/* It goes on once they are received. */
	csys_parcel *parcel;
	while (csys_connection_try_recv(near_side, &parcel) == 0)
		csys_parcel_close(parcel);
	hear_from(far_side, "mine");
	assert_int_equal(csys_connection_try_recv(far_side, &parcel), CSYS_EAGAIN);
	(void)csys_connection_advance(far_side);
	assert_int_equal(csys_connection_flush(near_side, csys_after_ms(60000)), 0);
	close_sides();
}

/* ---- the end ------------------------------------------------------------------------------ */

static void what_was_sent_before_the_end_is_received(void **state)
{
	(void)state;
	csys_parcel *parcel;
	connect_both();
	say_to(near_side, "one");
	say_to(far_side, "never received");
	csys_connection_close(near_side);
	hear_from(far_side, "one");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
		assert_int_equal(csys_connection_send(far_side, "x", 1, NULL, 0),
				 CSYS_EDISCONNECTED);
		assert_int_equal(csys_connection_flush(far_side, CSYS_FOREVER), CSYS_EDISCONNECTED);
	}
	assert_true(is_ready(csys_connection_waitable_reading(far_side)));
	csys_connection_close(far_side);
}

static void half_a_message_before_the_end_is_none(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	csys_parcel *parcel;
	connect_both();
	say_to(near_side, "whole");
	assert_int_equal(csys_connection_try_send(near_side, data, LARGE, NULL, 0), 0);
	csys_connection_close(near_side);
	hear_from(far_side, "whole");
	assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
	free(data);
	csys_connection_close(far_side);
}

/* ---- threads ------------------------------------------------------------------------------ */

enum { EACH = 2000 };

static void *send_numbers(void *argument)
{
	csys_connection *connection = argument;
	for (uint32_t i = 0; i < EACH; i++)
		if (csys_connection_send(connection, &i, sizeof i, NULL, 0) != 0)
			return argument;
	return NULL;
}

static void threads_send_and_receive_at_once(void **state)
{
	(void)state;
	csys_thread *threads[3];
	uint32_t next[2] = { 0, 0 };
	connect_both();
	assert_int_equal(csys_thread_spawn(send_numbers, near_side, NULL, &threads[0]), 0);
	assert_int_equal(csys_thread_spawn(send_numbers, near_side, NULL, &threads[1]), 0);
	assert_int_equal(csys_thread_spawn(send_numbers, far_side, NULL, &threads[2]), 0);
	for (uint32_t i = 0; i < 2 * EACH; i++) {
		uint32_t number;
		csys_parcel *parcel = heard(far_side);
		memcpy(&number, csys_parcel_data(parcel, NULL), sizeof number);
		/* Of one thread in order. */
		int which = number == next[0] ? 0 : 1;
		assert_int_equal(number, next[which]);
		next[which]++;
		csys_parcel_close(parcel);
	}
	for (uint32_t i = 0; i < EACH; i++)
		csys_parcel_close(heard(near_side));
	for (int i = 0; i < 3; i++) {
		void *failed = NULL;
		assert_int_equal(csys_thread_join(threads[i], &failed), 0);
		assert_null(failed);
		csys_thread_unref(threads[i]);
	}
	close_sides();
}

/* ---- faults ------------------------------------------------------------------------------- */

static void a_failure_leaves_nothing_behind(void **state)
{
	(void)state;
	int handles = open_handles();
	for (int nth = 1;; nth++) {
		near_side = far_side = NULL;
		csysi_fault_arm(nth);
		int r = csys_connection_pair(NULL, &near_side, &far_side);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
		assert_null(near_side);
		assert_null(far_side);
		assert_int_equal(open_handles(), handles);
	}
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_connection_send(near_side, "hello", 5, NULL, 0);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
	}
	/* Nothing is lost for want of memory. */
	csys_parcel *parcel = NULL;
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_connection_try_recv(far_side, &parcel);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		if (r == 0)
			break;
		assert_true(r < 0 && r != CSYS_EDISCONNECTED && r != CSYS_EBADMSG);
		assert_null(parcel);
	}
	assert_string_equal(csys_parcel_data(parcel, NULL), "hello");
	csys_parcel_close(parcel);
	close_sides();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_go_both_ways_whole_and_in_order),
		TEST(strangers_connect_by_a_name),
		TEST(a_socket_becomes_a_connection_if_it_is_a_local_stream),
		TEST(what_makes_no_sense_is_refused),
		TEST(a_connection_can_be_waited_for),
		TEST(a_flush_waits_until_the_other_side_has_all),
		TEST(a_flush_keeps_what_it_receives),
		TEST(a_flush_does_not_keep_without_end),
		TEST(what_was_sent_before_the_end_is_received),
		TEST(half_a_message_before_the_end_is_none),
		TEST(threads_send_and_receive_at_once),
		TEST(a_failure_leaves_nothing_behind),
	};
	return RUN(tests);
}
