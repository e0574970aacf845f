/*
 * process/test_pipeline.c - promises of csys/process/pipeline.h.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

#define MIB ((size_t)1 << 20)
#define MOST 32

/* Stages that the test's end frees. */
static csys_command *stages[MOST];
static size_t stage_count;

static csys_command *stage(csys_command *command)
{
	assert_true(stage_count < MOST);
	assert_non_null(command);
	stages[stage_count++] = command;
	return command;
}

/* A stage that takes these steps of a script of the helper. */
static csys_command *script(const char *const *steps)
{
	csys_command *command = helper_command("script", NULL);
	csys_command_args(command, steps);
	return stage(command);
}
#define SCRIPT(...) script((const char *const[]){ __VA_ARGS__, NULL })

static void clear(void)
{
	while (stage_count > 0)
		csys_command_free(stages[--stage_count]);
}

static int output_of(const csys_output_options *options, csys_exit *exits, csys_output *output)
{
	int r = csys_pipeline_output(stages, stage_count, options, exits, output);
	clear();
	return r;
}

static csys_pipeline *started(void)
{
	csys_pipeline *pipeline = NULL;
	assert_int_equal(csys_pipeline_spawn(stages, stage_count, &pipeline), 0);
	assert_int_equal(csys_pipeline_count(pipeline), stage_count);
	clear();
	return pipeline;
}

static void assert_exit(csys_exit exit, int how, int value)
{
	assert_int_equal(exit.how, how);
	assert_int_equal(exit.value, value);
}

/* A pipeline of cats that reads from a pipe of ours, and holds its output. */
static csys_pipeline *waiting(size_t count, const char *verb)
{
	for (size_t i = 0; i < count; i++)
		stage(helper_command(verb, NULL));
	csys_command_stdio(stages[0], CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(stages[count - 1], CSYS_STDOUT, CSYS_STDIO_PIPE);
	return started();
}

static void each_stage_reads_what_the_one_before_wrote(void **state)
{
	(void)state;
	csys_output output;
	csys_exit exits[3];
	SCRIPT("out", "b\na\nc\n");
	SCRIPT("sort");
	SCRIPT("upper");
	assert_int_equal(output_of(NULL, exits, &output), 0);
	assert_true(csys_exit_success(output.exit));
	for (int i = 0; i < 3; i++)
		assert_exit(exits[i], CSYS_EXIT_CODE, 0);
	assert_string_equal(output.out.data, "A\nB\nC\n");
	assert_int_equal(output.err.size, 0);
	csys_output_free(&output);
}

static void one_stage_is_a_pipeline_too(void **state)
{
	(void)state;
	csys_output output;
	csys_exit exit;
	stage(helper_command("say", "out", "err", NULL));
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.out.data, "out");
	assert_string_equal(output.err.data, "err");
	csys_output_free(&output);

	stage(helper_command("exit", "5", NULL));
	assert_int_equal(csys_pipeline_run(stages, 1, NULL, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 5);
	clear();
}

static void much_flows_through_many_stages(void **state)
{
	(void)state;
	size_t size = 3 * MIB + 11;
	char *input = malloc(size);
	for (size_t i = 0; i < size; i++)
		input[i] = (char)(i * 7 + i / 1000);
	for (int i = 0; i < 20; i++)
		stage(helper_command("cat", NULL));
	csys_output_options options = { .input = input, .input_size = size };
	csys_output output;
	assert_int_equal(output_of(&options, NULL, &output), 0);
	assert_true(csys_exit_success(output.exit));
	assert_int_equal(output.out.size, size);
	assert_memory_equal(output.out.data, input, size);
	csys_output_free(&output);
	free(input);
}

static void stderr_of_all_stages_is_drained(void **state)
{
	(void)state;
	/* More than every pipe holds, at once with what flows through. */
	csys_output output;
	stage(helper_command("both", "1000000", NULL));
	SCRIPT("drain", "spew-err", "300000", "spew", "300000");
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_true(csys_exit_success(output.exit));
	assert_int_equal(output.out.size, 300000);
	assert_int_equal(output.err.size, 1300000);
	csys_output_free(&output);
}

static void stderr_comes_in_the_order_it_was_written(void **state)
{
	(void)state;
	csys_output output;
	SCRIPT("err", "one\n", "out", "x\n");
	SCRIPT("read", "err", "two\n", "echo");
	SCRIPT("read", "err", "three\n", "echo");
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.err.data, "one\ntwo\nthree\n");
	assert_string_equal(output.out.data, "x\n");
	csys_output_free(&output);
}

