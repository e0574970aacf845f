/*
 * ipc/test_socket_transfer.c - promises of csys/ipc/socket_transfer.h: sending and receiving.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/place.h"

static const csys_socket_options kinds[] = {
	{ .kind = CSYS_SOCKET_STREAM },
	{ .kind = CSYS_SOCKET_DATAGRAM },
	{ .kind = CSYS_SOCKET_SEQPACKET },
};

static csys_socket *a, *b;

/* A pair of that kind; 0 where there is none. */
static int make_pair(int kind)
{
	int r = csys_socket_pair(&kinds[kind], &a, &b);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	return r == 0;
}

static void close_pair(void)
{
	csys_socket_close(a);
	csys_socket_close(b);
}

/* Send until there is no more room; how many bytes there was room for. */
static size_t fill(csys_socket *socket)
{
	static const char big[4096];
	size_t all = 0, size;
	int r;
	while ((r = csys_socket_try_send(socket, big, sizeof big, &size)) == 0)
		all += size;
	assert_int_equal(r, CSYS_EAGAIN);
	return all;
}

static void drain(csys_socket *socket, size_t size)
{
	char part[4096];
	size_t got;
	while (size > 0) {
		assert_int_equal(csys_socket_recv(socket, part, sizeof part, &got), 0);
		assert_true(got > 0);
		size -= got;
	}
}

/* ---- without waiting, and until a deadline ------------------------------------------- */

static void what_never_waits_says_so(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char c;
		size_t size = 77;
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_socket_try_recv(b, &c, 1, &size), CSYS_EAGAIN);
		assert_int_equal(csys_socket_try_peek(b, &c, 1, &size), CSYS_EAGAIN);
		assert_true(fill(a) > 0);
		assert_int_equal(size, 77);
		close_pair();
	}
}

static void each_wait_ends_at_its_deadline_also_among_signals(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		char buffer[8] = "";
		size_t size = 77;
		if (!make_pair(i % 3))
			continue;
		if (i >= 3)
			storm_start();
		int64_t begin = csys_now();
		assert_int_equal(csys_socket_recv_until(b, buffer, 8, csys_after_ms(3), &size),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_socket_peek_until(b, buffer, 8, csys_after_ms(3), &size),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() - begin >= 6000000);
		fill(a);
		begin = csys_now();
		assert_int_equal(csys_socket_send_until(a, buffer, 8, csys_after_ms(3), &size),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() - begin >= 3000000);
		if (i >= 3)
			assert_true(storm_stop() > 0);
		assert_int_equal(size, 77);
		close_pair();
	}
}

static void what_is_there_beats_a_deadline_that_has_passed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char c = 0;
		size_t size;
		csys_deadline passed = csys_deadline_at(1);
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_socket_send_until(a, "x", 1, passed, &size), 0);
		assert_int_equal(csys_socket_peek_until(b, &c, 1, passed, &size), 0);
		assert_int_equal(csys_socket_recv_until(b, &c, 1, passed, &size), 0);
		assert_int_equal(c, 'x');
		assert_int_equal(csys_socket_recv_until(b, &c, 1, passed, &size), CSYS_ETIMEDOUT);
		close_pair();
	}
}

static void *send_later(void *signals)
{
	size_t size;
	char c;
	/* Until the other thread waits, more or less: what comes earlier is received as well. */
	assert_int_equal(csys_socket_recv_until(a, &c, 1, csys_after_ms(2), &size), CSYS_ETIMEDOUT);
	(void)signals;
	assert_int_equal(csys_socket_send(a, "late", 4, &size), 0);
	return NULL;
}

static void a_receiver_waits_for_what_comes_later(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		csys_thread *thread;
		char buffer[8];
		size_t size;
		if (!make_pair(i % 3))
			continue;
		storm_start();
		assert_int_equal(csys_thread_spawn(send_later, NULL, NULL, &thread), 0);
		assert_int_equal(
			i < 3 ? csys_socket_recv(b, buffer, 8, &size)
			      : csys_socket_recv_until(b, buffer, 8, csys_after_s(30), &size),
			0);
		assert_int_equal(size, 4);
		storm_stop();
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		close_pair();
	}
}

