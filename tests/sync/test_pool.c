/*
 * sync/test_pool.c - promises of csys/sync/pool.h.  Tasks, panics and races: test_pool_task.c.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/pool.h"
#include "support/select.h"
#include "support/thread.h"
#include "sync/pool.h"

static void *add_one(void *unused)
{
	(void)unused;
	csysi_add_relaxed(&done, 1);
	return NULL;
}

static void count_one(csys_thread_function *function, void *argument, void *drop_argument)
{
	assert_true(function != NULL);
	assert_ptr_equal(drop_argument, &dropped);
	csysi_add_relaxed(&dropped, argument == &seen ? 100 : 1);
}

static void open_pool(int threads, size_t capacity)
{
	open_pool_with(threads, capacity, count_one);
}

/* ---- jobs -------------------------------------------------------------------------------- */

static void each_job_is_done_once(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 3; threads++) {
		open_pool(threads, threads == 2 ? 7 : 0);
		for (int i = 0; i < 1000; i++)
			submit(add_one);
		assert_int_equal(csys_pool_wait_idle(pool), 0);
		assert_int_equal(done, 1000);
		assert_int_equal(csys_pool_len(pool), 0);
		assert_int_equal(csys_pool_threads(pool), threads);
		close_pool();
		assert_int_equal(dropped, 0);
	}
}

static uint32_t next;

static void *come_in_order(void *argument)
{
	assert_true((uintptr_t)argument == next++);
	return NULL;
}

static void one_thread_does_jobs_in_order(void **state)
{
	(void)state;
	open_pool(1, 0);
	next = 0;
	for (uintptr_t i = 0; i < 1000; i++)
		assert_int_equal(csys_pool_submit(pool, come_in_order, (void *)i), 0);
	close_pool();
	assert_int_equal(next, 1000);
}

static void a_pool_has_a_thread_for_each_cpu_unless_told(void **state)
{
	(void)state;
	assert_int_equal(csys_pool_new(NULL, &pool), 0);
	assert_int_equal(csys_pool_threads(pool), csys_thread_available_parallelism());
	assert_int_equal(csys_pool_close(pool), 0);
	assert_int_equal(csys_pool_close(NULL), 0);
}

static void *name_of_thread(void *unused)
{
	(void)unused;
	return strdup(csys_thread_name(csys_thread_current()));
}

static void options_of_threads_are_copied(void **state)
{
	(void)state;
	char name[] = "worker";
	const csys_thread_options how = { .name = name, .stack_size = 1 << 20 };
	const csys_pool_options options = { .threads = 1, .thread = &how };
	void *told = NULL;
	assert_int_equal(csys_pool_new(&options, &pool), 0);
	name[0] = 'W';
	csys_task *task = submit_task(name_of_thread, NULL);
	assert_int_equal(csys_task_join(task, &told), 0);
	assert_string_equal(told, "worker");
	free(told);
	csys_task_unref(task);
	assert_int_equal(csys_pool_close(pool), 0);
}

