/*
 * ipc/test_datagram.c - promises of csys/ipc/datagram.h: messages without a connection.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/place.h"

static csys_socket *bound(const csys_address *address)
{
	csys_socket *socket = NULL;
	assert_int_equal(csys_datagram_bind(address, NULL, &socket), 0);
	return socket;
}

static void a_message_has_the_address_of_its_sender(void **state)
{
	(void)state;
	static csys_address sender;
	char buffer[8];
	size_t size;
	place_make();
	csys_socket *x = bound(place_address("x")), *y = bound(place_address("y"));
	csys_socket *nameless = NULL;
	assert_int_equal(csys_datagram_unbound(NULL, &nameless), 0);
	assert_int_equal(csys_datagram_send_to(x, place_address("y"), "one", 3), 0);
	assert_int_equal(csys_datagram_send_to(nameless, place_address("y"), "two!", 4), 0);
	assert_int_equal(csys_datagram_send_to(x, place_address("y"), NULL, 0), 0);
	assert_int_equal(csys_datagram_recv_from(y, buffer, 8, &size, &sender), 0);
	assert_int_equal(size, 3);
	assert_true(csys_address_equal(&sender, place_address("x")));
	assert_int_equal(csys_datagram_recv_from(y, buffer, 8, &size, &sender), 0);
	assert_int_equal(size, 4);
	assert_int_equal(csys_address_kind_of(&sender), CSYS_ADDRESS_UNNAMED);
	assert_int_equal(csys_datagram_recv_from(y, buffer, 8, &size, NULL), 0);
	assert_int_equal(size, 0);
	csys_socket_close(x);
	csys_socket_close(y);
	csys_socket_close(nameless);
	place_drop();
}

static void a_connected_one_receives_from_its_peer_alone(void **state)
{
	(void)state;
	char buffer[8];
	size_t size;
	place_make();
	csys_socket *x = bound(place_address("x")), *y = bound(place_address("y"));
	csys_socket *z = bound(place_address("z"));
	assert_int_equal(csys_datagram_connect(x, place_address("y")), 0);
	assert_int_equal(csys_datagram_send_to(z, place_address("x"), "no", 2), CSYS_EPERM);
	assert_int_equal(csys_datagram_send_to(y, place_address("x"), "yes", 3), 0);
	assert_int_equal(csys_socket_recv(x, buffer, 8, &size), 0);
	assert_int_equal(size, 3);
	assert_int_equal(csys_socket_send(x, "back", 4, &size), 0);
	assert_int_equal(csys_socket_recv(y, buffer, 8, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(csys_datagram_connect(x, place_address("z")), 0); /* another one */
	assert_int_equal(csys_datagram_send_to(z, place_address("x"), "now", 3), 0);
	csys_socket_close(x);
	csys_socket_close(y);
	csys_socket_close(z);
	place_drop();
}

static void a_message_that_is_too_long_is_told(void **state)
{
	(void)state;
	char buffer[2];
	size_t size = 77;
	place_make();
	csys_socket *x = bound(place_address("x"));
	assert_int_equal(csys_datagram_send_to(x, place_address("x"), "long", 4), 0);
	assert_int_equal(csys_datagram_recv_from(x, buffer, 2, &size, NULL), CSYS_EMSGSIZE);
	assert_int_equal(size, 77);
	assert_int_equal(csys_datagram_try_recv_from(x, buffer, 2, &size, NULL), CSYS_EAGAIN);
	csys_socket_close(x);
	place_drop();
}

static void each_wait_ends_at_its_deadline_also_among_signals(void **state)
{
	(void)state;
	char c;
	size_t size = 77;
	int r;
	place_make();
	csys_socket *x = bound(place_address("x")), *y = bound(place_address("y"));
	storm_start();
	int64_t begin = csys_now();
	assert_int_equal(csys_datagram_recv_from_until(x, &c, 1, csys_after_ms(3), &size, NULL),
			 CSYS_ETIMEDOUT);
	/* Nobody receives: it is full after a while. */
	while ((r = csys_datagram_try_send_to(x, place_address("y"), "x", 1)) == 0)
		;
	assert_int_equal(r, CSYS_EAGAIN);
	assert_int_equal(
		csys_datagram_send_to_until(x, place_address("y"), "x", 1, csys_after_ms(3)),
		CSYS_ETIMEDOUT);
	assert_true(csys_now() - begin >= 6000000);
	assert_true(storm_stop() > 0);
	assert_int_equal(csys_socket_recv(y, &c, 1, &size), 0);
	assert_int_equal(
		csys_datagram_send_to_until(x, place_address("y"), "x", 1, csys_after_s(30)), 0);
	csys_socket_close(x);
	csys_socket_close(y);
	place_drop();
}

