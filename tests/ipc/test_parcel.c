/*
 * ipc/test_parcel.c - promises of csys/ipc/parcel.h, but for ends of shared channels.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/connection.h"
#include "support/names.h"

static void send_with(const csys_attachment *attachments, size_t count)
{
	assert_int_equal(csys_connection_send(near_side, "x", 1, attachments, count), 0);
}

/* ---- handles ------------------------------------------------------------------------------ */

static void a_handle_is_copied_or_given_away(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle got = CSYS_NO_HANDLE;
	char byte = 0;
	size_t size;
	connect_both();
	const csys_attachment both[] = { csys_attach_handle(pipe.reader),
					 csys_attach_handle_take(pipe.writer) };
	int handles = open_handles();
	send_with(both, 2);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_count(parcel), 2);
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_HANDLE);
	assert_int_equal(csys_parcel_kind(parcel, 1), CSYS_ATTACHMENT_HANDLE);
	assert_int_equal(csys_parcel_kind(parcel, 2), CSYS_ATTACHMENT_NONE);
	assert_int_equal(csys_parcel_take_handle(parcel, 1, &got), 0);
	assert_int_equal(csys_parcel_kind(parcel, 1), CSYS_ATTACHMENT_NONE);
	assert_int_equal(csys_parcel_take_handle(parcel, 1, &got), CSYS_EBADMSG);
	assert_int_equal(csys_stream_write_all(got, "y", 1, NULL), 0);
	csys_handle_close(got);
	/* The copy in the parcel is closed with it. */
	csys_parcel_close(parcel);
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	assert_int_equal(open_handles(), handles - 1);
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(byte, 'y');
	/* No writer is left. */
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
	close_sides();
}

static void a_message_carries_as_many_as_are_promised(void **state)
{
	(void)state;
	static csys_attachment many[CSYS_CONNECTION_ATTACHMENTS + 1];
	struct ends pipe = opened_ends();
	connect_both();
	for (size_t i = 0; i < CSYS_CONNECTION_ATTACHMENTS + 1; i++)
		many[i] = csys_attach_handle(pipe.reader);
	assert_int_equal(
		csys_connection_send(near_side, "x", 1, many, CSYS_CONNECTION_ATTACHMENTS + 1),
		CSYS_EINVAL);
	for (int i = 0; i < 3; i++) {
		send_with(many, CSYS_CONNECTION_ATTACHMENTS);
		csys_parcel *parcel = heard(far_side);
		assert_int_equal(csys_parcel_count(parcel), CSYS_CONNECTION_ATTACHMENTS);
		csys_parcel_close(parcel);
	}
	close_ends(pipe);
	close_sides();
}

static void attachments_go_with_large_messages(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20 };
	struct ends pipe = opened_ends();
	const csys_attachment one = csys_attach_handle(pipe.reader);
	csys_parcel *parcel;
	void *data = pattern(SIZE);
	size_t size;
	connect_both();
	assert_int_equal(csys_connection_try_send(near_side, data, SIZE, &one, 1), 0);
	while (csys_connection_try_recv(far_side, &parcel) == CSYS_EAGAIN)
		(void)csys_connection_advance(near_side);
	assert_true(is_pattern(csys_parcel_data(parcel, &size), SIZE));
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_HANDLE);
	csys_parcel_close(parcel);
	free(data);
	close_ends(pipe);
	close_sides();
}

