/*
 * ipc/test_activation.c - promises of csys/ipc/activation.h: sockets from a service manager; and of
 * listeners that other code has made.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/place.h"

/* ---- what a service manager does ----------------------------------------------------- */

static csys_listener *listener;
static csys_socket *log_socket, *sender;
static struct ends pipe_ends;

static void open_all(void)
{
	const csys_socket_options datagrams = { .kind = CSYS_SOCKET_DATAGRAM };
	place_make();
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), 0);
	assert_int_equal(csys_socket_pair(&datagrams, &log_socket, &sender), 0);
	pipe_ends = opened_ends();
}

static void close_all(void)
{
	csys_listener_close(listener);
	csys_socket_close(log_socket);
	csys_socket_close(sender);
	close_ends(pipe_ends);
	place_drop();
}

/* Run a part that gets these handles as 3, 4 and 5; in it the pid is set by as_manager. */
static void run_activated(void (*part)(void), const char *count, const char *names)
{
	csys_command *command = part_command(part);
	csys_command_map(command, csys_listener_handle(listener), 3);
	csys_command_map(command, csys_socket_handle(log_socket), 4);
	csys_command_map(command, pipe_ends.reader, 5);
	csys_command_env(command, "LISTEN_FDS", count);
	if (names)
		csys_command_env(command, "LISTEN_FDNAMES", names);
	csys_exit end = finished(spawned(command));
	assert_int_equal(end.how, CSYS_EXIT_CODE);
	assert_int_equal(end.value, 0);
}

static void as_manager(long pid)
{
	char text[32];
	snprintf(text, sizeof text, "%ld", pid);
	CHECK(setenv("LISTEN_PID", text, 1) == 0);
}

/* ---- parts --------------------------------------------------------------------------- */

static void take_each_by_its_name(void)
{
	csys_activation *given = NULL, *again = NULL;
	csys_listener *web = NULL;
	csys_socket *log = NULL;
	csys_handle pipe = CSYS_NO_HANDLE;
	size_t index;
	as_manager((long)getpid());
	CHECK(csys_activation_open(NULL) == CSYS_EINVAL);
	CHECK(csys_activation_open(&given) == 0);
	CHECK(csys_activation_open(&again) == CSYS_ENOENT && !again);
	CHECK(csys_activation_count(given) == 3);
	CHECK(strcmp(csys_activation_name(given, 0), "web") == 0);
	CHECK(strcmp(csys_activation_name(given, 1), "log") == 0);
	CHECK(strcmp(csys_activation_name(given, 2), "") == 0);
	CHECK(csys_activation_name(given, 3) == NULL);
	CHECK(csys_activation_find(given, "log", 0, &index) == 0 && index == 1);
	CHECK(csys_activation_find(given, "log", 2, &index) == CSYS_ENOENT);
	CHECK(csys_activation_find(given, "no", 0, &index) == CSYS_ENOENT);
	for (int fd = 3; fd < 6; fd++)
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(csys_activation_take_socket(given, 0, NULL, &log) == CSYS_EBADMSG);
	CHECK(csys_activation_take_listener(given, 1, NULL, &web) == CSYS_EBADMSG);
	CHECK(csys_activation_take_listener(given, 2, NULL, &web) == CSYS_EBADF);
	CHECK(csys_activation_take_listener(given, 3, NULL, &web) == CSYS_EINVAL);
	CHECK(csys_activation_take_listener(given, 0, NULL, &web) == 0);
	CHECK(csys_activation_take_listener(given, 0, NULL, &web) == CSYS_EBADF);
	CHECK(csys_activation_take_socket(given, 1, NULL, &log) == 0);
	CHECK(csys_activation_take_handle(given, 2, &pipe) == 0);
	csys_activation_close(given);
	CHECK(csys_socket_kind_of(log) == CSYS_SOCKET_DATAGRAM);
	for (int fd = 3; fd < 6; fd++)
		CHECK(fcntl(fd, F_GETFD) >= 0);
	CHECK(pipe == 5);
	csys_socket_close(log);
	csys_listener_close(web);
}

static void what_is_not_taken_is_closed(void)
{
	csys_activation *given;
	csys_handle handle;
	as_manager((long)getpid());
	CHECK(csys_activation_open(&given) == 0);
	CHECK(strcmp(csys_activation_name(given, 1), "unknown") == 0);
	CHECK(csys_activation_take_handle(given, 1, &handle) == 0);
	csys_activation_close(given);
	CHECK(fcntl(3, F_GETFD) < 0 && fcntl(4, F_GETFD) >= 0 && fcntl(5, F_GETFD) < 0);
	csys_activation_close(NULL);
	CHECK(csys_activation_count(NULL) == 0 && csys_activation_name(NULL, 0) == NULL);
}

