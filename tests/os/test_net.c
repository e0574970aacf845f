/*
 * os/test_net.c - exam: sockets of TCP, their options, and names of hosts.
 */
#include <string.h>

#include "base/memory.h"
#include "os/os.h"
#include "support/support.h"

static struct csysi_os_endpoint this_machine(int version, uint16_t port)
{
	struct csysi_os_endpoint endpoint = { .version = version, .port = port };

	if (version == 4)
		memcpy(endpoint.bytes, "\177\0\0\1", 4);
	else
		endpoint.bytes[15] = 1;
	return endpoint;
}

/* A socket that listens, where this machine has that version; else "none". */
static csysi_os_socket listening(int version, struct csysi_os_endpoint *out)
{
	csysi_os_socket listener;

	*out = this_machine(version, 0);
	int r = csysi_os_tcp_create(version, &listener);
	if (version == 6 && r == CSYS_ENOTSUP)
		return CSYSI_OS_NO_SOCKET;
	assert_int_equal(r, 0);
	assert_false(csysi_os_is_inheritable(csysi_os_socket_handle(listener)));
	r = csysi_os_tcp_bind(listener, out);
	if (version == 6 && r == CSYS_EADDRNOTAVAIL) {
		csysi_os_socket_close(listener);
		return CSYSI_OS_NO_SOCKET;
	}
	assert_int_equal(r, 0);
	assert_int_equal(csysi_os_socket_listen(listener, 0), 0);
	assert_int_equal(csysi_os_tcp_local(listener, out), 0);
	assert_true(out->port != 0);
	return listener;
}

static csysi_os_socket connected(const struct csysi_os_endpoint *there, int may_wait)
{
	csysi_os_socket client;
	assert_int_equal(csysi_os_tcp_create(there->version, &client), 0);
	int r = csysi_os_tcp_connect(client, there, may_wait);
	if (r == CSYS_EAGAIN) {
		struct csysi_os_poll item = { .handle = csysi_os_socket_handle(client),
					      .writing = 1 };
		assert_false(may_wait);
		assert_int_equal(csysi_os_poll(&item, 1, csys_after_s(60)), 0);
		assert_int_equal(item.ready, 1);
		r = csysi_os_tcp_finish(client);
	}
	assert_int_equal(r, 0);
	return client;
}

static void assert_endpoint(const struct csysi_os_endpoint *a, const struct csysi_os_endpoint *b)
{
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->port, b->port);
	assert_memory_equal(a->bytes, b->bytes, a->version == 4 ? 4 : 16);
}

static void what_is_connected_transfers_and_tells_its_endpoints(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct csysi_os_endpoint there, here, told;
		csysi_os_socket listener = listening(version, &there);
		for (int wait = 0; wait <= 1 && listener != CSYSI_OS_NO_SOCKET; wait++) {
			csysi_os_socket client = connected(&there, wait), server;
			size_t size;
			char byte;
			int r = csysi_os_socket_accept(listener, csys_after_s(60), &server);
			assert_int_equal(r, 0);
			assert_int_equal(csysi_os_tcp_peer(client, &told), 0);
			assert_endpoint(&told, &there);
			assert_int_equal(csysi_os_tcp_local(client, &here), 0);
			assert_int_equal(csysi_os_tcp_peer(server, &told), 0);
			assert_endpoint(&told, &here);
			r = csysi_os_socket_send(client, "x", 1, CSYS_FOREVER, &size);
			assert_int_equal(r, 0);
			r = csysi_os_socket_recv(server, &byte, 1, 0, CSYS_FOREVER, &size);
			assert_int_equal(r, 0);
			csysi_os_socket_close(client);
			csysi_os_socket_close(server);
		}
		csysi_os_socket_close(listener);
	}
}

static void a_connect_that_fails_says_why(void **state)
{
	(void)state;
	for (int wait = 0; wait <= 1; wait++) {
		/* Bound, and not listening. */
		struct csysi_os_endpoint there = this_machine(4, 0), told;
		csysi_os_socket holder, client;
		assert_int_equal(csysi_os_tcp_create(4, &holder), 0);
		assert_int_equal(csysi_os_tcp_bind(holder, &there), 0);
		assert_int_equal(csysi_os_tcp_local(holder, &there), 0);
		assert_int_equal(csysi_os_tcp_peer(holder, &told), CSYS_ENOTCONN);
		assert_int_equal(csysi_os_tcp_create(4, &client), 0);
		assert_int_equal(csysi_os_tcp_bind(client, &there), CSYS_EADDRINUSE);
		int r = csysi_os_tcp_connect(client, &there, wait);
		if (r == CSYS_EAGAIN) {
			struct csysi_os_poll item = { .handle = csysi_os_socket_handle(client),
						      .writing = 1 };
			assert_int_equal(csysi_os_poll(&item, 1, csys_after_s(60)), 0);
			r = csysi_os_tcp_finish(client);
		}
		assert_int_equal(r, CSYS_ECONNREFUSED);
		csysi_os_socket_close(client);
		csysi_os_socket_close(holder);
	}
}