static void what_cannot_be_sent_stays_the_callers(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_socket *socket, *other;
	assert_int_equal(csys_socket_pair(NULL, &socket, &other), 0);
	connect_both();
	int handles = open_handles();
	csys_attachment wrong = csys_attach_handle(pipe.reader);
	wrong.kind = 99;
	const struct {
		csys_attachment last;
		int result;
	} cases[] = {
		{ csys_attach_handle(CSYS_NO_HANDLE), CSYS_EBADF },
		{ csys_attach_handle(99999), CSYS_EBADF },
		{ csys_attach_handle_take(pipe.writer), CSYS_EINVAL }, /* twice */
		{ csys_attach_socket_take(socket), CSYS_EINVAL },      /* twice */
		{ csys_attach_connection_take(near_side), CSYS_EINVAL },
		{ csys_attach_region(NULL), CSYS_EINVAL },
		{ csys_attach_socket_take(NULL), CSYS_EINVAL },
		{ csys_attach_connection_take(NULL), CSYS_EINVAL },
		{ csys_attach_shared_sender_take(NULL), CSYS_EINVAL },
		{ csys_attach_shared_receiver_take(NULL), CSYS_EINVAL },
		{ wrong, CSYS_EINVAL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const csys_attachment all[] = { csys_attach_handle_take(pipe.writer),
						csys_attach_socket_take(socket), cases[i].last };
		assert_int_equal(csys_connection_send(near_side, "x", 1, all, 3), cases[i].result);
		assert_int_equal(open_handles(), handles);
	}
	/* Nothing was sent, and the connection goes on. */
	say_to(near_side, "next");
	hear_from(far_side, "next");
	/* Nor is anything of what is sent to nobody. */
	csys_connection_close(far_side);
	const csys_attachment all[] = { csys_attach_handle_take(pipe.writer),
					csys_attach_socket_take(socket) };
	assert_int_equal(csys_connection_send(near_side, "x", 1, all, 2), CSYS_EDISCONNECTED);
	assert_int_equal(csys_socket_send_all(socket, "z", 1, NULL), 0);
	csys_connection_close(near_side);
	csys_socket_close(socket);
	csys_socket_close(other);
	close_ends(pipe);
}

static void what_was_not_received_is_closed_with_the_connection(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const csys_attachment all[] = { csys_attach_handle_take(pipe.writer),
					csys_attach_handle(pipe.reader) };
	char byte;
	size_t size;
	connect_both();
	send_with(all, 2);
	assert_int_equal(csys_connection_flush(near_side, csys_after_ms(1)), CSYS_ETIMEDOUT);
	close_sides();
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
}

static void handles_are_kept_until_the_other_side_has_them(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const csys_attachment one = csys_attach_handle_take(pipe.writer);
	int handles;
	connect_both();
	send_with(&one, 1);
	handles = open_handles();
	csys_parcel_close(heard(far_side));
	assert_int_equal(open_handles(), handles);
	/* The news comes with the next message, or before. */
	say_to(far_side, "x");
	hear_from(near_side, "x");
	assert_int_equal(open_handles(), handles - 1);
	csys_handle_close(pipe.reader);
	close_sides();
}

/* ---- sockets and connections ---------------------------------------------------------------- */

static void a_socket_goes_to_the_other_process(void **state)
{
	(void)state;
	csys_socket *socket, *other, *got = NULL;
	char byte;
	size_t size;
	assert_int_equal(csys_socket_pair(NULL, &socket, &other), 0);
	connect_both();
	const csys_attachment one = csys_attach_socket_take(socket);
	send_with(&one, 1);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_SOCKET);
	assert_int_equal(csys_parcel_take_socket(parcel, 0, NULL, &got), 0);
	csys_parcel_close(parcel);
	assert_int_equal(csys_socket_send_all(got, "y", 1, NULL), 0);
	assert_int_equal(csys_socket_recv(other, &byte, 1, &size), 0);
	assert_int_equal(byte, 'y');
	csys_socket_close(got);
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	assert_int_equal(csys_socket_recv(other, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_socket_close(other);
	close_sides();
}

static void a_connection_goes_on_in_the_other_process(void **state)
{
	(void)state;
	csys_connection *sent, *peer, *got = NULL;
	assert_int_equal(csys_connection_pair(NULL, &sent, &peer), 0);
	connect_both();
	/* Messages before and after it, in both directions. */
	say_to(sent, "one");
	hear_from(peer, "one");
	say_to(peer, "two");
	hear_from(sent, "two");
	say_to(peer, "three");
	say_to(sent, "four");
	const csys_attachment one = csys_attach_connection_take(sent);
	send_with(&one, 1);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_CONNECTION);
	assert_int_equal(csys_parcel_take_connection(parcel, 0, NULL, &got), 0);
	csys_parcel_close(parcel);
	hear_from(got, "three");
	hear_from(peer, "four");
	say_to(got, "five");
	hear_from(peer, "five");
	say_to(peer, "six");
	hear_from(got, "six");
	csys_connection_close(got);
	csys_connection_close(peer);
	close_sides();
}

static void a_connection_that_is_not_quiet_is_not_sent(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20 };
	struct ends pipe = opened_ends();
	csys_connection *sent, *peer;
	csys_parcel *parcel;
	void *data = pattern(SIZE);
	assert_int_equal(csys_connection_pair(NULL, &sent, &peer), 0);
	connect_both();
	const csys_attachment one = csys_attach_connection_take(sent);
	/* It has sent a part. */
	assert_int_equal(csys_connection_try_send(sent, data, SIZE, NULL, 0), 0);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &one, 1), CSYS_EBUSY);
	while (csys_connection_try_recv(peer, &parcel) == CSYS_EAGAIN)
		(void)csys_connection_advance(sent);
	csys_parcel_close(parcel);
	/* It has received a part. */
	assert_int_equal(csys_connection_try_send(peer, data, SIZE, NULL, 0), 0);
	assert_int_equal(csys_connection_try_recv(sent, &parcel), CSYS_EAGAIN);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &one, 1), CSYS_EBUSY);
	while (csys_connection_try_recv(sent, &parcel) == CSYS_EAGAIN)
		(void)csys_connection_advance(peer);
	csys_parcel_close(parcel);
	/* It has handles for the other side. */
	const csys_attachment handle = csys_attach_handle_take(pipe.writer);
	assert_int_equal(csys_connection_send(sent, "x", 1, &handle, 1), 0);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &one, 1), CSYS_EBUSY);
	csys_parcel_close(heard(peer));
	assert_int_equal(csys_connection_flush(sent, CSYS_FOREVER), 0);
	send_with(&one, 1);
	free(data);
	csys_connection_close(peer);
	csys_handle_close(pipe.reader);
	close_sides();
}

