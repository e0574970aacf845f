/*
 * ipc/test_tcp_connect.c - promises of csys/ipc/tcp.h about connecting to one endpoint, and about
 * what fails.  Several endpoints are in test_tcp_race.c.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/network.h"
#include "support/place.h"
#include "support/system.h"

#define SOON csys_after_s(60)

/* ---- a connect that is interrupted ----------------------------------------------------------- */

#ifdef CSYS_TEST_WRAPS
static int interrupt_next; /* the next connect that waits is interrupted, and goes on */

int __real_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size)
{
	if (!interrupt_next)
		return __real_connect(fd, name, size);
	interrupt_next = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	int r = __real_connect(fd, name, size);
	fcntl(fd, F_SETFL, 0);
	if (r == 0 || errno == EINPROGRESS) {
		errno = EINTR;
		r = -1;
	}
	return r;
}
#endif

/* ---- one endpoint -------------------------------------------------------------------------- */

static void a_connection_is_a_socket_as_any_other(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint, local, peer;
	csys_socket *client = NULL, *server = NULL;
	char text[8] = "";
	size_t size;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);
	assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EAGAIN);
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, NULL, SOON, &client), 0);
	assert_int_equal(csys_listener_accept_until(listener, SOON, &server), 0);

	assert_int_equal(csys_socket_kind_of(client), CSYS_SOCKET_STREAM);
	assert_int_equal(csys_tcp_peer(client, &peer), 0);
	assert_int_equal(csys_ip_endpoint_compare(&peer, &endpoint), 0);
	assert_int_equal(csys_tcp_local(client, &local), 0);
	assert_int_equal(csys_tcp_peer(server, &peer), 0);
	assert_int_equal(csys_ip_endpoint_compare(&peer, &local), 0);
	assert_int_equal(csys_tcp_local(server, &local), 0);
	assert_int_equal(csys_ip_endpoint_compare(&local, &endpoint), 0);

	assert_int_equal(csys_socket_try_recv(client, text, 8, &size), CSYS_EAGAIN);
	assert_int_equal(csys_socket_send_all(server, "hello", 5, NULL), 0);
	assert_int_equal(csys_socket_recv_until(client, text, 8, SOON, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(text, "hello", 5);
	csys_socket_close(server);
	assert_int_equal(csys_socket_recv(client, text, 8, &size), 0);
	assert_int_equal(size, 0);
	csys_socket_close(client);
	csys_listener_close(listener);
}

static void it_is_connected_after_a_wait_with_and_without_a_deadline(void **state)
{
	(void)state;
	csys_deadline deadlines[] = { CSYS_FOREVER, SOON };
	for (int version = CSYS_IP_V4; version <= CSYS_IP_V6; version += 2) {
		if (version == CSYS_IP_V6 && !has_ip_v6())
			continue;
		for (int i = 0; i < 2; i++) {
			csys_ip_endpoint endpoint;
			csys_socket *client;
			int flag;
			csys_listener *listener =
				listening((enum csys_ip_version)version, &endpoint);
			int r = csys_tcp_connect_until(&endpoint, 1, NULL, deadlines[i], &client);
			assert_int_equal(r, 0);
			/* Programs that are given the socket find it as sockets are. */
			assert_int_equal(csys_stream_nonblocking(csys_socket_handle(client), &flag),
					 0);
			assert_false(flag);
			csys_socket_close(client);
			csys_listener_close(listener);
		}
	}
}

static void where_nothing_listens_it_is_refused(void **state)
{
	(void)state;
	csys_deadline deadlines[] = { CSYS_FOREVER, SOON };
	csys_socket *client = NULL;
	int holder, result = 77;
	csys_ip_endpoint endpoint = refusing(CSYS_IP_V4, &holder);
	csys_tcp_options options = { .results = &result };
	for (int i = 0; i < 2; i++) {
		int r = csys_tcp_connect_until(&endpoint, 1, &options, deadlines[i], &client);
		assert_int_equal(r, CSYS_ECONNREFUSED);
		assert_int_equal(result, CSYS_ECONNREFUSED);
		assert_null(client);
	}
	close(holder);
}

static void a_silent_endpoint_is_given_up_at_the_deadline(void **state)
{
	(void)state;
	csys_socket *client = NULL;
	int result = 77;
	csys_tcp_options options = { .results = &result };
	struct silent silent = silent_opened(CSYS_IP_V4);
	csys_deadline deadlines[] = { CSYS_POLL, csys_after_ms(2) };
	for (int i = 0; i < 2; i++) {
		int r = csys_tcp_connect_until(&silent.endpoint, 1, &options, deadlines[i],
					       &client);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		assert_int_equal(result, CSYS_ETIMEDOUT);
		assert_true(csys_deadline_left(deadlines[i]) == 0);
	}
	assert_null(client);
	silent_close(&silent);
}

static void signals_do_not_end_the_wait(void **state)
{
	(void)state;
	csys_socket *client = NULL;
	struct silent silent = silent_opened(CSYS_IP_V4);
	csys_deadline deadline = csys_after_ms(5);
	storm_start();
	int r = csys_tcp_connect_until(&silent.endpoint, 1, NULL, deadline, &client);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) == 0);
	storm_stop();
	silent_close(&silent);
}

