/*
 * process/test_command_options.c - promises of csys/process/command_options.h: what else the
 * child can be given.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* what is beyond POSIX */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"
#include "support/system.h"

/* Whether the helper can read its own state; tests/fallback takes /proc away. */
static int has_proc(void)
{
	return access("/proc/self/status", R_OK) == 0;
}

/* What the helper says of itself; the command stays. */
static char *says(csys_command *command)
{
	static char text[8192];
	csys_output output;
	int r = csys_command_output(command, NULL, &output);
	if (r < 0)
		print_error("%s: %s\n", csys_step_name(csys_spawn_failed_step()), csys_strerror(r));
	assert_int_equal(r, 0);
	assert_true(csys_exit_success(output.exit));
	snprintf(text, sizeof text, "\n%s", output.out.data);
	csys_output_free(&output);
	return text;
}

static void assert_says(csys_command *command, const char *line)
{
	char with_ends[256];
	const char *text = says(command);
	snprintf(with_ends, sizeof with_ends, "\n%s\n", line);
	if (!strstr(text, with_ends))
		print_error("not in it: %s%s", line, text);
	assert_non_null(strstr(text, with_ends));
}

/* A reader that gives these few bytes and the end. */
static csys_handle given(const char *text)
{
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	assert_int_equal(csys_stream_write_all(writer, text, strlen(text), NULL), 0);
	csys_handle_close(writer);
	return reader;
}

/* ---- handles ---------------------------------------------------------------------- */

static void handles_get_the_numbers_that_were_said(void **state)
{
	(void)state;
	csys_command *command = helper_command("mapped", NULL);
	csys_handle one = given("one");
	csys_command_map(command, one, 5);
	csys_command_map_take(command, given("two"), 9);
	assert_string_equal(says(command), "\n5:one\n9:two\n");
	csys_handle_close(one);
	csys_command_free(command);
}

static void mapped_handles_can_be_exchanged(void **state)
{
	(void)state;
	/* On their own numbers, then each on the next one's. */
	int numbers[3];
	for (int i = 0; i < 3; i++) {
		char text[2] = { (char)('a' + i), 0 };
		csys_handle reader = given(text);
		numbers[i] = fcntl((int)reader, F_DUPFD_CLOEXEC, 5 + i);
		assert_int_equal(numbers[i], 5 + i);
		csys_handle_close(reader);
	}
	csys_command *command = helper_command("mapped", NULL);
	csys_command_map(command, 5, 6);
	csys_command_map(command, 6, 7);
	csys_command_map(command, 7, 5);
	assert_string_equal(says(command), "\n5:c\n6:a\n7:b\n");
	csys_command_free(command);
	for (int i = 0; i < 3; i++)
		close(numbers[i]);
}

static void a_handle_can_keep_its_number_and_streams_can_be_mapped(void **state)
{
	(void)state;
	csys_handle reader = given("kept");
	int nine = fcntl((int)reader, F_DUPFD_CLOEXEC, 9);
	csys_command *command = helper_command("mapped", NULL);
	csys_command_map(command, nine, 9);
	assert_string_equal(says(command), "\n9:kept\n");
	assert_true(fcntl(nine, F_GETFD) & FD_CLOEXEC); /* here as before */
	csys_command_free(command);

	/* The stream's own handle at a number of its own, and as a stream. */
	command = helper_command("handles", NULL);
	csys_command_stdio_handle(command, CSYS_STDIN, nine);
	csys_command_map(command, nine, 700);
	assert_string_equal(says(command), "\n0 1 2 700 \n");
	csys_command_free(command);
	close(nine);
	csys_handle_close(reader);
}

static void the_last_mapping_of_a_number_counts_and_none_leaks(void **state)
{
	(void)state;
	csys_command *command = helper_command("mapped", NULL);
	csys_command_map_take(command, given("first"), 4);
	csys_handle last = given("last");
	csys_command_map_take(command, last, 4);
	csys_command_map_take(command, last, 4);
	csys_command_map_take(command, last, 6);
	assert_string_equal(says(command), "\n4:last\n6:\n");
	/* Spent. */
	assert_fails(command, CSYS_EBADF, CSYS_STEP_HANDLE);
}

