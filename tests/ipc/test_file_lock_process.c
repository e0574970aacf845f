/*
 * ipc/test_file_lock_process.c - promises of csys/ipc/file_lock.h: other processes, and forks.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"
#include "support/system.h"

#define SHARED CSYS_FILE_LOCK_SHARED
#define EXCLUSIVE CSYS_FILE_LOCK_EXCLUSIVE

static const csys_file_lock_options whole = { .create = 1 };
static const csys_file_lock_options range = { .create = 1, .is_range = 1, .offset = 7, .size = 3 };

/* ---- another program, without csys ----------------------------------------------------------- */

/* A program that holds a lock until it is let go, or killed. */
struct holder {
	csys_child *child;
	csys_handle stdin_of_it;
	csys_handle stdout_of_it;
};

static struct holder held_by_another(const char *how, const char *kind)
{
	char line[16];
	struct holder holder;
	csys_command *command = helper_command(how, scratch_path("file"), kind, "8", "1", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	holder.child = spawned(command);
	assert_int_equal(csys_child_take(holder.child, CSYS_STDIN, &holder.stdin_of_it), 0);
	assert_int_equal(csys_child_take(holder.child, CSYS_STDOUT, &holder.stdout_of_it), 0);
	read_line(holder.stdout_of_it, line, sizeof line);
	assert_string_equal(line, "held");
	return holder;
}

static void let_go(struct holder *holder)
{
	csys_handle_close(holder->stdin_of_it);
	assert_true(csys_exit_success(finished(holder->child)));
	csys_handle_close(holder->stdout_of_it);
}

/* Whether another program gets the lock now. */
static int is_free_for(const char *how, const char *kind)
{
	csys_exit end =
		finished(spawned(helper_command(how, scratch_path("file"), kind, "8", "1", NULL)));
	assert_true(end.how == CSYS_EXIT_CODE && end.value <= 1);
	return end.value == 0;
}

static void whole_files_are_locked_as_flock_does(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(lock, SHARED), 0);
	assert_true(is_free_for("try-flock", "sh"));
	assert_false(is_free_for("try-flock", "ex"));
	assert_int_equal(csys_file_lock_convert(lock, EXCLUSIVE, NULL), 0);
	assert_false(is_free_for("try-flock", "sh"));
	assert_int_equal(csys_file_lock_unlock(lock), 0);
	struct holder holder = held_by_another("flock", "ex");
	assert_int_equal(csys_file_lock_try_lock(lock, SHARED), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_lock_until(lock, SHARED, csys_after_ms(2)), CSYS_ETIMEDOUT);
	let_go(&holder);
	assert_int_equal(csys_file_lock_try_lock(lock, SHARED), 0);
	csys_file_lock_close(lock);
	assert_true(is_free_for("try-flock", "ex"));
}

static void ranges_see_other_ranges_and_record_locks(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&range);
	assert_int_equal(csys_file_lock_lock(lock, EXCLUSIVE), 0);
	assert_false(is_free_for("try-ofd", "sh"));
	assert_false(is_free_for("try-record", "sh"));
	assert_true(is_free_for("try-flock", "ex"));
	assert_int_equal(csys_file_lock_unlock(lock), 0);
	struct holder holder = held_by_another("record", "sh");
	assert_int_equal(csys_file_lock_try_lock(lock, EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_try_lock(lock, SHARED), 0);
	let_go(&holder);
	csys_file_lock_close(lock);
}

static void the_lock_of_a_killed_process_is_free(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	for (int until = 0; until < 2; until++) {
		struct holder holder = held_by_another("flock", "ex");
		assert_int_equal(csys_file_lock_try_lock(lock, SHARED), CSYS_EAGAIN);
		assert_int_equal(csys_child_kill(holder.child), 0);
		assert_int_equal(
			until ? csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60))
			      : csys_file_lock_lock(lock, EXCLUSIVE),
			0);
		assert_int_equal(csys_file_lock_unlock(lock), 0);
		finished(holder.child);
		csys_handle_close(holder.stdin_of_it);
		csys_handle_close(holder.stdout_of_it);
	}
	csys_file_lock_close(lock);
}

