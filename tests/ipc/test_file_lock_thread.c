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

/* A thread that waits for a lock; one that is alone with it unlocks it, too. */
struct waiter {
	csys_file_lock *lock;
	enum csys_file_lock_kind kind;
	csys_thread *thread;
	intptr_t number; /* once it runs */
	int result;
};

static void *lock_for_long(void *argument)
{
	struct waiter *waiter = argument;

	csysi_store_release(&waiter->number, thread_number());
	waiter->result = csys_file_lock_lock_until(waiter->lock, waiter->kind, csys_after_s(60));
	if (waiter->result == 0 && waiter->kind == EXCLUSIVE)
		csys_file_lock_unlock(waiter->lock);
	return NULL;
}

static void start(struct waiter *waiter, csys_file_lock *lock, enum csys_file_lock_kind kind)
{
	*waiter = (struct waiter){ .lock = lock, .kind = kind };
	assert_int_equal(csys_thread_spawn(lock_for_long, waiter, NULL, &waiter->thread), 0);
}

static int waits_for_the_object(const struct waiter *waiter)
{
	intptr_t number = csysi_load_acquire(&waiter->number);

	return number != 0 && thread_sleeps(number) &&
	       csysi_load_acquire(&waiter->lock->word) >> 31;
}

static void start_and_wait(struct waiter *waiter, csys_file_lock *lock,
			   enum csys_file_lock_kind kind)
{
	start(waiter, lock, kind);
	while (!waits_for_the_object(waiter))
		csys_thread_yield();
}

static void finish(struct waiter *waiter)
{
	assert_int_equal(csys_thread_join(waiter->thread, NULL), 0);
	csys_thread_unref(waiter->thread);
	assert_int_equal(waiter->result, 0);
}

static void all_threads_that_wait_to_share_an_object_are_let_in_at_once(void **state)
{
	(void)state;
	skip_unless_sleep_is_seen();
	static struct waiter waiters[3];
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(lock, EXCLUSIVE), 0);
	for (int i = 0; i < 3; i++)
		start_and_wait(&waiters[i], lock, SHARED);
	assert_int_equal(csys_file_lock_convert(lock, SHARED, NULL), 0);
	for (int i = 0; i < 3; i++) /* while this thread goes on sharing */
		finish(&waiters[i]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_file_lock_unlock(lock), 0);
	assert_int_equal(csys_file_lock_kind(lock), NONE);
	csys_file_lock_close(lock);
}

static void the_last_of_those_that_share_wakes_the_thread_that_waits_to_be_alone(void **state)
{
	(void)state;
	skip_unless_sleep_is_seen();
	static struct waiter both[2];
	csys_file_lock *lock = scratch_file_lock(&whole);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_file_lock_lock(lock, SHARED), 0);
	for (int i = 0; i < 2; i++)
		start_and_wait(&both[i], lock, EXCLUSIVE);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_file_lock_unlock(lock), 0);
	for (int i = 0; i < 2; i++) /* each has it, and leaves it to the next */
		finish(&both[i]);
	assert_int_equal(csys_file_lock_kind(lock), NONE);
	csys_file_lock_close(lock);
}

static void let_go(csys_file_lock *a, int how)
{
	if (how == 0)
		csys_file_lock_unlock(a);
	else if (how == 1)
		assert_int_equal(csys_file_lock_convert(a, SHARED, NULL), 0);
	else
		csys_file_lock_close(a);
}

static void a_release_in_this_process_wakes_a_thread_that_waits_with_a_deadline(void **state)
{
	(void)state;
	static struct waiter waiter;
	for (int how = 0; how < 3; how++) {
		csys_file_lock *a = scratch_file_lock(&whole), *b = scratch_file_lock(&whole);
		struct csysi_locked_file *file = b->file;
		assert_true(a->file == file);
		assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
		start(&waiter, b, SHARED);
		while (csysi_load_acquire(&file->waiters) == 0)
			csys_thread_yield();
		uint32_t before = csysi_load_acquire(&file->releases);
		let_go(a, how);
		assert_true(csysi_load_acquire(&file->releases) != before);
		finish(&waiter);
		assert_int_equal(csysi_load_acquire(&file->waiters), 0);
		assert_int_equal(csys_file_lock_unlock(b), 0);
		csys_file_lock_close(b);
		if (how < 2)
			csys_file_lock_close(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(threads_that_use_one_object_exclude_each_other),
		SCRATCH_TEST(threads_that_have_objects_of_their_own_exclude_each_other),
		SCRATCH_TEST(all_threads_that_wait_to_share_an_object_are_let_in_at_once),
		SCRATCH_TEST(the_last_of_those_that_share_wakes_the_thread_that_waits_to_be_alone),
		SCRATCH_TEST(a_release_in_this_process_wakes_a_thread_that_waits_with_a_deadline),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