static void merged_stderr_goes_where_the_last_stdout_goes(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .merge_stderr = 1 };
	SCRIPT("err", "one\n", "out", "x\n");
	SCRIPT("read", "err", "two\n", "echo", "err", "three\n");
	assert_int_equal(output_of(&options, NULL, &output), 0);
	assert_string_equal(output.out.data, "one\ntwo\nx\nthree\n");
	assert_int_equal(output.err.size, 0);
	csys_output_free(&output);
}

static void stderr_can_go_into_the_pipe(void **state)
{
	(void)state;
	csys_output output;
	csys_command *loud = SCRIPT("err", "err\n", "out", "out\n");
	csys_command_stdio(loud, CSYS_STDERR, CSYS_STDIO_SAME_AS_STDOUT);
	SCRIPT("sort");
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.out.data, "err\nout\n");
	csys_output_free(&output);
}

static void the_ends_go_where_their_commands_say(void **state)
{
	(void)state;
	char path[] = "/tmp/csys-test-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, "b\na\n", 4), 4);
	close(file);
	csys_output output;
	csys_command_stdio_file(SCRIPT("sort"), CSYS_STDIN, path, CSYS_FILE_READ);
	csys_command_stdio_file(SCRIPT("upper"), CSYS_STDOUT, path, CSYS_FILE_APPEND);
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_int_equal(output.out.size, 0);
	csys_output_free(&output);

	csys_command_stdio_file(SCRIPT("copy"), CSYS_STDIN, path, CSYS_FILE_READ);
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.out.data, "b\na\nA\nB\n");
	csys_output_free(&output);
	unlink(path);
}

