/*
 * ipc/test_lock_file.c - promises of csys/ipc/lock_file.h.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "ipc/file_lock.h"
#include "ipc/locked_files.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/system.h"

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

/* ---- another process ------------------------------------------------------------------------- */

/* Fork a process that holds the file until it is killed. */
static pid_t held_by_another(void)
{
	int told[2];
	char byte;
	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();
	if (pid == 0) {
		csys_lock_file *file;
		if (csys_lock_file_try_open(path(), NULL, &file) < 0 || write(told[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_second_instance_is_refused_and_told_which_is_the_first(void **state)
{
	(void)state;
	csys_lock_file *file = (csys_lock_file *)state;
	csys_lock_file_info info;
	csys_process_id id;
	csys_lock_file_close(opened());
	pid_t pid = held_by_another();
	assert_int_equal(csys_lock_file_try_open(path(), NULL, &file), CSYS_EAGAIN);
	assert_int_equal(csys_lock_file_open_until(path(), NULL, csys_after_ms(2), &file),
			 CSYS_ETIMEDOUT);
	assert_ptr_equal(file, state);
	assert_int_equal(csys_lock_file_owner(path(), &info), 0);
	assert_int_equal(info.pid, pid);
	if (csys_process_identify(pid, &id) == 0) {
		const csys_process_id told = { info.pid,
					       info.start,
					       { info.boot[0], info.boot[1] } };
		assert_true(csys_process_id_equal(&id, &told));
		assert_int_equal(info.is_certain, id.start > 0);
	}
	end(pid);
}

static void what_a_killed_process_has_left_is_taken_over(void **state)
{
	(void)state;
	char line[32];
	csys_lock_file_info info;
	csys_lock_file_close(opened());
	end(held_by_another());
	assert_int_equal(access(path(), F_OK), 0);
	assert_int_equal(csys_lock_file_owner(path(), &info), CSYS_ENOENT);
	csys_lock_file *file = opened();
	(void)snprintf(line, sizeof line, "%ld\n", (long)getpid());
	assert_int_equal(strncmp(scratch_read("one.pid"), line, strlen(line)), 0);
	assert_int_equal(csys_lock_file_owner(path(), &info), 0);
	assert_int_equal(info.pid, getpid());
	csys_lock_file_close(file);
	assert_int_equal(csys_lock_file_owner(path(), &info), CSYS_ENOENT);
}

/* Several processes count in a file, of which one at a time has the lock file. */
#define PROCESSES 4
#define ROUNDS 40

static void count_in_file(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		csys_lock_file *file;
		int r = CSYS_EAGAIN;
		while (r == CSYS_EAGAIN)
			r = i % 3 == 0   ? csys_lock_file_open(path(), NULL, &file)
			    : i % 3 == 1 ? csys_lock_file_open_until(path(), NULL, csys_after_s(60),
								     &file)
					 : csys_lock_file_try_open(path(), NULL, &file);
		if (r < 0)
			_exit(2);
		FILE *count = fopen(scratch_path("count"), "r+");
		long n = 0;
		if (!count || fscanf(count, "%ld", &n) != 1)
			_exit(3);
		rewind(count);
		(void)fprintf(count, "%ld\n", n + 1);
		fclose(count);
		csys_lock_file_close(file);
	}
	_exit(0);
}

static void processes_that_remove_the_file_still_exclude_each_other(void **state)
{
	(void)state;
	pid_t children[PROCESSES];
	int status, total = 0;
	csys_lock_file_close(opened());
	scratch_write("count", "0\n");
	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0)
			count_in_file();
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(sscanf(scratch_read("count"), "%d", &total), 1);
	assert_int_equal(total, PROCESSES * ROUNDS);
	assert_int_equal(access(path(), F_OK), -1);
}

static void *wait_for_the_file(void *out)
{
	int r = csys_lock_file_open_until(path(), NULL, csys_after_s(60), out);
	return r < 0 ? out : NULL;
}

/* Whoever waited locks a file that has no name any more, and must not take that for the lock. */
static void what_has_waited_for_a_file_that_is_removed_makes_a_new_one(void **state)
{
	(void)state;
	csys_lock_file *first = opened(), *second = NULL, *third = NULL;
	csys_file_lock *same;
	csys_thread *thread;
	void *result;
	assert_int_equal(csys_file_lock_open(path(), NULL, &same), 0);
	assert_int_equal(csys_thread_spawn(wait_for_the_file, &second, NULL, &thread), 0);
	while (csysi_load_acquire(&same->file->waiters) == 0)
		csys_thread_yield();
	csys_lock_file_close(first);
	assert_int_equal(csys_thread_join(thread, &result), 0);
	csys_thread_unref(thread);
	assert_null(result);
	assert_int_equal(access(path(), F_OK), 0);
	assert_int_equal(csys_lock_file_try_open(path(), NULL, &third), CSYS_EAGAIN);
	csys_file_lock_close(same);
	csys_lock_file_close(second);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void closing_removes_the_file_or_empties_it(void **state)
{
	(void)state;
	struct stat about;
	csys_lock_file *file = opened();
	assert_true(csys_lock_file_handle(file) > 2);
	csys_lock_file_close(file);
	assert_int_equal(access(path(), F_OK), -1);
	const csys_lock_file_options options = { .keep = 1, .mode = 0600 };
	assert_int_equal(csys_lock_file_open(path(), &options, &file), 0);
	csys_lock_file_close(file);
	assert_int_equal(stat(path(), &about), 0);
	assert_true(about.st_size == 0 && (about.st_mode & 0777) == 0600);
	csys_lock_file_close(opened());
	assert_int_equal(access(path(), F_OK), -1);
}

static void closing_leaves_a_file_that_is_another_one_by_now(void **state)
{
	(void)state;
	csys_lock_file *file = opened();
	assert_int_equal(rename(path(), scratch_path("moved")), 0);
	scratch_write("one.pid", "precious\n");
	csys_lock_file_close(file);
	assert_string_equal(scratch_read("one.pid"), "precious\n");
	unlink(path());
	unlink(scratch_path("moved"));
}

static void open_and_move(void)
{
	csys_lock_file *file;
	CHECK(chdir(scratch_folder()) == 0);
	CHECK(csys_lock_file_open("relative", NULL, &file) == 0);
	CHECK(chdir("/") == 0);
	CHECK(access(scratch_path("relative"), F_OK) == 0);
	csys_lock_file_close(file);
	CHECK(access(scratch_path("relative"), F_OK) < 0);
}

static void a_relative_path_is_that_of_the_opening(void **state)
{
	(void)state;
	csys_lock_file_close(opened());
	in_child(open_and_move);
}

static void what_may_be_a_trap_is_refused_and_left_alone(void **state)
{
	(void)state;
	csys_lock_file *file = (csys_lock_file *)state;
	csys_lock_file_info info;
	csys_lock_file_close(opened());
	scratch_write("victim", "precious\n");
	assert_int_equal(symlink(scratch_path("victim"), path()), 0);
	assert_int_equal(csys_lock_file_open(path(), NULL, &file), CSYS_EPERM);
	assert_int_equal(csys_lock_file_owner(path(), &info), CSYS_EPERM);
	unlink(path());
	assert_int_equal(symlink(scratch_path("nothing"), path()), 0);
	assert_int_equal(csys_lock_file_open(path(), NULL, &file), CSYS_EPERM);
	assert_int_equal(access(scratch_path("nothing"), F_OK), -1);
	unlink(path());
	assert_int_equal(link(scratch_path("victim"), path()), 0);
	assert_int_equal(csys_lock_file_open(path(), NULL, &file), CSYS_EPERM);
	unlink(path());
	assert_int_equal(mkfifo(path(), 0600), 0);
	assert_int_equal(csys_lock_file_open(path(), NULL, &file), CSYS_EPERM);
	unlink(path());
	assert_int_equal(csys_lock_file_open(scratch_folder(), NULL, &file), CSYS_EPERM);
	assert_string_equal(scratch_read("victim"), "precious\n");
	assert_ptr_equal(file, state);
}

static void open_the_file_of_another_user(void)
{
	csys_lock_file *file;
	const csys_lock_file_options accept = { .accept_foreign = 1 };
	struct stat about;
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_lock_file_open(scratch_path("new"), NULL, &file) == CSYS_EACCES);
	CHECK(csys_lock_file_open(scratch_path("closed"), NULL, &file) == CSYS_EACCES);
	CHECK(csys_lock_file_open(scratch_path("foreign"), NULL, &file) == CSYS_EPERM);
	CHECK(csys_lock_file_open(scratch_path("foreign"), &accept, &file) == 0);
	csys_lock_file_close(file); /* it cannot be removed, and is emptied */
	CHECK(stat(scratch_path("foreign"), &about) == 0 && about.st_size == 0);
	/* In a folder that may be searched and not listed. */
	csys_lock_file_info info;
	CHECK(csys_lock_file_open(scratch_path("dark/file"), &accept, &file) == 0);
	CHECK(csys_lock_file_owner(scratch_path("dark/file"), &info) == 0);
	csys_lock_file_close(file);
}

static void a_file_of_another_user_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	csys_lock_file_close(opened());
	scratch_write("closed", "");
	scratch_write("foreign", "");
	assert_int_equal(chmod(scratch_path("closed"), 0644), 0);
	assert_int_equal(chmod(scratch_path("foreign"), 0666), 0);
	assert_int_equal(chown(scratch_path("foreign"), 1, 1), 0);
	assert_int_equal(chmod(scratch_folder(), 0755), 0);
	assert_int_equal(mkdir(scratch_path("dark"), 0700), 0);
	scratch_write("dark/file", "");
	assert_int_equal(chmod(scratch_path("dark/file"), 0666), 0);
	assert_int_equal(chmod(scratch_path("dark"), 0711), 0);
	in_child(open_the_file_of_another_user);
	unlink(scratch_path("dark/file"));
	assert_int_equal(rmdir(scratch_path("dark")), 0);
}

/* ---- forks and failures ---------------------------------------------------------------------- */

static csys_lock_file *inherited;

static void close_the_parents(void)
{
	CHECK(csys_lock_file_handle(inherited) == CSYS_NO_HANDLE);
	csys_lock_file_close(inherited);
	CHECK(access(path(), F_OK) == 0);
	CHECK(csys_lock_file_try_open(path(), NULL, &inherited) == CSYS_EAGAIN);
}

static void a_forked_child_removes_and_releases_nothing(void **state)
{
	(void)state;
	csys_lock_file_info info;
	inherited = opened();
	in_child(close_the_parents);
	assert_int_equal(csys_lock_file_owner(path(), &info), 0);
	assert_int_equal(info.pid, getpid());
	csys_lock_file_close(inherited);
}

static void a_copy_that_is_made_in_another_way_removes_nothing_either(void **state)
{
	(void)state;
	int status;
	inherited = opened();
	long copy = copy_past_handlers();
	if (copy == 0) {
		close_the_parents();
		_exit(0);
	}
	if (copy > 0) {
		assert_int_equal(waitpid((pid_t)copy, &status, 0), copy);
		assert_int_equal(status, 0);
	}
	csys_lock_file_close(inherited);
	if (copy < 0)
		skip_because("there are no such copies, or they cannot be told");
}

static void a_failed_open_leaves_nothing(void **state)
{
	csys_lock_file *const none = (csys_lock_file *)state;
	csys_lock_file_close(opened());
	for (int nth = 1;; nth++) {
		csys_lock_file *file = none;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_lock_file_try_open(path(), NULL, &file);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r == 0) { /* the start need not be told */
			csys_lock_file_close(file);
			assert_true(nth > 5);
			if (!fired)
				break;
			continue;
		}
		assert_true(fired);
		assert_ptr_equal(file, none);
		assert_int_equal(open_handles(), handles);
		if (r == CSYS_EIO) /* it could not be written */
			assert_int_equal(access(path(), F_OK), -1);
		csys_lock_file_close(opened());
	}
}

static void arguments_are_checked(void **state)
{
	(void)state;
	csys_lock_file *file;
	csys_lock_file_info info;
	csys_lock_file_options options = { .mode = 010000 };
	csys_lock_file_close(opened());
	assert_int_equal(csys_lock_file_open(NULL, NULL, &file), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open(path(), NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open(path(), &options, &file), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open("", NULL, &file), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open("x/", NULL, &file), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open("..", NULL, &file), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_open(scratch_path("no/x"), NULL, &file), CSYS_ENOENT);
	assert_int_equal(csys_lock_file_owner(NULL, &info), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_owner(path(), NULL), CSYS_EINVAL);
	assert_int_equal(csys_lock_file_owner(scratch_path("no/x"), &info), CSYS_ENOENT);
	assert_true(csys_lock_file_handle(NULL) == CSYS_NO_HANDLE);
	csys_lock_file_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_instance_is_refused_and_told_which_is_the_first),
		TEST(what_a_killed_process_has_left_is_taken_over),
		TEST(processes_that_remove_the_file_still_exclude_each_other),
		TEST(what_has_waited_for_a_file_that_is_removed_makes_a_new_one),
		TEST(closing_removes_the_file_or_empties_it),
		TEST(closing_leaves_a_file_that_is_another_one_by_now),
		TEST(a_relative_path_is_that_of_the_opening),
		TEST(what_may_be_a_trap_is_refused_and_left_alone),
		TEST(a_file_of_another_user_is_refused),
		TEST(a_forked_child_removes_and_releases_nothing),
		TEST(a_copy_that_is_made_in_another_way_removes_nothing_either),
		TEST(a_failed_open_leaves_nothing),
		TEST(arguments_are_checked),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
