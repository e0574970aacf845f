/*
 * ipc/test_shared_locked_death.c - promises of csys/ipc/shared_locked.h about other holders.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "support/region.h"
#include "support/thread.h"
#include "sync/ledger.h"

struct pair {
	int64_t one, other;
};

CSYS_SHARED_MUTEX_DEFINE(counter, int64_t);
CSYS_SHARED_RWLOCK_DEFINE(limits, struct pair);

struct objects {
	counter hits;
	limits bounds;
};
#define HITS (&((struct objects *)OBJECTS)->hits)
#define BOUNDS (&((struct objects *)OBJECTS)->bounds)

static void assert_free(void)
{
	assert_false(csys_shared_mutex_is_locked(region, counter_mutex(HITS)));
	assert_false(csys_shared_rwlock_is_locked(region, limits_rwlock(BOUNDS)));
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- a holder that unlocks -------------------------------------------------------------- */

#define WAITED 0x80000000u

/* Hold each until another process waits for it. */
static void hold_for_a_while(void)
{
	int64_t *value = NULL;
	struct pair *both = NULL;
	if (counter_lock(region, HITS, &value) != 0 || limits_write(region, BOUNDS, &both) != 0)
		_exit(1);
	reach_step(1);
	while (!(csysi_load_relaxed(&HITS->mutex.word) & WAITED))
		csysi_os_nap(csys_after_us(100));
	counter_unlock(region, HITS, &value);
	while (!(csysi_load_relaxed(&BOUNDS->rwlock.word) & WAITED))
		csysi_os_nap(csys_after_us(100));
	limits_unlock_write(region, BOUNDS, &both);
	if (limits_write(region, BOUNDS, &both) != 0)
		_exit(2);
	reach_step(2);
	while (!(csysi_load_relaxed(&BOUNDS->rwlock.word) & WAITED))
		csysi_os_nap(csys_after_us(100));
	limits_unlock_write(region, BOUNDS, &both);
}

static void wait_for_values(void)
{
	int64_t *value = NULL;
	const struct pair *read = NULL;
	struct pair *written = NULL;
	pid_t pid = forked(hold_for_a_while);
	await_step(1);
	assert_int_equal(counter_lock_until(region, HITS, csys_after_s(60), &value), 0);
	counter_unlock(region, HITS, &value);
	assert_int_equal(limits_read_until(region, BOUNDS, csys_after_s(60), &read), 0);
	limits_unlock_read(region, BOUNDS, &read);
	await_step(2);
	assert_int_equal(limits_write_until(region, BOUNDS, csys_after_s(60), &written), 0);
	limits_unlock_write(region, BOUNDS, &written);
	assert_int_equal(code_of(pid), 0);
}

static void until_a_deadline_a_value_is_waited_for(void **state)
{
	(void)state;
	in_each_way(wait_for_values);
}

/* ---- a holder that ends ---------------------------------------------------------------- */

static void assert_poisoned_mutex(void)
{
	int64_t *value = NULL;
	assert_int_equal(counter_try_lock(region, HITS, &value), CSYS_POISONED);
	assert_int_equal(*value, 7);
	counter_unlock(region, HITS, &value);
	assert_int_equal(counter_lock_until(region, HITS, CSYS_POLL, &value), CSYS_POISONED);
	assert_int_equal(*value, 7);
	counter_unlock(region, HITS, &value);
	{
		CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
		assert_int_equal(now.result, CSYS_POISONED);
		assert_int_equal(*now.value, 7);
	}
	assert_int_equal(counter_lock(region, HITS, &value), CSYS_POISONED);
	assert_int_equal(*value, 7);
	csys_shared_mutex_clear_poison(counter_mutex(HITS));
	counter_unlock(region, HITS, &value);
	assert_int_equal(counter_lock(region, HITS, &value), 0);
	counter_unlock(region, HITS, &value);
	assert_free();
}

static void change_and_stay(void)
{
	int64_t *value;
	if (counter_lock(region, HITS, &value) == 0) {
		*value = 7;
		reach_step(1);
	}
	stay();
}

static void kill_the_holder(void)
{
	int64_t *value = NULL;
	pid_t pid = forked(change_and_stay);
	await_step(1);
	assert_int_equal(counter_try_lock(region, HITS, &value), CSYS_EAGAIN);
	assert_null(value);
	kill_it(pid);
	assert_poisoned_mutex();
}

static void the_next_is_told_of_a_killed_holder_and_has_its_value(void **state)
{
	(void)state;
	in_each_way(kill_the_holder);
}

static void *change_and_end(void *unused)
{
	int64_t *value;
	(void)unused;
	CHECK(counter_lock(region, HITS, &value) == 0);
	*value = 7;
	return NULL;
}

static void end_the_holder(void)
{
	run_threads(1, change_and_end, NULL);
	assert_poisoned_mutex();
}

static void the_next_is_told_of_a_thread_that_ended(void **state)
{
	(void)state;
	in_each_way(end_the_holder);
}

