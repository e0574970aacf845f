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

/* ---- values of rwlocks -------------------------------------------------------------------- */

CSYS_RWLOCK_DEFINE(limits, struct pair);

static limits bounds = CSYS_RWLOCK_INIT_WITH({ 1, 2 });

static void readers_share_a_value_and_a_writer_has_it_alone(void **state)
{
	(void)state;
	const struct pair *read = NULL, *also = NULL;
	struct pair *written = NULL;
	assert_int_equal(limits_read(&bounds, &read), 0);
	assert_int_equal(limits_try_read(&bounds, &also), 0);
	assert_int_equal(limits_try_write(&bounds, &written), CSYS_EAGAIN);
	assert_null(written);
	assert_int_equal(read->one + 10 * also->other, 21);
	limits_unlock_read(&bounds, &also);
	limits_unlock_read(&bounds, &read);
	assert_null(read);
	assert_int_equal(limits_write_until(&bounds, CSYS_POLL, &written), 0);
	written->one = 3;
	assert_int_equal(limits_try_read(&bounds, &read), CSYS_EAGAIN);
	assert_null(read);
	limits_downgrade(&bounds, &written, &read);
	assert_null(written);
	assert_int_equal(read->one, 3);
	limits_unlock_read(&bounds, &read);
	assert_int_equal(limits_write(&bounds, &written), 0);
	written->one = 1;
	limits_unlock_write(&bounds, &written);
	assert_int_equal(limits_read_until(&bounds, CSYS_POLL, &read), 0);
	assert_int_equal(read->one, 1);
	limits_unlock_read(&bounds, &read);
}

static void an_upgrade_exchanges_the_pointer(void **state)
{
	(void)state;
	const struct pair *read, *other, *look = NULL;
	struct pair *change = NULL;
	assert_int_equal(limits_upgradable_read(&bounds, &look), 0);
	assert_int_equal(limits_try_upgradable_read(&bounds, &other), CSYS_EAGAIN);
	assert_int_equal(limits_upgradable_read_until(&bounds, CSYS_POLL, &other), CSYS_ETIMEDOUT);
	assert_int_equal(limits_read(&bounds, &read), 0);
	assert_int_equal(limits_upgrade_until(&bounds, csys_after_ms(1), &look, &change),
			 CSYS_ETIMEDOUT);
	assert_non_null(look);
	assert_null(change);
	limits_unlock_read(&bounds, &read);
	assert_int_equal(limits_upgrade(&bounds, &look, &change), 0);
	assert_null(look);
	csys_rwlock_assert_write(limits_rwlock(&bounds));
	limits_unlock_write(&bounds, &change);
	assert_int_equal(limits_upgradable_read(&bounds, &look), 0);
	limits_unlock_upgradable(&bounds, &look);
	assert_null(look);
	assert_int_equal(csys_rwlock_is_locked(limits_rwlock(&bounds)), 0);
}

/* ---- what a value owns --------------------------------------------------------------------- */

static int drops, last_dropped;

static void drop_number(int *number)
{
	drops++;
	last_dropped = *number;
}

CSYS_MUTEX_DEFINE_WITH_DROP(owned, int, drop_number);
CSYS_RWLOCK_DEFINE_WITH_DROP(shared_owned, int, drop_number);

