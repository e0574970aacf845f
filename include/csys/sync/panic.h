/**
 * \file
 * csys/sync/panic.h - giving up in the middle, so that other threads know.
 *
 *     if (sum != expected)
 *             csys_panic("the sum is %d and not %d", sum, expected);
 *
 *     csys_panic_info info;
 *     if (csys_panic_catch(handle_request, request, &info) == CSYS_EPANICKED)
 *             fprintf(stderr, "request failed: %s\n", info.message);
 *
 * A panic is for what a program has no answer to: it ends what was being done, and with it the
 * thread, unless a function above catches it.  In this order:
 *
 * 1. The hook is called, which by default writes a line to stderr.
 * 2. The locks that the thread holds are poisoned and released, the newest first: all of them, or
 *    those taken since the csys_panic_catch that the panic goes to.
 * 3. csys_panic_catch returns.  If there is none the thread ends, and csys_thread_join returns
 *    CSYS_EPANICKED.  The main thread, one that csys did not start, and the one that is left in a
 *    forked child end the whole process with status 101, as by exit().
 *
 * A thread that ends has its stack unwound, as by pthread_exit: destructors of C++ and cleanup
 * handlers run.  If they unlock what was taken from the thread, that does nothing.
 *
 * A panic reaches a csys_panic_catch by longjmp.  So there must be no cleanup handlers and
 * destructors between the two (use another csys_panic_catch for what must be done), and what
 * the functions between them own is lost.  Locks without poison stay locked in both cases.
 *
 * These panics abort: one in the hook; one in a thread that ends by a panic already; one in what
 * runs after a thread's function (hooks of csys_thread_at_exit, destructors of thread-local
 * variables).
 *
 * Exceptions of C++ pass through csys_panic_catch, as they pass through all functions of csys that
 * call the program's own.  For the locks that is a panic of the body: those that it took and still
 * holds are poisoned and released, and the exception goes on.  Where the system unwinds the stack
 * at the end of a thread (pthread_exit, a cancellation), that does so too.  An exception out of
 * the hook takes the place of the panic.
 *
 * What csys_panic_catch does with locks when its body panics:
 *
 * - A lock that was held before and is held at the panic stays held: in the way (reading or
 *   writing) and at the level (csys_reentrant) that it had.  It is not poisoned, also where the
 *   body released it and took it again, as csys_condvar_wait does.  The caller holds it and knows
 *   of the panic; what the body was changing under it is the caller's to look at.
 * - A rwlock that the body upgraded is poisoned, and is held for reading again; as often as
 *   before, if the body released it several times and then locked it for writing.
 * - A rwlock that the body downgraded is locked for writing again.  This waits for the other
 *   readers, and another writer may come in between.
 * - A lock that was held before and that the body released for good is not held.
 * - All other locks that the body took are poisoned and released, the newest first.
 *
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

/** The size in bytes to which a message is cut, its NUL included. */
#define CSYS_PANIC_MESSAGE 480

/** What a panic was about. */
typedef struct csys_panic_info {
	char message[CSYS_PANIC_MESSAGE]; /**< the message, as printf wrote it */
	const char *file;                 /**< the source file in which csys_panic was called */
	int line;                         /**< the line in that file */
} csys_panic_info;

/**
 * Panic: give up what is being done, with a message as printf writes it.
 *
 * \param ...  the format of the message and what it needs
 */
#define csys_panic(...) csys_panic_at(__FILE__, __LINE__, __VA_ARGS__)

/**
 * Panic as csys_panic does, at a place in the source that the caller names.
 *
 * \param file    the source file, which is not copied
 * \param line    the line in it
 * \param format  the format of the message, as of printf
 */
CSYS_API void csys_panic_at(const char *file, int line, const char *format, ...)
	CSYSI_ATTRIBUTE((noreturn, format(printf, 3, 4)));

/**
 * Go on with a panic that was caught, without calling the hook again.
 *
 * \param info  what csys_panic_catch told
 */
CSYS_API void csys_panic_resume(const csys_panic_info *info) CSYSI_ATTRIBUTE((noreturn));

/**
 * A function that csys_panic_catch calls.
 *
 * \param argument  what csys_panic_catch was called with
 */
typedef void csys_panic_body(void *argument);

/**
 * Call a function, and return also if it panics.
 *
 * If it does, the locks that it took and holds are poisoned and released.  Those that were held
 * before and still are stay held, as the top of this header says.
 *
 * \param body      the function
 * \param argument  is passed to it
 * \param out       what the panic was about; may be NULL.  Unchanged if there is none
 * \retval 0               it returned
 * \retval CSYS_EPANICKED  it panicked
 */
CSYS_API CSYS_MUST_CHECK int csys_panic_catch(csys_panic_body *body, void *argument,
					      csys_panic_info *out);

/**
 * Tell whether the calling thread panics: runs the hook, or has its stack unwound by a panic.
 *
 * \return 1 if it does, else 0
 */
CSYS_API int csys_thread_panicking(void);

/**
 * A function that is called for each panic, in its thread.
 *
 * The thread still holds its locks.  The hook may take others, end the process, or return.
 *
 * \param info     what the panic is about
 * \param context  what csys_panic_set_hook was called with
 */
typedef void csys_panic_hook(const csys_panic_info *info, void *context);

/**
 * Set the hook that is called for each panic from now on.
 *
 * The hook that is replaced may still run in other threads.
 *
 * \param hook     the hook; NULL for csys_panic_default_hook
 * \param context  is passed to it
 */
CSYS_API void csys_panic_set_hook(csys_panic_hook *hook, void *context);

/**
 * Tell the hook that is set, so that another hook can call it.
 *
 * \param out_hook     the hook, never NULL
 * \param out_context  what is passed to it
 */
CSYS_API void csys_panic_get_hook(csys_panic_hook **out_hook, void **out_context);

/**
 * Write "thread 'NAME' panicked at FILE:LINE: MESSAGE" to stderr, in one line.
 *
 * \param info     what the panic is about
 * \param context  not used
 */
CSYS_API void csys_panic_default_hook(const csys_panic_info *info, void *context);

CSYS_END_DECLS

#endif
