/**
 * \file
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

/** A thread, counted: see above. */
typedef struct csys_thread csys_thread;

/* ---- starting ------------------------------------------------------------------------ */

/** The function of a thread; what it returns goes to the threads that join it. */
typedef void *csys_thread_function(void *argument);

/** Kinds of csys_thread_priority. */
enum {
	CSYS_PRIORITY_INHERIT = 0, /**< as its maker's; value 0, and for a new thread only */
	CSYS_PRIORITY_NICE = 1,    /**< -20 (most) to 19 (least); Linux, elsewhere CSYS_ENOTSUP */
	CSYS_PRIORITY_NORMAL = 2,  /**< no real-time class; value 0 */
	CSYS_PRIORITY_FIFO = 3, /**< real time, up to its end or wait; 1 (least) to 99 on Linux */
	CSYS_PRIORITY_ROUND_ROBIN = 4 /**< real time, in turns with others of the same value */
};

/** How much a thread is preferred to others; all zero is its maker's. */
typedef struct csys_thread_priority {
	int kind;  /**< CSYS_PRIORITY_... */
	int value; /**< as the kind says */
} csys_thread_priority;

/** How to start a thread; all zero is the default. */
typedef struct csys_thread_options {
	const char *name;     /**< copied; NULL: none; other programs may see it cut */
	size_t stack_size;    /**< bytes, rounded up to what is possible; 0: the system's */
	const unsigned *cpus; /**< where it may run, from 0; NULL: where its maker may */
	size_t cpu_count;     /**< how many these are */
	csys_thread_priority priority; /**< all zero: its maker's */
	uintptr_t reserved[7];         /**< zero */
} csys_thread_options;

/**
 * Start a thread that calls function(argument).
 *
 * What was written before is seen by the thread.  After a failure there is no thread.  A name is
 * seen whole by csys_thread_name; Linux shows 15 bytes of it to other programs.  CPUs can be chosen
 * on Linux.
 *
 * \param function  what it does
 * \param argument  of `function`
 * \param options   NULL: the default
 * \param out       the caller's reference; NULL: it cannot be joined
 * \retval 0             it is started
 * \retval CSYS_EAGAIN   there are too many threads, or no room for the stack
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EINVAL   no function, an empty name, no such CPUs or priority, `reserved` not 0
 * \retval CSYS_EPERM    the process may not give this priority
 * \retval CSYS_ENOTSUP  this system cannot choose CPUs, or has no such priority
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_spawn(csys_thread_function *function, void *argument,
					       const csys_thread_options *options,
					       csys_thread **out);

/**
 * Add a reference, to be given up by csys_thread_unref.
 *
 * \param thread  the thread, of which the caller has a reference
 * \return the thread
 */
CSYS_API csys_thread *csys_thread_ref(csys_thread *thread);

/**
 * Give up a reference.
 *
 * Never waits: a thread that runs then runs on.
 *
 * \param thread  the thread; NULL is ignored
 */
CSYS_API void csys_thread_unref(csys_thread *thread);
CSYSI_AUTO(csys_thread, csys_thread_unref(*object))

/**
 * Give up a reference, and detach: the system's thread frees itself at its end.
 *
 * So it does though there may be other references.  Without this it stays, with its stack, until it
 * is joined or the last reference is given up.
 *
 * \param thread  the thread; NULL is ignored
 */
CSYS_API void csys_thread_detach(csys_thread *thread);

/* ---- waiting for the end ----------------------------------------------------------------- */

/**
 * Wait for the end of a thread, thread-local destructors included.
 *
 * All it did is seen then.  The reference stays; any number of threads may join, at once or
 * again.  A thread that csys did not start has a result of NULL.
 *
 * \param thread      the thread
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_EPANICKED  it panicked, or was left by pthread_exit or a cancellation
 * \retval CSYS_EDEADLK    it is the caller
 * \retval CSYS_ESRCH      it does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_join(csys_thread *thread, void **out_result);

/**
 * Wait for the end of a thread, or until `deadline`.
 *
 * \param thread      the thread
 * \param deadline    when to give up; it may be joined again then
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_ETIMEDOUT  it runs on
 * \retval CSYS_EPANICKED  it panicked, or was left by pthread_exit or a cancellation
 * \retval CSYS_EDEADLK    it is the caller
 * \retval CSYS_ESRCH      it does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_join_until(csys_thread *thread, csys_deadline deadline,
						    void **out_result);

/**
 * Get the result of a thread if it has ended, without waiting.
 *
 * What the system does after the end, and destructors of other code that come last, may not be
 * over.
 *
 * \param thread      the thread
 * \param out_result  what its function returned; untouched on failure; NULL: not wanted
 * \retval 0               its function returned
 * \retval CSYS_EAGAIN     it has not ended
 * \retval CSYS_EPANICKED  it panicked, or was left by pthread_exit or a cancellation
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_try_join(csys_thread *thread, void **out_result);

/**
 * Tell whether a thread has ended.
 *
 * \param thread  the thread
 * \return 1 if it has, so that a join is short; else 0
 */
