/*
 * process/test_command.c - promises of csys/process/command.h: building.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

/* Run the helper as the command says and give back what it wrote. */
static void assert_writes(csys_command *command, const char *expected)
{
	csys_output output;
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	assert_true(csys_exit_success(output.exit));
	assert_string_equal(output.out.data, expected);
	csys_output_free(&output);
}

static void assert_line(const csys_command *command, const char *expected)
{
	char line[4096];
	assert_int_equal(csys_command_line(command, line, sizeof line), strlen(expected));
	assert_string_equal(line, expected);
}

static void null_is_accepted_everywhere(void **state)
{
	(void)state;
	csys_child *child = NULL;
	csys_exit exit;
	csys_output output;
	char line[4] = "old";

	csys_command_arg(NULL, "x");
	csys_command_args(NULL, NULL);
	csys_command_arg0(NULL, "x");
	csys_command_env(NULL, "A", "b");
	csys_command_env_unset(NULL, "A");
	csys_command_env_clear(NULL);
	csys_command_cwd(NULL, "/");
	csys_command_stdio(NULL, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio_file(NULL, CSYS_STDIN, "x", CSYS_FILE_READ);
	csys_command_stdio_handle(NULL, CSYS_STDIN, 0);
	csys_command_stdio_child(NULL, CSYS_STDIN, NULL, CSYS_STDOUT);
	csys_command_inherit_handles(NULL, 1);
	csys_command_environment(NULL, NULL);
	csys_command_terminal(NULL, 0);
	assert_int_equal(csys_command_error(NULL), CSYS_ENOMEM);
	assert_null(csys_command_get_program(NULL));
	assert_null(csys_command_get_arg0(NULL));
	assert_null(csys_command_get_arg(NULL, 0));
	assert_null(csys_command_get_env(NULL, 0));
	assert_null(csys_command_get_cwd(NULL));
	assert_int_equal(csys_command_get_arg_count(NULL), 0);
	assert_int_equal(csys_command_get_env_count(NULL), 0);
	assert_int_equal(csys_command_is_env_clear(NULL), 0);
	assert_int_equal(csys_command_get_stdio(NULL, CSYS_STDIN), CSYS_STDIO_DEFAULT);
	assert_int_equal(csys_command_line(NULL, line, sizeof line), 0);
	assert_string_equal(line, "");
	assert_int_equal(csys_command_spawn(NULL, &child), CSYS_ENOMEM);
	assert_null(child);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	assert_int_equal(csys_command_run(NULL, &exit), CSYS_ENOMEM);
	assert_int_equal(csys_command_output(NULL, NULL, &output), CSYS_ENOMEM);
	csys_command_free(NULL);
}

static void a_handle_given_to_a_null_command_is_closed(void **state)
{
	(void)state;
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command_stdio_take(NULL, CSYS_STDIN, reader);
	csys_handle_close(writer);
}

static void no_program_is_einval(void **state)
{
	(void)state;
	const char *programs[] = { NULL, "" };
	for (int i = 0; i < 2; i++) {
		csys_child *child = NULL;
		csys_command *command = csys_command_new(programs[i]);
		assert_non_null(command);
		assert_int_equal(csys_command_error(command), CSYS_EINVAL);
		csys_command_arg(command, "x");
		assert_int_equal(csys_command_spawn(command, &child), CSYS_EINVAL);
		assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
		assert_null(child);
		assert_null(csys_command_get_program(command));
		assert_int_equal(csys_command_get_arg_count(command), 0);
		csys_command_free(command);
	}
}

static void the_first_failure_of_a_setter_is_kept(void **state)
{
	(void)state;
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	csys_command *command = csys_command_new("true");
	csys_command_stdio_handle(command, CSYS_STDIN, CSYS_NO_HANDLE); /* EBADF */
	csys_command_env(command, "", "x");                             /* EINVAL */
	csys_command_arg(command, "x");
	csys_command_cwd(command, "/");
	csys_command_env_clear(command);
	csys_command_stdio_take(command, CSYS_STDIN, reader); /* closed, not leaked */
	assert_int_equal(csys_command_error(command), CSYS_EBADF);
	assert_int_equal(csys_command_get_arg_count(command), 0);
	assert_null(csys_command_get_cwd(command));
	csys_command_free(command);
	csys_handle_close(writer);
}

static void assert_setter(csys_command *command, const char *expected)
{
	const char *setter = csys_command_failed_setter(command);
	assert_true(csys_command_error(command) < 0);
	assert_non_null(setter);
	assert_string_equal(setter, expected);
	csys_command_free(command);
}

static void the_setter_that_failed_is_named_as_the_program_called_it(void **state)
{
	(void)state;
	static const char *const no_key[] = { "A=b", "=b", NULL };
	csys_command *good = csys_command_build("true", "x", NULL);
	csys_command_env(good, "A", "b");
	assert_null(csys_command_failed_setter(good));
	csys_command_free(good);
	assert_null(csys_command_failed_setter(NULL));

	assert_setter(csys_command_new(""), "csys_command_new");
	assert_setter(csys_command_build("", "x", NULL), "csys_command_build");
	csys_command *command = csys_command_new("true");
	csys_command_environment(command, no_key);
	csys_command_cwd(command, "/"); /* does nothing any more */
	csys_command_umask(command, 01000);
	assert_setter(command, "csys_command_environment");
	command = csys_command_new("true");
	csys_command_stdio_child(command, CSYS_STDIN, NULL, CSYS_STDOUT);
	assert_setter(command, "csys_command_stdio_child");
	command = csys_command_new("true");
	csys_command_stdio_take(command, CSYS_STDIN, CSYS_NO_HANDLE);
	assert_setter(command, "csys_command_stdio_take");
	command = csys_command_new("true");
	csys_command_map_take(command, CSYS_NO_HANDLE, 5);
	assert_setter(command, "csys_command_map_take");
	command = csys_command_new("true");
	csys_command_map(command, 0, 2);
	assert_setter(command, "csys_command_map");
	command = csys_command_new("true");
	csys_command_process_group(command, 0);
	csys_command_terminal(command, 0);
	assert_setter(command, "csys_command_terminal");
	command = csys_command_new("true");
	csys_command_nice(command, 20);
	csys_command_arg(command, NULL);
	assert_setter(command, "csys_command_nice");
}

static void bad_settings_are_einval(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	for (int i = 0; i < 22; i++) {
		csys_command *command = csys_command_new("true");
		int expected = CSYS_EINVAL;
		switch (i) {
		case 0:
			csys_command_arg(command, NULL);
			break;
		case 1:
			csys_command_args(command, NULL);
			break;
		case 2:
			csys_command_arg0(command, NULL);
			break;
		case 3:
			csys_command_env(command, "", "x");
			break;
		case 4:
			csys_command_env(command, "A=B", "x");
			break;
		case 5:
			csys_command_env(command, "=A", "x");
			break;
		case 6:
			csys_command_env(command, NULL, "x");
			break;
		case 7:
			csys_command_env(command, "A", NULL);
			break;
		case 8:
			csys_command_env_unset(command, "");
			break;
		case 9:
			csys_command_env_unset(command, "A=");
			break;
		case 10:
			csys_command_env_unset(command, NULL);
			break;
		case 11:
			csys_command_stdio(command, 3, CSYS_STDIO_NULL);
			break;
		case 12:
			csys_command_stdio(command, (enum csys_stdio_stream) - 1, CSYS_STDIO_NULL);
			break;
		case 13:
			csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_FILE);
			break;
		case 14:
			csys_command_stdio(command, CSYS_STDIN, (enum csys_stdio_kind) - 1);
			break;
		case 15:
			csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_SAME_AS_STDOUT);
			break;
		case 16:
			csys_command_stdio_file(command, 0, NULL, CSYS_FILE_READ);
			break;
		case 17:
			csys_command_stdio_file(command, 0, "x", 4);
			break;
		case 18:
			csys_command_stdio_file(command, 3, "x", CSYS_FILE_READ);
			break;
		case 19:
			csys_command_stdio_handle(command, 3, 0);
			break;
		case 20:
			csys_command_stdio_child(command, 0, NULL, CSYS_STDOUT);
			break;
		default:
			csys_command_stdio_child(command, 0, child, CSYS_STDOUT);
			expected = CSYS_EBADF; /* not piped */
			break;
		}
		assert_int_equal(csys_command_error(command), expected);
		csys_command_free(command);
	}
	assert_int_equal(csys_command_get_stdio(NULL, 3), CSYS_EINVAL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void arguments_arrive_as_they_are(void **state)
{
	(void)state;
	const char *more[] = { "a b", "", "*", "'\"\\$(x)`y`", NULL };
	csys_command *command = helper_command("args", "one", NULL);
	csys_command_args(command, more);
	csys_command_arg0(command, "another name");
	assert_writes(command, "another name\n[one]\n[a b]\n[]\n[*]\n['\"\\$(x)`y`]\n");
	assert_int_equal(csys_command_get_arg_count(command), 6);
	assert_string_equal(csys_command_get_arg(command, 0), "args");
	assert_string_equal(csys_command_get_arg(command, 5), "'\"\\$(x)`y`");
	assert_null(csys_command_get_arg(command, 6));
	assert_null(csys_command_get_arg(command, SIZE_MAX));
	assert_string_equal(csys_command_get_arg0(command), "another name");
	assert_string_equal(csys_command_get_program(command), helper());
	csys_command_free(command);
}

static void a_hundred_thousand_arguments_arrive(void **state)
{
	(void)state;
	csys_command *command = helper_command("count", NULL);
	for (int i = 0; i < 100000; i++)
		csys_command_arg(command, "x");
	assert_writes(command, "100000\n");
	csys_command_free(command);
}

static void strings_are_copied(void **state)
{
	(void)state;
	char text[] = "first";
	csys_command *command = helper_command("args", NULL);
	csys_command_arg(command, text);
	csys_command_arg0(command, text);
	memcpy(text, "other", 5);
	assert_writes(command, "first\n[first]\n");
	csys_command_free(command);
}

static void a_command_can_be_used_again_and_changed(void **state)
{
	(void)state;
	csys_command *command = helper_command("args", NULL);
	csys_command_arg0(command, "0");
	for (int i = 0; i < 3; i++) {
		const char *const expected[] = { "0\n", "0\n[x]\n", "0\n[x]\n[x]\n" };
		assert_writes(command, expected[i]);
		csys_command_arg(command, "x");
	}
	csys_command_free(command);
}

/* ---- environment ---------------------------------------------------------------- */

/* Whether "KEY=value" is one of the lines. */
static int has_line(const char *lines, const char *line)
{
	size_t size = strlen(line);
	for (const char *at = lines; (at = strstr(at, line)); at++)
		if ((at == lines || at[-1] == '\n') && at[size] == '\n')
			return 1;
	return 0;
}

static void variables_are_set_and_unset_and_the_rest_is_inherited(void **state)
{
	(void)state;
	csys_output output;
	setenv("CSYS_A", "old a", 1);
	setenv("CSYS_B", "old b", 1);
	setenv("CSYS_C", "old c", 1);
	csys_command *command = helper_command("env", NULL);
	csys_command_env(command, "CSYS_D", "new d");
	csys_command_env(command, "CSYS_A", "once");
	csys_command_env(command, "CSYS_A", "new a");
	csys_command_env_unset(command, "CSYS_B");
	csys_command_env_unset(command, "CSYS_NEVER_THERE");
	csys_command_env(command, "CSYS_E", "");
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	assert_true(has_line(output.out.data, "CSYS_A=new a"));
	assert_true(has_line(output.out.data, "CSYS_C=old c"));
	assert_true(has_line(output.out.data, "CSYS_D=new d"));
	assert_true(has_line(output.out.data, "CSYS_E="));
	assert_null(strstr(output.out.data, "CSYS_B"));
	assert_null(strstr(output.out.data, "once"));
	assert_null(strstr(output.out.data, "old a"));
	assert_null(strstr(output.out.data, "CSYS_NEVER"));
	csys_output_free(&output);

	/* The getters: sorted, inherited ones left out. */
	const char *const expected[] = { "CSYS_A=new a", "CSYS_B", "CSYS_D=new d",
					 "CSYS_E=", "CSYS_NEVER_THERE" };
	assert_int_equal(csys_command_get_env_count(command), 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(csys_command_get_env(command, i), expected[i]);
	assert_null(csys_command_get_env(command, 5));
	csys_command_free(command);
	unsetenv("CSYS_A");
	unsetenv("CSYS_B");
	unsetenv("CSYS_C");
}

static void the_environment_is_that_of_the_spawn(void **state)
{
	(void)state;
	csys_command *command = helper_command("env", NULL);
	csys_output output;
	setenv("CSYS_LATE", "yes", 1);
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	assert_true(has_line(output.out.data, "CSYS_LATE=yes"));
	csys_output_free(&output);
	unsetenv("CSYS_LATE");
	csys_command_free(command);
}

static void clear_forgets_and_inherits_nothing(void **state)
{
	(void)state;
	csys_command *command = helper_command("env", NULL);
	csys_command_env(command, "CSYS_A", "1");
	assert_int_equal(csys_command_is_env_clear(command), 0);
	csys_command_env_clear(command);
	assert_int_equal(csys_command_is_env_clear(command), 1);
	assert_int_equal(csys_command_get_env_count(command), 0);
	assert_writes(command, "");
	csys_command_env(command, "CSYS_B", "2");
	csys_command_env(command, "CSYS_A=", "") /* refused below */;
	assert_int_equal(csys_command_error(command), CSYS_EINVAL);
	csys_command_free(command);

	command = helper_command("env", NULL);
	csys_command_env_clear(command);
	csys_command_env(command, "CSYS_B", "2");
	csys_command_env(command, "CSYS_A", "1");
	csys_command_env_unset(command, "CSYS_C");
	assert_writes(command, "CSYS_A=1\nCSYS_B=2\n");
	csys_command_free(command);
}

extern char **environ;

static void odd_entries_of_environ_do_no_harm(void **state)
{
	(void)state;
	char twice[] = "CSYS_A=1", again[] = "CSYS_A=2", bare[] = "CSYS_BARE", empty[] = "=odd";
	char *odd[] = { twice, bare, again, empty, NULL };
	char **saved = environ;
	csys_output output;
	csys_command *command = helper_command("env", NULL);
	csys_command_env(command, "CSYS_A", "3");
	csys_command_env(command, "CSYS_Z", "9");

	environ = odd;
	int r = csys_command_output(command, NULL, &output);
	environ = NULL;
	csys_output none;
	int r2 = csys_command_output(command, NULL, &none);
	environ = saved;
	assert_int_equal(r, 0);
	assert_string_equal(output.out.data, "CSYS_A=3\nCSYS_BARE\n=odd\nCSYS_Z=9\n");
	assert_int_equal(r2, 0);
	assert_string_equal(none.out.data, "CSYS_A=3\nCSYS_Z=9\n");
	csys_output_free(&output);
	csys_output_free(&none);
	csys_command_free(command);
}

static void many_variables_arrive(void **state)
{
	(void)state;
	csys_output output;
	csys_command *command = helper_command("env", NULL);
	csys_command_env_clear(command);
	for (int i = 0; i < 5000; i++) {
		char key[32];
		snprintf(key, sizeof key, "KEY_%d", i * 7919 % 5000);
		csys_command_env(command, key, "x");
	}
	assert_int_equal(csys_command_get_env_count(command), 5000);
	assert_int_equal(csys_command_output(command, NULL, &output), 0);
	size_t lines = 0;
	for (size_t i = 0; i < output.out.size; i++)
		lines += output.out.data[i] == '\n';
	assert_int_equal(lines, 5000);
	csys_output_free(&output);
	csys_command_free(command);
}

/* ---- the line for a shell ----------------------------------------------------------- */

static void the_line_shows_what_will_run(void **state)
{
	(void)state;
	csys_command *command = csys_command_new("sort");
	assert_line(command, "sort");
	csys_command_arg(command, "-n");
	csys_command_env(command, "LC_ALL", "C");
	csys_command_env_unset(command, "LANG");
	csys_command_cwd(command, "a b");
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_SAME_AS_STDOUT);
	assert_line(command, "cd ./'a b' && env -u LANG LC_ALL=C sort -n </dev/null 2>&1");
	csys_command_env_clear(command);
	csys_command_env(command, "A", "it's");
	csys_command_cwd(command, "-x");
	csys_command_stdio_file(command, CSYS_STDIN, "in put", CSYS_FILE_READ);
	csys_command_stdio_file(command, CSYS_STDOUT, "out", CSYS_FILE_APPEND);
	csys_command_stdio_handle(command, CSYS_STDERR, 7);
	assert_line(command, "cd ./-x && env -i 'A=it'\\''s' sort -n <'in put' >>out 2>&7");
	csys_command_cwd(command, NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio_file(command, CSYS_STDOUT, "out", CSYS_FILE_WRITE);
	csys_command_stdio_file(command, CSYS_STDERR, "in", CSYS_FILE_READ);
	assert_line(command, "env -i 'A=it'\\''s' sort -n >out 2<in");
	csys_command_free(command);

	command = csys_command_new("a=b");
	assert_line(command, "'a=b'"); /* not an assignment */
	csys_command_env_clear(command);
	assert_line(command, "env -i /bin/sh -c '\"$0\" \"$@\"' 'a=b'"); /* nor one of env's */
	csys_command_free(command);
	command = csys_command_new("%1");
	assert_line(command, "env %1"); /* not a job of bash */
	csys_command_env_clear(command);
	assert_line(command, "env -i %1");
	csys_command_free(command);

	/* The words of shells are quoted, others not. */
	const char *words[] = { "if", "while", "select", "iff" };
	const char *lines[] = { "'if'", "'while'", "'select'", "iff" };
	for (int i = 0; i < 4; i++) {
		command = csys_command_new(words[i]);
		assert_line(command, lines[i]);
		csys_command_free(command);
	}
}

static void directories_are_entered_as_the_system_does(void **state)
{
	(void)state;
	/* Not through CDPATH, not as an option, and ".." not as it is written. */
	const char *directories[] = { "x",  "/x",   ".",    "./x", ".x",     "-",
				      "..", "../x", "x/..", "..x", "x/../y", "" };
	const char *lines[] = { "cd ./x && p",   "cd /x && p",          "cd . && p",
				"cd ./x && p",   "cd ./.x && p",        "cd ./- && p",
				"cd -P .. && p", "cd -P ../x && p",     "cd -P ./x/.. && p",
				"cd ./..x && p", "cd -P ./x/../y && p", "cd '' && p" };
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		csys_command *command = csys_command_new("p");
		csys_command_cwd(command, directories[i]);
		assert_line(command, lines[i]);
		csys_command_free(command);
	}
}

static void env_takes_no_key_for_an_option(void **state)
{
	(void)state;
	csys_command *command = csys_command_new("p");
	csys_command_env(command, "-i", "x");
	assert_line(command, "env -- -i=x p");
	csys_command_env_unset(command, "-u");
	csys_command_env(command, "A", "b");
	assert_line(command, "env -u -u -- -i=x A=b p");
	csys_command_free(command);
	command = csys_command_new("-p");
	assert_line(command, "-p");
	csys_command_env_clear(command);
	assert_line(command, "env -i -- -p");
	csys_command_free(command);
}

/* What a shell prints that runs the line of a command in a folder, with CDPATH set. */
static void assert_shell_does_the_same(csys_command *command, const char *folder)
{
	char line[4096];
	csys_output direct, shell;
	assert_true(csys_command_line(command, line, sizeof line) < sizeof line);
	csys_command *sh = csys_command_new("/bin/sh");
	csys_command_args(sh, (const char *const[]){ "-c", line, NULL });
	csys_command_env(sh, "CDPATH", "/");
	csys_command_cwd(sh, folder);
	assert_int_equal(csys_command_output(sh, NULL, &shell), 0);
	csys_command_free(sh);
	assert_int_equal(csys_command_output(command, NULL, &direct), 0);
	assert_string_equal(shell.err.data, "");
	assert_string_equal(shell.out.data, direct.out.data);
	assert_true(direct.out.size > 0);
	csys_output_free(&direct);
	csys_output_free(&shell);
}

static void a_shell_does_the_same_with_odd_names_and_folders(void **state)
{
	(void)state;
	needs_shell();
	char folder[256], path[4096], old[4096];
	const char *where = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/csys-XXXXXX", where ? where : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	assert_non_null(getcwd(old, sizeof old));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("tmp", 0755), 0); /* CDPATH has one too */
	assert_int_equal(mkdir("tmp/deep", 0755), 0);
	assert_int_equal(symlink("tmp/deep", "link"), 0);

	/* A folder that CDPATH would find elsewhere, and one that a shell would write otherwise. */
	const char *folders[] = { "tmp", "link/.." };
	for (int i = 0; i < 2; i++) {
		csys_command *command = csys_command_new("pwd");
		csys_command_arg(command, "-P");
		csys_command_cwd(command, folders[i]);
		assert_shell_does_the_same(command, folder);
		csys_command_free(command);
	}
	/* Names of programs, found by PATH. */
	const char *names[] = { "if", "A=b" };
	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(names[i], "w");
		assert_non_null(file);
		fprintf(file, "#!/bin/sh\necho \"$0 $A $1\"\n");
		fclose(file);
		assert_int_equal(chmod(names[i], 0755), 0);
		snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
		for (int set = 0; set < 2; set++) {
			csys_command *command = csys_command_new(names[i]);
			csys_command_arg(command, "an argument");
			csys_command_env(command, "PATH", path);
			csys_command_env(command, set ? "A" : "-i", "x");
			assert_shell_does_the_same(command, folder);
			csys_command_free(command);
		}
		assert_int_equal(unlink(names[i]), 0);
	}
	assert_int_equal(unlink("link"), 0);
	assert_int_equal(rmdir("tmp/deep"), 0);
	assert_int_equal(rmdir("tmp"), 0);
	assert_int_equal(chdir(old), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void the_line_is_cut_as_snprintf_does(void **state)
{
	(void)state;
	csys_command *command = csys_command_new("program");
	char line[8] = "xxxxxxx";
	assert_int_equal(csys_command_line(command, NULL, 0), 7);
	assert_int_equal(csys_command_line(command, line, 0), 7);
	assert_string_equal(line, "xxxxxxx");
	assert_int_equal(csys_command_line(command, line, 4), 7);
	assert_string_equal(line, "pro");
	assert_int_equal(csys_command_line(command, line, 1), 7);
	assert_string_equal(line, "");
	assert_int_equal(csys_command_line(command, line, 8), 7);
	assert_string_equal(line, "program");
	csys_command_free(command);
}

static void a_shell_that_runs_the_line_does_the_same(void **state)
{
	(void)state;
	needs_shell();
	const char *odd[] = { "a b", "",  "it's", "*",    "$HOME", "\\", "\"",
			      "`x`", "#", "~",    "a\nb", ";",     "&",  NULL };
	char line[4096];
	csys_output direct, shell;
	csys_command *command = helper_command("args", NULL);
	csys_command_args(command, odd);
	csys_command_env(command, "CSYS_ODD KEY", "o'd d");
	csys_command_cwd(command, "/");
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	assert_true(csys_command_line(command, line, sizeof line) < sizeof line);

	const char *argv[] = { "sh", "-c", line, NULL };
	assert_int_equal(csys_run(argv, NULL, &shell), 0);
	assert_int_equal(csys_command_output(command, NULL, &direct), 0);
	assert_true(csys_exit_success(shell.exit));
	assert_string_equal(shell.out.data, direct.out.data);
	assert_non_null(strstr(direct.out.data, "[a\nb]"));
	csys_output_free(&direct);
	csys_output_free(&shell);
	csys_command_free(command);
}

static void getters_tell_what_was_set(void **state)
{
	(void)state;
	csys_command *command = csys_command_new("x");
	assert_null(csys_command_get_cwd(command));
	assert_string_equal(csys_command_get_arg0(command), "x");
	csys_command_cwd(command, "/somewhere");
	assert_string_equal(csys_command_get_cwd(command), "/somewhere");
	assert_int_equal(csys_command_get_stdio(command, CSYS_STDOUT), CSYS_STDIO_DEFAULT);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	assert_int_equal(csys_command_get_stdio(command, CSYS_STDOUT), CSYS_STDIO_PIPE);
	csys_command_stdio_file(command, CSYS_STDOUT, "f", CSYS_FILE_NEW);
	assert_int_equal(csys_command_get_stdio(command, CSYS_STDOUT), CSYS_STDIO_FILE);
	csys_command_stdio_handle(command, CSYS_STDOUT, 1);
	assert_int_equal(csys_command_get_stdio(command, CSYS_STDOUT), CSYS_STDIO_HANDLE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_DEFAULT);
	assert_int_equal(csys_command_get_stdio(command, CSYS_STDOUT), CSYS_STDIO_DEFAULT);
	csys_command_free(command);
}

static void without_memory_setters_keep_enomem_and_the_rest(void **state)
{
	(void)state;
	int nth = 1;
	for (;; nth++) {
		csysi_fault_arm(nth);
		csys_command *command = csys_command_new("x");
		csys_command_arg(command, "a");
		csys_command_arg0(command, "a");
		csys_command_env(command, "A", "a");
		csys_command_env(command, "A", "b");
		csys_command_cwd(command, "/");
		csys_command_stdio_file(command, CSYS_STDIN, "a", CSYS_FILE_READ);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(csys_command_error(command), fired ? CSYS_ENOMEM : 0);
		csys_command_free(command);
		if (!fired)
			break;
	}
	assert_int_equal(nth, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(null_is_accepted_everywhere),
		TEST(a_handle_given_to_a_null_command_is_closed),
		TEST(no_program_is_einval),
		TEST(the_first_failure_of_a_setter_is_kept),
		TEST(the_setter_that_failed_is_named_as_the_program_called_it),
		TEST(bad_settings_are_einval),
		TEST(arguments_arrive_as_they_are),
		TEST(a_hundred_thousand_arguments_arrive),
		TEST(strings_are_copied),
		TEST(a_command_can_be_used_again_and_changed),
		TEST(variables_are_set_and_unset_and_the_rest_is_inherited),
		TEST(the_environment_is_that_of_the_spawn),
		TEST(clear_forgets_and_inherits_nothing),
		TEST(odd_entries_of_environ_do_no_harm),
		TEST(many_variables_arrive),
		TEST(the_line_shows_what_will_run),
		TEST(directories_are_entered_as_the_system_does),
		TEST(env_takes_no_key_for_an_option),
		TEST(a_shell_does_the_same_with_odd_names_and_folders),
		TEST(the_line_is_cut_as_snprintf_does),
		TEST(a_shell_that_runs_the_line_does_the_same),
		TEST(getters_tell_what_was_set),
		TEST(without_memory_setters_keep_enomem_and_the_rest),
	};
	return RUN(tests);
}
