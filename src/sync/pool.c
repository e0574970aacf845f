/*
 * sync/pool.c - threads that take jobs out of a channel.
 *
 * A submit is one send, and nothing else is written for it.
 *
 * Idle.  The channel knows how many jobs were ever sent, and each worker counts those that it took
 * and that are over; so the pool is idle when the sums are equal.  The counts of what is over are
 * read first: they never exceed what was sent by then, and both only grow; so if they are equal,
 * the pool was idle when the last one was read.  (A send that fails for lack of memory may be
 * counted for a moment; so it looks for waiting threads when it has failed.)  A job that submits
 * another one does that before it is over itself.
 *
 * A thread that waits for that adds itself to `waiting`, and looks; a worker counts a job as over,
 * and looks at `waiting` when it finds the queue empty.  Both do so by a read-modify-write of that
 * word, so one sees what the other did before: either the thread sees the pool idle, or the worker
 * sees the thread, and bumps `generation`.  Of two workers, likewise, the second sees the count of
 * the first.
 *
 * The end.
 *
 *     OPEN ---- shutdown ----> DRAINS ---- shutdown_now ----> DROPS
 *       +--------------------- shutdown_now -------------------+
 *
 * A submit looks at the state before it sends, so one that has begun may send a moment after the
 * change.  Workers stay until the pool is closed, and take such a job as all others: in DROPS they
 * drop what they take.  The last one stays also if a job ends it and no thread can take its place:
 * it drops, in its cleanup handler.  At the close no submit is under way but those of jobs.  Then
 * the sender is closed, and workers end when the queue is empty.  A job may still submit another
 * one (the channel is there as long as its receiver is); its worker looks at the queue after it,
 * and finds that.
 */
#include <csys/sync/panic.h>
#include <csys/sync/pool.h>

#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "base/reserved.h"
#include "os/os.h"
#include "sync/channel.h"
#include "sync/pool.h"
#include "sync/spin.h"

enum { OPEN, DRAINS, DROPS };

#define MOST_THREADS 65536
#define LOOKS 64 /* whether threads that wait for room have got some */

/* ---- idle -------------------------------------------------------------------------------- */

static int is_idle(const csys_pool *pool)
{
	/* Acquire, here and below, pairs with the releases of count_one and csys_pool_shutdown_now:
	 * what jobs did is seen; and the index of the channel is read last. */
	uint64_t over = csysi_load_acquire(&pool->dropped);

	for (int i = 0; i < pool->places; i++)
		over += csysi_load_acquire(&pool->workers[i].done);
	return over == csysi_channel_total(csysi_channel_of_sender(pool->tx.core));
}

/* After a change that may have made it idle: wake the threads that wait for that. */
static void look(csys_pool *pool)
{
	/* Acquire and release, in the order of the word's changes: see the top. */
	if (csysi_add_acq_rel(&pool->waiting, 0) == 0 || !is_idle(pool))
		return;
	csysi_spin_note(&pool->generation);
	/* Release pairs with the acquire of wait_idle: it looks again. */
	csysi_add_release(&pool->generation, 1);
	csysi_os_wake(&pool->generation, UINT32_MAX, 0);
}

static int wait_idle(csys_pool *pool, csys_deadline deadline)
{
	int is_so = is_idle(pool);

	for (struct csysi_spin spin = csysi_spin_begin(&pool->generation, deadline);
	     csysi_spin_goes_on(&spin, is_so);)
		is_so = is_idle(pool);
	while (!is_so) {
		/* Acquire pairs with the release of look. */
		uint32_t generation = csysi_load_acquire(&pool->generation);
		is_so = is_idle(pool);
		if (!is_so &&
		    csysi_os_wait(&pool->generation, generation, deadline, 0) == CSYS_ETIMEDOUT)
			return is_idle(pool) ? 0 : CSYS_ETIMEDOUT;
	}
	return 0;
}

