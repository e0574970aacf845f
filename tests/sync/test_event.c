/*
 * sync/test_event.c - promises of csys/sync/event.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"

/* As in src/sync/event.c. */
#define WAITERS 0x3fffffu

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
	while ((__atomic_load_n(&event->word, __ATOMIC_RELAXED) & WAITERS) != count)
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
		assert_true(csys_now() >= csys_deadline_ns(deadline));
		assert_int_equal(events[i]->word & WAITERS, 0); /* nobody is left waiting */
	}
}

/* Each thread's own result, until a deadline that nobody lets pass. */
static void *wait_for_long(void *argument)
{
	if (csys_event_wait_until(argument, csys_after_s(100)) == 0)
		__atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void threads_that_wait_when_it_is_set_go_on_though_it_is_reset(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		csys_event event = CSYS_EVENT_INIT_MANUAL;
		pthread_t threads[8];
		through = 0;
		/* The generation is at its last number of 30 and of 39 bits, too. */
		event.word = round % 3 == 1   ? 0x3fffffff00000000
			     : round % 3 == 2 ? 0x3fffffff7fc00000
					      : 0;
		for (int i = 0; i < 8; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
							i % 2 ? wait_for_long : get_through,
							&event),
					 0);
		wait_for_waiters(&event, 8);
		csys_event_set(&event);
		csys_event_reset(&event);
		assert_int_equal(csys_event_try_wait(&event), CSYS_EAGAIN);
		/* Its two parts count as one number. */
		uint64_t next = round % 3 == 1 ? 0x400000 : round % 3 == 2 ? 0 : 0x100000000;
		assert_int_equal(__atomic_load_n(&event.word, __ATOMIC_RELAXED), next);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(through, 8);
		assert_int_equal(csys_event_wait_until(&event, CSYS_POLL), CSYS_ETIMEDOUT);
		assert_int_equal(event.word & WAITERS, 0);
		assert_int_equal(event.word >> 62, 0);
	}
}

static void a_turn_of_an_automatic_one_is_not_taken_back(void **state)
{
	(void)state;
	pthread_t threads[3];
	csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
	through = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_long, &event), 0);
	wait_for_waiters(&event, 3);
	for (int i = 1; i <= 3; i++) {
		csys_event_set(&event);
		csys_event_reset(&event);
		assert_int_equal(csys_event_is_set(&event), 0);
		assert_int_equal(csys_event_try_wait(&event), CSYS_EAGAIN);
		wait_for_waiters(&event, 3 - (uint32_t)i);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(through, 3);
	/* Nobody waits: a reset takes it back. */
	csys_event_set(&event);
	csys_event_reset(&event);
	assert_int_equal(csys_event_try_wait(&event), CSYS_EAGAIN);
}

static void set_tells_how_many_it_lets_go(void **state)
{
	(void)state;
	csys_event events[2];
	pthread_t threads[4];
	csys_event_init_manual(&events[0]);
	csys_event_init_automatic(&events[1]);
	for (int which = 0; which < 2; which++) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, get_through, &events[which]), 0);
		wait_for_waiters(&events[which], 4);
		for (uint32_t i = 4; i > 0 && which == 1; i--) {
			assert_int_equal(csys_event_set(&events[1]), 1);
			wait_for_waiters(&events[1], i - 1);
		}
		assert_int_equal(csys_event_set(&events[which]), which == 0 ? 4 : 0);
		assert_int_equal(csys_event_set(&events[which]), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

static void init_makes_one_in_any_memory(void **state)
{
	(void)state;
	csys_event event;
	for (int i = 0; i < 2; i++) {
		event.word = UINT64_MAX;
		if (i == 0)
			csys_event_init_manual(&event);
		else
			csys_event_init_automatic(&event);
		assert_int_equal(csys_event_try_wait(&event), CSYS_EAGAIN);
		assert_int_equal(csys_event_set(&event), 0);
		assert_int_equal(csys_event_try_wait(&event), 0);
		assert_int_equal(csys_event_try_wait(&event), i == 0 ? 0 : CSYS_EAGAIN);
	}
}

struct looker {
	csys_event *event;
	csys_deadline deadline;
	int result;
};

static void *look_at(void *argument)
{
	struct looker *looker = argument;
	looker->result = csys_event_wait_until(looker->event, looker->deadline);
	return NULL;
}

static uint32_t has_looked; /* atomic */

static void *look_and_say_so(void *argument)
{
	look_at(argument);
	__atomic_store_n(&has_looked, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void a_generation_with_the_same_lower_part_is_another_one(void **state)
{
	(void)state;
	csys_event event = CSYS_EVENT_INIT_MANUAL;
	struct looker looker = { &event, csys_after_s(30), 77 };
	pthread_t thread;
	has_looked = 0;
	assert_int_equal(pthread_create(&thread, NULL, look_and_say_so, &looker), 0);
	wait_for_waiters(&event, 1);
	/* As after 2^30 sets: too many for a test.  The upper half is as it was. */
	__atomic_store_n(&event.word, UINT64_C(0x400000), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&has_looked, __ATOMIC_ACQUIRE)) {
		(void)csysi_os_wake(csysi_upper_half(&event.word), UINT32_MAX, 0);
		take_a_nap();
	}
	pthread_join(thread, NULL);
	assert_int_equal(looker.result, 0);
	assert_int_equal(event.word, 0x400000);
}

/* A deadline that passes at the same time takes no turn away, and makes none. */
static void a_deadline_beside_a_set_loses_nothing(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
		struct looker lookers[2];
		pthread_t threads[2];
		for (int i = 0; i < 2; i++) {
			lookers[i] = (struct looker){ &event, csys_after_us(80 + round % 50), 77 };
			assert_int_equal(pthread_create(&threads[i], NULL, look_at, &lookers[i]),
					 0);
		}
		csys_thread_sleep_until(lookers[round % 2].deadline);
		csys_event_set(&event);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		int taken = (lookers[0].result == 0) + (lookers[1].result == 0) +
			    (csys_event_try_wait(&event) == 0);
		assert_int_equal(taken, 1);
		assert_int_equal(event.word, CSYSI_EVENT_AUTOMATIC);
	}
}

struct shared {
	csys_event done;
	int users; /* atomic */
};

static void *wait_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_event_wait(&shared->done);
	if (__atomic_sub_fetch(&shared->users, 1, __ATOMIC_ACQ_REL) == 0)
		free(shared);
	return NULL;
}

static void it_may_be_freed_right_after_the_last_wait(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct shared *shared = calloc(1, sizeof *shared);
		pthread_t threads[3];
		shared->users = 3;
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, wait_and_free, shared),
					 0);
		csys_event_set(&shared->done);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
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
		TEST(threads_that_wait_when_it_is_set_go_on_though_it_is_reset),
		TEST(set_tells_how_many_it_lets_go),
		TEST(init_makes_one_in_any_memory),
		TEST(a_turn_of_an_automatic_one_is_not_taken_back),
		TEST(a_generation_with_the_same_lower_part_is_another_one),
		TEST(a_deadline_beside_a_set_loses_nothing),
		TEST(it_may_be_freed_right_after_the_last_wait),
		TEST(what_was_done_before_is_seen),
	};
	return RUN(tests);
}
