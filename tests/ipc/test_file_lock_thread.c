/*
 * ipc/test_file_lock_thread.c - promises of csys/ipc/file_lock.h: threads of one process.
 */
#include "ipc/file_lock.h"
#include "ipc/locked_files.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/thread.h"

#define SHARED CSYS_FILE_LOCK_SHARED
#define EXCLUSIVE CSYS_FILE_LOCK_EXCLUSIVE
#define NONE CSYS_FILE_LOCK_NONE

static const csys_file_lock_options whole = { .create = 1 };
static const csys_file_lock_options range = { .create = 1, .is_range = 1, .offset = 7, .size = 3 };

struct shared_count {
	const csys_file_lock_options *options;
	csys_file_lock *common; /* NULL: each thread opens its own */
	long count;             /* under the lock */
};

#define ROUNDS 60

static void count_in_turn(struct shared_count *shared, csys_file_lock *lock, int i)
{
	long seen;
	int kind = NONE;

	if (i % 5 == 0) {
		assert_int_equal(csys_file_lock_lock(lock, SHARED), 0);
		seen = shared->count;
		csys_thread_yield();
		assert_int_equal(shared->count, seen);
		if (csys_file_lock_try_convert(lock, EXCLUSIVE, &kind) == 0)
			shared->count++;
		if (kind != NONE)
			csys_file_lock_unlock(lock);
		if (kind == EXCLUSIVE)
			return;
	}
	int r = CSYS_EAGAIN;
	while (r < 0)
		r = i % 3 == 0   ? csys_file_lock_lock(lock, EXCLUSIVE)
		    : i % 3 == 1 ? csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_ns(99999))
				 : csys_file_lock_try_lock(lock, EXCLUSIVE);
	seen = shared->count;
	if (i % 7 == 0)
		csys_thread_yield();
	shared->count = seen + 1;
	csys_file_lock_unlock(lock);
}

static void *count_up(void *argument)
{
	struct shared_count *shared = argument;
	csys_file_lock *lock = shared->common;

	if (!lock && csys_file_lock_open(scratch_path("file"), shared->options, &lock) < 0)
		return NULL;
	for (int i = 0; i < ROUNDS; i++)
		count_in_turn(shared, lock, i);
	if (!shared->common)
		csys_file_lock_close(lock);
	return NULL;
}

static void threads_count(const csys_file_lock_options *options, csys_file_lock *common)
{
	struct shared_count shared = { .options = options, .common = common };
	run_threads(4, count_up, &shared);
	assert_int_equal(shared.count, 4 * ROUNDS);
	if (common)
		assert_int_equal(csys_file_lock_kind(common), NONE);
	csys_file_lock_close(common);
}

static void threads_that_use_one_object_exclude_each_other(void **state)
{
	(void)state;
	threads_count(&whole, scratch_file_lock(&whole));
	threads_count(&range, scratch_file_lock(&range));
}

static void threads_that_have_objects_of_their_own_exclude_each_other(void **state)
{
	(void)state;
	csys_file_lock_close(scratch_file_lock(&whole));
	threads_count(&whole, NULL);
	if (under_valgrind())
		skip_because("valgrind waits for locks of ranges with its own lock held");
	csys_file_lock_close(scratch_file_lock(&range));
	threads_count(&range, NULL);
}

static void *lock_for_long(void *argument)
{
	csys_file_lock *lock = argument;

	assert_int_equal(csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_s(60)), 0);
	csys_file_lock_unlock(lock);
	return NULL;
}

static void a_release_in_this_process_wakes_a_thread_that_waits_with_a_deadline(void **state)
{
	(void)state;
	csys_thread *thread;
	csys_file_lock *a = scratch_file_lock(&whole), *b = scratch_file_lock(&whole);
	assert_true(a->file == b->file);
	assert_int_equal(csys_file_lock_lock(a, SHARED), 0);
	assert_int_equal(csys_thread_spawn(lock_for_long, b, NULL, &thread), 0);
	while (csysi_load_acquire(&a->file->waiters) == 0)
		csys_thread_yield();
	uint32_t before = csysi_load_acquire(&a->file->releases);
	csys_file_lock_unlock(a);
	assert_true(csysi_load_acquire(&a->file->releases) != before);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	assert_int_equal(a->file->waiters, 0);
	csys_file_lock_close(a);
	csys_file_lock_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(threads_that_use_one_object_exclude_each_other),
		SCRATCH_TEST(threads_that_have_objects_of_their_own_exclude_each_other),
		SCRATCH_TEST(a_release_in_this_process_wakes_a_thread_that_waits_with_a_deadline),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