int csys_pool_wait_idle_until(csys_pool *pool, csys_deadline deadline)
{
	if (csysi_pool_is_inside(pool))
		return CSYS_EDEADLK;
	/* Acquire and release, in the order of the word's changes: see the top. */
	(void)csysi_add_acq_rel(&pool->waiting, 1);
	int r = wait_idle(pool, deadline);
	csysi_sub_relaxed(&pool->waiting, 1);
	return r;
}

int csys_pool_wait_idle(csys_pool *pool)
{
	return csys_pool_wait_idle_until(pool, CSYS_FOREVER);
}

/* ---- jobs -------------------------------------------------------------------------------- */

/* 1, or 0: it is a task that was run or cancelled before. */
static int drop_job(csys_pool *pool, const struct csysi_pool_job *job)
{
	if (job->function == csysi_task_mark)
		return csysi_task_drop(pool, job->argument);
	if (pool->drop)
		pool->drop(job->function, job->argument, pool->drop_argument);
	return 1;
}

/* What the channel calls for jobs that are left when no thread is. */
static void drop_left(void *job, void *pool)
{
	(void)drop_job(pool, job);
}

static void do_job(struct csysi_pool_worker *worker, const struct csysi_pool_job *job)
{
	/* Relaxed: a job that was taken before the change may be done. */
	if (csysi_load_relaxed(&worker->pool->state) == DROPS)
		(void)drop_job(worker->pool, job);
	else if (job->function == csysi_task_mark)
		csysi_task_run(worker, job->argument);
	else
		(void)job->function(job->argument);
}

static void count_one(struct csysi_pool_worker *worker)
{
	/* Release pairs with the acquire of is_idle.  Only this thread writes it. */
	csysi_store_release(&worker->done, csysi_load_relaxed(&worker->done) + 1);
	/* Relaxed: only to be quick; what counts is the look when the queue is empty. */
	if (csysi_load_relaxed(&worker->pool->waiting) > 0)
		look(worker->pool);
}

/* ---- threads ----------------------------------------------------------------------------- */

static void serve(void *argument)
{
	struct csysi_pool_worker *worker = argument;
	csysi_pool_jobs_receiver rx = worker->pool->rx;
	struct csysi_pool_job job;

	for (;;) {
		int r = csysi_pool_jobs_try_recv(rx, &job);
		if (r == CSYS_EAGAIN) {
			look(worker->pool);
			r = csysi_pool_jobs_recv(rx, &job);
		}
		if (r < 0)
			return;
		do_job(worker, &job);
		count_one(worker);
	}
}

/* The job that ran has ended otherwise than by a return. */
static void fail(struct csysi_pool_worker *worker, const char *message)
{
	csysi_pool_note_panic(worker->pool);
	while (worker->running)
		csysi_task_fail(worker, message);
	count_one(worker);
}

static void work(void *argument)
{
	struct csysi_pool_worker *worker = argument;
	csys_panic_info info;

	while (csys_panic_catch(serve, worker, &info) == CSYS_EPANICKED)
		fail(worker, info.message);
	worker->is_over = 1;
}

static void *run(void *argument);

/* No thread takes the place of this one. */
static void leave_for_good(struct csysi_pool_worker *worker)
{
	csys_pool *pool = worker->pool;

	/* Acquire and release: the last one comes after all others. */
	if (csysi_sub_acq_rel(&pool->alive, 1) > 0) {
		look(pool); /* the job that it was doing may have been the last one */
		return;
	}
	(void)csys_pool_shutdown_now(pool);
	/* Drop what threads submit that have begun before: of those that wait for room there may be
	 * any number. */
	serve(worker);
}

/* Called also if a job ends the thread. */
static void leave(void *argument)
{
	struct csysi_pool_worker *worker = argument;
	csys_pool *pool = worker->pool;

	csysi_pool_leave();
	if (worker->is_over)
		return;
	fail(worker, "the job ended its thread by pthread_exit or a cancellation");
	/* The new thread is in the scope before this one has ended: a close waits for it too. */
	int r = csys_thread_scope_spawn(&pool->threads, run, worker, &pool->how, NULL);
	if (r < 0)
		leave_for_good(worker);
}

static void *run(void *argument)
{
	csysi_pool_enter(argument);
	csysi_os_run(work, leave, argument);
	return NULL;
}

