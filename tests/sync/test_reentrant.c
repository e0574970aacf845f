/*
 * sync/test_reentrant.c - promises of csys/sync/reentrant.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

static csys_reentrant lock;

static void *try_it(void *argument)
{
	int r = csys_reentrant_try_lock(&lock);
	assert_int_equal(r, *(int *)argument);
	if (r >= 0)
		csys_reentrant_unlock(&lock);
	assert_int_equal(csys_reentrant_lock_until(&lock, CSYS_POLL),
			 r == CSYS_EAGAIN ? CSYS_ETIMEDOUT : r);
	if (r >= 0)
		csys_reentrant_unlock(&lock);
	return NULL;
}

static void its_holder_may_lock_it_again(void **state)
{
	(void)state;
	int held = CSYS_EAGAIN, unheld = 0;
	assert_int_equal(csys_reentrant_lock(&lock), 0);
	assert_int_equal(csys_reentrant_lock(&lock), 0);
	assert_int_equal(csys_reentrant_try_lock(&lock), 0);
	assert_int_equal(csys_reentrant_lock_until(&lock, CSYS_POLL), 0);
	for (int i = 0; i < 4; i++) {
		run_threads(1, try_it, &held);
		csys_reentrant_unlock(&lock);
	}
	run_threads(1, try_it, &unheld);
}

static void *die_twice_inside(void *argument)
{
	(void)argument;
	csys_reentrant_lock(&lock);
	csys_reentrant_lock(&lock);
	return NULL;
}

static void init_makes_a_free_one_of_any_memory(void **state)
{
	(void)state;
	csys_reentrant one, init = CSYS_REENTRANT_INIT;
	memset(&one, 0xa5, sizeof one);
	csys_reentrant_init(&one);
	assert_memory_equal(&one, &init, sizeof one);
}

static void it_tells_whether_it_is_locked(void **state)
{
	(void)state;
	csys_reentrant one = CSYS_REENTRANT_INIT;
	assert_int_equal(csys_reentrant_is_locked(&one), 0);
	assert_int_equal(csys_reentrant_lock(&one), 0);
	assert_int_equal(csys_reentrant_lock(&one), 0);
	csys_reentrant_unlock(&one);
	assert_int_equal(csys_reentrant_is_locked(&one), 1);
	csys_reentrant_unlock(&one);
	assert_int_equal(csys_reentrant_is_locked(&one), 0);
}

static void a_holder_that_ends_poisons_and_releases_it(void **state)
{
	(void)state;
	run_threads(1, die_twice_inside, NULL);
	assert_int_equal(csys_reentrant_is_poisoned(&lock), 1);
	assert_int_equal(csys_reentrant_lock(&lock), CSYS_POISONED);
	assert_int_equal(csys_reentrant_lock(&lock), CSYS_POISONED);
	csys_reentrant_clear_poison(&lock);
	csys_reentrant_unlock(&lock);
	csys_reentrant_unlock(&lock);
	int unheld = 0;
	run_threads(1, try_it, &unheld);
	csys_reentrant_poison(&lock);
	unheld = CSYS_POISONED;
	run_threads(1, try_it, &unheld);
	csys_reentrant_clear_poison(&lock);
}

static void unlock_unheld(void)
{
	csys_reentrant_unlock(&lock);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(unlock_unheld, "csys: unlock of a lock that this thread does not hold\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_holder_may_lock_it_again),
		TEST(init_makes_a_free_one_of_any_memory),
		TEST(it_tells_whether_it_is_locked),
		TEST(a_holder_that_ends_poisons_and_releases_it),
		TEST(misuse_aborts_with_a_line),
	};
	return RUN(tests);
}
