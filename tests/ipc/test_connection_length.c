/*
 * ipc/test_connection_length.c - promises of csys/ipc/connection.h: messages that are longer than
 * what the system has room for.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/connection.h"
#include "support/place.h"

/* Start a forked child, and wait for its end. */
static pid_t child(void (*function)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		function();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void await(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

/* ---- lengths ------------------------------------------------------------------------------ */

static void a_message_has_no_more_bytes_than_the_limit(void **state)
{
	(void)state;
	const csys_connection_options options = { .most = 10 };
	assert_int_equal(csys_connection_pair(&options, &near_side, &far_side), 0);
	assert_int_equal(csys_connection_send(near_side, "12345678901", 11, NULL, 0),
			 CSYS_EMSGSIZE);
	say_to(near_side, "1234567890");
	hear_from(far_side, "1234567890");
	close_sides();
}

static void send_three(void)
{
	void *data = pattern(LARGE);
	csys_connection_close(far_side);
	for (int i = 0; i < 3; i++)
		CHECK(csys_connection_send(near_side, data, LARGE, NULL, 0) == 0);
	free(data);
	csys_connection_close(near_side);
}

static void take_large(csys_connection *connection)
{
	size_t size;
	csys_parcel *parcel = heard(connection);
	const void *data = csys_parcel_data(parcel, &size);
	assert_int_equal(size, LARGE);
	assert_true(is_pattern(data, size));
	assert_int_equal(((const char *)data)[size], 0);
	csys_parcel_close(parcel);
}

static void echo_one(void)
{
	csys_connection_close(near_side);
	take_large(far_side);
	say_to(far_side, "got it");
	csys_connection_close(far_side);
}

/* Send and receive three large messages, both at once. */
static void exchange(csys_connection *connection)
{
	void *data = pattern(LARGE);
	int sent = 0, received = 0;
	while (sent < 3 || received < 3 || csys_connection_is_pending(connection)) {
		csys_parcel *parcel;
		if (sent < 3 && csys_connection_try_send(connection, data, LARGE, NULL, 0) == 0)
			sent++;
		int r = received < 3 ? csys_connection_try_recv(connection, &parcel)
				     : csys_connection_advance(connection);
		if (r == 0 && received < 3) {
			assert_true(is_pattern(csys_parcel_data(parcel, NULL), LARGE));
			csys_parcel_close(parcel);
			received++;
		} else if (r == CSYS_EAGAIN) {
			csys_poll_item items[2] = {
				{ .waitable = csys_connection_waitable_reading(connection) },
				{ .waitable = csys_connection_waitable_writing(connection) },
			};
			assert_true(csys_poll(items, 2, csys_after_ms(60000)) > 0);
		}
	}
	free(data);
}

static void exchange_far(void)
{
	csys_connection_close(near_side);
	exchange(far_side);
	csys_connection_close(far_side);
}

static void a_large_message_comes_whole(void **state)
{
	(void)state;
	csys_parcel *parcel;
	connect_both();
	pid_t pid = child(send_three);
	csys_connection_close(near_side);
	for (int i = 0; i < 3; i++)
		take_large(far_side);
	assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(far_side);
	await(pid);
}

static void what_was_begun_at_the_deadline_is_sent_by_later_calls(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	csys_parcel *parcel;
	connect_both();
	assert_int_equal(csys_connection_is_pending(near_side), 0);
	assert_int_equal(csys_connection_try_send(near_side, data, LARGE, NULL, 0), 0);
	assert_int_equal(csys_connection_is_pending(near_side), 1);
	/* Nothing of another one is begun. */
	assert_int_equal(csys_connection_try_send(near_side, "x", 1, NULL, 0), CSYS_EAGAIN);
	assert_int_equal(csys_connection_send_until(near_side, "x", 1, NULL, 0, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_connection_advance(near_side), CSYS_EAGAIN);
	/* The other side, until it has all of it, by turns with each kind of call. */
	for (int i = 0; csys_connection_try_recv(far_side, &parcel) == CSYS_EAGAIN; i++) {
		csys_parcel *none;
		if (i % 2 == 0)
			(void)csys_connection_advance(near_side);
		else
			assert_int_equal(csys_connection_try_recv(near_side, &none), CSYS_EAGAIN);
	}
	assert_true(is_pattern(csys_parcel_data(parcel, NULL), LARGE));
	csys_parcel_close(parcel);
	assert_int_equal(csys_connection_is_pending(near_side), 0);
	say_to(near_side, "next");
	hear_from(far_side, "next");
	free(data);
	close_sides();
}

static void a_receive_sends_what_is_pending_while_it_waits(void **state)
{
	(void)state;
	static void *data; /* the child has it too */
	data = pattern(LARGE);
	connect_both();
	assert_int_equal(csys_connection_try_send(near_side, data, LARGE, NULL, 0), 0);
	pid_t pid = child(echo_one);
	hear_from(near_side, "got it");
	free(data);
	close_sides();
	await(pid);
}

static void both_sides_send_much_and_wait_for_both_ways(void **state)
{
	(void)state;
	connect_both();
	pid_t pid = child(exchange_far);
	exchange(near_side);
	close_sides();
	await(pid);
}

/* ---- in the middle of one ------------------------------------------------------------------- */

/* Send messages of all lengths, with a handle each, without an end. */
static void send_until_killed(void)
{
	static void *data;
	data = pattern(100000);
	csys_connection_close(far_side);
	const csys_attachment one = csys_attach_handle(0);
	for (size_t i = 0;; i++) {
		csys_parcel *parcel;
		if (csys_connection_send(near_side, data, i * 7919 % 100000, &one, 1) != 0)
			_exit(1);
		if (csys_connection_try_recv(near_side, &parcel) != CSYS_EAGAIN)
			_exit(2);
	}
}

static void a_process_that_is_killed_while_it_sends_has_sent_whole_messages(void **state)
{
	(void)state;
	int handles = open_handles();
	for (size_t round = 0; round < 40; round++) {
		csys_parcel *parcel;
		connect_both();
		pid_t pid = child(send_until_killed);
		csys_connection_close(near_side);
		size_t count = 0;
		int r;
		while ((r = csys_connection_recv(far_side, &parcel)) == 0) {
			size_t size;
			const void *data = csys_parcel_data(parcel, &size);
			assert_int_equal(size, count * 7919 % 100000);
			assert_true(is_pattern(data, size));
			assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_HANDLE);
			csys_parcel_close(parcel);
			if (count++ == round)
				kill(pid, SIGKILL);
		}
		assert_int_equal(r, CSYS_EDISCONNECTED);
		assert_true(count > round);
		csys_connection_close(far_side);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(open_handles(), handles);
	}
}

static void receive_in_a_storm(void)
{
	for (int i = 0; i < 3; i++)
		take_large(far_side);
}

static void signals_interrupt_nothing(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("between two signals valgrind gets nowhere");
	connect_both();
	pid_t pid = child(send_three);
	storm_start();
	receive_in_a_storm();
	storm_stop();
	close_sides();
	await(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_has_no_more_bytes_than_the_limit),
		TEST(a_large_message_comes_whole),
		TEST(what_was_begun_at_the_deadline_is_sent_by_later_calls),
		TEST(a_receive_sends_what_is_pending_while_it_waits),
		TEST(both_sides_send_much_and_wait_for_both_ways),
		TEST(a_process_that_is_killed_while_it_sends_has_sent_whole_messages),
		TEST(signals_interrupt_nothing),
	};
	return RUN(tests);
}
