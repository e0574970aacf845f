/*
 * sync/test_task_queue_close.c - csys/sync/task_queue.h: its end, full queues and wakes.
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

/* ---- the end ----------------------------------------------------------------------------- */

static void assert_refuses(csys_task_queue *queue)
{
	struct counts counts = { 0, 0 };
	size_t count = 77;
	assert_int_equal(csys_task_queue_is_closed(queue), 1);
	for (int is_loop = 0; is_loop < 2; is_loop++) {
		assert_int_equal(csys_task_queue_post(queue, count_a_call, &counts, count_a_drop),
				 CSYS_EDISCONNECTED);
		assert_int_equal(csys_task_queue_post_until(queue, count_a_call, &counts,
							    count_a_drop, CSYS_POLL),
				 CSYS_EDISCONNECTED);
		assert_int_equal(
			csys_task_queue_try_post(queue, count_a_call, &counts, count_a_drop),
			CSYS_EDISCONNECTED);
		assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts),
				 CSYS_EDISCONNECTED);
		assert_int_equal(csys_task_queue_wake(queue), CSYS_EDISCONNECTED);
		assert_int_equal(run_all(queue), 0);
		assert_int_equal(csys_task_queue_run_until(queue, 1, CSYS_FOREVER, &count),
				 CSYS_EDISCONNECTED);
		csys_task_queue_run(queue);
	}
	assert_int_equal(count, 77);
	assert_int_equal(counts.calls + counts.drops, 0);
}

static void close_drops_what_is_queued_and_refuses_the_rest(void **state)
{
	(void)state;
	for (size_t capacity = 0; capacity < 2; capacity++) {
		csys_task_queue *queue = made_queue(capacity);
		struct counts counts = { 0, 0 };
		assert_int_equal(csys_task_queue_is_closed(queue), 0);
		assert_posts(queue, &counts);
		for (int i = 0; capacity == 0 && i < 500; i++)
			assert_posts(queue, &counts);
		assert_int_equal(csys_task_queue_wake(queue), 0);
		csys_task_queue_close(queue);
		assert_int_equal(counts.drops, capacity == 0 ? 501 : 1);
		csys_task_queue_close(queue);
		assert_int_equal(counts.calls, 0);
		assert_refuses(queue);
		csys_task_queue_unref(queue);
	}
}

static void a_task_that_closes_is_the_last_one(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	struct counts counts = { 0, 0 };
	assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_post(queue, close_queue, queue, NULL), 0);
	assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_post(queue, count_a_call, &counts, NULL), 0);
	assert_int_equal(run_all(queue), 2);
	assert_int_equal(counts.calls, 1);
	assert_int_equal(counts.drops, 1);
	assert_refuses(queue);
	csys_task_queue_unref(queue);
}

static void the_last_reference_closes(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	struct counts counts = { 0, 0 };
	assert_posts(queue, &counts);
	csys_task_queue *other = csys_task_queue_ref(queue);
	assert_ptr_equal(other, queue);
	csys_task_queue_unref(queue);
	assert_int_equal(counts.drops, 0);
	csys_task_queue_unref(other);
	assert_int_equal(counts.drops, 1);
	csys_task_queue_unref(NULL);
}

static void *call_a_closed_one(void *queue)
{
	struct counts counts = { 0, 0 };
	assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts), CSYS_EDISCONNECTED);
	assert_int_equal(counts.calls, 0);
	return NULL;
}

static void close_lets_callers_go_on(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(0);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_a_closed_one, queue), 0);
	while (csys_task_queue_len(queue) < 2)
		csys_thread_yield();
	csys_task_queue_close(queue); /* the third one may still be on its way */
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	csys_task_queue_unref(queue);
}

enum { POSTERS = 4, ROUNDS = 150, MOST = 400 };

struct race {
	csys_task_queue *queue;
	uint32_t begun; /* atomic */
	uint32_t posted[POSTERS];
	struct counts tasks[POSTERS][MOST];
};
static struct race race;

static void *post_until_refused(void *unused)
{
	(void)unused;
	uint32_t me = csysi_add_relaxed(&race.begun, 1) - 1, n = 0;
	while (n < MOST && csys_task_queue_post(race.queue, count_a_call, &race.tasks[me][n],
						count_a_drop) == 0)
		n++;
	race.posted[me] = n;
	return NULL;
}

