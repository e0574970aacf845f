/*
 * support/support.c - what the tests share.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tsan.h"
#include "support/support.h"

#define MOST 4096

static int handles_before;

int open_handles(void)
{
	int count = 0;

	for (int fd = 0; fd < MOST; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0;
}

int support_before(void **state)
{
	(void)state;
	handles_before = open_handles();
	return has_children() ? -1 : 0;
}

int support_after(void **state)
{
	(void)state;
	if (open_handles() != handles_before) {
		print_error("%d handles before, %d after\n", handles_before, open_handles());
		return -1;
	}
	if (has_children()) {
		print_error("a child is left\n");
		return -1;
	}
	return 0;
}

const char *helper(void)
{
	const char *path = getenv("CSYS_TEST_HELPER");

	return path ? path : "tests/helper"; /* from the build folder, by hand */
}

csys_command *helper_command(const char *first, ...)
{
	csys_command *command = csys_command_new(helper());
	va_list rest;

	va_start(rest, first);
	for (const char *arg = first; arg; arg = va_arg(rest, const char *))
		csys_command_arg(command, arg);
	va_end(rest);
	return command;
}

csys_command *hooked(int (*hook)(void *argument), void *argument)
{
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_pre_exec(command, hook, argument);
	return command;
}

int return_int(void *result)
{
	return *(int *)result;
}

csys_child *spawned(csys_command *command)
{
	csys_child *child = NULL;

	int r = csys_command_spawn(command, &child);
	if (r < 0)
		print_error("%s at the step '%s', %d of the system\n", csys_strerror(r),
			    csys_step_name(csys_spawn_failed_step()), csys_os_error());
	assert_int_equal(r, 0);
	assert_non_null(child);
	csys_command_free(command);
	return child;
}

void skip_because(const char *reason)
{
	print_message("skipped: %s\n", reason);
	skip();
}

void fail_because(const char *reason)
{
	print_error("failed: %s\n", reason);
	fail();
}

void needs_shell(void)
{
	if (access("/bin/sh", X_OK) != 0)
		skip_because("this system has no /bin/sh");
}

/* Asks the system and not csys, whose failure must not pass for one of the system. */
void needs_terminals(void)
{
	int controller = posix_openpt(O_RDWR | O_NOCTTY);
	int terminal = -1;

	if (controller >= 0 && grantpt(controller) == 0 && unlockpt(controller) == 0)
		terminal = open(ptsname(controller), O_RDWR | O_NOCTTY);
	if (controller >= 0)
		close(controller);
	if (terminal < 0)
		skip_because("this system makes no terminals (is /dev/pts mounted?)");
	close(terminal);
}

csys_pty *opened_pty(void)
{
	csys_pty *pty = NULL;

	needs_terminals();
	assert_int_equal(csys_pty_open(24, 80, &pty), 0);
	assert_non_null(pty);
	return pty;
}

csys_exit finished(csys_child *child)
{
	csys_exit end;

	assert_int_equal(csys_child_wait(child, &end), 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	return end;
}

struct ends opened_ends(void)
{
	struct ends pipe;
	assert_int_equal(csys_pipe_create(&pipe.reader, &pipe.writer), 0);
	return pipe;
}

void close_ends(struct ends pipe)
{
	csys_handle_close(pipe.reader);
	csys_handle_close(pipe.writer);
}

size_t fill_pipe(csys_handle writer)
{
	static const char big[1 << 20];
	size_t all = 0, size;
	while (csys_stream_write_until(writer, big, sizeof big, CSYS_POLL, &size) == 0)
		all += size;
	return all;
}

void read_line(csys_handle reader, char *buffer, size_t size)
{
	size_t length = 0;

	for (;;) {
		size_t got;
		assert_true(length < size);
		assert_int_equal(
			csys_stream_read_until(reader, buffer + length, 1, csys_after_s(30), &got),
			0);
		if (got == 0 || buffer[length] == '\n')
			break;
		length++;
	}
	buffer[length] = '\0';
}

void assert_fails(csys_command *command, int result, int step)
{
	csys_child *child = NULL;
	assert_int_equal(csys_command_spawn(command, &child), result);
	assert_int_equal(csys_spawn_failed_step(), step);
	assert_null(child);
	assert_false(has_children());
	csys_command_free(command);
}

void check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	_exit(1);
}

void allow_handles(int most)
{
	/* The hard limit stays: valgrind does not let it change. */
	struct rlimit limit;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)most;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");
	return preloaded && strstr(preloaded, "vgpreload") != NULL;
}

int is_watched(void)
{
#ifdef CSYSI_IS_INSTRUMENTED
	return 1;
#else
	return csysi_tsan_is_there() || under_valgrind();
#endif
}

static const char *own_program;
static const struct part *own_parts;
static size_t own_part_count;

void run_part(int argc, char **argv, const struct part *parts, size_t count)
{
	own_program = argv[0];
	own_parts = parts;
	own_part_count = count;
	if (argc != 3 || strcmp(argv[1], "--part") != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(parts[i].name, argv[2]) != 0)
			continue;
		const struct rlimit none = { 0, 0 }; /* some end by a signal */
		setrlimit(RLIMIT_CORE, &none);
		parts[i].function();
		fflush(NULL);
		_exit(0); /* at an exit a sanitizer wants handles, which a part may be out of */
	}
	fprintf(stderr, "%s: there is no part %s\n", argv[0], argv[2]);
	exit(64);
}

csys_command *part_command(void (*function)(void))
{
	const char *name = NULL;
	for (size_t i = 0; i < own_part_count; i++)
		if (own_parts[i].function == function)
			name = own_parts[i].name;
	assert_non_null(name); /* it is missing among the parts of this program */
	fflush(NULL);
	csys_command *command = csys_command_new(own_program);
	csys_command_arg(command, "--part");
	csys_command_arg(command, name);
	return command;
}

csys_exit end_in_process(void (*function)(void))
{
	return finished(spawned(part_command(function)));
}

void in_process(void (*function)(void))
{
	csys_exit end = end_in_process(function);
	assert_int_equal(end.how, CSYS_EXIT_CODE);
	assert_int_equal(end.value, 0);
}

int result_in_child(void (*function)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		function();
		_exit(0);
	}
	int status;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void in_child(void (*function)(void))
{
	assert_int_equal(result_in_child(function), 0);
}
