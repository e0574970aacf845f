/*
 * sync/test_guard.c - promises of csys/sync/guard.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

static csys_mutex mutex;
static csys_rwlock rwlock;

static int is_free(void)
{
	int r = csys_mutex_try_lock(&mutex);
	if (r >= 0)
		csys_mutex_unlock(&mutex);
	return r >= 0;
}

static void a_guard_holds_to_the_end_of_its_block(void **state)
{
	(void)state;
	{
		CSYS_MUTEX_GUARD(held, &mutex);
		assert_int_equal(held.result, 0);
		csys_mutex_assert_held(&mutex);
		assert_false(is_free());
		{
			csys_mutex other = CSYS_MUTEX_INIT;
			CSYS_MUTEX_GUARD(also, &other);
			assert_int_equal(csys_mutex_try_lock(&other), CSYS_EAGAIN);
		}
		assert_false(is_free());
	}
	assert_true(is_free());
}

static int return_inside(int value)
{
	CSYS_MUTEX_GUARD(held, &mutex);
	if (value > 0)
		return is_free() ? -1 : value; /* evaluated while it is held */
	return 0;
}

static void it_is_unlocked_however_the_block_is_left(void **state)
{
	(void)state;
	assert_int_equal(return_inside(3), 3);
	assert_true(is_free());
	assert_int_equal(return_inside(0), 0);
	assert_true(is_free());

	int rounds = 0;
	for (int i = 0; i < 5; i++) {
		assert_true(is_free());
		CSYS_MUTEX_GUARD(held, &mutex);
		rounds++;
		if (i < 2)
			continue;
		if (i == 3)
			break;
	}
	assert_int_equal(rounds, 4);
	assert_true(is_free());

	{
		CSYS_MUTEX_GUARD(held, &mutex);
		if (!is_free())
			goto out;
		rounds = 0;
	}
out:
	assert_int_equal(rounds, 4);
	assert_true(is_free());
}

static int looks;

static csys_mutex *look(void)
{
	looks++;
	return &mutex;
}

static void its_lock_is_evaluated_once(void **state)
{
	(void)state;
	looks = 0;
	{
		CSYS_MUTEX_GUARD(held, look());
		assert_int_equal(looks, 1);
		assert_false(is_free());
	}
	assert_int_equal(looks, 1);
	assert_true(is_free());
}

static void *exit_inside(void *argument)
{
	(void)argument;
	CSYS_MUTEX_GUARD(held, &mutex);
	pthread_exit(NULL);
}

static void it_tells_of_poison_and_a_thread_that_exits_inside_leaves_it(void **state)
{
	(void)state;
	run_threads(1, exit_inside, NULL);
	{
		CSYS_MUTEX_GUARD(held, &mutex);
		assert_int_equal(held.result, CSYS_POISONED);
		csys_mutex_assert_held(&mutex);
		csys_mutex_clear_poison(&mutex);
	}
	csys_rwlock_poison(&rwlock);
	{
		CSYS_RWLOCK_READ_GUARD(read, &rwlock);
		assert_int_equal(read.result, CSYS_POISONED);
	}
	{
		CSYS_RWLOCK_WRITE_GUARD(written, &rwlock);
		assert_int_equal(written.result, CSYS_POISONED);
		csys_rwlock_clear_poison(&rwlock);
	}
	CSYS_RWLOCK_READ_GUARD(read, &rwlock);
	assert_int_equal(read.result, 0);
}

static void *try_both(void *argument)
{
	const int *expected = argument;
	int r = csys_rwlock_try_read(&rwlock);
	assert_int_equal(r, expected[0]);
	if (r >= 0)
		csys_rwlock_unlock_read(&rwlock);
	r = csys_rwlock_try_write(&rwlock);
	assert_int_equal(r, expected[1]);
	if (r >= 0)
		csys_rwlock_unlock_write(&rwlock);
	return NULL;
}

static void readers_share_and_a_writer_does_not(void **state)
{
	(void)state;
	int while_read[] = { 0, CSYS_EAGAIN };
	int while_written[] = { CSYS_EAGAIN, CSYS_EAGAIN };
	int afterwards[] = { 0, 0 };
	{
		CSYS_RWLOCK_READ_GUARD(read, &rwlock);
		csys_rwlock_assert_read(&rwlock);
		run_threads(1, try_both, while_read);
	}
	run_threads(1, try_both, afterwards);
	{
		CSYS_RWLOCK_WRITE_GUARD(written, &rwlock);
		csys_rwlock_assert_write(&rwlock);
		run_threads(1, try_both, while_written);
	}
	run_threads(1, try_both, afterwards);
}

static csys_condvar changed;
static int is_ready; /* under mutex */

static void *make_ready(void *argument)
{
	(void)argument;
	CSYS_MUTEX_GUARD(held, &mutex);
	is_ready = 1;
	csys_condvar_notify_one(&changed);
	return NULL;
}

static void a_condvar_waits_under_a_guard(void **state)
{
	(void)state;
	pthread_t thread;
	is_ready = 0;
	{
		CSYS_MUTEX_GUARD(held, &mutex);
		assert_int_equal(pthread_create(&thread, NULL, make_ready, NULL), 0);
		while (!is_ready)
			csys_condvar_wait(&changed, &mutex);
		csys_mutex_assert_held(&mutex);
	}
	assert_true(is_free());
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guard_holds_to_the_end_of_its_block),
		TEST(it_is_unlocked_however_the_block_is_left),
		TEST(its_lock_is_evaluated_once),
		TEST(it_tells_of_poison_and_a_thread_that_exits_inside_leaves_it),
		TEST(readers_share_and_a_writer_does_not),
		TEST(a_condvar_waits_under_a_guard),
	};
	return RUN(tests);
}
