/*
 * ipc/test_lock_file_owner.c - promises of csys/ipc/lock_file.h: whose a file is.
 */
#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/scratch.h"
#include "support/support.h"

#ifdef CSYS_TEST_WRAPS_FLOCK
static int refusals; /* so many attempts to lock exclusively find that a query shares the file */

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	if (operation == (LOCK_EX | LOCK_NB) && refusals > 0) {
		refusals--;
		errno = EWOULDBLOCK;
		return -1;
	}
	return __real_flock(fd, operation);
}
#endif

static const char *path(void)
{
	return scratch_path("one.pid");
}

static csys_lock_file *opened(void)
{
	csys_lock_file *file = NULL;
	int r = csys_lock_file_try_open(path(), NULL, &file);
	if (r == CSYS_ENOTSUP && !csys_can(CSYS_CAN_FILE_LOCK))
		skip_because("this system has no locks of files");
	assert_int_equal(r, 0);
	return file;
}

/* A program without csys that holds the file, with this text in it, or with its own pid before the
 * text if that begins with the newline of the first line. */
static void hold_with(const char *text, csys_lock_file_info *out)
{
	char line[16], whole[128];
	scratch_write("one.pid", text);
	csys_command *command = helper_command("flock", path(), "ex", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	if (strncmp(text, "\nstart", 6) == 0) {
		(void)snprintf(whole, sizeof whole, "%lld%s", (long long)csys_child_pid(child),
			       text);
		scratch_write("one.pid", whole);
	}
	assert_int_equal(csys_lock_file_owner(path(), out), 0);
	/* The system may tell which process that is. */
	if (out->pid == csys_child_pid(child))
		out->pid = -1;
	csys_child_close_stream(child, CSYS_STDIN);
	assert_true(csys_exit_success(finished(child)));
	unlink(path());
}

static void nothing_stale_is_believed(void **state)
{
	(void)state;
	csys_lock_file_info info;
	csys_lock_file_close(opened());
	/* Not locked: whatever stands there. */
	char text[128];
	(void)snprintf(text, sizeof text, "%ld\n", (long)getpid());
	scratch_write("one.pid", text);
	assert_int_equal(csys_lock_file_owner(path(), &info), CSYS_ENOENT);
	/* Locked by a program that writes no start: the pid, if such a process runs. */
	hold_with(text, &info);
	assert_true(info.pid == getpid() && info.start == 0 && !info.is_certain);
	hold_with("4194304000\n", &info);
	assert_true(info.pid <= 0);
	/* Of another boot, or of another process that had this pid: not that one. */
	(void)snprintf(text, sizeof text, "%ld\nstart 7 boot 00000000000000010000000000000002\n",
		       (long)getpid());
	hold_with(text, &info);
	assert_true(info.pid <= 0 && !info.is_certain);
	/* The holder has the pid of the one that has left this, but not its start. */
	csys_process_id own;
	if (csys_process_identify(getpid(), &own) < 0 || own.start <= 0)
		return;
	(void)snprintf(text, sizeof text, "\nstart 7 boot %016llx%016llx\n",
		       (unsigned long long)own.boot[0], (unsigned long long)own.boot[1]);
	hold_with(text, &info);
	assert_true(info.pid <= 0 && info.start == 0 && !info.is_certain);
	/* A process runs that has this pid and this start, but not since that boot. */
	(void)snprintf(text, sizeof text, "%ld\nstart %lld boot %016llx%016llx\n", (long)getpid(),
		       (long long)own.start, (unsigned long long)own.boot[0],
		       (unsigned long long)own.boot[1] ^ 1);
	hold_with(text, &info);
	assert_true(info.pid <= 0 && !info.is_certain);
}

static void whatever_stands_in_a_file_does_no_harm(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"\n",
		"-1\n",
		"0\n",
		"x",
		"99999999999999999999999\n",
		" 1\n",
		"1 \n",
		"1\nstart\n",
		"1\nstart 9 boot \n",
		"1\nstart 9 boot 0123456789abcdef0123456789abcde",
		"1\nstart 9 boot 0123456789abcdef0123456789abcdeg\n",
		"1\nstart -9 boot 0123456789abcdef0123456789abcdef\n",
	};
	char huge[5000];
	csys_lock_file_info info;
	csys_lock_file_close(opened());
	memset(huge, '1', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	hold_with(huge, &info);
	assert_true(info.pid <= 0 && info.start == 0);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		hold_with(texts[i], &info);
		assert_true(info.pid <= 1 && info.start == 0);
	}
}

static int is_over;

static void *ask_all_the_time(void *unused)
{
	csys_lock_file_info info;

	(void)unused;
	while (!csysi_load_relaxed(&is_over)) {
		int r = csys_lock_file_owner(path(), &info);
		if (r != 0 && r != CSYS_ENOENT)
			return &is_over;
	}
	return NULL;
}

static void a_query_keeps_no_process_from_the_file(void **state)
{
	(void)state;
	csys_thread *thread;
	void *result;
	const csys_lock_file_options options = { .keep = 1 };
	csys_lock_file_close(opened());
	csysi_store_relaxed(&is_over, 0);
	assert_int_equal(csys_thread_spawn(ask_all_the_time, NULL, NULL, &thread), 0);
	for (int i = 0; i < 200; i++) {
		csys_lock_file *file;
		assert_int_equal(csys_lock_file_try_open(path(), &options, &file), 0);
		csys_lock_file_close(file);
		csys_thread_yield();
	}
	csysi_store_relaxed(&is_over, 1);
	assert_int_equal(csys_thread_join(thread, &result), 0);
	csys_thread_unref(thread);
	assert_null(result);
}

#ifdef CSYS_TEST_WRAPS_FLOCK
static void a_query_at_the_deadline_is_not_taken_for_a_process_that_has_the_file(void **state)
{
	(void)state;
	csys_lock_file *file;
	csys_lock_file_close(opened());
	for (int i = 0; i < 3; i++) {
		refusals = 100; /* for long, as when it has lost the processor */
		int r = i == 0 ? csys_lock_file_try_open(path(), NULL, &file)
			: i == 1
				? csys_lock_file_open_until(path(), NULL, CSYS_POLL, &file)
				: csys_lock_file_open_until(path(), NULL, csys_after_ns(-1), &file);
		refusals = 0;
		assert_int_equal(r, 0);
		csys_lock_file_close(file);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_stale_is_believed),
		TEST(whatever_stands_in_a_file_does_no_harm),
		TEST(a_query_keeps_no_process_from_the_file),
#ifdef CSYS_TEST_WRAPS_FLOCK
		TEST(a_query_at_the_deadline_is_not_taken_for_a_process_that_has_the_file),
#endif
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
