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
	{
		CSYS_RWLOCK_READ_GUARD(read, &rwlock);
		assert_int_equal(read.result, 0);
	}
	/* What is locked with poison is held, and unlocked, by a guard of each form. */
	csys_mutex_poison(&mutex);
	{
		CSYS_MUTEX_TRY_GUARD(held, &mutex);
		assert_int_equal(held.result, CSYS_POISONED);
	}
	assert_true(is_free());
	{
		CSYS_MUTEX_GUARD_UNTIL(held, &mutex, CSYS_POLL);
		assert_int_equal(held.result, CSYS_POISONED);
		csys_mutex_clear_poison(&mutex);
	}
	assert_true(is_free());
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

static int write_is_free(void)
{
	int r = csys_rwlock_try_write(&rwlock);
	if (r >= 0)
		csys_rwlock_unlock_write(&rwlock);
	return r >= 0;
}

static void a_guard_that_tries_holds_what_it_got_and_nothing_else(void **state)
{
	(void)state;
	{
		CSYS_MUTEX_TRY_GUARD(held, &mutex);
		assert_int_equal(held.result, 0);
		CSYS_MUTEX_TRY_GUARD(not_held, &mutex);
		assert_int_equal(not_held.result, CSYS_EAGAIN);
		assert_false(is_free());
	}
	assert_true(is_free());
	{
		CSYS_RWLOCK_TRY_READ_GUARD(read, &rwlock);
		CSYS_RWLOCK_TRY_UPGRADABLE_GUARD(upgradable, &rwlock);
		CSYS_RWLOCK_TRY_WRITE_GUARD(written, &rwlock);
		assert_int_equal(read.result, 0);
		assert_int_equal(upgradable.result, 0);
		assert_int_equal(written.result, CSYS_EAGAIN);
	}
	assert_true(write_is_free());
	{
		CSYS_RWLOCK_TRY_WRITE_GUARD(written, &rwlock);
		CSYS_RWLOCK_TRY_UPGRADABLE_GUARD(upgradable, &rwlock);
		CSYS_RWLOCK_TRY_READ_GUARD(read, &rwlock);
		assert_int_equal(written.result, 0);
		assert_int_equal(read.result, CSYS_EAGAIN);
		assert_int_equal(upgradable.result, CSYS_EAGAIN);
	}
	assert_true(write_is_free());
}