static void *drain_later(void *size)
{
	drain(b, *(size_t *)size);
	return NULL;
}

static void a_sender_waits_for_room(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		csys_thread *thread;
		char c = 0;
		size_t size, full;
		if (!make_pair(i % 3))
			continue;
		full = fill(a);
		storm_start();
		assert_int_equal(csys_thread_spawn(drain_later, &full, NULL, &thread), 0);
		assert_int_equal(i < 3 ? csys_socket_send(a, "x", 1, &size)
				       : csys_socket_send_until(a, "x", 1, csys_after_s(30), &size),
				 0);
		storm_stop();
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		assert_int_equal(csys_socket_recv(b, &c, 1, &size), 0);
		assert_int_equal(c, 'x');
		close_pair();
	}
}

static void the_nonblocking_flag_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		csys_thread *thread;
		char buffer[8];
		size_t size;
		int flag;
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_stream_set_nonblocking(csys_socket_handle(b), 1), 0);
		assert_int_equal(csys_thread_spawn(send_later, NULL, NULL, &thread), 0);
		assert_int_equal(csys_socket_recv(b, buffer, 8, &size), 0);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		assert_int_equal(csys_socket_try_recv(b, buffer, 8, &size), CSYS_EAGAIN);
		assert_int_equal(csys_stream_nonblocking(csys_socket_handle(b), &flag), 0);
		assert_int_equal(flag, 1);
		assert_int_equal(csys_stream_nonblocking(csys_socket_handle(a), &flag), 0);
		assert_int_equal(flag, 0);
		close_pair();
	}
}

/* ---- streams ------------------------------------------------------------------------- */

static void *send_in_pieces(void *unused)
{
	(void)unused;
	for (int i = 0; i < 10; i++) {
		char c;
		size_t size;
		assert_int_equal(csys_socket_send_all(a, "0123456789", 10, NULL), 0);
		assert_int_equal(csys_socket_recv_until(a, &c, 1, csys_after_us(200), &size),
				 CSYS_ETIMEDOUT);
	}
	assert_int_equal(csys_socket_shutdown(a, CSYS_SHUTDOWN_SEND), 0);
	return NULL;
}

static void all_that_was_asked_for_is_received_from_pieces(void **state)
{
	(void)state;
	for (int with_deadline = 0; with_deadline < 2; with_deadline++) {
		csys_thread *thread;
		char buffer[120];
		size_t size = 0;
		csys_deadline deadline = with_deadline ? csys_after_s(30) : CSYS_FOREVER;
		make_pair(CSYS_SOCKET_STREAM);
		storm_start();
		assert_int_equal(csys_thread_spawn(send_in_pieces, NULL, NULL, &thread), 0);
		assert_int_equal(csys_socket_recv_all_until(b, buffer, 45, deadline, &size), 0);
		assert_int_equal(size, 45);
		assert_int_equal(csys_socket_recv_all_until(b, buffer, 120, deadline, &size), 0);
		assert_int_equal(size, 55); /* to the end */
		assert_memory_equal(buffer, "5678901234", 10);
		storm_stop();
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		close_pair();
	}
}

static void what_came_before_the_deadline_is_counted(void **state)
{
	(void)state;
	char buffer[8];
	size_t size = 77;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_socket_send_all(a, "abc", 3, &size), 0);
	assert_int_equal(size, 3);
	assert_int_equal(csys_socket_recv_all_until(b, buffer, 8, csys_after_ms(1), &size),
			 CSYS_ETIMEDOUT);
	assert_int_equal(size, 3);
	assert_memory_equal(buffer, "abc", 3);

	static const char big[1 << 20];
	size_t full = fill(a), got = 0;
	assert_int_equal(csys_socket_send_all_until(a, big, sizeof big, csys_after_ms(1), &size),
			 CSYS_ETIMEDOUT);
	assert_int_equal(size, 0);
	drain(b, full);
	assert_int_equal(csys_socket_send_all_until(a, big, sizeof big, csys_after_ms(1), &size),
			 CSYS_ETIMEDOUT);
	assert_true(size > 0 && size < sizeof big);
	csys_socket_close(a);
	static char rest[1 << 20];
	assert_int_equal(csys_socket_recv_all(b, rest, sizeof rest, &got), 0);
	assert_int_equal(got, size);
	csys_socket_close(b);
}

