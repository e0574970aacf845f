/*
 * base/test_auto.c - promises of csys/base/auto.h, for each type that has an owner.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

/* Handles and children are counted here; memory is by memcheck and AddressSanitizer. */

static int leave_early(int how)
{
	CSYS_AUTO(csys_command) command = csys_command_build(helper(), "exit", "0", NULL);
	CSYS_AUTO(csys_child) child = NULL;
	if (how == 0)
		return 0;
	assert_int_equal(csys_command_spawn(command, &child), 0);
	if (how == 1)
		return csys_child_wait(child, NULL);
	CSYS_AUTO_VALUE(csys_handle) reader = CSYS_NO_HANDLE;
	CSYS_AUTO_VALUE(csys_handle) writer = CSYS_NO_HANDLE;
	for (;;) {
		CSYS_AUTO_VALUE(csys_handle) copy = CSYS_NO_HANDLE;
		assert_int_equal(csys_pipe_create(&reader, &writer), 0);
		assert_int_equal(csys_handle_dup(reader, &copy), 0);
		break;
	}
	return csys_child_wait(child, NULL);
}

static void however_the_block_is_left_its_objects_are_released(void **state)
{
	(void)state;
	int handles = open_handles();
	for (int how = 0; how < 3; how++) {
		assert_int_equal(leave_early(how), 0);
		assert_int_equal(open_handles(), handles);
		assert_false(has_children());
	}
}

static void a_child_that_runs_is_detached(void **state)
{
	(void)state;
	int64_t pid;
	{
		CSYS_AUTO(csys_child) child = spawned(helper_command("stay", NULL));
		pid = csys_child_pid(child);
	}
	assert_int_equal(kill((pid_t)pid, 0), 0);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0)
		finished(spawned(helper_command("exit", "0", NULL)));
}

static void a_pipeline_that_runs_is_detached(void **state)
{
	(void)state;
	csys_command *command = helper_command("stay", NULL);
	csys_command *stages[] = { command };
	int64_t pid;
	{
		CSYS_AUTO(csys_pipeline) pipeline = NULL;
		assert_int_equal(csys_pipeline_spawn(stages, 1, &pipeline), 0);
		pid = csys_child_pid(csys_pipeline_child(pipeline, 0));
	}
	csys_command_free(command);
	assert_int_equal(kill((pid_t)pid, 0), 0);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0)
		finished(spawned(helper_command("exit", "0", NULL)));
}

static void *return_it(void *argument)
{
	return argument;
}

static void a_thread_keeps_its_other_references(void **state)
{
	(void)state;
	int number = 5;
	void *result;
	csys_thread *other;
	{
		CSYS_AUTO(csys_thread) thread = NULL;
		assert_int_equal(csys_thread_spawn(return_it, &number, NULL, &thread), 0);
		other = csys_thread_ref(thread);
	}
	assert_int_equal(csys_thread_join(other, &result), 0);
	assert_ptr_equal(result, &number);
	csys_thread_unref(other);
}

static void what_is_handed_over_is_not_released(void **state)
{
	(void)state;
	csys_child *kept;
	{
		CSYS_AUTO(csys_child) child = spawned(helper_command("exit", "5", NULL));
		kept = child;
		child = NULL;
	}
	assert_int_equal(csys_exit_code(finished(kept)), 5);
}

static int ignore(void *context, const csys_line *line)
{
	(void)context;
	(void)line;
	return 0;
}

static void *do_nothing(void *argument)
{
	return argument;
}

