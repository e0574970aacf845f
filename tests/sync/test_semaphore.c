/*
 * sync/test_semaphore.c - promises of csys/sync/semaphore.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

static csys_semaphore semaphore;

static void it_counts(void **state)
{
	(void)state;
	csys_semaphore two = CSYS_SEMAPHORE_INIT(2);
	assert_int_equal(sizeof two, 8);
	assert_int_equal(csys_semaphore_value(&two), 2);
	csys_semaphore_wait(&two);
	assert_int_equal(csys_semaphore_try_wait(&two), 0);
	assert_int_equal(csys_semaphore_try_wait(&two), CSYS_EAGAIN);
	assert_int_equal(csys_semaphore_post(&two, 3), 0);
	assert_int_equal(csys_semaphore_value(&two), 3);

	csys_semaphore zero;
	memset(&zero, 0, sizeof zero);
	assert_int_equal(csys_semaphore_try_wait(&zero), CSYS_EAGAIN);
}

static void wait_until_gives_up_at_the_deadline(void **state)
{
	(void)state;
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_semaphore_wait_until(&semaphore, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(semaphore.word, 0); /* nobody is left waiting */
	csys_semaphore_post(&semaphore, 1);
	assert_int_equal(csys_semaphore_wait_until(&semaphore, CSYS_POLL), 0);
}

static void too_many_are_refused_and_none_is_added(void **state)
{
	(void)state;
	csys_semaphore full = CSYS_SEMAPHORE_INIT(CSYS_SEMAPHORE_MAX - 1);
	assert_int_equal(csys_semaphore_post(&full, 2), CSYS_EINVAL);
	assert_int_equal(csys_semaphore_post(&full, UINT32_MAX), CSYS_EINVAL);
	assert_int_equal(csys_semaphore_value(&full), CSYS_SEMAPHORE_MAX - 1);
	assert_int_equal(csys_semaphore_post(&full, 1), 0);
	assert_int_equal(csys_semaphore_post(&full, 1), CSYS_EINVAL);
	assert_int_equal(csys_semaphore_post(&full, 0), 0);
}

/* The value as it stands in the word, with debts and with what is too much. */
static int32_t value_in(const csys_semaphore *one)
{
	return (int32_t)(__atomic_load_n(&one->word, __ATOMIC_RELAXED) >> 32);
}

static int stop; /* atomic */

static void *post_too_many(void *argument)
{
	for (int i = 0; i < 50000; i++)
		assert_int_equal(csys_semaphore_post(argument, 1 + (uint32_t)i % 2), CSYS_EINVAL);
	__atomic_fetch_add(&stop, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void concurrent_posts_of_too_many_are_refused(void **state)
{
	(void)state;
	csys_semaphore full = CSYS_SEMAPHORE_INIT(CSYS_SEMAPHORE_MAX);
	pthread_t threads[3];
	stop = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_too_many, &full), 0);
	/* Nothing is added, not even for a moment: it would be less than none. */
	while (__atomic_load_n(&stop, __ATOMIC_RELAXED) < 3)
		assert_int_equal(value_in(&full), CSYS_SEMAPHORE_MAX);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(csys_semaphore_value(&full), CSYS_SEMAPHORE_MAX);
	assert_int_equal(csys_semaphore_wait_until(&full, CSYS_POLL), 0);
	assert_int_equal(csys_semaphore_post(&full, 1), 0);
}

static void *post_at_the_edge(void *argument)
{
	int refused = 0;
	for (int i = 0; i < 50000; i++) {
		if (csys_semaphore_post(argument, 1) < 0)
			refused++;
		else
			csys_semaphore_wait(argument);
		assert_true(value_in(argument) > (int32_t)CSYS_SEMAPHORE_MAX - 10);
	}
	return refused == 50000 ? argument : NULL;
}

static void posts_at_the_edge_are_added_or_refused(void **state)
{
	(void)state;
	/* One is free, for three threads. */
	csys_semaphore one = CSYS_SEMAPHORE_INIT(CSYS_SEMAPHORE_MAX - 1);
	run_threads(3, post_at_the_edge, &one);
	assert_int_equal(csys_semaphore_value(&one), CSYS_SEMAPHORE_MAX - 1);
}

static void the_short_way_of_post_ends_far_from_the_edge(void **state)
{
	(void)state;
	csys_semaphore near = { 0x3fffffff00000000 };
	assert_int_equal(csys_semaphore_post(&near, 255), 0);
	assert_int_equal(csys_semaphore_post(&near, 255), 0);
	assert_int_equal(csys_semaphore_post(&near, 256), 0);
	assert_int_equal(csys_semaphore_value(&near), 0x3fffffff + 255 + 255 + 256);
	assert_int_equal(csys_semaphore_post(&near, CSYS_SEMAPHORE_MAX), CSYS_EINVAL);
}

static void a_debt_that_posts_have_covered_is_not_given_back(void **state)
{
	(void)state;
	/* As the inline part of a wait leaves it when there is none. */
	csys_semaphore owing = { 0xffffffff00000000 };
	assert_int_equal(csys_semaphore_post(&owing, CSYS_SEMAPHORE_MAX), 0);
	assert_int_equal(csys_semaphore_post(&owing, 1), 0);
	assert_int_equal(csys_semaphore_post(&owing, 1), CSYS_EINVAL);
	assert_int_equal(csysi_semaphore_wait_slow(&owing, CSYS_POLL), 0);
	assert_int_equal(csys_semaphore_value(&owing), CSYS_SEMAPHORE_MAX);
}

