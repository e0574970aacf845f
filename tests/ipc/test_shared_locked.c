/*
 * ipc/test_shared_locked.c - promises of csys/ipc/shared_locked.h.
 */
#define _XOPEN_SOURCE 700
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "support/region.h"
#include "support/thread.h"
#include "sync/ledger.h"

struct pair {
	int64_t one, other;
};

CSYS_SHARED_MUTEX_DEFINE(counter, int64_t);
CSYS_SHARED_RWLOCK_DEFINE(limits, struct pair);
CSYS_SHARED_MUTEX_DEFINE(flag, char);

struct line {
	_Alignas(64) int64_t first;
};
CSYS_SHARED_MUTEX_DEFINE(lines, struct line);

/* Long enough to be seen half copied. */
struct block {
	int64_t of[400];
};
CSYS_SHARED_RWLOCK_DEFINE(blocks, struct block);

/* The same for every compiler, and in 32 bits as in 64. */
_Static_assert(offsetof(counter, value) == 8 && sizeof(counter) == 16, "a mutex and a value");
_Static_assert(offsetof(flag, value) == 8 && sizeof(flag) == 16, "a mutex and a small value");
_Static_assert(offsetof(limits, value) == 24 && sizeof(limits) == 40, "a rwlock and a value");
_Static_assert(offsetof(lines, value) == 64, "on the boundary of the value if that is more");
_Static_assert(_Alignof(counter) == 8 && _Alignof(flag) == 8 && _Alignof(limits) == 8,
	       "on a boundary of 8");

struct objects {
	counter hits;
	limits bounds;
	blocks block;
};
#define HITS (&((struct objects *)OBJECTS)->hits)
#define BOUNDS (&((struct objects *)OBJECTS)->bounds)
#define BLOCK (&((struct objects *)OBJECTS)->block)

static void assert_free(void)
{
	assert_false(csys_shared_mutex_is_locked(region, counter_mutex(HITS)));
	assert_false(csys_shared_rwlock_is_locked(region, limits_rwlock(BOUNDS)));
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- values of mutexes ---------------------------------------------------------------- */

static void lock_the_value(void)
{
	int64_t *value = NULL;
	assert_int_equal(counter_lock(region, HITS, &value), 0);
	assert_int_equal(*value, 0);
	*value = 5;
	csys_shared_mutex_assert_held(region, counter_mutex(HITS));
	counter_unlock(region, HITS, &value);
	assert_null(value);
	assert_int_equal(counter_try_lock(region, HITS, &value), 0);
	assert_int_equal(*value, 5);
	csys_shared_mutex_assert_held(region, counter_mutex(HITS));
	counter_unlock(region, HITS, &value);
	assert_null(value);
	assert_int_equal(counter_lock_until(region, HITS, CSYS_POLL, &value), 0);
	assert_int_equal(*value, 5);
	csys_shared_mutex_assert_held(region, counter_mutex(HITS));
	counter_unlock(region, HITS, &value);
	assert_null(value);
	assert_free();
}

static void a_value_is_there_while_it_is_locked(void **state)
{
	(void)state;
	in_each_way(lock_the_value);
}

static void lock_in_vain(void)
{
	int64_t *value, mine = 0, *none = &mine;
	assert_int_equal(counter_lock(region, HITS, &value), 0);
	assert_int_equal(counter_try_lock(region, HITS, &none), CSYS_EAGAIN);
	assert_ptr_equal(none, &mine);
	assert_int_equal(counter_lock_until(region, HITS, csys_after_ms(1), &none), CSYS_ETIMEDOUT);
	assert_ptr_equal(none, &mine);
	counter_unlock(region, HITS, &value);
	assert_free();
}

static void a_try_that_fails_leaves_the_pointer_untouched(void **state)
{
	(void)state;
	in_each_way(lock_in_vain);
}

static void hold_and_stay(void)
{
	int64_t *value;
	if (counter_lock(region, HITS, &value) >= 0)
		reach_step(1);
	stay();
}

static void use_a_full_region(void)
{
	int64_t mine = 3, *value = &mine;
	const struct pair *read = &(const struct pair){ 0, 0 };
	struct pair both = { 1, 2 }, *written = &both;
	pid_t pid = forked(hold_and_stay);
	await_step(1);
	assert_int_equal(counter_try_lock(region, HITS, &value), CSYS_ENOSPC);
	assert_int_equal(counter_lock_until(region, HITS, CSYS_POLL, &value), CSYS_ENOSPC);
	assert_ptr_equal(value, &mine);
	assert_int_equal(counter_lock(region, HITS, &value), CSYS_ENOSPC);
	assert_null(value);
	assert_int_equal(counter_get(region, HITS, &mine), CSYS_ENOSPC);
	assert_int_equal(counter_set(region, HITS, 4), CSYS_ENOSPC);
	assert_int_equal(counter_replace(region, HITS, 4, &mine), CSYS_ENOSPC);
	assert_int_equal(limits_read(region, BOUNDS, &read), CSYS_ENOSPC);
	assert_null(read);
	assert_int_equal(limits_write(region, BOUNDS, &written), CSYS_ENOSPC);
	assert_null(written);
	assert_int_equal(limits_get(region, BOUNDS, &both), CSYS_ENOSPC);
	assert_int_equal(limits_into_inner(region, BOUNDS, &both), CSYS_ENOSPC);
	assert_int_equal(mine, 3);
	assert_int_equal(both.one + 10 * both.other, 21);
	{
		CSYS_SHARED_LOCKED_GUARD(now, limits, write, region, BOUNDS);
		assert_int_equal(now.result, CSYS_ENOSPC);
		assert_null(now.value);
		assert_int_equal(CSYS_SHARED_LOCKED_GUARD_RELOCK(now, limits, write), CSYS_ENOSPC);
		assert_null(now.value);
	}
	assert_int_equal(csysi_ledger_depth(), 0);
	kill_it(pid);
	assert_int_equal(counter_get(region, HITS, &mine), CSYS_POISONED);
	assert_int_equal(mine, 0);
}

static void without_room_for_a_member_no_value_is_reached(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, use_a_full_region);
}

