/*
 * process/test_output.c - promises of csys/process/output.h.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

#define MIB ((size_t)1 << 20)

static int is_pattern(const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (char)('a' + i % 26))
			return 0;
	return 1;
}

static int run_helper(const csys_output_options *options, csys_output *output, const char *verb,
		      const char *word)
{
	const char *argv[] = { helper(), verb, word, NULL };
	return csys_run(argv, options, output);
}

static void it_captures_both_streams_and_the_end(void **state)
{
	(void)state;
	const char *argv[] = {
		helper(), "script", "out", "out\n", "err", "err\n", "exit", "3", NULL
	};
	csys_output output;
	assert_int_equal(csys_run(argv, NULL, &output), 0);
	assert_int_equal(csys_exit_code(output.exit), 3);
	assert_string_equal(output.out.data, "out\n");
	assert_int_equal(output.out.size, 4);
	assert_int_equal(output.out.total, 4);
	assert_int_equal(output.out.truncated, 0);
	assert_string_equal(output.err.data, "err\n");
	csys_output_free(&output);
}

static void nothing_is_an_empty_string(void **state)
{
	(void)state;
	csys_output output;
	assert_int_equal(run_helper(NULL, &output, "exit", "0"), 0);
	assert_string_equal(output.out.data, "");
	assert_string_equal(output.err.data, "");
	assert_int_equal(output.out.size + output.err.size, 0);
	csys_output_free(&output);
	csys_output_free(&output);
	csys_output_free(NULL);
	csys_output zero = { 0 };
	csys_output_free(&zero);
}

static void sizes_around_every_growth_come_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1,       4095,        4096,    4097,        65535,
					65536,   65537,       MIB - 1, MIB,         MIB + 1,
					2 * MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char word[32];
		csys_output output;
		snprintf(word, sizeof word, "%zu", sizes[i]);
		assert_int_equal(run_helper(NULL, &output, "spew", word), 0);
		assert_int_equal(output.out.size, sizes[i]);
		assert_int_equal(output.out.data[sizes[i]], '\0');
		/* helper's pattern starts anew nowhere: its steps continue it. */
		assert_true(is_pattern(output.out.data, sizes[i]));
		csys_output_free(&output);
	}
}

static void both_streams_at_once_do_not_lock_up(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { 0 };
	options.deadline = csys_after_s(100);
	assert_int_equal(run_helper(&options, &output, "both", "3000000"), 0);
	assert_int_equal(output.out.size, 3000000);
	assert_int_equal(output.err.size, 3000000);
	csys_output_free(&output);
}

static void input_is_fed_while_output_is_read(void **state)
{
	(void)state;
	size_t size = 5 * MIB + 7;
	char *input = malloc(size);
	for (size_t i = 0; i < size; i++)
		input[i] = (char)('a' + i % 26);
	csys_output output;
	csys_output_options options = { 0 };
	options.deadline = csys_after_s(100);
	options.input = input;
	options.input_size = size;
	assert_int_equal(run_helper(&options, &output, "cat", NULL), 0);
	assert_true(csys_exit_success(output.exit));
	assert_int_equal(output.out.size, size);
	assert_memory_equal(output.out.data, input, size);
	csys_output_free(&output);
	free(input);
}

static void a_timeout_counts_from_each_call(void **state)
{
	(void)state;
	csys_output_options options = { .timeout_ns = 20000000 };
	for (int i = 0; i < 3; i++) {
		csys_output output;
		int64_t begin = csys_now();
		assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_ETIMEDOUT);
		assert_true(csys_now() - begin >= options.timeout_ns);
		assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
		csys_output_free(&output);
	}
}

static void the_earlier_of_timeout_and_deadline_counts(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .timeout_ns = 3600000000000, .deadline = csys_after_ms(5) };
	assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_ETIMEDOUT);
	csys_output_free(&output);
	options.timeout_ns = 1;
	options.deadline = csys_after_s(3600);
	assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_ETIMEDOUT);
	csys_output_free(&output);
	options.timeout_ns = -1;
	assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_EINVAL);
	csys_output_free(&output);
	options.timeout_ns = INT64_MAX; /* for ever */
	assert_int_equal(run_helper(&options, &output, "exit", "0"), 0);
	csys_output_free(&output);

	csys_command *stages[] = { helper_command("wait", NULL), helper_command("wait", NULL) };
	options = (csys_output_options){ .timeout_ns = 5000000 };
	assert_int_equal(csys_pipeline_output(stages, 2, &options, NULL, &output), CSYS_ETIMEDOUT);
	csys_output_free(&output);
	csys_command_free(stages[0]);
	csys_command_free(stages[1]);
}