static void what_is_posted_while_it_is_closed_is_called_dropped_or_refused_once(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		pthread_t threads[POSTERS];
		memset(&race, 0, sizeof race);
		race.queue = made_queue(round % 3 == 0 ? 0 : (size_t)(round % 3) * 2);
		for (int i = 0; i < POSTERS; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, post_until_refused, NULL), 0);
		for (int left = round % 40; left > 0; left--)
			csys_task_queue_run_pending(race.queue, 7);
		csys_task_queue_close(race.queue);
		for (int i = 0; i < POSTERS; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < POSTERS; i++)
			for (uint32_t n = 0; n < MOST; n++) {
				const struct counts *task = &race.tasks[i][n];
				assert_int_equal(task->calls + task->drops, n < race.posted[i]);
			}
		csys_task_queue_unref(race.queue);
	}
}

/* ---- full queues ------------------------------------------------------------------------- */

static void *post_one(void *queue)
{
	static struct counts counts;
	assert_int_equal(csys_task_queue_post(queue, count_a_call, &counts, NULL), 0);
	return NULL;
}

static void a_full_queue_takes_no_more_and_its_loop_does_not_wait_for_itself(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(2);
	struct counts counts = { 0, 0 };
	assert_posts(queue, &counts);
	assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_try_post(queue, count_a_call, &counts, count_a_drop),
			 CSYS_EAGAIN);
	assert_int_equal(csys_task_queue_post_until(queue, count_a_call, &counts, count_a_drop,
						    csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	csys_task_queue_run_pending(queue, 0);
	assert_int_equal(csys_task_queue_post(queue, count_a_call, &counts, count_a_drop),
			 CSYS_EDEADLK);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, post_one, queue), 0);
	assert_int_equal(run_all(queue), 2);
	pthread_join(thread, NULL);
	assert_int_equal(run_all(queue), 1);
	assert_int_equal(counts.calls, 2);
	csys_task_queue_unref(queue);
	assert_int_equal(counts.drops, 0);
}

/* ---- wakes without tasks ----------------------------------------------------------------- */

static void any_number_of_wakes_are_one_and_no_task(void **state)
{
	(void)state;
	for (size_t capacity = 0; capacity < 2; capacity++) {
		csys_task_queue *queue = made_queue(capacity);
		csys_handle handle = queue_handle(queue);
		size_t count = 77;
		for (int round = 0; round < 3; round++) {
			assert_int_equal(is_ready(handle), 0);
			for (int i = 0; i < 10; i++)
				assert_int_equal(csys_task_queue_wake(queue), 0);
			assert_int_equal(csys_task_queue_len(queue), 1);
			assert_int_equal(is_ready(handle), 1);
			assert_int_equal(run_all(queue), 0);
		}
		assert_int_equal(is_ready(handle), 0);
		assert_int_equal(csys_task_queue_wake(queue), 0);
		assert_int_equal(csys_task_queue_run_until(queue, 5, CSYS_POLL, &count), 0);
		assert_int_equal(count, 0);
		csys_task_queue_unref(queue);
	}
}

static void a_full_queue_needs_no_wake_and_takes_one_afterwards(void **state)
{
	(void)state;
	csys_task_queue *queue = made_queue(1);
	csys_handle handle = queue_handle(queue);
	struct counts counts = { 0, 0 };
	assert_posts(queue, &counts);
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(run_all(queue), 1);
	assert_int_equal(is_ready(handle), 0);
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(is_ready(handle), 1);
	csys_task_queue_unref(queue);
}

enum { WAKERS = 3, WAKES = 300 };

static struct wakers {
	csys_task_queue *queue;
	uint32_t begun;
	csys_semaphore seen[WAKERS];
	int wanted[WAKERS]; /* atomic: set by the waker, taken by the loop */
} wakers;

/* Changes what the loop looks at, and goes on when the loop has seen it. */
static void *wake_for_each(void *unused)
{
	(void)unused;
	uint32_t me = csysi_add_relaxed(&wakers.begun, 1) - 1;
	for (int i = 0; i < WAKES; i++) {
		csysi_store_relaxed(&wakers.wanted[me], 1);
		assert_int_equal(csys_task_queue_wake(wakers.queue), 0);
		csys_semaphore_wait(&wakers.seen[me]);
	}
	return NULL;
}

static int take_wanted(void)
{
	int taken = 0;
	for (int i = 0; i < WAKERS; i++)
		if (csysi_swap_acquire(&wakers.wanted[i], 0)) {
			taken++;
			assert_int_equal(csys_semaphore_post(&wakers.seen[i], 1), 0);
		}
	return taken;
}

enum { POSTS = 200 };

static void *post_some(void *queue)
{
	static struct counts counts;
	for (int i = 0; i < POSTS; i++)
		assert_int_equal(csys_task_queue_post(queue, count_a_call, &counts, NULL), 0);
	return NULL;
}