static void *wait_a_moment(void *argument)
{
	assert_int_equal(csys_semaphore_wait_until(argument, csys_after_ms(2)), CSYS_ETIMEDOUT);
	return NULL;
}

static void full_counts_of_waiters_do_not_overflow(void **state)
{
	(void)state;
	csys_semaphore crowded = { 0xffffffff };
	run_threads(3, wait_a_moment, &crowded);
	assert_int_equal(crowded.word, 0xffffffff);
	/* With room for one more of each kind, and three that come. */
	crowded.word = 0xfffefffe;
	run_threads(3, wait_a_moment, &crowded);
	assert_int_equal(crowded.word, 0xfffefffe);
	assert_int_equal(csys_semaphore_post(&crowded, 1), 0);
	csys_semaphore_wait(&crowded);
}

static void *take_one(void *argument)
{
	(void)argument;
	csys_semaphore_wait(&semaphore);
	return NULL;
}

static void one_post_lets_several_go_on(void **state)
{
	(void)state;
	pthread_t threads[5];
	for (int i = 0; i < 5; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_one, NULL), 0);
	while ((uint32_t)__atomic_load_n(&semaphore.word, __ATOMIC_RELAXED) != 5)
		take_a_nap();
	csys_semaphore_post(&semaphore, 2);
	while (csys_semaphore_value(&semaphore) != 0)
		take_a_nap();
	csys_semaphore_post(&semaphore, 3);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(semaphore.word, 0);
}

static void post_on_signal(int signal)
{
	(void)signal;
	csys_semaphore_post(&semaphore, 1);
}

static void a_handler_may_post(void **state)
{
	(void)state;
	struct sigaction action = { .sa_handler = post_on_signal }, before;
	sigaction(SIGUSR1, &action, &before);
	raise(SIGUSR1);
	sigaction(SIGUSR1, &before, NULL);
	assert_int_equal(csys_semaphore_try_wait(&semaphore), 0);
}

static csys_semaphore there, back;

static void *send_back(void *argument)
{
	(void)argument;
	for (int i = 0; i < 5000; i++) {
		csys_semaphore_wait(&there);
		csys_semaphore_post(&back, 1);
	}
	return NULL;
}

static void what_is_posted_is_taken_once(void **state)
{
	(void)state;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, send_back, NULL), 0);
	for (int i = 0; i < 5000; i++) {
		csys_semaphore_post(&there, 1);
		csys_semaphore_wait(&back);
	}
	pthread_join(thread, NULL);
	assert_int_equal(there.word | back.word, 0);
}

static void init_too_many(void)
{
	csys_semaphore one;
	csys_semaphore_init(&one, CSYS_SEMAPHORE_MAX + 1);
}

static void init_makes_one_from_any_number(void **state)
{
	(void)state;
	csys_semaphore *made = malloc(sizeof *made);
	const uint32_t number = 3;
	memset(made, 0xff, sizeof *made);
	csys_semaphore_init(made, number);
	assert_int_equal(csys_semaphore_value(made), number);
	csys_semaphore_init(made, CSYS_SEMAPHORE_MAX);
	free(made);
	assert_aborts(init_too_many, "csys: a semaphore of more than CSYS_SEMAPHORE_MAX\n");
}

static void *take_one_for_good(void *argument)
{
	csys_semaphore_wait(argument);
	return NULL;
}

static void post_tells_how_many_it_woke(void **state)
{
	(void)state;
	csys_semaphore waited = CSYS_SEMAPHORE_INIT(0);
	pthread_t threads[3];
	uint32_t woken = 77;
	assert_int_equal(csys_semaphore_post_woken(&waited, 1, &woken), 0);
	assert_int_equal(woken, 0);
	assert_int_equal(csys_semaphore_try_wait(&waited), 0);
	assert_int_equal(csys_semaphore_post_woken(&waited, UINT32_MAX, &woken), CSYS_EINVAL);
	skip_unless_sleep_is_seen();
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_one_for_good, &waited), 0);
	while ((__atomic_load_n(&waited.word, __ATOMIC_RELAXED) & 0xffff) != 3)
		take_a_nap();
	take_a_nap();
	/* Some may be about to sleep, and are not counted then. */
	assert_int_equal(csys_semaphore_post_woken(&waited, 3, &woken), 0);
	assert_true(woken <= 3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_counts),
		TEST(wait_until_gives_up_at_the_deadline),
		TEST(too_many_are_refused_and_none_is_added),
		TEST(concurrent_posts_of_too_many_are_refused),
		TEST(posts_at_the_edge_are_added_or_refused),
		TEST(the_short_way_of_post_ends_far_from_the_edge),
		TEST(a_debt_that_posts_have_covered_is_not_given_back),
		TEST(full_counts_of_waiters_do_not_overflow),
		TEST(one_post_lets_several_go_on),
		TEST(a_handler_may_post),
		TEST(what_is_posted_is_taken_once),
		TEST(init_makes_one_from_any_number),
		TEST(post_tells_how_many_it_woke),
	};
	return RUN(tests);
}
