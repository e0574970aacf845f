/*
 * sync/pool_task.c - jobs of a pool that are waited for.
 *
 *     QUEUED --- a worker, or a thread of the pool that joins it ---> RUNNING --> RETURNED
 *       |                                                                +------> PANICKED
 *       +--- csys_task_cancel, or the pool drops it ---> RUNNING ---------------> CANCELED
 *
 * The thread that takes it from QUEUED is the only one that uses its function and argument, and
 * ends it.  A task that was taken by another thread than a worker stays in the queue, and the
 * worker that finds it there gives up the queue's reference, and nothing else.
 *
 * A thread that waits sets WAITED before it sleeps on the word; the one that ends the task swaps
 * the word, so it sees WAITED, or the other one sees the end.  It holds a reference until it has
 * woken the others.
 */
#include <csys/sync/panic.h>
#include <csys/sync/pool.h>

#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/pool.h"
#include "sync/spin.h"

enum { QUEUED, RUNNING, RETURNED, PANICKED, CANCELED };
#define WAITED 0x80u /* beside QUEUED and RUNNING */

struct csys_task {
	uint32_t references;   /* atomic */
	uint32_t state;        /* atomic */
	intptr_t process;      /* where it was submitted */
	const csys_pool *pool; /* used only while it is QUEUED or RUNNING; else for its address */
	csys_thread_function *function;
	void *argument;
	void *result;
	char *message;     /* of a panic; NULL: none, or no memory */
	csys_task *before; /* that the same thread was running when it began this one */
};

void *csysi_task_mark(void *task)
{
	return task; /* not called: it stands for a task in the queue */
}

csys_task *csysi_task_new(const csys_pool *pool, csys_thread_function *function, void *argument)
{
	csys_task *task = csysi_alloc(sizeof *task);

	if (task)
		*task = (csys_task){ .references = 2,
				     .process = pool->process,
				     .pool = pool,
				     .function = function,
				     .argument = argument };
	return task;
}

void csysi_task_free(csys_task *task)
{
	csysi_free(task->message);
	csysi_free(task);
}

csys_task *csys_task_ref(csys_task *task)
{
	/* Relaxed: the caller has a reference, so the task stays. */
	csysi_add_relaxed(&task->references, 1);
	return task;
}

void csys_task_unref(csys_task *task)
{
	/* Acquire and release: the last one frees what all others have used. */
	if (task && csysi_sub_acq_rel(&task->references, 1) == 0)
		csysi_task_free(task);
}

/* ---- from its beginning to its end -------------------------------------------------------- */

/* Take it from QUEUED: 1, or 0. */
static int begin(csys_task *task)
{
	/* Relaxed, both: what is in the task was seen by all that have a reference. */
	uint32_t state = csysi_load_relaxed(&task->state);

	do
		if ((state & ~WAITED) != QUEUED)
			return 0;
	while (!csysi_cas_relaxed(&task->state, &state, (state & WAITED) | RUNNING));
	return 1;
}

/* By the thread that has taken it, which has a reference. */
static void end(csys_task *task, uint32_t state)
{
	/* Release pairs with the acquire of has_ended. */
	if (csysi_swap_release(&task->state, state) & WAITED) {
		csysi_spin_note(task->pool);
		csysi_os_wake(&task->state, UINT32_MAX, 0);
	}
}

static int has_ended(const csys_task *task)
{
	/* Acquire pairs with the release of end. */
	return (csysi_load_acquire(&task->state) & ~WAITED) >= RETURNED;
}

/* Its end, with the reference that it was run with. */
static void end_running(struct csysi_pool_worker *worker, uint32_t state)
{
	csys_task *task = worker->running;

	worker->running = task->before;
	end(task, state);
	csys_task_unref(task);
}

/* One that this thread has taken. */
static void call(struct csysi_pool_worker *worker, csys_task *task)
{
	task->before = worker->running;
	worker->running = task;
	task->result = task->function(task->argument);
	end_running(worker, RETURNED);
}

void csysi_task_run(struct csysi_pool_worker *worker, csys_task *task)
{
	if (begin(task))
		call(worker, task);
	else
		csys_task_unref(task);
}