static void the_owner_is_told(void **state)
{
	(void)state;
	csys_file_lock_info info = { .kind = 77 };
	csys_file_lock *lock = scratch_file_lock(&whole);
	if (!csys_can(CSYS_CAN_FILE_LOCK_OWNER)) {
		assert_int_equal(csys_file_lock_owner(lock, SHARED, &info), CSYS_ENOTSUP);
		csys_file_lock_close(lock);
		return;
	}
	struct holder holder = held_by_another("flock", "ex");
	int r = csys_file_lock_owner(lock, SHARED, &info);
	if (r == 0) { /* not on every file system */
		assert_true(info.kind == EXCLUSIVE && !info.is_range);
		assert_int_equal(info.pid, csys_child_pid(holder.child));
	}
	let_go(&holder);
	holder = held_by_another("flock", "sh");
	assert_int_equal(csys_file_lock_owner(lock, SHARED, &info), CSYS_ENOENT);
	assert_int_equal(csys_file_lock_owner(lock, EXCLUSIVE, &info), r);
	assert_int_equal(info.kind, r == 0 ? SHARED : 77);
	let_go(&holder);
	/* One of another file is not in the way. */
	csys_file_lock *other;
	assert_int_equal(csys_file_lock_open(scratch_path("other"), &whole, &other), 0);
	assert_int_equal(csys_file_lock_lock(other, EXCLUSIVE), 0);
	assert_int_equal(csys_file_lock_owner(lock, EXCLUSIVE, &info), CSYS_ENOENT);
	csys_file_lock_close(other);
	csys_file_lock_close(lock);

	lock = scratch_file_lock(&range);
	holder = held_by_another("ofd", "sh");
	assert_int_equal(csys_file_lock_owner(lock, SHARED, &info), CSYS_ENOENT);
	assert_int_equal(csys_file_lock_owner(lock, EXCLUSIVE, &info), 0);
	assert_true(info.kind == SHARED && info.is_range);
	assert_true(info.offset == 8 && info.size == 1);
	let_go(&holder);
	holder = held_by_another("record", "ex");
	assert_int_equal(csys_file_lock_owner(lock, SHARED, &info), 0);
	assert_int_equal(info.pid, csys_child_pid(holder.child));
	let_go(&holder);
	csys_file_lock_close(lock);
}

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupts;
static int to_close;

static void note_interrupt(int signal)
{
	(void)signal;
	if (++interrupts == 30)
		close(to_close); /* the holder ends */
}

static void interrupt_every(long microseconds)
{
	struct sigaction action = { .sa_handler = note_interrupt }; /* no SA_RESTART */
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void wait_interrupted(const csys_file_lock_options *options, const char *how, int is_until)
{
	csys_file_lock *lock = scratch_file_lock(options);
	struct holder holder = held_by_another(how, "ex");
	to_close = (int)holder.stdin_of_it;
	interrupts = 0;
	interrupt_every(200);
	int r = is_until ? csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60))
			 : csys_file_lock_lock(lock, EXCLUSIVE);
	int count = interrupts;
	interrupt_every(0);
	assert_int_equal(r, 0);
	assert_true(count >= 30);
	assert_true(csys_exit_success(finished(holder.child)));
	csys_handle_close(holder.stdout_of_it);
	csys_file_lock_close(lock);
}

static void no_wait_ends_for_a_signal(void **state)
{
	(void)state;
	for (int is_until = 0; is_until < 2; is_until++)
		wait_interrupted(&whole, "flock", is_until);
	/* valgrind waits for these with its own lock held. */
	for (int is_until = under_valgrind() != 0; is_until < 2; is_until++)
		wait_interrupted(&range, "ofd", is_until);
}

/* ---- forks ----------------------------------------------------------------------------------- */

static csys_file_lock *inherited, *inherited_range;

static void use_the_parents(void)
{
	int kind = 77;
	csys_file_lock_info info;
	CHECK(csys_file_lock_handle(inherited) == CSYS_NO_HANDLE);
	CHECK(csys_file_lock_kind(inherited) == CSYS_FILE_LOCK_NONE);
	CHECK(csys_file_lock_try_lock(inherited, SHARED) == CSYS_EBADF);
	CHECK(csys_file_lock_lock(inherited, SHARED) == CSYS_EBADF);
	CHECK(csys_file_lock_convert(inherited, SHARED, &kind) == CSYS_EBADF);
	CHECK(kind == CSYS_FILE_LOCK_NONE);
	CHECK(csys_file_lock_owner(inherited, SHARED, &info) == CSYS_EBADF);
	CHECK(csys_file_lock_unlock(inherited) == 0);
	csys_file_lock_close(inherited);
	if (inherited_range) {
		CHECK(csys_file_lock_set_range(inherited_range, 1, 1) == CSYS_EBADF);
		csys_file_lock_close(inherited_range);
	}
	/* And what it opens itself is a lock like any other. */
	csys_file_lock *own;
	CHECK(csys_file_lock_open(scratch_path("file"), &whole, &own) == 0);
	CHECK(csys_file_lock_try_lock(own, SHARED) == CSYS_EAGAIN);
	/* A child of its own has nothing of it, after what was the grandparent's was freed. */
	pid_t pid = fork();
	if (pid == 0)
		_exit(csys_file_lock_handle(own) != CSYS_NO_HANDLE);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	csys_file_lock_close(own);
}