#ifdef CSYS_TEST_WRAPS
static void a_connect_that_a_signal_interrupts_goes_on(void **state)
{
	(void)state;
	csys_ip_endpoint endpoint;
	csys_socket *client = NULL;
	int holder;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);
	interrupt_next = 1;
	assert_int_equal(csys_tcp_connect(&endpoint, 1, NULL, &client), 0);
	assert_false(interrupt_next);
	csys_socket_close(client);
	csys_listener_close(listener);
	endpoint = refusing(CSYS_IP_V4, &holder);
	interrupt_next = 1;
	assert_int_equal(csys_tcp_connect(&endpoint, 1, NULL, &client), CSYS_ECONNREFUSED);
	close(holder);
}
#endif

static void it_is_never_connected_with_itself(void **state)
{
	(void)state;
	csys_socket *client = NULL;
	int holder;
	csys_ip_endpoint endpoint = refusing(CSYS_IP_V4, &holder);
	csys_tcp_options options = { .bind = &endpoint };
	close(holder);
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client),
			 CSYS_ECONNREFUSED);
	assert_null(client);
	/* An unspecified address leads to this machine. */
	csys_ip_endpoint mine = refusing(CSYS_IP_V4, &holder);
	options.bind = &mine;
	endpoint.port = mine.port;
	endpoint.address = csys_ip_address_unspecified(CSYS_IP_V4);
	close(holder);
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client),
			 CSYS_ECONNREFUSED);
	assert_null(client);
}

static void it_has_the_own_endpoint_and_the_options_that_are_asked_for(void **state)
{
	(void)state;
	int holder, on = 0, results[2];
	csys_ip_endpoint endpoint, local, mine = refusing(CSYS_IP_V4, &holder);
	csys_socket *client = NULL;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);
	csys_tcp_options options = {
		.bind = &mine, .nodelay = 1, .send_buffer = 1 << 16, .recv_buffer = 1 << 16
	};
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client),
			 CSYS_EADDRINUSE);
	close(holder);
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client), 0);
	assert_int_equal(csys_tcp_local(client, &local), 0);
	assert_int_equal(csys_ip_endpoint_compare(&local, &mine), 0);
	assert_int_equal(csys_tcp_get_nodelay(client, &on), 0);
	assert_true(on);
	csys_socket_close(client);
	client = NULL;

	/* Of the other version, and no address of this machine. */
	mine = local_endpoint(CSYS_IP_V6, 0);
	options.results = results;
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client),
			 CSYS_EADDRNOTAVAIL);
	assert_int_equal(csys_ip_endpoint_parse("203.0.113.1:0", &mine), 0);
	assert_int_equal(csys_tcp_connect_until(&endpoint, 1, &options, SOON, &client),
			 CSYS_EADDRNOTAVAIL);
	assert_null(client);
	csys_listener_close(listener);
}

/* ---- failures ------------------------------------------------------------------------------ */

static void a_failure_leaves_nothing_behind(void **state)
{
	(void)state;
	enum { COUNT = 9 }; /* more than are tried without memory */
	csys_ip_endpoint endpoints[COUNT];
	int nth = 1;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[0]);
	for (int i = 1; i < COUNT; i++)
		endpoints[i] = endpoints[0];
	for (;; nth++) {
		csys_socket *client = NULL;
		int handles = open_handles();
		/* All that is asked for from the nth on, so that no other endpoint helps. */
		int results[COUNT], count = nth % 2 ? COUNT : 1, connected = 0;
		csys_tcp_options options = { .results = results };
		csysi_fault_arm(nth);
		int r = csys_tcp_connect_until(endpoints, (size_t)count, &options, SOON, &client);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true((r == 0) == (client != NULL));
		assert_int_equal(open_handles(), handles + (r == 0));
		for (int i = 0; i < count; i++)
			connected += results[i] == 0;
		assert_int_equal(connected, r == 0);
		csys_socket_close(client);
		if (!fired && nth % 2)
			break;
	}
	assert_in_range(nth, 4, 20);
	csys_listener_close(listener);
}