static void what_is_not_there_is_told_apart(void **state)
{
	(void)state;
	csys_socket *x = NULL, *other = NULL;
	static const csys_address unnamed;
	place_make();
	assert_int_equal(csys_datagram_unbound(NULL, &x), 0);
	assert_int_equal(csys_datagram_send_to(x, place_address("no"), "x", 1), CSYS_ENOENT);
	assert_int_equal(csys_datagram_connect(x, place_address("no")), CSYS_ENOENT);
	assert_int_equal(csys_datagram_send_to(x, &unnamed, "x", 1), CSYS_EINVAL);
	assert_int_equal(csys_datagram_send_to(x, NULL, "x", 1), CSYS_EINVAL);
	csys_listener *listener;
	assert_int_equal(csys_listener_bind(place_address("stream"), NULL, &listener), 0);
	assert_int_equal(csys_datagram_send_to(x, place_address("stream"), "x", 1), CSYS_EBADMSG);
	csys_listener_close(listener);
	size_t size;
	assert_int_equal(csys_socket_send(x, "x", 1, &size), CSYS_ENOTCONN);
	assert_int_equal(csys_datagram_bind(&unnamed, NULL, &other), CSYS_EINVAL);
	assert_int_equal(csys_datagram_bind(NULL, NULL, &other), CSYS_EINVAL);
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_datagram_connect(NULL, place_address("x")), CSYS_EINVAL);
	assert_null(other);
	csys_socket_close(x);
	place_drop();
}

static void a_path_is_bound_as_a_listener_does_it(void **state)
{
	(void)state;
	struct stat about;
	csys_socket *second = NULL;
	const csys_socket_options options = { .mode = 0622 };
	place_make();
	csys_socket *x = bound(place_address("x"));
	assert_int_equal(stat(place_path("x"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, &second), CSYS_EADDRINUSE);
	/* The socket goes to other code, and its path stays: a file that nobody serves, then. */
	csys_handle handle;
	assert_int_equal(csys_socket_into_handle(x, &handle), 0);
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, &second), CSYS_EADDRINUSE);
	csys_handle_close(handle);
	assert_int_equal(csys_datagram_bind(place_address("x"), &options, &second), 0);
	assert_int_equal(stat(place_path("x"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0622);
	csys_socket_close(second);
	place_drop();
}

static void a_long_path_is_sent_to_or_refused(void **state)
{
	(void)state;
	char deep[200];
	char buffer[8];
	size_t size;
	csys_socket *x = NULL, *y;
	place_make();
	memset(deep, 'd', 150);
	memcpy(deep + 150, "/x", 3);
	deep[150] = 0;
	assert_int_equal(mkdir(place_path(deep), 0755), 0);
	deep[150] = '/';
	assert_int_equal(csys_datagram_unbound(NULL, &y), 0);
	int r = csys_datagram_bind(place_address(deep), NULL, &x);
	if (csys_can(CSYS_CAN_SOCKET_LONG_PATH)) {
		assert_int_equal(r, 0);
		assert_int_equal(csys_datagram_send_to(y, place_address(deep), "far", 3), 0);
		assert_int_equal(csys_socket_recv(x, buffer, 8, &size), 0);
		assert_int_equal(size, 3);
		csys_socket_close(x);
	} else {
		assert_int_equal(r, CSYS_ENAMETOOLONG);
		/* The system may see first that nothing is there. */
		r = csys_datagram_send_to(y, place_address(deep), "far", 3);
		assert_true(r == CSYS_ENAMETOOLONG || r == CSYS_ENOENT);
	}
	csys_socket_close(y);
	deep[150] = 0;
	assert_int_equal(rmdir(place_path(deep)), 0);
	place_drop();
}

static void handles_that_come_with_a_plain_message_are_closed(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char buffer[8];
	size_t size;
	place_make();
	csys_socket *x = bound(place_address("x"));
	int handles = open_handles();
	const csys_slice slice = { "take", 4 };
	const csys_message message = { .slices = &slice,
				       .slice_count = 1,
				       .handles = &pipe.reader,
				       .handle_count = 1,
				       .address = place_address("x") };
	assert_int_equal(csys_message_send(x, &message, NULL), 0);
	assert_int_equal(csys_datagram_recv_from(x, buffer, 8, &size, NULL), 0);
	assert_int_equal(size, 4);
	assert_int_equal(open_handles(), handles);
	csys_socket_close(x);
	close_ends(pipe);
	place_drop();
}

static void whatever_fails_leaves_nothing(void **state)
{
	(void)state;
	place_make();
	for (int nth = 1;; nth++) {
		csys_socket *socket = NULL;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_datagram_bind(place_address("x"), NULL, &socket);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true((r == 0) == (socket != NULL));
		csys_socket_close(socket);
		assert_int_equal(place_files(), 0);
		assert_int_equal(open_handles(), handles);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 6);
			break;
		}
		assert_true(r < 0);
	}
	place_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_has_the_address_of_its_sender),
		TEST(a_connected_one_receives_from_its_peer_alone),
		TEST(a_message_that_is_too_long_is_told),
		TEST(each_wait_ends_at_its_deadline_also_among_signals),
		TEST(what_is_not_there_is_told_apart),
		TEST(a_path_is_bound_as_a_listener_does_it),
		TEST(a_long_path_is_sent_to_or_refused),
		TEST(handles_that_come_with_a_plain_message_are_closed),
		TEST(whatever_fails_leaves_nothing),
	};
	return RUN(tests);
}
