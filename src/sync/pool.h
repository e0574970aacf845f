/*
 * sync/pool.h - a pool and its tasks, from inside.
 */
#ifndef CSYSI_SYNC_POOL_H
#define CSYSI_SYNC_POOL_H

#include <stdint.h>

#include <csys/sync/pool.h>
#include <csys/sync/typed_channel.h>

/* What is queued.  A task: `function` is csysi_task_mark, `argument` the task, and a reference. */
struct csysi_pool_job {
	csys_thread_function *function;
	void *argument;
};

CSYS_CHANNEL_DEFINE(csysi_pool_jobs, struct csysi_pool_job);

/* A place for a thread; another thread takes it if that one is ended by a job.  Its size keeps two
 * of them off one cache line. */
struct csysi_pool_worker {
	uint64_t
		done; /* atomic, written by the thread alone: jobs that it took and that are over */
	csys_pool *pool;
	csys_task *running; /* of the thread alone: the task that runs; see csys_task.before */
	int is_over;        /* of the thread alone: it ends since no job is left */
	char apart[128 - sizeof(uint64_t) - 2 * sizeof(void *) - sizeof(int)];
};

struct csys_pool {
	uint32_t state; /* atomic: pool.c */
	int is_bounded;
	intptr_t process; /* where it was made */
	csysi_pool_jobs_sender tx;
	csysi_pool_jobs_receiver rx;
	csys_pool_drop *drop;
	void *drop_argument;
	csys_thread_options how; /* its threads are started; what it points to is the pool's */
	int places;              /* in `workers` */
	csys_thread_scope threads;

	uint32_t alive;      /* atomic: places that have a thread */
	uint32_t blocked;    /* atomic: threads of the pool that wait for room in the queue */
	uint32_t waiting;    /* atomic: threads that wait until it is idle */
	uint32_t generation; /* atomic: they sleep on it */
	uint64_t dropped;    /* atomic: jobs taken to be dropped, by other threads than workers */
	size_t panicked;     /* atomic */
	struct csysi_pool_worker workers[];
};

/* ---- the calling thread: pool_worker.c ---------------------------------------------------- */

/* It takes this place. */
void csysi_pool_enter(struct csysi_pool_worker *worker);

/* It is ending, and another thread may take its place. */
void csysi_pool_leave(void);

/* Its place, if it is a thread of a pool that has not left; else NULL. */
struct csysi_pool_worker *csysi_pool_current(void);

/* Whether that is one of this pool. */
int csysi_pool_has_current(const csys_pool *pool);

/* Whether it is a thread of this pool, hooks at its end included. */
int csysi_pool_is_inside(const csys_pool *pool);

/* Count a job that has panicked. */
void csysi_pool_note_panic(csys_pool *pool);

/* ---- tasks: pool_task.c ------------------------------------------------------------------- */

void *csysi_task_mark(void *task);

/* With two references: the queue's and the caller's.  NULL: no memory. */
csys_task *csysi_task_new(const csys_pool *pool, csys_thread_function *function, void *argument);

/* It was not queued: drop both. */
void csysi_task_free(csys_task *task);

/* Run it, unless it was run or cancelled; gives up the queue's reference. */
void csysi_task_run(struct csysi_pool_worker *worker, csys_task *task);

/* The task that runs has panicked. */
void csysi_task_fail(struct csysi_pool_worker *worker, const char *message);

/* It will not be run: call `drop` of the pool.  1, or 0: it was run or cancelled before.  Gives up
 * the queue's reference. */
int csysi_task_drop(csys_pool *pool, csys_task *task);

#endif