static void panic_inside(void *unused)
{
	int64_t *value;
	(void)unused;
	assert_int_equal(counter_lock(region, HITS, &value), 0);
	*value = 7;
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	assert_int_equal(csys_panic_catch(panic_inside, NULL, NULL), CSYS_EPANICKED);
	assert_poisoned_mutex();
}

static void the_next_is_told_of_a_panic(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void write_and_stay(void)
{
	struct pair *value;
	if (limits_write(region, BOUNDS, &value) == 0) {
		value->one = 7;
		reach_step(1);
	}
	stay();
}

static void read_and_stay(void)
{
	const struct pair *value;
	if (limits_read(region, BOUNDS, &value) == 0)
		reach_step(2);
	stay();
}

static void kill_readers_and_writers(void)
{
	const struct pair *read = NULL;
	struct pair *written = NULL;
	pid_t reader = forked(read_and_stay);
	await_step(2);
	assert_int_equal(limits_try_write(region, BOUNDS, &written), CSYS_EAGAIN);
	kill_it(reader);
	assert_int_equal(limits_try_write(region, BOUNDS, &written), 0);
	limits_unlock_write(region, BOUNDS, &written);

	pid_t writer = forked(write_and_stay);
	await_step(1);
	kill_it(writer);
	assert_int_equal(limits_try_read(region, BOUNDS, &read), CSYS_POISONED);
	assert_int_equal(read->one, 7);
	limits_unlock_read(region, BOUNDS, &read);
	assert_int_equal(limits_read_until(region, BOUNDS, CSYS_POLL, &read), CSYS_POISONED);
	limits_unlock_read(region, BOUNDS, &read);
	assert_int_equal(limits_read(region, BOUNDS, &read), CSYS_POISONED);
	limits_unlock_read(region, BOUNDS, &read);
	assert_int_equal(limits_try_write(region, BOUNDS, &written), CSYS_POISONED);
	limits_unlock_write(region, BOUNDS, &written);
	assert_int_equal(limits_write_until(region, BOUNDS, CSYS_POLL, &written), CSYS_POISONED);
	limits_unlock_write(region, BOUNDS, &written);
	{
		CSYS_SHARED_LOCKED_GUARD(now, limits, read, region, BOUNDS);
		assert_int_equal(now.result, CSYS_POISONED);
		assert_int_equal(now.value->one, 7);
	}
	assert_int_equal(limits_write(region, BOUNDS, &written), CSYS_POISONED);
	csys_shared_rwlock_clear_poison(limits_rwlock(BOUNDS));
	limits_unlock_write(region, BOUNDS, &written);
	assert_int_equal(limits_write(region, BOUNDS, &written), 0);
	limits_unlock_write(region, BOUNDS, &written);
	assert_free();
}

static void a_killed_writer_poisons_a_value_and_a_killed_reader_does_not(void **state)
{
	(void)state;
	in_each_way(kill_readers_and_writers);
}

/* ---- whole values ------------------------------------------------------------------------- */

static void exchange_poisoned_values(void)
{
	int64_t number = 0;
	struct pair both = { 0, 0 };
	pid_t pid = forked(change_and_stay);
	await_step(1);
	kill_it(pid);
	assert_int_equal(counter_get(region, HITS, &number), CSYS_POISONED);
	assert_int_equal(number, 7);
	assert_int_equal(counter_set(region, HITS, 8), CSYS_POISONED);
	assert_int_equal(counter_replace(region, HITS, 9, &number), CSYS_POISONED);
	assert_int_equal(number, 8);
	assert_int_equal(counter_into_inner(region, HITS, &number), CSYS_POISONED);
	assert_int_equal(number, 9);
	assert_int_equal(counter_set(region, HITS, 0), 0);
	/* Also if nobody has locked it since. */
	STEPS->step = 0;
	pid = forked(change_and_stay);
	await_step(1);
	kill_it(pid);
	assert_int_equal(counter_into_inner(region, HITS, &number), CSYS_POISONED);
	assert_int_equal(number, 7);
	assert_int_equal(counter_get(region, HITS, &number), 0);
	assert_int_equal(number, 0);
	STEPS->step = 0;
	pid = forked(write_and_stay);
	await_step(1);
	kill_it(pid);
	assert_int_equal(limits_into_inner(region, BOUNDS, &both), CSYS_POISONED);
	assert_int_equal(both.one, 7);
	assert_int_equal(limits_get(region, BOUNDS, &both), 0);
	assert_int_equal(both.one, 0);
	assert_free();
}

static void poison_is_told_by_each_and_stays_until_the_value_is_taken_out(void **state)
{
	(void)state;
	in_each_way(exchange_poisoned_values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(until_a_deadline_a_value_is_waited_for),
		NAMES_TEST(the_next_is_told_of_a_killed_holder_and_has_its_value),
		NAMES_TEST(the_next_is_told_of_a_thread_that_ended),
		NAMES_TEST(the_next_is_told_of_a_panic),
		NAMES_TEST(a_killed_writer_poisons_a_value_and_a_killed_reader_does_not),
		NAMES_TEST(poison_is_told_by_each_and_stays_until_the_value_is_taken_out),
	};
	return RUN(tests);
}