static void a_forked_child_cannot_use_or_release_the_lock(void **state)
{
	(void)state;
	inherited = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(inherited, EXCLUSIVE), 0);
	inherited_range = NULL;
	if (csys_can(CSYS_CAN_FILE_LOCK_RANGES))
		inherited_range = scratch_file_lock(&range);
	in_child(use_the_parents);
	assert_false(is_free_for("try-flock", "sh"));
	csys_file_lock_close(inherited_range);
	inherited_range = NULL;
	csys_file_lock_close(inherited);
}

static void a_copy_that_is_made_in_another_way_cannot_either(void **state)
{
	(void)state;
	int status;
	inherited = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(inherited, EXCLUSIVE), 0);
	long copy = copy_past_handlers();
	if (copy == 0) {
		use_the_parents();
		_exit(0);
	}
	if (copy > 0) {
		assert_int_equal(waitpid((pid_t)copy, &status, 0), copy);
		assert_int_equal(status, 0);
	}
	assert_false(is_free_for("try-flock", "sh"));
	csys_file_lock_close(inherited);
	if (copy < 0)
		skip_because("there are no such copies, or they cannot be told");
}

static int told[2];

/* Lock, fork a child that stays, and end. */
static void leave_a_child(void)
{
	static csys_file_lock *locks[2]; /* where memcheck finds them at the end */
	char byte;
	const csys_file_lock_options *const all[] = { &whole, &range };
	for (int i = 0; i < 2; i++) {
		int r = csys_file_lock_open(scratch_path("file"), all[i], &locks[i]);
		CHECK(r == (i == 1 && !csys_can(CSYS_CAN_FILE_LOCK_RANGES) ? CSYS_ENOTSUP : 0));
		CHECK(r < 0 || csys_file_lock_lock(locks[i], EXCLUSIVE) == 0);
	}
	if (fork() != 0)
		_exit(0);
	close(told[1]);
	while (read(told[0], &byte, 1) > 0)
		;
	_exit(0);
}

static void a_forked_child_does_not_keep_the_lock_of_a_parent_that_has_ended(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(pipe(told), 0);
	/* The grandchild waits for the end of the pipe.  Its parent may end before it has got to
	 * the handlers of its fork. */
	in_child(leave_a_child);
	assert_int_equal(csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60)), 0);
	csys_file_lock_close(lock);
	if (csys_can(CSYS_CAN_FILE_LOCK_RANGES)) {
		lock = scratch_file_lock(&range);
		assert_int_equal(csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60)), 0);
		csys_file_lock_close(lock);
	}
	close(told[0]);
	close(told[1]);
}

/* Lock, leave a child with a copy of the handle that the program has made, and end. */
static void leave_a_copy(void)
{
	static csys_file_lock *lock;
	char byte;
	CHECK(csys_file_lock_open(scratch_path("file"), &whole, &lock) == 0);
	CHECK(csys_file_lock_lock(lock, EXCLUSIVE) == 0);
	CHECK(dup((int)csys_file_lock_handle(lock)) >= 0);
	if (fork() != 0)
		_exit(0);
	close(told[1]);
	while (read(told[0], &byte, 1) > 0)
		;
	_exit(0);
}

static void a_copy_of_the_handle_keeps_the_lock_of_a_process_that_has_ended(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(pipe(told), 0);
	in_child(leave_a_copy);
	assert_int_equal(csys_file_lock_try_lock(lock, SHARED), CSYS_EAGAIN);
	close(told[0]);
	close(told[1]);
	assert_int_equal(csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60)), 0);
	csys_file_lock_close(lock);
}

