/**
 * \file
 * csys/sync/task_queue.h - functions that other threads have a loop call.
 *
 *     csys_handle handle;
 *     int r = csys_task_queue_new(NULL, &queue);
 *     if (r == 0)
 *             r = csys_task_queue_handle(queue, &handle); // the loop waits for it, for reading
 *
 *     // any thread: the loop will call show_result(result)
 *     r = csys_task_queue_post(queue, show_result, result, free);
 *
 *     // any thread: wait until the loop has called count_windows(&windows)
 *     r = csys_task_queue_call(queue, count_windows, &windows);
 *
 *     // the loop, when the handle is ready; at most 100 before it looks at its other handles
 *     csys_task_queue_run_pending(queue, 100);
 *
 * Much of a program belongs to one thread: windows, a parser, all that an event loop watches.
 * Other threads do not touch it, and post a function that does.  A task is such a function with
 * its argument.  Other libraries call this post (asio, Chromium), invoke (GLib), or async (libuv).
 *
 * The loop may be any that can wait for a handle to be readable: poll, epoll, libuv, GLib,
 * csys_poll with csys_waitable_reading.  A thread that has nothing else to wait for calls
 * csys_task_queue_run.
 *
 * Order.  The tasks of one thread are called in the order in which it posted them.  What a thread
 * did before it posted a task is seen by the task; what a task did is seen by a
 * csys_task_queue_call that returns after it.
 *
 * The loop thread is the one that has last called csys_task_queue_run_pending, _run_until or _run;
 * before that there is none.  One thread at a time may do that.  A task may post, call, run
 * (a loop inside of the loop) and close.
 *
 * The end.  csys_task_queue_close destroys the tasks that were not called, by their drop functions,
 * and from then on posting fails with CSYS_EDISCONNECTED; what was not posted is the caller's as
 * before.  So each task is called, dropped or refused, and that once.  Threads that wait in
 * csys_task_queue_call return.
 *
 * Panics.  One out of a posted task goes through csys_task_queue_run_pending, as if the loop had
 * called the function itself; the tasks behind it stay queued, and the handle ready.  One out of
 * csys_task_queue_call is the caller's: CSYS_EPANICKED there, and the loop goes on.  Exceptions of
 * C++ go through both, as does the end of the thread where the system unwinds its stack, and such a
 * caller gets CSYS_EPANICKED too.  Where that is not so (musl) a called function must not end
 * the thread.
 *
 * Threads: any number may post, call and wake at once.  No wait is a cancellation point.  Fork: the
 * queue is the parent's.  In the child csys_task_queue_close and _unref destroy no tasks,
 * and all else must not be called.
 *
 * Signals: not in handlers.  The handle of csys_signals in the same loop is the way for those.
 */
#ifndef CSYS_SYNC_TASK_QUEUE_H
#define CSYS_SYNC_TASK_QUEUE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A queue of tasks for one loop. */
typedef struct csys_task_queue csys_task_queue;

/**
 * A task, or what destroys the argument of one.
 *
 * \param argument  what it was posted with
 */
typedef void csys_task_queue_function(void *argument);

/** What can be chosen for a queue; all zero is usual. */
typedef struct csys_task_queue_options {
	size_t capacity; /**< how many tasks can be queued; 0: as many as there is memory for */
} csys_task_queue_options;

/**
 * Make a queue.
 *
 * \param options  may be NULL
 * \param out      the queue, to be released by csys_task_queue_unref.  Unchanged on failure
 * \retval 0            made
 * \retval CSYS_EINVAL  the capacity exceeds 2^30
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_new(const csys_task_queue_options *options,
						 csys_task_queue **out);

/**
 * Take another reference to a queue, for a thread that posts.
 *
 * \param queue  the queue
 * \return the same queue, to be released once more
 */
CSYS_API csys_task_queue *csys_task_queue_ref(csys_task_queue *queue);

/**
 * Release a reference to a queue.
 *
 * The last one closes it.  A task must not release the one that its loop uses.
 *
 * \param queue  the queue; NULL is ignored
 */
CSYS_API void csys_task_queue_unref(csys_task_queue *queue);