static int do_nothing(void *unused)
{
	(void)unused;
	return 0;
}

/* The ways in which a child can be made: plainly, with a hook, as a user; the last if root. */
enum { PLAINLY, HOOKED, AS_USER, WAYS };

static int ways(void)
{
	return getuid() == 0 ? WAYS : AS_USER;
}

static void make_so(csys_command *command, int way)
{
	if (way == HOOKED)
		csys_command_pre_exec(command, do_nothing, NULL);
	if (way == AS_USER)
		csys_command_uid(command, 0);
}

/* Whatever number it is, the library may have something there in the child. */
static void no_number_is_the_librarys_own(void **state)
{
	(void)state;
	for (int way = 0; way < ways(); way++) {
		for (int number = 3; number < 24; number++) {
			FILE *file = tmpfile();
			assert_non_null(file);
			csys_command *command = csys_command_new("/no/such/program");
			make_so(command, way);
			csys_command_map(command, fileno(file), number);
			if (csys_can(CSYS_CAN_DIE_WITH_PARENT)) /* which takes one more */
				csys_command_die_with_parent(command, SIGKILL);
			assert_fails(command, CSYS_ENOENT, CSYS_STEP_EXEC);
			assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
			fclose(file);

			char expected[32];
			snprintf(expected, sizeof expected, "\n%d:it\n", number);
			char word[16];
			snprintf(word, sizeof word, "%d", number);
			command = helper_command("numbered", word, NULL);
			make_so(command, way);
			csys_command_map_take(command, given("it"), number);
			assert_string_equal(says(command), expected);
			csys_command_free(command);
		}
	}
}

/* Many at once, so that no place is left but above all of them. */
static void all_low_numbers_can_be_given_at_once(void **state)
{
	(void)state;
	for (int way = 0; way < ways(); way++) {
		FILE *file = tmpfile();
		assert_non_null(file);
		csys_command *command = csys_command_new("/no/such/program");
		make_so(command, way);
		for (int number = 3; number < 64; number++)
			csys_command_map(command, fileno(file), number);
		assert_fails(command, CSYS_ENOENT, CSYS_STEP_EXEC);
		assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
		fclose(file);
	}
}

static void map_beyond_the_limit(void)
{
	struct rlimit limit;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int way = 0; way < ways(); way++) {
		csys_child *child;
		csys_command *command = helper_command("exit", "0", NULL);
		make_so(command, way);
		csys_command_map(command, 0, 64);
		CHECK(csys_command_spawn(command, &child) == CSYS_EMFILE);
		CHECK(csys_spawn_failed_step() == CSYS_STEP_HANDLE);
		CHECK(csys_os_error() == EMFILE);
		csys_command_free(command);
	}
}

static void a_number_above_the_limit_is_emfile(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind does not tell the limit as it is");
	in_process(map_beyond_the_limit);
}