static void wrong_options_are_refused(void **state)
{
	(void)state;
	const csys_thread_options no_name = { .name = "" };
	const csys_pool_options wrong[] = {
		{ .threads = -1 },
		{ .threads = 65537 },
		{ .reserved = { 1 } },
		{ .capacity = (size_t)1 << 30 | 1, .threads = 1 },
		{ .thread = &no_name, .threads = 2 },
	};
	pool = NULL;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(csys_pool_new(&wrong[i], &pool), CSYS_EINVAL);
	assert_null(pool);
	open_pool(1, 0);
	assert_int_equal(csys_pool_submit(pool, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pool_submit_task(pool, NULL, NULL, NULL), CSYS_EINVAL);
	close_pool();
}

static void a_full_queue_says_so_and_a_submit_waits_for_room(void **state)
{
	(void)state;
	csys_task *task = NULL;
	open_pool(1, 2);
	occupy();
	submit(add_one);
	submit(add_one);
	assert_int_equal(csys_pool_len(pool), 2);
	assert_int_equal(csys_pool_try_submit(pool, add_one, NULL), CSYS_EAGAIN);
	assert_int_equal(csys_pool_try_submit_task(pool, add_one, NULL, &task), CSYS_EAGAIN);
	assert_int_equal(csys_pool_submit_until(pool, add_one, NULL, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_pool_submit_task_until(pool, add_one, NULL, csys_after_ms(1), &task),
			 CSYS_ETIMEDOUT);
	assert_null(task);
	csys_event_set(&gate);
	submit(add_one);
	close_pool();
	assert_int_equal(done, 4);
}

/* ---- idle -------------------------------------------------------------------------------- */

static void *submit_more(void *left)
{
	if ((uintptr_t)left > 0)
		assert_int_equal(csys_pool_submit(pool, submit_more, (void *)((uintptr_t)left - 1)),
				 0);
	csysi_add_relaxed(&done, 1);
	return NULL;
}

static void jobs_that_jobs_submit_are_waited_for(void **state)
{
	(void)state;
	open_pool(2, 0);
	for (uint32_t i = 1; i <= 200; i++) {
		assert_int_equal(csys_pool_submit(pool, submit_more, (void *)(uintptr_t)9), 0);
		assert_int_equal(csys_pool_wait_idle(pool), 0);
		assert_int_equal(csysi_load_relaxed(&done), i * 10);
	}
	close_pool();
}

static void a_wait_for_idle_ends_at_its_deadline(void **state)
{
	(void)state;
	open_pool(1, 0);
	assert_int_equal(csys_pool_wait_idle_until(pool, CSYS_POLL), 0);
	occupy();
	assert_int_equal(csys_pool_wait_idle_until(pool, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_pool_wait_idle_until(pool, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_event_set(&gate);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(csys_pool_wait_idle_until(pool, CSYS_POLL), 0);
	close_pool();
}

static void *wait_until_idle(void *unused)
{
	(void)unused;
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	return NULL;
}

static void a_drop_of_what_is_queued_wakes_those_that_wait(void **state)
{
	(void)state;
	pthread_t waiters[2];
	open_pool(1, 0);
	for (int i = 0; i < 5; i++) {
		csys_event_reset(&reached);
		csys_event_reset(&gate);
		if (i < 4)
			occupy();
		for (int j = 0; j < 2; j++)
			pthread_create(&waiters[j], NULL, wait_until_idle, NULL);
		take_a_nap();
		csys_event_set(&gate);
		if (i == 3)
			csys_pool_shutdown_now(pool);
		for (int j = 0; j < 2; j++)
			pthread_join(waiters[j], NULL);
	}
	close_pool();
}

/* ---- shutting down ----------------------------------------------------------------------- */

static void a_shutdown_does_what_is_queued_and_accepts_no_more(void **state)
{
	(void)state;
	csys_task *task = NULL;
	open_pool(1, 0);
	occupy();
	for (int i = 0; i < 10; i++)
		submit(add_one);
	csys_pool_shutdown(pool);
	csys_pool_shutdown(pool);
	assert_int_equal(csys_pool_submit(pool, add_one, NULL), CSYS_EDISCONNECTED);
	assert_int_equal(csys_pool_try_submit(pool, add_one, NULL), CSYS_EDISCONNECTED);
	assert_int_equal(csys_pool_submit_task(pool, add_one, NULL, &task), CSYS_EDISCONNECTED);
	assert_null(task);
	csys_event_set(&gate);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(done, 11);
	close_pool();
	assert_int_equal(dropped, 0);
}

static void a_shutdown_now_drops_what_is_queued(void **state)
{
	(void)state;
	open_pool(1, 0);
	occupy();
	csys_task *task = submit_task(add_one, &seen);
	for (int i = 0; i < 10; i++)
		submit(add_one);
	csys_pool_shutdown(pool);
	assert_int_equal(csys_pool_shutdown_now(pool), 11);
	assert_int_equal(csys_pool_shutdown_now(pool), 0);
	assert_int_equal(csys_pool_len(pool), 0);
	assert_int_equal(csys_pool_submit(pool, add_one, NULL), CSYS_EDISCONNECTED);
	assert_int_equal(dropped, 110);
	assert_int_equal(csys_task_join(task, NULL), CSYS_ECANCELED);
	assert_int_equal(csys_task_cancel(task), CSYS_ECANCELED);
	csys_task_unref(task);
	close_pool();
	assert_int_equal(done, 1);
	assert_int_equal(dropped, 110);
}

static void *submit_one(void *result)
{
	*(int *)result = csys_pool_submit(pool, add_one, NULL);
	return NULL;
}

static void a_submit_that_waits_for_room_goes_on_when_the_queue_is_dropped(void **state)
{
	(void)state;
	pthread_t thread;
	open_pool(1, 2);
	occupy();
	submit(add_one);
	submit(add_one);
	assert_int_equal(pthread_create(&thread, NULL, submit_one, &seen[0]), 0);
	take_a_nap();
	(void)csys_pool_shutdown_now(pool);
	pthread_join(thread, NULL);
	assert_true(seen[0] == 0 || seen[0] == CSYS_EDISCONNECTED);
	close_pool();
	assert_int_equal(done, 1);
	assert_int_equal(dropped, seen[0] == 0 ? 3 : 2);
}

static void *use_own_pool(void *unused)
{
	(void)unused;
	seen[0] = csys_pool_wait_idle(pool);
	seen[1] = csys_pool_close(pool);
	seen[2] = csys_pool_submit(pool, add_one, NULL);
	csys_pool_shutdown(pool);
	seen[3] = csys_pool_submit(pool, add_one, NULL);
	return NULL;
}

static void a_job_cannot_wait_for_its_pool_but_shut_it_down(void **state)
{
	(void)state;
	open_pool(1, 0);
	submit(use_own_pool);
	close_pool();
	assert_int_equal(seen[0], CSYS_EDEADLK);
	assert_int_equal(seen[1], CSYS_EDEADLK);
	assert_true(seen[2] == 0 || seen[2] == CSYS_EDISCONNECTED);
	assert_int_equal(seen[3], CSYS_EDISCONNECTED);
	assert_int_equal(done, seen[2] == 0);
}

static csys_barrier barrier;

static void *overfill_own_queue(void *result)
{
	while (csys_pool_try_submit(pool, add_one, NULL) == 0)
		continue;
	(void)csys_barrier_wait(&barrier, NULL);
	*(int *)result = csys_pool_submit_until(pool, add_one, NULL, csys_after_s(100));
	return NULL;
}

static void threads_that_all_wait_for_room_in_their_queue_are_told(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 2; threads++) {
		open_pool(threads, 3);
		csys_barrier_init(&barrier, (uint32_t)threads);
		for (int i = 0; i < threads; i++)
			assert_int_equal(csys_pool_submit(pool, overfill_own_queue, &seen[i]), 0);
		assert_int_equal(csys_pool_wait_idle(pool), 0);
		assert_true(seen[0] == CSYS_EDEADLK || seen[1] == CSYS_EDEADLK);
		for (int i = 0; i < 2; i++)
			assert_true(seen[i] == CSYS_EDEADLK || seen[i] == 0);
		close_pool();
	}
}

static void *wait_for_room(void *unused)
{
	(void)unused;
	while (csys_pool_try_submit(pool, add_one, NULL) == 0)
		continue;
	csysi_store_release(&seen[0], csys_pool_submit(pool, add_one, NULL));
	return NULL;
}

/* The other thread is there to make room, each time. */
static void a_job_that_has_waited_for_room_may_wait_again(void **state)
{
	(void)state;
	open_pool(2, 1);
	const struct channel queue = { .tx = pool->tx.core, .rx = pool->rx.core };
	for (int round = 0; round < 3; round++) {
		seen[0] = 77;
		csys_event_reset(&reached);
		csys_event_reset(&gate);
		occupy();
		submit(wait_for_room);
		while (listed_senders(&queue) == 0 && csysi_load_acquire(&seen[0]) == 77)
			take_a_nap();
		csys_event_set(&gate);
		assert_int_equal(csys_pool_wait_idle(pool), 0);
		assert_int_equal(seen[0], 0);
	}
	close_pool();
}

/* ---- memory ------------------------------------------------------------------------------ */

static void a_pool_that_gets_no_memory_or_thread_is_not_made(void **state)
{
	(void)state;
	static const unsigned cpu[] = { 0 };
	const csys_thread_options how = { .name = "worker",
					  .cpus = csys_can(CSYS_CAN_AFFINITY) ? cpu : NULL,
					  .cpu_count = csys_can(CSYS_CAN_AFFINITY) ? 1 : 0 };
	const csys_pool_options options = { .threads = 2, .thread = &how };
	int fired = 1, failed = 0;
	for (int nth = 1; fired; nth++) {
		uint32_t before = blocks_held();
		pool = NULL;
		csysi_fault_arm(nth);
		int r = csys_pool_new(&options, &pool);
		fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(r < 0, pool == NULL);
		failed += r < 0;
		if (r == 0)
			assert_int_equal(csys_pool_close(pool), 0);
		assert_int_equal(blocks_held(), before);
	}
	assert_true(failed > 4);
}

static void a_submit_without_memory_leaves_the_job_to_the_caller(void **state)
{
	(void)state;
	csys_task *task = NULL;
	uint32_t submitted = 0;
	int r;
	open_pool(1, 0);
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	assert_int_equal(csys_pool_submit_task(pool, add_one, NULL, &task), CSYS_ENOMEM);
	/* Until the channel wants a new block. */
	while ((r = csys_pool_submit(pool, add_one, NULL)) == 0)
		submitted++;
	csysi_fault_arm(0);
	assert_int_equal(r, CSYS_ENOMEM);
	assert_null(task);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(done, submitted);
	assert_int_equal(csys_pool_submit(pool, add_one, NULL), 0);
	assert_int_equal(csys_pool_close(pool), 0);
	assert_int_equal(done, submitted + 1);
}

/* ---- forks ------------------------------------------------------------------------------- */

static csys_task *task_of_parent;

static void skip_if_it_cannot_fork(void)
{
	if (WITH_TSAN || under_valgrind())
		skip_because("threads before a fork, and memory that the child leaves");
}

static void use_pool_of_parent(void)
{
	CHECK(csys_task_join(task_of_parent, NULL) == CSYS_ESRCH);
	csys_task_unref(task_of_parent);
	CHECK(csys_pool_close(pool) == 0);
}

static void a_pool_is_its_makers_alone(void **state)
{
	(void)state;
	skip_if_it_cannot_fork();
	open_pool(1, 0);
	task_of_parent = submit_task(pass_the_gate, NULL);
	csys_event_wait(&reached);
	in_child(use_pool_of_parent);
	csys_event_set(&gate);
	assert_int_equal(csys_task_join(task_of_parent, NULL), 0);
	csys_task_unref(task_of_parent);
	assert_int_equal(csys_pool_close(pool), 0);
}

static void *fork_and_join(void *unused) /* the child could run it: it is a thread of the pool */
{
	task_of_parent = submit_task(add_one, NULL);
	in_child(use_pool_of_parent);
	csys_task_unref(task_of_parent);
	return unused;
}

static void a_child_that_a_job_forks_runs_no_task(void **state)
{
	(void)state;
	skip_if_it_cannot_fork();
	open_pool(1, 0);
	submit(fork_and_join);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	close_pool();
	assert_int_equal(done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(each_job_is_done_once),
		TEST_ONE(one_thread_does_jobs_in_order),
		TEST_ONE(a_pool_has_a_thread_for_each_cpu_unless_told),
		TEST_ONE(options_of_threads_are_copied),
		TEST_ONE(wrong_options_are_refused),
		TEST_ONE(a_full_queue_says_so_and_a_submit_waits_for_room),
		TEST_ONE(jobs_that_jobs_submit_are_waited_for),
		TEST_ONE(a_wait_for_idle_ends_at_its_deadline),
		TEST_ONE(a_drop_of_what_is_queued_wakes_those_that_wait),
		TEST_ONE(a_shutdown_does_what_is_queued_and_accepts_no_more),
		TEST_ONE(a_shutdown_now_drops_what_is_queued),
		TEST_ONE(a_submit_that_waits_for_room_goes_on_when_the_queue_is_dropped),
		TEST_ONE(a_job_cannot_wait_for_its_pool_but_shut_it_down),
		TEST_ONE(threads_that_all_wait_for_room_in_their_queue_are_told),
		TEST_ONE(a_job_that_has_waited_for_room_may_wait_again),
		TEST_ONE(a_pool_that_gets_no_memory_or_thread_is_not_made),
		TEST_ONE(a_submit_without_memory_leaves_the_job_to_the_caller),
		TEST_ONE(a_pool_is_its_makers_alone),
		TEST_ONE(a_child_that_a_job_forks_runs_no_task),
	};
	count_memory();
	return RUN(tests);
}
