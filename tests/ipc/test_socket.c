/*
 * ipc/test_socket.c - promises of csys/ipc/socket.h: making and connecting local sockets.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/place.h"

static const csys_socket_options kinds[] = {
	{ .kind = CSYS_SOCKET_STREAM },
	{ .kind = CSYS_SOCKET_DATAGRAM },
	{ .kind = CSYS_SOCKET_SEQPACKET },
};

static int has_kind(int kind)
{
	return kind == CSYS_SOCKET_STREAM ||
	       csys_can(kind == CSYS_SOCKET_DATAGRAM ? CSYS_CAN_SOCKET_DATAGRAM
						     : CSYS_CAN_SOCKET_SEQPACKET);
}

static csys_listener *listening(const csys_address *address, int kind, int backlog)
{
	csys_listener *listener = NULL;
	csys_listener_options options = { .kind = kind, .backlog = backlog };
	assert_int_equal(csys_listener_bind(address, &options, &listener), 0);
	return listener;
}

/* Whether a message that is sent to one is received from the other. */
static void assert_connected(csys_socket *a, csys_socket *b)
{
	char buffer[8];
	size_t size;
	assert_int_equal(csys_socket_send(a, "hello", 5, &size), 0);
	assert_int_equal(csys_socket_recv(b, buffer, sizeof buffer, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(buffer, "hello", 5);
}

/* ---- pairs --------------------------------------------------------------------------- */

static void a_pair_of_each_kind_is_connected_or_not_supported(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		csys_socket *a = NULL, *b = NULL;
		int r = csys_socket_pair(&kinds[i], &a, &b);
		assert_int_equal(r, has_kind(i) ? 0 : CSYS_ENOTSUP);
		if (r < 0)
			continue;
		assert_int_equal(csys_socket_kind_of(a), i);
		assert_connected(a, b);
		assert_connected(b, a);
		assert_int_equal(fcntl((int)csys_socket_handle(a), F_GETFD), FD_CLOEXEC);
		assert_true(csys_socket_handle(a) > 2 && csys_socket_handle(b) > 2);
		csys_socket_close(a);
		csys_socket_close(b);
	}
}

static void arguments_are_checked(void **state)
{
	(void)state;
	csys_socket *a = NULL, *b = NULL;
	const csys_socket_options none = { .kind = 3 }, wrong = { .kind = -1 };
	const csys_socket_options mode = { .mode = 01000 };
	static const csys_address unnamed;
	place_make();
	const csys_address *address = place_address("x");
	assert_int_equal(csys_socket_pair(&none, &a, &b), CSYS_EINVAL);
	assert_int_equal(csys_socket_pair(&wrong, &a, &b), CSYS_EINVAL);
	assert_int_equal(csys_socket_pair(NULL, NULL, &b), CSYS_EINVAL);
	assert_int_equal(csys_socket_pair(NULL, &a, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_connect(&unnamed, NULL, &a), CSYS_EINVAL);
	assert_int_equal(csys_socket_connect(NULL, NULL, &a), CSYS_EINVAL);
	assert_int_equal(csys_socket_connect(address, &none, &a), CSYS_EINVAL);
	assert_int_equal(csys_socket_connect(address, &mode, &a), CSYS_EINVAL);
	assert_int_equal(csys_socket_connect(address, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_adopt_take(3, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_dup(NULL, &a), CSYS_EINVAL);
	csys_handle handle;
	assert_int_equal(csys_socket_into_handle(NULL, &handle), CSYS_EINVAL);
	assert_int_equal(csys_socket_shutdown(NULL, CSYS_SHUTDOWN_BOTH), CSYS_EINVAL);
	assert_true(csys_socket_handle(NULL) == CSYS_NO_HANDLE);
	assert_int_equal(csys_socket_kind_of(NULL), CSYS_SOCKET_STREAM);
	csys_socket_close(NULL);
	assert_null(a);
	assert_null(b);
	place_drop();
}

/* ---- connecting ---------------------------------------------------------------------- */

static void each_kind_of_connection_is_made_by_path(void **state)
{
	(void)state;
	place_make();
	const csys_address *address = place_address("x");
	for (int i = 0; i < 3; i += 2) {
		csys_socket *client = NULL, *server = NULL;
		if (!has_kind(i))
			continue;
		csys_listener *listener = listening(address, i, 0);
		assert_int_equal(csys_socket_connect(address, &kinds[i], &client), 0);
		assert_int_equal(csys_listener_accept(listener, &server), 0);
		assert_int_equal(csys_socket_kind_of(server), i);
		assert_connected(client, server);
		assert_connected(server, client);
		csys_socket_close(client);
		csys_socket_close(server);
		csys_listener_close(listener);
	}
	place_drop();
}

static void what_is_not_there_is_told_apart(void **state)
{
	(void)state;
	csys_socket *client = NULL;
	place_make();
	const csys_address *address = place_address("x");
	assert_int_equal(csys_socket_connect(address, NULL, &client), CSYS_ENOENT);
	assert_int_equal(csys_socket_connect(place_address("no/x"), NULL, &client), CSYS_ENOENT);
	assert_int_equal(mkfifo(place_path("x"), 0600), 0);
	assert_int_equal(csys_socket_connect(address, NULL, &client), CSYS_ECONNREFUSED);
	assert_int_equal(csys_socket_connect(place_address("x/y"), NULL, &client), CSYS_ENOTDIR);
	assert_int_equal(unlink(place_path("x")), 0);
	csys_listener *listener = listening(address, CSYS_SOCKET_STREAM, 0);
	assert_int_equal(csys_socket_connect(address, &kinds[CSYS_SOCKET_DATAGRAM], &client),
			 CSYS_EBADMSG);
	csys_listener_close(listener);
	assert_int_equal(csys_socket_connect(address, NULL, &client), CSYS_ENOENT);
	assert_null(client);
	place_drop();
}

static void connecting_to_a_full_queue_ends_at_the_deadline(void **state)
{
	(void)state;
	csys_socket *clients[64], *server, *late = NULL;
	int count = 0, r = 0;
	place_make();
	const csys_address *address = place_address("x");
	csys_listener *listener = listening(address, CSYS_SOCKET_STREAM, 1);
	while (count < 64 &&
	       (r = csys_socket_connect_until(address, NULL, CSYS_POLL, &clients[count])) == 0)
		count++;
	assert_int_equal(r, CSYS_ETIMEDOUT);
	int64_t begin = csys_now();
	assert_int_equal(csys_socket_connect_until(address, NULL, csys_after_ms(20), &late),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() - begin >= 20000000);
	storm_start();
	begin = csys_now();
	assert_int_equal(csys_socket_connect_until(address, NULL, csys_after_ms(20), &late),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() - begin >= 20000000);
	assert_true(storm_stop() > 0);
	assert_null(late);
	/* There is room for one more, and a past deadline takes it. */
	assert_int_equal(csys_listener_accept(listener, &server), 0);
	assert_int_equal(csys_socket_connect_until(address, NULL, CSYS_POLL, &late), 0);
	csys_socket_close(late);
	csys_socket_close(server);
	while (count > 0)
		csys_socket_close(clients[--count]);
	csys_listener_close(listener);
	place_drop();
}

static void *accept_one(void *listener)
{
	csys_socket *server;
	assert_int_equal(csys_listener_accept(listener, &server), 0);
	csys_socket_close(server);
	return NULL;
}

static void a_connection_that_waits_for_room_gets_it(void **state)
{
	(void)state;
	for (int with_deadline = 0; with_deadline < 2; with_deadline++) {
		csys_socket *clients[64], *late = NULL;
		int count = 0;
		csys_thread *thread;
		place_make();
		const csys_address *address = place_address("x");
		csys_listener *listener = listening(address, CSYS_SOCKET_STREAM, 1);
		while (csys_socket_connect_until(address, NULL, CSYS_POLL, &clients[count]) == 0)
			count++;
		assert_int_equal(csys_thread_spawn(accept_one, listener, NULL, &thread), 0);
		storm_start();
		assert_int_equal(csys_socket_connect_until(
					 address, NULL,
					 with_deadline ? csys_after_s(30) : CSYS_FOREVER, &late),
				 0);
		storm_stop();
		/* Nothing of the deadline is left on the socket. */
		struct timeval left = { 77, 77 };
		socklen_t size = sizeof left;
		assert_int_equal(getsockopt((int)csys_socket_handle(late), SOL_SOCKET, SO_SNDTIMEO,
					    &left, &size),
				 0);
		assert_true(left.tv_sec == 0 && left.tv_usec == 0);
		int flag;
		assert_int_equal(csys_stream_nonblocking(csys_socket_handle(late), &flag), 0);
		assert_int_equal(flag, 0);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		csys_socket_close(late);
		while (count > 0)
			csys_socket_close(clients[--count]);
		csys_listener_close(listener);
		place_drop();
	}
}

static void a_path_longer_than_an_address_is_reached_or_refused(void **state)
{
	(void)state;
	char deep[256], name[512];
	csys_listener *listener = NULL;
	csys_socket *client = NULL, *server;
	place_make();
	memset(deep, 'd', 200);
	deep[200] = 0;
	assert_int_equal(mkdir(place_path(deep), 0755), 0);
	snprintf(name, sizeof name, "%s/short", deep);
	int r = csys_listener_bind(place_address(name), NULL, &listener);
	if (!csys_can(CSYS_CAN_SOCKET_LONG_PATH)) {
		assert_int_equal(r, CSYS_ENAMETOOLONG);
		/* The system may see first that nothing is there. */
		r = csys_socket_connect(place_address(name), NULL, &client);
		assert_true(r == CSYS_ENAMETOOLONG || r == CSYS_ENOENT);
	} else {
		assert_int_equal(r, 0);
		assert_int_equal(csys_socket_connect(place_address(name), NULL, &client), 0);
		assert_int_equal(csys_listener_accept(listener, &server), 0);
		assert_connected(client, server);
		csys_socket_close(client);
		csys_socket_close(server);
		/* A name that is no address itself cannot be bound. */
		snprintf(name, sizeof name, "%s/%.120s", deep, deep);
		csys_listener *other = NULL;
		assert_int_equal(csys_listener_bind(place_address(name), NULL, &other),
				 CSYS_ENAMETOOLONG);
		csys_listener_close(listener);
	}
	assert_int_equal(rmdir(place_path(deep)), 0);
	place_drop();
}

static void a_client_has_the_address_that_it_asks_for(void **state)
{
	(void)state;
	static csys_address told;
	csys_socket *client = NULL, *server;
	place_make();
	const csys_address *address = place_address("x"), *own = place_address("client");
	csys_listener *listener = listening(address, CSYS_SOCKET_STREAM, 0);
	const csys_socket_options options = { .bind = own };
	assert_int_equal(csys_socket_connect(address, &options, &client), 0);
	assert_int_equal(csys_listener_accept(listener, &server), 0);
	assert_int_equal(csys_socket_peer_address(server, &told), 0);
	assert_true(csys_address_equal(&told, own));
	assert_int_equal(csys_socket_local_address(client, &told), 0);
	assert_true(csys_address_equal(&told, own));
	assert_int_equal(csys_socket_peer_address(client, &told), 0);
	assert_true(csys_address_equal(&told, address));
	csys_socket_close(client);
	assert_int_equal(access(place_path("client"), F_OK), -1);
	csys_socket_close(server);

	assert_int_equal(csys_socket_connect(address, NULL, &client), 0);
	assert_int_equal(csys_socket_local_address(client, &told), 0);
	assert_int_equal(csys_address_kind_of(&told), CSYS_ADDRESS_UNNAMED);
	csys_socket_close(client);
	csys_listener_close(listener);
	place_drop();
}

/* ---- other code ---------------------------------------------------------------------- */

static void a_socket_becomes_a_handle_and_a_handle_a_socket(void **state)
{
	(void)state;
	csys_socket *a, *b, *adopted = NULL;
	csys_handle handle;
	assert_int_equal(csys_socket_pair(&kinds[CSYS_SOCKET_DATAGRAM], &a, &b), 0);
	assert_int_equal(csys_socket_into_handle(a, &handle), 0);
	assert_int_equal(fcntl((int)handle, F_SETFD, 0), 0); /* as other code has it */
	assert_int_equal(csys_socket_adopt_take(handle, NULL, &adopted), 0);
	assert_int_equal(fcntl((int)handle, F_GETFD), FD_CLOEXEC);
	assert_int_equal(csys_socket_kind_of(adopted), CSYS_SOCKET_DATAGRAM);
	assert_connected(adopted, b);
	csys_socket_close(adopted);
	csys_socket_close(b);
}

static void what_is_no_socket_is_not_adopted(void **state)
{
	(void)state;
	csys_socket *adopted = NULL;
	csys_listener *listener = NULL;
	struct ends pipe = opened_ends();
	place_make();
	assert_int_equal(csys_socket_adopt_take(pipe.reader, NULL, &adopted), CSYS_EBADF);
	assert_int_equal(csys_socket_adopt_take(CSYS_NO_HANDLE, NULL, &adopted), CSYS_EBADF);
	assert_int_equal(csys_socket_adopt_take(4000, NULL, &adopted), CSYS_EBADF);
	listener = listening(place_address("x"), CSYS_SOCKET_STREAM, 0);
	assert_int_equal(csys_socket_adopt_take(csys_listener_handle(listener), NULL, &adopted),
			 CSYS_EBADMSG);
	assert_null(adopted);
	csys_listener_close(listener);
	close_ends(pipe);
	place_drop();
}

static void a_second_object_is_the_same_socket(void **state)
{
	(void)state;
	csys_socket *a, *b, *second = NULL;
	char c;
	size_t size = 77;
	assert_int_equal(csys_socket_pair(NULL, &a, &b), 0);
	assert_int_equal(csys_socket_dup(a, &second), 0);
	csys_socket_close(a);
	assert_connected(second, b);
	csys_socket_close(second);
	assert_int_equal(csys_socket_recv(b, &c, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_socket_close(b);
}

static csys_socket *kept, *sent;

static void send_one(void)
{
	csys_socket_close(kept);
	CHECK(csys_socket_send_all(sent, "c", 1, NULL) == 0);
	csys_socket_close(sent);
}

static void a_forked_child_holds_a_copy(void **state)
{
	(void)state;
	char c = 0;
	size_t size;
	assert_int_equal(csys_socket_pair(NULL, &kept, &sent), 0);
	in_child(send_one);
	assert_int_equal(csys_socket_recv(kept, &c, 1, &size), 0);
	assert_int_equal(c, 'c');
	assert_connected(kept, sent); /* the child has closed its copies only */
	csys_socket_close(kept);
	csys_socket_close(sent);
}

/* ---- faults -------------------------------------------------------------------------- */

static int walk_pair(void)
{
	csys_socket *a = NULL, *b = NULL;
	const csys_socket_options options = { .send_buffer = 4096 };
	int r = csys_socket_pair(&options, &a, &b);
	assert_true((r == 0) == (a != NULL && b != NULL));
	csys_socket_close(a);
	csys_socket_close(b);
	return r;
}

static const csys_address *walked;

static int walk_connect(void)
{
	csys_socket *client = NULL;
	csys_address own;
	assert_int_equal(csys_address_path(place_path("own"), &own), 0);
	const csys_socket_options options = { .bind = &own };
	int r = csys_socket_connect_until(walked, &options, csys_after_s(30), &client);
	assert_true((r == 0) == (client != NULL));
	csys_socket_close(client);
	assert_int_equal(access(place_path("own"), F_OK), -1);
	return r;
}

static csys_handle foreign;

static int walk_adopt(void)
{
	csys_socket *again = NULL;
	int r = csys_socket_adopt_take(foreign, NULL, &again);
	if (r == 0)
		assert_int_equal(csys_socket_into_handle(again, &foreign), 0);
	return r;
}

/* Let the 1st, 2nd, 3rd thing fail that a function acquires; how many there are. */
static int walk(int (*function)(void))
{
	for (int nth = 1;; nth++) {
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = function();
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(open_handles(), handles);
		if (!fired) {
			assert_int_equal(r, 0);
			return nth - 1;
		}
		assert_true(r < 0);
	}
}

static void whatever_fails_leaves_nothing(void **state)
{
	(void)state;
	place_make();
	walked = place_address("x");
	csys_listener *listener = listening(walked, CSYS_SOCKET_STREAM, 0);
	assert_true(walk(walk_pair) >= 3);
	assert_true(walk(walk_connect) >= 6);
	assert_int_equal(csys_socket_pair(NULL, &kept, &sent), 0);
	assert_int_equal(csys_socket_into_handle(sent, &foreign), 0);
	assert_true(walk(walk_adopt) >= 2);
	csys_handle_close(foreign);
	csys_socket_close(kept);
	assert_int_equal(place_files(), 2);
	csys_listener_close(listener);
	place_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_of_each_kind_is_connected_or_not_supported),
		TEST(arguments_are_checked),
		TEST(each_kind_of_connection_is_made_by_path),
		TEST(what_is_not_there_is_told_apart),
		TEST(connecting_to_a_full_queue_ends_at_the_deadline),
		TEST(a_connection_that_waits_for_room_gets_it),
		TEST(a_path_longer_than_an_address_is_reached_or_refused),
		TEST(a_client_has_the_address_that_it_asks_for),
		TEST(a_socket_becomes_a_handle_and_a_handle_a_socket),
		TEST(what_is_no_socket_is_not_adopted),
		TEST(a_second_object_is_the_same_socket),
		TEST(a_forked_child_holds_a_copy),
		TEST(whatever_fails_leaves_nothing),
	};
	return RUN(tests);
}