static void no_wake_is_lost(void **state)
{
	(void)state;
	for (size_t capacity = 0; capacity < 2; capacity++) {
		pthread_t threads[WAKERS], poster;
		memset(&wakers, 0, sizeof wakers);
		wakers.queue = made_queue(capacity);
		csys_handle handle = queue_handle(wakers.queue);
		for (int i = 0; i < WAKERS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, wake_for_each, NULL), 0);
		/* One that has the queue full now and then. */
		assert_int_equal(pthread_create(&poster, NULL, post_some, wakers.queue), 0);
		for (int left = WAKERS * WAKES + POSTS; left > 0;) {
			assert_int_equal(is_ready_until(handle, csys_after_ms(20000)), 1);
			left -= (int)run_all(wakers.queue);
			left -= take_wanted();
		}
		for (int i = 0; i < WAKERS; i++)
			pthread_join(threads[i], NULL);
		pthread_join(poster, NULL);
		csys_task_queue_unref(wakers.queue);
	}
}

/* ---- trouble ----------------------------------------------------------------------------- */

static void without_memory_or_handles_nothing_is_made_or_posted(void **state)
{
	(void)state;
	csys_task_queue *queue = NULL;
	const csys_task_queue_options options = { .capacity = SIZE_MAX / 2 };
	assert_int_equal(csys_task_queue_new(&options, &queue), CSYS_EINVAL);
	int nth = 1;
	for (int r = -1; r < 0; nth++) {
		assert_null(queue);
		csysi_fault_arm(nth);
		r = csys_task_queue_new(NULL, &queue);
		csysi_fault_arm(0);
		assert_true(r == 0 || r == CSYS_ENOMEM);
	}
	assert_true(nth > 3);
	csys_handle handle = CSYS_NO_HANDLE;
	for (int r = -1, n = 1; r < 0; n++) {
		assert_true(handle == CSYS_NO_HANDLE);
		csysi_fault_arm(n);
		r = csys_task_queue_handle(queue, &handle);
		csysi_fault_arm(0);
	}
	struct counts counts = { 0, 0 };
	csysi_fault_arm(1);
	assert_int_equal(csys_task_queue_call_until(queue, count_a_call, &counts, CSYS_POLL),
			 CSYS_ENOMEM);
	csysi_fault_arm(0);
	/* A post needs memory now and then: one that has none has left nothing. */
	size_t posted = 0, refused = 0;
	for (; refused < 3; posted++) {
		csysi_fault_arm(1);
		int r = csys_task_queue_post(queue, count_a_call, &counts, count_a_drop);
		csysi_fault_arm(0);
		if (r == 0)
			continue;
		assert_int_equal(r, CSYS_ENOMEM);
		refused++;
		csysi_fault_arm(1);
		assert_int_equal(csys_task_queue_wake(queue), CSYS_ENOMEM);
		csysi_fault_arm(0);
		assert_posts(queue, &counts);
	}
	assert_int_equal(csys_task_queue_wake(queue), 0);
	assert_int_equal(csys_task_queue_len(queue), posted + 1);
	assert_int_equal(run_all(queue), posted);
	csys_task_queue_unref(queue);
	assert_int_equal(counts.drops, 0);
}

static csys_task_queue *of_parent;
static struct counts of_tasks;

static void release_the_parent_s(void)
{
	csys_task_queue_close(of_parent);
	csys_task_queue_unref(of_parent);
	CHECK(of_tasks.drops == 0 && of_tasks.calls == 0);
}

static void a_forked_child_destroys_none_of_its_parent_s_tasks(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("memcheck takes the queue of the parent for lost in a child");
	of_parent = made_queue(0);
	of_tasks = (struct counts){ 0, 0 };
	csys_handle handle = queue_handle(of_parent);
	assert_posts(of_parent, &of_tasks);
	in_child(release_the_parent_s);
	assert_int_equal(is_ready(handle), 1);
	assert_int_equal(run_all(of_parent), 1);
	assert_int_equal(is_ready(handle), 0);
	csys_task_queue_unref(of_parent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(close_drops_what_is_queued_and_refuses_the_rest),
		TEST_ONE(a_task_that_closes_is_the_last_one),
		TEST_ONE(the_last_reference_closes),
		TEST_ONE(close_lets_callers_go_on),
		TEST_ONE(what_is_posted_while_it_is_closed_is_called_dropped_or_refused_once),
		TEST_ONE(a_full_queue_takes_no_more_and_its_loop_does_not_wait_for_itself),
		TEST_ONE(any_number_of_wakes_are_one_and_no_task),
		TEST_ONE(a_full_queue_needs_no_wake_and_takes_one_afterwards),
		TEST_ONE(no_wake_is_lost),
		TEST_ONE(without_memory_or_handles_nothing_is_made_or_posted),
		TEST_ONE(a_forked_child_destroys_none_of_its_parent_s_tasks),
	};
	count_memory();
	return RUN(tests);
}
