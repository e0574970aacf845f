/*
 * os/test_process.c - exam: handles of foreign processes.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

static void self_is_this_process(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_pid(), getpid());
}

static void a_handle_is_ready_from_the_end_on(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	csys_handle handle = 77;
	int r = csysi_os_process_open(csys_child_pid(child), &handle);
	if (r == CSYS_ENOTSUP) {
		assert_int_equal(handle, 77);
		csys_child_close(child, CSYS_CLOSE_KILL);
		skip_because("this system has no such handles");
	}
	assert_int_equal(r, 0);
	assert_true(handle > 2);
	struct csysi_os_poll end = { .handle = handle };
	assert_int_equal(csysi_os_poll(&end, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csysi_os_poll(&end, 1, csys_after_s(60)), 0);
	finished(child);
	assert_int_equal(csysi_os_poll(&end, 1, CSYS_POLL), 0);
	assert_int_equal(csysi_os_process_signal(1, handle, 0) == 0, 0); /* not pid 1's */
	csysi_os_close(handle);
}

static void signals_arrive_by_pid(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	int64_t pid = csys_child_pid(child);
	assert_int_equal(csysi_os_process_signal(pid, CSYS_NO_HANDLE, 0), 0);
	assert_int_equal(csysi_os_process_signal(pid, CSYS_NO_HANDLE, 12345), CSYS_EINVAL);
	assert_int_equal(csysi_os_process_signal(pid, CSYS_NO_HANDLE, SIGKILL), 0);
	assert_int_equal(finished(child).value, SIGKILL);
	assert_int_equal(csysi_os_process_signal(pid, CSYS_NO_HANDLE, 0), CSYS_ESRCH);
}

static void nobody_has_no_handle(void **state)
{
	(void)state;
	csys_handle handle = 77;
	int r = csysi_os_process_open(INT_MAX, &handle);
	assert_true(r == CSYS_ESRCH || r == CSYS_ENOTSUP);
	assert_int_equal(handle, 77);
}

static void a_handle_tells_its_pid_until_it_is_reaped(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("wait", NULL));
	csys_handle handle = CSYS_NO_HANDLE;
	int64_t told = 77, pid = csys_child_pid(child);
	struct ends pipe = opened_ends();
	int r = csysi_os_process_open(pid, &handle);
	if (r == 0)
		r = csysi_os_process_pid(handle, &told);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	assert_int_equal(told, r == 0 ? pid : 77);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_child_wait(child, NULL), 0); /* which reaps it */
	if (r == 0) {
		assert_int_equal(csysi_os_process_pid(handle, &told), CSYS_ESRCH);
		assert_int_equal(csysi_os_process_pid(pipe.reader, &told), CSYS_EBADF);
		assert_int_equal(csysi_os_process_pid(4000, &told), CSYS_EBADF);
		assert_int_equal(csysi_os_process_pid(CSYS_NO_HANDLE, &told), CSYS_EBADF);
		assert_int_equal(told, pid);
	}
	csysi_os_close(handle);
	close_ends(pipe);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(self_is_this_process),
		TEST(a_handle_is_ready_from_the_end_on),
		TEST(signals_arrive_by_pid),
		TEST(nobody_has_no_handle),
		TEST(a_handle_tells_its_pid_until_it_is_reaped),
	};
	return RUN(tests);
}
