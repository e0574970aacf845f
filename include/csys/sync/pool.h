/**
 * \file
 * csys/sync/pool.h - threads that do what others submit.
 *
 *     csys_pool *pool;
 *     int r = csys_pool_new(NULL, &pool); // a thread for each CPU
 *     if (r < 0)
 *             return r;
 *
 *     r = csys_pool_submit(pool, do_job, &job); // a thread of the pool calls do_job(&job)
 *     r = csys_pool_wait_idle(pool);            // all jobs are done
 *     csys_pool_close(pool);
 *
 * A job of which the result is wanted is a task:
 *
 *     csys_task *task;
 *     int r = csys_pool_submit_task(pool, count_words, file, &task);
 *     if (r < 0)
 *             return r;
 *     void *words;
 *     r = csys_task_join(task, &words);
 *     if (r == CSYS_EPANICKED)
 *             fprintf(stderr, "%s\n", csys_task_panic_message(task));
 *     csys_task_unref(task);
 *
 * Order.  Jobs begin in the order in which one thread has submitted them.  What a thread did before
 * it submitted a job is seen by the job; what a job did is seen by a thread that has joined its
 * task, or has waited until the pool was idle.
 *
 * The queue is unbounded unless csys_pool_options.capacity says otherwise: jobs may submit jobs,
 * and threads that all wait for room in their own queue wait forever.  A submit that fails has not
 * taken the job: its argument is the caller's as before.
 *
 * Shutting down.  After csys_pool_shutdown no job is accepted any more, and those that are queued
 * are done.  csys_pool_shutdown_now drops these.  Neither waits.  A submit that has begun before
 * may still be accepted.  Each job that is accepted is done or dropped, once.
 *
 * Panics.  A job that panics has ended; its thread does the next one.  The hook of
 * csys/sync/panic.h tells of it, csys_pool_panicked counts it, and the join of its task returns it.
 * A job that ends its thread (pthread_exit, a cancellation) counts as one that panicked, and
 * another thread takes the place.  If the system gives none, the pool goes on with one less;
 * without any it drops what is queued, as csys_pool_shutdown_now does, and the thread that was the
 * last one ends when the pool is closed.  An exception of C++ that leaves a job is std::terminate.
 *
 * In a job of the pool.  All may be called, but the pool cannot be waited for
 * (csys_pool_wait_idle) or closed: CSYS_EDEADLK, as in hooks of its threads.  A task that a job
 * joins without a deadline, and that has not begun, is run at once by the thread that joins it.
 *
 * Threads.  Any number of threads may use a pool at once.  Closing it is its last use: other
 * threads must be done with it, jobs of its own need not.  A thread of the pool has the signal mask
 * of the thread that made it.  No call is a cancellation point.
 * Signals.  Not in handlers.  Fork.  The pool is the parent's.  In the child csys_pool_close and
 * csys_task_unref may be called, which do nothing, and the joins of tasks; no other call.
 */
#ifndef CSYS_SYNC_POOL_H
#define CSYS_SYNC_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/thread.h>

CSYS_BEGIN_DECLS

/** Threads and a queue of jobs. */
typedef struct csys_pool csys_pool;

/** A job with a result, counted. */
typedef struct csys_task csys_task;

/**
 * What a pool calls for a job that it will not do: for example to free the argument.
 *
 * It is called with no lock held, by the thread that shuts down or closes the pool, or by one of
 * the pool.  It must return, and must not use the pool.
 *
 * \param function       that of the job
 * \param argument       of `function`
 * \param drop_argument  csys_pool_options.drop_argument
 */
typedef void csys_pool_drop(csys_thread_function *function, void *argument, void *drop_argument);

/** What can be chosen for a pool; all zero is usual. */
typedef struct csys_pool_options {
	int threads;          /**< how many; 0: csys_thread_available_parallelism() */
	size_t capacity;      /**< jobs that can be queued; 0 or CSYS_UNBOUNDED: unbounded */
	csys_pool_drop *drop; /**< for jobs that are not done; NULL: nothing to do */
	void *drop_argument;  /**< of `drop` */
	const csys_thread_options *thread; /**< name, stack and such of its threads, copied; NULL:
	                                        the default */
	uintptr_t reserved[4];             /**< zero */
} csys_pool_options;