static void no_input_is_an_empty_stdin(void **state)
{
	(void)state;
	csys_output output;
	assert_int_equal(run_helper(NULL, &output, "cat", NULL), 0);
	assert_true(csys_exit_success(output.exit));
	csys_output_free(&output);

	/* And input of no bytes is a pipe that ends at once. */
	csys_output_options options = { .input = "" };
	assert_int_equal(run_helper(&options, &output, "cat", NULL), 0);
	assert_true(csys_exit_success(output.exit));
	csys_output_free(&output);
}

static void a_program_that_does_not_read_its_input_is_no_error(void **state)
{
	(void)state;
	char *input = calloc(1, 3 * MIB);
	csys_output output;
	csys_output_options options = { .input = input, .input_size = 3 * MIB };
	assert_int_equal(run_helper(&options, &output, "deaf", NULL), 0);
	assert_true(csys_exit_success(output.exit));
	assert_string_equal(output.out.data, "deaf\n");
	csys_output_free(&output);
	free(input);
}

static void the_limit_keeps_the_first_bytes_and_counts_the_rest(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .limit = 1000 };
	assert_int_equal(run_helper(&options, &output, "both", "2000000"), 0);
	assert_true(csys_exit_success(output.exit)); /* it could write all of it */
	assert_int_equal(output.out.size, 1000);
	assert_true(is_pattern(output.out.data, 1000));
	assert_int_equal(output.out.data[1000], '\0');
	assert_int_equal(output.out.total, 2000000);
	assert_int_equal(output.out.truncated, 1);
	assert_int_equal(output.err.size, 1000);
	assert_int_equal(output.err.truncated, 1);
	csys_output_free(&output);

	options.limit = 2000000;
	assert_int_equal(run_helper(&options, &output, "spew", "2000000"), 0);
	assert_int_equal(output.out.size, 2000000);
	assert_int_equal(output.out.truncated, 0);
	csys_output_free(&output);
}

static void merged_streams_come_in_order(void **state)
{
	(void)state;
	const char *argv[] = { helper(), "script", "out", "1\n", "err", "2\n",
			       "out",    "3\n",    "err", "4\n", NULL };
	csys_output output;
	csys_output_options options = { .merge_stderr = 1 };
	assert_int_equal(csys_run(argv, &options, &output), 0);
	assert_string_equal(output.out.data, "1\n2\n3\n4\n");
	assert_int_equal(output.err.size, 0);
	csys_output_free(&output);
}

struct seen {
	size_t sizes[3];
	size_t stop_after;
};

static int count_bytes(void *context, int stream, const char *data, size_t size)
{
	struct seen *seen = context;
	assert_true(size > 0);
	for (size_t i = 0; i < size; i++)
		if (data[i] != (char)('a' + (seen->sizes[stream] + i) % 1000 % 26))
			fail();
	seen->sizes[stream] += size;
	return seen->stop_after && seen->sizes[1] >= seen->stop_after ? -12345 : 0;
}

static void a_sink_gets_all_and_nothing_is_kept(void **state)
{
	(void)state;
	struct seen seen = { { 0 }, 0 };
	csys_output output;
	csys_output_options options = { .sink = count_bytes, .sink_context = &seen };
	assert_int_equal(run_helper(&options, &output, "both", "300000"), 0);
	assert_int_equal(seen.sizes[CSYS_STDOUT], 300000);
	assert_int_equal(seen.sizes[CSYS_STDERR], 300000);
	assert_int_equal(output.out.size, 0);
	assert_string_equal(output.out.data, "");
	assert_int_equal(output.out.total, 300000);
	assert_int_equal(output.out.truncated, 0);
	csys_output_free(&output);
}

static void a_sinks_failure_ends_it_all(void **state)
{
	(void)state;
	struct seen seen = { { 0 }, 5000 };
	csys_output output;
	csys_output_options options = { .sink = count_bytes, .sink_context = &seen };
	assert_int_equal(run_helper(&options, &output, "both", "90000000"), -12345);
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	csys_output_free(&output);
}

static int say_timeout(void *context, int stream, const char *data, size_t size)
{
	(void)context;
	(void)stream;
	(void)data;
	(void)size;
	return CSYS_ETIMEDOUT;
}

static void a_sinks_timeout_ends_it_also_where_the_child_has_no_handle(void **state)
{
	(void)state;
	csys_handle handle;
	csys_output output;
	csys_output_options options = { .sink = say_timeout, .linger_ns = 60000000000 };
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	if (csys_child_take_handle(child, &handle) == 0)
		csys_handle_close(handle);
	options.deadline = csys_after_s(60);
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(options.deadline) > 0);
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* Returns what it was given, as a writer would. */
static int return_the_size(void *context, int stream, const char *data, size_t size)
{
	(void)stream;
	(void)data;
	*(size_t *)context += size;
	return (int)size;
}