static void a_program_that_is_executed_does_not_keep_the_lock(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole), *other = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(lock, EXCLUSIVE), 0);
	csys_command *command = helper_command("cat", NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_file_lock_close(lock);
	assert_int_equal(csys_file_lock_try_lock(other, EXCLUSIVE), 0);
	csys_handle input;
	assert_int_equal(csys_child_take(child, CSYS_STDIN, &input), 0);
	csys_handle_close(input);
	assert_true(csys_exit_success(finished(child)));
	csys_file_lock_close(other);
}

/* Threads open and lock while this one forks: no child has a lock. */
static int is_over;

/* NULL, or the argument: it could not open the file, or a child keeps the lock. */
static void *open_and_lock(void *argument)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		csys_file_lock *lock;
		if (csys_file_lock_open(scratch_path("other"), &whole, &lock) < 0)
			return argument;
		int r = csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60));
		csys_file_lock_close(lock);
		if (r < 0)
			return argument;
	}
	return NULL;
}

static void no_child_has_a_lock_that_was_opened_during_its_fork(void **state)
{
	(void)state;
	csys_thread *thread;
	void *result;
	pid_t children[100];
	if (WITH_TSAN)
		skip_because("ThreadSanitizer allows no fork beside threads");
	csys_file_lock_close(scratch_file_lock(&whole));
	is_over = 0;
	assert_int_equal(csys_thread_spawn(open_and_lock, &is_over, NULL, &thread), 0);
	for (int i = 0; i < 100; i++) {
		children[i] = fork();
		if (children[i] == 0)
			for (;;)
				pause();
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	assert_int_equal(csys_thread_join(thread, &result), 0);
	csys_thread_unref(thread);
	for (int i = 0; i < 100; i++) {
		kill(children[i], SIGKILL);
		assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
	}
	assert_null(result);
}

/* ---- other users ----------------------------------------------------------------------------- */

static void open_as_a_stranger(void)
{
	csys_file_lock *lock;
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_file_lock_open(scratch_path("secret"), NULL, &lock) == CSYS_EACCES);
	CHECK(csys_file_lock_open(scratch_path("readable"), NULL, &lock) == 0);
	CHECK(csys_file_lock_try_lock(lock, EXCLUSIVE) == 0);
	csys_file_lock_close(lock);
	if (!csys_can(CSYS_CAN_FILE_LOCK_RANGES))
		return;
	CHECK(csys_file_lock_open(scratch_path("readable"), &range, &lock) == 0);
	CHECK(csys_file_lock_try_lock(lock, SHARED) == 0);
	CHECK(csys_file_lock_unlock(lock) == 0);
	CHECK(csys_file_lock_try_lock(lock, EXCLUSIVE) == CSYS_EACCES);
	CHECK(csys_file_lock_kind(lock) == CSYS_FILE_LOCK_NONE);
	csys_file_lock_close(lock);
}

static void another_user_locks_what_it_may_open(void **state)
{
	(void)state;
	csys_file_lock *lock;
	csys_file_lock_options options = { .create = 1, .mode = 0600 };
	if (geteuid() != 0)
		skip_because("only root can become another user");
	csys_file_lock_close(scratch_file_lock(&whole));
	assert_int_equal(chmod(scratch_folder(), 0755), 0);
	assert_int_equal(csys_file_lock_open(scratch_path("secret"), &options, &lock), 0);
	csys_file_lock_close(lock);
	options.mode = 0644;
	assert_int_equal(csys_file_lock_open(scratch_path("readable"), &options, &lock), 0);
	csys_file_lock_close(lock);
	in_child(open_as_a_stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(whole_files_are_locked_as_flock_does),
		SCRATCH_TEST(ranges_see_other_ranges_and_record_locks),
		SCRATCH_TEST(the_lock_of_a_killed_process_is_free),
		SCRATCH_TEST(the_owner_is_told),
		SCRATCH_TEST(no_wait_ends_for_a_signal),
		SCRATCH_TEST(a_forked_child_cannot_use_or_release_the_lock),
		SCRATCH_TEST(a_copy_that_is_made_in_another_way_cannot_either),
		SCRATCH_TEST(a_forked_child_does_not_keep_the_lock_of_a_parent_that_has_ended),
		SCRATCH_TEST(a_copy_of_the_handle_keeps_the_lock_of_a_process_that_has_ended),
		SCRATCH_TEST(a_program_that_is_executed_does_not_keep_the_lock),
		SCRATCH_TEST(no_child_has_a_lock_that_was_opened_during_its_fork),
		SCRATCH_TEST(another_user_locks_what_it_may_open),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
