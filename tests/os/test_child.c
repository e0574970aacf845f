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
	struct csysi_os_child os = { csys_child_pid(child), csys_child_handle(child) };
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
		TEST(signals_have_names),
	};
	return RUN(tests);
}