static void *send_big(void *size)
{
	static char big[1 << 20];
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i % 251);
	assert_int_equal(csys_socket_send_all(a, big, sizeof big, size), 0);
	return NULL;
}

static void a_megabyte_comes_in_order(void **state)
{
	(void)state;
	static char got[1 << 20];
	csys_thread *thread;
	size_t sent = 0, size;
	make_pair(CSYS_SOCKET_STREAM);
	storm_start();
	assert_int_equal(csys_thread_spawn(send_big, &sent, NULL, &thread), 0);
	assert_int_equal(csys_socket_recv_all(b, got, sizeof got, &size), 0);
	storm_stop();
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	assert_int_equal(size, sizeof got);
	assert_int_equal(sent, sizeof got);
	for (size_t i = 0; i < sizeof got; i++)
		if (got[i] != (char)(i % 251))
			fail();
	close_pair();
}

static void nothing_is_asked_of_a_stream_for_0_bytes(void **state)
{
	(void)state;
	size_t size = 77;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_socket_recv(b, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(csys_socket_send(a, NULL, 0, &size), 0);
	assert_int_equal(csys_socket_send_all(a, NULL, 0, NULL), 0);
	assert_int_equal(csys_socket_recv_all(b, NULL, 0, &size), 0);
	close_pair();
}

/* ---- messages ------------------------------------------------------------------------ */

static void a_message_is_whole_or_an_error(void **state)
{
	(void)state;
	for (int i = 1; i < 3; i++) {
		char buffer[8];
		size_t size = 77;
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_socket_send_all(a, "long message", 12, &size), 0);
		assert_int_equal(csys_socket_send_all(a, "short", 5, NULL), 0);
		size = 77;
		assert_int_equal(csys_socket_peek(b, buffer, 8, &size), CSYS_EMSGSIZE);
		assert_int_equal(csys_socket_recv_all(b, buffer, 8, &size), CSYS_EMSGSIZE);
		assert_int_equal(csys_socket_peek(b, buffer, 8, &size), 0);
		assert_int_equal(size, 5);
		assert_int_equal(csys_socket_recv_all(b, buffer, 8, &size), 0);
		assert_int_equal(size, 5);
		assert_memory_equal(buffer, "short", 5);
		close_pair();
	}
}

static void an_empty_datagram_is_one_and_an_empty_seqpacket_is_refused(void **state)
{
	(void)state;
	char buffer[8];
	size_t size = 77;
	if (make_pair(CSYS_SOCKET_DATAGRAM)) {
		assert_int_equal(csys_socket_send(a, NULL, 0, &size), 0);
		assert_int_equal(csys_socket_send(a, "x", 1, &size), 0);
		assert_int_equal(csys_socket_recv(b, NULL, 0, &size), 0);
		assert_int_equal(size, 0);
		assert_int_equal(csys_socket_recv(b, buffer, 8, &size), 0);
		assert_int_equal(size, 1);
		close_pair();
	}
	if (make_pair(CSYS_SOCKET_SEQPACKET)) {
		assert_int_equal(csys_socket_send(a, "", 0, &size), CSYS_EINVAL);
		assert_int_equal(csys_socket_try_recv(b, buffer, 8, &size), CSYS_EAGAIN);
		csys_socket_close(a);
		assert_int_equal(csys_socket_recv(b, buffer, 8, &size), 0); /* the end */
		assert_int_equal(size, 0);
		csys_socket_close(b);
	}
}

static void a_message_that_is_too_long_is_not_sent(void **state)
{
	(void)state;
	static const char big[1 << 22];
	for (int i = 1; i < 3; i++) {
		size_t size = 77;
		char c;
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_socket_send(a, big, sizeof big, &size), CSYS_EMSGSIZE);
		assert_int_equal(size, 77);
		assert_int_equal(csys_socket_try_recv(b, &c, 1, &size), CSYS_EAGAIN);
		close_pair();
	}
}

