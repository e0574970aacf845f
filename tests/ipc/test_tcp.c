/*
 * ipc/test_tcp.c - promises of csys/ipc/tcp.h: listening, and options of connections.
 */
#include <stddef.h>
#include <stdint.h>

#include "support/network.h"

#define SECOND INT64_C(1000000000)
#define SOON csys_after_s(60)

/* ---- listening ----------------------------------------------------------------------------- */

static csys_socket *accepted(csys_listener *listener)
{
	csys_socket *server;
	assert_int_equal(csys_listener_accept_until(listener, SOON, &server), 0);
	return server;
}

static csys_socket *connected(const csys_ip_endpoint *endpoint)
{
	csys_socket *client;
	assert_int_equal(csys_tcp_connect_until(endpoint, 1, NULL, SOON, &client), 0);
	return client;
}

static void a_program_at_the_other_side_of_a_connection_answers_in_frames(void **state)
{
	(void)state;
	struct connection c = connected_over_tcp();
	csys_handle handle, copy;
	csys_frame frame;
	csys_frame_writer *writer;
	csys_frame_reader *reader;
	assert_int_equal(csys_socket_into_handle(c.server, &handle), 0);
	assert_int_equal(csys_handle_dup(handle, &copy), 0);
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, handle);
	csys_command_stdio_take(command, CSYS_STDOUT, copy);
	csys_child *child = spawned(command);
	assert_int_equal(csys_frame_writer_open_socket(c.client, NULL, &writer), 0);
	assert_int_equal(csys_frame_reader_open_socket(c.client, NULL, &reader), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_frame_writer_send_until(writer, "hello", 5, SOON), 0);
		assert_int_equal(csys_frame_reader_next_until(reader, SOON, &frame), 1);
		assert_int_equal(frame.size, 5);
		assert_memory_equal(frame.data, "hello", 5);
	}
	assert_int_equal(csys_socket_shutdown(c.client, CSYS_SHUTDOWN_SEND), 0);
	assert_int_equal(csys_frame_reader_next_until(reader, SOON, &frame), 0);
	csys_frame_writer_close(writer);
	csys_frame_reader_close(reader);
	csys_socket_close(c.client);
	assert_true(csys_exit_success(finished(child)));
}

static void the_port_of_a_live_listener_is_in_use(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint;
	csys_listener *second = NULL;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);
	assert_int_equal(csys_tcp_listen(&endpoint, NULL, &second), CSYS_EADDRINUSE);
	csys_tcp_listen_options options = { .exclusive = 1, .backlog = 1 };
	assert_int_equal(csys_tcp_listen(&endpoint, &options, &second), CSYS_EADDRINUSE);
	csys_listener_close(listener);
	assert_int_equal(csys_tcp_listen(&endpoint, NULL, &second), 0);
	csys_listener_close(second);
}

static void a_server_that_is_started_again_has_its_port_at_once(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);
	csys_socket *client = connected(&endpoint);
	csys_socket *server = accepted(listener);
	char byte;
	size_t size;
	/* The side that closes first keeps the connection for a while. */
	csys_socket_close(server);
	assert_int_equal(csys_socket_recv_until(client, &byte, 1, SOON, &size), 0);
	csys_socket_close(client);
	csys_listener_close(listener);
	csys_tcp_listen_options exclusive = { .exclusive = 1 };
	assert_int_equal(csys_tcp_listen(&endpoint, &exclusive, &listener), CSYS_EADDRINUSE);
	assert_int_equal(csys_tcp_listen(&endpoint, NULL, &listener), 0);
	csys_listener_close(listener);
}

static void one_listener_takes_both_versions_unless_it_is_to_take_one(void **state)
{
	(void)state;
	if (!has_ip_v6())
		skip_because("this machine has no ::1");
	for (int v6_only = 0; v6_only <= 1; v6_only++) {
		csys_tcp_listen_options options = { .v6_only = v6_only };
		csys_ip_endpoint any =
			csys_ip_endpoint_of(csys_ip_address_unspecified(CSYS_IP_V6), 0);
		csys_ip_endpoint peer;
		csys_listener *listener;
		csys_socket *client = NULL;
		assert_int_equal(csys_tcp_listen(&any, &options, &listener), 0);
		assert_int_equal(csys_tcp_listener_local(listener, &any), 0);
		assert_true(csys_ip_address_is_unspecified(&any.address));
		csys_ip_endpoint v4 = local_endpoint(CSYS_IP_V4, any.port);
		csys_ip_endpoint v6 = local_endpoint(CSYS_IP_V6, any.port);
		client = connected(&v6);
		csys_socket_close(accepted(listener));
		csys_socket_close(client);
		client = NULL;
		int r = csys_tcp_connect_until(&v4, 1, NULL, SOON, &client);
		assert_int_equal(r, v6_only ? CSYS_ECONNREFUSED : 0);
		if (r == 0) {
			csys_socket *server = accepted(listener);
			assert_int_equal(csys_tcp_peer(server, &peer), 0);
			assert_true(csys_ip_address_is_v4_mapped(&peer.address));
			csys_ip_address canonical = csys_ip_address_to_canonical(&peer.address);
			assert_true(csys_ip_address_is_loopback(&canonical));
			/* They have hops too. */
			assert_int_equal(csys_tcp_set_ttl(server, 3), 0);
			csys_socket_close(server);
		}
		csys_socket_close(client);
		csys_listener_close(listener);
	}
}