/* ---- regions ------------------------------------------------------------------------------ */

static void a_region_is_opened_in_the_other_process(void **state)
{
	(void)state;
	csys_region *region, *got = NULL;
	const csys_region_options layout = { .layout = 77, .accept_unsealed = 1 };
	const csys_region_options other = { .layout = 78, .accept_unsealed = 1 };
	const csys_region_options sealed = { .layout = 77 };
	assert_int_equal(csys_region_create("r", 100, &layout, &region), 0);
	connect_both();
	const csys_attachment one = csys_attach_region(region);
	send_with(&one, 1);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_kind(parcel, 0), CSYS_ATTACHMENT_REGION);
	assert_int_equal(csys_parcel_take_region(parcel, 0, &other, &got), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_region(parcel, 0, &sealed, &got), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_region(parcel, 0, &layout, &got), 0);
	csys_parcel_close(parcel);
	memcpy(csys_region_data(region), "shared", 7);
	assert_string_equal(csys_region_data(got), "shared");
	csys_region_close(got);
	csys_region_close(region);
	close_sides();
}

/* ---- taking ------------------------------------------------------------------------------- */

static void what_is_of_another_kind_stays(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const csys_attachment one = csys_attach_handle(pipe.reader);
	csys_handle handle = CSYS_NO_HANDLE;
	csys_region *region = NULL;
	csys_socket *socket = NULL;
	csys_connection *connection = NULL;
	csys_shared_sender *sender = NULL;
	csys_shared_receiver *receiver = NULL;
	connect_both();
	send_with(&one, 1);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_take_region(parcel, 0, NULL, &region), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_socket(parcel, 0, NULL, &socket), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_connection(parcel, 0, NULL, &connection), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), CSYS_EBADMSG);
	assert_int_equal(csys_parcel_take_handle(parcel, 1, &handle), CSYS_EINVAL);
	assert_int_equal(csys_parcel_take_handle(parcel, 0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_parcel_take_handle(NULL, 0, &handle), CSYS_EINVAL);
	assert_int_equal(csys_parcel_count(NULL), 0);
	assert_null(csys_parcel_data(NULL, NULL));
	assert_int_equal(csys_parcel_take_handle(parcel, 0, &handle), 0);
	csys_handle_close(handle);
	csys_parcel_close(parcel);
	close_ends(pipe);
	close_sides();
}

static void a_failure_leaves_nothing_behind(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_socket *socket, *other, *third = NULL;
	assert_int_equal(csys_socket_pair(NULL, &socket, &other), 0);
	connect_both();
	const csys_attachment all[] = { csys_attach_handle_take(pipe.writer),
					csys_attach_socket_take(socket) };
	int handles = open_handles();
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_connection_send(near_side, "x", 1, all, 2);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired || r == 0)
			break;
		assert_int_equal(open_handles(), handles);
	}
	csys_parcel *parcel = NULL;
	int is_broken = 0;
	for (int nth = 1; !parcel && !is_broken; nth++) {
		csysi_fault_arm(nth);
		int r = csys_connection_try_recv(far_side, &parcel);
		csysi_fault_arm(0);
		is_broken = r == CSYS_EMFILE;
	}
	/* No handle was to be had: those that came are closed, and the connection is broken. */
	if (is_broken) {
		assert_null(parcel);
		assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EMFILE);
		assert_int_equal(csys_connection_send(far_side, "x", 1, NULL, 0), CSYS_EMFILE);
		close_sides();
		connect_both();
		assert_int_equal(csys_socket_pair(NULL, &socket, &third), 0);
		const csys_attachment more[] = { csys_attach_handle(pipe.reader),
						 csys_attach_socket_take(socket) };
		send_with(more, 2);
		parcel = heard(far_side);
	}
	csys_socket *got = NULL;
	for (int nth = 1; !got; nth++) {
		csysi_fault_arm(nth);
		int r = csys_parcel_take_socket(parcel, 1, NULL, &got);
		csysi_fault_arm(0);
		assert_true(r <= 0);
	}
	csys_socket_close(got);
	csys_parcel_close(parcel);
	csys_socket_close(other);
	csys_socket_close(third);
	csys_handle_close(pipe.reader);
	close_sides();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handle_is_copied_or_given_away),
		TEST(a_message_carries_as_many_as_are_promised),
		TEST(attachments_go_with_large_messages),
		TEST(what_cannot_be_sent_stays_the_callers),
		TEST(what_was_not_received_is_closed_with_the_connection),
		TEST(handles_are_kept_until_the_other_side_has_them),
		TEST(a_socket_goes_to_the_other_process),
		TEST(a_connection_goes_on_in_the_other_process),
		TEST(a_connection_that_is_not_quiet_is_not_sent),
		NAMES_TEST(a_region_is_opened_in_the_other_process),
		TEST(what_is_of_another_kind_stays),
		TEST(a_failure_leaves_nothing_behind),
	};
	return RUN(tests);
}