/* ---- ends ---------------------------------------------------------------------------- */

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
	(void)state;
	/* SIGPIPE is at its default: it would end this process. */
	for (int i = 0; i < 3; i++) {
		size_t size = 77;
		if (!make_pair(i))
			continue;
		csys_socket_close(b);
		int gone = i == CSYS_SOCKET_DATAGRAM ? CSYS_ECONNREFUSED : CSYS_EPIPE;
		assert_int_equal(csys_socket_send(a, "x", 1, &size), gone);
		assert_int_equal(csys_socket_try_send(a, "x", 1, &size),
				 i == CSYS_SOCKET_DATAGRAM ? CSYS_ENOTCONN : CSYS_EPIPE);
		assert_int_equal(size, 77);
		csys_socket_close(a);
	}
}

static void *shut_down(void *unused)
{
	char c;
	size_t size;
	(void)unused;
	assert_int_equal(csys_socket_recv_until(a, &c, 1, csys_after_ms(2), &size), CSYS_ETIMEDOUT);
	assert_int_equal(csys_socket_shutdown(b, CSYS_SHUTDOWN_BOTH), 0);
	return NULL;
}

static void a_shutdown_ends_a_wait_in_another_thread(void **state)
{
	(void)state;
	csys_thread *thread;
	char c;
	size_t size;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_thread_spawn(shut_down, NULL, NULL, &thread), 0);
	assert_int_equal(csys_socket_recv(b, &c, 1, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	assert_int_equal(csys_socket_send(b, "x", 1, &size), CSYS_EPIPE);
	close_pair();
}

static void both_directions_are_waited_for_by_poll(void **state)
{
	(void)state;
	make_pair(CSYS_SOCKET_STREAM);
	csys_poll_item items[2] = { { .waitable = csys_socket_waitable_reading(b) },
				    { .waitable = csys_socket_waitable_writing(b) } };
	assert_int_equal(csys_poll(items, 2, CSYS_POLL), 1);
	assert_true(!items[0].ready && items[1].ready);
	fill(b);
	assert_int_equal(csys_poll(items, 2, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_socket_send_all(a, "x", 1, NULL), 0);
	assert_int_equal(csys_poll(items, 2, CSYS_FOREVER), 1);
	assert_true(items[0].ready);
	csys_poll_item none = { .waitable = csys_socket_waitable_reading(NULL) };
	assert_int_equal(csys_poll(&none, 1, CSYS_POLL), CSYS_EBADF);
	close_pair();
}

static void arguments_are_checked(void **state)
{
	(void)state;
	char c;
	size_t size = 77;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_socket_send(NULL, &c, 1, &size), CSYS_EINVAL);
	assert_int_equal(csys_socket_send(a, NULL, 1, &size), CSYS_EINVAL);
	assert_int_equal(csys_socket_send(a, &c, 1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_send_all(NULL, &c, 1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_recv(NULL, &c, 1, &size), CSYS_EINVAL);
	assert_int_equal(csys_socket_recv(a, NULL, 1, &size), CSYS_EINVAL);
	assert_int_equal(csys_socket_recv(a, &c, 1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_recv_all(NULL, &c, 1, &size), CSYS_EINVAL);
	assert_int_equal(csys_socket_peek(NULL, &c, 1, &size), CSYS_EINVAL);
	assert_int_equal(size, 77);
	close_pair();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_never_waits_says_so),
		TEST(each_wait_ends_at_its_deadline_also_among_signals),
		TEST(what_is_there_beats_a_deadline_that_has_passed),
		TEST(a_receiver_waits_for_what_comes_later),
		TEST(a_sender_waits_for_room),
		TEST(the_nonblocking_flag_changes_nothing),
		TEST(all_that_was_asked_for_is_received_from_pieces),
		TEST(what_came_before_the_deadline_is_counted),
		TEST(a_megabyte_comes_in_order),
		TEST(nothing_is_asked_of_a_stream_for_0_bytes),
		TEST(a_message_is_whole_or_an_error),
		TEST(an_empty_datagram_is_one_and_an_empty_seqpacket_is_refused),
		TEST(a_message_that_is_too_long_is_not_sent),
		TEST(a_peer_that_is_gone_raises_no_signal),
		TEST(a_shutdown_ends_a_wait_in_another_thread),
		TEST(both_directions_are_waited_for_by_poll),
		TEST(arguments_are_checked),
	};
	return RUN(tests);
}