static void bad_settings_are_kept_as_einval(void **state)
{
	(void)state;
	const char *const no_key[] = { "=x", NULL }, *const no_value[] = { "x", NULL };
	const unsigned far = 1u << 30;
	const uint32_t nobody = UINT32_MAX;
	const int no_signal = 65;
	for (int i = 0; i < 24; i++) {
		csys_command *command = csys_command_new("true");
		int expected = CSYS_EINVAL;
		switch (i) {
		case 0:
			csys_command_map(command, 0, 2);
			break;
		case 1:
			csys_command_map(command, 0, -1);
			break;
		case 2:
			csys_command_map(command, CSYS_NO_HANDLE, 5);
			expected = CSYS_EBADF;
			break;
		case 3:
			csys_command_environment(command, NULL);
			break;
		case 4:
			csys_command_environment(command, no_key);
			break;
		case 5:
			csys_command_environment(command, no_value);
			break;
		case 6:
			csys_command_process_group(command, -1);
			break;
		case 7:
			csys_command_new_session(command);
			csys_command_process_group(command, 0);
			break;
		case 8:
			csys_command_process_group(command, 0);
			csys_command_new_session(command);
			break;
		case 9:
			csys_command_terminal(command, CSYS_NO_HANDLE);
			break;
		case 10:
			csys_command_limit(command, 99, 0, 0);
			break;
		case 11:
			csys_command_limit(command, CSYS_LIMIT_CPU, 2, 1);
			break;
		case 12:
			csys_command_nice(command, 20);
			break;
		case 13:
			csys_command_scheduling(command, 9, 0);
			break;
		case 14:
			csys_command_scheduling(command, CSYS_SCHEDULING_FIFO, 100);
			break;
		case 15:
			csys_command_affinity(command, NULL, 1);
			break;
		case 16:
			csys_command_affinity(command, &far, 1);
			break;
		case 17:
			csys_command_umask(command, 01000);
			break;
		case 18:
			csys_command_uid(command, nobody);
			break;
		case 19:
			csys_command_groups(command, &nobody, 1);
			break;
		case 20:
			csys_command_chroot(command, "");
			break;
		case 21:
			csys_command_die_with_parent(command, 0);
			break;
		case 22:
			csys_command_block_signals(command, &no_signal, 1);
			break;
		default:
			csys_command_pre_exec(command, NULL, NULL);
			break;
		}
		assert_int_equal(csys_command_error(command), expected);
		csys_command_free(command);
	}
}

static void an_explicit_environment_is_all_there_is(void **state)
{
	(void)state;
	const char *const variables[] = { "B=2", "A=1=1", "EMPTY=", NULL };
	csys_command *command = helper_command("env", NULL);
	csys_command_env(command, "C", "3");
	csys_command_environment(command, variables);
	assert_string_equal(says(command), "\nA=1=1\nB=2\nEMPTY=\n");
	csys_command_free(command);
}

/* ---- sessions, resources, users --------------------------------------------------------- */

static void groups_and_sessions_are_led_and_joined(void **state)
{
	(void)state;
	csys_command *command = helper_command("state", NULL);
	assert_says(command, "leads group 0 session 0");
	csys_command_process_group(command, 0);
	assert_says(command, "leads group 1 session 0");
	csys_command_process_group(command, getpgrp());
	assert_says(command, "leads group 0 session 0");
	csys_command_free(command);

	command = helper_command("state", NULL);
	csys_command_new_session(command);
	assert_says(command, "leads group 1 session 1");
	assert_says(command, "terminal 0");
	csys_command_free(command);

	command = helper_command("state", NULL);
	csys_command_process_group(command, 1); /* of another session */
	assert_fails(command, CSYS_EPERM, CSYS_STEP_SESSION);
}

static void a_terminal_controls_the_session(void **state)
{
	(void)state;
	needs_terminals();
	int controller = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(controller >= 0 && grantpt(controller) == 0 && unlockpt(controller) == 0);
	int terminal = open(ptsname(controller), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	csys_command *command = helper_command("state", NULL);
	csys_command_terminal(command, terminal);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	assert_says(command, "terminal 1");
	assert_says(command, "leads group 1 session 1");
	csys_command_free(command);

	/* Streams that are not set otherwise are the terminal. */
	csys_exit end;
	command = helper_command("script", "terminal", NULL);
	csys_command_terminal(command, terminal);
	assert_int_equal(csys_command_run(command, &end), 0);
	assert_true(csys_exit_success(end));
	csys_command_free(command);
	close(terminal);
	close(controller);

	/* What is no terminal cannot control anything. */
	csys_handle no_terminal = given("x");
	command = helper_command("state", NULL);
	csys_command_terminal(command, no_terminal);
	csys_child *child = NULL;
	assert_true(csys_command_spawn(command, &child) < 0);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_TERMINAL);
	csys_command_free(command);
	csys_handle_close(no_terminal);
}

/* The first line that a program writes on a pseudo-terminal. */
static void first_line(csys_pty *pty, char *line, size_t room)
{
	size_t length = 0, size = 1;
	while (length + 1 < room && size > 0) {
		int r = csys_pty_read_until(pty, line + length, 1, csys_after_s(60), &size);
		assert_int_equal(r, 0);
		if (size == 0 || line[length] == '\r')
			break;
		length++;
	}
	line[length] = '\0';
}

