/*
 * ipc/test_shared_rwlock_ledger.c - promises of csys/ipc/shared_rwlock.h about panics, ends of
 * threads, forks and misuse.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "support/shared_rwlock.h"

/* ---- the ledger ----------------------------------------------------------------------------- */

static void panic_inside(void *unused)
{
	(void)unused;
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 2), 0);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK + 3), 0);
	csys_shared_rwlock_downgrade(region, LOCK + 3);
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 2), 0);
	assert_int_equal(csys_panic_catch(panic_inside, NULL, NULL), CSYS_EPANICKED);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + 2), CSYS_EAGAIN);
	csys_shared_rwlock_unlock_read(region, LOCK + 2);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_clear_poison(LOCK);
	csys_shared_rwlock_unlock_write(region, LOCK);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + i), 0);
		csys_shared_rwlock_unlock_write(region, LOCK + i);
	}
	assert_free();
}

static void a_panic_releases_what_was_locked_and_poisons_what_was_written(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void panic_in_many(void *unused)
{
	(void)unused;
	for (int i = 0; i < LOCKS; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
	}
	csys_panic("inside");
}

static void catch_with_many(void)
{
	assert_int_equal(csys_panic_catch(panic_in_many, NULL, NULL), CSYS_EPANICKED);
	for (int i = 0; i < LOCKS; i++) {
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + i), 0);
		csys_shared_rwlock_unlock_write(region, LOCK + i);
	}
	assert_free();
}

static void a_panic_releases_what_was_read_alone(void **state)
{
	(void)state;
	in_each_way(catch_with_many);
}

static void *lock_and_end(void *unused)
{
	(void)unused;
	CHECK(csys_shared_rwlock_write(region, LOCK) == 0);
	CHECK(csys_shared_rwlock_read(region, LOCK + 1) == 0);
	CHECK(csys_shared_rwlock_read(region, LOCK + 1) == 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, lock_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_unlock_read(region, LOCK);
	csys_shared_rwlock_clear_poison(LOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + 1), 0);
	csys_shared_rwlock_unlock_write(region, LOCK + 1);
	assert_free();
}

static void a_thread_that_ends_releases_and_poisons_what_it_wrote(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static void end_in_child_with_its_notes(void)
{
	pthread_exit(NULL);
}

static void fork_with_the_locks(void)
{
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(code_of(forked(end_in_child_with_its_notes)), 0);
	csys_shared_rwlock_assert_write(region, LOCK);
	csys_shared_rwlock_assert_read(region, LOCK + 1);
	csys_shared_rwlock_unlock_write(region, LOCK);
	csys_shared_rwlock_unlock_read(region, LOCK + 1);
	assert_false(csys_shared_rwlock_is_poisoned(LOCK));
	assert_free();
}

static void a_forked_child_releases_nothing_of_its_parent(void **state)
{
	(void)state;
	if (WITH_TSAN || WITH_ASAN || under_valgrind())
		skip_because("this tool knows no end of the first thread");
	in_each_way(fork_with_the_locks);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void unlock_read(void)
{
	csys_shared_rwlock_unlock_read(region, LOCK);
}

static void unlock_write(void)
{
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void downgrade_it(void)
{
	csys_shared_rwlock_downgrade(region, LOCK);
}

static void assert_read(void)
{
	csys_shared_rwlock_assert_read(region, LOCK);
}

static void assert_write(void)
{
	csys_shared_rwlock_assert_write(region, LOCK);
}

static void abort_all(void)
{
	assert_aborts(unlock_read, "unlock of a shared rwlock that this thread does not read");
	assert_aborts(unlock_write, "unlock of a shared rwlock that this thread does not write");
	assert_aborts(downgrade_it, "downgrade of a shared rwlock that this thread does not write");
	assert_aborts(assert_read, "a shared rwlock is not read that should be");
	assert_aborts(assert_write, "a shared rwlock is not written that should be");
}

static void misuse(void)
{
	abort_all();
	/* In forked children, with what was noted of their parent. */
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	abort_all();
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	abort_all();
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_free();
}

static void unlocking_what_is_not_held_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

static void unlock_otherwise(void)
{
	int r = csys_shared_rwlock_read(region, LOCK);
	if (r == 0)
		csys_shared_rwlock_unlock_write(region, LOCK);
}

static void unlock_otherwise_too(void)
{
	int r = csys_shared_rwlock_write(region, LOCK);
	if (r == 0)
		csys_shared_rwlock_unlock_read(region, LOCK);
}

static void misuse_the_way(void)
{
	assert_aborts(unlock_otherwise,
		      "unlock of a shared rwlock that this thread does not write");
	assert_aborts(unlock_otherwise_too,
		      "unlock of a shared rwlock that this thread does not read");
}

static void unlocking_in_the_other_way_aborts(void **state)
{
	(void)state;
	in_each_way(misuse_the_way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_panic_releases_what_was_locked_and_poisons_what_was_written),
		NAMES_TEST(a_panic_releases_what_was_read_alone),
		NAMES_TEST(a_thread_that_ends_releases_and_poisons_what_it_wrote),
		NAMES_TEST(a_forked_child_releases_nothing_of_its_parent),
		NAMES_TEST(unlocking_what_is_not_held_aborts),
		NAMES_TEST(unlocking_in_the_other_way_aborts),
	};
	return RUN(tests);
}
