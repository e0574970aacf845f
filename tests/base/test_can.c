/*
 * base/test_can.c - promises of csys/base/can.h: what it says is what is tried.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

/* A spawn is refused at this step exactly if the system cannot do what was asked. */
static void assert_fits(csys_command *command, int capability, int step)
{
	csys_child *child = NULL;
	int r = csys_command_spawn(command, &child);
	int refused = r == CSYS_ENOTSUP;
	assert_int_equal(refused, !csys_can(capability));
	if (refused)
		assert_int_equal(csys_spawn_failed_step(), step);
	if (r == 0)
		finished(child);
	csys_command_free(command);
}

static int fine(void *argument)
{
	(void)argument;
	return 0;
}

static void a_setting_is_refused_exactly_where_it_cannot_be_had(void **state)
{
	(void)state;
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_chroot(command, "/");
	assert_fits(command, CSYS_CAN_ROOT, CSYS_STEP_ROOT);
	command = helper_command("exit", "0", NULL);
	csys_command_umask(command, 022);
	assert_fits(command, CSYS_CAN_UMASK, CSYS_STEP_NONE);
	command = helper_command("exit", "0", NULL);
	csys_command_pre_exec(command, fine, NULL);
	assert_fits(command, CSYS_CAN_PRE_EXEC, CSYS_STEP_HOOK);
	command = helper_command("exit", "0", NULL);
	csys_command_die_with_parent(command, 15);
	assert_fits(command, CSYS_CAN_DIE_WITH_PARENT, CSYS_STEP_PARENT);
	command = helper_command("exit", "0", NULL);
	csys_command_process_group(command, 0);
	assert_fits(command, CSYS_CAN_GROUPS, CSYS_STEP_SESSION);
	command = helper_command("exit", "0", NULL);
	csys_command_no_new_privileges(command);
	assert_fits(command, CSYS_CAN_NO_NEW_PRIVILEGES, CSYS_STEP_USER);
	const unsigned cpus[] = { 0, 1, 2, 3 };
	command = helper_command("exit", "0", NULL);
	csys_command_affinity(command, cpus, 4);
	assert_fits(command, CSYS_CAN_AFFINITY, CSYS_STEP_SCHEDULING);
	command = helper_command("exit", "0", NULL);
	csys_command_uid(command, (uint32_t)getuid());
	assert_fits(command, CSYS_CAN_USER, CSYS_STEP_USER);
}

static void what_is_refused_was_not_begun(void **state)
{
	(void)state;
	if (csys_can(CSYS_CAN_AFFINITY))
		skip_because("this system has all that is asked for here");
	/* Not even the file for a stream was made. */
	char path[64];
	const unsigned cpu = 0;
	csys_child *child = NULL;
	snprintf(path, sizeof path, "csys-can-%ld", (long)getpid());
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_affinity(command, &cpu, 1);
	csys_command_stdio_file(command, CSYS_STDOUT, path, CSYS_FILE_NEW);
	assert_int_equal(csys_command_spawn(command, &child), CSYS_ENOTSUP);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_SCHEDULING);
	assert_int_not_equal(access(path, F_OK), 0);
	csys_command_free(command);
}

static void a_limit_is_refused_exactly_where_it_cannot_be_had(void **state)
{
	(void)state;
	for (int resource = CSYS_LIMIT_CORE; resource <= CSYS_LIMIT_LOCKED_MEMORY; resource++) {
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_limit(command, (enum csys_limit_resource)resource, (uint64_t)1 << 34,
				   (uint64_t)1 << 34);
		assert_fits(command, CSYS_CAN_LIMIT + resource, CSYS_STEP_LIMIT);
	}
	assert_int_equal(csys_can(CSYS_CAN_LIMIT + CSYS_LIMIT_LOCKED_MEMORY + 1), 0);
}

static void a_call_is_refused_exactly_where_it_cannot_be_had(void **state)
{
	(void)state;
	csys_table *table;
	int r = csys_table_open(0, &table);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_TABLE));
	if (r == 0)
		csys_table_close(table);

	struct ends pipe = opened_ends();
	size_t capacity;
	int flag;
	r = csys_pipe_capacity(pipe.reader, &capacity);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_PIPE_RESIZE));
	r = csys_stream_nonblocking(pipe.reader, &flag);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_NONBLOCKING));
	close_ends(pipe);

	csys_pty *pty = NULL;
	r = csys_pty_open(24, 80, &pty);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_PTY));
	csys_pty_close(r == 0 ? pty : NULL);
}

