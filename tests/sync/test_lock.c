/*
 * sync/test_lock.c - the lock that csys uses on itself.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "support/support.h"
#include "sync/lock.h"

static struct csysi_lock lock;
static int counter; /* under lock */

static void *count_up(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20000; i++) {
		csysi_lock_lock(&lock);
		counter++;
		csysi_lock_unlock(&lock);
	}
	return NULL;
}

static void it_excludes_others_and_wakes_them(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter, 80000);
	assert_int_equal(lock.word, 0);
}

/* Short rounds that end together: a lost wake has nobody after it to heal it. */
static void *one_turn(void *unused)
{
	(void)unused;
	csysi_lock_lock(&lock);
	counter++;
	csysi_lock_unlock(&lock);
	return NULL;
}

static void no_wake_is_lost_at_the_end_of_a_round(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		pthread_t threads[3];
		csysi_lock_lock(&lock);
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, one_turn, NULL), 0);
		csysi_lock_unlock(&lock);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
	}
}

/* ---- the lock of a process ---------------------------------------------- */

static struct csysi_process_lock its_lock;
static int begins; /* under its_lock */

static void begin(void)
{
	begins++;
}

static void lock_in_the_child(void)
{
	/* Its holder in the parent does not exist here.  It does not wait for ever: */
	alarm(20);
	csysi_process_lock_lock(&its_lock, begin);
	csysi_process_lock_unlock(&its_lock);
	csysi_process_lock_lock(&its_lock, begin);
	csysi_process_lock_unlock(&its_lock);
	CHECK(begins == 1);
}

struct holder {
	csys_event is_held, may_end;
	int takes_over; /* holds it as one that is just making it its process's */
};

static void *hold_it(void *argument)
{
	struct holder *holder = argument;
	csysi_process_lock_lock(&its_lock, begin);
	if (holder->takes_over)
		its_lock.process = -its_lock.process;
	csys_event_set(&holder->is_held);
	csys_event_wait(&holder->may_end);
	if (holder->takes_over)
		its_lock.process = -its_lock.process;
	csysi_process_lock_unlock(&its_lock);
	return NULL;
}

static void what_another_thread_holds_is_free_in_a_forked_child(void **state)
{
	(void)state;
	for (int takes_over = 0; takes_over <= 1; takes_over++) {
		struct holder holder = { .takes_over = takes_over };
		pthread_t thread;
		holder.is_held = (csys_event)CSYS_EVENT_INIT_MANUAL;
		holder.may_end = (csys_event)CSYS_EVENT_INIT_MANUAL;
		assert_int_equal(pthread_create(&thread, NULL, hold_it, &holder), 0);
		csys_event_wait(&holder.is_held);
		in_child(lock_in_the_child);
		csys_event_set(&holder.may_end);
		pthread_join(thread, NULL);
		assert_int_equal(begins, 0);
	}
}

static void *count_up_in_process(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20000; i++) {
		csysi_process_lock_lock(&its_lock, NULL);
		counter++;
		csysi_process_lock_unlock(&its_lock);
	}
	return NULL;
}

static void count_in_the_child(void)
{
	/* All at once come into a lock that is to become this process's. */
	pthread_t threads[4];
	alarm(60);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, count_up_in_process, NULL) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(counter == 80000);
}

static void it_excludes_others_in_a_forked_child(void **state)
{
	(void)state;
	counter = 0;
	csysi_process_lock_lock(&its_lock, NULL);
	csysi_process_lock_unlock(&its_lock);
	if (!WITH_TSAN)
		in_child(count_in_the_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_excludes_others_and_wakes_them),
		TEST(no_wake_is_lost_at_the_end_of_a_round),
		TEST(what_another_thread_holds_is_free_in_a_forked_child),
		TEST(it_excludes_others_in_a_forked_child),
	};
	return RUN(tests);
}
