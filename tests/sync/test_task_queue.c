/*
 * sync/test_task_queue.c - promises of csys/sync/task_queue.h: order, wakes and calls.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/channel.h"
#include "support/support.h"
#include "support/task_queue.h"
#include "support/thread.h"

/* ---- order and wakes --------------------------------------------------------------------- */

enum { POSTERS = 4, EACH = 2000 };

struct numbered {
	int poster, number;
};

struct posters {
	csys_task_queue *queue;
	uint32_t begun;    /* atomic */
	int next[POSTERS]; /* the loop's */
	struct numbered tasks[POSTERS][EACH];
};
static struct posters posters;

static void see_number(void *task)
{
	const struct numbered *numbered = task;
	assert_int_equal(numbered->number, posters.next[numbered->poster]++);
}

static void *post_numbers(void *unused)
{
	(void)unused;
	int poster = (int)csysi_add_relaxed(&posters.begun, 1) - 1;
	for (int i = 0; i < EACH; i++) {
		struct numbered *task = &posters.tasks[poster][i];
		*task = (struct numbered){ poster, i };
		assert_int_equal(csys_task_queue_post(posters.queue, see_number, task, NULL), 0);
	}
	return NULL;
}

static void the_tasks_of_a_thread_are_called_in_order_by_a_loop_that_waits(void **state)
{
	(void)state;
	static const size_t capacities[] = { 0, 3 };
	for (int c = 0; c < 2; c++) {
		pthread_t threads[POSTERS];
		size_t left = (size_t)POSTERS * EACH;
		posters.queue = made_queue(capacities[c]);
		posters.begun = 0;
		csys_handle handle = queue_handle(posters.queue);
		for (int i = 0; i < POSTERS; i++) {
			posters.next[i] = 0;
			assert_int_equal(pthread_create(&threads[i], NULL, post_numbers, NULL), 0);
		}
		while (left > 0) {
			assert_int_equal(is_ready_until(handle, csys_after_ms(20000)), 1);
			left -= csys_task_queue_run_pending(posters.queue, 100);
		}
		for (int i = 0; i < POSTERS; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(posters.next[i], EACH);
		}
		assert_int_equal(is_ready(handle), 0);
		csys_task_queue_unref(posters.queue);
	}
}

static void a_burst_makes_the_handle_ready_once(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	csys_handle handle = queue_handle(queue);
	struct counts counts = { 0, 0 };
	assert_true(queue_handle(queue) == handle);
	for (int burst = 1; burst <= 3; burst++) {
		assert_int_equal(is_ready(handle), 0);
		for (int i = 0; i < 100; i++) {
			assert_posts(queue, &counts);
			assert_int_equal(is_ready(handle), 1);
		}
		assert_int_equal(csys_task_queue_len(queue), 100);
		assert_int_equal(run_all(queue), 100);
		assert_int_equal(counts.calls, 100 * burst);
		assert_int_equal(csys_task_queue_len(queue), 0);
	}
	assert_int_equal(is_ready(handle), 0);
	csys_task_queue_unref(queue);
	assert_int_equal(counts.drops, 0);
}

