/*
 * process/test_spawn.c - promises of csys/process/spawn.h.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

static char folder[] = "csys-spawn-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	const char *argv[] = { "rm", "-rf", folder, NULL };
	csys_output output;
	int r = csys_run(argv, NULL, &output);
	csys_output_free(&output);
	return r;
}

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_writes(csys_command *command, const char *expected)
{
	csys_output output;
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	assert_string_equal(output.out.data, expected);
	csys_output_free(&output);
	csys_command_free(command);
}

/* ---- what cannot be run ------------------------------------------------------------ */

static void a_missing_program_and_a_missing_directory_differ(void **state)
{
	(void)state;
	assert_fails(csys_command_new("/no/such/program"), CSYS_ENOENT, CSYS_STEP_EXEC);
	assert_fails(csys_command_new("no-such-program"), CSYS_ENOENT, CSYS_STEP_EXEC);

	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_cwd(command, "/no/such/folder");
	assert_fails(command, CSYS_ENOENT, CSYS_STEP_CWD);
	command = helper_command("exit", "0", NULL);
	csys_command_cwd(command, helper());
	assert_fails(command, CSYS_ENOTDIR, CSYS_STEP_CWD);
}

static void a_step_has_a_name(void **state)
{
	(void)state;
	for (int i = CSYS_STEP_NONE; i <= CSYS_STEP_HOOK; i++)
		assert_string_not_equal(csys_step_name(i), "unknown step");
	assert_string_equal(csys_step_name(CSYS_STEP_CWD), "change directory");
	assert_string_equal(csys_step_name(CSYS_STEP_HOOK + 1), "unknown step");
	assert_string_equal(csys_step_name(-1), "unknown step");
}

static void assert_error_text(const char *expected)
{
	char text[CSYS_ERROR_TEXT];
	assert_ptr_equal(csys_error_text(text, sizeof text), text);
	assert_string_equal(text, expected);
}

static void the_error_text_names_program_step_result_and_system_code(void **state)
{
	(void)state;
	assert_fails(csys_command_new("/no/such"), CSYS_ENOENT, CSYS_STEP_EXEC);
	assert_error_text("/no/such: cannot run the program: no such file, directory or program "
			  "(OS error 2)");

	/* ... also when the command is no more, and no code of the system belongs to it. */
	csys_command *command = csys_command_new("true");
	csys_command_env(command, "", "x");
	assert_fails(command, CSYS_EINVAL, CSYS_STEP_COMMAND);
	assert_error_text("true: cannot build the command (csys_command_env): invalid argument");
	csys_exit end;
	assert_int_equal(csys_command_run(NULL, &end), CSYS_ENOMEM);
	assert_error_text("no program: cannot build the command: out of memory");

	csys_output output;
	csys_output_options options = { .grace_ns = -1 };
	command = csys_command_new("cat");
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_EINVAL);
	assert_error_text("cat: cannot build the command: invalid argument");
	csys_command_free(command);
}

static void the_error_text_is_about_what_failed_last(void **state)
{
	(void)state;
	char byte;
	size_t size;
	char old[CSYS_ERROR_TEXT];

	assert_fails(csys_command_new("/no/such"), CSYS_ENOENT, CSYS_STEP_EXEC);
	assert_true(csys_stream_read(12345, &byte, 1, &size) < 0);
	snprintf(old, sizeof old, "bad handle (OS error %d)", csys_os_error());
	assert_error_text(old);
	/* A start that works forgets the one that failed. */
	assert_fails(csys_command_new("/no/such"), CSYS_ENOENT, CSYS_STEP_EXEC);
	finished(spawned(helper_command("exit", "0", NULL)));
	assert_error_text("no such file, directory or program (OS error 2)");
}