static void a_pty_controls_the_session_and_is_the_streams(void **state)
{
	(void)state;
	char line[256], expected[256];
	csys_pty *pty = opened_pty();
	csys_command *command = csys_command_build(
		"sh", "-c", "test -t 0 && test -t 2 && : >/dev/tty && tty && read line", NULL);
	csys_command_pty(command, pty);
	csys_child *child = NULL;
	assert_int_equal(csys_command_spawn(command, &child), 0);
	snprintf(expected, sizeof expected, "%s", csys_pty_name(pty));
	first_line(pty, line, sizeof line);
	assert_string_equal(line, expected);
	/* It leads its group, which is what the terminal signals. */
	assert_int_equal(csys_child_signal_group(child, SIGKILL), 0);
	assert_int_equal(csys_exit_signal(finished(child)), SIGKILL);

	/* The side counts as it is at the spawn. */
	csys_pty_close_terminal(pty);
	assert_int_equal(csys_command_spawn(command, &child), CSYS_EBADF);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_TERMINAL);
	csys_pty_close(pty);
	csys_command_free(command);
}

static void of_a_pty_and_a_terminal_the_last_counts(void **state)
{
	(void)state;
	char line[256];
	csys_pty *first = opened_pty(), *last = opened_pty();
	for (int i = 0; i < 2; i++) {
		csys_command *command = csys_command_build("tty", NULL);
		if (i == 0)
			csys_command_terminal(command, csys_pty_terminal(first));
		csys_command_pty(command, i == 0 ? last : first);
		if (i == 1)
			csys_command_terminal(command, csys_pty_terminal(last));
		csys_child *child = spawned(command);
		first_line(last, line, sizeof line);
		assert_string_equal(line, csys_pty_name(last));
		assert_true(csys_exit_success(finished(child)));
		csys_pty_close(last);
		last = i == 0 ? opened_pty() : NULL;
	}
	csys_pty_close(first);

	csys_command *command = csys_command_new("true");
	csys_command_pty(command, NULL);
	assert_int_equal(csys_command_error(command), CSYS_EINVAL);
	csys_command_free(command);
	csys_command_pty(NULL, NULL);
}

static void limits_priority_and_umask_are_set(void **state)
{
	(void)state;
	int priority = getpriority(PRIO_PROCESS, 0);
	if (under_valgrind())
		skip_because("valgrind keeps the hard limit on handles");
	csys_command *command = helper_command("state", NULL);
	csys_command_limit(command, CSYS_LIMIT_CORE, 0, 0);
	csys_command_limit(command, CSYS_LIMIT_CPU, 1000, 2000);
	csys_command_limit(command, CSYS_LIMIT_HANDLES, 50, 60);
	csys_command_limit(command, CSYS_LIMIT_FILE_SIZE, 1 << 20, 2 << 20);
	csys_command_nice(command, 7);
	csys_command_umask(command, 0137);
	const char *text = says(command);
	assert_non_null(strstr(text, "\nnice 7\numask 137\nlimit 0 0\nlimit 1000 2000\n"
				     "limit 50 60\nlimit 1048576 2097152\n"));
	csys_command_free(command);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), priority); /* here as before */
}

static void policy_and_cpus_are_set_where_the_system_can(void **state)
{
	(void)state;
	const unsigned first = 0;
	csys_command *command = helper_command("state", NULL);
	csys_command_affinity(command, &first, 1);
	if (!csys_can(CSYS_CAN_AFFINITY)) {
		assert_fails(command, CSYS_ENOTSUP, CSYS_STEP_SCHEDULING);
		return;
	}
	csys_command_scheduling(command, CSYS_SCHEDULING_BATCH, 0);
	const char *text = says(command);
	if (has_proc())
		assert_non_null(strstr(text, "\nCpus_allowed_list:\t0\n"));
	/* musl does not tell: its sched_getscheduler fails by design. */
	assert_true(strstr(text, "\npolicy 3\n") || strstr(text, "\npolicy -1\n"));
	csys_command_free(command);

	const unsigned absent = 60000;
	command = helper_command("state", NULL);
	csys_command_affinity(command, &absent, 1);
	assert_fails(command, CSYS_EINVAL, CSYS_STEP_SCHEDULING);
}