static void each_type_is_released(void **state)
{
	(void)state;
	const int numbers[] = { SIGUSR1 };
	int handles = open_handles();
	const csys_message_queue_options small = { .max_messages = 1, .max_size = 1 };
	csys_exit end;
	char name[32];
	csys_address address;
	assert_int_equal(csys_address_abstract("csys-test-auto", 14, &address), 0);
	{
		CSYS_AUTO(csys_frame_reader) frame_reader = NULL;
		CSYS_AUTO(csys_frame_writer) frame_writer = NULL;
		CSYS_AUTO(csys_lines) lines = NULL;
		CSYS_AUTO(csys_signals) signals = NULL;
		CSYS_AUTO(csys_process) process = NULL;
		CSYS_AUTO(csys_table) table = NULL;
		CSYS_AUTO(csys_pipeline) pipeline = NULL;
		CSYS_AUTO(csys_pty) pty = NULL;
		CSYS_AUTO(csys_names) names = NULL;
		CSYS_AUTO(csys_shm) shm = NULL;
		CSYS_AUTO(csys_map) map = NULL;
		CSYS_AUTO(csys_message_queue) queue = NULL;
		CSYS_AUTO(csys_file_lock) file_lock = NULL;
		CSYS_AUTO(csys_lock_file) lock_file = NULL;
		CSYS_AUTO(csys_named_semaphore) semaphore = NULL;
		CSYS_AUTO(csys_thread) thread = NULL;
		CSYS_AUTO(csys_sender) sender = NULL;
		CSYS_AUTO(csys_receiver) receiver = NULL;
		CSYS_AUTO(csys_weak_sender) weak_sender = NULL;
		CSYS_AUTO(csys_wait_set) wait_set = NULL;
		CSYS_AUTO(csys_socket) socket = NULL;
		CSYS_AUTO(csys_socket) peer = NULL;
		CSYS_AUTO(csys_listener) listener = NULL;
		CSYS_AUTO(csys_activation) activation = NULL;
		CSYS_AUTO(csys_command) command = csys_command_build(helper(), "say", "hi", NULL);
		CSYS_AUTO_VALUE(csys_output) output = { 0 };
		CSYS_AUTO_VALUE(csys_process_info) info = { 0 };
		CSYS_AUTO_VALUE(csys_tcp_endpoints) endpoints = { 0 };
		CSYS_AUTO_VALUE(csys_process_list) list = { 0 };
		csys_command *stages[] = { command };
		assert_int_equal(csys_frame_reader_open(csys_standard(0), NULL, &frame_reader), 0);
		assert_int_equal(csys_frame_writer_open(csys_standard(1), NULL, &frame_writer), 0);
		assert_int_equal(csys_lines_open(CSYS_NO_HANDLE, 0, &lines), 0);
		assert_int_equal(csys_lines_feed(lines, "x", 1, ignore, NULL), 0);
		assert_int_equal(csys_tcp_resolve("::1", 80, &endpoints), 0);
		assert_int_equal(csys_signals_open(numbers, 1, NULL, &signals), 0);
		assert_int_equal(csys_command_output(command, NULL, &output), 0);
		assert_int_equal(csys_pipeline_spawn(stages, 1, &pipeline), 0);
		assert_int_equal(csys_pipeline_wait(pipeline, &end), 0);
		assert_int_equal(csys_thread_spawn(do_nothing, NULL, NULL, &thread), 0);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		assert_int_equal(csys_channel_new(1, 1, NULL, &sender, &receiver), 0);
		assert_int_equal(csys_sender_send(sender, "x"), 0);
		assert_int_equal(csys_wait_set_open(&wait_set), 0);
		weak_sender = csys_sender_downgrade(sender);
		assert_int_equal(csys_socket_pair(NULL, &socket, &peer), 0);
		static const csys_file_lock_options created = { .create = 1 };
		/* Where there are such things. */
		int r = csys_listener_bind(&address, NULL, &listener);
		r = csys_activation_open(&activation);
		r = csys_process_open(getpid(), &process);
		r = csys_table_open(0, &table);
		r = csys_pty_open(24, 80, &pty);
		r = csys_names_open(CSYS_NAMES_GLOBAL, &names);
		r = csys_shm_create_anonymous(1, NULL, &shm);
		r = csys_map_open(helper(), NULL, &map);
		snprintf(name, sizeof name, "test-auto-%ld", (long)getpid());
		r = csys_message_queue_create(name, &small, &queue);
		r = csys_message_queue_unlink(name, NULL);
		/* Not the helper: what is open for writing cannot be executed meanwhile. */
		r = csys_file_lock_open(scratch_path("locked"), &created, &file_lock);
		r = csys_lock_file_open(scratch_path("lock"), NULL, &lock_file);
		r = csys_named_semaphore_open("none", NULL, &semaphore);
		r = csys_process_snapshot(getpid(), CSYS_PROCESS_ALL, &info);
		r = csys_table_tree(getpid(), CSYS_PROCESS_NAME, &list);
		(void)r;
	}
	assert_int_equal(open_handles(), handles);
	assert_false(has_children());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(however_the_block_is_left_its_objects_are_released),
		TEST(a_child_that_runs_is_detached),
		TEST(a_pipeline_that_runs_is_detached),
		TEST(a_thread_keeps_its_other_references),
		TEST(what_is_handed_over_is_not_released),
		TEST(each_type_is_released),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