static void each_option_is_told_as_it_was_set(void **state)
{
	(void)state;
	static const struct {
		enum csysi_os_tcp_option option;
		int values[2];
	} options[] = {
		{ CSYSI_OS_TCP_REUSE, { 1, 0 } },
		{ CSYSI_OS_TCP_REUSE_PORT, { 1, 0 } },
		{ CSYSI_OS_TCP_NODELAY, { 1, 0 } },
		{ CSYSI_OS_TCP_HOPS, { 1, 255 } },
		{ CSYSI_OS_TCP_LINGER, { 0, -1 } },
		{ CSYSI_OS_TCP_KEEPALIVE, { 1, 0 } },
		{ CSYSI_OS_TCP_KEEPALIVE_IDLE, { 1, 100 } },
		{ CSYSI_OS_TCP_KEEPALIVE_INTERVAL, { 1, 100 } },
		{ CSYSI_OS_TCP_KEEPALIVE_COUNT, { 1, 100 } },
	};
	for (int version = 4; version <= 6; version += 2) {
		csysi_os_socket socket;
		int r = csysi_os_tcp_create(version, &socket), value;
		if (r == CSYS_ENOTSUP && version == 6)
			continue;
		assert_int_equal(r, 0);
		for (size_t i = 0; i < 2 * sizeof options / sizeof *options; i++) {
			enum csysi_os_tcp_option option = options[i / 2].option;
			r = csysi_os_tcp_set(socket, option, options[i / 2].values[i % 2]);
			if (r == CSYS_ENOTSUP)
				continue;
			assert_int_equal(r, 0);
			assert_int_equal(csysi_os_tcp_get(socket, option, &value), 0);
			assert_int_equal(value, options[i / 2].values[i % 2]);
		}
		if (version == 6) {
			assert_int_equal(csysi_os_tcp_set(socket, CSYSI_OS_TCP_V6_ONLY, 1), 0);
			assert_int_equal(csysi_os_tcp_get(socket, CSYSI_OS_TCP_V6_ONLY, &value), 0);
			assert_int_equal(value, 1);
		}
		csysi_os_socket_close(socket);
	}
}

static void a_local_socket_is_none_of_a_network(void **state)
{
	(void)state;
	struct csysi_os_endpoint told = { .port = 77 };
	csysi_os_socket a, b;
	assert_int_equal(csysi_os_socket_pair(CSYSI_OS_STREAM, &a, &b), 0);
	assert_int_equal(csysi_os_tcp_local(a, &told), CSYS_EBADMSG);
	assert_int_equal(csysi_os_tcp_peer(a, &told), CSYS_EBADMSG);
	assert_int_equal(told.port, 77);
	assert_int_equal(csysi_os_tcp_set(a, CSYSI_OS_TCP_NODELAY, 1), CSYS_EBADMSG);
	csysi_os_socket_close(a);
	csysi_os_socket_close(b);
}

static void an_address_with_the_number_of_a_scope_is_found(void **state)
{
	(void)state;
	struct csysi_os_endpoint *found = NULL;
	size_t count = 77;
	int r = csysi_os_resolve("fe80::1%1", 1, &found, &count);
	if (r == CSYS_ENOENT)
		skip_because("this system has no addresses of IPv6");
	assert_int_equal(r, 0);
	assert_int_equal(count, 1);
	assert_int_equal(found->version, 6);
	assert_int_equal(found->scope_id, 1);
	assert_int_equal(found->port, 0);
	assert_int_equal(found->bytes[0], 0xfe);
	csysi_free(found);
	found = NULL;
	assert_int_equal(csysi_os_resolve("none", 1, &found, &count), CSYS_ENOENT);
	assert_null(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_connected_transfers_and_tells_its_endpoints),
		TEST(a_connect_that_fails_says_why),
		TEST(each_option_is_told_as_it_was_set),
		TEST(a_local_socket_is_none_of_a_network),
		TEST(an_address_with_the_number_of_a_scope_is_found),
	};
	return RUN(tests);
}
