/*
 * csys/sync/panic.h - giving up in the middle, so that other threads know.
 *
 *     if (sum != expected)
 *             csys_panic("the sum is %d and not %d", sum, expected);
 *
 *     csys_panic_info info;
 *     if (csys_panic_catch(handle_request, request, &info) == CSYS_EPANICKED)
 *             fprintf(stderr, "request failed: %s\n", info.message);
 *
 * A panic is for what a program has no answer to: it ends what was being done, and
 * with it the thread, unless a function above catches it.  In this order:
 *   1. the hook is called, which by default writes a line to stderr;
 *   2. the locks that the thread holds are poisoned and released, the newest first:
 *      all of them, or those taken since the csys_panic_catch that it goes to;
 *   3. csys_panic_catch returns; or, if there is none, the thread ends, and
 *      csys_thread_join returns CSYS_EPANICKED.  The main thread, one that csys did not
 *      start, and whichever one is left in a forked child, end the whole process
 *      with status 101, as by exit().
 *
 * A thread that ends has its stack unwound, as by pthread_exit: destructors of C++
 * and cleanup handlers run.  They may unlock what was taken from the thread; that
 * does nothing.  The way to a csys_panic_catch is a longjmp: no handlers and
 * destructors on it may be waiting (catch there what must not be left out), and
 * what functions on it own is lost.  Locks without poison stay locked either way.
 *
 * A panic in the hook, while a panic is under way that was not caught, or in what
 * runs after a thread's function (hooks of csys_thread_at_exit, destructors of
 * thread-local variables) aborts.
 *
 * Exceptions of C++ pass through csys_panic_catch, as they pass through all functions of csys
 * that call the program's own.  For the locks that is a panic of the body: those that it took
 * and still holds are poisoned and released, and the exception goes on.  So does the end of the
 * thread in a body (pthread_exit, a cancellation) where the system unwinds the stack.  An
 * exception out of the hook takes the place of the panic.
 *
 * What csys_panic_catch does with locks when its body panics:
 *   - A lock that was held before and is held at the panic stays held: in the way (reading or
 *     writing) and at the level (csys_reentrant) that it had.  It is not poisoned, also where
 *     the body released it and took it again, as csys_condvar_wait does.  The caller holds it
 *     and knows of the panic; what the body was changing under it is the caller's to look at.
 *   - A rwlock that the body upgraded is poisoned, and is held for reading again; as often as
 *     before, if the body released it several times and then locked it for writing.
 *   - A rwlock that the body downgraded is locked for writing again.  This waits for the other
 *     readers, and another writer may come in between.
 *   - A lock that was held before and that the body released for good is not held.
 *   - All other locks that the body took are poisoned and released, the newest first.
 * A lock that could not be noted, for lack of memory, stays as the body left it; so does the
 * level of a reentrant lock.
 *
 * Panicking and catching need no memory.  Signals: not in handlers.
 */
#ifndef CSYS_SYNC_PANIC_H
#define CSYS_SYNC_PANIC_H

#include <csys/base/attributes.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/* A message is cut to this size, its NUL included. */
#define CSYS_PANIC_MESSAGE 480

/* What a panic was about. */
typedef struct csys_panic_info {
	char message[CSYS_PANIC_MESSAGE];
	const char *file; /* where csys_panic was called */
	int line;
} csys_panic_info;

/* Panic, with a message as printf writes it. */
#define csys_panic(...) csys_panic_at(__FILE__, __LINE__, __VA_ARGS__)

/* Panic, at a place that the caller names; `file` is not copied. */
CSYS_API void csys_panic_at(const char *file, int line, const char *format, ...)
	CSYSI_ATTRIBUTE((noreturn, format(printf, 3, 4)));

/* Go on with a panic that was caught: as csys_panic, but the hook is not called again. */
CSYS_API void csys_panic_resume(const csys_panic_info *info) CSYSI_ATTRIBUTE((noreturn));

/* What csys_panic_catch calls. */
typedef void csys_panic_body(void *argument);

/*
 * Call body(argument).  0 if it returns.  CSYS_EPANICKED if it panics: the locks that
 * it took and holds are poisoned and released, those held before and still are held as they
 * were (see above), and *out says what it was about; NULL if that is not wanted.
 */
CSYS_API CSYS_MUST_CHECK int csys_panic_catch(csys_panic_body *body, void *argument,
					      csys_panic_info *out);

/* 1 while this thread panics: in the hook, and while its stack is unwound; else 0. */
CSYS_API int csys_thread_panicking(void);

/*
 * Called for each panic, in its thread, which still holds its locks.  It may lock
 * others, end the process, or return.
 */
typedef void csys_panic_hook(const csys_panic_info *info, void *context);

/*
 * Set the hook that is called from now on, NULL for csys_panic_default_hook.  One that is
 * replaced may still run in other threads.
 */
CSYS_API void csys_panic_set_hook(csys_panic_hook *hook, void *context);

/* Get the hook that is set, never NULL: another hook can call it. */
CSYS_API void csys_panic_get_hook(csys_panic_hook **out_hook, void **out_context);

/* Write "thread 'NAME' panicked at FILE:LINE: MESSAGE" to stderr, in one line. */
CSYS_API void csys_panic_default_hook(const csys_panic_info *info, void *context);

CSYS_END_DECLS

#endif
