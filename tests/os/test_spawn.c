/*
 * os/test_spawn.c - exam: starting a program.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

extern char **environ;

/* The streams of the next command. */
static struct csysi_os_map streams_of[3];

static struct csysi_os_command command_of(char **argv)
{
	static const struct csysi_os_options no_options;
	for (int i = 0; i < 3; i++)
		streams_of[i] = (struct csysi_os_map){ CSYS_NO_HANDLE, i };
	struct csysi_os_command command = {
		.program = argv[0],
		.argv = argv,
		.envp = environ,
		.maps = streams_of,
		.map_count = 3,
		.options = &no_options,
	};
	return command;
}

static struct csysi_os_exit reaped(struct csysi_os_child *child)
{
	struct csysi_os_exit end = { 0 };
	assert_int_equal(csysi_os_child_wait(child, CSYS_FOREVER), 0);
	assert_int_equal(csysi_os_child_reap(child, &end), 0);
	csysi_os_close(child->handle);
	return end;
}

static char *own(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void it_starts_the_program(void **state)
{
	(void)state;
	char *argv[] = { own(helper()), own("exit"), own("9"), NULL };
	struct csysi_os_command command = command_of(argv);
	struct csysi_os_child child;
	enum csysi_os_step step;
	assert_int_equal(csysi_os_spawn(&command, &child, &step), 0);
	assert_true(child.pid > 0);
	struct csysi_os_exit end = reaped(&child);
	assert_int_equal(end.known, 1);
	assert_int_equal(end.value, 9);
}

static void a_failure_names_its_step_and_leaves_out_alone(void **state)
{
	(void)state;
	char *argv[] = { own(helper()), own("exit"), own("0"), NULL };
	struct csysi_os_child child = { .pid = 123, .handle = 456 };
	const struct {
		const char *program;
		const char *cwd;
		csys_handle input;
		enum csysi_os_step step;
		int result;
	} cases[] = {
		{ "/no/such/program", NULL, CSYS_NO_HANDLE, CSYSI_OS_STEP_EXEC, CSYS_ENOENT },
		{ "no-such-program", NULL, CSYS_NO_HANDLE, CSYSI_OS_STEP_EXEC, CSYS_ENOENT },
		{ "/", NULL, CSYS_NO_HANDLE, CSYSI_OS_STEP_EXEC, CSYS_EACCES },
		{ "/dev/null/x", NULL, CSYS_NO_HANDLE, CSYSI_OS_STEP_EXEC, CSYS_ENOTDIR },
		{ NULL, "/no/such/folder", CSYS_NO_HANDLE, CSYSI_OS_STEP_CWD, CSYS_ENOENT },
		{ NULL, "/dev/null", CSYS_NO_HANDLE, CSYSI_OS_STEP_CWD, CSYS_ENOTDIR },
		{ NULL, NULL, 4000, CSYSI_OS_STEP_STREAM, CSYS_EBADF },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct csysi_os_command command = command_of(argv);
		enum csysi_os_step step;
		if (cases[i].program)
			command.program = cases[i].program;
		command.cwd = cases[i].cwd;
		streams_of[0].source = cases[i].input;
		assert_int_equal(csysi_os_spawn(&command, &child, &step), cases[i].result);
		assert_int_equal(step, cases[i].step);
		assert_true(csys_os_error() > 0);
		assert_false(has_children());
	}
	assert_int_equal(child.pid, 123);
	assert_int_equal(child.handle, 456);
}

static void blocked_signals_stay_blocked_here_and_not_there(void **state)
{
	(void)state;
	sigset_t some, before, after;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	sigaddset(&some, SIGTERM);
	pthread_sigmask(SIG_SETMASK, &some, &before);

	const char *argv[] = { helper(), "signals", NULL };
	csys_output output;
	assert_int_equal(csys_run(argv, NULL, &output), 0);
	assert_string_equal(output.out.data, "");
	csys_output_free(&output);

	/* And after a failure. */
	const char *bad[] = { "/no/such/program", NULL };
	assert_int_equal(csys_run(bad, NULL, &output), CSYS_ENOENT);

	pthread_sigmask(SIG_SETMASK, &before, &after);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&after, i) == 1, i == SIGUSR1 || i == SIGTERM);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void dispositions_are_default_there_and_as_they_were_here(void **state)
{
	(void)state;
	struct sigaction ignore = { 0 }, handle = { 0 }, old[65], now;
	ignore.sa_handler = SIG_IGN;
	handle.sa_handler = do_nothing;

	/* All that can be: some ignored, some handled; not SIGCHLD, which waiting needs. */
	const int last = under_valgrind() ? 63 : 64;
	for (int i = 1; i <= last; i++)
		if (i != SIGCHLD && sigaction(i, NULL, &old[i]) == 0)
			sigaction(i, i % 2 ? &ignore : &handle, NULL);

	const char *argv[] = { helper(), "signals", NULL };
	csys_output output;
	int r = csys_run(argv, NULL, &output);
	for (int i = 1; i <= last; i++) {
		if (i == SIGCHLD || i == SIGKILL || i == SIGSTOP || sigaction(i, NULL, &now) < 0)
			continue;
		assert_true(now.sa_handler == (i % 2 ? ignore.sa_handler : handle.sa_handler));
		sigaction(i, &old[i], NULL);
	}
	assert_int_equal(r, 0);
	assert_string_equal(output.out.data, "");
	csys_output_free(&output);
}

