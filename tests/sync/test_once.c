/*
 * sync/test_once.c - promises of csys/sync/once.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/thread.h"

static int runs; /* by the body only */

static int count(void *argument)
{
	(void)argument;
	runs++;
	take_a_nap();
	return 0;
}

static void *call_it(void *argument)
{
	assert_int_equal(csys_once_call(argument, count, NULL), 0);
	assert_int_equal(runs, 1); /* seen, without being atomic */
	assert_int_equal(csys_once_is_completed(argument), 1);
	return NULL;
}

static void the_body_runs_once_and_is_seen_by_all(void **state)
{
	(void)state;
	assert_int_equal(sizeof(csys_once), 4);
	for (int round = 0; round < 30; round++) {
		csys_once one = CSYS_ONCE_INIT;
		runs = 0;
		assert_int_equal(csys_once_is_completed(&one), 0);
		run_threads(5, call_it, &one);
		assert_int_equal(csys_once_wait(&one), 0);
	}
}

static int fail_at_first(void *argument)
{
	return ++*(int *)argument < 3 ? CSYS_EIO : 0;
}

static void a_failure_leaves_it_to_the_next_caller(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	int calls = 0;
	assert_int_equal(csys_once_call(&one, fail_at_first, &calls), CSYS_EIO);
	assert_int_equal(csys_once_is_completed(&one), 0);
	assert_int_equal(csys_once_is_poisoned(&one), 0);
	assert_int_equal(csys_once_call_force(&one, fail_at_first, &calls), CSYS_EIO);
	assert_int_equal(csys_once_call(&one, fail_at_first, &calls), 0);
	assert_int_equal(csys_once_call(&one, fail_at_first, &calls), 0);
	assert_int_equal(calls, 3);
}

static void a_body_that_does_not_return_poisons_it(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	run_threads(1, die_in_once, &one);
	assert_int_equal(csys_once_is_poisoned(&one), 1);
	assert_int_equal(csys_once_is_completed(&one), 0);
	assert_int_equal(csys_once_call(&one, count, NULL), CSYS_EPANICKED);
	assert_int_equal(csys_once_wait(&one), CSYS_EPANICKED);
	runs = 0;
	assert_int_equal(csys_once_call_force(&one, count, NULL), 0);
	assert_int_equal(runs, 1);
	assert_int_equal(csys_once_is_poisoned(&one), 0);
	assert_int_equal(csys_once_call(&one, count, NULL), 0);
}

struct forced {
	csys_once once;
	csys_thread *waiter;
	int was_poisoned;
	int result;
};

static void *wait_for_forced(void *argument)
{
	struct forced *forced = argument;
	CHECK(csys_once_wait(&forced->once) == 0);
	return NULL;
}

static int ask(void *argument)
{
	struct forced *forced = argument;
	forced->was_poisoned = csys_once_is_poisoned(&forced->once);
	if (forced->result == 0) {
		/* Before the thread: it may be about to sleep as soon as it is spawned. */
		uint32_t before = csysi_load_relaxed(&forced->once.word);
		CHECK(csys_thread_spawn(wait_for_forced, forced, NULL, &forced->waiter) == 0);
		while (csysi_load_relaxed(&forced->once.word) == before)
			take_a_nap(); /* until it is about to sleep */
		forced->was_poisoned &= csys_once_is_poisoned(&forced->once);
	}
	return forced->result;
}

static void a_forced_body_is_told_that_it_is_poisoned(void **state)
{
	(void)state;
	struct forced forced = { .once = CSYS_ONCE_INIT, .result = CSYS_EIO };
	assert_int_equal(csys_once_call(&forced.once, ask, &forced), CSYS_EIO);
	assert_int_equal(forced.was_poisoned, 0);
	run_threads(1, die_in_once, &forced.once);
	assert_int_equal(csys_once_call_force(&forced.once, ask, &forced), CSYS_EIO);
	assert_int_equal(forced.was_poisoned, 1);
	assert_int_equal(csys_once_is_poisoned(&forced.once), 0); /* the last one returned */

	run_threads(1, die_in_once, &forced.once);
	forced.result = 0;
	assert_int_equal(csys_once_call_force(&forced.once, ask, &forced), 0);
	assert_int_equal(forced.was_poisoned, 1);
	assert_int_equal(csys_once_is_poisoned(&forced.once), 0);
	assert_int_equal(csys_thread_join(forced.waiter, NULL), 0);
	csys_thread_unref(forced.waiter);
}