static void add(void)
{
	for (int i = 0; i < 1000; i++) {
		int64_t *value;
		struct pair *both;
		if (counter_lock(region, HITS, &value) != 0)
			_exit(1);
		++*value;
		counter_unlock(region, HITS, &value);
		if (limits_write(region, BOUNDS, &both) != 0)
			_exit(2);
		both->one++;
		both->other++;
		limits_unlock_write(region, BOUNDS, &both);
	}
}

static void count_together(void)
{
	enum { PROCESSES = 4 };
	pid_t pids[PROCESSES];
	int64_t number;
	struct pair both;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(add);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(counter_get(region, HITS, &number), 0);
	assert_int_equal(number, PROCESSES * 1000);
	assert_int_equal(limits_get(region, BOUNDS, &both), 0);
	assert_int_equal(both.one, PROCESSES * 1000);
	assert_int_equal(both.other, PROCESSES * 1000);
}

static void one_thread_of_all_processes_at_a_time_has_the_value(void **state)
{
	(void)state;
	in_each_way(count_together);
}

/* ---- values of rwlocks -------------------------------------------------------------------- */

static void read_and_write(void)
{
	const struct pair *read = NULL, *also = NULL;
	struct pair *written = NULL;
	assert_int_equal(limits_read(region, BOUNDS, &read), 0);
	assert_int_equal(limits_try_read(region, BOUNDS, &also), 0);
	csys_shared_rwlock_assert_read(region, limits_rwlock(BOUNDS));
	assert_int_equal(limits_try_write(region, BOUNDS, &written), CSYS_EAGAIN);
	assert_null(written);
	assert_int_equal(read->one + 10 * also->other, 0);
	limits_unlock_read(region, BOUNDS, &also);
	assert_null(also);
	assert_int_equal(limits_write_until(region, BOUNDS, CSYS_POLL, &written), CSYS_ETIMEDOUT);
	assert_null(written);
	limits_unlock_read(region, BOUNDS, &read);
	assert_null(read);
	assert_free();
	assert_int_equal(limits_write_until(region, BOUNDS, CSYS_POLL, &written), 0);
	csys_shared_rwlock_assert_write(region, limits_rwlock(BOUNDS));
	written->one = 3;
	assert_int_equal(limits_try_read(region, BOUNDS, &read), CSYS_EAGAIN);
	assert_int_equal(limits_read_until(region, BOUNDS, csys_after_ms(1), &read),
			 CSYS_ETIMEDOUT);
	assert_null(read);
	limits_downgrade(region, BOUNDS, &written, &read);
	assert_null(written);
	csys_shared_rwlock_assert_read(region, limits_rwlock(BOUNDS));
	assert_false(csys_shared_rwlock_is_write_locked(region, limits_rwlock(BOUNDS)));
	assert_int_equal(read->one, 3);
	limits_unlock_read(region, BOUNDS, &read);
	assert_free();
	assert_int_equal(limits_write(region, BOUNDS, &written), 0);
	csys_shared_rwlock_assert_write(region, limits_rwlock(BOUNDS));
	written->one = 1;
	limits_unlock_write(region, BOUNDS, &written);
	assert_null(written);
	assert_int_equal(limits_try_write(region, BOUNDS, &written), 0);
	csys_shared_rwlock_assert_write(region, limits_rwlock(BOUNDS));
	limits_unlock_write(region, BOUNDS, &written);
	assert_int_equal(limits_read_until(region, BOUNDS, CSYS_POLL, &read), 0);
	assert_int_equal(read->one, 1);
	limits_unlock_read(region, BOUNDS, &read);
	assert_free();
}