static void a_sinks_positive_result_goes_on(void **state)
{
	(void)state;
	size_t size = 0;
	csys_output output;
	csys_output_options options = { .sink = return_the_size, .sink_context = &size };
	assert_int_equal(run_helper(&options, &output, "spew", "300000"), 0);
	assert_int_equal(size, 300000);
	assert_true(csys_exit_success(output.exit));
	csys_output_free(&output);
}

/* A child that has written so much, as much as the pipe holds at most, and has ended. */
static csys_child *ended_child(const char *size)
{
	siginfo_t info;
	csys_command *command = helper_command("spew", size, NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT), 0);
	return child;
}

static void what_has_all_come_needs_no_time(void **state)
{
	(void)state;
	/* Nothing, a little, and a whole pipe; with input that nobody reads. */
	char whole[24];
	csys_handle reader, writer;
	size_t capacity;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	if (csys_pipe_capacity(reader, &capacity) < 0)
		capacity = 4096;
	snprintf(whole, sizeof whole, "%zu", capacity);
	csys_handle_close(reader);
	csys_handle_close(writer);
	const char *sizes[] = { "0", "3000", whole };
	for (int i = 0; i < 3; i++) {
		for (int fed = 0; fed < 2; fed++) {
			csys_output output;
			csys_output_options options = { .deadline = CSYS_POLL };
			if (fed) {
				options.input = "hello";
				options.input_size = 5;
			}
			csys_child *child = ended_child(sizes[i]);
			assert_int_equal(csys_child_output(child, &options, &output), 0);
			assert_true(csys_exit_success(output.exit));
			assert_int_equal(output.out.size, strtoul(sizes[i], NULL, 10));
			csys_output_free(&output);
			csys_child_close(child, CSYS_CLOSE_WAIT);
		}
	}
}

static void set_terminal(csys_command *command, const csys_pty *pty)
{
	csys_command_terminal(command, csys_pty_terminal(pty));
}

static void check_that_input_is_refused(void (*connect)(csys_command *command, const csys_pty *pty))
{
	csys_pty *pty = opened_pty();
	csys_output output;
	csys_output_options options = { .input = "x", .input_size = 1 };
	csys_command *command = helper_command("cat", NULL);
	connect(command, pty);
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_EINVAL);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	csys_command *stages[] = { command };
	assert_int_equal(csys_pipeline_output(stages, 1, &options, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	/* A pipe that was asked for takes it. */
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	assert_int_equal(csys_command_output(command, &options, &output), 0);
	assert_string_equal(output.out.data, "x");
	csys_output_free(&output);
	csys_command_free(command);
	csys_pty_close(pty);
}

static void input_for_a_terminal_is_refused(void **state)
{
	(void)state;
	check_that_input_is_refused(set_terminal);
	check_that_input_is_refused(csys_command_pty);
}

static void the_deadline_ends_it_and_keeps_what_came(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(200) };
	assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(options.deadline));
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	/* 200 ms may be short on a slow machine, but then there is nothing, not a part. */
	assert_true(output.out.size == 0 || strcmp(output.out.data, "ready\n") == 0);
	csys_output_free(&output);
}