static void the_error_text_is_one_line_and_fits(void **state)
{
	(void)state;
	char text[CSYS_ERROR_TEXT];
	char name[2000];

	assert_fails(csys_command_new("/no\nsuch\033"), CSYS_ENOENT, CSYS_STEP_EXEC);
	assert_error_text("/no?such?: cannot run the program: no such file, directory or program "
			  "(OS error 2)");

	memset(name, 'x', sizeof name);
	memcpy(name, "/", 1);
	memcpy(name + sizeof name - 5, "/end", 5);
	assert_fails(csys_command_new(name), CSYS_ENAMETOOLONG, CSYS_STEP_EXEC);
	csys_error_text(text, sizeof text);
	assert_memory_equal(text, "...xxx", 6);
	assert_non_null(strstr(text, "x/end: cannot run the program: name too long (OS error "));
	assert_int_equal(strchr(text, ':') - text, 95);

	assert_string_equal(csys_error_text(text, 5), "...x");
	assert_string_equal(csys_error_text(text, 0), "");
	assert_string_equal(csys_error_text(NULL, 5), "");
}

static void a_success_forgets_the_failed_step(void **state)
{
	(void)state;
	assert_fails(csys_command_new("/no/such/program"), CSYS_ENOENT, CSYS_STEP_EXEC);
	finished(spawned(helper_command("exit", "0", NULL)));
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_NONE);
}

static void what_is_no_program_is_told_apart(void **state)
{
	(void)state;
	write_file(in_folder("plain"), "text\n", 0644);
	write_file(in_folder("script"), "echo ran\n", 0755);
	write_file(in_folder("empty"), "", 0755);
	write_file(in_folder("orphan"), "#!/no/such/interpreter\n", 0755);
	assert_fails(csys_command_new(in_folder("plain")), CSYS_EACCES, CSYS_STEP_EXEC);
	assert_fails(csys_command_new(folder), CSYS_ENOENT, CSYS_STEP_EXEC); /* a bare name */
	assert_fails(csys_command_new(in_folder(".")), CSYS_EACCES, CSYS_STEP_EXEC);
	assert_fails(csys_command_new(in_folder("plain/x")), CSYS_ENOTDIR, CSYS_STEP_EXEC);
	assert_fails(csys_command_new(in_folder("script")), CSYS_ENOEXEC, CSYS_STEP_EXEC);
	assert_fails(csys_command_new(in_folder("empty")), CSYS_ENOEXEC, CSYS_STEP_EXEC);
	if (!under_valgrind())
		assert_fails(csys_command_new(in_folder("orphan")), CSYS_ENOENT,
			     CSYS_STEP_INTERPRETER);

	/* Through PATH as well: never given to a shell. */
	csys_command *command = csys_command_new("script");
	csys_command_env(command, "PATH", folder);
	assert_fails(command, CSYS_ENOEXEC, CSYS_STEP_EXEC);
	if (!under_valgrind()) {
		command = csys_command_new("orphan");
		csys_command_env(command, "PATH", folder);
		assert_fails(command, CSYS_ENOENT, CSYS_STEP_INTERPRETER);
	}
	command = csys_command_new("plain");
	csys_command_env(command, "PATH", folder);
	assert_fails(command, CSYS_EACCES, CSYS_STEP_EXEC);
}

