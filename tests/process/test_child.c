/*
 * process/test_child.c - promises of csys/process/child.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/child.h"
#include "support/stranger.h"
#include "support/support.h"

/* A helper that waits for a signal, past the point where it says so. */
static csys_child *waiting(const char *verb)
{
	char line[16];
	csys_command *command = helper_command(verb, NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE); /* for waits to close */
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "ready");
	return child;
}

static void assert_exit(csys_exit exit, int how, int value)
{
	assert_int_equal(exit.how, how);
	assert_int_equal(exit.value, value);
}

static void wait_gives_the_exit_code(void **state)
{
	(void)state;
	const char *const codes[] = { "0", "1", "127", "255" };
	const int values[] = { 0, 1, 127, 255 };
	for (int i = 0; i < 4; i++)
		assert_exit(finished(spawned(helper_command("exit", codes[i], NULL))),
			    CSYS_EXIT_CODE, values[i]);
}

static void wait_gives_the_signal(void **state)
{
	(void)state;
	assert_exit(finished(spawned(helper_command("die", "15", NULL))), CSYS_EXIT_SIGNAL,
		    SIGTERM);
	csys_exit end = finished(spawned(helper_command("die", "6", NULL)));
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGABRT);
	assert_int_equal(end.core_dumped, 0);
}

static void the_status_is_kept(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "3", NULL));
	csys_exit end;
	for (int i = 0; i < 3; i++) {
		memset(&end, 0, sizeof end);
		assert_int_equal(csys_child_wait(child, &end), 0);
		assert_exit(end, CSYS_EXIT_CODE, 3);
		memset(&end, 0, sizeof end);
		assert_int_equal(csys_child_try_wait(child, &end), 0);
		assert_exit(end, CSYS_EXIT_CODE, 3);
		assert_int_equal(csys_child_wait_until(child, CSYS_POLL, &end), 0);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void try_wait_does_not_wait_and_leaves_stdin_open(void **state)
{
	(void)state;
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_exit end = { .how = 77, .value = 77 };
	assert_int_equal(csys_child_try_wait(child, &end), CSYS_EAGAIN);
	assert_int_equal(end.how, 77);
	assert_true(csys_child_stream(child, CSYS_STDIN) != CSYS_NO_HANDLE);
	assert_exit(finished(child), CSYS_EXIT_CODE, 0);
}

static void a_wait_that_polls_leaves_stdin_open_too(void **state)
{
	(void)state;
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_exit end = { .how = 77, .value = 77 };
	assert_int_equal(csys_child_wait_until(child, CSYS_POLL, &end), CSYS_ETIMEDOUT);
	assert_int_equal(end.how, 77);
	assert_true(csys_child_stream(child, CSYS_STDIN) != CSYS_NO_HANDLE);
	/* A deadline that has passed is no poll. */
	int r = csys_child_wait_until(child, csys_after_ms(0), &end);
	assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_stream(child, CSYS_STDIN), CSYS_NO_HANDLE);
	/* Where it has a handle, that is what is waited for. */
	assert_int_equal(csys_child_waitable(child).handle, csys_child_handle(child));
	assert_exit(finished(child), CSYS_EXIT_CODE, 0);
}