static void no_more_tasks_are_called_than_the_loop_asks_for(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	csys_handle handle = queue_handle(queue);
	struct counts counts = { 0, 0 };
	size_t count = 77;
	for (int i = 0; i < 10; i++)
		assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_run_pending(queue, 0), 0);
	assert_int_equal(csys_task_queue_run_until(queue, 0, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(counts.calls, 0);
	assert_int_equal(csys_task_queue_run_pending(queue, 3), 3);
	assert_int_equal(csys_task_queue_run_until(queue, 1, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(csys_task_queue_run_until(queue, 2, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(counts.calls, 6);
	assert_int_equal(is_ready(handle), 1);
	assert_int_equal(csys_task_queue_run_until(queue, SIZE_MAX, CSYS_POLL, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(csys_task_queue_run_until(queue, 1, CSYS_POLL, &count), CSYS_ETIMEDOUT);
	assert_int_equal(count, 4);
	assert_int_equal(is_ready(handle), 0);
	csys_task_queue_unref(queue);
}

static csys_task_queue *again;
static size_t runs_inside;

static void post_again(void *counts)
{
	count_a_call(counts);
	assert_int_equal(csys_task_queue_post(again, post_again, counts, count_a_drop), 0);
}

static void a_task_that_posts_itself_is_called_once_each_time(void **state)
{
	(void)state;
	struct counts counts = { 0, 0 };
	size_t count;
	again = made_queue(0);
	csys_handle handle = queue_handle(again);
	post_again(&counts);
	assert_int_equal(run_all(again), 1);
	assert_int_equal(is_ready(handle), 1);
	assert_int_equal(csys_task_queue_run_until(again, SIZE_MAX, CSYS_FOREVER, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(counts.calls, 3);
	csys_task_queue_unref(again);
	assert_int_equal(counts.drops, 1);
}

static void run_inside(void *unused)
{
	(void)unused;
	runs_inside = run_all(again);
}

static void a_task_may_run_the_queue(void **state)
{
	(void)state;
	struct counts counts = { 0, 0 };
	again = made_queue(0);
	assert_int_equal(csys_task_queue_post(again, run_inside, NULL, NULL), 0);
	assert_posts(again, &counts);
	assert_posts(again, &counts);
	assert_int_equal(run_all(again), 1);
	assert_int_equal(runs_inside, 2);
	assert_int_equal(counts.calls, 2);
	csys_task_queue_unref(again);
}

/* ---- calls ------------------------------------------------------------------------------- */

static void the_loop_thread_is_the_one_that_runs_the_queue_and_calls_at_once(void **state)
{
	(void)state;
	struct counts first = { 0, 0 }, counts = { 0, 0 };
	csys_task_queue *queue = made_queue(0);
	assert_int_equal(csys_task_queue_is_current(queue), 0);
	assert_int_equal(csys_task_queue_run_pending(queue, 0), 0);
	assert_int_equal(csys_task_queue_is_current(queue), 1);
	assert_posts(queue, &first);
	assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts), 0);
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, CSYS_POLL), 0);
	assert_int_equal(counts.calls, 2);
	assert_int_equal(first.calls, 0);
	pthread_t thread = begun_loop(queue);
	assert_int_equal(first.calls, 1);
	assert_int_equal(csys_task_queue_is_current(queue), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts), 0);
	assert_int_equal(counts.calls, 302);
	end_loop(queue, thread);
}

static void a_call_that_has_not_begun_by_its_deadline_never_does(void **state)
{
	(void)state;
	struct counts counts = { 0, 0 };
	csys_task_queue *queue = made_queue(0);
	size_t count = 77;
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_task_queue_run_until(queue, 1, CSYS_POLL, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(run_all(queue), 0);
	assert_int_equal(counts.calls, 0);
	csys_task_queue_unref(queue);
	queue = made_queue(0);
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	csys_task_queue_unref(queue); /* and it is not dropped a second time */
}

struct slow {
	csys_deadline deadline;
	int is_begun, is_done;
};

static void outlast(void *argument)
{
	struct slow *slow = argument;
	slow->is_begun = 1;
	csys_thread_sleep_until(slow->deadline);
	take_a_nap();
	slow->is_done = 1;
}

static void a_call_that_has_begun_is_waited_for(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	pthread_t thread = begun_loop(queue);
	struct slow slow = { CSYS_POLL, 0, 0 };
	for (int64_t ms = 2; !slow.is_begun; ms *= 2) {
		slow.deadline = csys_after_ms(ms);
		int r = csys_task_queue_call_until(queue, outlast, &slow, slow.deadline);
		assert_int_equal(r, slow.is_begun ? 0 : CSYS_ETIMEDOUT);
		assert_int_equal(slow.is_done, slow.is_begun);
	}
	end_loop(queue, thread);
}

static void a_panic_in_a_call_is_told_to_its_caller_and_the_loop_goes_on(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	pthread_t thread = begun_loop(queue);
	struct counts counts = { 0, 0 };
	csys_panic_set_hook(be_silent, NULL);
	assert_int_equal(csys_task_queue_call(queue, panic_in_task, NULL), CSYS_EPANICKED);
	assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts), 0);
	end_loop(queue, thread);
	queue = made_queue(0);
	csys_task_queue_run_pending(queue, 0);
	assert_int_equal(csys_task_queue_call(queue, panic_in_task, NULL), CSYS_EPANICKED);
	csys_panic_set_hook(NULL, NULL);
	csys_task_queue_unref(queue);
}

static void run_all_of(void *queue)
{
	run_all(queue);
}

static void a_panic_in_a_posted_task_goes_through_the_loop_and_leaves_the_others(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	csys_handle handle = queue_handle(queue);
	struct counts counts = { 0, 0 };
	assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(csys_task_queue_post(queue, panic_in_task, NULL, NULL), 0);
	assert_posts(queue, &counts);
	csys_panic_set_hook(be_silent, NULL);
	assert_int_equal(csys_panic_catch(run_all_of, queue, NULL), CSYS_EPANICKED);
	csys_panic_set_hook(NULL, NULL);
	assert_int_equal(counts.calls, 1);
	assert_int_equal(is_ready(handle), 1);
	assert_int_equal(run_all(queue), 1);
	assert_int_equal(is_ready(handle), 0);
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(is_ready(handle), 1);
	csys_task_queue_unref(queue);
	assert_int_equal(counts.drops, 0);
}

static void do_nothing(void *unused)
{
	(void)unused;
}

/* ---- wrong arguments --------------------------------------------------------------------- */

static void a_task_without_a_function_is_refused(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	assert_int_equal(csys_task_queue_post(queue, NULL, NULL, do_nothing), CSYS_EINVAL);
	assert_int_equal(csys_task_queue_post_until(queue, NULL, NULL, NULL, CSYS_POLL),
			 CSYS_EINVAL);
	assert_int_equal(csys_task_queue_try_post(queue, NULL, NULL, do_nothing), CSYS_EINVAL);
	assert_int_equal(csys_task_queue_call(queue, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_task_queue_len(queue), 0);
	csys_task_queue_unref(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(the_tasks_of_a_thread_are_called_in_order_by_a_loop_that_waits),
		TEST_ONE(a_burst_makes_the_handle_ready_once),
		TEST_ONE(no_more_tasks_are_called_than_the_loop_asks_for),
		TEST_ONE(a_task_that_posts_itself_is_called_once_each_time),
		TEST_ONE(a_task_may_run_the_queue),
		TEST_ONE(the_loop_thread_is_the_one_that_runs_the_queue_and_calls_at_once),
		TEST_ONE(a_call_that_has_not_begun_by_its_deadline_never_does),
		TEST_ONE(a_call_that_has_begun_is_waited_for),
		TEST_ONE(a_panic_in_a_call_is_told_to_its_caller_and_the_loop_goes_on),
		TEST_ONE(a_panic_in_a_posted_task_goes_through_the_loop_and_leaves_the_others),
		TEST_ONE(a_task_without_a_function_is_refused),
	};
	count_memory();
	(void)!csys_panic_catch(do_nothing, NULL, NULL); /* this thread has its memory for that */
	return RUN(tests);
}