static void streams_are_assigned_all_at_once(void **state)
{
	(void)state;
	/* A rotation of 0, 1 and 2 in the child: what each is shows in its inode. */
	csys_handle reader, writer;
	struct stat streams[3];
	char *argv[] = { own(helper()), own("streams"), NULL };
	struct csysi_os_command command = command_of(argv);
	struct csysi_os_child child;
	enum csysi_os_step step;

	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	int saved[3];
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
	csys_handle null;
	assert_int_equal(csysi_os_open_null(0, &null), 0);
	dup2((int)writer, 0); /* 0 is the pipe, 1 and 2 what they are */
	dup2((int)null, 1);
	for (int i = 0; i < 3; i++)
		fstat(i, &streams[i]);
	streams_of[0].source = 2;
	streams_of[1].source = 0;
	streams_of[2].source = 1;
	int r = csysi_os_spawn(&command, &child, &step);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	csysi_os_close(null);
	csysi_os_close(writer);
	assert_int_equal(r, 0);

	for (int i = 0; i < 3; i++) {
		char line[64], expected[64];
		const struct stat *is = &streams[i == 0 ? 2 : i - 1];
		read_line(reader, line, sizeof line);
		snprintf(expected, sizeof expected, "%llu:%llu", (unsigned long long)is->st_dev,
			 (unsigned long long)is->st_ino);
		assert_string_equal(line, expected);
	}
	csysi_os_close(reader);
	assert_int_equal(reaped(&child).value, 0);
}

static void a_stream_can_be_its_own_number(void **state)
{
	(void)state;
	/* Close-on-exec on 1, and stream 1 is 1: the child must have it all the same. */
	csys_handle reader, writer;
	char *argv[] = { own(helper()), own("say"), own("here"), NULL };
	struct csysi_os_command command = command_of(argv);
	struct csysi_os_child child;
	enum csysi_os_step step;
	char line[16];

	assert_int_equal(csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer), 0);
	int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
	dup2((int)writer, 1);
	fcntl(1, F_SETFD, FD_CLOEXEC);
	streams_of[1].source = 1;
	int r = csysi_os_spawn(&command, &child, &step);
	dup2(saved, 1);
	close(saved);
	csysi_os_close(writer);
	assert_int_equal(r, 0);
	read_line(reader, line, sizeof line);
	assert_string_equal(line, "here");
	csysi_os_close(reader);
	assert_int_equal(reaped(&child).value, 0);
}

static void other_handles_are_closed_unless_inherited(void **state)
{
	(void)state;
	int leaks[3];
	for (int i = 0; i < 3; i++)
		leaks[i] = fcntl(2, F_DUPFD, 10 + 100 * i);

	for (int inherit = 0; inherit <= 1; inherit++) {
		csys_command *command = helper_command("handles", NULL);
		csys_command_inherit_handles(command, inherit);
		csys_output output;
		assert_int_equal(csys_command_output(command, NULL, &output), 0);
		csys_command_free(command);
		if (inherit)
			assert_non_null(strstr(output.out.data, " 210 "));
		else
			assert_string_equal(output.out.data, "0 1 2 \n");
		csys_output_free(&output);
	}
	for (int i = 0; i < 3; i++)
		close(leaks[i]);
}

static void without_streams(void)
{
	/* Nothing that csys opens may land on 0 to 2, here or there. */
	int report = fcntl(2, F_DUPFD_CLOEXEC, 10);
	close(0);
	close(1);
	close(2);
	csys_output output;
	const char *argv[] = { helper(), "handles", NULL };
	int r = csys_run(argv, NULL, &output);
	int ok = r == 0 && strcmp(output.out.data, "0 1 2 \n") == 0;
	csys_child *child = NULL;
	csys_command *command = helper_command("exit", "4", NULL);
	csys_exit end = { 0 };
	int spawn = csys_command_spawn(command, &child);
	if (spawn == 0 && csys_child_handle(child) != CSYS_NO_HANDLE)
		ok &= csys_child_handle(child) > 2;
	if (spawn == 0)
		spawn = csys_child_wait(child, &end);
	ok &= spawn == 0 && end.value == 4;
	for (int i = 0; i < 3; i++)
		ok &= fcntl(i, F_GETFD) < 0;
	csys_output_free(&output);
	csys_command_free(command);
	csys_child_close(child, CSYS_CLOSE_KILL);
	dup2(report, 2);
	CHECK(ok);
}

