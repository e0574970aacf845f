/*
 * ipc/test_tcp_race.c - promises of csys/ipc/tcp.h about connecting to the first of several
 * endpoints, of which some refuse or are silent.
 */
#define _XOPEN_SOURCE 700
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/network.h"

/* An hour: nothing waits for the next endpoint as long as this. */
#define HOUR (INT64_C(3600) * 1000000000)
#define SOON csys_after_s(60)

/* ---- connects that are counted, and a clock that is put forward ------------------------------ */

#ifdef CSYS_TEST_WRAPS
static int families[32]; /* of the connects, in their order */
static int connects;

int __real_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size)
{
	if (connects < (int)(sizeof families / sizeof *families))
		families[connects] = name->sa_family;
	connects++;
	return __real_connect(fd, name, size);
}

static int64_t ahead;         /* how much the clock was put forward, ns */
static int is_clock_put_next; /* the next poll puts it forward by two hours, and finds nothing */

int64_t __real_csysi_os_now(void);
int64_t __wrap_csysi_os_now(void);
int64_t __wrap_csysi_os_now(void)
{
	return __real_csysi_os_now() + ahead;
}

int __real_poll(struct pollfd *polled, nfds_t count, int milliseconds);
int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds);
int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds)
{
	if (!is_clock_put_next)
		return __real_poll(polled, count, milliseconds);
	is_clock_put_next = 0;
	ahead += 2 * HOUR;
	return 0;
}
#endif

/* ---- several endpoints --------------------------------------------------------------------- */

static void a_silent_endpoint_does_not_keep_from_the_next_one(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	csys_ip_endpoint endpoints[3] = { silent.endpoint, silent.endpoint }, peer;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[2]);
	csys_socket *client = NULL;
	int results[3] = { 77, 77, 77 };
	csys_tcp_options options = { .stagger_ns = 1000000, .results = results };
	csys_deadline deadlines[] = { CSYS_FOREVER, SOON };
	for (int i = 0; i < 2; i++) {
		int r = csys_tcp_connect_until(endpoints, 3, &options, deadlines[i], &client);
		assert_int_equal(r, 0);
		assert_int_equal(csys_tcp_peer(client, &peer), 0);
		assert_int_equal(csys_ip_endpoint_compare(&peer, &endpoints[2]), 0);
		assert_int_equal(results[0], CSYS_ECANCELED);
		assert_int_equal(results[1], CSYS_ECANCELED);
		assert_int_equal(results[2], 0);
		csys_socket_close(client);
	}
	csys_listener_close(listener);
	silent_close(&silent);
}

static void after_a_failure_the_next_one_is_tried_at_once(void **state)
{
	(void)state;
	enum { COUNT = 20 };
	int holder, results[COUNT + 1];
	csys_ip_endpoint endpoints[COUNT + 1];
	csys_socket *client = NULL;
	csys_tcp_options options = { .stagger_ns = HOUR, .results = results };
	endpoints[0] = refusing(CSYS_IP_V4, &holder);
	for (int i = 1; i < COUNT; i++)
		endpoints[i] = endpoints[0];
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[COUNT]);
	int r = csys_tcp_connect_until(endpoints, COUNT + 1, &options, SOON, &client);
	assert_int_equal(r, 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(results[i], CSYS_ECONNREFUSED);
	assert_int_equal(results[COUNT], 0);
	csys_socket_close(client);
	csys_listener_close(listener);
	close(holder);
}

static void one_that_goes_on_wins_though_a_later_one_was_started(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	int results[2];
	csys_ip_endpoint endpoints[2] = { silent.endpoint, silent.endpoint };
	csys_socket *client = NULL;
	csys_tcp_options options = { .stagger_ns = 1, .results = results };
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[0]);
#ifdef CSYS_TEST_WRAPS
	connects = 0;
#endif
	assert_int_equal(csys_tcp_connect_until(endpoints, 2, &options, SOON, &client), 0);
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], CSYS_ECANCELED);
#ifdef CSYS_TEST_WRAPS
	assert_int_equal(connects, 2);
#endif
	csys_socket_close(client);
	csys_listener_close(listener);
	silent_close(&silent);
}

static void a_failure_does_not_end_those_that_go_on(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	int holder, results[2];
	csys_ip_endpoint endpoints[2] = { silent.endpoint, refusing(CSYS_IP_V4, &holder) };
	csys_socket *client = NULL;
	csys_tcp_options options = { .stagger_ns = 1, .results = results };
	int r = csys_tcp_connect_until(endpoints, 2, &options, csys_after_ms(3), &client);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(results[0], CSYS_ETIMEDOUT);
	assert_int_equal(results[1], CSYS_ECONNREFUSED);
	assert_null(client);
	silent_close(&silent);
	close(holder);
}

static void a_deadline_tells_which_were_tried(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	int results[3];
	csys_ip_endpoint endpoints[3] = { silent.endpoint, silent.endpoint, silent.endpoint };
	csys_socket *client = NULL;
	csys_tcp_options options = { .stagger_ns = HOUR, .results = results };
	int r = csys_tcp_connect_until(endpoints, 3, &options, csys_after_ms(2), &client);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(results[0], CSYS_ETIMEDOUT);
	assert_int_equal(results[1], CSYS_ECANCELED);
	assert_int_equal(results[2], CSYS_ECANCELED);
	silent_close(&silent);
}

