/*
 * ipc/test_message_edge.c - promises of csys/ipc/message.h at their edges: nothing to send, no
 * room, numbers out of range, senders that are asked for late.
 */
#define _GNU_SOURCE /* SO_PASSCRED */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/place.h"

static csys_socket *a, *b;

static int make_pair(int kind, int senders)
{
	const csys_socket_options options = { .kind = kind, .senders = senders };
	int r = csys_socket_pair(&options, &a, &b);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	return r == 0;
}

static void close_pair(void)
{
	csys_socket_close(a);
	csys_socket_close(b);
}

static char buffer[64];
static csys_handle got[2];

static csys_received_message receiving(const csys_slice_mut *room)
{
	return (csys_received_message){
		.slices = room, .slice_count = room ? 1 : 0, .handles = got, .handle_room = 2
	};
}

/* ---- parts --------------------------------------------------------------------------- */

static void empty_parts_do_not_take_the_place_of_bytes(void **state)
{
	(void)state;
	static csys_slice parts[2 * CSYS_MESSAGE_SLICES + 1];
	const csys_slice_mut room = { buffer, sizeof buffer };
	struct ends pipe = opened_ends();
	csys_received_message received = receiving(&room);
	size_t size = 77;
	csys_message message = { .slices = parts,
				 .slice_count = sizeof parts / sizeof *parts,
				 .handles = &pipe.reader,
				 .handle_count = 1 };
	parts[message.slice_count - 1] = (csys_slice){ "x", 1 };
	assert_true(make_pair(CSYS_SOCKET_STREAM, 0));
	assert_int_equal(csys_message_send(a, &message, &size), 0);
	assert_int_equal(size, 1);
	assert_int_equal(csys_message_try_recv(b, &received), 0);
	assert_int_equal(received.size, 1);
	assert_int_equal(received.handle_count, 1);
	csys_message_close_handles(&received);
	close_pair();
	close_ends(pipe);
}

static void without_room_nothing_is_received_of_a_stream(void **state)
{
	(void)state;
	static csys_address sender;
	const csys_slice part = { "x", 1 };
	const csys_slice_mut none = { NULL, 0 }, room = { buffer, sizeof buffer };
	struct ends pipe = opened_ends();
	const csys_message message = {
		.slices = &part, .slice_count = 1, .handles = &pipe.reader, .handle_count = 1
	};
	assert_true(make_pair(CSYS_SOCKET_STREAM, 0));
	for (int i = 0; i < 3; i++) { /* also if nothing is there */
		csys_received_message received = receiving(i == 1 ? &none : NULL);
		received.size = received.handle_count = 77;
		received.address = &sender;
		if (i == 1)
			assert_int_equal(csys_message_send(a, &message, NULL), 0);
		assert_int_equal(csys_message_try_recv(b, &received), 0);
		assert_int_equal(received.size, 0);
		assert_int_equal(received.handle_count, 0);
		assert_int_equal(received.credentials.pid, -1);
		assert_int_equal(csys_address_kind_of(&sender), CSYS_ADDRESS_UNNAMED);
	}
	csys_received_message received = receiving(&room);
	assert_int_equal(csys_message_try_recv(b, &received), 0);
	assert_int_equal(received.size, 1);
	assert_int_equal(received.handle_count, 1);
	csys_message_close_handles(&received);
	close_pair();
	close_ends(pipe);
}

/* ---- credentials --------------------------------------------------------------------- */

static int64_t own(int64_t number)
{
	return number + ((int64_t)1 << 32); /* the same, if it were cut to 32 bits */
}

