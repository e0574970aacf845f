/*
 * sync/test_condvar.c - promises of csys/sync/condvar.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

static csys_mutex lock;
static csys_condvar changed;
static int waiting, woken, is_open; /* under lock */

static void it_is_small_and_valid_when_zero(void **state)
{
	(void)state;
	csys_condvar zero;
	memset(&zero, 0, sizeof zero);
	assert_true(sizeof zero <= 8);
	csys_condvar_notify_one(&zero); /* nobody waits, nothing is kept */
	csys_condvar_notify_all(&zero);
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_until(&zero, &lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_mutex_unlock(&lock);
}

static void *wait_once(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	waiting++;
	assert_int_equal(csys_condvar_wait(&changed, &lock), 0);
	csys_mutex_assert_held(&lock);
	woken++;
	csys_mutex_unlock(&lock);
	return NULL;
}

/* Start some, and wait until they wait: who counts itself holds the lock until it does. */
static void start_waiters(pthread_t *threads, int count, void *(*run)(void *))
{
	waiting = woken = 0;
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
	for (int there = 0; there < count; take_a_nap()) {
		csys_mutex_lock(&lock);
		there = waiting;
		csys_mutex_unlock(&lock);
	}
}

static void wait_for_woken(int count)
{
	for (int there = 0; there < count; take_a_nap()) {
		csys_mutex_lock(&lock);
		there = woken;
		csys_mutex_unlock(&lock);
	}
}

static void notify_one_wakes_one(void **state)
{
	(void)state;
	pthread_t threads[4];
	start_waiters(threads, 4, wait_once);
	for (int i = 1; i <= 4; i++) {
		int under = i % 2;
		if (under)
			csys_mutex_lock(&lock);
		csys_condvar_notify_one(&changed);
		if (under)
			csys_mutex_unlock(&lock);
		wait_for_woken(i);
		take_a_nap();
		csys_mutex_lock(&lock);
		assert_int_equal(woken, i); /* there is no wake without a cause */
		csys_mutex_unlock(&lock);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(changed.queue, 0);
}

static void notify_all_wakes_all(void **state)
{
	(void)state;
	pthread_t threads[8];
	for (int under = 0; under < 2; under++) {
		start_waiters(threads, 8, wait_once);
		if (under)
			csys_mutex_lock(&lock);
		csys_condvar_notify_all(&changed);
		if (under)
			csys_mutex_unlock(&lock);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(woken, 8);
	}
}

static int order[3];

static void *wait_in_order(void *argument)
{
	int self = *(int *)argument;
	csys_mutex_lock(&lock);
	waiting++;
	csys_condvar_wait(&changed, &lock);
	order[woken++] = self;
	csys_mutex_unlock(&lock);
	return NULL;
}

static void the_longest_waiter_is_first(void **state)
{
	(void)state;
	pthread_t threads[3];
	int selves[3] = { 0, 1, 2 };
	waiting = woken = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, wait_in_order, &selves[i]), 0);
		for (int there = 0; there <= i; take_a_nap()) {
			csys_mutex_lock(&lock);
			there = waiting;
			csys_mutex_unlock(&lock);
		}
	}
	for (int i = 0; i < 3; i++) {
		csys_condvar_notify_one(&changed);
		wait_for_woken(i + 1);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(order[i], i);
	}
}

static void a_notification_under_the_mutex_waits_for_its_unlocking(void **state)
{
	(void)state;
	pthread_t threads[2];
	start_waiters(threads, 2, wait_once);
	csys_mutex_lock(&lock);
	csys_condvar_notify_one(&changed);
	csys_condvar_notify_one(&changed);
	take_a_nap();
	assert_int_equal(woken, 0);
	csys_mutex_unlock(&lock);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(woken, 2);
}

static void wait_until_gives_up_with_the_mutex_held(void **state)
{
	(void)state;
	csys_mutex_lock(&lock);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_condvar_wait_until(&changed, &lock, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= deadline);
	csys_mutex_assert_held(&lock);
	assert_int_equal(changed.queue, 0); /* nobody is left waiting */
	csys_mutex_unlock(&lock);
}

