/*
 * sync/test_pool_task.c - promises of csys/sync/pool.h: tasks, panics, and races.
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

enum { SUBMITTERS = 3, ROUNDS = 60 };

static uint32_t accepted, refused, cancelled; /* atomic */

static void *add_one(void *argument)
{
	csysi_add_relaxed(&done, 1);
	return argument;
}

static void *panic_so(void *argument)
{
	csys_panic("no %s", (const char *)argument);
	return NULL;
}

static void be_quiet(const csys_panic_info *info, void *unused)
{
	(void)info;
	(void)unused;
}

static void count_one(csys_thread_function *function, void *argument, void *drop_argument)
{
	(void)function;
	(void)argument;
	assert_ptr_equal(drop_argument, &dropped);
	csysi_add_relaxed(&dropped, 1);
}

static void open_pool(int threads, size_t capacity)
{
	accepted = refused = cancelled = 0;
	csys_panic_set_hook(be_quiet, NULL);
	open_pool_with(threads, capacity, count_one);
}

static void close_quiet_pool(void)
{
	close_pool();
	csys_panic_set_hook(NULL, NULL);
}

/* ---- tasks ------------------------------------------------------------------------------- */

static void a_join_gives_the_result(void **state)
{
	(void)state;
	void *result = NULL;
	open_pool(1, 0);
	csys_task *task = submit_task(pass_the_gate, &seen);
	assert_int_equal(csys_task_try_join(task, &result), CSYS_EAGAIN);
	assert_int_equal(csys_task_join_until(task, csys_after_ms(1), &result), CSYS_ETIMEDOUT);
	assert_false(csys_task_is_finished(task));
	assert_null(result);
	csys_event_set(&gate);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_task_join(task, &result), 0);
		assert_ptr_equal(result, &seen);
	}
	assert_int_equal(csys_task_cancel(task), CSYS_EBUSY);
	close_quiet_pool();
	assert_int_equal(csys_task_try_join(csys_task_ref(task), NULL), 0);
	assert_true(csys_task_is_finished(task));
	assert_null(csys_task_panic_message(task));
	csys_task_unref(task);
	csys_task_unref(task);
	csys_task_unref(NULL);
}

static void a_task_without_references_is_run(void **state)
{
	(void)state;
	open_pool(1, 0);
	occupy();
	csys_task_unref(submit_task(add_one, NULL));
	close_quiet_pool();
	assert_int_equal(done, 2);
}

static void a_task_that_has_not_begun_can_be_cancelled(void **state)
{
	(void)state;
	open_pool(1, 0);
	occupy();
	csys_task *task = submit_task(add_one, NULL);
	assert_int_equal(csys_task_cancel(task), 0);
	assert_int_equal(csys_task_cancel(task), CSYS_ECANCELED);
	assert_int_equal(csys_task_join(task, NULL), CSYS_ECANCELED);
	assert_int_equal(csys_pool_shutdown_now(pool), 0);
	close_quiet_pool();
	csys_task_unref(task);
	assert_int_equal(done, 1);
	assert_int_equal(dropped, 0);
}

static void a_panic_is_told_and_the_pool_goes_on(void **state)
{
	(void)state;
	char word[] = "luck";
	open_pool(1, 0);
	csys_task *task = submit_task(panic_so, word);
	assert_int_equal(csys_pool_submit(pool, panic_so, word), 0);
	submit(add_one);
	assert_int_equal(csys_task_join(task, NULL), CSYS_EPANICKED);
	assert_string_equal(csys_task_panic_message(task), "no luck");
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(csys_pool_panicked(pool), 2);
	assert_int_equal(csys_pool_threads(pool), 1);
	assert_int_equal(done, 1);
	close_quiet_pool();
	csys_task_unref(task);
}