static void readers_share_a_value_and_a_writer_has_it_alone(void **state)
{
	(void)state;
	in_each_way(read_and_write);
}

/* ---- whole values ------------------------------------------------------------------------- */

static int is_whole(const struct block *block)
{
	for (size_t i = 1; i < sizeof block->of / sizeof *block->of; i++)
		if (block->of[i] != block->of[0])
			return 0;
	return 1;
}

static void exchange_blocks(void)
{
	struct block mine, out;
	for (size_t i = 0; i < sizeof mine.of / sizeof *mine.of; i++)
		mine.of[i] = getpid();
	for (int i = 0; i < 10000; i++) {
		if (blocks_replace(region, BLOCK, mine, &out) != 0 || !is_whole(&out))
			_exit(1);
		if (blocks_set(region, BLOCK, mine) != 0)
			_exit(2);
		if (blocks_get(region, BLOCK, &out) != 0 || !is_whole(&out))
			_exit(3);
	}
}

static void exchange_together(void)
{
	enum { PROCESSES = 4 };
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(exchange_blocks);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
}

static void values_go_in_and_come_out_whole(void **state)
{
	(void)state;
	in_each_way(exchange_together);
}

static void exchange_values(void)
{
	int64_t number = 0;
	struct pair pair = { 0, 0 };
	memset(HITS, 0xa5, sizeof *HITS);
	memset(BOUNDS, 0xa5, sizeof *BOUNDS);
	counter_init(HITS, 5);
	limits_init(BOUNDS, (struct pair){ 1, 2 });
	assert_int_equal(counter_get(region, HITS, &number), 0);
	assert_int_equal(number, 5);
	assert_int_equal(counter_set(region, HITS, 6), 0);
	assert_free();
	assert_int_equal(counter_replace(region, HITS, 7, &number), 0);
	assert_int_equal(number, 6);
	assert_free();
	assert_int_equal(counter_into_inner(region, HITS, &number), 0);
	assert_int_equal(number, 7);
	assert_free();
	assert_int_equal(counter_get(region, HITS, &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(limits_replace(region, BOUNDS, (struct pair){ 3, 4 }, &pair), 0);
	assert_int_equal(pair.one + 10 * pair.other, 21);
	assert_int_equal(limits_get(region, BOUNDS, &pair), 0);
	assert_int_equal(pair.one + 10 * pair.other, 43);
	assert_int_equal(limits_set(region, BOUNDS, (struct pair){ 5, 6 }), 0);
	assert_int_equal(limits_into_inner(region, BOUNDS, &pair), 0);
	assert_int_equal(pair.one + 10 * pair.other, 65);
	assert_int_equal(limits_get(region, BOUNDS, &pair), 0);
	assert_int_equal(pair.one + 10 * pair.other, 0);
	assert_free();
}

static void a_value_can_be_taken_and_replaced(void **state)
{
	(void)state;
	in_each_way(exchange_values);
}

/* ---- guards -------------------------------------------------------------------------------- */

static int64_t add_by_guard(int64_t n)
{
	CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
	assert_int_equal(now.result, 0);
	csys_shared_mutex_assert_held(region, counter_mutex(HITS));
	if (n == 0)
		return -1;
	*now.value += n;
	return *now.value;
}

static void guard_values(void)
{
	assert_int_equal(add_by_guard(3), 3);
	assert_int_equal(add_by_guard(0), -1);
	assert_free();
	{
		CSYS_SHARED_LOCKED_GUARD(read, limits, read, region, BOUNDS);
		CSYS_SHARED_LOCKED_TRY_GUARD(also, limits, read, region, BOUNDS);
		CSYS_SHARED_LOCKED_TRY_GUARD(none, limits, write, region, BOUNDS);
		assert_int_equal(read.result | also.result, 0);
		assert_ptr_equal(read.value, also.value);
		assert_int_equal(none.result, CSYS_EAGAIN);
		assert_null(none.value);
	}
	assert_free();
	{
		CSYS_SHARED_LOCKED_GUARD_UNTIL(write, limits, write, region, BOUNDS,
					       csys_after_ms(1));
		CSYS_SHARED_LOCKED_GUARD_UNTIL(none, limits, read, region, BOUNDS,
					       csys_after_ms(1));
		assert_int_equal(write.result, 0);
		csys_shared_rwlock_assert_write(region, limits_rwlock(BOUNDS));
		assert_int_equal(none.result, CSYS_ETIMEDOUT);
		assert_null(none.value);
	}
	assert_free();
	{
		/* A downgrade takes it from the guard. */
		const struct pair *look;
		CSYS_SHARED_LOCKED_GUARD(change, limits, write, region, BOUNDS);
		limits_downgrade(region, BOUNDS, &change.value, &look);
		limits_unlock_read(region, BOUNDS, &look);
	}
	assert_free();
}

static void a_guard_has_the_value_to_the_end_of_its_block(void **state)
{
	(void)state;
	in_each_way(guard_values);
}

static void give_back_early(void)
{
	{
		CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
		CSYS_SHARED_LOCKED_GUARD_UNLOCK(now, counter, lock);
		assert_null(now.value);
		assert_int_equal(add_by_guard(2), 2);
		assert_int_equal(CSYS_SHARED_LOCKED_GUARD_RELOCK(now, counter, lock), 0);
		assert_int_equal(*now.value, 2);
		csys_shared_mutex_assert_held(region, counter_mutex(HITS));
	}
	assert_free();
}

static void a_guard_can_give_the_value_back_early_and_lock_it_again(void **state)
{
	(void)state;
	in_each_way(give_back_early);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void unlock_twice(void)
{
	int64_t *value;
	counter_lock(region, HITS, &value);
	counter_unlock(region, HITS, &value);
	counter_unlock(region, HITS, &value);
}

static void unlock_with_a_strange_value(void)
{
	int64_t *value, strange, *other = &strange;
	counter_lock(region, HITS, &value);
	counter_unlock(region, HITS, &other);
}

static void unlock_with_a_strange_pair(void)
{
	struct pair strange;
	const struct pair *value = &strange;
	limits_unlock_read(region, BOUNDS, &value);
}

static void downgrade_with_a_strange_pair(void)
{
	struct pair strange, *value = &strange;
	const struct pair *look;
	limits_downgrade(region, BOUNDS, &value, &look);
}

static void unlock_a_guard_twice(void)
{
	CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
	CSYS_SHARED_LOCKED_GUARD_UNLOCK(now, counter, lock);
	CSYS_SHARED_LOCKED_GUARD_UNLOCK(now, counter, lock);
}

static void lock_a_guard_twice(void)
{
	CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
	(void)CSYS_SHARED_LOCKED_GUARD_RELOCK(now, counter, lock);
}

static void take_out_what_is_held(void)
{
	int64_t *value, taken;
	counter_lock(region, HITS, &value);
	(void)!counter_into_inner(region, HITS, &taken);
}

static void take_out_what_is_read(void)
{
	const struct pair *value;
	struct pair taken;
	limits_read(region, BOUNDS, &value);
	(void)!limits_into_inner(region, BOUNDS, &taken);
}

static int64_t *value_of_parent;

static void unlock_what_the_parent_holds(void)
{
	counter_unlock(region, HITS, &value_of_parent);
}

static void misuse(void)
{
	static const char not_this_rwlock[] =
		"csys: unlock of a value that is not of this shared rwlock\n";
	assert_aborts(unlock_twice, "csys: unlock of a value that is not of this shared mutex\n");
	assert_aborts(unlock_with_a_strange_value,
		      "csys: unlock of a value that is not of this shared mutex\n");
	assert_aborts(unlock_with_a_strange_pair, not_this_rwlock);
	assert_aborts(downgrade_with_a_strange_pair, not_this_rwlock);
	assert_aborts(unlock_a_guard_twice, "csys: unlock of a guard that holds nothing\n");
	assert_aborts(lock_a_guard_twice, "csys: a guard is locked again that holds its lock\n");
	assert_aborts(take_out_what_is_held,
		      "csys: the value of a lock that is held is taken out\n");
	assert_aborts(take_out_what_is_read,
		      "csys: the value of a lock that is held is taken out\n");
	memset(OBJECTS, 0, sizeof(struct objects)); /* the children have died with them */
	assert_int_equal(counter_lock(region, HITS, &value_of_parent), 0);
	assert_aborts(unlock_what_the_parent_holds,
		      "csys: unlock of a shared mutex that this thread does not hold\n");
	counter_unlock(region, HITS, &value_of_parent);
	assert_free();
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	in_each_way(misuse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_value_is_there_while_it_is_locked),
		NAMES_TEST(a_try_that_fails_leaves_the_pointer_untouched),
		NAMES_TEST(without_room_for_a_member_no_value_is_reached),
		NAMES_TEST(one_thread_of_all_processes_at_a_time_has_the_value),
		NAMES_TEST(readers_share_a_value_and_a_writer_has_it_alone),
		NAMES_TEST(a_value_can_be_taken_and_replaced),
		NAMES_TEST(values_go_in_and_come_out_whole),
		NAMES_TEST(a_guard_has_the_value_to_the_end_of_its_block),
		NAMES_TEST(a_guard_can_give_the_value_back_early_and_lock_it_again),
		NAMES_TEST(misuse_aborts_with_a_line),
	};
	return RUN(tests);
}
