/*
 * csys/sync/thread.h - threads.
 *
 *     csys_thread *thread;
 *     int r = csys_thread_spawn(work, &job, NULL, &thread);
 *     if (r < 0)
 *             return r;
 *     ...
 *     void *result;
 *     if (csys_thread_join(thread, &result) == CSYS_EPANICKED)
 *             fprintf(stderr, "%s\n", csys_thread_panic_message(thread));
 *     csys_thread_unref(thread);
 *
 * A csys_thread is a counted object; the running thread has a share of its own in
 * it, so it may be joined, unparked, or asked for its name after its end, by all that
 * hold a reference.  A thread that is never joined just ends: the last
 * csys_thread_unref detaches it.
 *
 * The end of a thread, in this order: its function returns, or is left (a panic,
 * pthread_exit, a cancellation: the stack is unwound where the system does that); destructors of
 * thread-local variables; hooks of csys_thread_at_exit, the newest first; the locks that it still
 * holds are poisoned and released, the newest first; then the threads that join it go on.  The
 * hooks and the locks come last of all destructors as far as the system allows that, so
 * other destructors may use locks.  This holds for threads that csys did not start too.  On
 * Windows other code's way to end a thread (ExitThread) unwinds nothing, so a thread must not be
 * ended by it inside a scope or a csys_panic_catch.
 *
 * An exception of C++ that leaves a thread's function, or a hook of csys_thread_at_exit, is
 * std::terminate, as for std::thread.  One that leaves the body of csys_thread_scope_run goes on
 * when all threads of the scope are joined.
 *
 * Fork: the child has one thread, which goes on with its name, its number and its
 * locks.  The others do not exist: joining one that had not ended is CSYS_ESRCH,
 * and a reference to one can only be given up.
 * Cancellation: no call here is ended by it while it waits, except for sleeps.  All of csys is for
 * threads with deferred cancellation, the default.  A thread with
 * PTHREAD_CANCEL_ASYNCHRONOUS can be ended in the middle of any call, and leave what other threads
 * use, a queue of waiters for example, broken for good.
 */
#ifndef CSYS_SYNC_THREAD_H
#define CSYS_SYNC_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_thread csys_thread;

/* ---- starting ------------------------------------------------------------------------ */

/* What a thread does; what it returns goes to the threads that join it. */
typedef void *csys_thread_function(void *argument);

/* All zero is the default. */
typedef struct csys_thread_options {
	const char *name;      /* copied; NULL: none.  Other programs may see it cut: Linux shows
				  15 bytes */
	size_t stack_size;     /* bytes, rounded up to what is possible; 0: the system's */
	const unsigned *cpus;  /* the CPUs it may run on, counted from 0; NULL: where its maker
				  may.  Linux; elsewhere CSYS_ENOTSUP */
	size_t cpu_count;      /* how many these are */
	uintptr_t reserved[8]; /* zero */
} csys_thread_options;

/*
 * Start a thread that calls function(argument).  NULL options are the default.
 * *out is the caller's reference; if `out` is NULL, it cannot be joined.  What was
 * written before is seen by the thread.  CSYS_EAGAIN: there are too many threads, or
 * no room for the stack.  CSYS_ENOMEM.  CSYS_EINVAL: no function, an empty name, no
 * such CPUs, something in `reserved`.  After a failure there is no thread.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_spawn(csys_thread_function *function, void *argument,
					       const csys_thread_options *options,
					       csys_thread **out);

/* Add a reference, to be given up by csys_thread_unref.  Returns the thread. */
CSYS_API csys_thread *csys_thread_ref(csys_thread *thread);

/* Give up a reference.  NULL is ignored.  Never waits: a thread that runs then runs on. */
CSYS_API void csys_thread_unref(csys_thread *thread);
CSYSI_AUTO(csys_thread, csys_thread_unref(*object))

/*
 * Give up a reference, and detach: the system's thread frees itself at its end, though there
 * may be other references.  Else it stays, with its stack, until it is joined or the last
 * reference is given up.  NULL is ignored.
 */
CSYS_API void csys_thread_detach(csys_thread *thread);

/* ---- waiting for the end ----------------------------------------------------------------- */

/*
 * Wait for the end of a thread, thread-local destructors included.  All it did is seen then.
 * 0: its function returned *out_result (which may be NULL, if it is not wanted).
 * CSYS_EPANICKED: it panicked, or was left by pthread_exit or a cancellation; *out_result
 * is as it was.  CSYS_EDEADLK: it is the caller.  CSYS_ESRCH: see Fork.
 * The reference stays; any number of threads may join, at once or again.  One that csys
 * did not start has a result of NULL.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_join(csys_thread *thread, void **out_result);

/* Wait for the end of a thread, as csys_thread_join does, until `deadline`: CSYS_ETIMEDOUT then,
 * and it may be joined again. */
CSYS_API CSYS_MUST_CHECK int csys_thread_join_until(csys_thread *thread, csys_deadline deadline,
						    void **out_result);

/*
 * Get the result of a thread, as csys_thread_join does, if it has ended; else CSYS_EAGAIN.  Never
 * waits, so what the system does after the end, and destructors of other code that come last,
 * may not be over.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_try_join(csys_thread *thread, void **out_result);

/* 1 if it has ended, so that a join is short; else 0. */
CSYS_API int csys_thread_is_finished(const csys_thread *thread);