CSYS_API int csys_thread_is_finished(const csys_thread *thread);

/**
 * Tell with what message a thread panicked.
 *
 * \param thread  the thread
 * \return the message, valid while the reference is held; NULL if it did not panic, or still runs
 */
CSYS_API const char *csys_thread_panic_message(const csys_thread *thread);

/* ---- which thread -------------------------------------------------------- */

/**
 * Get the calling thread, also one that csys did not start.
 *
 * No new reference: take a csys_thread_ref to keep it.
 *
 * \return the thread, valid while it runs; NULL if there is no memory at the first call in a thread
 * that csys did not start, and in thread-local destructors that come after its end for csys
 */
CSYS_API csys_thread *csys_thread_current(void);

/**
 * Tell the number that csys gave to a thread.
 *
 * \param thread  the thread
 * \return the number: from 1 on, and never given twice in a process
 */
CSYS_API uint64_t csys_thread_id(const csys_thread *thread);

/**
 * Tell the number that csys gave to the calling thread.
 *
 * \return the number, as csys_thread_id tells it
 */
CSYS_API uint64_t csys_thread_current_id(void);

/**
 * Tell the name of a thread, whole.
 *
 * \param thread  the thread
 * \return the name it was started with or renamed to, valid while the reference is held; "main"
 * where that can be known; NULL: it has none
 */
CSYS_API const char *csys_thread_name(const csys_thread *thread);

/* ---- a thread that runs ------------------------------------------------------------------- */

/**
 * Tell the system's own handle of a thread.
 *
 * \param thread  the thread, which may be used by this handle as long as it runs
 * \param out     a pthread_t, where threads are those of POSIX
 * \retval 0           it is in *out
 * \retval CSYS_ESRCH  the thread has ended, or does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_native_handle(csys_thread *thread, uintptr_t *out);

/**
 * Tell the number by which the system knows a thread: as gettid on Linux.
 *
 * \param thread  the thread
 * \param out     its number, which may be another thread's after its end
 * \retval 0             it is in *out
 * \retval CSYS_ESRCH    the thread has ended, or does not exist in this forked child
 * \retval CSYS_ENOTSUP  this system has no such numbers
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_os_id(csys_thread *thread, int64_t *out);

/**
 * Tell the number by which the system knows the calling thread.
 *
 * \param out  its number
 * \retval 0             it is in *out
 * \retval CSYS_ENOTSUP  this system has no such numbers
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_current_os_id(int64_t *out);

/**
 * Give a thread that runs another name.
 *
 * Other programs see as much of it as the system keeps: Linux 15 bytes, and those of another thread
 * than the caller only if /proc is mounted.
 *
 * What csys_thread_name returned before stays valid: each new text takes memory until the object
 * is freed.
 *
 * \param thread  the thread
 * \param name    copied
 * \retval 0            it has the name
 * \retval CSYS_EINVAL  the name is NULL or empty
 * \retval CSYS_ENOMEM  there is no memory: it has the name of before
 * \retval CSYS_ESRCH   the thread has ended, or does not exist in this forked child
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_rename(csys_thread *thread, const char *name);

/**
 * Let a thread that runs go on on these CPUs only.
 *
 * \param thread  the thread
 * \param cpus    their numbers, from 0
 * \param count   how many these are
 * \retval 0             it runs there
 * \retval CSYS_EINVAL   there are none, or none that it can use
 * \retval CSYS_EPERM    the process may not choose
 * \retval CSYS_ESRCH    the thread has ended, or does not exist in this forked child
 * \retval CSYS_ENOTSUP  this system cannot choose CPUs (all but Linux)
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_set_cpus(csys_thread *thread, const unsigned *cpus,
						  size_t count);

/**
 * Give a thread that runs another priority.
 *
 * \param thread    the thread
 * \param priority  of any kind but CSYS_PRIORITY_INHERIT
 * \retval 0             it has the priority
 * \retval CSYS_EINVAL   there is no such priority
 * \retval CSYS_EPERM    the process may not give it
 * \retval CSYS_ESRCH    the thread has ended, or does not exist in this forked child
 * \retval CSYS_ENOTSUP  this system has no priorities of this kind for threads
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_set_priority(csys_thread *thread,
						      csys_thread_priority priority);

/* ---- parking ------------------------------------------------------------- */

/**
 * Sleep until unparked.
 *
 * An unpark that came before is not lost: then this returns at once.  There is one such token,
 * however often it was given.  What was written before the unpark is seen.  It may return without
 * one, and other code may have given or taken the token: so look at what is waited for in a loop.
 */
CSYS_API void csys_thread_park(void);

/**
 * Sleep until unparked, or until `deadline`.
 *
 * \param deadline  when to give up; a token that is there is taken also when it has passed
 * \retval 0               as csys_thread_park returns
 * \retval CSYS_ETIMEDOUT  there was no token by then
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_park_until(csys_deadline deadline);

/**
 * Give a thread the token, and wake it if it is parked.
 *
 * \param thread  the thread; it may have ended
 * \return 1 if it was asleep in csys_thread_park, else 0
 */