static void listeners_can_share_a_port(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint = local_endpoint(CSYS_IP_V4, 0);
	csys_tcp_listen_options options = { .reuse_port = 1,
					    .send_buffer = 1 << 16,
					    .recv_buffer = 1 << 16 };
	csys_listener *first, *second;
	int r = csys_tcp_listen(&endpoint, &options, &first);
	if (r == CSYS_ENOTSUP)
		skip_because("this system has no shared ports");
	assert_int_equal(r, 0);
	assert_int_equal(csys_tcp_listener_local(first, &endpoint), 0);
	assert_int_equal(csys_tcp_listen(&endpoint, &options, &second), 0);
	csys_listener *third = NULL;
	assert_int_equal(csys_tcp_listen(&endpoint, NULL, &third), CSYS_EADDRINUSE);
	csys_listener_close(first);
	csys_socket *client = connected(&endpoint);
	csys_socket_close(accepted(second));
	csys_socket_close(client);
	csys_listener_close(second);
}

static void a_listen_that_fails_leaves_nothing_behind(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint = local_endpoint(CSYS_IP_V4, 0), foreign;
	csys_listener *listener = NULL;
	int nth = 1;
	for (;; nth++) {
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_tcp_listen(&endpoint, NULL, &listener);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
		assert_null(listener);
		assert_int_equal(open_handles(), handles);
	}
	assert_int_equal(nth, 5); /* the socket, its address, the queue, the object */
	csys_listener_close(listener);
	listener = NULL;
	assert_int_equal(csys_ip_endpoint_parse("203.0.113.1:0", &foreign), 0);
	assert_int_equal(csys_tcp_listen(&foreign, NULL, &listener), CSYS_EADDRNOTAVAIL);
	csys_ip_endpoint none = { .port = 1 };
	csys_tcp_listen_options negative = { .backlog = -1 };
	assert_int_equal(csys_tcp_listen(&none, NULL, &listener), CSYS_EINVAL);
	assert_int_equal(csys_tcp_listen(NULL, NULL, &listener), CSYS_EINVAL);
	assert_int_equal(csys_tcp_listen(&endpoint, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_listen(&endpoint, &negative, &listener), CSYS_EINVAL);
	assert_null(listener);
}

/* ---- options ------------------------------------------------------------------------------- */

static void what_was_set_is_told(void **state)
{
	(void)state;
	struct connection c = connected_over_tcp();
	int on = 77, hops = 77;
	int64_t linger = 77;
	assert_int_equal(csys_tcp_get_nodelay(c.client, &on), 0);
	assert_int_equal(on, 0);
	assert_int_equal(csys_tcp_set_nodelay(c.client, 5), 0);
	assert_int_equal(csys_tcp_get_nodelay(c.client, &on), 0);
	assert_int_equal(on, 1);
	assert_int_equal(csys_tcp_set_nodelay(c.client, 0), 0);
	assert_int_equal(csys_tcp_get_nodelay(c.client, &on), 0);
	assert_int_equal(on, 0);

	assert_int_equal(csys_tcp_set_ttl(c.client, 7), 0);
	assert_int_equal(csys_tcp_get_ttl(c.client, &hops), 0);
	assert_int_equal(hops, 7);

	assert_int_equal(csys_tcp_get_linger(c.client, &linger), 0);
	assert_int_equal(linger, -1);
	assert_int_equal(csys_tcp_set_linger(c.client, SECOND + 1), 0);
	assert_int_equal(csys_tcp_get_linger(c.client, &linger), 0);
	assert_int_equal(linger, 2 * SECOND);
	assert_int_equal(csys_tcp_set_linger(c.client, INT64_MIN), 0);
	assert_int_equal(csys_tcp_get_linger(c.client, &linger), 0);
	assert_int_equal(linger, -1);
	connection_close(c);
}

static void a_keepalive_is_set_in_the_numbers_that_are_given(void **state)
{
	(void)state;
	struct connection c = connected_over_tcp();
	csys_tcp_keepalive usual, told, wanted = { .idle_ns = 1, .interval_ns = 5 * SECOND };
	int on = 77;
	int r = csys_tcp_get_keepalive(c.client, &usual, &on);
	if (r == CSYS_ENOTSUP) {
		connection_close(c);
		skip_because("this system has these numbers for all sockets only");
	}
	assert_int_equal(r, 0);
	assert_false(on);
	assert_int_equal(csys_tcp_set_keepalive(c.client, &wanted), 0);
	assert_int_equal(csys_tcp_get_keepalive(c.client, &told, &on), 0);
	assert_true(on);
	assert_true(told.idle_ns == SECOND); /* rounded up */
	assert_true(told.interval_ns == 5 * SECOND);
	assert_int_equal(told.count, usual.count);
	wanted = (csys_tcp_keepalive){ .count = 3 };
	assert_int_equal(csys_tcp_set_keepalive(c.client, &wanted), 0);
	assert_int_equal(csys_tcp_get_keepalive(c.client, &told, &on), 0);
	assert_true(told.idle_ns == SECOND);
	assert_int_equal(told.count, 3);
	/* All of them or none. */
	wanted = (csys_tcp_keepalive){ .idle_ns = 7 * SECOND, .count = INT32_MAX };
	assert_int_equal(csys_tcp_set_keepalive(c.client, &wanted), CSYS_EINVAL);
	assert_int_equal(csys_tcp_get_keepalive(c.client, &told, &on), 0);
	assert_true(told.idle_ns == SECOND);
	assert_true(told.interval_ns == 5 * SECOND);
	assert_int_equal(told.count, 3);
	assert_int_equal(csys_tcp_set_keepalive(c.client, NULL), 0);
	assert_int_equal(csys_tcp_get_keepalive(c.client, &told, &on), 0);
	assert_false(on);
	connection_close(c);
}

static void without_lingering_the_other_side_is_told_of_a_broken_connection(void **state)
{
	(void)state;
	struct connection c = connected_over_tcp();
	char byte;
	size_t size = 77;
	csys_ip_endpoint peer;
	assert_int_equal(csys_tcp_set_linger(c.server, 0), 0);
	csys_socket_close(c.server);
	c.server = NULL;
	assert_int_equal(csys_socket_recv_until(c.client, &byte, 1, SOON, &size), CSYS_ECONNRESET);
	assert_int_equal(csys_tcp_peer(c.client, &peer), CSYS_ENOTCONN);
	connection_close(c);
}

static void a_local_socket_is_none_of_tcp(void **state)
{
	(void)state;
	csys_socket *a, *b;
	csys_ip_endpoint endpoint;
	csys_tcp_keepalive keepalive;
	int number;
	int64_t linger;
	assert_int_equal(csys_socket_pair(NULL, &a, &b), 0);
	assert_int_equal(csys_tcp_local(a, &endpoint), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_peer(a, &endpoint), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_set_nodelay(a, 1), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_get_nodelay(a, &number), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_set_ttl(a, 1), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_get_ttl(a, &number), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_set_linger(a, 0), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_get_linger(a, &linger), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_set_keepalive(a, NULL), CSYS_EBADMSG);
	assert_int_equal(csys_tcp_get_keepalive(a, &keepalive, &number), CSYS_EBADMSG);
	csys_socket_close(a);
	csys_socket_close(b);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	struct connection c = connected_over_tcp();
	csys_ip_endpoint endpoint;
	csys_tcp_keepalive bad[] = { { .idle_ns = -1 },
				     { .interval_ns = INT64_MAX },
				     { .count = -1 },
				     { .count = INT32_MAX } };
	assert_int_equal(csys_tcp_set_ttl(c.client, 0), CSYS_EINVAL);
	assert_int_equal(csys_tcp_set_ttl(c.client, 256), CSYS_EINVAL);
	assert_int_equal(csys_tcp_set_linger(c.client, INT64_MAX), CSYS_EINVAL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int r = csys_tcp_set_keepalive(c.client, &bad[i]);
		assert_true(r == CSYS_EINVAL || r == CSYS_ENOTSUP);
	}
	assert_int_equal(csys_tcp_set_nodelay(NULL, 1), CSYS_EINVAL);
	assert_int_equal(csys_tcp_get_nodelay(c.client, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_get_ttl(c.client, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_get_linger(c.client, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_get_keepalive(c.client, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_set_keepalive(NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_local(NULL, &endpoint), CSYS_EINVAL);
	assert_int_equal(csys_tcp_local(c.client, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_peer(c.client, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_listener_local(NULL, &endpoint), CSYS_EINVAL);
	connection_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_at_the_other_side_of_a_connection_answers_in_frames),
		TEST(the_port_of_a_live_listener_is_in_use),
		TEST(a_server_that_is_started_again_has_its_port_at_once),
		TEST(one_listener_takes_both_versions_unless_it_is_to_take_one),
		TEST(listeners_can_share_a_port),
		TEST(a_listen_that_fails_leaves_nothing_behind),
		TEST(what_was_set_is_told),
		TEST(a_keepalive_is_set_in_the_numbers_that_are_given),
		TEST(without_lingering_the_other_side_is_told_of_a_broken_connection),
		TEST(a_local_socket_is_none_of_tcp),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