/* ---- making and closing ------------------------------------------------------------------ */

static int check(const csys_pool_options *options)
{
	if (options->threads < 0 || options->threads > MOST_THREADS)
		return CSYS_EINVAL;
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return 0;
}

/* For threads that take the place of others. */
static int copy_how(csys_pool *pool, const csys_thread_options *how)
{
	csys_thread_options *copy = &pool->how;

	*copy = *how;
	copy->name = NULL;
	copy->cpus = NULL;
	if (how->name && !(copy->name = csysi_copy(how->name, strlen(how->name))))
		return CSYS_ENOMEM;
	if (!how->cpus)
		return 0;
	unsigned *cpus = csysi_alloc(how->cpu_count * sizeof *cpus + 1);
	copy->cpus = cpus;
	if (!cpus)
		return CSYS_ENOMEM;
	memcpy(cpus, how->cpus, how->cpu_count * sizeof *cpus);
	return 0;
}

static int make_queue(csys_pool *pool, size_t capacity)
{
	const csys_channel_options how = { .drop = drop_left,
					   .drop_argument = pool,
					   .many_receivers = 1 };

	pool->is_bounded = capacity > 0 && capacity != CSYS_UNBOUNDED;
	return csysi_pool_jobs_new(pool->is_bounded ? capacity : CSYS_UNBOUNDED, &how, &pool->tx,
				   &pool->rx);
}

static int start(csys_pool *pool)
{
	int r = 0;

	/* Relaxed: no other thread knows the pool, or looks at it before it gets a job. */
	csysi_store_relaxed(&pool->alive, (uint32_t)pool->places);
	for (int i = 0; i < pool->places && r == 0; i++) {
		pool->workers[i].pool = pool;
		r = csys_thread_scope_spawn(&pool->threads, run, &pool->workers[i], &pool->how,
					    NULL);
	}
	return r;
}

/* NULL ends are of a pool that was not made. */
static void end(csys_pool *pool)
{
	csysi_pool_jobs_sender_close(pool->tx);
	(void)!csys_thread_scope_end(&pool->threads);
	csysi_pool_jobs_receiver_close(pool->rx);
	csysi_free((void *)(uintptr_t)pool->how.name);
	csysi_free((void *)(uintptr_t)pool->how.cpus);
	csysi_free(pool);
}

int csys_pool_new(const csys_pool_options *options, csys_pool **out)
{
	static const csys_pool_options none;
	const csys_pool_options *how = options ? options : &none;

	int r = check(how);
	if (r < 0)
		return r;
	int places = how->threads > 0 ? how->threads : csys_thread_available_parallelism();
	csys_pool *pool = csysi_alloc_zero(sizeof *pool + (size_t)places * sizeof *pool->workers);
	if (!pool)
		return CSYS_ENOMEM;
	pool->process = csysi_os_pid();
	pool->places = places;
	pool->drop = how->drop;
	pool->drop_argument = how->drop_argument;
	if (how->thread)
		r = copy_how(pool, how->thread);
	if (r == 0)
		r = make_queue(pool, how->capacity);
	if (r == 0)
		r = start(pool);
	if (r < 0) {
		end(pool);
		return r;
	}
	*out = pool;
	return 0;
}

void csys_pool_shutdown(csys_pool *pool)
{
	uint32_t state = OPEN;

	/* Relaxed: it orders nothing; a submit that comes after it in time sees it. */
	(void)csysi_cas_relaxed(&pool->state, &state, DRAINS);
}

size_t csys_pool_shutdown_now(csys_pool *pool)
{
	struct csysi_pool_job job;
	size_t count = 0;

	/* Relaxed: as above. */
	csysi_store_relaxed(&pool->state, DROPS);
	while (csysi_pool_jobs_try_recv(pool->rx, &job) == 0) {
		count += (size_t)drop_job(pool, &job);
		/* Release pairs with the acquire of is_idle. */
		csysi_add_release(&pool->dropped, 1);
	}
	look(pool);
	return count;
}

