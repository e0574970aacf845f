/*
 * ipc/test_named_semaphore.c - promises of csys/ipc/named_semaphore.h.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "ipc/names.h"
#include "os/os.h"
#include "support/names.h"
#include "support/thread.h"

#define MAX CSYS_NAMED_SEMAPHORE_MAX

/* What a forked child has of its parent and does not close, memcheck is to find. */
static csys_named_semaphore *volatile kept[16];
static unsigned kept_count;

static void keep(csys_named_semaphore *semaphore)
{
	kept[kept_count++ % 16] = semaphore;
}

static csys_named_semaphore *created(const char *name, uint32_t value)
{
	csys_named_semaphore *semaphore = NULL;
	assert_int_equal(csys_named_semaphore_create(name, value, NULL, &semaphore), 0);
	assert_int_equal(csys_named_semaphore_is_created(semaphore), 1);
	keep(semaphore);
	return semaphore;
}

static void removed(csys_named_semaphore *semaphore, const char *name)
{
	csys_named_semaphore_close(semaphore);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, name), 0);
}

/* ---- names and values ------------------------------------------------------------------------ */

static void a_semaphore_is_created_opened_and_removed_by_its_name(void **state)
{
	csys_named_semaphore *a, *b = (csys_named_semaphore *)state, *c;
	assert_int_equal(csys_named_semaphore_open("s", NULL, &b), CSYS_ENOENT);
	a = created("s", 3);
	assert_int_equal(csys_named_semaphore_create("s", 1, NULL, &b), CSYS_EEXIST);
	assert_ptr_equal(b, state);
	assert_int_equal(csys_named_semaphore_open("s", NULL, &b), 0);
	assert_int_equal(csys_named_semaphore_is_created(b), 0);
	assert_int_equal(csys_named_semaphore_value(b), 3);
	csys_named_semaphore_wait(b);
	assert_int_equal(csys_named_semaphore_value(a), 2);
	assert_int_equal(csys_named_semaphore_create_or_open("s", 9, NULL, &c), 0);
	assert_int_equal(csys_named_semaphore_is_created(c), 0);
	assert_int_equal(csys_named_semaphore_value(c), 2);
	csys_named_semaphore_close(c);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, "s"), 0);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, "s"), CSYS_ENOENT);
	/* Those that have it keep it, and the name is free. */
	assert_int_equal(csys_named_semaphore_post(a, 1), 0);
	assert_int_equal(csys_named_semaphore_value(b), 3);
	assert_int_equal(csys_named_semaphore_create_or_open("s", 7, NULL, &c), 0);
	assert_int_equal(csys_named_semaphore_is_created(c), 1);
	assert_int_equal(csys_named_semaphore_value(c), 7);
	csys_named_semaphore_close(a);
	csys_named_semaphore_close(b);
	removed(c, "s");
}

static void what_is_there_is_taken_and_what_is_not_is_waited_for(void **state)
{
	(void)state;
	csys_named_semaphore *s = created("s", 2);
	csys_named_semaphore_wait(s);
	assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_ns(-1)), 0);
	assert_int_equal(csys_named_semaphore_try_wait(s), CSYS_EAGAIN);
	assert_int_equal(csys_named_semaphore_wait_until(s, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_ms(2)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_named_semaphore_value(s), 0);
	assert_int_equal(csys_named_semaphore_post(s, 2), 0);
	assert_int_equal(csys_named_semaphore_try_wait(s), 0);
	assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_ms(2)), 0);
	removed(s, "s");
}