static void *end_thread(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void a_thread_that_a_job_ends_is_replaced(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of an ended thread for broken");
	open_pool(1, 0);
	csys_task *task = submit_task(end_thread, NULL);
	submit(end_thread);
	submit(add_one);
	assert_int_equal(csys_task_join(task, NULL), CSYS_EPANICKED);
	assert_non_null(strstr(csys_task_panic_message(task), "pthread_exit"));
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(csys_pool_panicked(pool), 2);
	assert_int_equal(csys_pool_threads(pool), 1);
	close_quiet_pool();
	csys_task_unref(task);
	assert_int_equal(done, 1);
}

static void wait_in_hook(void *unused)
{
	(void)unused;
	seen[0] = csys_pool_wait_idle(pool);
	seen[1] = csys_pool_close(pool);
}

static void *add_hook(void *unused)
{
	assert_int_equal(csys_thread_at_exit(wait_in_hook, NULL), 0);
	return unused;
}

static void a_hook_of_a_thread_of_the_pool_cannot_wait_for_it(void **state)
{
	(void)state;
	open_pool(1, 0);
	submit(add_hook);
	close_quiet_pool();
	assert_int_equal(seen[0], CSYS_EDEADLK);
	assert_int_equal(seen[1], CSYS_EDEADLK);
}

static void *end_thread_for_good(void *unused)
{
	csysi_fault_arm(1);
	return end_thread(unused);
}

static void a_pool_that_has_lost_its_last_thread_drops_all(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of an ended thread for broken");
	open_pool(1, 0);
	occupy();
	submit(end_thread_for_good);
	csys_task *task = submit_task(add_one, NULL);
	csys_event_set(&gate);
	assert_int_equal(csys_task_join(task, NULL), CSYS_ECANCELED);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	assert_int_equal(csys_pool_threads(pool), 0);
	assert_int_equal(csys_pool_submit(pool, add_one, NULL), CSYS_EDISCONNECTED);
	close_quiet_pool();
	csys_task_unref(task);
	assert_int_equal(dropped, 1);
}

/* Threads that wait, and go on when the gate is open. */
static void let_four(csys_thread_function *function)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, function, NULL), 0);
	take_a_nap();
	csys_event_set(&gate);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static void *submit_one(void *unused)
{
	if (csys_pool_submit(pool, add_one, NULL) == 0)
		csysi_add_relaxed(&accepted, 1);
	return unused;
}

static void threads_that_wait_for_room_go_on_when_the_pool_has_lost_its_last_thread(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of an ended thread for broken");
	open_pool(1, 1);
	occupy();
	submit(end_thread_for_good);
	let_four(submit_one);
	assert_int_equal(csys_pool_wait_idle(pool), 0);
	close_quiet_pool();
	assert_int_equal(dropped, accepted);
}

/* Ends as many tasks as it waits for. */
static void *join_deeper(void *left)
{
	void *result = NULL;
	csys_task *inner;
	uintptr_t depth = (uintptr_t)left;
	if (depth == 0)
		return NULL;
	assert_int_equal(csys_pool_submit_task(pool, join_deeper, (void *)(depth - 1), &inner), 0);
	assert_int_equal(csys_task_join(inner, &result), 0);
	csys_task_unref(inner);
	return (void *)((uintptr_t)result + 1);
}

static void jobs_may_join_what_they_submit(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 2; threads++) {
		void *result = NULL;
		open_pool(threads, 0);
		csys_task *task = submit_task(join_deeper, (void *)(uintptr_t)20);
		assert_int_equal(csys_task_join(task, &result), 0);
		assert_int_equal((uintptr_t)result, 20);
		csys_task_unref(task);
		close_quiet_pool();
	}
}

static csys_task *own_task;

static void *join_itself(void *argument)
{
	csys_event_wait(&gate);
	seen[0] = csys_task_join(own_task, NULL);
	seen[1] = csys_task_join_until(own_task, csys_after_s(100), NULL);
	csys_task *inner;
	assert_int_equal(csys_pool_submit_task(pool, panic_so, argument, &inner), 0);
	seen[2] = csys_task_join(inner, NULL);
	csys_task_unref(inner);
	return NULL;
}

