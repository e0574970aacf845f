/*
 * ipc/test_socket_edge.c - promises of csys/ipc/socket.h and its like at their edges: ends that
 * come early, changes in between, what is adopted or made twice, users that are kept out.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/place.h"

static csys_socket *a, *b;
static csys_listener *listener;
static csys_address address;

static void listen_at_x(void)
{
	place_make();
	address = *place_address("x");
	assert_int_equal(csys_listener_bind(&address, NULL, &listener), 0);
}

static void close_all(void)
{
	csys_socket_close(a);
	csys_socket_close(b);
	csys_listener_close(listener);
	place_drop();
}

/* ---- connecting ---------------------------------------------------------------------- */

#ifdef CSYS_TEST_WRAPS
static int ends_early;                 /* so many of the next connects find no room */
static int ends_refused;               /* the next one finds nobody */
static void (*meanwhile)(void) = NULL; /* what another program does before the next one */

int __real_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t size)
{
	if (meanwhile)
		meanwhile();
	meanwhile = NULL;
	if (ends_refused) {
		ends_refused = 0;
		errno = ECONNREFUSED;
		return -1;
	}
	if (ends_early > 0) {
		ends_early--;
		errno = EAGAIN;
		return -1;
	}
	return __real_connect(fd, name, size);
}
#endif

static void a_wait_for_room_that_ends_before_the_deadline_goes_on(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	listen_at_x();
	ends_early = 3;
	assert_int_equal(csys_socket_connect_until(&address, NULL, csys_after_s(30), &a), 0);
	assert_int_equal(ends_early, 0);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	close_all();
#else
	skip_because("nothing answers in the place of connect here");
#endif
}

static void a_deadline_leaves_no_trace_in_the_socket(void **state)
{
	(void)state;
	struct timeval timeout = { 7, 7 };
	socklen_t size = sizeof timeout;
	const csys_deadline deadlines[] = { CSYS_POLL, csys_after_s(30), CSYS_FOREVER };
	listen_at_x();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_socket_connect_until(&address, NULL, deadlines[i], &a), 0);
		int fd = (int)csys_socket_handle(a);
		assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size), 0);
		assert_true(timeout.tv_sec == 0 && timeout.tv_usec == 0);
		csys_socket_close(a);
		assert_int_equal(csys_listener_accept(listener, &b), 0);
		csys_socket_close(b);
	}
	a = b = NULL;
	close_all();
}

#ifdef CSYS_TEST_WRAPS
static int successor;

static void make_a_successor(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	strcpy(name.sun_path, place_path("x"));
	assert_int_equal(unlink(name.sun_path), 0);
	successor = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(successor, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(successor, 1), 0);
	/* What is asked is the one that was there before. */
	ends_refused = 1;
}
#endif

static void what_has_taken_the_place_of_a_file_that_was_left_over_is_kept(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	csys_handle handle;
	csys_socket *none = NULL;
	place_make();
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, &a), 0);
	assert_int_equal(csys_socket_into_handle(a, &handle), 0);
	csys_handle_close(handle); /* the file is left over */
	meanwhile = make_a_successor;
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, &none), CSYS_EADDRINUSE);
	assert_null(none);
	assert_int_equal(place_files(), 1);
	close(successor);
	assert_int_equal(unlink(place_path("x")), 0);
	place_drop();
#else
	skip_because("nothing answers in the place of connect here");
#endif
}

#ifdef CSYS_TEST_WRAPS
static int is_moved; /* the next bind comes after the directory was moved */

/* The directory of a left-over file gets another name, and another one its own. */
static void move_directory(void)
{
	assert_int_equal(rename(place_path("d"), place_path("before")), 0);
	assert_int_equal(mkdir(place_path("d"), 0755), 0);
}

int __real_bind(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t size)
{
	if (is_moved)
		move_directory();
	is_moved = 0;
	return __real_bind(fd, name, size);
}
#endif