static void *hold_none_by_a_deadline(void *argument)
{
	(void)argument;
	csys_deadline deadline = csys_after_ms(1);
	CSYS_MUTEX_GUARD_UNTIL(held, &mutex, deadline);
	assert_int_equal(held.result, CSYS_ETIMEDOUT);
	CSYS_RWLOCK_READ_GUARD_UNTIL(read, &rwlock, deadline);
	assert_int_equal(read.result, CSYS_ETIMEDOUT);
	CSYS_RWLOCK_WRITE_GUARD_UNTIL(written, &rwlock, deadline);
	assert_int_equal(written.result, CSYS_ETIMEDOUT);
	CSYS_RWLOCK_UPGRADABLE_GUARD_UNTIL(upgradable, &rwlock, CSYS_POLL);
	assert_int_equal(upgradable.result, CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	return NULL;
}

static void a_guard_with_a_deadline_holds_what_it_got_by_then(void **state)
{
	(void)state;
	{
		CSYS_MUTEX_GUARD_UNTIL(held, &mutex, CSYS_POLL);
		CSYS_RWLOCK_WRITE_GUARD_UNTIL(written, &rwlock, CSYS_FOREVER);
		assert_int_equal(held.result, 0);
		assert_int_equal(written.result, 0);
		run_threads(1, hold_none_by_a_deadline, NULL);
		csys_mutex_assert_held(&mutex);
		csys_rwlock_assert_write(&rwlock);
	}
	assert_true(is_free());
	assert_true(write_is_free());
	{
		CSYS_RWLOCK_READ_GUARD_UNTIL(read, &rwlock, CSYS_POLL);
		CSYS_RWLOCK_UPGRADABLE_GUARD_UNTIL(upgradable, &rwlock, CSYS_POLL);
		assert_int_equal(read.result, 0);
		assert_int_equal(upgradable.result, 0);
	}
	assert_true(write_is_free());
}

static csys_reentrant reentrant;

static void *try_reentrant(void *argument)
{
	CSYS_REENTRANT_TRY_GUARD(held, &reentrant);
	assert_int_equal(held.result, *(int *)argument);
	CSYS_REENTRANT_GUARD_UNTIL(late, &reentrant, csys_after_ms(1));
	assert_int_equal(late.result, *(int *)argument ? CSYS_ETIMEDOUT : 0);
	return NULL;
}

static void reentrant_guards_unlock_as_often_as_they_lock(void **state)
{
	(void)state;
	int expected = CSYS_EAGAIN;
	{
		CSYS_REENTRANT_GUARD(outer, &reentrant);
		{
			CSYS_REENTRANT_GUARD(inner, &reentrant);
			CSYS_REENTRANT_TRY_GUARD(tried, &reentrant);
			CSYS_REENTRANT_GUARD_UNTIL(timed, &reentrant, CSYS_POLL);
			assert_int_equal(outer.result | inner.result | tried.result | timed.result,
					 0);
			CSYS_GUARD_UNLOCK(tried);
			run_threads(1, try_reentrant, &expected);
		}
		run_threads(1, try_reentrant, &expected);
	}
	expected = 0;
	run_threads(1, try_reentrant, &expected);
}

static void an_upgradable_guard_unlocks_it_as_it_is_held(void **state)
{
	(void)state;
	for (int upgrades = 0; upgrades < 3; upgrades++) {
		CSYS_RWLOCK_UPGRADABLE_GUARD(held, &rwlock);
		assert_int_equal(held.result, 0);
		csys_rwlock_assert_upgradable(&rwlock);
		if (upgrades > 0)
			assert_int_equal(csys_rwlock_upgrade(&rwlock), 0);
		if (upgrades == 2)
			csys_rwlock_downgrade_to_upgradable(&rwlock);
	}
	assert_int_equal(csys_rwlock_is_locked(&rwlock), 0);
	{
		CSYS_RWLOCK_UPGRADABLE_GUARD(held, &rwlock);
		assert_int_equal(csys_rwlock_upgrade(&rwlock), 0);
		CSYS_GUARD_UNLOCK(held);
		assert_true(write_is_free());
		assert_int_equal(CSYS_GUARD_RELOCK(held), 0);
		csys_rwlock_assert_upgradable(&rwlock);
	}
	assert_true(write_is_free());
}

static void a_guard_can_be_unlocked_early_and_locked_again(void **state)
{
	(void)state;
	{
		CSYS_MUTEX_GUARD(held, &mutex);
		CSYS_GUARD_UNLOCK(held);
		assert_true(is_free());
		assert_int_equal(CSYS_GUARD_RELOCK(held), 0);
		assert_false(is_free());
		csys_mutex_poison(&mutex);
		CSYS_GUARD_UNLOCK(held);
		assert_int_equal(CSYS_GUARD_RELOCK(held), CSYS_POISONED);
		assert_int_equal(held.result, 0); /* as at first */
		csys_mutex_clear_poison(&mutex);
	}
	assert_true(is_free());
	{
		CSYS_MUTEX_GUARD(held, &mutex);
		CSYS_GUARD_UNLOCK(held);
		csys_mutex_lock(&mutex); /* not the guard's: the end of the block leaves it */
	}
	assert_false(is_free());
	csys_mutex_unlock(&mutex);
	{
		csys_mutex_lock(&mutex);
		CSYS_MUTEX_TRY_GUARD(held, &mutex);
		csys_mutex_unlock(&mutex);
		assert_int_equal(held.result, CSYS_EAGAIN);
		assert_int_equal(CSYS_GUARD_RELOCK(held), 0); /* waits, where it only tried */
		CSYS_RWLOCK_READ_GUARD(read, &rwlock);
		CSYS_GUARD_UNLOCK(read);
		CSYS_RWLOCK_WRITE_GUARD(written, &rwlock);
		CSYS_GUARD_UNLOCK(written);
		assert_int_equal(CSYS_GUARD_RELOCK(read), 0);
		csys_rwlock_assert_read(&rwlock);
		CSYS_GUARD_UNLOCK(read);
		assert_int_equal(CSYS_GUARD_RELOCK(written), 0);
		csys_rwlock_assert_write(&rwlock);
	}
	assert_true(is_free());
	assert_true(write_is_free());
}

static void unlock_a_guard_twice(void)
{
	csys_mutex one = CSYS_MUTEX_INIT_NO_POISON;
	CSYS_MUTEX_GUARD(held, &one);
	CSYS_GUARD_UNLOCK(held);
	CSYS_GUARD_UNLOCK(held);
}

static void lock_a_guard_twice(void)
{
	csys_mutex one = CSYS_MUTEX_INIT_NO_POISON;
	CSYS_MUTEX_GUARD(held, &one);
	(void)CSYS_GUARD_RELOCK(held);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(unlock_a_guard_twice, "csys: unlock of a guard that holds nothing\n");
	assert_aborts(lock_a_guard_twice, "csys: a guard is locked again that holds its lock\n");
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
		TEST(a_guard_that_tries_holds_what_it_got_and_nothing_else),
		TEST(a_guard_with_a_deadline_holds_what_it_got_by_then),
		TEST(reentrant_guards_unlock_as_often_as_they_lock),
		TEST(an_upgradable_guard_unlocks_it_as_it_is_held),
		TEST(a_guard_can_be_unlocked_early_and_locked_again),
		TEST(misuse_aborts_with_a_line),
	};
	return RUN(tests);
}