void csysi_task_fail(struct csysi_pool_worker *worker, const char *message)
{
	worker->running->message = csysi_copy(message, strlen(message));
	end_running(worker, PANICKED);
}

int csysi_task_drop(csys_pool *pool, csys_task *task)
{
	int is_taken = begin(task);

	if (is_taken) {
		if (pool->drop)
			pool->drop(task->function, task->argument, pool->drop_argument);
		end(task, CANCELED);
	}
	csys_task_unref(task);
	return is_taken;
}

int csys_task_cancel(csys_task *task)
{
	if (begin(task)) {
		end(task, CANCELED);
		return 0;
	}
	return csysi_load_relaxed(&task->state) == CANCELED ? CSYS_ECANCELED : CSYS_EBUSY;
}

/* ---- joining ----------------------------------------------------------------------------- */

static void call_here(void *task)
{
	call(csysi_pool_current(), task);
}

/* In a job of the pool: it may be the only thread that is left to run it. */
static void run_here(struct csysi_pool_worker *worker, csys_task *task)
{
	csys_panic_info info;

	if (worker->pool != task->pool || !begin(task))
		return;
	if (csys_panic_catch(call_here, csys_task_ref(task), &info) == CSYS_EPANICKED) {
		csysi_pool_note_panic(worker->pool);
		csysi_task_fail(worker, info.message);
	}
}

static int is_run_by(const struct csysi_pool_worker *worker, const csys_task *task)
{
	for (const csys_task *one = worker->running; one; one = one->before)
		if (one == task)
			return 1;
	return 0;
}

/* Set WAITED; what the state is then. */
static uint32_t be_waited_for(csys_task *task)
{
	/* Relaxed: the end is looked at with an acquire. */
	uint32_t state = csysi_load_relaxed(&task->state);

	do
		if ((state & ~WAITED) >= RETURNED)
			return state;
	while (!csysi_cas_relaxed(&task->state, &state, state | WAITED));
	return state | WAITED;
}

static int await(csys_task *task, csys_deadline deadline)
{
	(void)be_waited_for(task);
	int is_so = 0;
	for (struct csysi_spin spin = csysi_spin_begin(task->pool, deadline);
	     csysi_spin_goes_on(&spin, is_so);)
		is_so = has_ended(task);
	while (!has_ended(task)) {
		uint32_t state = be_waited_for(task);
		/* An end that came beats a deadline that has passed. */
		if (!has_ended(task) &&
		    csysi_os_wait(&task->state, state, deadline, 0) == CSYS_ETIMEDOUT)
			return has_ended(task) ? 0 : CSYS_ETIMEDOUT;
	}
	return 0;
}

int csys_task_try_join(csys_task *task, void **out_result)
{
	if (!has_ended(task))
		return CSYS_EAGAIN;
	uint32_t state = csysi_load_relaxed(&task->state);
	if (state != RETURNED)
		return state == PANICKED ? CSYS_EPANICKED : CSYS_ECANCELED;
	if (out_result)
		*out_result = task->result;
	return 0;
}

int csys_task_join_until(csys_task *task, csys_deadline deadline, void **out_result)
{
	struct csysi_pool_worker *worker = has_ended(task) ? NULL : csysi_pool_current();

	/* First: a child that a job has forked must not run a task of the parent. */
	if (!has_ended(task) && task->process != csysi_os_pid())
		return CSYS_ESRCH;
	if (worker && is_run_by(worker, task))
		return CSYS_EDEADLK;
	if (worker && csys_deadline_is_forever(deadline))
		run_here(worker, task);
	int r = await(task, deadline);
	return r < 0 ? r : csys_task_try_join(task, out_result);
}

int csys_task_join(csys_task *task, void **out_result)
{
	return csys_task_join_until(task, CSYS_FOREVER, out_result);
}

int csys_task_is_finished(const csys_task *task)
{
	return has_ended(task);
}

const char *csys_task_panic_message(const csys_task *task)
{
	if (!has_ended(task) || csysi_load_relaxed(&task->state) != PANICKED)
		return NULL;
	return task->message ? task->message : "there was no memory for the message";
}
