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

/* ---- values ---------------------------------------------------------------------------- */

struct pair {
	int64_t one, other;
};

CSYS_MUTEX_DEFINE(counter, int64_t);
CSYS_MUTEX_DEFINE(pairs, struct pair);
CSYS_MUTEX_DEFINE(text, const char *);

static counter hits;

static void a_value_is_there_while_it_is_locked(void **state)
{
	(void)state;
	counter zero;
	memset(&zero, 0, sizeof zero);
	int64_t *value = NULL;
	assert_int_equal(counter_lock(&zero, &value), 0);
	assert_int_equal(*value, 0);
	*value = 5;
	csys_mutex_assert_held(counter_mutex(&zero));
	counter_unlock(&zero, &value);
	assert_null(value);
	assert_int_equal(counter_try_lock(&zero, &value), 0);
	assert_int_equal(*value, 5);
	counter_unlock(&zero, &value);
	assert_null(value);
	assert_int_equal(counter_lock_until(&zero, CSYS_POLL, &value), 0);
	assert_int_equal(*value, 5);
	counter_unlock(&zero, &value);
	assert_null(value);
}

static void it_can_begin_with_a_value(void **state)
{
	(void)state;
	static counter ten = CSYS_MUTEX_INIT_WITH(10);
	pairs both = CSYS_MUTEX_INIT_WITH({ 1, 2 });
	text word = CSYS_MUTEX_INIT_WITH("word");
	int64_t *number;
	struct pair *pair;
	const char **letters;
	assert_int_equal(counter_lock(&ten, &number), 0);
	assert_int_equal(*number, 10);
	counter_unlock(&ten, &number);
	assert_int_equal(pairs_lock(&both, &pair), 0);
	assert_int_equal(pair->one + 10 * pair->other, 21);
	pairs_unlock(&both, &pair);
	assert_int_equal(text_lock(&word, &letters), 0);
	assert_string_equal(*letters, "word");
	text_unlock(&word, &letters);
}

static void a_failed_lock_leaves_the_pointer_untouched(void **state)
{
	(void)state;
	int64_t *value, *none = NULL;
	counter_lock(&hits, &value);
	assert_int_equal(counter_try_lock(&hits, &none), CSYS_EAGAIN);
	assert_null(none);
	assert_int_equal(counter_lock_until(&hits, csys_after_ms(1), &none), CSYS_ETIMEDOUT);
	assert_null(none);
	counter_unlock(&hits, &value);
}

static void *add(void *argument)
{
	for (int i = 0; i < 10000; i++) {
		int64_t *value;
		counter_lock(argument, &value);
		++*value;
		counter_unlock(argument, &value);
	}
	return NULL;
}

static void *die_inside(void *argument)
{
	int64_t *value;
	counter_lock(argument, &value);
	return NULL;
}

static void one_thread_at_a_time_has_the_value(void **state)
{
	(void)state;
	counter all = CSYS_MUTEX_INIT_WITH(0);
	run_threads(4, add, &all);
	int64_t *value;
	assert_int_equal(counter_lock(&all, &value), 0);
	assert_int_equal(*value, 40000);
	counter_unlock(&all, &value);
}

static void a_poisoned_value_is_reached_and_mended(void **state)
{
	(void)state;
	counter dead = CSYS_MUTEX_INIT_WITH(7);
	run_threads(1, die_inside, &dead);
	int64_t *value = NULL;
	assert_int_equal(counter_try_lock(&dead, &value), CSYS_POISONED);
	assert_int_equal(*value, 7);
	counter_unlock(&dead, &value);
	assert_int_equal(counter_lock_until(&dead, CSYS_POLL, &value), CSYS_POISONED);
	counter_unlock(&dead, &value);
	assert_int_equal(counter_lock(&dead, &value), CSYS_POISONED);
	csys_mutex_clear_poison(counter_mutex(&dead));
	counter_unlock(&dead, &value);
	assert_int_equal(counter_lock(&dead, &value), 0);
	counter_unlock(&dead, &value);
}

static void unlock_twice(void)
{
	int64_t *value;
	counter_lock(&hits, &value);
	counter_unlock(&hits, &value);
	counter_unlock(&hits, &value);
}

static void unlock_with_a_strange_value(void)
{
	counter other = CSYS_MUTEX_INIT_WITH(0);
	int64_t *value, *strange;
	counter_lock(&hits, &value);
	counter_lock(&other, &strange);
	counter_unlock(&hits, &strange);
}

static void unlock_without_its_pointer_aborts(void **state)
{
	(void)state;
	assert_aborts(unlock_twice, "csys: unlock of a value that is not of this mutex\n");
	assert_aborts(unlock_with_a_strange_value,
		      "csys: unlock of a value that is not of this mutex\n");
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
		TEST(a_value_is_there_while_it_is_locked),
		TEST(it_can_begin_with_a_value),
		TEST(a_failed_lock_leaves_the_pointer_untouched),
		TEST(one_thread_at_a_time_has_the_value),
		TEST(a_poisoned_value_is_reached_and_mended),
		TEST(unlock_without_its_pointer_aborts),
	};
	return RUN(tests);
}