/* The message of its panic, valid while the reference is held; NULL if it did not panic, or still
 * runs. */
CSYS_API const char *csys_thread_panic_message(const csys_thread *thread);

/* ---- which thread -------------------------------------------------------- */

/*
 * The calling thread, also one that csys did not start.  Not a new reference: valid
 * while the thread runs; to keep it, take a csys_thread_ref.  NULL if there is no memory
 * for the first call in a thread that csys did not start, and in thread-local
 * destructors that come after the end of the thread for csys.
 */
CSYS_API csys_thread *csys_thread_current(void);

/* The number of a thread: from 1 on, and never given twice in a process. */
CSYS_API uint64_t csys_thread_id(const csys_thread *thread);

/* The number of the calling thread.  Cannot fail. */
CSYS_API uint64_t csys_thread_current_id(void);

/* The name it was started with, whole; "main" where that can be known; NULL: none. */
CSYS_API const char *csys_thread_name(const csys_thread *thread);

/* ---- parking ------------------------------------------------------------- */

/*
 * Sleep until unparked.  An unpark that came before is not lost: then this returns at
 * once.  There is one such token, however often it was given.  What was written
 * before the unpark is seen.  It may return without one, and other code may have
 * given or taken the token: so look at what is waited for in a loop.
 */
CSYS_API void csys_thread_park(void);

/* Sleep until unparked, as csys_thread_park does, or until `deadline`: CSYS_ETIMEDOUT then,
 * else 0. */
CSYS_API CSYS_MUST_CHECK int csys_thread_park_until(csys_deadline deadline);

/* Give a thread the token, and wake it if it is parked: 1 if it was asleep in csys_thread_park,
 * else 0.  It may have ended. */
CSYS_API int csys_thread_unpark(csys_thread *thread);

/* ---- time and CPUs ------------------------------------------------------- */

/* Sleep until `deadline`, or for that many nanoseconds, and not shorter.  A signal does not end
 * it. */
CSYS_API void csys_thread_sleep_until(csys_deadline deadline);
CSYS_API void csys_thread_sleep_ns(int64_t ns);

/* Let another thread have the CPU, if one waits for it. */
CSYS_API void csys_thread_yield(void);

/*
 * How many threads can run at once, at least 1: the CPUs that the calling thread
 * may run on, or as many as the CPU quota of its control groups is worth, rounded down,
 * if that is less (Linux; elsewhere the CPUs that are on).  Reads files: ask once.
 */
CSYS_API int csys_thread_available_parallelism(void);

/* ---- hooks --------------------------------------------------------------- */

/* What csys_thread_at_exit calls. */
typedef void csys_thread_hook(void *argument);

/*
 * Call hook(argument) when the calling thread ends: after those added later, before
 * those added earlier, at the time said above.  A hook may add hooks, use locks, and ask for
 * csys_thread_current.  Not when the process ends.  CSYS_ENOMEM.  CSYS_ENOTSUP: too late, in
 * a destructor that comes after the hooks.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_at_exit(csys_thread_hook *hook, void *argument);

/* ---- scopes -------------------------------------------------------------- */

/*
 * Threads that are all joined before the scope ends, so they may use what lives
 * around it:
 *
 *     csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
 *     for (int i = 0; i < 4 && r == 0; i++)
 *             r = csys_thread_scope_spawn(&scope, work, &parts[i], NULL, NULL);
 *     int end = csys_thread_scope_end(&scope);
 *
 * All zero is a scope without threads.  Its threads may start others in it.
 */
typedef struct csys_thread_scope {
	uint32_t lock; /* private, as is all of it: src/sync/scope.c */
	uint32_t has_panicked;
	csys_thread *first;
	csys_thread *last;
} csys_thread_scope;

/* No threads. */
#define CSYS_THREAD_SCOPE_INIT   \
	{                        \
		0, 0, NULL, NULL \
	}

/* Start a thread of the scope, as csys_thread_spawn does.  A reference in *out is to be given up as
 * any other. */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_spawn(csys_thread_scope *scope,
						     csys_thread_function *function, void *argument,
						     const csys_thread_options *options,
						     csys_thread **out);

/*
 * Join all threads of the scope.  CSYS_EPANICKED if one panicked and no join of it has returned
 * that, else 0.  The scope is as new then.  CSYS_EDEADLK: the caller is one of them.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_end(csys_thread_scope *scope);

/* Join all threads of the scope until `deadline`: CSYS_ETIMEDOUT if some still run then.  It has to
 * be ended again. */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_end_until(csys_thread_scope *scope,
							 csys_deadline deadline);

/* What csys_thread_scope_run calls: 0, or what it is to return. */
typedef int csys_thread_scope_body(csys_thread_scope *scope, void *argument);

/*
 * Call body(scope, argument) with a new scope, and end it, also if the body panics or
 * the thread ends in it: that goes on when all are joined.  Returns what the body returned, or
 * CSYS_EPANICKED as csys_thread_scope_end does.
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_run(csys_thread_scope_body *body, void *argument);

CSYS_END_DECLS

#endif