CSYS_API int csys_thread_unpark(csys_thread *thread);

/* ---- time and CPUs ------------------------------------------------------- */

/**
 * Sleep until `deadline`, and not shorter.
 *
 * A signal does not end it.
 *
 * \param deadline  when to go on
 */
CSYS_API void csys_thread_sleep_until(csys_deadline deadline);

/**
 * Sleep for so many nanoseconds, and not shorter.
 *
 * A signal does not end it.
 *
 * \param ns  how many; 0 or less: not at all
 */
CSYS_API void csys_thread_sleep_ns(int64_t ns);

/** Let another thread have the CPU, if one waits for it. */
CSYS_API void csys_thread_yield(void);

/**
 * Tell how many threads can run at once.
 *
 * The CPUs that the calling thread may run on, or as many as the CPU quota of its control groups is
 * worth, rounded down, if that is less (Linux; elsewhere the CPUs that are on).  Reads files: ask
 * once.
 *
 * \return how many, at least 1
 */
CSYS_API int csys_thread_available_parallelism(void);

/* ---- hooks --------------------------------------------------------------- */

/** What csys_thread_at_exit calls. */
typedef void csys_thread_hook(void *argument);

/**
 * Call hook(argument) when the calling thread ends.
 *
 * Hooks run in the order opposite to that in which they were added, at the time that the top of
 * this header names; not when the process ends.  A hook may add hooks, use locks, and ask for
 * csys_thread_current.
 *
 * \param hook      what is called
 * \param argument  of `hook`
 * \retval 0             it will be called
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_ENOTSUP  too late, in a destructor that comes after the hooks
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_at_exit(csys_thread_hook *hook, void *argument);

/* ---- scopes -------------------------------------------------------------- */

/**
 * Threads that are all joined before the scope ends, so they may use what lives around it.
 *
 *     csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
 *     for (int i = 0; i < 4 && r == 0; i++)
 *             r = csys_thread_scope_spawn(&scope, work, &parts[i], NULL, NULL);
 *     int end = csys_thread_scope_end(&scope);
 *
 * All zero is a scope without threads.  Its threads may start others in it.
 */
typedef struct csys_thread_scope {
	uint32_t lock;         /**< private, as is all of it: src/sync/scope.c */
	uint32_t has_panicked; /**< private */
	csys_thread *first;    /**< private */
	csys_thread *last;     /**< private */
} csys_thread_scope;

/** A scope without threads; the same as zeroed memory. */
#define CSYS_THREAD_SCOPE_INIT   \
	{                        \
		0, 0, NULL, NULL \
	}

/**
 * Make a scope without threads, in any memory.
 *
 * \param scope  the memory
 */
CSYS_API void csys_thread_scope_init(csys_thread_scope *scope);

/**
 * Start a thread of the scope.
 *
 * The results are those of csys_thread_spawn.
 *
 * \param scope     the scope
 * \param function  what the thread does
 * \param argument  of `function`
 * \param options   NULL: the default
 * \param out       a reference, to be given up as any other; NULL: not wanted
 * \return 0 if it is started, or a failure
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_spawn(csys_thread_scope *scope,
						     csys_thread_function *function, void *argument,
						     const csys_thread_options *options,
						     csys_thread **out);

/**
 * Join all threads of the scope.
 *
 * The scope is as new then.
 *
 * \param scope  the scope
 * \retval 0               all have ended
 * \retval CSYS_EPANICKED  one panicked, and no join of it has returned that
 * \retval CSYS_EDEADLK    the caller is one of them
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_end(csys_thread_scope *scope);

/**
 * Join all threads of the scope, or give up at `deadline`.
 *
 * \param scope     the scope
 * \param deadline  when to give up; the scope has to be ended again then
 * \retval 0               all have ended
 * \retval CSYS_ETIMEDOUT  some run on
 * \retval CSYS_EPANICKED  one panicked, and no join of it has returned that
 * \retval CSYS_EDEADLK    the caller is one of them
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_end_until(csys_thread_scope *scope,
							 csys_deadline deadline);

/** What csys_thread_scope_run calls: 0, or what it is to return. */
typedef int csys_thread_scope_body(csys_thread_scope *scope, void *argument);

/**
 * Call body(scope, argument) with a new scope, and end it.
 *
 * The scope is ended also if the body panics or the thread ends in it: that goes on when all
 * threads are joined.
 *
 * \param body      the function
 * \param argument  of `body`
 * \retval CSYS_EPANICKED  a thread of the scope panicked, and no join of it has returned that
 * \return anything else is what the body returned
 */
CSYS_API CSYS_MUST_CHECK int csys_thread_scope_run(csys_thread_scope_body *body, void *argument);

CSYS_END_DECLS

#endif