static void the_exit_need_not_be_asked_for(void **state)
{
	(void)state;
	csys_exit end;
	csys_child *child = spawned(helper_command("exit", "3", NULL));
	assert_int_equal(csys_child_wait(child, NULL), 0);
	assert_int_equal(csys_child_wait_until(child, CSYS_POLL, NULL), 0);
	assert_int_equal(csys_child_try_wait(child, NULL), 0);
	assert_int_equal(csys_child_terminate_until(child, CSYS_POLL, NULL), 0);
	assert_int_equal(csys_child_try_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_CODE, 3);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void wait_closes_stdin_first(void **state)
{
	(void)state;
	/* It reads to the end of its input, which is only then. */
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_exit end;
	assert_int_equal(csys_child_wait_until(child, csys_after_s(60), &end), 0);
	assert_exit(end, CSYS_EXIT_CODE, 0);
	csys_child_close(child, CSYS_CLOSE_DETACH);
}

static void wait_until_gives_up_at_the_deadline(void **state)
{
	(void)state;
	csys_child *child = waiting("wait");
	csys_exit end = { .how = 77, .value = 77 };
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(csys_child_wait_until(child, deadline, &end), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_child_wait_until(child, CSYS_POLL, &end), CSYS_ETIMEDOUT);
	assert_int_equal(end.how, 77);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_child_wait_until(child, csys_after_s(60), &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_DETACH);
}

static void signals_arrive_until_it_is_reaped_and_never_after(void **state)
{
	(void)state;
	csys_child *child = waiting("wait");
	csys_exit end;
	assert_int_equal(csys_child_signal(child, 0), 0);
	assert_int_equal(csys_child_signal(child, 12345), CSYS_EINVAL);
	assert_int_equal(csys_child_signal(child, SIGUSR1), 0);
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGUSR1);
	assert_int_equal(csys_child_signal(child, SIGUSR1), CSYS_ESRCH);
	assert_int_equal(csys_child_signal(child, 0), CSYS_ESRCH);
	assert_int_equal(csys_child_kill(child), 0);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_reused_pid_is_not_signalled(void **state)
{
	(void)state;
	/* As if the pid of the reaped child were this process's now. */
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	struct csysi_os_child own = { .pid = getpid(), .handle = CSYS_NO_HANDLE };
	csys_exit end;
	assert_int_equal(csys_child_wait(child, &end), 0);
	struct csysi_os_child was = child->os;
	child->os = own;
	assert_int_equal(csys_child_signal(child, 0), CSYS_ESRCH);
	assert_int_equal(csys_child_kill(child), 0); /* and this process lives */
	assert_int_equal(csys_child_terminate_until(child, CSYS_POLL, &end), 0);
	child->os = was;
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_pid_that_is_no_child_is_not_signalled(void **state)
{
	(void)state;
	/* Not reaped by us: as if somebody else had, and the pid were this process's now. */
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	struct csysi_os_child own = { .pid = getpid(), .handle = CSYS_NO_HANDLE }, was = child->os;
	child->os = own;
	assert_int_equal(csys_child_signal(child, 0), CSYS_ESRCH);
	child->os = was;
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void kill_of_one_that_ended_is_fine_and_keeps_its_status(void **state)
{
	(void)state;
	csys_command *command = helper_command("exit", "3", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	char byte;
	size_t size;
	/* The end of its stdout is its end, or nearly: kill may come before or after. */
	assert_int_equal(csys_stream_read(csys_child_stream(child, CSYS_STDOUT), &byte, 1, &size),
			 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(csys_child_kill(child), 0);
	assert_exit(finished(child), CSYS_EXIT_CODE, 3);
}

static void terminate_is_polite_first(void **state)
{
	(void)state;
	csys_child *child = waiting("wait");
	csys_exit end;
	assert_int_equal(csys_child_terminate_until(child, csys_after_s(60), &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGTERM);
	/* Again: it is gone, and says how. */
	assert_int_equal(csys_child_terminate_until(child, csys_after_s(60), &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGTERM);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void terminate_kills_after_the_grace(void **state)
{
	(void)state;
	csys_child *child = waiting("stay");
	csys_exit end;
	csys_deadline grace = csys_after_ms(5);
	assert_int_equal(csys_child_terminate_until(child, grace, &end), 0);
	assert_true(csys_now() >= csys_deadline_ns(grace));
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void terminate_kills_after_the_grace_what_cannot_be_asked(void **state)
{
	(void)state;
	/* It would end as it is asked to, and does not read its input. */
	csys_child *child = waiting("polite");
	csys_exit end;
	csys_deadline grace = csys_after_ms(3);
	csysi_fault_exhaust(1, CSYS_ENOTSUP);
	int r = csys_child_terminate_until(child, grace, &end);
	int fired = csysi_fault_fired();
	csysi_fault_arm(0);
	assert_true(fired);
	assert_int_equal(r, 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	assert_int_equal(csys_deadline_left(grace), 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* It ends with its input, within the grace. */
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	child = spawned(command);
	csysi_fault_exhaust(1, CSYS_ENOTSUP);
	r = csys_child_terminate_until(child, csys_after_s(60), &end);
	csysi_fault_arm(0);
	assert_int_equal(r, 0);
	assert_exit(end, CSYS_EXIT_CODE, 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void terminate_asks_and_does_not_wait(void **state)
{
	(void)state;
	csys_exit end = { 0 };
	csys_child *child = waiting("polite");
	assert_int_equal(csys_child_terminate(child, csys_after_s(60)), 0);
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_CODE, 3);
	/* It is gone, which is what was asked for. */
	assert_int_equal(csys_child_terminate(child, CSYS_POLL), 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* No grace: it is asked, and no more. */
	child = waiting("stay");
	assert_int_equal(csys_child_terminate(child, CSYS_FOREVER), 0);
	assert_int_equal(csys_child_wait_until(child, csys_after_ms(20), NULL), CSYS_ETIMEDOUT);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_wait_ends_a_child_whose_grace_is_over(void **state)
{
	(void)state;
	csys_exit end = { 0 };
	csys_child *child = waiting("stay");
	csys_deadline grace = csys_after_ms(30);
	assert_int_equal(csys_child_terminate(child, grace), 0);
	assert_int_equal(csys_child_try_wait(child, &end), CSYS_EAGAIN);
	assert_int_equal(csys_child_wait_until(child, csys_after_ms(1), &end), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_wait_until(child, csys_after_s(60), &end), 0);
	assert_true(csys_now() >= csys_deadline_ns(grace));
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* A look without waiting does it too, and close. */
	child = waiting("stay");
	assert_int_equal(csys_child_terminate(child, CSYS_FOREVER), 0);
	assert_int_equal(csys_child_terminate(child, csys_after_ms(1)),
			 0); /* the last one counts */
	while (csys_child_try_wait(child, &end) == CSYS_EAGAIN)
		continue;
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	child = waiting("stay");
	assert_int_equal(csys_child_terminate(child, csys_after_ms(1)), 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_false(has_children());
}

static void a_detached_child_is_ended_when_its_grace_is_over(void **state)
{
	(void)state;
	csys_child *child = waiting("stay");
	assert_int_equal(csys_child_terminate(child, csys_after_ms(1)), 0);
	csys_child_close(child, CSYS_CLOSE_DETACH);
	while (has_children())
		finished(spawned(helper_command("exit", "0", NULL)));
}

static void run_a_program(void)
{
	csys_exit end;
	csys_command *command = helper_command("exit", "0", NULL);
	CHECK(csys_command_run(command, &end) == 0);
	csys_command_free(command);
}

static void a_forked_child_does_not_end_what_its_parent_has_detached(void **state)
{
	(void)state;
	char byte;
	size_t size;
	csys_handle witness;
	csys_child *child = waiting("stay");
	assert_int_equal(csys_child_take(child, CSYS_STDOUT, &witness), 0);
	assert_int_equal(csys_child_terminate(child, CSYS_POLL), 0);
	csys_child_close(child, CSYS_CLOSE_DETACH);
	in_child(run_a_program);
	assert_int_equal(csys_stream_read_until(witness, &byte, 1, csys_after_ms(20), &size),
			 CSYS_ETIMEDOUT);
	/* Here it is ended. */
	while (has_children())
		finished(spawned(helper_command("exit", "0", NULL)));
	csys_handle_close(witness);
}

static void terminate_until_replaces_an_earlier_grace(void **state)
{
	(void)state;
	csys_exit end = { 0 };
	csys_child *child = waiting("stay");
	csys_deadline grace = csys_after_ms(30);
	assert_int_equal(csys_child_terminate(child, CSYS_POLL), 0);
	assert_int_equal(csys_child_terminate_until(child, grace, &end), 0);
	assert_true(csys_now() >= csys_deadline_ns(grace));
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void a_child_that_may_not_be_asked_has_no_grace(void **state)
{
	(void)state;
	csys_child *child = waiting("wait");
	csysi_fault_exhaust(1, CSYS_EPERM);
	int r = csys_child_terminate(child, CSYS_POLL);
	csysi_fault_arm(0);
	assert_int_equal(r, CSYS_EPERM);
	assert_int_equal(csys_child_try_wait(child, NULL), CSYS_EAGAIN);
	assert_int_equal(csys_child_wait_until(child, csys_after_ms(5), NULL), CSYS_ETIMEDOUT);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void its_handle_can_be_taken_and_it_goes_by_its_pid(void **state)
{
	(void)state;
	csys_exit end;
	csys_handle handle = CSYS_NO_HANDLE, again = 77;
	csys_child *child = waiting("wait");
	if (csys_child_handle(child) == CSYS_NO_HANDLE) {
		assert_int_equal(csys_child_take_handle(child, &handle), CSYS_ENOTSUP);
		assert_int_equal(handle, CSYS_NO_HANDLE);
		csys_child_close(child, CSYS_CLOSE_KILL);
		return;
	}
	csys_handle was = csys_child_handle(child);
	assert_int_equal(csys_child_take_handle(child, &handle), 0);
	assert_int_equal(handle, was);
	assert_int_equal(csys_child_handle(child), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_take_handle(child, &again), CSYS_EBADF);
	assert_int_equal(again, 77);

	/* All else works on. */
	csys_waitable polled = csys_child_waitable(child);
	csys_poll_item item = { .waitable = polled };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_try_wait(child, &end), CSYS_EAGAIN);
	assert_int_equal(csys_child_suspend(child), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, csys_after_s(60)), 0);
	assert_int_equal(csys_child_resume(child), 0);
	assert_int_equal(csys_child_wait_until(child, csys_after_ms(2), &end), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_terminate_until(child, csys_after_s(60), &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGTERM);
	assert_int_equal(csys_child_signal(child, SIGTERM), CSYS_ESRCH);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* The handle outlives the object. */
	struct csysi_os_poll ended = { .handle = handle };
	assert_int_equal(csysi_os_poll(&ended, 1, CSYS_POLL), 0);
	csys_handle_close(handle);
}

static void a_child_whose_handle_was_taken_may_be_reaped_by_its_owner(void **state)
{
	(void)state;
	csys_exit end;
	csys_handle handle;
	csys_child *child = waiting("wait");
	if (csys_child_take_handle(child, &handle) == CSYS_ENOTSUP) {
		csys_child_close(child, CSYS_CLOSE_KILL);
		skip_because("children have no handles here");
	}
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(waitpid((pid_t)csys_child_pid(child), NULL, 0), csys_child_pid(child));
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_UNKNOWN, -1);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	csys_handle_close(handle);
}

static void not_yet_is_eagain_from_try_and_etimedout_from_until(void **state)
{
	(void)state;
	csys_deadline soon[] = { CSYS_POLL, csys_after_ns(0), csys_after_ms(1) };
	csys_child *child = waiting("wait");
	csys_command *stage = helper_command("wait", NULL);
	csys_pipeline *pipeline = NULL;
	csys_process *process = NULL;
	csys_signals *signals = NULL;
	csys_signal_event event;
	csys_exit end;
	int number = SIGUSR2;
	assert_int_equal(csys_pipeline_spawn(&stage, 1, &pipeline), 0);
	csys_command_free(stage);
	int r = csys_process_open(csys_child_pid(child), &process);
	int has_process = r != CSYS_ENOTSUP; /* it has /proc, or needs none */
	if (has_process)
		assert_int_equal(r, 0);
	assert_int_equal(csys_signals_open(&number, 1, NULL, &signals), 0);

	assert_int_equal(csys_child_try_wait(child, &end), CSYS_EAGAIN);
	assert_int_equal(csys_pipeline_try_wait(pipeline, &end), CSYS_EAGAIN);
	assert_int_equal(csys_pipeline_exit(pipeline, 0, &end), CSYS_EAGAIN);
	assert_int_equal(csys_signals_try_wait(signals, &event), CSYS_EAGAIN);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_child_wait_until(child, soon[i], &end), CSYS_ETIMEDOUT);
		assert_int_equal(csys_child_wait_suspended_until(child, soon[i]), CSYS_ETIMEDOUT);
		assert_int_equal(csys_pipeline_wait_until(pipeline, soon[i], &end), CSYS_ETIMEDOUT);
		if (has_process)
			assert_int_equal(csys_process_wait_until(process, soon[i]), CSYS_ETIMEDOUT);
		assert_int_equal(csys_signals_wait_until(signals, soon[i], &event), CSYS_ETIMEDOUT);
	}
	csys_signals_close(signals);
	csys_process_close(process);
	csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void streams_are_borrowed_taken_and_closed(void **state)
{
	(void)state;
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_handle writer = csys_child_stream(child, CSYS_STDIN);
	csys_handle taken = CSYS_NO_HANDLE;
	char text[8];
	size_t size;

	assert_int_equal(csys_child_take(child, CSYS_STDERR, &taken), CSYS_EBADF);
	assert_int_equal(csys_child_take(child, 3, &taken), CSYS_EINVAL);
	assert_int_equal(taken, CSYS_NO_HANDLE);
	assert_int_equal(csys_child_stream(child, CSYS_STDERR), CSYS_NO_HANDLE);
	assert_int_equal(csys_child_stream(child, (enum csys_stdio_stream) - 1), CSYS_NO_HANDLE);

	assert_int_equal(csys_stream_write_all(writer, "hello", 5, NULL), 0);
	assert_int_equal(csys_child_take(child, CSYS_STDOUT, &taken), 0);
	assert_int_equal(csys_child_stream(child, CSYS_STDOUT), CSYS_NO_HANDLE);
	csys_child_close_stream(child, CSYS_STDOUT); /* not there any more: nothing */
	csys_child_close_stream(child, CSYS_STDIN);
	csys_child_close_stream(child, CSYS_STDIN);
	csys_child_close_stream(child, 7);
	assert_int_equal(csys_stream_read_all(taken, text, sizeof text, &size), 0);
	assert_int_equal(size, 5);
	assert_exit(finished(child), CSYS_EXIT_CODE, 0);
	csys_handle_close(taken);
}

static void close_detach_lets_it_run_and_the_next_call_reaps_it(void **state)
{
	(void)state;
	csys_child *first = waiting("wait");
	pid_t pid = (pid_t)csys_child_pid(first);
	siginfo_t info;
	csys_child_close(first, CSYS_CLOSE_DETACH);
	assert_int_equal(kill(pid, 0), 0); /* it runs on */

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0); /* a zombie */
	assert_exit(finished(spawned(helper_command("exit", "0", NULL))), CSYS_EXIT_CODE, 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), -1); /* reaped */
}

static void many_detached_children_are_all_reaped(void **state)
{
	(void)state;
	/* More than one sweep looks at. */
	enum { MANY = 150 };
	pid_t pids[MANY];
	siginfo_t info;
	csys_handle reader, writer;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	for (int i = 0; i < MANY; i++) {
		csys_command *command = helper_command("drain", NULL);
		csys_command_stdio_handle(command, CSYS_STDIN, reader);
		csys_child *child = spawned(command);
		pids[i] = (pid_t)csys_child_pid(child);
		csys_child_close(child, CSYS_CLOSE_DETACH);
	}
	csys_handle_close(writer);
	csys_handle_close(reader);
	/* Until each has ended; one that a later spawn reaped already is an error here. */
	for (int i = 0; i < MANY; i++)
		waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT);
	for (int i = 0; i < 4; i++)
		assert_exit(finished(spawned(helper_command("exit", "0", NULL))), CSYS_EXIT_CODE,
			    0);
	assert_false(has_children());
}

static void close_kill_leaves_nothing(void **state)
{
	(void)state;
	csys_child *child = waiting("stay");
	pid_t pid = (pid_t)csys_child_pid(child);
	csys_child_close(child, CSYS_CLOSE_KILL);
	assert_int_equal(kill(pid, 0), -1);
	csys_child_close(NULL, CSYS_CLOSE_KILL);
}

static void close_wait_waits(void **state)
{
	(void)state;
	csys_command *command = helper_command("drain", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_child_close(child, CSYS_CLOSE_WAIT); /* and gives it the end of its input */
	assert_false(has_children());
}

static void ignore_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (int deadline = 0; deadline <= 1; deadline++) {
		csys_child *child;
		csys_command *command = helper_command("exit", "0", NULL);
		csys_exit end;
		CHECK(csys_command_spawn(command, &child) == 0);
		csys_command_free(command);
		if (deadline)
			CHECK(csys_child_wait_until(child, csys_after_s(60), &end) == 0);
		else
			CHECK(csys_child_wait(child, &end) == 0);
		CHECK(end.how == CSYS_EXIT_UNKNOWN && end.value == -1);
		CHECK(!csys_exit_success(end));
		CHECK(csys_child_signal(child, SIGKILL) == CSYS_ESRCH);
		csys_child_close(child, CSYS_CLOSE_KILL);
	}
	/* A failed spawn too must not wait for ever, nor be taken for success. */
	csys_command *command = csys_command_new("/no/such/program");
	csys_child *child;
	CHECK(csys_command_spawn(command, &child) == CSYS_ENOENT);
	csys_command_free(command);
	CHECK(!has_children());
}

static void ignored_sigchld_gives_status_unknown(void **state)
{
	(void)state;
	in_process(ignore_sigchld);
}

static void a_foreign_reaper_gives_status_unknown(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	csys_exit end;
	assert_int_equal(waitpid(-1, NULL, 0), csys_child_pid(child));
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_UNKNOWN, -1);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

/* A child that leads a group, has ended, and was reaped by the system or by other code. */
static csys_child *reaped_by_others(int by_system)
{
	csys_child *child;
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_process_group(command, 0);
	if (by_system)
		signal(SIGCHLD, SIG_IGN);
	CHECK(csys_command_spawn(command, &child) == 0);
	csys_command_free(command);
	pid_t pid = (pid_t)csys_child_pid(child);
	/* Where SIGCHLD is ignored waitpid waits for the end, and then says that there is none. */
	CHECK(waitpid(-1, NULL, 0) == (by_system ? -1 : pid));
	return child;
}

/* Signals to a child whose pid was given to another process. */
static void signal_a_lost_child(int by_system, int is_child)
{
	struct stranger stranger;
	csys_child *child = reaped_by_others(by_system);
	csys_exit exit;
	/* Without a handle a child cannot be told from a later one with the same pid. */
	int can_tell = !is_child || csys_child_handle(child) != CSYS_NO_HANDLE;
	if (!can_tell || !stranger_make(&stranger, (pid_t)csys_child_pid(child), is_child)) {
		fprintf(stderr, "skipped: no process with a pid of choice, or no handles\n");
		csys_child_close(child, CSYS_CLOSE_DETACH);
		return;
	}
	CHECK(csys_child_signal(child, SIGKILL) == CSYS_ESRCH);
	CHECK(csys_child_signal_group(child, SIGKILL) == CSYS_ESRCH);
	CHECK(csys_child_signal_group(child, 0) == CSYS_ESRCH);
	CHECK(csys_child_is_suspended(child) == CSYS_ESRCH);
	CHECK(csys_child_kill(child) == 0);
	CHECK(csys_child_terminate_until(child, csys_after_s(60), &exit) == 0);
	CHECK(exit.how == CSYS_EXIT_UNKNOWN);
	csys_child_close(child, CSYS_CLOSE_KILL);
	CHECK(stranger_end(&stranger));
}

static void signal_after_the_system_reaped(void)
{
	signal_a_lost_child(1, 0);
}

static void signal_after_other_code_reaped(void)
{
	signal_a_lost_child(0, 0);
}

static void signal_a_later_child(void)
{
	signal_a_lost_child(0, 1);
}

static void no_signal_reaches_a_stranger_with_its_pid(void **state)
{
	(void)state;
	in_child(signal_after_the_system_reaped);
	in_child(signal_after_other_code_reaped);
	in_child(signal_a_later_child);
}

static void a_group_gets_no_signal_once_its_leader_was_reaped_by_others(void **state)
{
	(void)state;
	csys_command *command = helper_command("leave-waiting", NULL);
	csys_command_process_group(command, 0);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_handle out = csys_child_stream(child, CSYS_STDOUT);
	char text[32] = "";
	size_t size;
	assert_int_equal(
		csys_stream_read_until(out, text, sizeof text - 1, csys_after_s(60), &size), 0);
	assert_int_equal(waitpid(-1, NULL, 0), csys_child_pid(child));

	assert_int_equal(csys_child_signal_group(child, SIGKILL), CSYS_ESRCH);
	/* What it left in its group lives, and holds the pipe. */
	assert_int_equal(csys_stream_read_until(out, text + size, 1, csys_after_ms(50), &size),
			 CSYS_ETIMEDOUT);
	assert_int_equal(kill(atoi(text), SIGKILL), 0);
	assert_int_equal(csys_stream_read_until(out, text, 1, csys_after_s(60), &size), 0);
	assert_int_equal(size, 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void *wait_too(void *child)
{
	static csys_exit ends[8];
	static int next;
	csys_exit *end = &ends[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 8];
	if (csys_child_wait(child, end) < 0)
		return NULL;
	return end;
}

static void *kill_often(void *child)
{
	int r;
	do
		r = csys_child_signal(child, SIGUSR1);
	while (r == 0);
	return r == CSYS_ESRCH ? child : NULL;
}

static void *wait_in_steps(void *child)
{
	static csys_exit ends[8];
	static int next;
	csys_exit *end = &ends[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 8];
	int r;
	do
		r = csys_child_wait_until(child, csys_after_us(300), end);
	while (r == CSYS_ETIMEDOUT);
	return r < 0 ? NULL : end;
}

static void *terminate_often(void *child)
{
	for (int i = 0; i < 20; i++)
		if (csys_child_terminate(child, csys_after_us(200)) < 0)
			return NULL;
	return child;
}

static void waits_and_terminates_of_several_threads_agree(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		csys_child *child = waiting("stay");
		pthread_t waiters[3], asker;
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&waiters[i], NULL, wait_in_steps, child),
					 0);
		assert_int_equal(pthread_create(&asker, NULL, terminate_often, child), 0);
		for (int i = 0; i < 3; i++) {
			void *end;
			pthread_join(waiters[i], &end);
			assert_non_null(end);
			assert_exit(*(csys_exit *)end, CSYS_EXIT_SIGNAL, SIGKILL);
		}
		void *asked;
		pthread_join(asker, &asked);
		assert_non_null(asked);
		csys_child_close(child, CSYS_CLOSE_KILL);
	}
}

static void waits_and_signals_of_several_threads_agree(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		csys_child *child = waiting("wait");
		pthread_t waiters[3], killer;
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&waiters[i], NULL, wait_too, child), 0);
		assert_int_equal(pthread_create(&killer, NULL, kill_often, child), 0);
		for (int i = 0; i < 3; i++) {
			void *end;
			pthread_join(waiters[i], &end);
			assert_non_null(end);
			assert_exit(*(csys_exit *)end, CSYS_EXIT_SIGNAL, SIGUSR1);
		}
		void *gone;
		pthread_join(killer, &gone);
		assert_non_null(gone);
		csys_child_close(child, CSYS_CLOSE_KILL);
	}
}

static void *wait_and_be_cancelled(void *child)
{
	csys_exit end;
	return csys_child_wait(child, &end) == 0 ? child : NULL;
}

static void a_cancelled_wait_leaves_the_child_usable(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	for (int i = 0; i < 20; i++) {
		csys_child *child = waiting("wait");
		pthread_t waiter;
		void *came_back;
		assert_int_equal(pthread_create(&waiter, NULL, wait_and_be_cancelled, child), 0);
		if (i % 2)
			assert_int_equal(csys_child_signal(child, SIGUSR1), 0);
		pthread_cancel(waiter);
		pthread_join(waiter, &came_back);
		assert_int_equal(csys_child_kill(child), 0);
		assert_int_equal(finished(child).how, CSYS_EXIT_SIGNAL);
	}
}

static int ask_by_signal(csys_child *child)
{
	return csys_child_signal(child, 0);
}

static int ask_by_group(csys_child *child)
{
	return csys_child_signal_group(child, 0);
}

static int try_wait(csys_child *child)
{
	csys_exit end;
	return csys_child_try_wait(child, &end);
}

static int ask_usage(csys_child *child)
{
	csys_usage usage;
	return csys_child_usage(child, &usage);
}

struct call {
	int (*function)(csys_child *child);
	csys_child *child;
};

static void *call_when_cancelled(void *argument)
{
	const struct call *call = argument;
	pthread_cancel(pthread_self());
	call->function(call->child);
	pthread_testcancel();
	return NULL;
}

static void a_thread_that_is_cancelled_ends_with_no_lock_of_the_child(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	int (*const functions[])(csys_child *) = {
		ask_by_signal,     ask_by_group,       try_wait,
		ask_usage,         csys_child_suspend, csys_child_is_suspended,
		csys_child_resume, csys_child_kill,
	};
	csys_command *command = helper_command("wait", NULL);
	csys_command_process_group(command, 0);
	csys_child *child = spawned(command);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		struct call call = { functions[i], child };
		pthread_t thread;
		void *came_back;
		assert_int_equal(pthread_create(&thread, NULL, call_when_cancelled, &call), 0);
		pthread_join(thread, &came_back);
		assert_ptr_equal(came_back, PTHREAD_CANCELED);
		assert_int_equal(csys_child_signal(child, 0), 0);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_group_is_signalled_as_a_whole(void **state)
{
	(void)state;
	csys_command *command = helper_command("pair", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_process_group(command, 0);
	csys_child *child = spawned(command);
	csys_handle reader = csys_child_stream(child, CSYS_STDOUT);
	char line[16];
	size_t size;
	csys_exit end;
	read_line(reader, line, sizeof line);
	assert_int_equal(csys_child_signal_group(child, 0), 0);
	assert_int_equal(csys_child_signal_group(child, SIGUSR1), 0);
	/* The pipe ends when both have. */
	assert_int_equal(csys_stream_read_until(reader, line, 1, csys_after_s(60), &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_exit(end, CSYS_EXIT_SIGNAL, SIGUSR1);
	assert_int_equal(csys_child_signal_group(child, SIGUSR1), CSYS_ESRCH);
	csys_child_close(child, CSYS_CLOSE_KILL);

	/* One that leads none: its group is ours. */
	child = spawned(helper_command("exit", "0", NULL));
	assert_int_equal(csys_child_signal_group(child, SIGKILL), CSYS_EINVAL);
	assert_int_equal(csys_child_signal_group(NULL, SIGKILL), CSYS_EINVAL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void usage_is_told_after_the_wait(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("work", "30000000", NULL));
	csys_usage usage = { 77, 77, 77 };
	csys_exit end;
	assert_int_equal(csys_child_usage(child, NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_usage(NULL, &usage), CSYS_EINVAL);
	assert_int_equal(csys_child_usage(child, &usage), CSYS_EAGAIN);
	assert_int_equal(csys_child_wait(child, &end), 0);
	int r = csys_child_usage(child, &usage);
	if (csys_child_handle(child) == CSYS_NO_HANDLE || r == CSYS_ENOTSUP) {
		assert_int_equal(r, CSYS_ENOTSUP);
		assert_int_equal(usage.peak, 77);
	} else {
		assert_int_equal(r, 0);
		/* Linux counts pages in batches. */
		assert_true(usage.peak > 20000000 && usage.peak < 300000000);
		assert_true(usage.user_ns >= 0 && usage.system_ns >= 0);
		assert_true(usage.user_ns + usage.system_ns > 0);
	}
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void pid_and_handle_are_the_childs(void **state)
{
	(void)state;
	csys_child *child = waiting("wait");
	assert_true(csys_child_pid(child) > 0);
	assert_int_equal(kill((pid_t)csys_child_pid(child), 0), 0);
	if (csys_can(CSYS_CAN_PROCESS_HANDLE))
		assert_int_not_equal(csys_child_handle(child), CSYS_NO_HANDLE);
	csys_child_close(child, CSYS_CLOSE_KILL);
	assert_int_equal(csys_child_pid(NULL), -1);
	assert_int_equal(csys_child_handle(NULL), CSYS_NO_HANDLE);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_exit end;
	csys_handle handle;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	assert_int_equal(csys_child_wait(NULL, &end), CSYS_EINVAL);
	assert_int_equal(csys_child_try_wait(NULL, &end), CSYS_EINVAL);
	assert_int_equal(csys_child_signal(NULL, 9), CSYS_EINVAL);
	assert_int_equal(csys_child_kill(NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_terminate_until(NULL, CSYS_POLL, &end), CSYS_EINVAL);
	assert_int_equal(csys_child_terminate(NULL, CSYS_POLL), CSYS_EINVAL);
	assert_int_equal(csys_child_take(NULL, CSYS_STDIN, &handle), CSYS_EINVAL);
	assert_int_equal(csys_child_take(child, CSYS_STDIN, NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_take_handle(child, NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_take_handle(NULL, &handle), CSYS_EINVAL);
	assert_int_equal(csys_child_stream(NULL, CSYS_STDIN), CSYS_NO_HANDLE);
	csys_child_close_stream(NULL, CSYS_STDIN);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void it_can_be_stopped_and_goes_on(void **state)
{
	(void)state;
	csys_exit exit;
	csys_child *child = waiting("polite");
	assert_int_equal(csys_child_is_suspended(child), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, csys_after_ms(3)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_suspend(child), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, CSYS_FOREVER), 0);
	assert_int_equal(csys_child_is_suspended(child), 1); /* looking does not use it up */
	assert_int_equal(csys_child_is_suspended(child), 1);
	/* It has not ended, and does not while it is stopped. */
	assert_int_equal(csys_child_try_wait(child, &exit), CSYS_EAGAIN);
	assert_int_equal(csys_child_signal(child, SIGTERM), 0);
	assert_int_equal(csys_child_wait_until(child, csys_after_ms(3), &exit), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_resume(child), 0);
	assert_int_equal(csys_child_wait(child, &exit), 0);
	assert_exit(exit, CSYS_EXIT_CODE, 3);
	assert_int_equal(csys_child_is_suspended(child), CSYS_ESRCH);
	assert_int_equal(csys_child_wait_suspended_until(child, CSYS_FOREVER), CSYS_ESRCH);
	assert_int_equal(csys_child_suspend(child), CSYS_ESRCH);
	assert_int_equal(csys_child_resume(child), CSYS_ESRCH);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void one_that_ended_is_not_stopped(void **state)
{
	(void)state;
	/* Stopped, killed, and not reaped yet. */
	csys_child *child = waiting("wait");
	assert_int_equal(csys_child_suspend(child), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, CSYS_FOREVER), 0);
	assert_int_equal(csys_child_kill(child), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(csys_child_is_suspended(child), CSYS_ESRCH);
	assert_int_equal(csys_child_wait_suspended_until(child, CSYS_FOREVER), CSYS_ESRCH);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	assert_int_equal(csys_child_suspend(NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_resume(NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_is_suspended(NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_wait_suspended_until(NULL, CSYS_FOREVER), CSYS_EINVAL);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(ignore_sigchld),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(wait_gives_the_exit_code),
		TEST(wait_gives_the_signal),
		TEST(the_status_is_kept),
		TEST(try_wait_does_not_wait_and_leaves_stdin_open),
		TEST(a_wait_that_polls_leaves_stdin_open_too),
		TEST(the_exit_need_not_be_asked_for),
		TEST(wait_closes_stdin_first),
		TEST(wait_until_gives_up_at_the_deadline),
		TEST(signals_arrive_until_it_is_reaped_and_never_after),
		TEST(a_reused_pid_is_not_signalled),
		TEST(a_pid_that_is_no_child_is_not_signalled),
		TEST(kill_of_one_that_ended_is_fine_and_keeps_its_status),
		TEST(terminate_is_polite_first),
		TEST(terminate_kills_after_the_grace),
		TEST(terminate_kills_after_the_grace_what_cannot_be_asked),
		TEST(terminate_asks_and_does_not_wait),
		TEST(a_wait_ends_a_child_whose_grace_is_over),
		TEST(a_detached_child_is_ended_when_its_grace_is_over),
		TEST(a_forked_child_does_not_end_what_its_parent_has_detached),
		TEST(terminate_until_replaces_an_earlier_grace),
		TEST(a_child_that_may_not_be_asked_has_no_grace),
		TEST(its_handle_can_be_taken_and_it_goes_by_its_pid),
		TEST(a_child_whose_handle_was_taken_may_be_reaped_by_its_owner),
		TEST(not_yet_is_eagain_from_try_and_etimedout_from_until),
		TEST(streams_are_borrowed_taken_and_closed),
		TEST(close_detach_lets_it_run_and_the_next_call_reaps_it),
		TEST(many_detached_children_are_all_reaped),
		TEST(close_kill_leaves_nothing),
		TEST(close_wait_waits),
		TEST(ignored_sigchld_gives_status_unknown),
		TEST(a_foreign_reaper_gives_status_unknown),
		TEST(no_signal_reaches_a_stranger_with_its_pid),
		TEST(a_group_gets_no_signal_once_its_leader_was_reaped_by_others),
		TEST(waits_and_terminates_of_several_threads_agree),
		TEST(waits_and_signals_of_several_threads_agree),
		TEST(a_cancelled_wait_leaves_the_child_usable),
		TEST(a_thread_that_is_cancelled_ends_with_no_lock_of_the_child),
		TEST(a_group_is_signalled_as_a_whole),
		TEST(usage_is_told_after_the_wait),
		TEST(pid_and_handle_are_the_childs),
		TEST(it_can_be_stopped_and_goes_on),
		TEST(one_that_ended_is_not_stopped),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