static void *wait_for_long(void *argument)
{
	csys_mutex_lock(&lock);
	waiting++;
	int r = csys_condvar_wait_until(&changed, &lock, csys_after_ms(3));
	__atomic_store_n((int *)argument, r, __ATOMIC_RELAXED);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void a_notification_before_the_deadline_is_not_lost(void **state)
{
	(void)state;
	pthread_t thread;
	int result = 77;
	waiting = 0;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_long, &result), 0);
	int is_notified = 0;
	while (!is_notified && __atomic_load_n(&result, __ATOMIC_RELAXED) == 77) {
		csys_mutex_lock(&lock);
		if (waiting == 1 && result == 77 && changed.queue != 0) {
			/* Taken out of the queue, and the mutex held past the deadline. */
			csys_condvar_notify_one(&changed);
			is_notified = 1;
			csys_deadline late = csys_after_ms(5);
			while (csys_deadline_left(late) > 0)
				take_a_nap();
		}
		csys_mutex_unlock(&lock);
	}
	pthread_join(thread, NULL);
	assert_int_equal(result, is_notified ? 0 : CSYS_ETIMEDOUT);
}

static int is_shut(void *argument)
{
	(*(int *)argument)++;
	csys_mutex_assert_held(&lock);
	return !is_open;
}

static void *open_it(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	csys_condvar_notify_all(&changed); /* not yet */
	csys_mutex_unlock(&lock);
	take_a_nap();
	csys_mutex_lock(&lock);
	is_open = 1;
	csys_condvar_notify_one(&changed);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void wait_while_looks_first_and_waits_on(void **state)
{
	(void)state;
	pthread_t thread;
	int looks = 0;
	is_open = 1;
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_while(&changed, &lock, is_shut, &looks), 0);
	assert_int_equal(looks, 1);
	is_open = 0;
	assert_int_equal(pthread_create(&thread, NULL, open_it, NULL), 0);
	assert_int_equal(csys_condvar_wait_while(&changed, &lock, is_shut, &looks), 0);
	assert_true(is_open);
	csys_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}

static void wait_while_until_looks_before_the_clock(void **state)
{
	(void)state;
	int looks = 0;
	csys_mutex_lock(&lock);
	is_open = 1;
	assert_int_equal(csys_condvar_wait_while_until(&changed, &lock, is_shut, &looks, CSYS_POLL),
			 0);
	is_open = 0;
	assert_int_equal(
		csys_condvar_wait_while_until(&changed, &lock, is_shut, &looks, csys_after_ms(1)),
		CSYS_ETIMEDOUT);
	assert_int_equal(looks, 3); /* the last one after the deadline */
	csys_mutex_unlock(&lock);
}

static void *die_inside(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	csys_condvar_notify_one(&changed);
	return NULL;
}

static void *wait_poisoned(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	waiting++;
	assert_int_equal(csys_condvar_wait(&changed, &lock), CSYS_POISONED);
	csys_mutex_clear_poison(&lock);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void a_notifier_that_dies_inside_poisons_and_wakes(void **state)
{
	(void)state;
	pthread_t thread;
	start_waiters(&thread, 1, wait_poisoned);
	run_threads(1, die_inside, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(csys_mutex_is_poisoned(&lock), 0);
}

static void it_works_with_a_mutex_without_poison(void **state)
{
	(void)state;
	static csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;
	csys_mutex_lock(&plain);
	assert_int_equal(csys_condvar_wait_until(&changed, &plain, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	csys_mutex_unlock(&plain);
}

struct shared {
	csys_mutex lock;
	csys_condvar changed;
	int is_over;
};

static void *wait_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_mutex_lock(&shared->lock);
	while (!shared->is_over)
		csys_condvar_wait(&shared->changed, &shared->lock);
	csys_mutex_unlock(&shared->lock);
	free(shared);
	return NULL;
}

static void it_may_be_freed_right_after_the_last_wait(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct shared *shared = calloc(1, sizeof *shared);
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, wait_and_free, shared), 0);
		if (round % 2)
			take_a_nap();
		csys_mutex_lock(&shared->lock);
		shared->is_over = 1;
		csys_condvar_notify_all(&shared->changed);
		csys_mutex_unlock(&shared->lock);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_small_and_valid_when_zero),
		TEST(notify_one_wakes_one),
		TEST(notify_all_wakes_all),
		TEST(the_longest_waiter_is_first),
		TEST(a_notification_under_the_mutex_waits_for_its_unlocking),
		TEST(wait_until_gives_up_with_the_mutex_held),
		TEST(a_notification_before_the_deadline_is_not_lost),
		TEST(wait_while_looks_first_and_waits_on),
		TEST(wait_while_until_looks_before_the_clock),
		TEST(a_notifier_that_dies_inside_poisons_and_wakes),
		TEST(it_works_with_a_mutex_without_poison),
		TEST(it_may_be_freed_right_after_the_last_wait),
	};
	return RUN(tests);
}