static void a_program_that_is_being_written_is_ebusy(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind gives up when an exec fails late");
	const char *argv[] = { "cp", helper(), in_folder("busy"), NULL };
	csys_output output;
	assert_int_equal(csys_run(argv, NULL, &output), 0);
	assert_true(csys_exit_success(output.exit));
	csys_output_free(&output);
	int writer = open(in_folder("busy"), O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_fails(csys_command_new(in_folder("busy")), CSYS_EBUSY, CSYS_STEP_EXEC);
	close(writer);
}

static void a_script_with_an_interpreter_runs(void **state)
{
	(void)state;
	needs_shell();
	write_file(in_folder("good"), "#!/bin/sh\necho $0 ran\n", 0755);
	csys_command *command = csys_command_new("good");
	csys_command_env(command, "PATH", folder);
	char expected[PATH_MAX];
	snprintf(expected, sizeof expected, "%s ran\n", in_folder("good"));
	assert_writes(command, expected);
}

static void names_that_are_too_long_are_told(void **state)
{
	(void)state;
	char name[5000];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_fails(csys_command_new(name), CSYS_ENAMETOOLONG, CSYS_STEP_EXEC);
	name[0] = '/';
	assert_fails(csys_command_new(name), CSYS_ENAMETOOLONG, CSYS_STEP_EXEC);
}

static void too_long_arguments_are_e2big(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind gives up when an exec fails late");
	csys_command *command = helper_command("count", NULL);
	char arg[100001];
	memset(arg, 'x', 100000);
	arg[100000] = '\0';
	for (int i = 0; i < 300; i++)
		csys_command_arg(command, arg);
	assert_fails(command, CSYS_E2BIG, CSYS_STEP_EXEC);
}

/* ---- PATH ------------------------------------------------------------------------------ */

static void a_bare_name_is_looked_up_in_the_childs_path(void **state)
{
	(void)state;
	needs_shell();
	mkdir(in_folder("a"), 0755);
	mkdir(in_folder("b"), 0755);
	write_file(in_folder("a/tool"), "#!/bin/sh\necho a\n", 0755);
	write_file(in_folder("b/tool"), "#!/bin/sh\necho b\n", 0755);
	write_file(in_folder("a/locked"), "#!/bin/sh\necho locked\n", 0644);
	write_file(in_folder("b/locked"), "#!/bin/sh\necho open\n", 0755);
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/no/such:%s:%s", in_folder("b"), in_folder("a"));
	csys_command *command = csys_command_new("tool");
	csys_command_env(command, "PATH", path);
	assert_writes(command, "b\n");

	/* One that may not be run is passed over for one that may. */
	snprintf(path, sizeof path, "%s:%s", in_folder("a"), in_folder("b"));
	command = csys_command_new("locked");
	csys_command_env(command, "PATH", path);
	assert_writes(command, "open\n");

	/* Ours has no say. */
	command = csys_command_new("sh");
	csys_command_env(command, "PATH", "/no/such");
	assert_fails(command, CSYS_ENOENT, CSYS_STEP_EXEC);
}

static void without_path_the_systems_default_is_searched(void **state)
{
	(void)state;
	needs_shell();
	csys_command *command = csys_command_new("sh");
	csys_command_env_clear(command);
	csys_command_args(command, (const char *const[]){ "-c", "echo ran", NULL });
	assert_writes(command, "ran\n");
	command = csys_command_new("sh");
	csys_command_env_unset(command, "PATH");
	csys_command_args(command, (const char *const[]){ "-c", "echo ran", NULL });
	assert_writes(command, "ran\n");
}

static void relative_entries_mean_the_childs_directory(void **state)
{
	(void)state;
	needs_shell();
	mkdir(in_folder("here"), 0755);
	write_file(in_folder("here/tool"), "#!/bin/sh\necho here\n", 0755);
	const char *const paths[] = { ".", "", ":/no/such", "/no/such:", "../here" };
	for (int i = 0; i < 5; i++) {
		csys_command *command = csys_command_new("tool");
		csys_command_env(command, "PATH", paths[i]);
		csys_command_cwd(command, in_folder("here"));
		assert_writes(command, "here\n");
	}
}

static void a_program_with_a_slash_means_our_directory(void **state)
{
	(void)state;
	needs_shell();
	/* Another one of that name waits in the child's directory. */
	mkdir(in_folder("deep"), 0755);
	write_file(in_folder("tool"), "#!/bin/sh\necho ours; pwd\n", 0755);
	char nested[PATH_MAX], here[PATH_MAX], expected[2 * PATH_MAX];
	snprintf(nested, sizeof nested, "%s/deep/%s", folder, folder);
	mkdir(nested, 0755);
	strcat(nested, "/tool");
	write_file(nested, "#!/bin/sh\necho wrong\n", 0755);

	csys_command *command = csys_command_new(in_folder("tool"));
	csys_command_cwd(command, in_folder("deep"));
	assert_non_null(getcwd(here, sizeof here));
	snprintf(expected, sizeof expected, "ours\n%s/%s/deep\n", here, folder);
	assert_writes(command, expected);
}

static void lost_directory(void)
{
	char name[] = "csys-lost-XXXXXX";
	csys_child *child = NULL;
	CHECK(mkdtemp(name) && chdir(name) == 0 && rmdir("../csys-lost-") < 0);
	char up[PATH_MAX];
	snprintf(up, sizeof up, "../%s", name);
	CHECK(rmdir(up) == 0);
	csys_command *command = csys_command_new("./tool");
	csys_command_cwd(command, "/");
	CHECK(csys_command_spawn(command, &child) == CSYS_ENOENT);
	CHECK(csys_spawn_failed_step() == CSYS_STEP_PREPARE);
	csys_command_free(command);
}

static void our_directory_may_be_gone(void **state)
{
	(void)state;
	in_process(lost_directory);
}

/* ---- streams ------------------------------------------------------------------------------ */

static void inherited_streams_are_ours(void **state)
{
	(void)state;
	char expected[256] = "";
	for (int i = 0; i < 3; i++) {
		struct stat about;
		char line[64];
		assert_int_equal(fstat(i, &about), 0);
		snprintf(line, sizeof line, "%llu:%llu\n", (unsigned long long)about.st_dev,
			 (unsigned long long)about.st_ino);
		if (i != 1)
			strcat(expected, line);
	}
	csys_command *command = helper_command("streams", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_INHERIT);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_INHERIT);
	csys_output output;
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	csys_command_free(command);
	/* Without the second line, which is the pipe. */
	char *line = strchr(output.out.data, '\n');
	assert_non_null(line);
	char got[256];
	snprintf(got, sizeof got, "%.*s%s", (int)(line + 1 - output.out.data), output.out.data,
		 strchr(line + 1, '\n') + 1);
	assert_string_equal(got, expected);
	csys_output_free(&output);
}