static void a_post_beyond_the_maximum_adds_nothing(void **state)
{
	(void)state;
	csys_named_semaphore *s = created("s", MAX - 2);
	assert_int_equal(csys_named_semaphore_post(s, 0), 0);
	assert_int_equal(csys_named_semaphore_post(s, 3), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_post(s, UINT32_MAX), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_value(s), MAX - 2);
	assert_int_equal(csys_named_semaphore_post(s, 2), 0);
	assert_int_equal(csys_named_semaphore_post(s, 1), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_post(s, 200), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_post(s, MAX), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_value(s), MAX);
	csys_named_semaphore_wait(s);
	assert_int_equal(csys_named_semaphore_value(s), MAX - 1);
	removed(s, "s");
	/* Many at once, and none. */
	s = created("s", 0);
	assert_int_equal(csys_named_semaphore_post(s, MAX), 0);
	assert_int_equal(csys_named_semaphore_value(s), MAX);
	removed(s, "s");
	assert_int_equal(csys_named_semaphore_create("s", MAX + 1, NULL, &s), CSYS_EINVAL);
}

static void any_value_that_another_process_writes_is_one_up_to_the_maximum(void **state)
{
	(void)state;
	static const uint32_t words[] = { UINT32_MAX, MAX,        MAX + 1,    MAX + 7,
					  0x80000000, 0x80000001, 0xdeadbeef, 1 };
	csys_named_semaphore *s = created("s", 0);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		uint32_t there = words[i] & ~CSYSI_NAMED_SEMAPHORE_WAITERS;
		uint32_t value = there < MAX ? there : MAX;
		*s->word = words[i];
		assert_int_equal(csys_named_semaphore_value(s), value);
		assert_int_equal(csys_named_semaphore_post(s, 1), value == MAX ? CSYS_EINVAL : 0);
		*s->word = words[i];
		assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_ms(1)),
				 value == 0 ? CSYS_ETIMEDOUT : 0);
		*s->word = words[i];
		assert_int_equal(csys_named_semaphore_try_wait(s), value == 0 ? CSYS_EAGAIN : 0);
		assert_true(csys_named_semaphore_value(s) <= MAX);
	}
	removed(s, "s");
}

static void what_is_no_semaphore_is_refused(void **state)
{
	char file[CSYSI_NAME_FILE], path[512];
	csys_named_semaphore *s = (csys_named_semaphore *)state;
	csysi_name_file(CSYS_NAME_SEMAPHORE, "s", csysi_os_directory_name_limit(), file);
	csys_named_semaphore_close(created("s", 1));
	path_in(own_names(), file, path, sizeof path);
	assert_int_equal(truncate(path, CSYSI_OBJECT_DATA), 0); /* shorter than it must be */
	assert_int_equal(csys_named_semaphore_open("s", NULL, &s), CSYS_EBADMSG);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(csys_named_semaphore_open("s", NULL, &s), CSYS_EBADMSG);
	assert_ptr_equal(s, state);
	assert_int_equal(unlink(path), 0);
}

/* ---- threads --------------------------------------------------------------------------------- */

struct shared_count {
	csys_named_semaphore *lock;
	long count;
};

static void *count_up(void *argument)
{
	struct shared_count *shared = argument;

	for (int i = 0; i < 2000; i++) {
		if (i % 2)
			csys_named_semaphore_wait(shared->lock);
		else
			while (csys_named_semaphore_wait_until(shared->lock, csys_after_ns(20000)) <
			       0)
				;
		shared->count++;
		csys_named_semaphore_post(shared->lock, 1);
	}
	return NULL;
}

static void what_is_posted_is_ordered_before_what_takes_it(void **state)
{
	(void)state;
	struct shared_count shared = { created("s", 1), 0 };
	run_threads(4, count_up, &shared);
	assert_int_equal(shared.count, 8000);
	assert_int_equal(csys_named_semaphore_value(shared.lock), 1);
	removed(shared.lock, "s");
}

/* ---- processes ------------------------------------------------------------------------------- */

