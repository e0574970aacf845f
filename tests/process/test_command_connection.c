/*
 * process/test_command_connection.c - promises of csys/process/command_connection.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/connection.h"

enum { NUMBER = 7 };

/* ---- in children ---------------------------------------------------------------------------- */

static csys_connection *of_parent(void)
{
	csys_connection *connection = NULL;

	assert_int_equal(csys_connection_from_parent(NULL, &connection), 0);
	assert_int_equal(csys_connection_handle(connection), NUMBER);
	assert_true((fcntl(NUMBER, F_GETFD) & FD_CLOEXEC) != 0);
	return connection;
}

static void answer(void)
{
	csys_connection *connection = of_parent();
	csys_connection *again = NULL;

	/* Once. */
	assert_int_equal(csys_connection_from_parent(NULL, &again), CSYS_ENOENT);
	assert_null(again);
	hear_from(connection, "before the spawn");
	say_to(connection, "from the child");
	hear_from(connection, "after it");
	csys_connection_close(connection);
}

static void find_nothing(void)
{
	csys_connection *connection = NULL;

	assert_int_equal(csys_connection_from_parent(NULL, &connection), CSYS_ENOENT);
	assert_null(connection);
}

static void find_nonsense(void)
{
	csys_connection *connection = NULL;

	assert_int_equal(csys_connection_from_parent(NULL, &connection), CSYS_EBADMSG);
	assert_null(connection);
}

/* A child that inherits the variable, and another socket at the number. */
static void start_another(void)
{
	csys_connection *connection = of_parent();
	csys_socket *a, *b;
	csys_command *command = part_command(find_nothing);

	csys_child *child = spawned(command);
	assert_true(csys_exit_success(finished(child)));
	assert_int_equal(csys_socket_pair(NULL, &a, &b), 0);
	assert_int_equal(csys_socket_send_all(b, "12345678901234567890123456789012345", 35, NULL),
			 0);
	command = part_command(find_nothing);
	csys_command_map(command, csys_socket_handle(a), NUMBER);
	assert_true(csys_exit_success(finished(spawned(command))));
	/* Nothing was taken of it. */
	char bytes[40];
	size_t size;
	assert_int_equal(csys_socket_recv(a, bytes, sizeof bytes, &size), 0);
	assert_int_equal(size, 35);
	csys_socket_close(a);
	csys_socket_close(b);
	csys_connection_close(connection);
}

static void fail_at_first(void)
{
	csys_connection *connection = NULL;
	const csys_connection_options large = { .most = CSYS_CONNECTION_MOST + 1 };

	assert_int_equal(csys_connection_from_parent(&large, &connection), CSYS_EINVAL);
	assert_int_equal(csys_connection_from_parent(NULL, NULL), CSYS_EINVAL);
	for (int nth = 1; !connection; nth++) {
		csysi_fault_arm(nth);
		int r = csys_connection_from_parent(NULL, &connection);
		csysi_fault_arm(0);
		assert_true(r <= 0);
	}
	say_to(connection, "at last");
	csys_connection_close(connection);
}

static void stay_until_the_end(void)
{
	csys_connection *connection = of_parent();
	csys_parcel *parcel;

	say_to(connection, "here");
	assert_int_equal(csys_connection_recv(connection, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(connection);
}

/* ---- the parent --------------------------------------------------------------------------- */

static csys_command *connected(void (*function)(void))
{
	csys_command *command = part_command(function);

	assert_int_equal(csys_command_connection(command, NUMBER, NULL, &near_side), 0);
	return command;
}

static void end_well(csys_child *child)
{
	assert_true(csys_exit_success(finished(child)));
}

static void a_child_finds_its_connection_once(void **state)
{
	(void)state;
	csys_parcel *parcel;
	csys_command *command = connected(answer);
	say_to(near_side, "before the spawn");
	csys_child *child = spawned(command);
	hear_from(near_side, "from the child");
	say_to(near_side, "after it");
	end_well(child);
	assert_int_equal(csys_connection_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
}

static void both_sides_are_told_of_the_end_of_the_other(void **state)
{
	(void)state;
	csys_parcel *parcel;
	csys_child *child = spawned(connected(stay_until_the_end));
	hear_from(near_side, "here");
	csys_connection_close(near_side);
	end_well(child);
	child = spawned(connected(stay_until_the_end));
	hear_from(near_side, "here");
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_connection_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	(void)finished(child);
	csys_connection_close(near_side);
}

static void a_command_that_is_not_started_is_told_too(void **state)
{
	(void)state;
	csys_parcel *parcel;
	csys_command *command = connected(answer);
	csys_command_free(command);
	assert_int_equal(csys_connection_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
}

static void a_child_of_the_child_does_not_take_it_for_its_own(void **state)
{
	(void)state;
	end_well(spawned(connected(start_another)));
	csys_connection_close(near_side);
}

static void a_variable_of_no_meaning_is_told(void **state)
{
	(void)state;
	static const char *const wrong[] = { "",     "x",    "7",    "7:",    "7:x",
					     ":7",   "2:1",  "-7:1", "7:0",   "7:-1",
					     "7:1x", " 7:1", "7: 1", "7:1:1", "99999999999:1" };
	csys_connection *connection = NULL;
	if (!getenv("CSYS_CONNECTION"))
		assert_int_equal(csys_connection_from_parent(NULL, &connection), CSYS_ENOENT);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		csys_command *command = part_command(find_nonsense);
		csys_command_env(command, "CSYS_CONNECTION", wrong[i]);
		end_well(spawned(command));
	}
	csys_command *command = part_command(find_nothing);
	csys_command_env(command, "CSYS_CONNECTION", "9:1"); /* nothing is there */
	end_well(spawned(command));
}

static void a_failure_loses_nothing(void **state)
{
	(void)state;
	csys_child *child = spawned(connected(fail_at_first));
	hear_from(near_side, "at last");
	end_well(child);
	csys_connection_close(near_side);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	const csys_connection_options large = { .most = CSYS_CONNECTION_MOST + 1 };
	csys_connection *connection = NULL;
	csys_command *command = part_command(answer);
	assert_int_equal(csys_command_connection(command, 2, NULL, &connection), CSYS_EINVAL);
	assert_int_equal(csys_command_connection(command, NUMBER, &large, &connection),
			 CSYS_EINVAL);
	assert_int_equal(csys_command_connection(command, NUMBER, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_command_connection(NULL, NUMBER, NULL, &connection), CSYS_ENOMEM);
	int handles = open_handles();
	for (int nth = 1;; nth++) {
		csys_command *another = part_command(answer);
		csysi_fault_arm(nth);
		int r = csys_command_connection(another, NUMBER, NULL, &connection);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_command_free(another);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
		assert_null(connection);
		assert_int_equal(open_handles(), handles);
	}
	csys_connection_close(connection);
	csys_command_free(command);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(answer),        PART(find_nothing),  PART(find_nonsense),
		PART(start_another), PART(fail_at_first), PART(stay_until_the_end),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_child_finds_its_connection_once),
		TEST(both_sides_are_told_of_the_end_of_the_other),
		TEST(a_command_that_is_not_started_is_told_too),
		TEST(a_child_of_the_child_does_not_take_it_for_its_own),
		TEST(a_variable_of_no_meaning_is_told),
		TEST(a_failure_loses_nothing),
		TEST(what_makes_no_sense_is_refused),
	};
	return RUN(tests);
}
