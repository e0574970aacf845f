/*
 * ipc/test_listener.c - promises of csys/ipc/listener.h: places that others connect to.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/place.h"

static csys_listener *listening(const csys_address *address)
{
	csys_listener *listener = NULL;
	assert_int_equal(csys_listener_bind(address, NULL, &listener), 0);
	return listener;
}

/* Whether one can connect. */
static int answers(const csys_address *address, csys_listener *listener)
{
	csys_socket *client, *server;
	if (csys_socket_connect(address, NULL, &client) < 0)
		return 0;
	assert_int_equal(csys_listener_accept(listener, &server), 0);
	csys_socket_close(client);
	csys_socket_close(server);
	return 1;
}

/* Listen as a program does that knows no lock files; a backlog of 0 has room for one. */
static int foreign_listener(const char *path, int type, int backlog)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);
	memcpy(name.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* ---- another process, which listens until it is killed ------------------------------- */

#define PATH_VARIABLE "CSYS_TEST_SOCKET"

static csys_address served;

static void serve(void)
{
	csys_listener *listener;
	CHECK(csys_address_path(getenv(PATH_VARIABLE), &served) == 0);
	int r = csys_listener_bind(&served, NULL, &listener);
	printf("%s\n", csys_result_name(r));
	fflush(stdout);
	while (r == 0)
		pause();
}

static csys_child *spawn_server(const char *path, int result)
{
	char line[64];
	csys_command *command = part_command(serve);
	csys_command_env(command, PATH_VARIABLE, path);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *server = spawned(command);
	read_line(csys_child_stream(server, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, csys_result_name(result));
	return server;
}

static void end_server(csys_child *server)
{
	assert_int_equal(csys_child_kill(server), 0);
	finished(server);
}

/* ---- binding ------------------------------------------------------------------------- */

static void a_path_is_made_for_this_user_and_removed_at_the_end(void **state)
{
	(void)state;
	struct stat about;
	static csys_address told;
	place_make();
	const csys_address *address = place_address("x");
	mode_t before = umask(0);
	csys_listener *listener = listening(address);
	umask(before);
	assert_int_equal(stat(place_path("x"), &about), 0);
	assert_true(S_ISSOCK(about.st_mode));
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(csys_listener_local_address(listener, &told), 0);
	assert_true(csys_address_equal(&told, address));
	assert_true(answers(address, listener));
	assert_int_equal(fcntl((int)csys_listener_handle(listener), F_GETFD), FD_CLOEXEC);
	assert_true(csys_listener_handle(listener) > 2);
	csys_listener_close(listener);
	place_drop();
}

static void the_mode_is_the_one_asked_for_whatever_the_umask_is(void **state)
{
	(void)state;
	struct stat about;
	const csys_listener_options options = { .mode = 0666 };
	csys_listener *listener;
	place_make();
	mode_t before = umask(077);
	assert_int_equal(csys_listener_bind(place_address("x"), &options, &listener), 0);
	umask(before);
	assert_int_equal(stat(place_path("x"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0666);
	csys_listener_close(listener);
	place_drop();
}

static void arguments_are_checked(void **state)
{
	(void)state;
	csys_listener *listener = NULL;
	csys_socket *socket = NULL;
	static const csys_address unnamed;
	const csys_listener_options wrong[] = { { .kind = CSYS_SOCKET_DATAGRAM },
						{ .kind = -1 },
						{ .mode = -1 },
						{ .mode = 01000 },
						{ .backlog = -1 } };
	place_make();
	const csys_address *address = place_address("x");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(csys_listener_bind(address, &wrong[i], &listener), CSYS_EINVAL);
	assert_int_equal(csys_listener_bind(&unnamed, NULL, &listener), CSYS_EINVAL);
	assert_int_equal(csys_listener_bind(NULL, NULL, &listener), CSYS_EINVAL);
	assert_int_equal(csys_listener_bind(address, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_listener_bind(place_address("no/x"), NULL, &listener), CSYS_ENOENT);
	assert_int_equal(csys_listener_bind(place_address("x/"), NULL, &listener), CSYS_EISDIR);
	assert_int_equal(csys_listener_accept(NULL, &socket), CSYS_EINVAL);
	assert_int_equal(csys_listener_adopt_take(3, NULL, NULL), CSYS_EINVAL);
	assert_true(csys_listener_handle(NULL) == CSYS_NO_HANDLE);
	csys_listener_close(NULL);
	assert_null(listener);
	place_drop();
}

/* ---- files that are left over, and files that are not -------------------------------- */

static void a_file_that_a_killed_process_left_is_replaced(void **state)
{
	(void)state;
	place_make();
	const char *path = place_path("x");
	const csys_address *address = place_address("x");
	for (int i = 0; i < 2; i++) {
		end_server(spawn_server(path, 0));
		assert_int_equal(place_files(), 2); /* the socket and the lock */
	}
	csys_listener *listener = listening(address);
	assert_true(answers(address, listener));
	csys_listener_close(listener);
	place_drop();
}

static void a_live_socket_is_never_replaced(void **state)
{
	(void)state;
	csys_socket *waiting = NULL;
	csys_listener *listener = NULL;
	place_make();
	const csys_address *address = place_address("x");
	csys_child *server = spawn_server(place_path("x"), 0);
	assert_int_equal(csys_listener_bind(address, NULL, &listener), CSYS_EADDRINUSE);
	assert_int_equal(csys_datagram_bind(address, NULL, &waiting), CSYS_EADDRINUSE);
	finished(spawn_server(place_path("x"), CSYS_EADDRINUSE));
	assert_null(listener);
	assert_int_equal(csys_socket_connect(address, NULL, &waiting), 0); /* it is as it was */
	csys_socket_close(waiting);
	end_server(server);
	csys_listener_close(listening(address));
	place_drop();
}

static void a_live_socket_of_another_program_is_never_replaced(void **state)
{
	(void)state;
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	csys_listener *listener = NULL;
	place_make();
	const char *path = place_path("x");
	for (int i = 0; i < 3; i++) {
		if (types[i] == SOCK_SEQPACKET && !csys_can(CSYS_CAN_SOCKET_SEQPACKET))
			continue;
		int fd = foreign_listener(path, types[i], types[i] == SOCK_DGRAM ? -1 : 5);
		assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener),
				 CSYS_EADDRINUSE);
		assert_int_equal(place_files(), 1); /* and no lock */
		close(fd);
		csys_listener_close(listening(place_address("x")));
		assert_int_equal(place_files(), 0);
	}
	place_drop();
}

static void a_live_socket_whose_queue_is_full_is_never_replaced(void **state)
{
	(void)state;
	csys_socket *clients[8];
	csys_listener *listener = NULL;
	int count = 0;
	place_make();
	const csys_address *address = place_address("x");
	int fd = foreign_listener(place_path("x"), SOCK_STREAM, 0);
	while (csys_socket_connect_until(address, NULL, CSYS_POLL, &clients[count]) == 0)
		count++;
	assert_int_equal(csys_listener_bind(address, NULL, &listener), CSYS_EADDRINUSE);
	while (count > 0)
		csys_socket_close(clients[--count]);
	close(fd);
	assert_int_equal(unlink(place_path("x")), 0);
	place_drop();
}

static void what_is_no_socket_is_kept(void **state)
{
	(void)state;
	csys_listener *listener = NULL;
	place_make();
	const char *path = place_path("x");
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), CSYS_EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), CSYS_EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	place_drop();
}

static void the_file_of_a_successor_is_kept(void **state)
{
	(void)state;
	place_make();
	const csys_address *address = place_address("x");
	csys_listener *listener = listening(address);
	assert_int_equal(unlink(place_path("x")), 0);
	int fd = foreign_listener(place_path("x"), SOCK_STREAM, 5);
	csys_listener_close(listener);
	assert_int_equal(place_files(), 1);
	csys_socket *client;
	assert_int_equal(csys_socket_connect(address, NULL, &client), 0);
	csys_socket_close(client);
	close(fd);
	assert_int_equal(unlink(place_path("x")), 0);
	place_drop();
}

static void the_directory_is_the_one_that_it_was(void **state)
{
	(void)state;
	char before[1024];
	csys_address address;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(place_make()), 0);
	assert_int_equal(csys_address_path("x", &address), 0);
	csys_listener *listener = listening(&address);
	assert_int_equal(chdir(before), 0);
	csys_listener_close(listener);
	place_drop();
}