/**
 * Make a pool, and start its threads.
 *
 * \param options  NULL: the default
 * \param out      the pool, to be closed by the caller
 * \retval 0            made, and all threads are started
 * \retval CSYS_EINVAL  threads below 0 or above 65536, a capacity above 2^30, `reserved` not 0, or
 *                      an option of the threads as in csys_thread_spawn
 * \retval CSYS_ENOMEM  out of memory
 * \return else why a thread could not be started, as csys_thread_spawn says; then there is none
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_new(const csys_pool_options *options, csys_pool **out);

/**
 * Close a pool: shut it down, wait until all that was accepted is done, and end its threads.
 *
 * Jobs that are queued are done, unless csys_pool_shutdown_now was called before.  To wait for a
 * limited time, shut it down and use csys_pool_wait_idle_until first.
 *
 * \param pool  the pool; NULL is ignored
 * \retval 0             it is closed
 * \retval CSYS_EDEADLK  the caller is a job of the pool: nothing has happened
 */
CSYS_API int csys_pool_close(csys_pool *pool);
CSYSI_AUTO(csys_pool, (void)csys_pool_close(*object))

/* ---- submitting -------------------------------------------------------------------------- */

/**
 * Let a thread of the pool call function(argument), waiting however long while the queue is full.
 *
 * \param pool      the pool
 * \param function  the job; what it returns is ignored
 * \param argument  of `function`
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_EDEADLK        the queue is full, and all threads of the pool wait for room in it;
 *                             the caller is one of them
 * \retval CSYS_ENOMEM         unbounded, and out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_submit(csys_pool *pool, csys_thread_function *function,
					      void *argument);

/**
 * Submit a job, waiting until `deadline` while the queue is full.
 *
 * \param pool      the pool
 * \param function  the job; what it returns is ignored
 * \param argument  of `function`
 * \param deadline  when to give up
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_ETIMEDOUT      the queue was full until then
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_EDEADLK        as csys_pool_submit
 * \retval CSYS_ENOMEM         unbounded, and out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_submit_until(csys_pool *pool, csys_thread_function *function,
						    void *argument, csys_deadline deadline);

/**
 * Submit a job if the queue is not full.
 *
 * \param pool      the pool
 * \param function  the job; what it returns is ignored
 * \param argument  of `function`
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_EAGAIN         the queue is full
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_ENOMEM         unbounded, and out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_try_submit(csys_pool *pool, csys_thread_function *function,
						  void *argument);

/**
 * Submit a job of which the result is wanted, waiting however long while the queue is full.
 *
 * \param pool      the pool
 * \param function  the job
 * \param argument  of `function`
 * \param out       the caller's reference to the task; untouched on failure
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_EDEADLK        as csys_pool_submit
 * \retval CSYS_ENOMEM         out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_submit_task(csys_pool *pool, csys_thread_function *function,
						   void *argument, csys_task **out);

/**
 * Submit a job of which the result is wanted, waiting until `deadline` while the queue is full.
 *
 * \param pool      the pool
 * \param function  the job
 * \param argument  of `function`
 * \param deadline  when to give up
 * \param out       the caller's reference to the task; untouched on failure
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_ETIMEDOUT      the queue was full until then
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_EDEADLK        as csys_pool_submit
 * \retval CSYS_ENOMEM         out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_submit_task_until(csys_pool *pool,
							 csys_thread_function *function,
							 void *argument, csys_deadline deadline,
							 csys_task **out);

/**
 * Submit a job of which the result is wanted, if the queue is not full.
 *
 * \param pool      the pool
 * \param function  the job
 * \param argument  of `function`
 * \param out       the caller's reference to the task; untouched on failure
 * \retval 0                   it will be called, or dropped
 * \retval CSYS_EAGAIN         the queue is full
 * \retval CSYS_EDISCONNECTED  the pool is shut down
 * \retval CSYS_ENOMEM         out of memory
 * \retval CSYS_EINVAL         no function
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_try_submit_task(csys_pool *pool,
						       csys_thread_function *function,
						       void *argument, csys_task **out);

/* ---- the pool as a whole ----------------------------------------------------------------- */

/**
 * Wait until the pool is idle: no job is queued, and none runs.
 *
 * Jobs that other jobs have submitted are waited for too.  While others submit on and on it may
 * wait for as long.
 *
 * \param pool  the pool
 * \retval 0             there was such a moment since the call
 * \retval CSYS_EDEADLK  the caller is a job of the pool
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_wait_idle(csys_pool *pool);

/**
 * Wait until the pool is idle, or until `deadline`.
 *
 * \param pool      the pool
 * \param deadline  when to give up
 * \retval 0               there was a moment since the call at which no job was queued or ran
 * \retval CSYS_ETIMEDOUT  there was none until then
 * \retval CSYS_EDEADLK    the caller is a job of the pool
 */
CSYS_API CSYS_MUST_CHECK int csys_pool_wait_idle_until(csys_pool *pool, csys_deadline deadline);