static int call_itself(void *argument)
{
	return csys_once_call(argument, call_itself, argument);
}

static void a_body_that_calls_its_own_is_told(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	assert_int_equal(csys_once_call(&one, call_itself, &one), CSYS_EDEADLK);
	assert_int_equal(csys_once_is_completed(&one), 0);
}

static int wait_for_itself(void *argument)
{
	csys_once *one = argument;

	assert_int_equal(csys_once_wait_until(one, csys_after_s(60)), CSYS_EDEADLK);
	assert_int_equal(csys_once_wait_force_until(one, CSYS_POLL), CSYS_EDEADLK);
	return csys_sync_is_checked() ? CSYS_EDEADLK : csys_once_wait(one);
}

static int force_itself(void *argument)
{
	csys_once_wait_force(argument);
	return 0;
}

static void wait_for_ever_in_the_body(void)
{
	csys_once one = CSYS_ONCE_INIT;

	(void)!csys_once_call(&one, force_itself, &one);
}

static void a_body_that_waits_for_its_own_is_told(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	assert_int_equal(csys_once_call(&one, wait_for_itself, &one), CSYS_EDEADLK);
	assert_int_equal(csys_once_is_completed(&one), 0);
	assert_int_equal(csys_once_call(&one, count, NULL), 0);
	if (!csys_sync_is_checked()) /* which tells that in its own words */
		assert_aborts(wait_for_ever_in_the_body,
			      "csys: a once is waited for in its own body\n");
}

static void *wait_for_it(void *argument)
{
	assert_int_equal(csys_once_wait(argument), 0);
	return NULL;
}

static void waiting_does_not_call_it(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	pthread_t thread;
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_once_wait_until(&one, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(pthread_create(&thread, NULL, wait_for_it, &one), 0);
	take_a_nap();
	assert_int_equal(csys_once_call(&one, count, NULL), 0);
	pthread_join(thread, NULL);
}

static void *wait_though_poisoned(void *argument)
{
	csys_once_wait_force(argument);
	assert_int_equal(runs, 1); /* seen, without being atomic */
	return NULL;
}

static void a_forced_wait_goes_on_while_it_is_poisoned(void **state)
{
	(void)state;
	csys_once one = CSYS_ONCE_INIT;
	pthread_t threads[2];
	runs = 0;
	run_threads(1, die_in_once, &one);
	uint32_t before = csysi_load_relaxed(&one.word);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_once_wait_force_until(&one, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) == 0);
	assert_int_equal(csys_once_wait_until(&one, csys_after_ms(2)), CSYS_EPANICKED);
	assert_int_equal(csys_once_is_poisoned(&one), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_though_poisoned, &one), 0);
	while (csysi_load_relaxed(&one.word) == before)
		take_a_nap();
	take_a_nap();
	assert_int_equal(csys_once_call(&one, count, NULL), CSYS_EPANICKED);
	assert_int_equal(csys_once_call_force(&one, count, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	csys_once_wait_force(&one);
	assert_int_equal(csys_once_wait_force_until(&one, CSYS_POLL), 0);
}

static void init_makes_one_in_any_memory(void **state)
{
	(void)state;
	csys_once one = { 0xffffffff };
	csys_once_init(&one);
	runs = 0;
	assert_int_equal(csys_once_call(&one, count, NULL), 0);
	assert_int_equal(runs, 1);
}

CSYS_ONCE_VALUE_DEFINE(number_once, long);
static int inits;

static int make_number(void *argument, long *out)
{
	inits++;
	if (!argument)
		return CSYS_ENOENT;
	*out = *(long *)argument;
	return 0;
}

static void a_value_is_made_at_its_first_use(void **state)
{
	(void)state;
	number_once o = { CSYS_ONCE_INIT, 0 };
	long seven = 7, eight = 8, *it = NULL;
	inits = 0;
	assert_null(number_once_get(&o));
	assert_int_equal(number_once_get_or_init(&o, make_number, NULL, &it), CSYS_ENOENT);
	assert_null(it);
	assert_int_equal(number_once_get_or_init(&o, make_number, &seven, &it), 0);
	assert_int_equal(*it, 7);
	assert_int_equal(number_once_get_or_init(&o, make_number, &eight, &it), 0);
	assert_int_equal(*it, 7);
	assert_int_equal(inits, 2);
	assert_int_equal(number_once_set(&o, 9), CSYS_EEXIST);
	assert_int_equal(*number_once_get(&o), 7);

	number_once other = { CSYS_ONCE_INIT, 0 };
	assert_int_equal(number_once_set(&other, 9), 0);
	assert_int_equal(number_once_set(&other, 10), CSYS_EEXIST);
	assert_int_equal(*number_once_get(&other), 9);
}

struct pair {
	int first, second;
};
CSYS_ONCE_VALUE_DEFINE(pair_once, struct pair);
static number_once starts_set = CSYS_ONCE_VALUE_INIT(5);
static pair_once pair_starts_set = CSYS_ONCE_VALUE_INIT({ 6, 7 });

static void a_value_may_be_there_from_the_start(void **state)
{
	(void)state;
	assert_int_equal(*number_once_get(&starts_set), 5);
	assert_int_equal(number_once_set(&starts_set, 6), CSYS_EEXIST);
	assert_int_equal(pair_once_get(&pair_starts_set)->first, 6);
	assert_int_equal(pair_once_get(&pair_starts_set)->second, 7);
}

static void *wait_for_the_number(void *argument)
{
	long *it = NULL;
	assert_int_equal(*number_once_wait(argument), 7);
	assert_int_equal(number_once_wait_until(argument, CSYS_POLL, &it), 0);
	assert_ptr_equal(it, number_once_get(argument));
	return NULL;
}

static int die_in_init(void *argument, long *out)
{
	(void)out;
	return end_the_thread(argument);
}

static void *die_making_it(void *argument)
{
	long *it;
	int r = number_once_get_or_init(argument, die_in_init, NULL, &it);
	(void)r;
	return NULL;
}

static void a_value_is_waited_for_also_after_an_init_that_did_not_return(void **state)
{
	(void)state;
	number_once o = { CSYS_ONCE_INIT, 0 };
	pthread_t thread;
	long *it = NULL;
	assert_int_equal(number_once_wait_until(&o, csys_after_ms(1), &it), CSYS_ETIMEDOUT);
	assert_null(it);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_the_number, &o), 0);
	run_threads(1, die_making_it, &o);
	take_a_nap();
	assert_int_equal(number_once_set(&o, 7), 0);
	pthread_join(thread, NULL);
}

