/*
 * sync/test_event.c - promises of csys/sync/event.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "support/support.h"
#include "support/thread.h"

static csys_event manual = CSYS_EVENT_INIT_MANUAL;
static csys_event automatic = CSYS_EVENT_INIT_AUTOMATIC;
static int through; /* atomic */

static void *get_through(void *argument)
{
	csys_event_wait(argument);
	__atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void wait_for_waiters(const csys_event *event, uint32_t count)
{
	while (__atomic_load_n(&event->word, __ATOMIC_RELAXED) / 2 != count)
		take_a_nap();
}

static void a_manual_one_lets_all_through_until_it_is_reset(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_through, &manual), 0);
	wait_for_waiters(&manual, 4);
	csys_event_set(&manual);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(csys_event_is_set(&manual), 1);
	assert_int_equal(csys_event_try_wait(&manual), 0);
	assert_int_equal(csys_event_wait_until(&manual, CSYS_POLL), 0);
	csys_event_reset(&manual);
	csys_event_reset(&manual);
	assert_int_equal(csys_event_is_set(&manual), 0);
	assert_int_equal(csys_event_try_wait(&manual), CSYS_EAGAIN);
}

static void an_automatic_one_lets_one_through_each_time(void **state)
{
	(void)state;
	pthread_t threads[3];
	through = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_through, &automatic), 0);
	wait_for_waiters(&automatic, 3);
	for (int i = 1; i <= 3; i++) {
		csys_event_set(&automatic);
		while (__atomic_load_n(&through, __ATOMIC_RELAXED) < i)
			take_a_nap();
		take_a_nap();
		assert_int_equal(__atomic_load_n(&through, __ATOMIC_RELAXED), i);
		assert_int_equal(csys_event_is_set(&automatic), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	/* Set twice is once. */
	csys_event_set(&automatic);
	csys_event_set(&automatic);
	assert_int_equal(csys_event_try_wait(&automatic), 0);
	assert_int_equal(csys_event_try_wait(&automatic), CSYS_EAGAIN);
}

static void wait_until_gives_up_at_the_deadline(void **state)
{
	(void)state;
	csys_event *events[] = { &manual, &automatic };
	for (int i = 0; i < 2; i++) {
		csys_deadline deadline = csys_after_ms(2);
		assert_int_equal(csys_event_wait_until(events[i], deadline), CSYS_ETIMEDOUT);
		assert_true(csys_now() >= deadline);
		assert_int_equal(events[i]->word, 0); /* nobody is left waiting */
	}
}

static csys_event there = CSYS_EVENT_INIT_AUTOMATIC, back = CSYS_EVENT_INIT_AUTOMATIC;
static int plain;

static void *send_back(void *argument)
{
	(void)argument;
	for (int i = 0; i < 3000; i++) {
		csys_event_wait(&there);
		plain++;
		csys_event_set(&back);
	}
	return NULL;
}

static void what_was_done_before_is_seen(void **state)
{
	(void)state;
	pthread_t thread;
	plain = 0;
	assert_int_equal(pthread_create(&thread, NULL, send_back, NULL), 0);
	for (int i = 0; i < 3000; i++) {
		plain++;
		csys_event_set(&there);
		csys_event_wait(&back);
		assert_int_equal(plain, 2 * i + 2);
	}
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_manual_one_lets_all_through_until_it_is_reset),
		TEST(an_automatic_one_lets_one_through_each_time),
		TEST(wait_until_gives_up_at_the_deadline),
		TEST(what_was_done_before_is_seen),
	};
	return RUN(tests);
}
