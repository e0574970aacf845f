/*
 * ipc/test_named_mutex.c - promises of csys/ipc/named_mutex.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include <csys/ipc/named_mutex.h>

#include "support/names.h"
#include "support/region.h"
#include "support/thread.h"

static csys_named_mutex *mutex; /* what a forked child has of its parent memcheck finds here */
static const csys_named_options kept = { .keep = 1 };

static void open_it(const csys_named_options *options, int is_created)
{
	assert_int_equal(csys_named_mutex_create_or_open("m", options, &mutex), 0);
	assert_int_equal(csys_named_mutex_is_created(mutex), is_created);
}

static void close_it(void)
{
	csys_named_mutex_close(mutex);
	mutex = NULL;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void it_is_created_opened_and_removed_by_its_name(void **state)
{
	csys_named_mutex *other = (csys_named_mutex *)state;
	assert_int_equal(csys_named_mutex_open("m", NULL, &other), CSYS_ENOENT);
	assert_ptr_equal(other, state);
	assert_int_equal(csys_named_mutex_create("m", NULL, &mutex), 0);
	assert_int_equal(csys_named_mutex_create("m", NULL, &other), CSYS_EEXIST);
	assert_ptr_equal(other, state);
	assert_int_equal(csys_named_mutex_open("m", NULL, &other), 0);
	assert_int_equal(csys_named_mutex_is_created(other), 0);
	assert_int_equal(csys_named_mutex_lock(mutex), 0);
	assert_true(csys_named_mutex_is_locked(other));
	csys_named_mutex_unlock(mutex);
	csys_named_mutex_close(other);
	close_it();
	assert_int_equal(count_names(), 0); /* with the last user */
	open_it(&kept, 1);
	close_it();
	open_it(NULL, 0);
	close_it();
	assert_int_equal(csys_named_mutex_unlink(CSYS_NAMES_USER, "m"), 0);
	assert_int_equal(csys_named_mutex_unlink(CSYS_NAMES_USER, "m"), CSYS_ENOENT);
	csys_named_mutex_close(NULL);
}

/* ---- locking --------------------------------------------------------------------------------- */

static void it_is_locked_and_tells_so(void **state)
{
	(void)state;
	csys_region_member member = { 0 };
	open_it(NULL, 1);
	assert_int_equal(csys_named_mutex_holder(mutex, &member), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_named_mutex_lock(mutex), 0);
		csys_named_mutex_assert_held(mutex);
		assert_int_equal(csys_named_mutex_holder(mutex, &member), 1);
		assert_int_equal(member.pid, getpid());
		assert_int_equal(csys_named_mutex_try_lock(mutex), CSYS_EAGAIN);
		assert_int_equal(csys_named_mutex_lock_until(mutex, csys_after_ms(1)),
				 CSYS_ETIMEDOUT);
		csys_named_mutex_unlock(mutex);
		assert_int_equal(csys_named_mutex_try_lock(mutex), 0);
		csys_named_mutex_unlock(mutex);
		assert_int_equal(csys_named_mutex_lock_until(mutex, CSYS_POLL), 0);
		csys_named_mutex_unlock(mutex);
		assert_false(csys_named_mutex_is_locked(mutex));
	}
	csys_named_mutex_poison(mutex);
	assert_true(csys_named_mutex_is_poisoned(mutex));
	assert_int_equal(csys_named_mutex_lock(mutex), CSYS_POISONED);
	csys_named_mutex_clear_poison(mutex);
	csys_named_mutex_unlock(mutex);
	assert_false(csys_named_mutex_is_poisoned(mutex));
	close_it();
}

static void unlock_it(void)
{
	csys_named_mutex_unlock(mutex);
}

static void unlocking_what_is_not_held_aborts(void **state)
{
	(void)state;
	open_it(NULL, 1);
	assert_aborts(unlock_it, "unlock of a shared mutex that this thread does not hold");
	close_it();
}

static void *lock_and_end(void *result)
{
	*(int *)result = csys_named_mutex_lock(mutex);
	return NULL;
}

static void any_thread_uses_it_and_its_end_is_told(void **state)
{
	(void)state;
	pthread_t thread;
	csys_named_options options = { .members = 1 };
	open_it(&options, 1);
	for (int i = 0; i < 3; i++) {
		int r = -1;
		assert_int_equal(pthread_create(&thread, NULL, lock_and_end, &r), 0);
		pthread_join(thread, NULL);
		assert_int_equal(r, i == 0 ? 0 : CSYS_POISONED);
	}
	assert_int_equal(csys_named_mutex_lock(mutex), CSYS_POISONED);
	int r = 0;
	assert_int_equal(pthread_create(&thread, NULL, lock_and_end, &r), 0);
	pthread_join(thread, NULL);
	assert_int_equal(r, CSYS_ENOSPC);
	csys_named_mutex_unlock(mutex);
	close_it();
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void a_killed_holder_is_taken_over_and_the_next_is_told(void **state)
{
	(void)state;
	open_it(NULL, 1);
	for (int i = 0; i < 2; i++) {
		be_killed_with_mutex(&mutex, NULL);
		assert_false(csys_named_mutex_is_locked(mutex));
		assert_int_equal(csys_named_mutex_lock(mutex), CSYS_POISONED);
		csys_named_mutex_clear_poison(mutex);
		csys_named_mutex_unlock(mutex);
	}
	close_it();
}

static void lock_in_vain(void)
{
	int r = csys_named_mutex_lock_until(mutex, csys_after_ms(1));
	close_it();
	_exit(r == CSYS_ETIMEDOUT ? 0 : 1);
}

static void a_forked_child_has_it_and_holds_nothing(void **state)
{
	(void)state;
	open_it(NULL, 1);
	assert_int_equal(csys_named_mutex_lock(mutex), 0);
	assert_int_equal(code_of(forked(lock_in_vain)), 0);
	csys_named_mutex_assert_held(mutex);
	csys_named_mutex_unlock(mutex);
	close_it();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_created_opened_and_removed_by_its_name),
		NAMES_TEST(it_is_locked_and_tells_so),
		NAMES_TEST(unlocking_what_is_not_held_aborts),
		NAMES_TEST(any_thread_uses_it_and_its_end_is_told),
		NAMES_TEST(a_killed_holder_is_taken_over_and_the_next_is_told),
		NAMES_TEST(a_forked_child_has_it_and_holds_nothing),
	};
	return RUN(tests);
}