static void a_past_deadline_ends_it_at_once(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .deadline = CSYS_POLL };
	assert_int_equal(run_helper(&options, &output, "wait", NULL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	csys_output_free(&output);
}

static void with_grace_it_is_asked_first(void **state)
{
	(void)state;
	/* "ready" is read by a sink, so both surely run when the deadline is made. */
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	char line[16];
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);

	csys_output output;
	csys_output_options options = { .deadline = CSYS_POLL, .grace_ns = 60000000000 };
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(output.exit), SIGTERM);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_KILL);

	command = helper_command("stay", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	options.grace_ns = 3000000;
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* Waits as long as a slow reader would. */
static int read_slowly(void *context, int stream, const char *data, size_t size)
{
	csys_handle *ends = context;
	char byte;
	size_t got;
	(void)stream;
	(void)data;
	(void)size;
	return csys_stream_read_until(ends[0], &byte, 1, csys_after_ms(3), &got) == CSYS_ETIMEDOUT
		       ? 0
		       : -1;
}

static void one_that_always_has_more_is_ended_all_the_same(void **state)
{
	(void)state;
	csys_handle ends[2];
	assert_int_equal(csys_pipe_create(&ends[0], &ends[1]), 0);
	csys_output output;
	csys_output_options options = { .sink = read_slowly, .sink_context = ends };
	for (int grace = 0; grace <= 1; grace++) {
		/* Far more than a slow reader takes in the time. */
		options.deadline = csys_after_ms(20);
		options.grace_ns = grace * (int64_t)20000000;
		assert_int_equal(run_helper(&options, &output, "spew", "9000000000"),
				 CSYS_ETIMEDOUT);
		assert_int_not_equal(csys_exit_signal(output.exit), 0);
		csys_output_free(&output);
	}
	csys_handle_close(ends[0]);
	csys_handle_close(ends[1]);
}

static void the_grace_counts_from_the_asking(void **state)
{
	(void)state;
	csys_command *command = helper_command("polite", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	char line[16];
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);

	/* The deadline was long ago. */
	csys_output output;
	csys_output_options options = { .deadline = CSYS_POLL, .grace_ns = 60000000000 };
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_code(output.exit), 3);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void no_grace_is_spent_on_one_that_has_ended(void **state)
{
	(void)state;
	/* A grandchild holds its streams; a thousand seconds would be noticed. */
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("leave", NULL);
	csys_command_stdio_handle(command, CSYS_STDIN, reader);
	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(300), .grace_ns = 1000000000000 };
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_ETIMEDOUT);
	assert_int_not_equal(output.exit.how, CSYS_EXIT_NONE);
	csys_command_free(command);
	csys_output_free(&output);
	csys_handle_close(reader);
	csys_handle_close(writer);
}

static void a_grandchild_that_holds_the_pipe_is_left_at_the_deadline(void **state)
{
	(void)state;
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("leave", NULL);
	csys_command_stdio_handle(command, CSYS_STDIN, reader);
	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(300) };
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_ETIMEDOUT);
	csys_command_free(command);
	/* The child itself had ended, and says so, if it came that far. */
	if (csys_exit_code(output.exit) == 0)
		assert_string_equal(output.out.data, "left\n");
	csys_output_free(&output);
	csys_handle_close(reader);
	csys_handle_close(writer); /* ends the grandchild */
}

/* Run a helper that leaves a grandchild, which ends when *out_writer is closed. */
static int run_leaver(const char *verb, const csys_output_options *options, csys_output *output,
		      csys_handle *out_writer)
{
	csys_handle reader;
	assert_int_equal(csys_pipe_create(&reader, out_writer), 0);
	csys_command *command = helper_command(verb, NULL);
	csys_command_stdio_take(command, CSYS_STDIN, reader);
	int r = csys_command_output(command, options, output);
	csys_command_free(command);
	return r;
}

static void streams_that_others_hold_linger_no_longer_than_said(void **state)
{
	(void)state;
	csys_handle writer;
	csys_output output;
	csys_output_options options = { .linger_ns = 1000000 };
	assert_int_equal(run_leaver("leave", &options, &output, &writer), 0);
	assert_true(csys_exit_success(output.exit));
	assert_string_equal(output.out.data, "left\n");
	assert_int_equal(output.out.held, 1);
	assert_int_equal(output.err.held, 1);
	csys_output_free(&output);
	csys_handle_close(writer);
}

static void a_grandchild_that_always_has_more_lingers_no_longer(void **state)
{
	(void)state;
	csys_handle writer;
	csys_output output;
	csys_output_options options = { .linger_ns = 1000000, .limit = 100 };
	assert_int_equal(run_leaver("leave-writing", &options, &output, &writer), 0);
	assert_true(csys_exit_success(output.exit));
	assert_int_equal(output.out.held, 1);
	assert_int_equal(output.err.held, 0); /* this one it closed */
	csys_output_free(&output);
	csys_handle_close(writer);
}

static void what_the_program_wrote_itself_is_there_after_the_linger(void **state)
{
	(void)state;
	csys_handle reader, writer;
	csys_output output;
	csys_output_options options = { .linger_ns = 1 };
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	/* Where a pipe can be widened it holds more than one read takes. */
	int can_widen = csysi_os_pipe_set_capacity(reader, 256 << 10) == 0;
	csys_command *command = helper_command("leave", can_widen ? "200000" : "60000", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, reader);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	if (can_widen)
		assert_int_equal(csysi_os_pipe_set_capacity(csys_child_stream(child, CSYS_STDOUT),
							    256 << 10),
				 0);
	/* It has ended before the capture begins. */
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(csys_child_output(child, &options, &output), 0);
	assert_int_equal(output.out.held, 1);
	assert_int_equal(output.out.size, can_widen ? 200005 : 60005);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	csys_handle_close(writer);
}