static void a_file_in_a_directory_that_was_moved_is_not_taken_for_the_own(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	csys_handle handle;
	struct stat about;
	csys_socket *none = NULL;
	place_make();
	assert_int_equal(mkdir(place_path("d"), 0755), 0);
	assert_int_equal(csys_datagram_bind(place_address("d/x"), NULL, &a), 0);
	assert_int_equal(csys_socket_into_handle(a, &handle), 0); /* its file is other code's now */
	const csys_socket_options options = { .mode = 0666 };
	is_moved = 1;
	assert_int_equal(csys_datagram_bind(place_address("d/x"), &options, &none), CSYS_ENOENT);
	assert_null(none);
	assert_int_equal(stat(place_path("before/x"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	csys_handle_close(handle);
	assert_int_equal(unlink(place_path("before/x")), 0);
	assert_int_equal(rmdir(place_path("before")), 0);
	assert_int_equal(unlink(place_path("d/x")), 0); /* nobody knows whose it is */
	assert_int_equal(rmdir(place_path("d")), 0);
	place_drop();
#else
	skip_because("nothing answers in the place of bind here");
#endif
}

/* ---- accepting ----------------------------------------------------------------------- */

static void a_listener_that_was_shut_down_says_so(void **state)
{
	(void)state;
	listen_at_x();
	assert_int_equal(shutdown((int)csys_listener_handle(listener), SHUT_RDWR), 0);
	a = b = NULL;
	/* Or a loop that is told by poll that there is one would turn for ever. */
	assert_int_equal(csys_listener_try_accept(listener, &b), CSYS_EBADF);
	assert_int_equal(csys_listener_accept_until(listener, csys_after_s(30), &b), CSYS_EBADF);
	assert_int_equal(csys_listener_accept(listener, &b), CSYS_EBADF);
	close_all();
}

static void whatever_fails_leaves_no_connection(void **state)
{
	(void)state;
	listen_at_x();
	for (int nth = 1;; nth++) {
		b = NULL;
		assert_int_equal(csys_socket_connect(&address, NULL, &a), 0);
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_listener_try_accept(listener, &b);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true((r == 0) == (b != NULL));
		assert_int_equal(open_handles(), handles + (r == 0));
		csys_socket_close(a);
		csys_socket_close(b);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 2);
			break;
		}
		/* What waits on is of no use here. */
		while (csys_listener_try_accept(listener, &b) == 0)
			csys_socket_close(b);
	}
	a = b = NULL;
	close_all();
}

static void without_standard_streams_a_connection_is_above_2(void)
{
	listen_at_x();
	CHECK(csys_socket_connect(&address, NULL, &a) == 0);
	close(0);
	close(1);
	CHECK(csys_listener_accept(listener, &b) == 0);
	CHECK(csys_socket_handle(b) > 2);
	CHECK(fcntl((int)csys_socket_handle(b), F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	close_all();
}

static void a_connection_never_stands_in_for_a_standard_stream(void **state)
{
	(void)state;
	in_process(without_standard_streams_a_connection_is_above_2);
}

static int buffer_of(const csys_socket *socket, int option)
{
	int value = 0;
	socklen_t size = sizeof value;
	assert_int_equal(
		getsockopt((int)csys_socket_handle(socket), SOL_SOCKET, option, &value, &size), 0);
	return value;
}

static void a_connection_has_the_buffers_that_its_listener_asks_for(void **state)
{
	(void)state;
	const csys_listener_options options = { .send_buffer = 20000, .recv_buffer = 30000 };
	const csys_socket_options same = { .send_buffer = 20000, .recv_buffer = 30000 };
	csys_socket *c, *d;
	place_make();
	address = *place_address("x");
	assert_int_equal(csys_listener_bind(&address, &options, &listener), 0);
	assert_int_equal(csys_socket_connect(&address, NULL, &a), 0);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	assert_int_equal(csys_socket_pair(&same, &c, &d), 0);
	assert_int_equal(buffer_of(b, SO_SNDBUF), buffer_of(c, SO_SNDBUF));
	assert_int_equal(buffer_of(b, SO_RCVBUF), buffer_of(c, SO_RCVBUF));
	assert_int_not_equal(buffer_of(a, SO_SNDBUF), buffer_of(c, SO_SNDBUF));
	csys_socket_close(c);
	csys_socket_close(d);
	close_all();
}

/* ---- adopting, and second objects ---------------------------------------------------- */

static void a_handle_that_is_not_adopted_stays_the_callers(void **state)
{
	(void)state;
	const csys_socket_options options = { .senders = 1 };
	const csys_listener_options likewise = { .senders = 1 };
	struct sockaddr_in any = { .sin_family = AF_INET };
	csys_listener *none = NULL;
	a = NULL;
	int fd = socket(AF_INET, SOCK_STREAM, 0); /* which tells no senders */
	if (fd < 0)
		skip_because("this system has no network");
	int r = csys_socket_adopt_take(fd, &options, &a);
	if (r == 0) { /* older Linux says nothing of it */
		csys_socket_close(a);
		return;
	}
	assert_int_equal(r, CSYS_ENOTSUP);
	assert_null(a);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(csys_listener_adopt_take(fd, &likewise, &none), CSYS_ENOTSUP);
	assert_null(none);
	assert_int_equal(close(fd), 0);
}

static void make_abstract(void)
{
	char name[64];
	int size = snprintf(name, sizeof name, "csys-edge-%ld", (long)getpid());
	assert_int_equal(csys_address_abstract(name, (size_t)size, &address), 0);
	if (!csys_can(CSYS_CAN_SOCKET_ABSTRACT))
		skip_because("this system has no abstract names");
}

static void a_second_object_is_as_careful_as_the_first(void **state)
{
	(void)state;
	const csys_socket_options options = { .any_user = 1 };
	csys_socket *second = NULL;
	char text[8];
	size_t size;
	make_abstract();
	assert_int_equal(csys_datagram_bind(&address, NULL, &a), 0);
	assert_int_equal(csys_datagram_unbound(&options, &b), 0);
	/* A guarded socket does not peek, and that of any user sends there. */
	assert_int_equal(csys_socket_dup(a, &second), 0);
	assert_int_equal(csys_socket_try_peek(second, text, sizeof text, &size), CSYS_ENOTSUP);
	csys_socket_close(second);
	assert_int_equal(csys_socket_dup(b, &second), 0);
	assert_int_equal(csys_datagram_try_send_to(second, &address, "x", 1), 0);
	csys_socket_close(second);
	/* And one that is adopted is guarded, unless it is said to be for any user. */
	for (int any_user = 0; any_user < 2; any_user++) {
		csys_handle copy = dup((int)csys_socket_handle(a));
		const csys_socket_options how = { .any_user = any_user };
		assert_int_equal(csys_socket_adopt_take(copy, &how, &second), 0);
		assert_int_equal(csys_socket_try_peek(second, text, sizeof text, &size),
				 any_user ? 0 : CSYS_ENOTSUP);
		csys_socket_close(second);
	}
	csys_socket_close(a);
	csys_socket_close(b);
}

static void handles_that_come_to_a_guarded_socket_are_closed(void **state)
{
	(void)state;
	const csys_socket_options options = { .any_user = 1 };
	const csys_slice part = { "x", 1 };
	char text[8];
	size_t size;
	make_abstract();
	struct ends pipe = opened_ends();
	const csys_message message = { .slices = &part,
				       .slice_count = 1,
				       .handles = &pipe.reader,
				       .handle_count = 1,
				       .address = &address };
	assert_int_equal(csys_datagram_bind(&address, NULL, &a), 0);
	assert_int_equal(csys_datagram_unbound(&options, &b), 0);
	int handles = open_handles();
	assert_int_equal(csys_message_send(b, &message, NULL), 0);
	assert_int_equal(csys_socket_try_recv(a, text, sizeof text, &size), 0);
	assert_int_equal(size, 1);
	assert_int_equal(open_handles(), handles);
	csys_socket_close(a);
	csys_socket_close(b);
	close_ends(pipe);
}

/* ---- strangers ----------------------------------------------------------------------- */

#define STRANGERS 100

static void connect_as_strangers(void)
{
	static csys_socket *clients[STRANGERS];
	const csys_socket_options options = { .any_user = 1 };
	CHECK(setgid(1001) == 0 && setuid(1001) == 0);
	for (int i = 0; i < STRANGERS; i++)
		CHECK(csys_socket_connect(&address, &options, &clients[i]) == 0);
}

static void a_flood_of_strangers_does_not_hold_a_call(void **state)
{
	(void)state;
	csys_listener *adopted;
	if (geteuid() != 0)
		skip_because("only root can be another user");
	make_abstract();
	assert_int_equal(csys_listener_bind(&address, NULL, &listener), 0);
	for (int i = 0; i < 2; i++) { /* also one of other code */
		b = NULL;
		in_child(connect_as_strangers);
		assert_int_equal(csys_socket_connect(&address, NULL, &a), 0);
		csys_handle copy = dup((int)csys_listener_handle(listener));
		assert_int_equal(csys_listener_adopt_take(copy, NULL, &adopted), 0);
		csys_listener *by = i == 0 ? listener : adopted;
		assert_int_equal(csys_listener_try_accept(by, &b), CSYS_EAGAIN);
		assert_null(b);
		assert_int_equal(csys_listener_try_accept(by, &b), 0);
		csys_listener_close(adopted);
		csys_socket_close(a);
		csys_socket_close(b);
	}
	csys_listener_close(listener);
}

/* ---- addresses ----------------------------------------------------------------------- */

static void a_path_that_fills_the_systems_address_is_told_whole(void **state)
{
	(void)state;
	static csys_address sender;
	union { /* valgrind looks for a NUL, which may be behind it */
		struct sockaddr_storage room;
		struct sockaddr_un local;
	} name;
	char text[128];
	size_t size, told;
	place_make();
	memset(&name, 0, sizeof name);
	name.local.sun_family = AF_UNIX;
	size_t most = sizeof name.local.sun_path;
	int before = snprintf(text, sizeof text, "%s", place_path("p"));
	assert_true(before > 0 && (size_t)before < most);
	memset(text + before, 'p', most - (size_t)before);
	text[most] = 0;
	memcpy(name.local.sun_path, text, most); /* without a NUL behind it */
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(fd, (struct sockaddr *)&name, sizeof name.local) < 0) {
		close(fd);
		place_drop();
		skip_because("this system wants a NUL behind a path");
	}
	assert_int_equal(csys_datagram_bind(place_address("x"), NULL, &a), 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	strcpy(to.sun_path, place_path("x"));
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
	assert_int_equal(csys_datagram_recv_from(a, text + 120, 8, &size, &sender), 0);
	text[120] = 0;
	const char *bytes = csys_address_bytes(&sender, &told);
	assert_int_equal(told, most);
	assert_memory_equal(bytes, text, most);
	csys_socket_close(a);
	close(fd);
	text[most] = 0;
	assert_int_equal(unlink(text), 0);
	place_drop();
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(without_standard_streams_a_connection_is_above_2),
	};
	const struct CMUnitTest tests[] = {
		TEST(a_wait_for_room_that_ends_before_the_deadline_goes_on),
		TEST(a_deadline_leaves_no_trace_in_the_socket),
		TEST(what_has_taken_the_place_of_a_file_that_was_left_over_is_kept),
		TEST(a_file_in_a_directory_that_was_moved_is_not_taken_for_the_own),
		TEST(a_listener_that_was_shut_down_says_so),
		TEST(whatever_fails_leaves_no_connection),
		TEST(a_connection_never_stands_in_for_a_standard_stream),
		TEST(a_connection_has_the_buffers_that_its_listener_asks_for),
		TEST(a_handle_that_is_not_adopted_stays_the_callers),
		TEST(a_second_object_is_as_careful_as_the_first),
		TEST(handles_that_come_to_a_guarded_socket_are_closed),
		TEST(a_flood_of_strangers_does_not_hold_a_call),
		TEST(a_path_that_fills_the_systems_address_is_told_whole),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	return RUN(tests);
}