/**
 * Accept no more jobs; those that are queued are done.
 *
 * Does not wait, and may be called by a job of the pool.
 *
 * \param pool  the pool
 */
CSYS_API void csys_pool_shutdown(csys_pool *pool);

/**
 * Accept no more jobs, and drop those that are queued.
 *
 * The drop callback of csys_pool_options is called for each, and joins of their tasks return
 * CSYS_ECANCELED.  Jobs that run are not waited for.  May be called by a job of the pool, and after
 * csys_pool_shutdown.
 *
 * \param pool  the pool
 * \return how many jobs this call has dropped
 */
CSYS_API size_t csys_pool_shutdown_now(csys_pool *pool);

/**
 * Tell how many threads the pool has at this moment.
 *
 * \param pool  the pool
 * \return the number that it was made with, unless one could not be replaced
 */
CSYS_API int csys_pool_threads(const csys_pool *pool);

/**
 * Tell how many jobs are queued at this moment, without those that run.
 *
 * \param pool  the pool
 * \return the number
 */
CSYS_API size_t csys_pool_len(const csys_pool *pool);

/**
 * Tell how many jobs, tasks or not, have panicked.
 *
 * \param pool  the pool
 * \return the number
 */
CSYS_API size_t csys_pool_panicked(const csys_pool *pool);

/* ---- tasks ------------------------------------------------------------------------------- */

/**
 * Add a reference, to be given up by csys_task_unref.
 *
 * \param task  the task, of which the caller has a reference
 * \return the task
 */
CSYS_API csys_task *csys_task_ref(csys_task *task);

/**
 * Give up a reference.
 *
 * Never waits: a task that has not ended is run nevertheless.
 *
 * \param task  the task; NULL is ignored
 */
CSYS_API void csys_task_unref(csys_task *task);
CSYSI_AUTO(csys_task, csys_task_unref(*object))

/**
 * Wait for the end of a task.
 *
 * All it did is seen then.  The reference stays, also after csys_pool_close; any number of threads
 * may join, at once or again.
 *
 * \param task        the task
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_EPANICKED  it panicked, or ended its thread by pthread_exit or a cancellation
 * \retval CSYS_ECANCELED  it was not run: it was cancelled, or dropped by its pool
 * \retval CSYS_EDEADLK    it is the caller, or waits for the caller in the same thread
 * \retval CSYS_ESRCH      it is of the parent of this forked child, and had not ended
 */
CSYS_API CSYS_MUST_CHECK int csys_task_join(csys_task *task, void **out_result);

/**
 * Wait for the end of a task, or until `deadline`.
 *
 * \param task        the task
 * \param deadline    when to give up; it may be joined again then
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_ETIMEDOUT  it has not ended
 * \retval CSYS_EPANICKED  it panicked, or ended its thread by pthread_exit or a cancellation
 * \retval CSYS_ECANCELED  it was not run: it was cancelled, or dropped by its pool
 * \retval CSYS_EDEADLK    it is the caller, or waits for the caller in the same thread
 * \retval CSYS_ESRCH      it is of the parent of this forked child, and had not ended
 */
CSYS_API CSYS_MUST_CHECK int csys_task_join_until(csys_task *task, csys_deadline deadline,
						  void **out_result);

/**
 * Get the result of a task if it has ended, without waiting.
 *
 * \param task        the task
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_EAGAIN     it has not ended
 * \retval CSYS_EPANICKED  it panicked, or ended its thread by pthread_exit or a cancellation
 * \retval CSYS_ECANCELED  it was not run: it was cancelled, or dropped by its pool
 */
CSYS_API CSYS_MUST_CHECK int csys_task_try_join(csys_task *task, void **out_result);

/**
 * Tell whether a task has ended, so that a join does not wait.
 *
 * \param task  the task
 * \return 1 if it has, also if it was cancelled or dropped; else 0
 */
CSYS_API int csys_task_is_finished(const csys_task *task);

/**
 * Tell with what message a task panicked.
 *
 * \param task  the task
 * \return the message, valid while the reference is held; NULL if it did not panic, or has not
 * ended
 */
CSYS_API const char *csys_task_panic_message(const csys_task *task);

/**
 * Keep a task from being run, if it has not begun.
 *
 * \param task  the task
 * \retval 0               it will not be run, nor dropped: its argument is the caller's
 * \retval CSYS_EBUSY      it has begun, or has ended
 * \retval CSYS_ECANCELED  it was cancelled or dropped before
 */
CSYS_API CSYS_MUST_CHECK int csys_task_cancel(csys_task *task);

CSYS_END_DECLS

#endif
