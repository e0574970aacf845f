/*
 * support/task_queue.h - what the tests of task queues share.
 */
#ifndef CSYS_TEST_TASK_QUEUE_H
#define CSYS_TEST_TASK_QUEUE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "support/support.h"

/* Make a queue, asserting that it works; 0: no bound. */
csys_task_queue *made_queue(size_t capacity);

csys_handle queue_handle(csys_task_queue *queue);
int is_ready_until(csys_handle handle, csys_deadline deadline);
int is_ready(csys_handle handle);

/* Run what is queued; how many tasks that were. */
size_t run_all(csys_task_queue *queue);

/* What became of a task. */
struct counts {
	uint32_t calls, drops; /* atomic */
};

/* A task that counts, and its drop function. */
void count_a_call(void *counts);
void count_a_drop(void *counts);
void assert_posts(csys_task_queue *queue, struct counts *counts);

/* A task that closes a queue; one that panics; and a hook that does not tell of it. */
void close_queue(void *queue);
void panic_in_task(void *unused);
void be_silent(const csys_panic_info *info, void *context);

/* A thread that is the loop by now; and its end, with a reference. */
pthread_t begun_loop(csys_task_queue *queue);
void end_loop(csys_task_queue *queue, pthread_t thread);

#endif