static void of_many_processes_one_gets_the_path(void **state)
{
	(void)state;
	csys_child *servers[8];
	int won = 0;
	place_make();
	end_server(spawn_server(place_path("x"), 0)); /* it leaves a file to fight for */
	for (int i = 0; i < 8; i++) {
		csys_command *command = part_command(serve);
		csys_command_env(command, PATH_VARIABLE, place_path("x"));
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		servers[i] = spawned(command);
	}
	for (int i = 0; i < 8; i++) {
		char line[64];
		read_line(csys_child_stream(servers[i], CSYS_STDOUT), line, sizeof line);
		won += strcmp(line, "0") == 0;
		if (strcmp(line, "0") != 0)
			assert_string_equal(line, "CSYS_EADDRINUSE");
	}
	assert_int_equal(won, 1);
	for (int i = 0; i < 8; i++)
		end_server(servers[i]);
	csys_listener_close(listening(place_address("x")));
	place_drop();
}

/* ---- forks --------------------------------------------------------------------------- */

static csys_listener *inherited;

static void close_it(void)
{
	csys_listener_close(inherited);
}

static void a_forked_child_does_not_remove_the_file(void **state)
{
	(void)state;
	csys_listener *second = NULL;
	place_make();
	const csys_address *address = place_address("x");
	inherited = listening(address);
	in_child(close_it);
	assert_int_equal(place_files(), 2);
	assert_int_equal(csys_listener_bind(address, NULL, &second), CSYS_EADDRINUSE);
	assert_true(answers(address, inherited));
	csys_listener_close(inherited);
	place_drop();
}

/* ---- accepting ----------------------------------------------------------------------- */

