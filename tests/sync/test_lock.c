/*
 * sync/test_lock.c - the lock that csys uses on itself.
 */
#include <pthread.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_excludes_others_and_wakes_them),
		TEST(no_wake_is_lost_at_the_end_of_a_round),
	};
	return RUN(tests);
}
