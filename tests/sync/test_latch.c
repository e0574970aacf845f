/*
 * sync/test_latch.c - promises of csys/sync/latch.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <stdlib.h>

#include "support/support.h"
#include "support/thread.h"

static void it_opens_at_zero_and_stays_open(void **state)
{
	(void)state;
	csys_latch latch = CSYS_LATCH_INIT(3);
	assert_int_equal(sizeof latch, 4);
	assert_int_equal(csys_latch_try_wait(&latch), CSYS_EAGAIN);
	csys_latch_done(&latch, 2);
	assert_int_equal(csys_latch_count(&latch), 1);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_latch_wait_until(&latch, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_latch_add(&latch, 1), 0);
	csys_latch_done(&latch, 2);
	assert_int_equal(csys_latch_try_wait(&latch), 0);
	csys_latch_wait(&latch);
	assert_int_equal(csys_latch_wait_until(&latch, CSYS_POLL), 0);
	csys_latch zero = { 0 };
	csys_latch_wait(&zero);
}

static void too_many_are_refused(void **state)
{
	(void)state;
	csys_latch latch = CSYS_LATCH_INIT(1);
	assert_int_equal(csys_latch_add(&latch, CSYS_LATCH_MAX), CSYS_EINVAL);
	assert_int_equal(csys_latch_count(&latch), 1);
	assert_int_equal(csys_latch_add(&latch, CSYS_LATCH_MAX - 1), 0);
	assert_int_equal(csys_latch_count(&latch), CSYS_LATCH_MAX);
}

static void tell_too_much(void)
{
	csys_latch latch = CSYS_LATCH_INIT(1);
	csys_latch_done(&latch, 2);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(tell_too_much, "csys: a latch was told of more than it waits for\n");
}

struct shared {
	csys_latch left;
	int parts[3];
	int users; /* atomic */
};

static void *work(void *argument)
{
	struct shared *shared = argument;
	int self = __atomic_fetch_add(&shared->users, 1, __ATOMIC_RELAXED);
	shared->parts[self] = 1;
	csys_latch_done(&shared->left, 1);
	return NULL;
}

static void a_waiter_sees_all_that_is_done_and_may_free_it(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct shared *shared = calloc(1, sizeof *shared);
		pthread_t threads[3];
		shared->left = (csys_latch)CSYS_LATCH_INIT(3);
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, work, shared), 0);
		csys_latch_wait(&shared->left);
		assert_int_equal(shared->parts[0] + shared->parts[1] + shared->parts[2], 3);
		free(shared);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
	}
}

static intptr_t sleepers[3];
static int sleeper_count; /* atomic */

static void *sleep_for_it(void *argument)
{
	int self = __atomic_fetch_add(&sleeper_count, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&sleepers[self], thread_number(), __ATOMIC_RELEASE);
	csys_latch_wait(argument);
	return NULL;
}

static void the_last_done_tells_how_many_it_woke(void **state)
{
	(void)state;
	csys_latch latch = CSYS_LATCH_INIT(2);
	pthread_t threads[3];
	skip_unless_sleep_is_seen();
	sleeper_count = 0;
	memset(sleepers, 0, sizeof sleepers);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sleep_for_it, &latch), 0);
	for (int i = 0; i < 3; i++)
		while (!__atomic_load_n(&sleepers[i], __ATOMIC_ACQUIRE) ||
		       !thread_sleeps(sleepers[i]))
			take_a_nap();
	assert_int_equal(csys_latch_done(&latch, 1), 0);
	assert_int_equal(csys_latch_done(&latch, 1), 3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void init_too_many(void)
{
	csys_latch one;
	csys_latch_init(&one, CSYS_LATCH_MAX + 1);
}

static void init_makes_one_from_any_number(void **state)
{
	(void)state;
	csys_latch *made = malloc(sizeof *made);
	const uint32_t number = 3;
	memset(made, 0xff, sizeof *made);
	csys_latch_init(made, number);
	assert_int_equal(csys_latch_count(made), number);
	csys_latch_init(made, CSYS_LATCH_MAX);
	free(made);
	assert_aborts(init_too_many, "csys: a latch for more than CSYS_LATCH_MAX\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_opens_at_zero_and_stays_open),
		TEST(too_many_are_refused),
		TEST(misuse_aborts_with_a_line),
		TEST(a_waiter_sees_all_that_is_done_and_may_free_it),
		TEST(the_last_done_tells_how_many_it_woke),
		TEST(init_makes_one_from_any_number),
	};
	return RUN(tests);
}