static void the_user_is_changed_for_good(void **state)
{
	(void)state;
	csys_command *command = helper_command("state", NULL);
	csys_command_uid(command, 65534);
	csys_command_gid(command, 65533);
	if (getuid() != 0) {
		assert_fails(command, CSYS_EPERM, CSYS_STEP_USER);
		return;
	}
	/* The directory of the build may be closed to others. */
	csys_command_free(command);
	needs_shell();
	command = csys_command_new("sh");
	csys_command_args(command,
			  (const char *const[]){ "-c", "id -u; id -ru; id -g; id -G", NULL });
	csys_command_uid(command, 65534);
	csys_command_gid(command, 65533);
	assert_string_equal(says(command), "\n65534\n65534\n65533\n65533\n");
	const uint32_t groups[] = { 12, 34 };
	csys_command_groups(command, groups, 2);
	assert_string_equal(says(command), "\n65534\n65534\n65533\n65533 12 34\n");
	/* This process can still be dumped and traced. */
	assert_int_not_equal(is_open_to_its_user(), 0);
	assert_int_equal(getuid(), 0);
	csys_command_free(command);
}

static void another_root_is_entered(void **state)
{
	(void)state;
	csys_command *command = helper_command("cwd", NULL);
	csys_command_chroot(command, "/");
	if (!csys_can(CSYS_CAN_ROOT)) {
		assert_fails(command, CSYS_ENOTSUP, CSYS_STEP_ROOT);
		return;
	}
	if (getuid() != 0) {
		assert_fails(command, CSYS_EPERM, CSYS_STEP_ROOT);
		return;
	}
	assert_string_equal(says(command), "\n/\n"); /* not where this process is */
	csys_command_cwd(command, "/usr");
	assert_string_equal(says(command), "\n/usr\n");
	csys_command_chroot(command, "/no/such/root");
	assert_fails(command, CSYS_ENOENT, CSYS_STEP_ROOT);

	/* The program is looked for inside. */
	char folder[] = "csys-root-XXXXXX";
	assert_non_null(mkdtemp(folder));
	command = helper_command("cwd", NULL);
	csys_command_chroot(command, folder);
	assert_fails(command, CSYS_ENOENT, CSYS_STEP_EXEC);
	rmdir(folder);
}

static void no_new_privileges_are_had(void **state)
{
	(void)state;
	csys_command *command = helper_command("state", NULL);
	csys_command_no_new_privileges(command);
	if (!csys_can(CSYS_CAN_NO_NEW_PRIVILEGES)) {
		assert_fails(command, CSYS_ENOTSUP, CSYS_STEP_USER);
		return;
	}
	const char *text = says(command);
	if (has_proc())
		assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	csys_command_free(command);
}

static void signals_are_inherited_ignored_and_blocked_as_said(void **state)
{
	(void)state;
	struct sigaction ignore = { 0 }, standard = { 0 }, old[65];
	sigset_t some, before;
	const int blocked[] = { SIGUSR1, SIGTERM };
	ignore.sa_handler = SIG_IGN;
	standard.sa_handler = SIG_DFL;

	/* Whatever this process was started with; a shell's background job ignores some. */
	const int last = under_valgrind() ? 63 : 64;
	for (int i = 1; i <= last; i++)
		if (sigaction(i, NULL, &old[i]) == 0)
			sigaction(i, i == SIGPIPE || i == SIGHUP ? &ignore : &standard, NULL);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &some, &before);

	char text[4][256];
	csys_command *command = helper_command("signals", NULL);
	snprintf(text[0], 256, "%s", says(command));
	csys_command_disposition(command, SIGINT, CSYS_DISPOSITION_IGNORE);
	csys_command_block_signals(command, blocked, 2);
	snprintf(text[1], 256, "%s", says(command));
	csys_command_free(command);
	command = helper_command("signals", NULL);
	csys_command_inherit_signals(command);
	snprintf(text[2], 256, "%s", says(command));
	csys_command_disposition(command, SIGHUP, CSYS_DISPOSITION_DEFAULT);
	csys_command_block_signals(command, NULL, 0);
	snprintf(text[3], 256, "%s", says(command));
	csys_command_free(command);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (int i = 1; i <= last; i++)
		sigaction(i, &old[i], NULL);

	assert_string_equal(text[0], "\n");
	assert_string_equal(text[1], "\nnot default 2\nblocked 10\nblocked 15\n");
	assert_string_equal(text[2], "\nnot default 1\nblocked 12\nnot default 13\n");
	assert_string_equal(text[3], "\nnot default 13\n");
}