static int tree_level(void)
{
	int level = 0;
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	csys_command_contain(command);
	csys_child *child = spawned(command);
	assert_int_equal(csys_child_kill_tree_until(child, CSYS_FOREVER, &level), 0);
	finished(child);
	return level;
}

static void the_deadline_ends_all_that_a_contained_one_started(void **state)
{
	(void)state;
	/* A reaper that has ended before holds nothing together. */
	if (tree_level() < CSYS_TREE_CONTAINER)
		skip_because("there are no containers");
	csys_handle reader, writer;
	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(100) };
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("leave", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, reader);
	csys_command_contain(command);
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_ETIMEDOUT);
	csys_command_free(command);
	csys_output_free(&output);
	/* Nobody holds the other end of its stdin any more. */
	size_t size;
	assert_int_equal(csys_stream_write(writer, "x", 1, &size), CSYS_EPIPE);
	csys_handle_close(writer);
}

static void the_deadline_is_before_the_linger(void **state)
{
	(void)state;
	csys_handle writer;
	csys_output output;
	csys_output_options options = { .linger_ns = INT64_MAX };
	options.deadline = csys_after_ms(300);
	assert_int_equal(run_leaver("leave", &options, &output, &writer), CSYS_ETIMEDOUT);
	csys_output_free(&output);
	csys_handle_close(writer);
}

static void what_ends_with_its_program_does_not_linger(void **state)
{
	(void)state;
	/* For ever: it would be noticed. */
	csys_output_options options = { .linger_ns = INT64_MAX };
	csys_output output;
	assert_int_equal(run_helper(&options, &output, "both", "2000000"), 0);
	assert_int_equal(output.out.size, 2000000);
	assert_int_equal(output.err.size, 2000000);
	assert_int_equal(output.out.held, 0);
	csys_output_free(&output);

	/* Nor does the linger end a program that has closed its streams and runs on. */
	const char *argv[] = { helper(), "script", "close", "nap", "100", "exit", "4", NULL };
	options.linger_ns = 1;
	assert_int_equal(csys_run(argv, &options, &output), 0);
	assert_int_equal(csys_exit_code(output.exit), 4);
	assert_int_equal(output.out.held, 0);
	csys_output_free(&output);
}