static void a_child_is_as_the_system_can(void **state)
{
	(void)state;
	csys_usage usage;
	csys_exit end;
	csys_child *child = spawned(helper_command("wait", NULL));
	if (csys_can(CSYS_CAN_PROCESS_HANDLE))
		assert_int_not_equal(csys_child_handle(child), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_signal(child, 0) != CSYS_ENOTSUP, csys_can(CSYS_CAN_SIGNALS));
	assert_int_equal(csys_child_suspend(child) != CSYS_ENOTSUP, csys_can(CSYS_CAN_SUSPEND));
	assert_int_equal(csys_child_resume(child) != CSYS_ENOTSUP, csys_can(CSYS_CAN_SUSPEND));
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_child_wait(child, &end), 0);
	int r = csys_child_usage(child, &usage);
	if (csys_can(CSYS_CAN_USAGE))
		assert_int_equal(r, 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	int level = 0;
	csys_command *command = helper_command("wait", NULL);
	csys_command_contain(command);
	child = spawned(command);
	assert_int_equal(csys_child_kill_tree(child, &level), 0);
	if (csys_can(CSYS_CAN_TABLE))
		assert_int_equal(level > CSYS_TREE_WALK, csys_can(CSYS_CAN_CONTAIN));
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void a_child_is_asked_to_end_exactly_where_it_can_be(void **state)
{
	(void)state;
	csys_exit end;
	csys_child *child = spawned(helper_command("wait", NULL));
	assert_int_equal(csys_child_terminate_until(child, csys_after_s(60), &end), 0);
	/* Where nothing can be asked, the end is a kill at the end of the grace. */
	assert_int_equal(csys_exit_signal(end) == SIGTERM, csys_can(CSYS_CAN_ASK_TO_END));
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

/* Ends as the program that it becomes, or says why it did not. */
static void become_a_program(void)
{
	csys_command *command = helper_command("exit", "9", NULL);
	int r = csys_command_exec(command);
	csys_command_free(command);
	_exit(r == CSYS_ENOTSUP ? 8 : 7);
}

static void a_process_becomes_a_program_exactly_where_it_can(void **state)
{
	(void)state;
	csys_exit end = end_in_process(become_a_program);
	assert_int_equal(end.how, CSYS_EXIT_CODE);
	assert_int_equal(end.value, csys_can(CSYS_CAN_EXEC) ? 9 : 8);
}

static void *tell_number(void *number)
{
	return csys_thread_current_os_id(number) == CSYS_ENOTSUP ? number : NULL;
}

static void a_thread_is_as_the_system_can(void **state)
{
	(void)state;
	int64_t number = 0;
	void *refused = NULL;
	const csys_thread_options nice = { .priority = { CSYS_PRIORITY_NICE, 19 } };
	const unsigned cpus[] = { 0, 1, 2, 3 };
	const csys_thread_options affine = { .cpus = cpus, .cpu_count = 4 };
	csys_thread *thread = NULL;
	assert_int_equal(csys_thread_spawn(tell_number, &number, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, &refused), 0);
	csys_thread_unref(thread);
	assert_int_equal(refused == NULL, csys_can(CSYS_CAN_THREAD_ID));
	assert_int_equal(number != 0, csys_can(CSYS_CAN_THREAD_ID));

	int r = csys_thread_spawn(tell_number, &number, &nice, &thread);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_THREAD_NICE));
	if (r == 0)
		assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(r == 0 ? thread : NULL);
	r = csys_thread_spawn(tell_number, &number, &affine, &thread);
	assert_int_equal(r == CSYS_ENOTSUP, !csys_can(CSYS_CAN_AFFINITY));
	if (r == 0)
		assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(r == 0 ? thread : NULL);
}

static void a_shared_sleep_lasts_exactly_where_a_wake_would_reach_it(void **state)
{
	(void)state;
	csys_atomic_u32 word = CSYS_ATOMIC_INIT(0);
	int lasted = 0;
	/* A sleep may end without a cause, but not each time.  Where no wake comes it has to. */
	for (int i = 0; i < 3 && !lasted; i++)
		lasted = csys_atomic_wait_shared_until(&word, 0, csys_after_ms(200)) ==
			 CSYS_ETIMEDOUT;
	assert_int_equal(lasted, csys_can(CSYS_CAN_SHARED_WAKE));
}

static void what_is_not_known_is_0(void **state)
{
	(void)state;
	const int none[] = { INT_MIN, -1, 0, 128, 255, 300, INT_MAX };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(csys_can(none[i]), 0);
}

static void asking_is_no_failure(void **state)
{
	(void)state;
	csys_handle copy;
	assert_true(csys_handle_dup(CSYS_NO_HANDLE, &copy) < 0);
	int before = csys_os_error();
	for (int i = 0; i < 300; i++)
		assert_in_range(csys_can(i), 0, 1);
	assert_int_equal(csys_os_error(), before);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(become_a_program) };
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_setting_is_refused_exactly_where_it_cannot_be_had),
		TEST(what_is_refused_was_not_begun),
		TEST(a_limit_is_refused_exactly_where_it_cannot_be_had),
		TEST(a_call_is_refused_exactly_where_it_cannot_be_had),
		TEST(a_child_is_as_the_system_can),
		TEST(a_child_is_asked_to_end_exactly_where_it_can_be),
		TEST(a_process_becomes_a_program_exactly_where_it_can),
		TEST(a_thread_is_as_the_system_can),
		TEST(a_shared_sleep_lasts_exactly_where_a_wake_would_reach_it),
		TEST(what_is_not_known_is_0),
		TEST(asking_is_no_failure),
	};
	return RUN(tests);
}