/* ---- parent, hooks, exec ------------------------------------------------------------------- */

static void start_and_die(void)
{
	/* Tell the pid through the stream that the grandchild writes to as well, and go. */
	csys_child *child;
	csys_command *command = helper_command("wait", NULL);
	csys_command_die_with_parent(command, SIGKILL);
	CHECK(csys_command_spawn(command, &child) == 0);
	_exit(0);
}

static void it_dies_with_its_parent(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_DIE_WITH_PARENT)) {
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_die_with_parent(command, SIGKILL);
		assert_fails(command, CSYS_ENOTSUP, CSYS_STEP_PARENT);
		return;
	}
	/* The pipe ends when both have died: a survivor would hold it for ever. */
	csys_handle reader, writer;
	char text[64];
	size_t size;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
	fflush(stdout);
	dup2((int)writer, 1);
	csys_handle_close(writer);
	in_process(start_and_die);
	dup2(saved, 1);
	close(saved);
	assert_int_equal(
		csys_stream_read_all_until(reader, text, sizeof text, csys_after_s(60), &size), 0);
	csys_handle_close(reader);
}

static int way_in_namespace;

static void start_in_a_namespace(void)
{
	if (enter_pid_namespace() < 0)
		_exit(77);
	/* It is the first one in it, and there is no second. */
	csys_child *child;
	csys_command *command = helper_command("stay", NULL);
	make_so(command, way_in_namespace);
	csys_command_die_with_parent(command, SIGKILL);
	int r = csys_command_spawn(command, &child);
	if (!csys_can(CSYS_CAN_PROCESS_HANDLE)) {
		CHECK(r == CSYS_ENOTSUP);
		CHECK(csys_spawn_failed_step() == CSYS_STEP_PARENT);
	} else {
		CHECK(r == 0);
	}
	csys_command_free(command);
	_exit(0);
}

static int refuse(void *unused)
{
	(void)unused;
	return CSYS_EBUSY;
}

/* Its hook runs after the look at the parent. */
static void start_with_no_handles_in_a_namespace(void)
{
	csys_child *child;
	if (enter_pid_namespace() < 0)
		_exit(77);
	if (!csys_can(CSYS_CAN_PROCESS_HANDLE))
		_exit(0);
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_die_with_parent(command, SIGKILL);
	csys_command_limit(command, CSYS_LIMIT_HANDLES, 0, 0);
	csys_command_pre_exec(command, refuse, NULL);
	int r = csys_command_spawn(command, &child);
	CHECK(csys_spawn_failed_step() == CSYS_STEP_HOOK);
	CHECK(r == CSYS_EBUSY);
	csys_command_free(command);
	_exit(0);
}

/* Each number that the handle of the parent can have is given to a pipe that has ended. */
static void start_with_all_numbers_taken_in_a_namespace(void)
{
	csys_child *child;
	csys_handle reader, writer;
	if (enter_pid_namespace() < 0)
		_exit(77);
	if (!csys_can(CSYS_CAN_PROCESS_HANDLE))
		_exit(0);
	CHECK(csys_pipe_create(&reader, &writer) == 0);
	csys_handle_close(writer);
	csys_command *command = helper_command("exit", "0", NULL);
	for (int number = 3; number < 40; number++)
		csys_command_map(command, reader, number);
	csys_command_die_with_parent(command, SIGKILL);
	int r = csys_command_spawn(command, &child);
	CHECK(r == 0);
	csys_command_free(command);
	_exit(0);
}