/** CSYS_AUTO(csys_task_queue) releases it. */
CSYSI_AUTO(csys_task_queue, csys_task_queue_unref(*object))

/**
 * Close a queue: no task is called any more.
 *
 * Those that are queued are destroyed by their drop functions: most before this returns, by this
 * thread; one that is posted at this moment perhaps by the thread that posts it.  To be called by
 * the loop thread, a task for instance, or while no thread runs the queue; so another thread
 * posts a task that closes it.  Closing it again does nothing.
 *
 * \param queue  the queue, which is to be released all the same
 */
CSYS_API void csys_task_queue_close(csys_task_queue *queue);

/* ---- posting ----------------------------------------------------------------------------- */

/**
 * Post a task; if the queue has a capacity, wait however long while it is full.
 *
 * \param queue     the queue
 * \param function  is called by the loop thread, with the argument
 * \param argument  is the task's if this returns 0, else the caller's as before
 * \param drop      is called with the argument if `function` never will be; may be NULL
 * \retval 0                    posted
 * \retval CSYS_EDISCONNECTED   the queue is closed
 * \retval CSYS_ENOMEM          no capacity, and out of memory
 * \retval CSYS_EDEADLK         it is full, and this is the loop thread, which would wait for itself
 * \retval CSYS_EINVAL          no function
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_post(csys_task_queue *queue,
						  csys_task_queue_function *function,
						  void *argument, csys_task_queue_function *drop);

/**
 * Post a task; if the queue has a capacity, wait until `deadline` while it is full.
 *
 * \param queue     the queue
 * \param function  is called by the loop thread, with the argument
 * \param argument  is the task's if this returns 0, else the caller's as before
 * \param drop      is called with the argument if `function` never will be; may be NULL
 * \param deadline  when to give up; one that has passed still posts to a queue that is not full
 * \retval 0                    posted
 * \retval CSYS_ETIMEDOUT       it was full until then
 * \retval CSYS_EDISCONNECTED   the queue is closed
 * \retval CSYS_ENOMEM          no capacity, and out of memory
 * \retval CSYS_EDEADLK         it is full, and this is the loop thread, which would wait for itself
 * \retval CSYS_EINVAL          no function
 */
CSYS_API CSYS_MUST_CHECK int
csys_task_queue_post_until(csys_task_queue *queue, csys_task_queue_function *function,
			   void *argument, csys_task_queue_function *drop, csys_deadline deadline);

/**
 * Post a task if that is possible without waiting.
 *
 * \param queue     the queue
 * \param function  is called by the loop thread, with the argument
 * \param argument  is the task's if this returns 0, else the caller's as before
 * \param drop      is called with the argument if `function` never will be; may be NULL
 * \retval 0                    posted
 * \retval CSYS_EAGAIN          the queue is full
 * \retval CSYS_EDISCONNECTED   the queue is closed
 * \retval CSYS_ENOMEM          no capacity, and out of memory
 * \retval CSYS_EINVAL          no function
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_try_post(csys_task_queue *queue,
						      csys_task_queue_function *function,
						      void *argument,
						      csys_task_queue_function *drop);

/**
 * Have the loop thread call a function, and wait however long until it has returned.
 *
 * The loop thread itself calls it at once, before all that is queued.
 *
 * \param queue     the queue
 * \param function  is called with the argument
 * \param argument  stays the caller's: the function leaves its result there
 * \retval 0                    it has returned
 * \retval CSYS_EPANICKED       it has not: it panicked, or its thread ended in it
 * \retval CSYS_EDISCONNECTED   the queue is closed, or was before its turn: it was not called
 * \retval CSYS_ENOMEM          out of memory
 * \retval CSYS_EINVAL          no function
 */
CSYS_API CSYS_MUST_CHECK int
csys_task_queue_call(csys_task_queue *queue, csys_task_queue_function *function, void *argument);