static void credentials_are_not_cut_to_those_of_another(void **state)
{
	(void)state;
	const csys_slice part = { "x", 1 };
	const csys_credentials wrong[] = {
		{ own(getpid()), -1, -1 },
		{ -1, own(geteuid()), -1 },
		{ -1, -1, own(getegid()) },
		{ INT64_MAX, -1, -1 },
		{ -2, -1, -1 },
		{ -1, -2, -1 },
		{ -1, -1, INT64_MIN },
		{ -1, UINT32_MAX, -1 },
	};
	const csys_slice_mut room = { buffer, sizeof buffer };
	csys_received_message received = receiving(&room);
	if (!make_pair(CSYS_SOCKET_DATAGRAM, 1))
		skip_because("this system does not tell senders");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const csys_message message = { .slices = &part,
					       .slice_count = 1,
					       .credentials = &wrong[i] };
		assert_int_equal(csys_message_send(a, &message, NULL), CSYS_EINVAL);
		assert_int_equal(csys_message_try_recv(b, &received), CSYS_EAGAIN);
	}
	close_pair();
}

static void assert_told(csys_socket *socket, int64_t pid, int64_t uid)
{
	const csys_slice_mut room = { buffer, sizeof buffer };
	csys_received_message received = receiving(&room);
	assert_int_equal(csys_message_try_recv(socket, &received), 0);
	assert_int_equal(received.credentials.pid, pid);
	assert_int_equal(received.credentials.uid, uid);
	assert_int_equal(received.credentials.gid, pid < 0 ? -1 : (int64_t)getegid());
}

static void a_sender_from_before_it_was_asked_for_is_not_told(void **state)
{
	(void)state;
	const csys_socket_options options = { .senders = 1 };
	csys_handle handle;
	csys_socket *second = NULL;
	size_t size;
	if (!csys_can(CSYS_CAN_SOCKET_CREDENTIALS))
		skip_because("this system does not tell senders");
	for (int i = 0; i < 3; i++) {
		if (!make_pair(i, 0))
			continue;
		assert_int_equal(csys_socket_send(a, "before", 6, &size), 0);
		assert_int_equal(csys_socket_into_handle(b, &handle), 0);
		assert_int_equal(csys_socket_adopt_take(handle, &options, &second), 0);
		assert_int_equal(csys_socket_send(a, "after", 5, &size), 0);
		assert_told(second, -1, -1);
		assert_told(second, getpid(), geteuid());
		csys_socket_close(a);
		csys_socket_close(second);
	}
}

static void send_as_two_users(void)
{
	const csys_slice part = { "x", 1 };
	const csys_slice_mut room = { buffer, sizeof buffer };
	const csys_credentials own = { -1, -1, -1 };
	csys_message message = { .slices = &part, .slice_count = 1 };
	CHECK(setregid(1001, 1002) == 0 && setreuid(1001, 1002) == 0);
	for (int i = 0; i < 2; i++) {
		csys_received_message received = receiving(&room);
		CHECK(csys_message_send(a, &message, NULL) == 0);
		CHECK(csys_message_try_recv(b, &received) == 0);
		CHECK(received.credentials.uid == 1001 && received.credentials.gid == 1001);
		message.credentials = &own;
	}
}

static void a_sender_is_told_by_its_real_user(void **state)
{
	(void)state;
	if (geteuid() != 0 || !make_pair(CSYS_SOCKET_DATAGRAM, 1))
		skip_because("only root can be two other users");
	in_child(send_as_two_users);
	close_pair();
}

#ifdef SO_PASSCRED
static int tells_senders(int fd)
{
	int value = 0;
	socklen_t size = sizeof value;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, &size), 0);
	return value;
}

/* Whether a connection tells senders because its listener does (Linux 6.16). */
static int is_handed_on(void)
{
	const csys_socket_options options = { 0 };
	csys_listener *listener;
	int on = 1;
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), 0);
	int fd = (int)csys_listener_handle(listener);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
	assert_int_equal(csys_socket_connect(place_address("x"), &options, &a), 0);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	int handed_on = tells_senders((int)csys_socket_handle(b));
	close_pair();
	csys_listener_close(listener);
	return handed_on;
}

