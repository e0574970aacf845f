/*
 * process/test_hook_linux.c - promises of csys/process/command_options.h about functions that run
 * in the child, as far as they stand on what only Linux has.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* syscall */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

/* ---- processes that are forked meanwhile --------------------------------------------------- */

static csys_handle hold[2]; /* the one that is left holds all it got until this ends */

/* As other code of this process might at the same moment: it gets every handle there is. */
static int leave_a_holder(void *unused)
{
	(void)unused;
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? errno : 0;
	char byte;
	close((int)hold[1]);
	while (read((int)hold[0], &byte, 1) > 0)
		;
	_exit(0);
}

static void ask_for_a_robust_list(void)
{
	static struct robust_list_head head;
	head.list.next = &head.list;
	_exit(syscall(SYS_set_robust_list, &head, sizeof head) == 0);
}

static void a_spawn_does_not_wait_for_processes_forked_meanwhile(void **state)
{
	(void)state;
	if (!result_in_child(ask_for_a_robust_list))
		skip_because("the report comes through a pipe here");
	assert_int_equal(csys_pipe_create(&hold[0], &hold[1]), 0);
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	csys_command_pre_exec(command, leave_a_holder, NULL);
	csys_child *child = spawned(command); /* would hang */
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(finished(child).value, SIGKILL);
	csys_handle_close(hold[0]);
	csys_handle_close(hold[1]);
}

/* ---- a child that is kept, and what is left of one ------------------------------------------ */

static csys_handle victims[2];

static int name_self_and_wait(void *unused)
{
	pid_t self = getpid();

	(void)unused;
	if (write((int)victims[1], &self, sizeof self) == sizeof self)
		for (;;)
			pause();
	return CSYS_EIO;
}

/* Trace the child, and do not look at its end before the test says so.  0: it did say so. */
static int trace_and_keep(csys_handle until)
{
	pid_t victim;
	struct pollfd end = { .fd = (int)until, .events = POLLIN };

	close((int)victims[1]);
	if (read((int)victims[0], &victim, sizeof victim) != sizeof victim ||
	    ptrace(PTRACE_SEIZE, victim, NULL, NULL) < 0)
		return 77;
	return poll(&end, 1, 30000) == 1 ? 0 : 1;
}

static int register_another_list(void *unused)
{
	static struct robust_list_head head;

	(void)unused;
	head.list.next = &head.list;
	return syscall(SYS_set_robust_list, &head, sizeof head) == 0 ? 0 : errno;
}

/* Seen by the end of its memory, for this program does not end by itself. */
static void a_hook_may_change_what_tells_of_the_program(void **state)
{
	(void)state;
	csys_child *child = NULL;
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_pre_exec(command, register_another_list, NULL);
	int r = csys_command_spawn_until(command, csys_after_s(20), &child);
	if (r == CSYS_ENOTSUP && csys_os_error() == ENOSYS)
		skip_because("there is no set_robust_list here");
	assert_int_equal(r, 0);
	csys_command_free(command);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* Mappings that are shared with other processes, or -1. */
static int shared_mappings(void)
{
	char line[512];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps)
		return -1;
	while (fgets(line, sizeof line, maps))
		count += strstr(line, " rw-s ") != NULL;
	fclose(maps);
	return count;
}

static void a_start_leaves_no_memory_mapped(void **state)
{
	(void)state;
	int before = shared_mappings();
	for (int i = 0; i < 5; i++) {
		int result = i % 2 ? CSYS_EBUSY : 0;
		csys_exit end;
		csys_command *command = hooked(return_int, &result);
		assert_int_equal(csys_command_run(command, &end), result);
		csys_command_free(command);
	}
	assert_int_equal(shared_mappings(), before);
}

/*
 * Whether the system can tell a zombie that a tracer keeps from a child that is reaped already: by
 * P_PIDFD, or by pidfd_send_signal.
 */
static int can_tell_kept_from_reaped(void)
{
	const int none = 1 << 20; /* no descriptor */
	const int by_pidfd = 3;   /* P_PIDFD */
	siginfo_t info;

	if (syscall(SYS_waitid, by_pidfd, none, &info, WEXITED | WNOHANG, NULL) < 0 &&
	    errno == EBADF)
		return 1;
#ifdef SYS_pidfd_send_signal
	return syscall(SYS_pidfd_send_signal, none, 0, NULL, 0) < 0 && errno == EBADF;
#else
	return 0;
#endif
}

static void an_ended_child_that_another_process_keeps_holds_nobody_up(void **state)
{
	(void)state;
	csys_handle until[2];
	int status = -1;

	if (!can_tell_kept_from_reaped())
		skip_because("a zombie that a tracer keeps looks like a reaped one here");
	assert_int_equal(csys_pipe_create(&victims[0], &victims[1]), 0);
	assert_int_equal(csys_pipe_create(&until[0], &until[1]), 0);
	pid_t tracer = fork();
	assert_true(tracer >= 0);
	if (tracer == 0) {
		close((int)until[1]);
		_exit(trace_and_keep(until[0]));
	}
	csys_handle_close(until[0]);

	csys_child *child = NULL;
	csys_command *command = hooked(name_self_and_wait, NULL);
	int r = csys_command_spawn_until(command, csys_after_ms(500), &child);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_null(child);
	csys_command_free(command);
	csys_handle_close(victims[0]);
	csys_handle_close(victims[1]);
	csys_handle_close(until[1]);
	assert_int_equal(waitpid(tracer, &status, 0), tracer);

	/* It is reaped by and by. */
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0)
		finished(spawned(helper_command("exit", "0", NULL)));
	assert_false(has_children());
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("nobody may trace here, or this machine was too slow");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_spawn_does_not_wait_for_processes_forked_meanwhile),
		TEST(an_ended_child_that_another_process_keeps_holds_nobody_up),
		TEST(a_hook_may_change_what_tells_of_the_program),
		TEST(a_start_leaves_no_memory_mapped),
	};
	return RUN(tests);
}