static void closed_streams_at_start_do_no_harm(void **state)
{
	(void)state;
	in_process(without_streams);
}

/* ---- a high limit on handles ----------------------------------------------------------- */

#define MILLION 1000000

/* Raise both limits on handles to a million, or as far as this user may; returns the limit. */
static int raise_limit(void)
{
	struct rlimit limit = { MILLION, MILLION };
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
		if (limit.rlim_max > MILLION)
			limit.rlim_max = MILLION;
		limit.rlim_cur = limit.rlim_max;
		CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	}
	return (int)limit.rlim_cur;
}

/* Skips below a thousand, where nothing is high. */
static void skip_without_high_handles(void)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (under_valgrind())
		skip_because("valgrind holds the limit");
	if (limit.rlim_max < 1000)
		skip_because("the hard limit on handles is below 1000");
}

/* A reader with this number, inheritable, that gives a word and the end. */
static void put_reader(int number, const char *word)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], word, strlen(word)) == (ssize_t)strlen(word));
	close(ends[1]);
	CHECK(dup2(ends[0], number) == number);
	close(ends[0]);
}

static void assert_numbered(csys_command *command, const char *expected)
{
	csys_output output;
	CHECK(csys_command_output(command, NULL, &output) == 0);
	if (strcmp(output.out.data, expected) != 0)
		fprintf(stderr, "%s, not %s\n", output.out.data, expected);
	CHECK(strcmp(output.out.data, expected) == 0);
	csys_output_free(&output);
	csys_command_free(command);
}

static void spawn_with_high_handles(void)
{
	char last[16], before[16], expected[64];
	int most = raise_limit();
	printf("the limit is %d handles\n", most);
	snprintf(last, sizeof last, "%d", most - 1);
	snprintf(before, sizeof before, "%d", most - 2);
	put_reader(most - 1, "far");
	put_reader(most / 2, "half");
	put_reader(700, "near");

	/* None of them. */
	char half[16];
	snprintf(half, sizeof half, "%d", most / 2);
	assert_numbered(helper_command("numbered", "700", half, before, last, NULL), "");

	/* All, where none is to be kept out. */
	csys_command *command = helper_command("numbered", "700", last, NULL);
	csys_command_inherit_handles(command, 1);
	snprintf(expected, sizeof expected, "700:near\n%s:far\n", last);
	assert_numbered(command, expected);

	/* From a high number to a low one, the other way, and next to the highest. */
	put_reader(most - 1, "far");
	put_reader(700, "near");
	command = helper_command("numbered", "3", "700", before, last, NULL);
	csys_command_map(command, most - 1, 3);
	csys_command_map(command, 700, most - 1);
	csys_command_map(command, most / 2, most - 2);
	snprintf(expected, sizeof expected, "3:far\n%s:half\n%s:near\n", before, last);
	assert_numbered(command, expected);

	/* The two highest change places. */
	put_reader(most - 2, "second");
	put_reader(most - 1, "first");
	command = helper_command("numbered", before, last, NULL);
	csys_command_map(command, most - 1, most - 2);
	csys_command_map(command, most - 2, most - 1);
	snprintf(expected, sizeof expected, "%s:first\n%s:second\n", before, last);
	assert_numbered(command, expected);
	fflush(stdout);
}

static void with_a_million_handles_allowed_the_child_gets_only_what_it_is_given(void **state)
{
	(void)state;
	skip_without_high_handles();
	in_process(spawn_with_high_handles);
}

static void open_high_and_lower_the_limit(void)
{
	char number[16];
	struct rlimit limit;
	int most = raise_limit();
	snprintf(number, sizeof number, "%d", most - 1);
	put_reader(most - 1, "far");
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 64; /* the hard one stays */
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	assert_numbered(helper_command("numbered", number, NULL), "");
	limit.rlim_max = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	assert_numbered(helper_command("numbered", number, NULL), "");
}

static void a_handle_above_a_lowered_limit_is_kept_out_too(void **state)
{
	(void)state;
	skip_without_high_handles();
	in_process(open_high_and_lower_the_limit);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(without_streams),
		PART(spawn_with_high_handles),
		PART(open_high_and_lower_the_limit),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(it_starts_the_program),
		TEST(a_failure_names_its_step_and_leaves_out_alone),
		TEST(blocked_signals_stay_blocked_here_and_not_there),
		TEST(dispositions_are_default_there_and_as_they_were_here),
		TEST(streams_are_assigned_all_at_once),
		TEST(a_stream_can_be_its_own_number),
		TEST(other_handles_are_closed_unless_inherited),
		TEST(closed_streams_at_start_do_no_harm),
		TEST(with_a_million_handles_allowed_the_child_gets_only_what_it_is_given),
		TEST(a_handle_above_a_lowered_limit_is_kept_out_too),
	};
	return RUN(tests);
}