static void end_well(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static csys_named_semaphore *opened_in_child(const char *name)
{
	csys_named_semaphore *s;
	if (csys_named_semaphore_open(name, NULL, &s) < 0)
		_exit(1);
	keep(s);
	return s;
}

static void two_processes_wake_each_other_in_turns(void **state)
{
	(void)state;
	csys_named_semaphore *ping = created("ping", 0), *pong = created("pong", 0);
	pid_t child = fork();
	if (child == 0) {
		csys_named_semaphore *in = opened_in_child("ping");
		csys_named_semaphore *out = opened_in_child("pong");
		for (int i = 0; i < 300; i++) {
			csys_named_semaphore_wait(in);
			csys_named_semaphore_post(out, 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		csys_named_semaphore_post(ping, 1);
		assert_int_equal(csys_named_semaphore_wait_until(pong, csys_after_s(60)), 0);
	}
	end_well(child);
	removed(ping, "ping");
	removed(pong, "pong");
}

#define CONSUMERS 3
#define EACH 400

static void consume(void)
{
	csys_named_semaphore *s = opened_in_child("s");
	for (int i = 0; i < EACH; i++)
		if (i % 3 == 0)
			csys_named_semaphore_wait(s);
		else
			while (csys_named_semaphore_wait_until(s, csys_after_ns(50000)) < 0)
				;
	_exit(0);
}

static void no_post_is_lost_between_processes(void **state)
{
	(void)state;
	pid_t children[CONSUMERS];
	csys_named_semaphore *s = created("s", 0);
	for (int i = 0; i < CONSUMERS; i++)
		if ((children[i] = fork()) == 0)
			consume();
	for (uint32_t left = CONSUMERS * EACH, n; left > 0; left -= n) {
		n = left % 5 + 1 < left ? left % 5 + 1 : left;
		csys_named_semaphore_post(s, n);
		if (left % 7 == 0)
			csys_thread_yield();
	}
	for (int i = 0; i < CONSUMERS; i++)
		end_well(children[i]);
	assert_int_equal(csys_named_semaphore_value(s), 0);
	removed(s, "s");
}

static void wait_once(void)
{
	csys_named_semaphore_wait(opened_in_child("s"));
	_exit(0);
}

static void a_waiter_that_is_killed_takes_nothing_with_it(void **state)
{
	(void)state;
	csys_named_semaphore *s = created("s", 0);
	for (int i = 0; i < 20; i++) {
		pid_t victim = fork();
		if (victim == 0)
			wait_once();
		pid_t other = fork();
		if (other == 0)
			wait_once();
		if (i % 2) /* both sleep, most likely */
			while (csysi_load_acquire(s->word) != CSYSI_NAMED_SEMAPHORE_WAITERS)
				csys_thread_yield();
		kill(victim, SIGKILL);
		if (i % 3)
			waitpid(victim, NULL, 0);
		csys_named_semaphore_post(s, 1);
		if (i % 3 == 0) {
			/* It may have taken what was there just before it was killed. */
			int status;
			waitpid(victim, &status, 0);
			if (csys_named_semaphore_value(s) == 0)
				csys_named_semaphore_post(s, 1);
		}
		end_well(other);
		while (csys_named_semaphore_try_wait(s) == 0)
			;
	}
	removed(s, "s");
}

static csys_named_semaphore *inherited;

static void use_inherited(void)
{
	csys_named_semaphore_wait(inherited);
	csys_named_semaphore_post(inherited, 5);
	csys_named_semaphore_close(inherited);
}

static void a_forked_child_has_the_semaphore_too(void **state)
{
	(void)state;
	const csys_named_semaphore_options options = { .remove_with_last = 1 };
	assert_int_equal(csys_named_semaphore_create("s", 1, &options, &inherited), 0);
	in_child(use_inherited);
	assert_int_equal(csys_named_semaphore_value(inherited), 5);
	csys_named_semaphore_close(inherited); /* the last user: the name goes */
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, "s"), CSYS_ENOENT);
}

/* ---- other users and failures ---------------------------------------------------------------- */

static const csys_named_semaphore_options global = { .scope = CSYS_NAMES_GLOBAL, .mode = 0666 };

static void post_as_a_stranger(void)
{
	csys_named_semaphore *s;
	csys_named_semaphore_options options = global;
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_named_semaphore_open("mine", &options, &s) == CSYS_EACCES);
	CHECK(csys_named_semaphore_open("open", &options, &s) == 0);
	CHECK(csys_named_semaphore_post(s, 1) == 0);
	csys_named_semaphore_close(s);
	CHECK(csys_named_semaphore_unlink(CSYS_NAMES_GLOBAL, "open") < 0);
}

