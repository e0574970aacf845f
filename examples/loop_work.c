/*
 * examples/loop_work.c - work for an event loop: channels, tasks and a child.
 */
#include "loop_work.h"

#include <stdio.h>
#include <stdlib.h>

enum { JOBS = 100, WORKERS = 3 };

struct result {
	int number, square;
};

CSYS_CHANNEL_DEFINE(jobs, int);
CSYS_CHANNEL_DEFINE(results, struct result);

/* The loop's alone; workers get what is theirs as an argument. */
static jobs_sender to_workers;
static results_receiver from_workers;
static csys_task_queue *queue;
static csys_child *child;
static csys_thread *threads[WORKERS + 1];
static size_t thread_count;
static int next_job = 1;
static int got, sum, workers_done;
static csys_exit child_exit;

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "cannot %s: %s\n", what, csys_strerror(r));
	exit(1);
}

static void start(csys_thread_function *function, void *argument)
{
	check(csys_thread_spawn(function, argument, NULL, &threads[thread_count++]),
	      "start a thread");
}

/* ---- the workers ------------------------------------------------------------------------- */

struct ends {
	jobs_receiver jobs;
	results_sender results;
};

/* Called by the loop: what a worker says goes to variables of the loop, without a lock. */
static void worker_is_done(void *ends)
{
	free(ends);
	workers_done++;
}

static void *work(void *argument)
{
	struct ends *ends = argument;

	CSYS_CHANNEL_EACH(jobs, ends->jobs, number)
	{
		const struct result result = { number, number * number };
		if (results_send(ends->results, &result) < 0)
			break;
	}
	jobs_receiver_close(ends->jobs);
	results_sender_close(ends->results);
	check(csys_task_queue_post(queue, worker_is_done, ends, free), "post a task");
	return NULL;
}

/* ---- what the loop does ------------------------------------------------------------------ */

static int send_jobs(void)
{
	while (next_job <= JOBS) {
		int r = jobs_try_send(to_workers, &next_job);
		if (r == CSYS_EAGAIN)
			return 1; /* full: when there is room again */
		check(r, "send a job");
		next_job++;
	}
	return 0;
}

/* The workers end when no more jobs come. */
static void close_jobs(void)
{
	jobs_sender_close(to_workers);
}

static int take_results(void)
{
	struct result result;
	int r;

	while ((r = results_try_recv(from_workers, &result)) == 0) {
		got++;
		sum += result.square;
	}
	return r == CSYS_EAGAIN; /* else all workers have closed their ends */
}

/* Something has ended: have run_tasks look whether it was the last. */
static void come_round(void)
{
	check(csys_task_queue_wake(queue), "wake the loop");
}

static void close_results(void)
{
	results_receiver_close(from_workers);
	from_workers.core = NULL;
	come_round();
}

/* At most ten before the loop looks at its other handles; the queue stays ready. */
static int run_tasks(void)
{
	csys_task_queue_run_pending(queue, 10);
	return !work_is_over();
}

static void close_tasks(void)
{
	csys_task_queue_close(queue);
}

static int look_at_child(void)
{
	int r = csys_child_try_wait(child, &child_exit);
	if (r == CSYS_EAGAIN)
		return 1;
	check(r, "wait for the child");
	return 0;
}

static void close_child(void)
{
	csys_child_close(child, CSYS_CLOSE_DETACH);
	child = NULL;
	come_round();
}

/* Where a child has no handle, a thread waits, and has the loop do this. */
static void child_has_ended(void *unused)
{
	(void)unused;
	if (!look_at_child())
		close_child();
}

static void *wait_for_child(void *unused)
{
	csys_exit end;

	(void)unused;
	check(csys_child_wait(child, &end), "wait for the child");
	check(csys_task_queue_post(queue, child_has_ended, NULL, NULL), "post a task");
	return NULL;
}

struct source sources[SOURCES] = {
	{ CSYS_NO_HANDLE, send_jobs, close_jobs },
	{ CSYS_NO_HANDLE, take_results, close_results },
	{ CSYS_NO_HANDLE, run_tasks, close_tasks },
	{ CSYS_NO_HANDLE, look_at_child, close_child },
};

/* ---- beginning and end ------------------------------------------------------------------- */

static void start_workers(void)
{
	const csys_channel_options many = { .many_receivers = 1 };
	struct ends ends;

	check(jobs_new(2, &many, &to_workers, &ends.jobs), "make a channel");
	check(results_new(CSYS_UNBOUNDED, NULL, &ends.results, &from_workers), "make a channel");
	for (int i = 0; i < WORKERS; i++) {
		struct ends *own = malloc(sizeof *own);
		check(own ? 0 : CSYS_ENOMEM, "start a worker");
		own->jobs = jobs_receiver_clone(ends.jobs);
		own->results = results_sender_clone(ends.results);
		start(work, own);
	}
	jobs_receiver_close(ends.jobs);
	results_sender_close(ends.results);
}

void work_begin(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s PROGRAM [ARGUMENT...]\n", argv[0]);
		exit(2);
	}
	csys_command *command = csys_command_new(argv[1]);
	csys_command_args(command, (const char *const *)argv + 2);
	check(csys_command_spawn(command, &child), "start the program");
	csys_command_free(command);
	check(csys_task_queue_new(NULL, &queue), "make a queue");
	start_workers();
	check(csys_sender_handle(to_workers.core, &sources[0].handle), "get a handle");
	check(csys_receiver_handle(from_workers.core, &sources[1].handle), "get a handle");
	check(csys_task_queue_handle(queue, &sources[2].handle), "get a handle");
	sources[3].handle = csys_child_handle(child);
	if (sources[3].handle == CSYS_NO_HANDLE)
		start(wait_for_child, NULL);
}

int work_is_over(void)
{
	return workers_done == WORKERS && !child && !from_workers.core;
}

int work_end(void)
{
	char text[CSYS_EXIT_TEXT];

	for (size_t i = 0; i < thread_count; i++) {
		check(csys_thread_join(threads[i], NULL), "join a thread");
		csys_thread_unref(threads[i]);
	}
	csys_task_queue_unref(queue);
	printf("%d results, sum %d\n", got, sum);
	printf("%d workers are done\n", workers_done);
	printf("child: %s\n", csys_exit_text(child_exit, text, sizeof text));
	return 0;
}