static void a_value_can_be_taken_and_replaced(void **state)
{
	(void)state;
	counter one;
	int64_t number = 0;
	struct pair pair;
	memset(&one, 0xa5, sizeof one);
	counter_init(&one, 5);
	assert_int_equal(counter_get(&one, &number), 0);
	assert_int_equal(number, 5);
	assert_int_equal(counter_set(&one, 6), 0);
	assert_int_equal(counter_replace(&one, 7, &number), 0);
	assert_int_equal(number, 6);
	assert_int_equal(counter_into_inner(&one, &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(counter_get(&one, &number), 0);
	assert_int_equal(number, 0);
	limits two = CSYS_RWLOCK_INIT_WITH({ 1, 2 });
	assert_int_equal(limits_replace(&two, (struct pair){ 3, 4 }, &pair), 0);
	assert_int_equal(pair.one, 1);
	assert_int_equal(limits_get(&two, &pair), 0);
	assert_int_equal(pair.other, 4);
	limits_init(&two, pair);
	assert_int_equal(limits_set(&two, (struct pair){ 5, 6 }), 0);
	assert_int_equal(limits_into_inner(&two, &pair), 0);
	assert_int_equal(pair.one + 10 * pair.other, 65);
}

static void poison_is_told_by_each_and_stays_until_the_value_is_taken_out(void **state)
{
	(void)state;
	counter dead = CSYS_MUTEX_INIT_WITH(7);
	int64_t number;
	run_threads(1, die_inside, &dead);
	assert_int_equal(counter_get(&dead, &number), CSYS_POISONED);
	assert_int_equal(counter_set(&dead, 8), CSYS_POISONED);
	assert_int_equal(counter_replace(&dead, 9, &number), CSYS_POISONED);
	assert_int_equal(number, 8);
	assert_int_equal(counter_into_inner(&dead, &number), CSYS_POISONED);
	assert_int_equal(number, 9);
	assert_int_equal(counter_set(&dead, 1), 0);
}

static void what_is_replaced_is_dropped_and_what_is_taken_is_not(void **state)
{
	(void)state;
	int taken;
	owned one = CSYS_MUTEX_INIT_WITH(1);
	drops = 0;
	assert_int_equal(owned_set(&one, 2), 0);
	assert_int_equal(drops, 1);
	assert_int_equal(last_dropped, 1);
	assert_int_equal(owned_replace(&one, 3, &taken), 0);
	assert_int_equal(taken, 2);
	assert_int_equal(drops, 1);
	owned_drop(&one);
	assert_int_equal(drops, 2);
	assert_int_equal(last_dropped, 3);
	shared_owned two = CSYS_RWLOCK_INIT_WITH(4);
	assert_int_equal(shared_owned_set(&two, 5), 0);
	assert_int_equal(drops, 3);
	assert_int_equal(shared_owned_into_inner(&two, &taken), 0);
	assert_int_equal(taken, 5);
	assert_int_equal(drops, 3);
	shared_owned_drop(&two); /* a zeroed value is one too */
	assert_int_equal(drops, 4);
	assert_int_equal(last_dropped, 0);
}

/* ---- guards -------------------------------------------------------------------------------- */

static int64_t add_by_guard(counter *of, int64_t n)
{
	CSYS_LOCKED_GUARD(now, counter, lock, of);
	assert_int_equal(now.result, 0);
	if (n == 0)
		return -1;
	*now.value += n;
	return *now.value;
}

static void a_guard_has_the_value_to_the_end_of_its_block(void **state)
{
	(void)state;
	counter one = CSYS_MUTEX_INIT_WITH(1);
	assert_int_equal(add_by_guard(&one, 2), 3);
	assert_int_equal(add_by_guard(&one, 0), -1);
	assert_int_equal(csys_mutex_is_locked(counter_mutex(&one)), 0);
	{
		CSYS_LOCKED_GUARD(read, limits, read, &bounds);
		CSYS_LOCKED_GUARD(look, limits, upgradable_read, &bounds);
		CSYS_LOCKED_TRY_GUARD(none, limits, write, &bounds);
		assert_ptr_equal(read.value, look.value);
		assert_int_equal(none.result, CSYS_EAGAIN);
		assert_null(none.value);
	}
	{
		CSYS_LOCKED_GUARD_UNTIL(write, limits, write, &bounds, csys_after_ms(1));
		CSYS_LOCKED_GUARD_UNTIL(none, limits, read, &bounds, csys_after_ms(1));
		assert_int_equal(write.result, 0);
		assert_int_equal(none.result, CSYS_ETIMEDOUT);
		assert_null(none.value);
	}
	assert_int_equal(csys_rwlock_is_locked(limits_rwlock(&bounds)), 0);
}

static void a_guard_can_give_the_value_back_early_and_lock_it_again(void **state)
{
	(void)state;
	counter one = CSYS_MUTEX_INIT_WITH(1);
	{
		CSYS_LOCKED_GUARD(now, counter, lock, &one);
		CSYS_LOCKED_GUARD_UNLOCK(now, counter, lock);
		assert_null(now.value);
		assert_int_equal(add_by_guard(&one, 1), 2);
		assert_int_equal(CSYS_LOCKED_GUARD_RELOCK(now, counter, lock), 0);
		assert_int_equal(*now.value, 2);
	}
	assert_int_equal(csys_mutex_is_locked(counter_mutex(&one)), 0);
	{
		/* An upgrade takes it from the guard. */
		struct pair *change;
		CSYS_LOCKED_GUARD(look, limits, upgradable_read, &bounds);
		limits_upgrade(&bounds, &look.value, &change);
		limits_unlock_write(&bounds, &change);
	}
	assert_int_equal(csys_rwlock_is_locked(limits_rwlock(&bounds)), 0);
}

static void unlock_a_guard_twice(void)
{
	CSYS_LOCKED_GUARD(now, counter, lock, &hits);
	CSYS_LOCKED_GUARD_UNLOCK(now, counter, lock);
	CSYS_LOCKED_GUARD_UNLOCK(now, counter, lock);
}

static void lock_a_guard_twice(void)
{
	CSYS_LOCKED_GUARD(now, counter, lock, &hits);
	(void)CSYS_LOCKED_GUARD_RELOCK(now, counter, lock);
}

static void take_out_what_is_held(void)
{
	int64_t *value, taken;
	counter_lock(&hits, &value);
	(void)counter_into_inner(&hits, &taken);
}

static void unlock_with_a_strange_pair(void)
{
	struct pair strange;
	const struct pair *value = &strange;
	limits_unlock_read(&bounds, &value);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(unlock_a_guard_twice, "csys: unlock of a guard that holds nothing\n");
	assert_aborts(lock_a_guard_twice, "csys: a guard is locked again that holds its lock\n");
	assert_aborts(take_out_what_is_held,
		      "csys: the value of a lock that is held is taken out\n");
	assert_aborts(unlock_with_a_strange_pair,
		      "csys: unlock of a value that is not of this rwlock\n");
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
		TEST(readers_share_a_value_and_a_writer_has_it_alone),
		TEST(an_upgrade_exchanges_the_pointer),
		TEST(a_value_can_be_taken_and_replaced),
		TEST(poison_is_told_by_each_and_stays_until_the_value_is_taken_out),
		TEST(what_is_replaced_is_dropped_and_what_is_taken_is_not),
		TEST(a_guard_has_the_value_to_the_end_of_its_block),
		TEST(a_guard_can_give_the_value_back_early_and_lock_it_again),
		TEST(misuse_aborts_with_a_line),
	};
	return RUN(tests);
}
