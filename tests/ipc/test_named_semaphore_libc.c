/*
 * ipc/test_named_semaphore_libc.c - promises of csys/ipc/named_semaphore.h: signals, and the
 * semaphores of sem_open.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/names.h"

/* ---- signals --------------------------------------------------------------------------------- */

static csys_named_semaphore *posted_by_handler;
static volatile sig_atomic_t interrupts;

static void post_after_some(int signal)
{
	(void)signal;
	if (++interrupts == 20)
		(void)csys_named_semaphore_post(posted_by_handler, 1);
}

static void wait_interrupted(csys_named_semaphore *s)
{
	struct sigaction action = { .sa_handler = post_after_some }; /* no SA_RESTART */
	struct itimerval timer = { { 0, 200 }, { 0, 200 } }, none = { { 0, 0 }, { 0, 0 } };
	posted_by_handler = s;
	sigaction(SIGALRM, &action, NULL);
	for (int is_until = 0; is_until < 2; is_until++) {
		interrupts = 0;
		setitimer(ITIMER_REAL, &timer, NULL);
		int r = 0;
		if (is_until)
			r = csys_named_semaphore_wait_until(s, csys_after_s(60));
		else
			csys_named_semaphore_wait(s);
		setitimer(ITIMER_REAL, &none, NULL);
		assert_int_equal(r, 0);
		assert_true(interrupts >= 20);
	}
}

static void no_wait_ends_for_a_signal_and_a_handler_may_post(void **state)
{
	(void)state;
	csys_named_semaphore *s;
	assert_int_equal(csys_named_semaphore_create("s", 0, NULL, &s), 0);
	wait_interrupted(s);
	csys_named_semaphore_close(s);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, "s"), 0);
}

/* ---- those of sem_open ----------------------------------------------------------------------- */

static const csys_named_semaphore_options posix = { .scope = CSYS_NAMED_SEMAPHORE_POSIX };

static const char *posix_name(void)
{
	static char name[40];
	(void)snprintf(name, sizeof name, "csys-test-%ld", (long)getpid());
	return name;
}

static const char *posix_path(void)
{
	static char path[41];
	(void)snprintf(path, sizeof path, "/%s", posix_name());
	return path;
}

/* A forked child does not close it; memcheck is to find it. */
static csys_named_semaphore *volatile kept;

static csys_named_semaphore *created_posix(uint32_t value)
{
	csys_named_semaphore *s = NULL;
	int r = csys_named_semaphore_create(posix_name(), value, &posix, &s);
	if (r == CSYS_ENOTSUP && !csys_can(CSYS_CAN_SEMAPHORE_POSIX))
		skip_because("this system has no sem_open");
	assert_int_equal(r, 0);
	kept = s;
	return s;
}

static void unlink_posix(void)
{
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMED_SEMAPHORE_POSIX, posix_name()), 0);
}

static void what_csys_creates_sem_open_finds_and_the_other_way_round(void **state)
{
	(void)state;
	int value;
	csys_named_semaphore *s = created_posix(2), *other;
	sem_t *same = sem_open(posix_path(), 0);
	assert_true(same != SEM_FAILED);
	assert_int_equal(sem_wait(same), 0);
	assert_int_equal(csys_named_semaphore_value(s), 1);
	csys_named_semaphore_wait(s);
	assert_int_equal(csys_named_semaphore_try_wait(s), CSYS_EAGAIN);
	assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_ms(2)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_named_semaphore_post(s, 3), 0);
	assert_true(sem_getvalue(same, &value) == 0 && value == 3);
	assert_int_equal(csys_named_semaphore_create(posix_name(), 0, &posix, &other), CSYS_EEXIST);
	sem_close(same);
	csys_named_semaphore_close(s);
	unlink_posix();
	assert_int_equal(csys_named_semaphore_open(posix_name(), &posix, &s), CSYS_ENOENT);

	same = sem_open(posix_path(), O_CREAT | O_EXCL, 0600, 4);
	assert_true(same != SEM_FAILED);
	assert_int_equal(csys_named_semaphore_create_or_open(posix_name(), 0, &posix, &s), 0);
	assert_int_equal(csys_named_semaphore_is_created(s), 0);
	assert_int_equal(csys_named_semaphore_value(s), 4);
	csys_named_semaphore_close(s);
	sem_close(same);
	unlink_posix();
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMED_SEMAPHORE_POSIX, posix_name()),
			 CSYS_ENOENT);
}

static void a_waiter_of_one_is_woken_by_a_post_of_the_other(void **state)
{
	(void)state;
	csys_named_semaphore *s = created_posix(0);
	char path[41];
	(void)snprintf(path, sizeof path, "%s", posix_path());
	pid_t child = fork();
	if (child == 0) {
		sem_t *same = sem_open(path, 0);
		for (int i = 0; i < 50; i++)
			if (same == SEM_FAILED || sem_wait(same) < 0 || sem_post(same) < 0)
				_exit(1);
			else
				csys_thread_yield();
		_exit(0);
	}
	csys_named_semaphore_post(s, 1);
	for (int i = 0; i < 200; i++) {
		if (i % 2)
			csys_named_semaphore_wait(s);
		else
			assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_s(60)), 0);
		csys_named_semaphore_post(s, 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	csys_named_semaphore_wait(s);
	wait_interrupted(s);
	csys_named_semaphore_close(s);
	unlink_posix();
}

static void names_and_options_are_those_that_sem_open_can_have(void **state)
{
	(void)state;
	char name[300];
	csys_named_semaphore *s;
	csys_named_semaphore_options options = posix;
	memset(name, 'x', sizeof name);
	name[299] = '\0';
	csys_named_semaphore_close(created_posix(1));
	unlink_posix();
	assert_int_equal(csys_named_semaphore_open(name, &posix, &s), CSYS_ENAMETOOLONG);
	assert_int_equal(csys_named_semaphore_open("a/b", &posix, &s), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMED_SEMAPHORE_POSIX, ".."),
			 CSYS_EINVAL);
	options.remove_with_last = 1;
	assert_int_equal(csys_named_semaphore_create("s", 0, &options, &s), CSYS_EINVAL);
	options = posix;
	options.accept_foreign = 1;
	assert_int_equal(csys_named_semaphore_open("s", &options, &s), CSYS_EINVAL);
	options = posix;
	options.replace_unused = 1;
	assert_int_equal(csys_named_semaphore_create_or_open("s", 0, &options, &s), CSYS_EINVAL);
	sem_t *full = sem_open(posix_path(), O_CREAT | O_EXCL, 0600, SEM_VALUE_MAX);
	assert_true(full != SEM_FAILED);
	assert_int_equal(csys_named_semaphore_open(posix_name(), &posix, &s), 0);
	assert_int_equal(csys_named_semaphore_post(s, 1), CSYS_EINVAL);
	assert_int_equal(csys_named_semaphore_post(s, 1000), CSYS_EINVAL);
	csys_named_semaphore_close(s);
	sem_close(full);
	unlink_posix();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(no_wait_ends_for_a_signal_and_a_handler_may_post),
		NAMES_TEST(what_csys_creates_sem_open_finds_and_the_other_way_round),
		NAMES_TEST(a_waiter_of_one_is_woken_by_a_post_of_the_other),
		NAMES_TEST(names_and_options_are_those_that_sem_open_can_have),
	};

	return RUN(tests);
}