static void the_handle_of_the_parent_is_kept_apart_from_mapped_numbers(void **state)
{
	(void)state;
	int r = result_in_child(start_with_all_numbers_taken_in_a_namespace);
	if (r == 77)
		skip_because("no pid namespaces for this user");
	assert_int_equal(r, 0);
}

static void the_first_of_a_pid_namespace_may_have_a_limit_of_no_handles(void **state)
{
	(void)state;
	int r = result_in_child(start_with_no_handles_in_a_namespace);
	if (r == 77)
		skip_because("no pid namespaces for this user");
	assert_int_equal(r, 0);
}

static void the_first_of_a_pid_namespace_dies_with_its_parent_too(void **state)
{
	(void)state;
	for (way_in_namespace = 0; way_in_namespace < ways(); way_in_namespace++) {
		csys_handle reader, writer;
		char text[64];
		size_t size;
		assert_int_equal(csys_pipe_create(&reader, &writer), 0);
		int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
		fflush(stdout);
		dup2((int)writer, 1);
		csys_handle_close(writer);
		int r = result_in_child(start_in_a_namespace);
		dup2(saved, 1);
		close(saved);
		int ended = csys_stream_read_all_until(reader, text, sizeof text, csys_after_s(60),
						       &size);
		csys_handle_close(reader);
		if (r == 77)
			skip_because("no pid namespaces for this user");
		assert_int_equal(r, 0);
		assert_int_equal(ended, 0);
	}
}

static int say_hook(void *word)
{
	ssize_t written = write(1, word, strlen(word));
	return written > 0 ? 0 : CSYS_EIO;
}

static int refuse_hook(void *result)
{
	return *(int *)result;
}

static void hooks_run_in_order_and_can_refuse(void **state)
{
	(void)state;
	char one[] = "one ", two[] = "two ";
	int refusal = CSYS_E2BIG, fine = 0;
	csys_command *command = helper_command("say", "three", NULL);
	csys_command_pre_exec(command, say_hook, one);
	csys_command_pre_exec(command, say_hook, two);
	csys_command_pre_exec(command, refuse_hook, &fine);
	assert_string_equal(says(command), "\none two three");
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	csys_command_pre_exec(command, refuse_hook, &refusal);
	assert_fails(command, CSYS_E2BIG, CSYS_STEP_HOOK);

	command = csys_command_new("/no/such/program");
	csys_command_pre_exec(command, refuse_hook, &fine);
	assert_fails(command, CSYS_ENOENT, CSYS_STEP_EXEC);
}

static void become_another(void)
{
	csys_command *command = csys_command_new("/no/such/program");
	CHECK(csys_command_exec(command) == CSYS_ENOENT);
	CHECK(csys_spawn_failed_step() == CSYS_STEP_EXEC);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	CHECK(csys_command_exec(command) == CSYS_EINVAL);
	csys_command_free(command);

	command = helper_command("script", "is-env", "A", "b", "is-cwd", "/", NULL);
	csys_command_env(command, "A", "b");
	csys_command_cwd(command, "/");
	int r = csys_command_exec(command);
	CHECK(r == 0); /* not reached */
}

static void exec_becomes_the_program(void **state)
{
	(void)state;
	in_process(become_another);
}

