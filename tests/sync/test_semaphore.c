/*
 * sync/test_semaphore.c - promises of csys/sync/semaphore.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
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
	assert_true(csys_now() >= deadline);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_counts),
		TEST(wait_until_gives_up_at_the_deadline),
		TEST(too_many_are_refused_and_none_is_added),
		TEST(one_post_lets_several_go_on),
		TEST(a_handler_may_post),
		TEST(what_is_posted_is_taken_once),
	};
	return RUN(tests);
}