static void a_task_that_joins_itself_is_told_and_one_that_it_joins_may_panic(void **state)
{
	(void)state;
	char word[] = "luck";
	open_pool(1, 0);
	own_task = submit_task(join_itself, word);
	csys_event_set(&gate);
	assert_int_equal(csys_task_join(own_task, NULL), 0);
	assert_int_equal(seen[0], CSYS_EDEADLK);
	assert_int_equal(seen[1], CSYS_EDEADLK);
	assert_int_equal(seen[2], CSYS_EPANICKED);
	assert_int_equal(csys_pool_panicked(pool), 1);
	csys_task_unref(own_task);
	close_quiet_pool();
}

static void *join_own_task(void *unused)
{
	assert_int_equal(csys_task_join(own_task, NULL), 0);
	return unused;
}

static void all_that_join_a_task_are_woken(void **state)
{
	(void)state;
	open_pool(1, 0);
	own_task = submit_task(pass_the_gate, NULL);
	let_four(join_own_task);
	csys_task_unref(own_task);
	close_quiet_pool();
}

/* ---- races ------------------------------------------------------------------------------- */

static void note(int r)
{
	assert_true(r == 0 || r == CSYS_EDISCONNECTED);
	csysi_add_relaxed(r == 0 ? &accepted : &refused, 1);
}

/* Submits another job, and then counts as done. */
static void *submit_another(void *unused)
{
	int r = csys_pool_submit(pool, add_one, unused);
	if (r != CSYS_EDEADLK)
		note(r);
	return add_one(unused);
}

static void use_task(int how)
{
	csys_task *task;
	void *result = NULL;
	int r = csys_pool_submit_task(pool, add_one, &done, &task);
	note(r);
	if (r < 0)
		return;
	if (how % 4 == 1 && csys_task_cancel(task) == 0)
		csysi_add_relaxed(&cancelled, 1);
	if (how % 4 == 2) {
		r = csys_task_join(task, &result);
		assert_true(r == CSYS_ECANCELED || (r == 0 && result == &done));
	}
	csys_task_unref(task);
}

static void *submit_until_refused(void *unused)
{
	for (int i = 0; csysi_load_relaxed(&refused) == 0; i++) {
		if (i % 5 == 4)
			use_task(i / 5);
		else
			note(csys_pool_submit(pool, i % 3 ? add_one : submit_another, unused));
	}
	return NULL;
}

static void race_with_shutdown(int round)
{
	pthread_t threads[SUBMITTERS];
	open_pool(round % 3 + 1, round % 2 ? 0 : 4);
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_create(&threads[i], NULL, submit_until_refused, NULL);
	for (int i = 0; i < round % 7; i++)
		csys_thread_yield();
	if (round % 4 < 2)
		csys_pool_shutdown(pool);
	else
		(void)csys_pool_shutdown_now(pool);
	if (round % 5 == 0)
		assert_int_equal(csys_pool_wait_idle(pool), 0);
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(threads[i], NULL);
	if (round % 5 == 1)
		assert_int_equal(csys_pool_wait_idle(pool), 0);
	close_quiet_pool();
}

static void each_accepted_job_is_done_or_dropped_once(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		race_with_shutdown(round);
		assert_int_equal(done + dropped + cancelled, accepted);
		if (round % 4 < 2)
			assert_int_equal(dropped, 0);
	}
}

static void *wait_for_idle(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(csys_pool_wait_idle(pool), 0);
	return NULL;
}

static void *submit_some(void *unused)
{
	for (int i = 0; i < 20 * ROUNDS; i++)
		assert_int_equal(csys_pool_submit(pool, submit_another, unused), 0);
	return wait_for_idle(unused);
}

