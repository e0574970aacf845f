/*
 * sync/test_locked.c - promises of csys/sync/locked.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

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
		TEST(a_value_is_there_while_it_is_locked),
		TEST(it_can_begin_with_a_value),
		TEST(a_failed_lock_leaves_the_pointer_untouched),
		TEST(one_thread_at_a_time_has_the_value),
		TEST(a_poisoned_value_is_reached_and_mended),
		TEST(unlock_without_its_pointer_aborts),
	};
	return RUN(tests);
}