static void everything_at_once(void **state)
{
	(void)state;
	int fine = 0;
	const unsigned first = 0;
	for (int hook = 0; hook <= 1; hook++) {
		csys_command *command = helper_command("state", NULL);
		csys_command_cwd(command, "/");
		csys_command_env(command, "A", "b");
		csys_command_map_take(command, given("x"), 8);
		csys_command_new_session(command);
		csys_command_limit(command, CSYS_LIMIT_CORE, 0, 0);
		csys_command_nice(command, 3);
		csys_command_umask(command, 077);
		csys_command_disposition(command, SIGHUP, CSYS_DISPOSITION_IGNORE);
		if (csys_can(CSYS_CAN_AFFINITY))
			csys_command_affinity(command, &first, 1);
		if (csys_can(CSYS_CAN_NO_NEW_PRIVILEGES))
			csys_command_no_new_privileges(command);
		if (csys_can(CSYS_CAN_DIE_WITH_PARENT))
			csys_command_die_with_parent(command, SIGTERM);
		if (csys_can(CSYS_CAN_ROOT) && getuid() == 0)
			csys_command_chroot(command, "/");
		if (csys_can(CSYS_CAN_USER) && getuid() == 0) {
			const uint32_t groups[] = { 7 };
			csys_command_groups(command, groups, 1);
			csys_command_gid(command, 0);
			csys_command_uid(command, 0);
		}
		if (hook)
			csys_command_pre_exec(command, refuse_hook, &fine);
		const char *text = says(command);
		assert_non_null(strstr(text, "\nleads group 1 session 1\n"));
		assert_non_null(strstr(text, "\nnice 3\numask 77\nlimit 0 0\n"));
		if (csys_can(CSYS_CAN_NO_NEW_PRIVILEGES) && has_proc())
			assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
		if (csys_can(CSYS_CAN_USER) && getuid() == 0)
			assert_non_null(strstr(text, "\ngroups 7\n"));
		csys_command_free(command);
	}
}

static void without_memory_settings_keep_enomem(void **state)
{
	(void)state;
	const unsigned first = 0;
	const uint32_t groups[] = { 1 };
	const char *const variables[] = { "A=1", NULL };
	int nth = 1;
	for (;; nth++) {
		csys_handle handle = given("x");
		int fine = 0;
		csysi_fault_arm(nth);
		csys_command *command = csys_command_new("x");
		csys_command_map_take(command, handle, 5);
		csys_command_affinity(command, &first, 1);
		csys_command_groups(command, groups, 1);
		csys_command_chroot(command, "/");
		csys_command_environment(command, variables);
		csys_command_pre_exec(command, refuse_hook, &fine);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(csys_command_error(command), fired ? CSYS_ENOMEM : 0);
		csys_command_free(command);
		if (!fired)
			break;
	}
	assert_int_equal(nth, 13);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(map_beyond_the_limit),
		PART(start_and_die),
		PART(become_another),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(handles_get_the_numbers_that_were_said),
		TEST(mapped_handles_can_be_exchanged),
		TEST(a_handle_can_keep_its_number_and_streams_can_be_mapped),
		TEST(the_last_mapping_of_a_number_counts_and_none_leaks),
		TEST(no_number_is_the_librarys_own),
		TEST(all_low_numbers_can_be_given_at_once),
		TEST(a_number_above_the_limit_is_emfile),
		TEST(bad_settings_are_kept_as_einval),
		TEST(an_explicit_environment_is_all_there_is),
		TEST(groups_and_sessions_are_led_and_joined),
		TEST(a_terminal_controls_the_session),
		TEST(a_pty_controls_the_session_and_is_the_streams),
		TEST(of_a_pty_and_a_terminal_the_last_counts),
		TEST(limits_priority_and_umask_are_set),
		TEST(policy_and_cpus_are_set_where_the_system_can),
		TEST(the_user_is_changed_for_good),
		TEST(another_root_is_entered),
		TEST(no_new_privileges_are_had),
		TEST(signals_are_inherited_ignored_and_blocked_as_said),
		TEST(it_dies_with_its_parent),
		TEST(the_first_of_a_pid_namespace_dies_with_its_parent_too),
		TEST(the_first_of_a_pid_namespace_may_have_a_limit_of_no_handles),
		TEST(the_handle_of_the_parent_is_kept_apart_from_mapped_numbers),
		TEST(hooks_run_in_order_and_can_refuse),
		TEST(exec_becomes_the_program),
		TEST(everything_at_once),
		TEST(without_memory_settings_keep_enomem),
	};
	return RUN(tests);
}