#ifdef CSYS_TEST_WRAPS
static void both_versions_are_tried_in_turns(void **state)
{
	(void)state;
	static const int expected[2][7] = {
		{ AF_INET6, AF_INET, AF_INET6, AF_INET, AF_INET, AF_INET, AF_INET },
		{ AF_INET, AF_INET6, AF_INET, AF_INET6, AF_INET, AF_INET, AF_INET },
	};
	if (!has_ip_v6())
		skip_because("this machine has no ::1");
	int holder, other, results[7];
	csys_ip_endpoint v4 = refusing(CSYS_IP_V4, &holder);
	csys_ip_endpoint v6 = refusing(CSYS_IP_V6, &other);
	csys_ip_endpoint orders[2][7] = { { v6, v6, v4, v4, v4, v4, v4 },
					  { v4, v4, v4, v4, v4, v6, v6 } };
	csys_tcp_options options = { .results = results };
	for (int i = 0; i < 2; i++) {
		csys_socket *client = NULL;
		connects = 0;
		assert_int_equal(csys_tcp_connect_until(orders[i], 7, &options, SOON, &client),
				 CSYS_ECONNREFUSED);
		assert_int_equal(connects, 7);
		assert_memory_equal(families, expected[i], sizeof expected[i]);
		for (int j = 0; j < 7; j++)
			assert_int_equal(results[j], CSYS_ECONNREFUSED);
	}
	close(holder);
	close(other);
}
#endif

#ifdef CSYS_TEST_WRAPS
/* The first one goes on, and the second one, which is started an hour later, fails. */
static void after_a_failure_nothing_is_waited_for_though_another_one_goes_on(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	int holder, results[3];
	csys_ip_endpoint refused = refusing(CSYS_IP_V4, &holder), mine;
	csys_ip_endpoint endpoints[3] = { silent.endpoint };
	csys_tcp_options options = { .stagger_ns = HOUR, .results = results, .bind = &mine };
	mine = local_endpoint(CSYS_IP_V4, 0);
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[2]);
	for (int i = 0; i < 2; i++) {
		/* Told by the poll, or at once: it is not of the version of `mine`. */
		endpoints[1] = i == 0 ? refused : local_endpoint(CSYS_IP_V6, 1);
		csys_socket *client = NULL;
		is_clock_put_next = 1;
		int r = csys_tcp_connect_until(endpoints, 3, &options,
					       csys_after_ns(2 * HOUR + HOUR / 2), &client);
		ahead = 0;
		assert_int_equal(r, 0);
		assert_int_equal(results[0], CSYS_ECANCELED);
		assert_int_equal(results[1], i == 0 ? CSYS_ECONNREFUSED : CSYS_EADDRNOTAVAIL);
		assert_int_equal(results[2], 0);
		csys_socket_close(client);
	}
	csys_listener_close(listener);
	silent_close(&silent);
	close(holder);
}
#endif

static void with_an_own_port_they_are_tried_one_by_one(void **state)
{
	(void)state;
	struct silent silent = silent_opened(CSYS_IP_V4);
	int holder, other, results[2];
	csys_ip_endpoint endpoints[2], mine = refusing(CSYS_IP_V4, &holder);
	csys_socket *client = NULL;
	csys_tcp_options options = { .bind = &mine, .stagger_ns = 1, .results = results };
	endpoints[0] = refusing(CSYS_IP_V4, &other);
	csys_listener *listener = listening(CSYS_IP_V4, &endpoints[1]);
	close(holder);
	assert_int_equal(csys_tcp_connect_until(endpoints, 2, &options, SOON, &client), 0);
	assert_int_equal(results[0], CSYS_ECONNREFUSED);
	csys_socket_close(client);
	client = NULL;
	endpoints[0] = silent.endpoint;
	mine.port = 0;
	assert_int_equal(csys_tcp_connect_until(endpoints, 2, &options, SOON, &client), 0);
	csys_socket_close(client);
	client = NULL;
	mine = refusing(CSYS_IP_V4, &holder);
	close(holder);
	int r = csys_tcp_connect_until(endpoints, 2, &options, csys_after_ms(2), &client);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(results[0], CSYS_ETIMEDOUT);
	assert_int_equal(results[1], CSYS_ECANCELED);
	csys_listener_close(listener);
	silent_close(&silent);
	close(other);
}

static void the_failure_that_tells_most_is_the_result(void **state)
{
	(void)state;
	int holder, results[3];
	csys_ip_endpoint endpoints[3], mine = local_endpoint(CSYS_IP_V4, 0);
	csys_socket *client = NULL;
	csys_tcp_options options = { .bind = &mine, .results = results };
	endpoints[1] = refusing(CSYS_IP_V4, &holder);
	endpoints[0] = endpoints[2] = local_endpoint(CSYS_IP_V6, 1); /* not from `mine` */
	int r = csys_tcp_connect_until(endpoints, 3, &options, SOON, &client);
	assert_int_equal(r, CSYS_ECONNREFUSED);
	assert_int_equal(results[0], CSYS_EADDRNOTAVAIL);
	assert_int_equal(results[1], CSYS_ECONNREFUSED);
	assert_int_equal(results[2], CSYS_EADDRNOTAVAIL);
	close(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_silent_endpoint_does_not_keep_from_the_next_one),
		TEST(after_a_failure_the_next_one_is_tried_at_once),
		TEST(one_that_goes_on_wins_though_a_later_one_was_started),
		TEST(a_failure_does_not_end_those_that_go_on),
		TEST(a_deadline_tells_which_were_tried),
		TEST(with_an_own_port_they_are_tried_one_by_one),
		TEST(the_failure_that_tells_most_is_the_result),
#ifdef CSYS_TEST_WRAPS
		TEST(both_versions_are_tried_in_turns),
		TEST(after_a_failure_nothing_is_waited_for_though_another_one_goes_on),
#endif
	};
	return RUN(tests);
}