static void files_are_read_written_appended_and_created(void **state)
{
	(void)state;
	csys_exit end;
	write_file(in_folder("in"), "input", 0644);
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio_file(command, CSYS_STDIN, in_folder("in"), CSYS_FILE_READ);
	csys_command_stdio_file(command, CSYS_STDOUT, in_folder("out"), CSYS_FILE_NEW);
	assert_int_equal(csys_command_run(command, &end), 0);
	assert_true(csys_exit_success(end));
	/* It is there now. */
	assert_int_equal(csys_command_run(command, &end), CSYS_EEXIST);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_STDOUT);
	csys_command_stdio_file(command, CSYS_STDOUT, in_folder("out"), CSYS_FILE_APPEND);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);

	command = helper_command("cat", NULL);
	csys_command_stdio_file(command, CSYS_STDIN, in_folder("out"), CSYS_FILE_READ);
	csys_output output;
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	assert_string_equal(output.out.data, "inputinput");
	csys_output_free(&output);

	csys_command_stdio_file(command, CSYS_STDOUT, in_folder("out"), CSYS_FILE_WRITE);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	struct stat about;
	assert_int_equal(stat(in_folder("out"), &about), 0);
	assert_int_equal(about.st_size, 0);
	csys_command_free(command);
}

static void a_stream_that_cannot_be_opened_names_itself(void **state)
{
	(void)state;
	for (int stream = CSYS_STDIN; stream <= CSYS_STDERR; stream++) {
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_stdio_file(command, (enum csys_stdio_stream)stream, "no/such/file",
					CSYS_FILE_READ);
		assert_fails(command, CSYS_ENOENT, CSYS_STEP_STDIN + stream);
		command = helper_command("exit", "0", NULL);
		csys_command_stdio_handle(command, (enum csys_stdio_stream)stream, 4000);
		assert_fails(command, CSYS_EBADF, CSYS_STEP_STDIN + stream);
	}
}

static void stderr_goes_where_stdout_goes(void **state)
{
	(void)state;
	csys_exit end;
	csys_command *command = helper_command("say", "one", "two", NULL);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_SAME_AS_STDOUT);
	csys_command_stdio_file(command, CSYS_STDOUT, in_folder("same"), CSYS_FILE_WRITE);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
	command = helper_command("cat", NULL);
	csys_command_stdio_file(command, CSYS_STDIN, in_folder("same"), CSYS_FILE_READ);
	assert_writes(command, "onetwo");
}

