/*
 * sync/test_wait_any_linux.c - promises of csys/sync/wait_any.h about handlers on Linux.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "support/support.h"

static csys_semaphore posted = CSYS_SEMAPHORE_INIT(0);
static int is_over; /* atomic */

static void post_one(int number)
{
	(void)number;
	int r = csys_semaphore_post(&posted, 1);
	(void)r;
}

static void *interrupt(void *argument)
{
	pthread_t *waiter = argument;
	while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE))
		pthread_kill(*waiter, SIGUSR1);
	return NULL;
}

/* The handler runs in the thread that waits, wherever that is. */
static void a_handler_may_post_what_its_thread_waits_for(void **state)
{
	(void)state;
	csys_latch never = CSYS_LATCH_INIT(1);
	const csys_wait_item items[] = { csys_wait_for_latch(&never),
					 csys_wait_for_semaphore(&posted) };
	struct sigaction action, before;
	pthread_t self = pthread_self(), thread;
	size_t which;
	memset(&action, 0, sizeof action);
	action.sa_handler = post_one;
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	is_over = 0;
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &self), 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(csys_wait_any(items, 2, &which), 0);
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handler_may_post_what_its_thread_waits_for),
	};
	return RUN(tests);
}