static void refused_as(int result)
{
	csys_activation *given = NULL;
	CHECK(csys_activation_open(&given) == result && !given);
	for (int fd = 3; fd < 6; fd++)
		CHECK(fcntl(fd, F_GETFD) >= 0);
}

static void variables_of_another_process_are_not_for_this_one(void)
{
	unsetenv("LISTEN_PID");
	refused_as(CSYS_ENOENT);
	as_manager((long)getpid() + 1);
	refused_as(CSYS_ENOENT);
	CHECK(setenv("LISTEN_PID", "", 1) == 0);
	refused_as(CSYS_ENOENT);
	CHECK(setenv("LISTEN_PID", "99999999999999999999999999999999", 1) == 0);
	refused_as(CSYS_ENOENT);
	as_manager((long)getpid());
	unsetenv("LISTEN_FDS");
	refused_as(CSYS_ENOENT);
	CHECK(setenv("LISTEN_FDS", "0", 1) == 0);
	refused_as(CSYS_ENOENT);
}

static void variables_that_make_no_sense_are_told(void)
{
	static const char *const counts[] = {
		"", "x", "-1", "3x", " 3", "+3", "4", "70000", "4294967299", "18446744073709551619"
	};
	as_manager((long)getpid());
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		CHECK(setenv("LISTEN_FDS", counts[i], 1) == 0);
		refused_as(CSYS_EBADMSG);
	}
	CHECK(setenv("LISTEN_FDS", "3", 1) == 0);
	CHECK(setenv("LISTEN_FDNAMES", "a:b", 1) == 0);
	refused_as(CSYS_EBADMSG);
	CHECK(setenv("LISTEN_FDNAMES", "a:b:c:d", 1) == 0);
	refused_as(CSYS_EBADMSG);
	CHECK(setenv("LISTEN_FDNAMES", "a:b:c", 1) == 0);
	for (int nth = 1; nth < 3; nth++) { /* and it can be opened after each failure */
		csysi_fault_arm(nth);
		refused_as(CSYS_ENOMEM);
		csysi_fault_arm(0);
	}
	csys_activation *given;
	CHECK(csys_activation_open(&given) == 0);
	csys_activation_close(given);
}

/* ---- tests --------------------------------------------------------------------------- */

static void handles_are_taken_by_their_names(void **state)
{
	(void)state;
	open_all();
	run_activated(take_each_by_its_name, "3", "web:log:");
	run_activated(what_is_not_taken_is_closed, "3", NULL);
	close_all();
}

static void only_sensible_variables_for_this_process_count(void **state)
{
	(void)state;
	csys_activation *given = NULL;
	assert_int_equal(csys_activation_open(&given), CSYS_ENOENT); /* there are none here */
	open_all();
	run_activated(variables_of_another_process_are_not_for_this_one, "3", NULL);
	run_activated(variables_that_make_no_sense_are_told, "3", NULL);
	close_all();
}

/* A listening socket as other code has it. */
static int foreign_listener(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(name.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void a_listener_of_other_code_is_adopted(void **state)
{
	(void)state;
	csys_listener *adopted = NULL;
	csys_socket *client, *server;
	place_make();
	int fd = foreign_listener(place_path("x"));
	assert_int_equal(csys_listener_adopt_take(fd, NULL, &adopted), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(csys_listener_try_accept(adopted, &server), CSYS_EAGAIN);
	assert_int_equal(csys_socket_connect(place_address("x"), NULL, &client), 0);
	assert_int_equal(csys_listener_accept(adopted, &server), 0);
	csys_listener_close(adopted);
	assert_int_equal(unlink(place_path("x")), 0); /* its path stays */

	adopted = NULL;
	assert_int_equal(csys_listener_adopt_take(csys_socket_handle(client), NULL, &adopted),
			 CSYS_EBADMSG);
	assert_int_equal(csys_listener_adopt_take(4000, NULL, &adopted), CSYS_EBADF);
	assert_null(adopted);
	csys_socket_close(client);
	csys_socket_close(server);
	place_drop();
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(take_each_by_its_name),
		PART(what_is_not_taken_is_closed),
		PART(variables_of_another_process_are_not_for_this_one),
		PART(variables_that_make_no_sense_are_told),
	};
	const struct CMUnitTest tests[] = {
		TEST(handles_are_taken_by_their_names),
		TEST(only_sensible_variables_for_this_process_count),
		TEST(a_listener_of_other_code_is_adopted),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	return RUN(tests);
}