static void without_handles_it_is_emfile(void **state)
{
	(void)state;
	csys_ip_endpoint endpoints[3];
	csys_socket *client = NULL;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[0]);
	endpoints[1] = endpoints[2] = endpoints[0];
	csysi_fault_exhaust(1, CSYS_EMFILE);
	assert_int_equal(csys_tcp_connect_until(endpoints, 3, NULL, SOON, &client), CSYS_EMFILE);
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	assert_int_equal(csys_tcp_connect_until(endpoints, 3, NULL, SOON, &client), CSYS_ENOMEM);
	csysi_fault_exhaust(1, CSYS_ENETUNREACH);
	int r = csys_tcp_connect_until(endpoints, 3, NULL, SOON, &client);
	assert_int_equal(r, CSYS_ENETUNREACH);
	csysi_fault_arm(0);
	csys_listener_close(listener);
	/* Also if an address that could be tried has refused: another one may be good. */
	int holder, results[2];
	csys_tcp_options options = { .results = results };
	endpoints[0] = endpoints[1] = refusing(CSYS_IP_V4, &holder);
	csysi_fault_exhaust(2, CSYS_EMFILE);
	r = csys_tcp_connect_until(endpoints, 2, &options, SOON, &client);
	csysi_fault_arm(0);
	assert_int_equal(r, CSYS_EMFILE);
	assert_int_equal(results[0], CSYS_ECONNREFUSED);
	assert_int_equal(results[1], CSYS_EMFILE);
	assert_null(client);
	close(holder);
}

static void connect_without_a_network(void)
{
	csys_ip_endpoint endpoint = local_endpoint(CSYS_IP_V4, 1);
	csys_socket *client = NULL;
	CHECK(csys_ip_endpoint_parse("192.0.2.1:80", &endpoint) == 0);
	if (enter_network_namespace() == 0)
		CHECK(csys_tcp_connect(&endpoint, 1, NULL, &client) == CSYS_ENETUNREACH);
	CHECK(client == NULL);
}

static void without_a_way_it_is_unreachable(void **state)
{
	(void)state;
	in_child(connect_without_a_network); /* where that cannot be made, nothing is looked at */
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_socket *client = NULL;
	csys_ip_endpoint good = local_endpoint(CSYS_IP_V4, 1), none = { .port = 1 };
	csys_ip_endpoint endpoints[2] = { good, none };
	csys_tcp_options options = { .stagger_ns = -1 };
	assert_int_equal(csys_tcp_connect(NULL, 1, NULL, &client), CSYS_EINVAL);
	assert_int_equal(csys_tcp_connect(&good, 0, NULL, &client), CSYS_EINVAL);
	assert_int_equal(csys_tcp_connect(&good, 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_tcp_connect(endpoints, 2, NULL, &client), CSYS_EINVAL);
	assert_int_equal(csys_tcp_connect(&good, 1, &options, &client), CSYS_EINVAL);
	options = (csys_tcp_options){ .bind = &none };
	assert_int_equal(csys_tcp_connect(&good, 1, &options, &client), CSYS_EINVAL);
	assert_null(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_a_socket_as_any_other),
		TEST(it_is_connected_after_a_wait_with_and_without_a_deadline),
		TEST(where_nothing_listens_it_is_refused),
		TEST(a_silent_endpoint_is_given_up_at_the_deadline),
		TEST(signals_do_not_end_the_wait),
#ifdef CSYS_TEST_WRAPS
		TEST(a_connect_that_a_signal_interrupts_goes_on),
#endif
		TEST(it_is_never_connected_with_itself),
		TEST(it_has_the_own_endpoint_and_the_options_that_are_asked_for),
		TEST(a_failure_leaves_nothing_behind),
		TEST(without_handles_it_is_emfile),
		TEST(without_a_way_it_is_unreachable),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