/* Accept as another program does, and send before senders could be asked for. */
static void assert_sender_is_told(csys_listener *listener)
{
	const csys_socket_options options = { 0 };
	size_t size;
	assert_int_equal(csys_socket_connect(place_address("x"), &options, &a), 0);
	int fd = accept((int)csys_listener_handle(listener), NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(csys_socket_send(a, "at once", 7, &size), 0);
	assert_int_equal(csys_socket_adopt_take(fd, NULL, &b), 0);
	assert_told(b, getpid(), geteuid());
	close_pair();
}

static void a_sender_is_told_from_the_first_message_of_a_connection_on(void **state)
{
	(void)state;
	const csys_listener_options options = { .senders = 1 };
	csys_listener *listener, *adopted;
	place_make();
	if (!csys_can(CSYS_CAN_SOCKET_CREDENTIALS) || !is_handed_on()) {
		place_drop();
		skip_because("this system does not tell senders from the connection on");
	}
	assert_int_equal(csys_listener_bind(place_address("x"), &options, &listener), 0);
	assert_sender_is_told(listener);
	csys_listener_close(listener);
	/* One of other code that did not ask for it. */
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), 0);
	csys_handle second = dup((int)csys_listener_handle(listener));
	assert_int_equal(csys_listener_adopt_take(second, &options, &adopted), 0);
	assert_sender_is_told(adopted);
	csys_listener_close(adopted);
	csys_listener_close(listener);
	place_drop();
}
#else
static void a_sender_is_told_from_the_first_message_of_a_connection_on(void **state)
{
	(void)state;
	skip_because("this system does not tell senders from the connection on");
}
#endif

/* ---- what other code has asked the system for ---------------------------------------- */

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static void a_handle_that_other_code_asked_for_is_closed(void **state)
{
	(void)state;
	const csys_slice_mut room = { buffer, sizeof buffer };
	struct ends pipe = opened_ends();
	const csys_slice part = { "x", 1 };
	const csys_message message = {
		.slices = &part, .slice_count = 1, .handles = &pipe.reader, .handle_count = 1
	};
	int on = 1;
	assert_true(make_pair(CSYS_SOCKET_STREAM, 0));
	int r = setsockopt((int)csys_socket_handle(b), SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on);
	if (r == 0 && csys_can(CSYS_CAN_SOCKET_PEER_HANDLE)) { /* no other backend knows them */
		int handles = open_handles();
		csys_received_message received = receiving(&room);
		assert_int_equal(csys_message_send(a, &message, NULL), 0);
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.handle_count, 1);
		assert_int_equal(open_handles(), handles + 1);
		csys_message_close_handles(&received);
	}
	close_pair();
	close_ends(pipe);
	if (r < 0)
		skip_because("this system sends no handles of senders");
}

/* So many handles may be on their way as a process can have open. */
static void send_too_many(void)
{
	csys_handle handles[8] = { 0 };
	const csys_slice part = { "x", 1 };
	const csys_message message = {
		.slices = &part, .slice_count = 1, .handles = handles, .handle_count = 8
	};
	int r = 0;
	if (geteuid() == 0)
		CHECK(setgid(1001) == 0 && setuid(1001) == 0);
	allow_handles(16);
	for (int i = 0; i < 100 && r == 0; i++)
		r = csys_message_try_send(a, &message, NULL);
	CHECK(r == CSYS_EMFILE);
}

static void too_many_handles_on_their_way_are_told(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_SOCKET_PEER_HANDLE))
		skip_because("each system has its own limit");
	if (under_valgrind())
		skip_because("valgrind keeps the limit for itself");
	assert_true(make_pair(CSYS_SOCKET_STREAM, 0));
	in_child(send_too_many);
	close_pair();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_parts_do_not_take_the_place_of_bytes),
		TEST(without_room_nothing_is_received_of_a_stream),
		TEST(credentials_are_not_cut_to_those_of_another),
		TEST(a_sender_from_before_it_was_asked_for_is_not_told),
		TEST(a_sender_is_told_by_its_real_user),
		TEST(a_sender_is_told_from_the_first_message_of_a_connection_on),
		TEST(a_handle_that_other_code_asked_for_is_closed),
		TEST(too_many_handles_on_their_way_are_told),
	};
	return RUN(tests);
}