static void a_wait_for_a_connection_ends_at_the_deadline_also_among_signals(void **state)
{
	(void)state;
	csys_socket *server = NULL;
	place_make();
	csys_listener *listener = listening(place_address("x"));
	assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EAGAIN);
	for (int i = 0; i < 2; i++) {
		if (i > 0)
			storm_start();
		int64_t begin = csys_now();
		assert_int_equal(csys_listener_accept_until(listener, csys_after_ms(3), &server),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() - begin >= 3000000);
	}
	assert_true(storm_stop() > 0);
	csys_poll_item item = { .waitable = csys_listener_waitable(listener) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_socket *client;
	assert_int_equal(csys_socket_connect(place_address("x"), NULL, &client), 0);
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), 1);
	assert_null(server);
	assert_int_equal(csys_listener_try_accept(listener, &server), 0);
	csys_socket_close(server);
	csys_socket_close(client);
	csys_listener_close(listener);
	place_drop();
}

static void *connect_later(void *address)
{
	csys_socket *client;
	assert_int_equal(csys_socket_connect(address, NULL, &client), 0);
	return client;
}

static void a_connection_is_waited_for(void **state)
{
	(void)state;
	place_make();
	csys_address address = *place_address("x");
	csys_listener *listener = listening(&address);
	for (int i = 0; i < 20; i++) {
		csys_thread *thread;
		csys_socket *server;
		void *client;
		storm_start();
		assert_int_equal(csys_thread_spawn(connect_later, &address, NULL, &thread), 0);
		assert_int_equal(csys_listener_accept(listener, &server), 0);
		storm_stop();
		assert_int_equal(csys_thread_join(thread, &client), 0);
		csys_thread_unref(thread);
		csys_socket_close(server);
		csys_socket_close(client);
	}
	csys_listener_close(listener);
	place_drop();
}

static void a_process_without_handles_keeps_the_connection(void)
{
	csys_socket *client, *server = NULL;
	struct rlimit limit, none;
	place_make();
	csys_listener *listener = listening(place_address("x"));
	assert_int_equal(csys_socket_connect(place_address("x"), NULL, &client), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EMFILE);
	assert_int_equal(csys_listener_accept(listener, &server), CSYS_EMFILE);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(csys_listener_accept(listener, &server), 0);
	csys_socket_close(server);
	/* And without a connection it is the deadline that is told. */
	setrlimit(RLIMIT_NOFILE, &none);
	assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EAGAIN);
	assert_int_equal(csys_listener_accept_until(listener, csys_after_us(100), &server),
			 CSYS_ETIMEDOUT);
	setrlimit(RLIMIT_NOFILE, &limit);
	csys_socket_close(client);
	csys_listener_close(listener);
	place_drop();
}

static void without_handles_a_connection_is_kept(void **state)
{
	(void)state;
	in_process(a_process_without_handles_keeps_the_connection);
}

static void connections_that_have_ended_are_accepted_or_passed_over(void **state)
{
	(void)state;
	csys_socket *client, *server;
	place_make();
	csys_listener *listener = listening(place_address("x"));
	for (int i = 0; i < 4; i++) {
		assert_int_equal(csys_socket_connect(place_address("x"), NULL, &client), 0);
		csys_socket_close(client);
	}
	while (csys_listener_try_accept(listener, &server) == 0)
		csys_socket_close(server);
	assert_true(answers(place_address("x"), listener));
	csys_listener_close(listener);
	place_drop();
}

/* ---- faults -------------------------------------------------------------------------- */

static void whatever_fails_leaves_nothing(void **state)
{
	(void)state;
	place_make();
	for (int nth = 1;; nth++) {
		csys_listener *listener = NULL;
		csysi_fault_arm(nth);
		int r = csys_listener_bind(place_address("x"), NULL, &listener);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true((r == 0) == (listener != NULL));
		csys_listener_close(listener);
		assert_int_equal(place_files(), 0);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 8);
			break;
		}
		assert_true(r < 0);
	}
	place_drop();
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(serve),
		PART(a_process_without_handles_keeps_the_connection),
	};
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_made_for_this_user_and_removed_at_the_end),
		TEST(the_mode_is_the_one_asked_for_whatever_the_umask_is),
		TEST(arguments_are_checked),
		TEST(a_file_that_a_killed_process_left_is_replaced),
		TEST(a_live_socket_is_never_replaced),
		TEST(a_live_socket_of_another_program_is_never_replaced),
		TEST(a_live_socket_whose_queue_is_full_is_never_replaced),
		TEST(what_is_no_socket_is_kept),
		TEST(the_file_of_a_successor_is_kept),
		TEST(the_directory_is_the_one_that_it_was),
		TEST(of_many_processes_one_gets_the_path),
		TEST(a_forked_child_does_not_remove_the_file),
		TEST(a_wait_for_a_connection_ends_at_the_deadline_also_among_signals),
		TEST(a_connection_is_waited_for),
		TEST(without_handles_a_connection_is_kept),
		TEST(connections_that_have_ended_are_accepted_or_passed_over),
		TEST(whatever_fails_leaves_nothing),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	return RUN(tests);
}