static void it_ends_as_its_last_stage_that_failed(void **state)
{
	(void)state;
	csys_exit exits[4];
	csys_output output;
	stage(helper_command("exit", "3", NULL));
	stage(helper_command("exit", "0", NULL));
	stage(helper_command("exit", "4", NULL));
	stage(helper_command("exit", "0", NULL));
	csys_exit exit;
	assert_int_equal(csys_pipeline_run(stages, 4, NULL, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 4);
	assert_int_equal(csys_pipeline_run(stages, 2, NULL, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 3);
	for (int i = 0; i < 4; i++)
		exits[i] = (csys_exit){ .how = 77 };
	assert_int_equal(csys_pipeline_run(stages, 4, exits, NULL), 0);
	const int ends[] = { 3, 0, 4, 0 };
	for (int i = 0; i < 4; i++)
		assert_exit(exits[i], CSYS_EXIT_CODE, ends[i]);
	assert_int_equal(csys_pipeline_run(stages + 3, 1, NULL, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 0);
	assert_int_equal(output_of(NULL, exits, &output), 0);
	assert_exit(output.exit, CSYS_EXIT_CODE, 4);
	const int codes[] = { 3, 0, 4, 0 };
	for (int i = 0; i < 4; i++)
		assert_exit(exits[i], CSYS_EXIT_CODE, codes[i]);
	csys_output_free(&output);
}

static void a_stage_that_nobody_reads_from_ends(void **state)
{
	(void)state;
	/* It would never end if anybody else held the other end of its pipe. */
	csys_exit exits[3];
	csys_output output;
	SCRIPT("repeat");
	stage(helper_command("cat", NULL));
	SCRIPT("read", "echo");
	assert_int_equal(output_of(NULL, exits, &output), 0);
	assert_string_equal(output.out.data, "y\n");
	assert_exit(exits[0], CSYS_EXIT_SIGNAL, SIGPIPE);
	assert_exit(exits[1], CSYS_EXIT_SIGNAL, SIGPIPE);
	assert_exit(exits[2], CSYS_EXIT_CODE, 0);
	assert_exit(output.exit, CSYS_EXIT_SIGNAL, SIGPIPE);
	csys_output_free(&output);
}

static void no_stage_holds_more_than_its_streams(void **state)
{
	(void)state;
	csys_output output, inherited;
	csys_command *inheriting = helper_command("handles", NULL);
	csys_command_inherit_handles(inheriting, 1);
	assert_int_equal(csys_command_output(inheriting, NULL, &inherited), 0);
	csys_command_free(inheriting);

	for (int i = 0; i < 4; i++)
		stage(helper_command("handles-cat", NULL));
	/* What is inherited is what is not close-on-exec: no pipe of csys. */
	csys_command_inherit_handles(stages[1], 1);
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	char expected[256];
	snprintf(expected, sizeof expected, "0 1 2 \n0 1 2 \n%s0 1 2 \n", inherited.out.data);
	assert_string_equal(output.out.data, expected);
	csys_output_free(&inherited);
	csys_output_free(&output);
}

static void a_running_pipeline_has_its_ends(void **state)
{
	(void)state;
	char line[16];
	size_t size;
	csys_exit exit;
	csys_pipeline *pipeline = waiting(3, "cat");
	csys_child *first = csys_pipeline_child(pipeline, 0);
	csys_child *middle = csys_pipeline_child(pipeline, 1);
	csys_child *last = csys_pipeline_child(pipeline, 2);
	assert_null(csys_pipeline_child(pipeline, 3));
	assert_true(csys_child_pid(first) > 0 && csys_child_pid(middle) > 0);
	assert_int_equal(csys_child_stream(first, CSYS_STDOUT), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_stream(middle, CSYS_STDIN), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_stream(middle, CSYS_STDOUT), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_stream(last, CSYS_STDIN), CSYS_NO_HANDLE);

	assert_int_equal(
		csys_stream_write(csys_child_stream(first, CSYS_STDIN), "hello\n", 6, &size), 0);
	read_line(csys_child_stream(last, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "hello");
	assert_int_equal(csys_pipeline_try_wait(pipeline, &exit), CSYS_EAGAIN);
	assert_int_equal(csys_pipeline_exit(pipeline, 1, &exit), CSYS_EAGAIN);
	assert_int_equal(csys_pipeline_exit(pipeline, 3, &exit), CSYS_EINVAL);
	/* Waiting closes its stdin, so it ends. */
	assert_int_equal(csys_pipeline_wait(pipeline, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 0);
	assert_int_equal(csys_pipeline_try_wait(pipeline, &exit), 0);
	assert_int_equal(csys_pipeline_exit(pipeline, 1, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 0);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void a_running_pipeline_can_be_captured(void **state)
{
	(void)state;
	size_t size = 2 * MIB;
	char *input = calloc(1, size);
	csys_output output;
	csys_exit exits[3];
	csys_output_options options = { .input = input, .input_size = size };
	/* Each with a pipe of its own for stderr, more than one call waits for as a rule. */
	for (int i = 0; i < 3; i++) {
		csys_command *command = SCRIPT("copy", "spew-err", "200000");
		csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_PIPE);
	}
	csys_command_stdio(stages[0], CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(stages[2], CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_pipeline *pipeline = started();
	assert_int_equal(csys_pipeline_wait_output(pipeline, &options, exits, &output), 0);
	assert_exit(output.exit, CSYS_EXIT_CODE, 0);
	assert_exit(exits[2], CSYS_EXIT_CODE, 0);
	assert_int_equal(output.out.size, size);
	assert_int_equal(output.err.size, 600000);
	csys_output_free(&output);
	/* There is nothing more to feed. */
	assert_int_equal(csys_pipeline_wait_output(pipeline, &options, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_wait_output(pipeline, NULL, NULL, &output), 0);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
	free(input);
}

static void a_stage_with_a_pipe_of_its_own_is_captured_too(void **state)
{
	(void)state;
	csys_output output;
	stage(helper_command("say", "", "one ", NULL));
	csys_command_stdio(stage(helper_command("say", "", "two ", NULL)), CSYS_STDERR,
			   CSYS_STDIO_PIPE);
	csys_command_stdio(stage(helper_command("say", "out", "lost", NULL)), CSYS_STDERR,
			   CSYS_STDIO_NULL);
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.out.data, "out");
	assert_int_equal(output.err.size, 8);
	assert_non_null(strstr(output.err.data, "one "));
	assert_non_null(strstr(output.err.data, "two "));
	csys_output_free(&output);
}

static void signals_reach_every_stage(void **state)
{
	(void)state;
	csys_exit exit = { .how = 77, .value = 77 };
	csys_pipeline *pipeline = waiting(3, "wait");
	assert_int_equal(csys_pipeline_wait_until(pipeline, CSYS_POLL, &exit), CSYS_ETIMEDOUT);
	assert_int_equal(exit.how, 77); /* and untouched */
	assert_int_equal(csys_pipeline_signal(pipeline, 0), 0);
	assert_int_equal(csys_pipeline_signal(pipeline, 12345), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_signal(pipeline, SIGTERM), 0);
	assert_int_equal(csys_pipeline_wait(pipeline, &exit), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(csys_pipeline_exit(pipeline, i, &exit), 0);
		assert_exit(exit, CSYS_EXIT_SIGNAL, SIGTERM);
	}
	assert_int_equal(csys_pipeline_signal(pipeline, SIGTERM), CSYS_ESRCH);
	assert_int_equal(csys_pipeline_kill(pipeline), 0);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void kill_ends_every_stage(void **state)
{
	(void)state;
	csys_exit exit;
	csys_pipeline *pipeline = waiting(3, "stay");
	assert_int_equal(csys_pipeline_kill(pipeline), 0);
	assert_int_equal(csys_pipeline_wait(pipeline, &exit), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(csys_pipeline_exit(pipeline, i, &exit), 0);
		assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	}
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

/* Two that wait for a signal; the second one is past the point where it says so. */
static csys_pipeline *ready(const char *second)
{
	char line[16];
	stage(helper_command("wait", NULL));
	/* The first one says so to the second, which may be gone by then. */
	csys_command_disposition(stages[0], SIGPIPE, CSYS_DISPOSITION_IGNORE);
	stage(helper_command(second, NULL));
	csys_command_stdio(stages[1], CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_pipeline *pipeline = started();
	read_line(csys_child_stream(csys_pipeline_child(pipeline, 1), CSYS_STDOUT), line,
		  sizeof line);
	return pipeline;
}

static void terminate_asks_all_and_then_kills(void **state)
{
	(void)state;
	csys_exit exit;
	csys_pipeline *pipeline = ready("polite");
	assert_int_equal(csys_pipeline_terminate_until(pipeline, CSYS_FOREVER, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 3);
	assert_int_equal(csys_pipeline_exit(pipeline, 0, &exit), 0);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGTERM);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);

	pipeline = ready("stay");
	assert_int_equal(csys_pipeline_terminate_until(pipeline, csys_after_ms(3), &exit), 0);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void a_wait_ends_the_stages_whose_grace_is_over(void **state)
{
	(void)state;
	csys_exit exit = { 0 };
	csys_pipeline *pipeline = ready("stay");
	csys_deadline grace = csys_after_ms(20);
	assert_int_equal(csys_pipeline_terminate(pipeline, grace), 0);
	assert_int_equal(csys_pipeline_wait_until(pipeline, csys_after_ms(1), NULL),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_pipeline_wait(pipeline, &exit), 0);
	assert_true(csys_now() >= csys_deadline_ns(grace));
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	assert_int_equal(csys_pipeline_exit(pipeline, 0, &exit), 0);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGTERM);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);

	/* That of one stage too, while it is another that runs on. */
	pipeline = ready("stay");
	assert_int_equal(csys_child_terminate(csys_pipeline_child(pipeline, 1), csys_after_ms(1)),
			 0);
	do /* on a busy machine it ends late */
		assert_int_equal(csys_pipeline_wait_until(pipeline, csys_after_ms(20), &exit),
				 CSYS_ETIMEDOUT);
	while (csys_pipeline_exit(pipeline, 1, &exit) < 0);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);

	/* And a capture. */
	csys_output output;
	pipeline = ready("stay");
	assert_int_equal(csys_pipeline_terminate(pipeline, csys_after_ms(5)), 0);
	assert_int_equal(csys_pipeline_wait_output(pipeline, NULL, NULL, &output), 0);
	assert_exit(output.exit, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void the_end_of_a_pipeline_need_not_be_told(void **state)
{
	(void)state;
	csys_pipeline *pipeline = waiting(2, "cat");
	assert_int_equal(csys_pipeline_try_wait(pipeline, NULL), CSYS_EAGAIN);
	assert_int_equal(csys_pipeline_wait_until(pipeline, csys_after_s(60), NULL), 0);
	assert_int_equal(csys_pipeline_wait(pipeline, NULL), 0);
	assert_int_equal(csys_pipeline_try_wait(pipeline, NULL), 0);
	assert_int_equal(csys_pipeline_terminate_until(pipeline, CSYS_POLL, NULL), 0);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void stages_that_cannot_be_asked_are_killed_after_the_grace(void **state)
{
	(void)state;
	csys_exit exit;
	csys_pipeline *pipeline = ready("polite");
	csysi_fault_exhaust(1, CSYS_ENOTSUP);
	int r = csys_pipeline_terminate_until(pipeline, csys_after_ms(3), &exit);
	csysi_fault_arm(0);
	assert_int_equal(r, 0);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);

	/* In a capture, too. */
	csys_exit exits[2];
	csys_output output;
	csys_output_options options = { .deadline = CSYS_POLL, .grace_ns = 3000000 };
	pipeline = ready("polite");
	csysi_fault_exhaust(1, CSYS_ENOTSUP);
	r = csys_pipeline_wait_output(pipeline, &options, exits, &output);
	csysi_fault_arm(0);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_exit(exits[0], CSYS_EXIT_SIGNAL, SIGKILL);
	assert_exit(exits[1], CSYS_EXIT_SIGNAL, SIGKILL);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static void closing_follows_the_policy(void **state)
{
	(void)state;
	/* Killed: these would stay for ever. */
	csys_pipeline_close(waiting(3, "stay"), CSYS_CLOSE_KILL);
	assert_false(has_children());
	/* Waited for: these end when their input does, which closing is. */
	csys_pipeline_close(waiting(3, "cat"), CSYS_CLOSE_WAIT);
	assert_false(has_children());
	/* Detached: reaped by a later call. */
	csys_pipeline_close(waiting(3, "cat"), CSYS_CLOSE_DETACH);
	while (has_children())
		finished(spawned(helper_command("exit", "0", NULL)));
	csys_pipeline_close(NULL, CSYS_CLOSE_KILL);
}

static void closing_does_not_wait_for_itself(void **state)
{
	(void)state;
	/* More than the pipes hold, and nobody reads: each stage would wait for the next. */
	stage(helper_command("spew", "1000000", NULL));
	stage(helper_command("cat", NULL));
	csys_command_stdio(stages[1], CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_pipeline_close(started(), CSYS_CLOSE_WAIT);
	assert_false(has_children());
}

static void a_stage_on_a_terminal_writes_into_the_pipe(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_output output;
	csys_command_terminal(stage(helper_command("say", "out", NULL)), csys_pty_terminal(pty));
	stage(helper_command("cat", NULL));
	assert_int_equal(output_of(NULL, NULL, &output), 0);
	assert_string_equal(output.out.data, "out");
	csys_output_free(&output);
	csys_pty_close(pty);
}

static void a_run_that_is_out_of_time_ends_by_itself_within_the_grace(void **state)
{
	(void)state;
	csys_exit exits[2];
	csys_exit exit;
	stage(helper_command("polite", NULL));
	stage(helper_command("stay", NULL));
	/* Both have time to get ready, or else the first ends by SIGTERM. */
	csys_deadline deadline = csys_after_ms(300);
	assert_int_equal(csys_pipeline_run_until(stages, 2, deadline, 30000000, exits, &exit),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline) + 30000000);
	/* On a busy machine the grace is over before the first one gets to run. */
	assert_true(exits[0].how == CSYS_EXIT_CODE || csys_exit_signal(exits[0]) == SIGTERM ||
		    csys_exit_signal(exits[0]) == SIGKILL);
	assert_exit(exits[1], CSYS_EXIT_SIGNAL, SIGKILL);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	assert_false(has_children());
	/* One that does not hold out takes no longer than it needs. */
	assert_int_equal(csys_pipeline_run_until(stages, 1, CSYS_POLL, 60000000000, NULL, &exit),
			 CSYS_ETIMEDOUT);
	assert_true(exit.how == CSYS_EXIT_CODE || csys_exit_signal(exit) == SIGTERM);
	clear();
}

static void the_deadline_ends_all_stages(void **state)
{
	(void)state;
	csys_exit exits[3];
	csys_exit exit = { .how = 77, .value = 77 };
	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(200) };
	stage(helper_command("wait", NULL));
	stage(helper_command("wait", NULL));
	stage(helper_command("stay", NULL));
	assert_int_equal(csys_pipeline_run_until(stages, 3, CSYS_POLL, 0, exits, &exit),
			 CSYS_ETIMEDOUT);
	assert_exit(exit, CSYS_EXIT_SIGNAL, SIGKILL);
	for (int i = 0; i < 3; i++)
		assert_exit(exits[i], CSYS_EXIT_SIGNAL, SIGKILL);
	assert_false(has_children());

	assert_int_equal(output_of(&options, exits, &output), CSYS_ETIMEDOUT);
	for (int i = 0; i < 3; i++)
		assert_exit(exits[i], CSYS_EXIT_SIGNAL, SIGKILL);
	assert_exit(output.exit, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_output_free(&output);
	assert_false(has_children());
}

static void with_grace_all_stages_are_asked_first(void **state)
{
	(void)state;
	csys_exit exits[2];
	csys_output output;
	csys_output_options options = { .deadline = CSYS_POLL, .grace_ns = 60000000000 };
	csys_pipeline *pipeline = ready("polite");
	assert_int_equal(csys_pipeline_wait_output(pipeline, &options, exits, &output),
			 CSYS_ETIMEDOUT);
	assert_exit(exits[0], CSYS_EXIT_SIGNAL, SIGTERM);
	assert_exit(exits[1], CSYS_EXIT_CODE, 3);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);
}

static int refuse(void *context, int stream, const char *data, size_t size)
{
	(void)context;
	(void)stream;
	(void)data;
	(void)size;
	return CSYS_EPIPE;
}

static void a_sinks_failure_ends_all_stages(void **state)
{
	(void)state;
	csys_exit exits[2];
	csys_output output;
	csys_output_options options = { .sink = refuse };
	stage(helper_command("wait", NULL));
	stage(helper_command("stay", NULL));
	assert_int_equal(output_of(&options, exits, &output), CSYS_EPIPE);
	assert_exit(exits[0], CSYS_EXIT_SIGNAL, SIGKILL);
	assert_exit(exits[1], CSYS_EXIT_SIGNAL, SIGKILL);
	csys_output_free(&output);
}

static void a_stage_that_cannot_start_ends_those_before_it(void **state)
{
	(void)state;
	csys_pipeline *pipeline = NULL;
	csys_exit exits[3] = { { .how = 77 }, { .how = 77 }, { .how = 77 } };
	csys_output output;
	stage(helper_command("stay", NULL));
	stage(helper_command("cat", NULL));
	stage(csys_command_new("/no/such/program"));
	assert_int_equal(csys_pipeline_spawn(stages, 3, &pipeline), CSYS_ENOENT);
	assert_null(pipeline);
	assert_int_equal(csys_pipeline_failed_stage(), 2);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_EXEC);
	assert_false(has_children());
	assert_int_equal(csys_pipeline_output(stages, 3, NULL, exits, &output), CSYS_ENOENT);
	assert_int_equal(csys_pipeline_failed_stage(), 2);
	assert_exit(exits[0], CSYS_EXIT_NONE, 0);
	assert_false(has_children());
	csys_output_free(&output);

	csys_command_cwd(stages[1], "/no/such/directory");
	assert_int_equal(csys_pipeline_spawn(stages, 3, &pipeline), CSYS_ENOENT);
	assert_int_equal(csys_pipeline_failed_stage(), 1);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_CWD);
	assert_int_equal(csys_pipeline_spawn(stages, 1, &pipeline), 0);
	assert_int_equal(csys_pipeline_failed_stage(), 0);
	csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);
	clear();
}

static void the_error_text_names_the_stage(void **state)
{
	(void)state;
	csys_pipeline *pipeline = NULL;
	csys_output output;
	char text[CSYS_ERROR_TEXT];
	stage(helper_command("stay", NULL));
	stage(csys_command_new("/no/such"));
	stage(helper_command("cat", NULL));
	assert_int_equal(csys_pipeline_spawn(stages, 3, &pipeline), CSYS_ENOENT);
	assert_string_equal(csys_error_text(text, sizeof text),
			    "/no/such (stage 2 of 3): cannot run the program: "
			    "no such file, directory or program (OS error 2)");
	csys_command_nice(stages[1], 99);
	assert_int_equal(csys_pipeline_output(stages, 3, NULL, NULL, &output), CSYS_EINVAL);
	assert_string_equal(
		csys_error_text(text, sizeof text),
		"/no/such (stage 2 of 3): cannot build the command (csys_command_nice): "
		"invalid argument");
	assert_int_equal(csys_pipeline_spawn(NULL, 0, &pipeline), CSYS_EINVAL);
	assert_string_equal(csys_error_text(text, sizeof text),
			    "no program: cannot build the command: invalid argument");
	/* A single start after that is of no stage. */
	assert_fails(csys_command_new("/no/such"), CSYS_ENOENT, CSYS_STEP_EXEC);
	assert_null(strstr(csys_error_text(text, sizeof text), "stage"));
	clear();
}

static void assert_refused(int result, size_t failed_stage)
{
	csys_pipeline *pipeline = NULL;
	csys_output output;
	csys_exit exit;
	assert_int_equal(csys_pipeline_spawn(stages, stage_count, &pipeline), result);
	assert_int_equal(csys_pipeline_failed_stage(), failed_stage);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	assert_int_equal(csys_pipeline_run(stages, stage_count, NULL, &exit), result);
	assert_int_equal(csys_pipeline_output(stages, stage_count, NULL, NULL, &output), result);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	assert_int_equal(output.exit.how, CSYS_EXIT_NONE);
	csys_output_free(&output);
	clear();
}

static void what_belongs_to_the_pipeline_cannot_be_connected(void **state)
{
	(void)state;
	/* The first stage would leave this file. */
	char path[] = "/tmp/csys-test-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	unlink(path);

	for (int i = 0; i < 5; i++) {
		csys_command *first = stage(helper_command("exit", "0", NULL));
		csys_command *second = stage(helper_command("cat", NULL));
		csys_command_stdio_file(first, CSYS_STDIN, path, CSYS_FILE_WRITE);
		if (i == 0)
			csys_command_stdio(first, CSYS_STDOUT, CSYS_STDIO_NULL);
		else if (i == 1)
			csys_command_stdio(first, CSYS_STDOUT, CSYS_STDIO_PIPE);
		else if (i == 2)
			csys_command_stdio(second, CSYS_STDIN, CSYS_STDIO_PIPE);
		else if (i == 3)
			csys_command_stdio(second, CSYS_STDIN, CSYS_STDIO_INHERIT);
		else
			csys_command_arg(second, NULL);
		assert_refused(CSYS_EINVAL, i < 2 ? 0 : 1);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_refused(CSYS_EINVAL, 0); /* no stage */
}

static void bad_arguments_start_nothing(void **state)
{
	(void)state;
	csys_command *lost[] = { NULL };
	csys_pipeline *pipeline = NULL;
	csys_output output;
	csys_exit exit;
	assert_int_equal(csys_pipeline_spawn(NULL, 1, &pipeline), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_spawn(lost, 1, &pipeline), CSYS_ENOMEM);
	stage(helper_command("exit", "0", NULL));
	assert_int_equal(csys_pipeline_spawn(stages, 1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_run(stages, 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_run_until(stages, 1, CSYS_FOREVER, -1, NULL, &exit),
			 CSYS_EINVAL);
	assert_int_equal(csys_pipeline_output(stages, 1, NULL, NULL, NULL), CSYS_EINVAL);
	csys_output_options options = { .input = "x", .input_size = 1 };
	csys_command_stdio(stages[0], CSYS_STDIN, CSYS_STDIO_NULL);
	assert_int_equal(csys_pipeline_output(stages, 1, &options, NULL, &output), CSYS_EINVAL);
	csys_command_stdio(stages[0], CSYS_STDOUT, CSYS_STDIO_NULL);
	options = (csys_output_options){ .merge_stderr = 1 };
	assert_int_equal(csys_pipeline_output(stages, 1, &options, NULL, &output), CSYS_EINVAL);
	options = (csys_output_options){ .grace_ns = -1 };
	assert_int_equal(csys_pipeline_output(stages, 1, &options, NULL, &output), CSYS_EINVAL);
	clear();

	assert_int_equal(csys_pipeline_wait(NULL, &exit), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_try_wait(NULL, &exit), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_exit(NULL, 0, &exit), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_signal(NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_kill(NULL), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_terminate_until(NULL, CSYS_POLL, &exit), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_terminate(NULL, CSYS_POLL), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_wait_output(NULL, NULL, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_count(NULL), 0);
	assert_null(csys_pipeline_child(NULL, 0));
}

static void pipefail_is_the_last_failure(void **state)
{
	(void)state;
	csys_exit exits[] = { { .how = CSYS_EXIT_CODE, .value = 3 },
			      { .how = CSYS_EXIT_SIGNAL, .value = 13 },
			      { .how = CSYS_EXIT_CODE } };
	assert_exit(csys_exit_pipefail(exits, 3), CSYS_EXIT_SIGNAL, 13);
	assert_exit(csys_exit_pipefail(exits, 1), CSYS_EXIT_CODE, 3);
	assert_exit(csys_exit_pipefail(exits + 2, 1), CSYS_EXIT_CODE, 0);
	assert_exit(csys_exit_pipefail(NULL, 0), CSYS_EXIT_NONE, 0);
	exits[2].how = CSYS_EXIT_UNKNOWN; /* is no success */
	assert_exit(csys_exit_pipefail(exits, 3), CSYS_EXIT_UNKNOWN, 0);
}

static void every_fault_is_told_and_leaves_nothing(void **state)
{
	(void)state;
	char *input = calloc(1, 200000);
	csys_output_options options = { .input = input, .input_size = 200000 };
	int handles = open_handles();
	int nth = 1;

	for (int i = 0; i < 3; i++)
		stage(helper_command("cat", NULL));
	csys_command_stdio(stages[1], CSYS_STDERR, CSYS_STDIO_PIPE);
	for (;; nth++) {
		csys_output output;
		csysi_fault_arm(nth);
		int r = csys_pipeline_output(stages, 3, &options, NULL, &output);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(open_handles(), handles);
		assert_false(has_children());
		if (!fired) {
			assert_int_equal(r, 0);
			assert_int_equal(output.out.size, 200000);
			csys_output_free(&output);
			break;
		}
		assert_true(r < 0);
		csys_output_free(&output);
	}
	assert_true(nth > 30);
	clear();
	free(input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_stage_reads_what_the_one_before_wrote),
		TEST(one_stage_is_a_pipeline_too),
		TEST(much_flows_through_many_stages),
		TEST(stderr_of_all_stages_is_drained),
		TEST(stderr_comes_in_the_order_it_was_written),
		TEST(merged_stderr_goes_where_the_last_stdout_goes),
		TEST(stderr_can_go_into_the_pipe),
		TEST(the_ends_go_where_their_commands_say),
		TEST(it_ends_as_its_last_stage_that_failed),
		TEST(a_stage_that_nobody_reads_from_ends),
		TEST(no_stage_holds_more_than_its_streams),
		TEST(a_running_pipeline_has_its_ends),
		TEST(a_running_pipeline_can_be_captured),
		TEST(a_stage_with_a_pipe_of_its_own_is_captured_too),
		TEST(signals_reach_every_stage),
		TEST(kill_ends_every_stage),
		TEST(terminate_asks_all_and_then_kills),
		TEST(a_wait_ends_the_stages_whose_grace_is_over),
		TEST(the_end_of_a_pipeline_need_not_be_told),
		TEST(stages_that_cannot_be_asked_are_killed_after_the_grace),
		TEST(closing_follows_the_policy),
		TEST(closing_does_not_wait_for_itself),
		TEST(a_stage_on_a_terminal_writes_into_the_pipe),
		TEST(a_run_that_is_out_of_time_ends_by_itself_within_the_grace),
		TEST(the_deadline_ends_all_stages),
		TEST(with_grace_all_stages_are_asked_first),
		TEST(a_sinks_failure_ends_all_stages),
		TEST(a_stage_that_cannot_start_ends_those_before_it),
		TEST(the_error_text_names_the_stage),
		TEST(what_belongs_to_the_pipeline_cannot_be_connected),
		TEST(bad_arguments_start_nothing),
		TEST(pipefail_is_the_last_failure),
		TEST(every_fault_is_told_and_leaves_nothing),
	};
	return RUN(tests);
}