static void take_empties_it_to_be_set_anew(void **state)
{
	(void)state;
	number_once o = { CSYS_ONCE_INIT, 0 };
	long out = 1;
	assert_null(number_once_get_mut(&o));
	assert_int_equal(number_once_take(&o, &out), CSYS_EAGAIN);
	assert_int_equal(out, 1);
	assert_int_equal(number_once_set(&o, 2), 0);
	*number_once_get_mut(&o) += 1;
	assert_int_equal(number_once_take(&o, &out), 0);
	assert_int_equal(out, 3);
	assert_null(number_once_get(&o));
	assert_int_equal(number_once_set(&o, 4), 0);
	assert_int_equal(number_once_into_inner(&o, &out), 0);
	assert_int_equal(out, 4);
	assert_int_equal(number_once_into_inner(&o, &out), CSYS_EAGAIN);
	/* An init that did not return is forgotten, too. */
	run_threads(1, die_making_it, &o);
	assert_int_equal(csys_once_is_poisoned(&o.once), 1);
	assert_int_equal(number_once_take(&o, &out), CSYS_EAGAIN);
	assert_int_equal(csys_once_is_poisoned(&o.once), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_body_runs_once_and_is_seen_by_all),
		TEST(a_failure_leaves_it_to_the_next_caller),
		TEST(a_body_that_does_not_return_poisons_it),
		TEST(a_forced_body_is_told_that_it_is_poisoned),
		TEST(a_body_that_calls_its_own_is_told),
		TEST(a_body_that_waits_for_its_own_is_told),
		TEST(waiting_does_not_call_it),
		TEST(a_forced_wait_goes_on_while_it_is_poisoned),
		TEST(init_makes_one_in_any_memory),
		TEST(a_value_is_made_at_its_first_use),
		TEST(a_value_may_be_there_from_the_start),
		TEST(a_value_is_waited_for_also_after_an_init_that_did_not_return),
		TEST(take_empties_it_to_be_set_anew),
	};
	return RUN(tests);
}