static void a_closed_handle_is_told_before_its_number_is_used_again(void **state)
{
	(void)state;
	csys_handle handle;
	assert_int_equal(csys_handle_dup(2, &handle), 0);
	csys_handle_close(handle);
	const csys_handle bad[] = { handle, -5, -22, INT32_MAX };
	for (int i = 0; i < 4; i++) {
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_stdio_handle(command, CSYS_STDERR, bad[i]);
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		assert_fails(command, CSYS_EBADF, CSYS_STEP_STDERR);
	}
#if INTPTR_MAX > INT32_MAX
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_stdio_handle(command, CSYS_STDERR, ((csys_handle)1 << 32) + 1);
	assert_fails(command, CSYS_EBADF, CSYS_STEP_STDERR);
#endif
}

static void one_handle_may_be_given_for_two_streams(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char text[16];
	size_t size;
	csys_exit end;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("say", "a", "b", NULL);
	csys_command_stdio_take(command, CSYS_STDOUT, writer);
	csys_command_stdio_take(command, CSYS_STDERR, writer);
	csys_command_stdio_take(command, CSYS_STDERR, writer); /* once more: not closed by it */
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	csys_command_stdio_take(command, CSYS_STDOUT, writer);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
	assert_int_equal(csys_stream_read_all(reader, text, sizeof text, &size), 0);
	assert_int_equal(size, 2);
	csys_handle_close(reader);
}

/* A handle that is given away in these tests. */
static csys_handle null_device(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(fd > 2);
	return fd;
}

static int is_open(csys_handle handle)
{
	return fcntl((int)handle, F_GETFD) >= 0;
}

static void one_handle_may_be_given_for_streams_and_numbers(void **state)
{
	(void)state;
	csys_exit end;
	for (int first = 0; first < 2; first++) {
		/* Whichever is set otherwise first leaves it open for the other. */
		csys_handle given = null_device(), other = null_device();
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_stdio_take(command, CSYS_STDOUT, given);
		csys_command_map_take(command, given, 7);
		csys_command_map_take(command, given, 8);
		csys_command_map_take(command, other, 8);
		if (first == 0)
			csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
		else
			csys_command_map(command, other, 7);
		assert_true(is_open(given));
		assert_int_equal(csys_command_run(command, &end), 0);
		assert_false(is_open(given));
		assert_false(is_open(other));
		csys_command_free(command);
	}
	csys_handle given = null_device();
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_map_take(command, given, 7);
	csys_command_stdio_take(command, CSYS_STDERR, given);
	csys_command_free(command);
	assert_false(is_open(given));
}

static void a_handle_given_again_and_refused_is_closed_once(void **state)
{
	(void)state;
	/* Refused because of an earlier failure, and because of the place itself. */
	for (int number = 0; number < 2; number++) {
		for (int failed = 0; failed < 2; failed++) {
			csys_handle given = null_device();
			csys_command *command = helper_command("exit", "0", NULL);
			if (number)
				csys_command_map_take(command, given, 7);
			else
				csys_command_stdio_take(command, CSYS_STDOUT, given);
			if (failed)
				csys_command_arg(command, NULL);
			csys_command_stdio_take(command, failed ? CSYS_STDERR : 3, given);
			assert_true(is_open(given));
			csys_command_map_take(command, given, failed ? 8 : 2);
			assert_true(is_open(given));
			assert_int_equal(csys_command_error(command), CSYS_EINVAL);
			csys_command_free(command);
			assert_false(is_open(given));
		}
	}
}

static void *spawn_until_cancelled(void *command)
{
	for (;;) {
		csys_child *child;
		int state;
		if (csys_command_spawn(command, &child) < 0)
			return NULL;
		/* What is in hand is this thread's to close, so it holds it back itself. */
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		csys_child_close(child, CSYS_CLOSE_WAIT);
		pthread_setcancelstate(state, NULL);
		pthread_testcancel();
	}
}