/* A lost wake is a hang. */
static void waits_for_idle_race_with_jobs_that_submit(void **state)
{
	(void)state;
	pthread_t threads[4];
	open_pool(2, 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i % 2 ? wait_for_idle : submit_some, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(done, 2 * 2 * 20 * ROUNDS);
	close_quiet_pool();
}

static int refuse_at_the_gate(void)
{
	csys_event_set(&reached);
	csys_event_wait(&gate);
	return 1;
}

static void *submit_in_vain(void *unused)
{
	CHECK(csys_pool_submit(pool, add_one, NULL) == CSYS_ENOMEM);
	return unused;
}

/* The index of its job is claimed while it asks for memory.  A lost wake is a hang. */
static void a_submit_without_memory_keeps_none_from_seeing_the_pool_idle(void **state)
{
	(void)state;
	pthread_t submitter, waiter;
	open_pool(1, 0);
	const struct channel queue = { .tx = pool->tx.core, .rx = pool->rx.core };
	struct csysi_channel *c = csysi_channel_of_sender(queue.tx);
	close_gate(&queue); /* so the sides are shared */
	open_gate(&queue);
	while (((csysi_load_relaxed(&c->tail) + 2) & ((1u << c->layout.shift) - 1)) != 0)
		submit(add_one); /* until the next one needs a new block */
	await_receivers(&queue, 1);
	csysi_store_release(&refuses_memory, refuse_at_the_gate);
	pthread_create(&submitter, NULL, submit_in_vain, NULL);
	csys_event_wait(&reached);
	pthread_create(&waiter, NULL, wait_for_idle, NULL);
	while (csysi_load_relaxed(&pool->waiting) == 0)
		take_a_nap();
	take_a_nap(); /* so it sleeps, perhaps */
	csys_event_set(&gate);
	pthread_join(submitter, NULL);
	pthread_join(waiter, NULL);
	csysi_store_release(&refuses_memory, NULL);
	close_quiet_pool();
}

static void *submit_chain(void *left)
{
	if ((uintptr_t)left > 0) {
		int r = csys_pool_submit(pool, submit_chain, (void *)((uintptr_t)left - 1));
		note(r);
	}
	return add_one(left);
}

static void a_close_races_with_jobs_that_submit(void **state)
{
	(void)state;
	for (int round = 0; round < 4 * ROUNDS; round++) {
		open_pool(round % 3 + 1, 0);
		note(csys_pool_submit(pool, submit_chain, (void *)(uintptr_t)1000000));
		for (int i = 0; i < round % 5; i++)
			csys_thread_yield();
		close_quiet_pool();
		assert_int_equal(done, accepted);
		assert_int_equal(dropped, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_join_gives_the_result),
		TEST_ONE(a_task_without_references_is_run),
		TEST_ONE(a_task_that_has_not_begun_can_be_cancelled),
		TEST_ONE(a_panic_is_told_and_the_pool_goes_on),
		TEST_ONE(a_thread_that_a_job_ends_is_replaced),
		TEST_ONE(a_hook_of_a_thread_of_the_pool_cannot_wait_for_it),
		TEST_ONE(a_pool_that_has_lost_its_last_thread_drops_all),
		TEST_ONE(threads_that_wait_for_room_go_on_when_the_pool_has_lost_its_last_thread),
		TEST_ONE(jobs_may_join_what_they_submit),
		TEST_ONE(a_task_that_joins_itself_is_told_and_one_that_it_joins_may_panic),
		TEST_ONE(all_that_join_a_task_are_woken),
		TEST_ONE(each_accepted_job_is_done_or_dropped_once),
		TEST_ONE(waits_for_idle_race_with_jobs_that_submit),
		TEST_ONE(a_submit_without_memory_keeps_none_from_seeing_the_pool_idle),
		TEST_ONE(a_close_races_with_jobs_that_submit),
	};
	count_memory();
	return RUN(tests);
}
