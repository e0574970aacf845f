/*
 * ipc/test_named_barrier.c - promises of csys/ipc/named_barrier.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>

#include <csys/ipc/named_barrier.h>
#include <csys/ipc/named_rwlock.h>

#include "support/names.h"
#include "support/region.h"
#include "support/thread.h"

static csys_named_barrier *object, *other; /* what a forked child has, memcheck finds here */

static void open_both(void)
{
	assert_int_equal(csys_named_barrier_create("n", 2, 0, NULL, &object), 0);
	assert_int_equal(csys_named_barrier_is_created(object), 1);
	assert_int_equal(csys_named_barrier_create("n", 2, 0, NULL, &other), CSYS_EEXIST);
	assert_int_equal(csys_named_barrier_open("n", NULL, &other), 0);
	assert_int_equal(csys_named_barrier_is_created(other), 0);
	csys_named_barrier_close(other);
	assert_int_equal(csys_named_barrier_create_or_open("n", 2, 0, NULL, &other), 0);
	assert_int_equal(csys_named_barrier_is_created(other), 0);
}

static void close_both(void)
{
	csys_named_barrier_close(other);
	csys_named_barrier_close(object);
	object = other = NULL;
}

static int (*before_the_kill)(csys_named_barrier *object);

static void open_and_be_killed(void)
{
	close_both();
	if (csys_named_barrier_open("n", NULL, &object) == 0 && before_the_kill(object) == 0)
		raise(SIGKILL);
}

/* A process that opens it anew, and is killed after that function. */
static void be_killed_after(int (*function)(csys_named_barrier *object))
{
	before_the_kill = function;
	await_end(forked(open_and_be_killed));
}

static void it_is_created_opened_and_removed_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(csys_named_barrier_open("n", NULL, &other), CSYS_ENOENT);
	assert_int_equal(csys_named_barrier_create("n", 2, 0, NULL, NULL), CSYS_EINVAL);
	open_both();
	close_both();
	assert_int_equal(count_names(), 0);
	csys_named_options kept = { .keep = 1 };
	assert_int_equal(csys_named_barrier_create_or_open("n", 2, 0, &kept, &object), 0);
	close_both();
	assert_int_equal(csys_named_barrier_create_or_open("n", 2, 0, NULL, &object), 0);
	assert_int_equal(csys_named_barrier_is_created(object), 0);
	close_both();
	assert_int_equal(csys_named_barrier_unlink(CSYS_NAMES_USER, "n"), 0);
	assert_int_equal(csys_named_barrier_unlink(CSYS_NAMES_USER, "n"), CSYS_ENOENT);
}

static void another_kind_is_not_opened_as_one(void **state)
{
	(void)state;
	csys_named_rwlock *wrong = NULL;
	open_both();
	assert_int_equal(csys_named_rwlock_open("n", NULL, &wrong), CSYS_EBADMSG);
	close_both();
	assert_int_equal(csys_named_rwlock_create("n", NULL, &wrong), 0);
	assert_int_equal(csys_named_barrier_open("n", NULL, &other), CSYS_EBADMSG);
	assert_int_equal(csys_named_barrier_create_or_open("n", 2, 0, NULL, &other), CSYS_EBADMSG);
	assert_null(other);
	csys_named_rwlock_close(wrong);
}

static int arrive(csys_named_barrier *barrier)
{
	return csys_named_barrier_wait_until(barrier, CSYS_POLL, NULL) == CSYS_ETIMEDOUT ? 0 : -1;
}

static int meet(csys_named_barrier *barrier)
{
	return csys_named_barrier_wait(barrier, NULL);
}

static void *meet_in_a_thread(void *result)
{
	*(int *)result = meet(other);
	return NULL;
}

static void those_that_take_part_wait_for_each_other(void **state)
{
	(void)state;
	pthread_t thread;
	open_both();
	assert_int_equal(csys_named_barrier_wait_until(object, csys_after_ms(1), NULL),
			 CSYS_ETIMEDOUT);
	int r = -1;
	assert_int_equal(pthread_create(&thread, NULL, meet_in_a_thread, &r), 0);
	assert_int_equal(meet(object), 0);
	pthread_join(thread, NULL);
	assert_int_equal(r, 0);
	close_both();
}

static void wrong_numbers_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		csys_named_barrier_create("n", CSYS_SHARED_BARRIER_MAX + 1, 0, NULL, &object),
		CSYS_EINVAL);
	assert_int_equal(csys_named_barrier_create_or_open("n", 2, 2, NULL, &object), CSYS_EINVAL);
	assert_null(object);
	assert_int_equal(count_names(), 0);
}

static void one_that_is_killed_breaks_it(void **state)
{
	(void)state;
	open_both();
	be_killed_after(arrive);
	assert_int_equal(meet(object), CSYS_EOWNERDEAD);
	csys_named_barrier_reset(object);
	assert_int_equal(csys_named_barrier_wait_until(object, CSYS_POLL, NULL), CSYS_ETIMEDOUT);
	csys_named_barrier_abort(other);
	assert_int_equal(meet(object), CSYS_ECANCELED);
	assert_int_equal(csys_named_barrier_leave(object), 0);
	close_both();
}

static void or_the_others_go_on(void **state)
{
	(void)state;
	assert_int_equal(
		csys_named_barrier_create("n", 2, CSYS_SHARED_BARRIER_GOES_ON, NULL, &object), 0);
	be_killed_after(arrive);
	assert_int_equal(meet(object), 0);
	close_both();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_created_opened_and_removed_by_its_name),
		NAMES_TEST(another_kind_is_not_opened_as_one),
		NAMES_TEST(those_that_take_part_wait_for_each_other),
		NAMES_TEST(wrong_numbers_are_refused),
		NAMES_TEST(one_that_is_killed_breaks_it),
		NAMES_TEST(or_the_others_go_on),
	};
	return RUN(tests);
}
