/*
 * os/test_child.c - exam: waiting for a child, reaping and signalling it.
 */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

/* The system's view of a child that csys made. */
static struct csysi_os_child inside(const csys_child *child)
{
	struct csysi_os_child os = { .pid = csys_child_pid(child),
				     .handle = csys_child_handle(child) };
	return os;
}

static void a_running_child_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	struct csysi_os_child os = inside(child);
	struct csysi_os_exit end;
	assert_int_equal(csysi_os_child_wait(&os, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(csysi_os_child_wait(&os, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csysi_os_child_reap(&os, &end), CSYS_EAGAIN);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void waiting_does_not_reap(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "5", NULL));
	struct csysi_os_child os = inside(child);
	struct csysi_os_exit end;
	assert_int_equal(csysi_os_child_wait(&os, CSYS_FOREVER), 0);
	assert_int_equal(csysi_os_child_wait(&os, CSYS_POLL), 0);
	assert_int_equal(csysi_os_child_wait(&os, csys_after_s(100)), 0);
	assert_int_equal(csysi_os_child_reap(&os, &end), 0);
	assert_true(end.known && !end.signaled);
	assert_int_equal(end.value, 5);
	/* Once more: it is gone, and that is known to be unknown. */
	assert_int_equal(csysi_os_child_wait(&os, csys_after_s(100)), 0);
	assert_int_equal(csysi_os_child_reap(&os, &end), 0);
	assert_false(end.known);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void signals_arrive_and_show_in_the_end(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	struct csysi_os_child os = inside(child);
	struct csysi_os_exit end;
	assert_int_equal(csysi_os_child_signal(&os, 0), 0);
	assert_int_equal(csysi_os_child_signal(&os, 12345), CSYS_EINVAL);
	assert_int_equal(csysi_os_child_signal(&os, SIGUSR2), 0);
	assert_int_equal(csysi_os_child_wait(&os, CSYS_FOREVER), 0);
	assert_int_equal(csysi_os_child_signal(&os, SIGUSR2), 0); /* a zombie takes it */
	assert_int_equal(csysi_os_child_reap(&os, &end), 0);
	assert_true(end.known && end.signaled);
	assert_int_equal(end.value, SIGUSR2);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void acts_need_no_number(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	struct csysi_os_child os = inside(child);
	struct csysi_os_exit end;
	assert_int_equal(csysi_os_child_act(&os, CSYSI_OS_LOOK), 0);
	assert_int_equal(csysi_os_child_is_stopped(&os), 0);
	assert_int_equal(csysi_os_child_act(&os, CSYSI_OS_SUSPEND), 0);
	assert_int_equal(csys_child_wait_suspended_until(child, csys_after_s(60)), 0);
	assert_int_equal(csysi_os_child_is_stopped(&os), 1);
	assert_int_equal(csysi_os_child_act(&os, CSYSI_OS_ASK), 0);
	assert_int_equal(csysi_os_child_act(&os, CSYSI_OS_RESUME), 0);
	assert_int_equal(csysi_os_child_wait(&os, CSYS_FOREVER), 0);
	assert_int_equal(csysi_os_child_act(&os, CSYSI_OS_END), 0); /* a zombie takes it */
	assert_int_equal(csysi_os_child_reap(&os, &end), 0);
	assert_true(end.known && end.signaled);
	assert_int_equal(end.value, SIGTERM);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* A process that is no child, by its pid. */
	child = spawned(helper_command("stay", NULL));
	int64_t pid = csys_child_pid(child);
	assert_int_equal(csysi_os_process_act(pid, CSYS_NO_HANDLE, CSYSI_OS_LOOK), 0);
	assert_int_equal(csysi_os_process_act(pid, CSYS_NO_HANDLE, CSYSI_OS_END), 0);
	assert_int_equal(csys_exit_signal(finished(child)), SIGKILL);
	assert_int_equal(csysi_os_process_act(pid, CSYS_NO_HANDLE, CSYSI_OS_LOOK), CSYS_ESRCH);
}

static void a_group_is_acted_upon_as_a_whole(void **state)
{
	(void)state;
	char line[16];
	csys_command *command = helper_command("pair", NULL);
	csys_command_process_group(command, 0);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	struct csysi_os_child os = inside(child);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_int_equal(csysi_os_group_act(&os, CSYSI_OS_END), 0);
	/* The other process of the group holds the stream too. */
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "");
	assert_int_equal(csys_exit_signal(finished(child)), SIGKILL);
}

static void a_handle_polls_readable_from_the_end_on(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	struct pollfd polled = { .fd = (int)csys_child_handle(child), .events = POLLIN };
	if (polled.fd >= 0) {
		assert_int_equal(poll(&polled, 1, 0), 0);
		assert_int_equal(csys_child_kill(child), 0);
		assert_int_equal(poll(&polled, 1, 30000), 1);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void signals_have_names(void **state)
{
	(void)state;
	assert_string_equal(csysi_os_signal_name(SIGKILL), "SIGKILL");
	assert_string_equal(csysi_os_signal_name(SIGTERM), "SIGTERM");
	assert_null(csysi_os_signal_name(0));
	assert_null(csysi_os_signal_name(-1));
	assert_null(csysi_os_signal_name(12345));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_running_child_is_waited_for_until_the_deadline),
		TEST(waiting_does_not_reap),
		TEST(signals_arrive_and_show_in_the_end),
		TEST(a_handle_polls_readable_from_the_end_on),
		TEST(acts_need_no_number),
		TEST(a_group_is_acted_upon_as_a_whole),
		TEST(signals_have_names),
	};
	return RUN(tests);
}