/**
 * Have the loop thread call a function, and wait for that until `deadline`.
 *
 * A call that has not begun by then never will.  One that has is waited for, since it uses the
 * argument.  The loop thread itself calls it at once, whatever the deadline.
 *
 * \param queue     the queue
 * \param function  is called with the argument
 * \param argument  stays the caller's: the function leaves its result there
 * \param deadline  when to give up
 * \retval 0                    it has returned
 * \retval CSYS_ETIMEDOUT       it was not called, and will not be
 * \retval CSYS_EPANICKED       it has not returned: it panicked, or its thread ended in it
 * \retval CSYS_EDISCONNECTED   the queue is closed, or was before its turn: it was not called
 * \retval CSYS_ENOMEM          out of memory
 * \retval CSYS_EINVAL          no function
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_call_until(csys_task_queue *queue,
							csys_task_queue_function *function,
							void *argument, csys_deadline deadline);

/**
 * Make the handle ready, so that the loop comes round and looks at what this thread has changed.
 *
 * As a task that does nothing, but any number of these before the loop runs the queue are one.
 * Never waits: the handle of a full queue is ready anyway.
 *
 * \param queue  the queue
 * \retval 0                    the loop runs the queue after this, or has begun to
 * \retval CSYS_EDISCONNECTED   the queue is closed
 * \retval CSYS_ENOMEM          out of memory: the loop is not woken, perhaps also for a thread that
 *                              called this at the same moment
 */
CSYS_API int csys_task_queue_wake(csys_task_queue *queue);

/* ---- the loop ---------------------------------------------------------------------------- */

/**
 * Get a handle that an event loop can wait for until there is a task.
 *
 * It can be polled for reading, level-triggered: it stays ready while tasks are queued, and posting
 * makes no system call for it meanwhile.  It may be ready once without a task.
 *
 * \param queue       the queue
 * \param out_handle  the handle; it is the queue's, and gone with its last reference: do not close,
 *                    read or write it.  Unchanged on failure
 * \retval 0            it is the same one each time
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EMFILE  no handle is left
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_handle(csys_task_queue *queue,
						    csys_handle *out_handle);

/**
 * Call the tasks that are queued at this moment, without waiting.
 *
 * Those that are posted meanwhile are left for the next time, so a task that posts itself does not
 * keep the loop.  From here on the calling thread is the loop thread.
 *
 * \param queue  the queue
 * \param most   how many tasks are called at most; SIZE_MAX: no bound; 0: none, which
 *               makes this the loop thread
 * \return how many were called
 */
CSYS_API size_t csys_task_queue_run_pending(csys_task_queue *queue, size_t most);

/**
 * Wait for a task until `deadline`, then call all tasks that are queued at that moment.
 *
 * From here on the calling thread is the loop thread.
 *
 * \param queue      the queue
 * \param most       how many tasks are called at most; 0: none, without waiting
 * \param deadline   when to give up
 * \param out_count  how many were called; 0 after csys_task_queue_wake, or if the caller of a
 *                   csys_task_queue_call_until has given up.  Unchanged on failure
 * \retval 0                    it was woken
 * \retval CSYS_ETIMEDOUT       nothing came until then
 * \retval CSYS_EDISCONNECTED   the queue is closed
 */
CSYS_API CSYS_MUST_CHECK int csys_task_queue_run_until(csys_task_queue *queue, size_t most,
						       csys_deadline deadline, size_t *out_count);

/**
 * Call tasks as they come, until one of them closes the queue.
 *
 * From here on the calling thread is the loop thread.
 *
 * \param queue  the queue
 */
CSYS_API void csys_task_queue_run(csys_task_queue *queue);

/**
 * Tell whether the calling thread is the loop thread.
 *
 * \param queue  the queue
 * \return 1: it is; 0: it is not
 */
CSYS_API int csys_task_queue_is_current(const csys_task_queue *queue);

/**
 * Tell whether a queue is closed.
 *
 * \param queue  the queue
 * \return 1: posting fails; 0: it was open at this moment
 */
CSYS_API int csys_task_queue_is_closed(const csys_task_queue *queue);

/**
 * Tell how many tasks are queued at this moment.
 *
 * \param queue  the queue
 * \return the number, in which wakes and calls are counted
 */
CSYS_API size_t csys_task_queue_len(const csys_task_queue *queue);

CSYS_END_DECLS

#endif