static void another_user_may_do_what_the_mode_says(void **state)
{
	(void)state;
	char directory[256];
	csys_named_semaphore *mine, *open;
	csys_named_semaphore_options options = global;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	make_directory(directory, sizeof directory);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(csys_names_set_directory(CSYS_NAMES_GLOBAL, directory), 0);
	assert_int_equal(csys_named_semaphore_create("open", 0, &options, &open), 0);
	options.mode = 0;
	assert_int_equal(csys_named_semaphore_create("mine", 0, &options, &mine), 0);
	in_child(post_as_a_stranger);
	assert_int_equal(csys_named_semaphore_value(open), 1);
	csys_named_semaphore_close(open);
	csys_named_semaphore_close(mine);
	assert_int_equal(csys_names_set_directory(CSYS_NAMES_GLOBAL, NULL), 0);
	remove_directory(directory);
}

static void failures_of(int (*call)(csys_named_semaphore **out), const char *left)
{
	csys_named_semaphore *const none = (csys_named_semaphore *)&inherited;
	for (int nth = 1;; nth++) {
		csys_named_semaphore *s = none;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = call(&s);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r == 0)
			csys_named_semaphore_close(s);
		else
			assert_true(fired && s == none);
		assert_int_equal(open_handles(), handles);
		int removes = left ? csys_named_semaphore_unlink(CSYS_NAMES_USER, left) : 0;
		assert_int_equal(removes, left && r < 0 ? CSYS_ENOENT : 0);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 3);
			break;
		}
	}
}

static int create_it(csys_named_semaphore **out)
{
	return csys_named_semaphore_create("walk", 1, NULL, out);
}

static int open_it(csys_named_semaphore **out)
{
	return csys_named_semaphore_open("there", NULL, out);
}

static void a_failure_leaves_nothing(void **state)
{
	(void)state;
	csys_named_semaphore *s = created("there", 1);
	failures_of(create_it, "walk");
	failures_of(open_it, NULL);
	removed(s, "there");
}

static void arguments_are_checked(void **state)
{
	(void)state;
	csys_named_semaphore *s;
	csys_named_semaphore_options options = { .scope = 7 };
	assert_int_equal(csys_named_semaphore_create("s", 0, &options, &s), CSYS_EINVAL);
	options = (csys_named_semaphore_options){ .mode = 0444 };
	assert_int_equal(csys_named_semaphore_create("s", 0, &options, &s), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_create("", 0, NULL, &s), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_create("a/b", 0, NULL, &s), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_create(NULL, 0, NULL, &s), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_create("s", 0, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_open("s", NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_unlink(7, "s"), CSYS_EINVAL);
	char name[300];
	memset(name, 'x', sizeof name);
	name[299] = '\0';
	removed(created(name, 1), name);
	csys_named_semaphore_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_semaphore_is_created_opened_and_removed_by_its_name),
		NAMES_TEST(what_is_there_is_taken_and_what_is_not_is_waited_for),
		NAMES_TEST(a_post_beyond_the_maximum_adds_nothing),
		NAMES_TEST(any_value_that_another_process_writes_is_one_up_to_the_maximum),
		NAMES_TEST(what_is_no_semaphore_is_refused),
		NAMES_TEST(what_is_posted_is_ordered_before_what_takes_it),
		NAMES_TEST(two_processes_wake_each_other_in_turns),
		NAMES_TEST(no_post_is_lost_between_processes),
		NAMES_TEST(a_waiter_that_is_killed_takes_nothing_with_it),
		NAMES_TEST(a_forked_child_has_the_semaphore_too),
		NAMES_TEST(another_user_may_do_what_the_mode_says),
		NAMES_TEST(a_failure_leaves_nothing),
		NAMES_TEST(arguments_are_checked),
	};

	return RUN(tests);
}