int csys_pool_close(csys_pool *pool)
{
	if (!pool || pool->process != csysi_os_pid())
		return 0;
	if (csysi_pool_is_inside(pool))
		return CSYS_EDEADLK;
	csys_pool_shutdown(pool);
	end(pool);
	return 0;
}

/* ---- submitting -------------------------------------------------------------------------- */

/* By one of the pool's own threads: if no other one is left to make room, it cannot wait. */
static int submit_inside(csys_pool *pool, const struct csysi_pool_job *job, csys_deadline deadline)
{
	int r = csysi_pool_jobs_try_send(pool->tx, job);

	if (r != CSYS_EAGAIN || csys_deadline_is_poll(deadline))
		return r == CSYS_EAGAIN ? CSYS_ETIMEDOUT : r;
	/* Relaxed, all: numbers that tell of no other memory. */
	(void)csysi_add_relaxed(&pool->blocked, 1);
	for (int tries = 0; r == CSYS_EAGAIN &&
			    csysi_load_relaxed(&pool->blocked) >= csysi_load_relaxed(&pool->alive);
	     tries++) {
		if (tries == LOOKS)
			r = CSYS_EDEADLK;
		else
			/* One that is counted may have got room. */
			csysi_spin_let_on(tries);
		if (r == CSYS_EAGAIN)
			r = csysi_pool_jobs_try_send(pool->tx, job);
	}
	if (r == CSYS_EAGAIN)
		r = csysi_pool_jobs_send_until(pool->tx, job, deadline);
	csysi_sub_relaxed(&pool->blocked, 1);
	return r;
}

static int submit(csys_pool *pool, csys_thread_function *function, void *argument,
		  csys_deadline deadline)
{
	const struct csysi_pool_job job = { function, argument };

	/* Relaxed: a shut-down that comes before the call in time is seen. */
	if (csysi_load_relaxed(&pool->state) != OPEN)
		return CSYS_EDISCONNECTED;
	int r = pool->is_bounded && csysi_pool_has_current(pool)
			? submit_inside(pool, &job, deadline)
			: csysi_pool_jobs_send_until(pool->tx, &job, deadline);
	if (r < 0)
		look(pool);
	return r;
}

int csys_pool_submit_until(csys_pool *pool, csys_thread_function *function, void *argument,
			   csys_deadline deadline)
{
	return function ? submit(pool, function, argument, deadline) : CSYS_EINVAL;
}

int csys_pool_submit(csys_pool *pool, csys_thread_function *function, void *argument)
{
	return csys_pool_submit_until(pool, function, argument, CSYS_FOREVER);
}

int csys_pool_try_submit(csys_pool *pool, csys_thread_function *function, void *argument)
{
	int r = csys_pool_submit_until(pool, function, argument, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csys_pool_submit_task_until(csys_pool *pool, csys_thread_function *function, void *argument,
				csys_deadline deadline, csys_task **out)
{
	if (!function)
		return CSYS_EINVAL;
	csys_task *task = csysi_task_new(pool, function, argument);
	if (!task)
		return CSYS_ENOMEM;
	int r = submit(pool, csysi_task_mark, task, deadline);
	if (r < 0)
		csysi_task_free(task);
	else
		*out = task;
	return r;
}

int csys_pool_submit_task(csys_pool *pool, csys_thread_function *function, void *argument,
			  csys_task **out)
{
	return csys_pool_submit_task_until(pool, function, argument, CSYS_FOREVER, out);
}

int csys_pool_try_submit_task(csys_pool *pool, csys_thread_function *function, void *argument,
			      csys_task **out)
{
	int r = csys_pool_submit_task_until(pool, function, argument, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- asking ------------------------------------------------------------------------------ */

int csys_pool_threads(const csys_pool *pool)
{
	/* Relaxed, here and below: of a moment that is over. */
	return (int)csysi_load_relaxed(&pool->alive);
}

size_t csys_pool_len(const csys_pool *pool)
{
	return csys_receiver_len(pool->rx.core);
}

size_t csys_pool_panicked(const csys_pool *pool)
{
	return csysi_load_relaxed(&pool->panicked);
}
