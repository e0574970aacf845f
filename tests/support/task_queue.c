/*
 * support/task_queue.c - what the tests of task queues share.
 */
#include "support/task_queue.h"

#include "base/atomic.h"
#include "support/support.h"

csys_task_queue *made_queue(size_t capacity)
{
	const csys_task_queue_options options = { .capacity = capacity };
	csys_task_queue *queue = NULL;
	assert_int_equal(csys_task_queue_new(&options, &queue), 0);
	return queue;
}

csys_handle queue_handle(csys_task_queue *queue)
{
	csys_handle handle = CSYS_NO_HANDLE;
	assert_int_equal(csys_task_queue_handle(queue, &handle), 0);
	return handle;
}

int is_ready_until(csys_handle handle, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, deadline);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

int is_ready(csys_handle handle)
{
	return is_ready_until(handle, CSYS_POLL);
}

size_t run_all(csys_task_queue *queue)
{
	return csys_task_queue_run_pending(queue, SIZE_MAX);
}

void count_a_call(void *counts)
{
	(void)csysi_add_relaxed(&((struct counts *)counts)->calls, 1);
}

void count_a_drop(void *counts)
{
	(void)csysi_add_relaxed(&((struct counts *)counts)->drops, 1);
}

void assert_posts(csys_task_queue *queue, struct counts *counts)
{
	assert_int_equal(csys_task_queue_post(queue, count_a_call, counts, count_a_drop), 0);
}

void close_queue(void *queue)
{
	csys_task_queue_close(queue);
}

void panic_in_task(void *unused)
{
	(void)unused;
	csys_panic("a task");
}

void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void *run_loop(void *queue)
{
	csys_task_queue_run(queue);
	return NULL;
}

pthread_t begun_loop(csys_task_queue *queue)
{
	struct counts counts = { 0, 0 };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, run_loop, queue), 0);
	while (csys_task_queue_is_current(queue))
		csys_thread_yield(); /* this thread was the loop until then */
	assert_int_equal(csys_task_queue_call(queue, count_a_call, &counts), 0);
	assert_int_equal(counts.calls, 1);
	return thread;
}

void end_loop(csys_task_queue *queue, pthread_t thread)
{
	assert_int_equal(csys_task_queue_post(queue, close_queue, queue, NULL), 0);
	pthread_join(thread, NULL);
	csys_task_queue_unref(queue);
}