static void a_cancelled_spawn_leaves_the_command_whole(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	const char *const programs[] = { NULL, "/no/such/program" };
	for (int i = 0; i < 40; i++) {
		pthread_t thread;
		csys_command *command = programs[i % 2] ? csys_command_new(programs[i % 2])
							: helper_command("exit", "0", NULL);
		csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
		assert_int_equal(pthread_create(&thread, NULL, spawn_until_cancelled, command), 0);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		csys_command_free(command);
	}
	csys_exit end;
	csys_command *command = helper_command("exit", "0", NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
}

static void a_program_named_by_its_descriptor_runs(void **state)
{
	(void)state;
	char path[64];
	if (access("/proc/self/fd", F_OK) < 0)
		skip_because("this system has no /proc");
	int file = open(helper(), O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	csys_command *command = csys_command_new(path);
	csys_command_args(command, (const char *const[]){ "say", "ran", NULL });
	assert_writes(command, "ran");
	close(file);
}

static int no_hook(void *argument)
{
	(void)argument;
	return 0;
}

/* Streams that are closed here, or close-on-exec, as the bits say. */
static void without_streams(int bits, int cloexec)
{
	for (int fd = 0; fd < 3; fd++) {
		if (!(bits & 1 << fd))
			continue;
		if (cloexec)
			CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
		else
			close(fd);
	}
}

static int closed_streams;
static int as_cloexec;

static void run_without_streams(void)
{
	csys_exit end;
	without_streams(closed_streams, as_cloexec);
	for (int way = 0; way < 4; way++) {
		csys_command *command = helper_command("null", NULL);
		if (way == 1)
			csys_command_pre_exec(command, no_hook, NULL); /* by fork */
		if (way == 2)
			csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_SAME_AS_STDOUT);
		if (way == 3)
			csys_command_contain(command);
		CHECK(csys_command_run(command, &end) == 0);
		CHECK(end.how == CSYS_EXIT_CODE && end.value < 8);
		int expected = way == 2 ? (closed_streams & 3) | (closed_streams & 2 ? 4 : 0)
					: closed_streams;
		CHECK((end.value & expected) == expected);
		csys_command_free(command);
	}
}

static void a_stream_that_is_closed_here_is_the_null_device_in_the_child(void **state)
{
	(void)state;
	for (closed_streams = 1; closed_streams < 8; closed_streams++)
		for (as_cloexec = 0; as_cloexec < 2; as_cloexec++)
			in_child(run_without_streams);
}

static int execute_without_streams(void)
{
	csys_command *command = helper_command("null", NULL);
	without_streams(7, 0);
	(void)!csys_command_exec(command);
	return 99;
}

static void become_without_streams(void)
{
	_exit(execute_without_streams());
}

static void so_it_is_in_a_program_that_this_process_becomes(void **state)
{
	(void)state;
	assert_int_equal(result_in_child(become_without_streams), 7);
}

static void a_taken_handle_is_spent_by_the_first_success(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char text[8];
	size_t size;
	csys_exit end;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("say", "x", NULL);
	csys_command_stdio_take(command, CSYS_STDOUT, writer);

	/* A failure does not spend it. */
	csys_command_cwd(command, "/no/such/folder");
	assert_int_equal(csys_command_run(command, &end), CSYS_ENOENT);
	csys_command_cwd(command, NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	/* The command still stands, and yet the pipe ends. */
	assert_int_equal(csys_stream_read_all_until(reader, text, 8, csys_after_s(60), &size), 0);
	assert_int_equal(size, 1);
	assert_int_equal(csys_command_run(command, &end), CSYS_EBADF);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_STDOUT);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
	csys_handle_close(reader);
}

static void a_borrowed_handle_stays_the_callers(void **state)
{
	(void)state;
	csys_handle reader, writer;
	char text[8];
	size_t size;
	csys_exit end;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = helper_command("say", "x", NULL);
	csys_command_stdio_handle(command, CSYS_STDOUT, writer);
	assert_int_equal(csys_command_run(command, &end), 0);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
	assert_true(fcntl((int)writer, F_GETFD) & FD_CLOEXEC); /* not changed */
	csys_handle_close(writer);
	assert_int_equal(csys_stream_read_all(reader, text, 8, &size), 0);
	assert_int_equal(size, 2);
	csys_handle_close(reader);
}

static void a_childs_pipe_goes_on_into_another(void **state)
{
	(void)state;
	csys_command *first = helper_command("say", "through", NULL);
	csys_command_stdio(first, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(first);
	csys_command *second = helper_command("cat", NULL);
	csys_command_stdio_child(second, CSYS_STDIN, child, CSYS_STDOUT);
	assert_int_equal(csys_child_stream(child, CSYS_STDOUT), CSYS_NO_HANDLE);
	assert_writes(second, "through");
	assert_true(csys_exit_success(finished(child)));
}

static void run_does_not_hang_on_its_own_pipes(void **state)
{
	(void)state;
	csys_exit end;
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	assert_int_equal(csys_command_run(command, &end), 0);
	assert_true(csys_exit_success(end));
	csys_command_free(command);
}

static void run_until_kills_at_the_deadline(void **state)
{
	(void)state;
	csys_exit end = { .how = 77, .value = 77 };
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	assert_int_equal(csys_command_run_until(command, csys_after_ms(5), 0, &end),
			 CSYS_ETIMEDOUT);
	assert_int_equal(end.how, CSYS_EXIT_SIGNAL);
	assert_int_equal(end.value, SIGKILL);
	assert_false(has_children());
	end.how = 77;
	assert_int_equal(csys_command_run(command, NULL), CSYS_EINVAL);
	assert_int_equal(csys_command_run_until(command, CSYS_FOREVER, -1, &end), CSYS_EINVAL);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	assert_int_equal(end.how, 77);
	csys_command_free(command);
}

static void run_until_gives_a_grace_and_tells_how_it_ended(void **state)
{
	(void)state;
	needs_shell();
	csys_exit end = { 0 };
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	assert_int_equal(csys_command_run_until(command, csys_after_ms(5), 60000000000, &end),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(end), SIGTERM);
	csys_command_free(command);

	/* One that does not listen gets to the end of it. */
	command = csys_command_new("sh");
	csys_command_args(command,
			  (const char *const[]){ "-c", "trap '' TERM; exec sleep 60", NULL });
	csys_deadline deadline = csys_after_ms(300);
	assert_int_equal(csys_command_run_until(command, deadline, 20000000, &end), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_true(csys_exit_signal(end) == SIGKILL || csys_exit_signal(end) == SIGTERM);
	assert_false(has_children());
	csys_command_free(command);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void run_out_of_handles(void)
{
	/* With one more each time, until it works: each failure is told and leaves nothing. */
	int open = open_handles();
	for (int most = 3;; most++) {
		csys_child *child = NULL;
		allow_handles(most);
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_NULL);
		int r = csys_command_spawn(command, &child);
		csys_command_free(command);
		if (r == 0) {
			csys_exit end;
			CHECK(most >= 8);
			CHECK(csys_child_wait(child, &end) == 0);
			csys_child_close(child, CSYS_CLOSE_WAIT);
			break;
		}
		CHECK(r == CSYS_EMFILE);
		CHECK(csys_spawn_failed_step() >= CSYS_STEP_STDIN);
		CHECK(csys_spawn_failed_step() <= CSYS_STEP_FORK);
		CHECK(open_handles() == open);
		CHECK(!has_children());
		CHECK(most < 100);
	}
	CHECK(open_handles() == open);
}

static void without_handles_it_is_emfile_and_nothing_is_left(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind gives up when clone fails");
	in_process(run_out_of_handles);
}

static void run_out_of_processes(void)
{
	/* The limit does not bind root. */
	struct rlimit none = { 0, 0 };
	if (getuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
	csys_child *child = NULL;
	int open = open_handles();
	csys_command *command = csys_command_new("true");
	CHECK(csys_command_spawn(command, &child) == CSYS_EAGAIN);
	CHECK(csys_spawn_failed_step() == CSYS_STEP_FORK);
	CHECK(csys_os_error() == EAGAIN);
	CHECK(open_handles() == open);
	csys_command_free(command);
}

static void at_the_limit_of_processes_it_is_eagain(void **state)
{
	(void)state;
	in_process(run_out_of_processes);
}

static void every_fault_is_told_and_leaves_nothing(void **state)
{
	(void)state;
	int handles = open_handles();
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_env(command, "A", "b");
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_stdio_file(command, CSYS_STDERR, in_folder("err"), CSYS_FILE_WRITE);
	int nth = 1;

	for (;; nth++) {
		csys_child *child = NULL;
		csysi_fault_arm(nth);
		int r = csys_command_spawn(command, &child);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			finished(child);
			break;
		}
		assert_true(r < 0);
		assert_null(child);
		assert_int_not_equal(csys_spawn_failed_step(), CSYS_STEP_NONE);
		assert_int_equal(open_handles(), handles);
		assert_false(has_children());
	}
	/* The child, three streams, the environment twice, the handles, the program, the
	 * process; a pipe for the report too where memory is not shared. */
	assert_in_range(nth, 10, 11);
	csys_command_free(command);
}

static void step_belongs_to_the_thread_and_out_is_untouched(void **state)
{
	(void)state;
	csys_child *child = (csys_child *)&folder;
	csys_command *command = csys_command_new("/no/such/program");
	assert_int_equal(csys_command_spawn(command, &child), CSYS_ENOENT);
	assert_ptr_equal(child, &folder);
	assert_int_equal(csys_os_error(), ENOENT);
	assert_int_equal(csys_command_spawn(command, NULL), CSYS_EINVAL);
	csys_command_free(command);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(lost_directory),
		PART(run_out_of_handles),
		PART(run_out_of_processes),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_missing_program_and_a_missing_directory_differ),
		TEST(a_step_has_a_name),
		TEST(the_error_text_names_program_step_result_and_system_code),
		TEST(the_error_text_is_about_what_failed_last),
		TEST(the_error_text_is_one_line_and_fits),
		TEST(a_success_forgets_the_failed_step),
		TEST(what_is_no_program_is_told_apart),
		TEST(a_program_that_is_being_written_is_ebusy),
		TEST(a_script_with_an_interpreter_runs),
		TEST(names_that_are_too_long_are_told),
		TEST(too_long_arguments_are_e2big),
		TEST(a_bare_name_is_looked_up_in_the_childs_path),
		TEST(without_path_the_systems_default_is_searched),
		TEST(relative_entries_mean_the_childs_directory),
		TEST(a_program_with_a_slash_means_our_directory),
		TEST(our_directory_may_be_gone),
		TEST(inherited_streams_are_ours),
		TEST(files_are_read_written_appended_and_created),
		TEST(a_stream_that_cannot_be_opened_names_itself),
		TEST(stderr_goes_where_stdout_goes),
		TEST(a_closed_handle_is_told_before_its_number_is_used_again),
		TEST(one_handle_may_be_given_for_two_streams),
		TEST(one_handle_may_be_given_for_streams_and_numbers),
		TEST(a_handle_given_again_and_refused_is_closed_once),
		TEST(a_cancelled_spawn_leaves_the_command_whole),
		TEST(a_program_named_by_its_descriptor_runs),
		TEST(a_stream_that_is_closed_here_is_the_null_device_in_the_child),
		TEST(so_it_is_in_a_program_that_this_process_becomes),
		TEST(a_taken_handle_is_spent_by_the_first_success),
		TEST(a_borrowed_handle_stays_the_callers),
		TEST(a_childs_pipe_goes_on_into_another),
		TEST(run_does_not_hang_on_its_own_pipes),
		TEST(run_until_kills_at_the_deadline),
		TEST(run_until_gives_a_grace_and_tells_how_it_ended),
		TEST(without_handles_it_is_emfile_and_nothing_is_left),
		TEST(at_the_limit_of_processes_it_is_eagain),
		TEST(every_fault_is_told_and_leaves_nothing),
		TEST(step_belongs_to_the_thread_and_out_is_untouched),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, make_folder, remove_folder);
}