static void settings_of_the_command_stay(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char text[16];
	size_t size;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("say", "one", "two", NULL);
	csys_command_stdio_take(command, CSYS_STDERR, writer);
	csys_output output;
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	csys_command_free(command);
	assert_string_equal(output.out.data, "one");
	assert_int_equal(output.err.size, 0);
	assert_int_equal(csys_stream_read_all(reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "two", 3);
	csys_handle_close(reader);
	csys_output_free(&output);
}

static void a_running_child_can_be_captured(void **state)
{
	(void)state;
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_output output;
	csys_output_options options = { .input = "hello", .input_size = 5 };
	assert_int_equal(csys_child_output(child, &options, &output), 0);
	assert_string_equal(output.out.data, "hello");
	assert_int_equal(csys_child_stream(child, CSYS_STDOUT), CSYS_NO_HANDLE);
	csys_output_free(&output);
	/* Again: there is nothing to read, and the status is kept. */
	assert_int_equal(csys_child_output(child, NULL, &output), 0);
	assert_true(csys_exit_success(output.exit));
	assert_string_equal(output.out.data, "");
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void bad_options_start_nothing(void **state)
{
	(void)state;
	const char *argv[] = { helper(), "exit", "0", NULL };
	const char *none[] = { NULL };
	csys_output output = { .exit = { .how = 77 } };
	csys_output_options options = { .input = NULL, .input_size = 1 };

	assert_int_equal(csys_run(argv, &options, &output), CSYS_EINVAL);
	assert_int_equal(output.exit.how, CSYS_EXIT_NONE); /* set, and empty */
	assert_string_equal(output.out.data, "");
	options = (csys_output_options){ .grace_ns = -1 };
	assert_int_equal(csys_run(argv, &options, &output), CSYS_EINVAL);
	options = (csys_output_options){ .linger_ns = -1 };
	assert_int_equal(csys_run(argv, &options, &output), CSYS_EINVAL);
	options = (csys_output_options){ .reserved = { 0, 0, 0, 1 } };
	assert_int_equal(csys_run(argv, &options, &output), CSYS_EINVAL);
	assert_int_equal(csys_run(NULL, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_run(none, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_run(argv, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);

	csys_command *command = helper_command("exit", "0", NULL);
	options = (csys_output_options){ .input = "x", .input_size = 1 };
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_EINVAL);
	assert_int_equal(csys_command_output(command, NULL, NULL), CSYS_EINVAL);
	csys_child *child = spawned(command);
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_EINVAL);
	assert_int_equal(csys_child_output(child, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_output(NULL, NULL, &output), CSYS_EINVAL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void run_tells_why_and_where_it_did_not_start(void **state)
{
	(void)state;
	const char *argv[] = { "/no/such/program", NULL };
	csys_output output;
	assert_int_equal(csys_run(argv, NULL, &output), CSYS_ENOENT);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_EXEC);
	assert_int_equal(output.exit.how, CSYS_EXIT_NONE);
	csys_output_free(&output);
}

/* Fail the 1st, 2nd, ... call inside a whole capture. */
static void every_fault_is_told_and_leaves_nothing(void **state)
{
	(void)state;
	char *input = calloc(1, 200000);
	const char *argv[] = { helper(), "cat", NULL };
	csys_output_options options = { .input = input, .input_size = 200000 };
	int handles = open_handles();
	int nth = 1;

	for (;; nth++) {
		csys_output output;
		csysi_fault_arm(nth);
		int r = csys_run(argv, &options, &output);
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
		/* A kill that is not allowed is covered by what started it. */
		assert_true(r < 0);
		csys_output_free(&output);
	}
	assert_true(nth > 12);
	free(input);
}

/* ---- going on after the deadline ------------------------------------------------------- */

static csys_child *piped(const char *verb, const char *word, int has_input)
{
	csys_command *command = helper_command(verb, word, NULL);
	if (has_input)
		csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	return spawned(command);
}

static void a_capture_goes_on_after_its_deadline(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .keep_running = 1 };
	csys_child *child = piped("polite", NULL, 0);
	/* Once it has said that it is ready, and however often it was asked. */
	options.timeout_ns = 20000000;
	int r = csys_child_output(child, &options, &output);
	for (int i = 0; i < 1000 && output.out.size < 6; i++) {
		assert_int_equal(r, CSYS_ETIMEDOUT);
		r = csys_child_continue_output(child, &options, &output);
	}
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_string_equal(output.out.data, "ready\n");
	assert_int_equal(output.exit.how, CSYS_EXIT_NONE);
	assert_int_equal(csys_child_try_wait(child, NULL), CSYS_EAGAIN);
	assert_int_not_equal(csys_child_stream(child, CSYS_STDOUT), CSYS_NO_HANDLE);

	assert_int_equal(csys_child_terminate(child, CSYS_FOREVER), 0);
	options.timeout_ns = 0;
	assert_int_equal(csys_child_continue_output(child, &options, &output), 0);
	assert_int_equal(csys_exit_code(output.exit), 3);
	assert_string_equal(output.out.data, "ready\n");
	assert_int_equal(output.out.total, 6);
	assert_int_equal(csys_child_stream(child, CSYS_STDOUT), CSYS_NO_HANDLE);
	/* And once more: there is nothing to add. */
	assert_int_equal(csys_child_continue_output(child, NULL, &output), 0);
	assert_string_equal(output.out.data, "ready\n");
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void a_capture_that_goes_on_can_end_the_program_after_all(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .keep_running = 1, .deadline = CSYS_POLL };
	csys_child *child = piped("stay", NULL, 0);
	assert_int_equal(csys_child_output(child, &options, &output), CSYS_ETIMEDOUT);
	options = (csys_output_options){ .timeout_ns = 5000000 };
	assert_int_equal(csys_child_continue_output(child, &options, &output), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(output.exit), SIGKILL);
	assert_false(has_children());
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void nothing_is_lost_however_often_a_capture_goes_on(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .keep_running = 1, .deadline = CSYS_POLL };
	csys_child *child = piped("spew", "20000000", 0);
	int calls = 1;
	int r = csys_child_output(child, &options, &output);
	for (; r == CSYS_ETIMEDOUT; calls++)
		r = csys_child_continue_output(child, &options, &output);
	assert_int_equal(r, 0);
	assert_true(calls > 10);
	assert_int_equal(output.out.size, 20000000);
	assert_int_equal(output.out.data[20000000], '\0');
	assert_true(is_pattern(output.out.data, 20000000));
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

struct count {
	size_t size;
	int wrong;
};

static int count_pattern(void *context, int stream, const char *data, size_t size)
{
	struct count *count = context;
	for (size_t i = 0; i < size; i++)
		count->wrong |= data[i] != (char)('a' + (count->size + i) % 26);
	count->size += size;
	return stream == CSYS_STDOUT ? 0 : CSYS_EINVAL;
}

/* Half of the input is written when the deadline comes, since the program is stopped. */
static void go_on_in_the_middle_of_the_input(csys_output_options *options, csys_output *output)
{
	csys_child *child = piped("cat", NULL, 1);
	assert_int_equal(csys_child_suspend(child), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, csys_after_s(60)), 0);
	options->keep_running = 1;
	options->timeout_ns = 5000000;
	assert_int_equal(csys_child_output(child, options, output), CSYS_ETIMEDOUT);
	assert_in_range(output->input_done, 1, options->input_size - 1);
	assert_int_equal(output->out.total, 0);

	/* Less than it took already is not the same input. */
	size_t size = options->input_size;
	options->input_size = 0;
	assert_int_equal(csys_child_continue_output(child, options, output), CSYS_EINVAL);
	options->input_size = size;
	assert_int_equal(csys_child_resume(child), 0);
	options->timeout_ns = 1000000;
	int r;
	do
		r = csys_child_continue_output(child, options, output);
	while (r == CSYS_ETIMEDOUT);
	assert_int_equal(r, 0);
	assert_true(csys_exit_success(output->exit));
	assert_int_equal(output->input_done, size);
	assert_int_equal(output->out.total, size);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void input_limit_and_sink_go_on_where_they_stopped(void **state)
{
	(void)state;
	size_t size = 3 * MIB + 5;
	char *input = malloc(size);
	struct count count = { 0, 0 };
	csys_output output;
	for (size_t i = 0; i < size; i++)
		input[i] = (char)('a' + i % 26);
	csys_output_options options = { .input = input, .input_size = size };
	go_on_in_the_middle_of_the_input(&options, &output);
	assert_int_equal(output.out.size, size);
	assert_memory_equal(output.out.data, input, size);
	assert_int_equal(output.out.truncated, 0);
	csys_output_free(&output);

	options.limit = 70000;
	go_on_in_the_middle_of_the_input(&options, &output);
	assert_int_equal(output.out.size, 70000);
	assert_memory_equal(output.out.data, input, 70000);
	assert_int_equal(output.out.truncated, 1);
	csys_output_free(&output);

	options.limit = 0;
	options.sink = count_pattern;
	options.sink_context = &count;
	go_on_in_the_middle_of_the_input(&options, &output);
	assert_int_equal(count.size, size);
	assert_int_equal(count.wrong, 0);
	csys_output_free(&output);
	free(input);
}

static void one_that_is_asked_to_end_between_two_captures_keeps_its_last_words(void **state)
{
	(void)state;
	char *input = calloc(1, 4 * MIB);
	csys_output output;
	csys_output_options options = {
		.input = input, .input_size = 4 * MIB, .keep_running = 1, .deadline = CSYS_POLL
	};
	/* It reads nothing, so its stdin stays open until it is asked to end. */
	csys_command *command = helper_command("polite", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	int r = csys_child_output(child, &options, &output);
	while (r == CSYS_ETIMEDOUT && output.out.size == 0)
		r = csys_child_continue_output(child, &options, &output);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_true(output.input_done < options.input_size);
	assert_int_equal(csys_child_terminate(child, csys_after_s(60)), 0);

	/* Another input than before is a mistake. */
	options.deadline = csys_after_s(60);
	options.input_size--;
	assert_int_equal(csys_child_continue_output(child, &options, &output), CSYS_EINVAL);
	options.input_size++;
	assert_int_equal(csys_child_continue_output(child, &options, &output), 0);
	assert_true(output.input_done < options.input_size);
	assert_memory_equal(output.out.data, "ready\n", 6);
	assert_int_equal(output.exit.how, CSYS_EXIT_CODE);
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	free(input);
}

static void the_linger_runs_on_while_a_capture_goes_on(void **state)
{
	(void)state;
	csys_output output;
	csys_output_options options = { .keep_running = 1,
					.timeout_ns = 5000000,
					.linger_ns = 60000000 };
	struct ends ends = opened_ends(); /* the grandchild goes when this one is closed */
	csys_command *command = helper_command("leave", "0", NULL);
	csys_command_stdio_take(command, CSYS_STDIN, ends.reader);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	int64_t begin = csys_now();
	int lingering = 0;
	int r = csys_child_output(child, &options, &output);
	while (r == CSYS_ETIMEDOUT) {
		/* Each call takes 5 ms or more. */
		lingering += output.exit.how == CSYS_EXIT_CODE;
		assert_in_range(lingering, 0, 13);
		r = csys_child_continue_output(child, &options, &output);
	}
	assert_int_equal(r, 0);
	assert_true(csys_now() - begin >= 60000000);
	assert_int_equal(output.out.held, 1);
	assert_string_equal(output.out.data, "left\n");
	csys_output_free(&output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	csys_handle_close(ends.writer);
}

static void a_pipelines_capture_goes_on_too(void **state)
{
	(void)state;
	size_t size = 3 * MIB;
	char *input = malloc(size);
	for (size_t i = 0; i < size; i++)
		input[i] = (char)('a' + i % 26);
	csys_command *stages[] = { helper_command("cat", NULL), helper_command("cat", NULL) };
	csys_command_stdio(stages[0], CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(stages[1], CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_pipeline *pipeline = NULL;
	csys_exit exits[2];
	csys_output output;
	assert_int_equal(csys_pipeline_spawn(stages, 2, &pipeline), 0);
	csys_output_options options = {
		.input = input, .input_size = size, .keep_running = 1, .deadline = CSYS_POLL
	};
	int calls = 1;
	int r = csys_pipeline_wait_output(pipeline, &options, exits, &output);
	for (; r == CSYS_ETIMEDOUT; calls++)
		r = csys_pipeline_continue_output(pipeline, &options, exits, &output);
	assert_int_equal(r, 0);
	assert_true(calls > 2);
	assert_true(csys_exit_success(exits[0]) && csys_exit_success(exits[1]));
	assert_int_equal(output.out.size, size);
	assert_memory_equal(output.out.data, input, size);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_WAIT);

	/* What is started by the same call could not be gone on with. */
	assert_int_equal(csys_pipeline_output(stages, 2, &options, exits, &output), CSYS_EINVAL);
	assert_int_equal(csys_command_output(stages[0], &options, &output), CSYS_EINVAL);
	assert_int_equal(csys_pipeline_continue_output(NULL, NULL, NULL, &output), CSYS_EINVAL);
	assert_int_equal(csys_child_continue_output(NULL, NULL, &output), CSYS_EINVAL);
	csys_command_free(stages[0]);
	csys_command_free(stages[1]);
	free(input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_captures_both_streams_and_the_end),
		TEST(nothing_is_an_empty_string),
		TEST(sizes_around_every_growth_come_whole),
		TEST(both_streams_at_once_do_not_lock_up),
		TEST(input_is_fed_while_output_is_read),
		TEST(a_timeout_counts_from_each_call),
		TEST(the_earlier_of_timeout_and_deadline_counts),
		TEST(no_input_is_an_empty_stdin),
		TEST(a_program_that_does_not_read_its_input_is_no_error),
		TEST(the_limit_keeps_the_first_bytes_and_counts_the_rest),
		TEST(merged_streams_come_in_order),
		TEST(a_sink_gets_all_and_nothing_is_kept),
		TEST(a_sinks_failure_ends_it_all),
		TEST(a_sinks_timeout_ends_it_also_where_the_child_has_no_handle),
		TEST(a_sinks_positive_result_goes_on),
		TEST(what_has_all_come_needs_no_time),
		TEST(input_for_a_terminal_is_refused),
		TEST(the_deadline_ends_it_and_keeps_what_came),
		TEST(a_past_deadline_ends_it_at_once),
		TEST(with_grace_it_is_asked_first),
		TEST(one_that_always_has_more_is_ended_all_the_same),
		TEST(the_grace_counts_from_the_asking),
		TEST(no_grace_is_spent_on_one_that_has_ended),
		TEST(a_grandchild_that_holds_the_pipe_is_left_at_the_deadline),
		TEST(streams_that_others_hold_linger_no_longer_than_said),
		TEST(a_grandchild_that_always_has_more_lingers_no_longer),
		TEST(what_the_program_wrote_itself_is_there_after_the_linger),
		TEST(the_deadline_ends_all_that_a_contained_one_started),
		TEST(the_deadline_is_before_the_linger),
		TEST(what_ends_with_its_program_does_not_linger),
		TEST(settings_of_the_command_stay),
		TEST(a_running_child_can_be_captured),
		TEST(bad_options_start_nothing),
		TEST(run_tells_why_and_where_it_did_not_start),
		TEST(every_fault_is_told_and_leaves_nothing),
		TEST(a_capture_goes_on_after_its_deadline),
		TEST(a_capture_that_goes_on_can_end_the_program_after_all),
		TEST(nothing_is_lost_however_often_a_capture_goes_on),
		TEST(input_limit_and_sink_go_on_where_they_stopped),
		TEST(one_that_is_asked_to_end_between_two_captures_keeps_its_last_words),
		TEST(the_linger_runs_on_while_a_capture_goes_on),
		TEST(a_pipelines_capture_goes_on_too),
	};
	return RUN(tests);
}
