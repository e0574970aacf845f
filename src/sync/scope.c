/*
 * sync/scope.c - threads that are joined before their scope ends.
 *
 * A scope is a queue of its threads, with a reference to each.  A thread is in it
 * before the one that started it can end, and stays until a thread of the scope, or the
 * one that ends it, has taken it out to join it; so when the queue is empty, and all that
 * were in it are joined, none is left.
 *
 * The queue does not grow with the threads that have ended: each spawn looks at the
 * two oldest, drops those that have ended and have no other reference, and moves the others
 * to the end.
 */
#include <csys/sync/panic.h>
#include <csys/sync/thread.h>

#include "base/atomic.h"
#include "sync/lock.h"
#include "sync/thread.h"

#define LOOKS 2

void csys_thread_scope_init(csys_thread_scope *scope)
{
	*scope = (csys_thread_scope)CSYS_THREAD_SCOPE_INIT;
}

static struct csysi_lock *lock_of(csys_thread_scope *scope)
{
	return (struct csysi_lock *)(void *)&scope->lock;
}

static void link_last(csys_thread_scope *scope, csys_thread *thread)
{
	thread->next = NULL;
	if (scope->last)
		scope->last->next = thread;
	else
		scope->first = thread;
	scope->last = thread;
}

static void unlink_first(csys_thread_scope *scope)
{
	scope->first = scope->first->next;
	if (!scope->first)
		scope->last = NULL;
}

static void append(csys_thread_scope *scope, csys_thread *thread)
{
	csysi_lock_lock(lock_of(scope));
	link_last(scope, thread);
	csysi_lock_unlock(lock_of(scope));
}

/* The oldest, or NULL. */
static csys_thread *take(csys_thread_scope *scope)
{
	csysi_lock_lock(lock_of(scope));
	csys_thread *thread = scope->first;
	if (thread)
		unlink_first(scope);
	csysi_lock_unlock(lock_of(scope));
	return thread;
}

/* The thread has ended, and its end was waited for: note a panic, and drop the reference. */
static void drop(csys_thread_scope *scope, csys_thread *thread)
{
	/* Relaxed: flags, which order nothing. */
	if (csys_thread_panic_message(thread) && !csysi_load_relaxed(&thread->is_told))
		csysi_store_relaxed(&scope->has_panicked, 1);
	csys_thread_unref(thread);
}

/* Take out the oldest if it has ended and has no other reference; else move it to the end: NULL. */
static csys_thread *take_if_over(csys_thread_scope *scope)
{
	csysi_lock_lock(lock_of(scope));
	csys_thread *thread = scope->first;
	int is_over = 0;
	if (thread) {
		/* Acquire pairs with the release of unref.  The one reference is the scope's, and
		 * a thread without a reference cannot make another one. */
		is_over = csys_thread_is_finished(thread) &&
			  csysi_load_acquire(&thread->references) == 1;
		unlink_first(scope);
		if (!is_over)
			link_last(scope, thread);
	}
	csysi_lock_unlock(lock_of(scope));
	return is_over ? thread : NULL;
}

/* The caller ends the scope, or is a thread of it: so the scope does not end before this one has
 * joined what it took. */
static void prune(csys_thread_scope *scope)
{
	for (int i = 0; i < LOOKS; i++) {
		csys_thread *thread = take_if_over(scope);
		if (thread) {
			(void)csysi_thread_await(thread, CSYS_FOREVER);
			drop(scope, thread);
		}
	}
}

int csys_thread_scope_spawn(csys_thread_scope *scope, csys_thread_function *function,
			    void *argument, const csys_thread_options *options, csys_thread **out)
{
	csys_thread *thread;

	int r = csys_thread_spawn(function, argument, options, &thread);
	if (r < 0)
		return r;
	if (out)
		*out = csys_thread_ref(thread);
	append(scope, thread);
	prune(scope);
	return 0;
}

int csys_thread_scope_end_until(csys_thread_scope *scope, csys_deadline deadline)
{
	csys_thread *thread;

	while ((thread = take(scope)) != NULL) {
		int r = csysi_thread_await(thread, deadline);
		if (r < 0) {
			append(scope, thread);
			return r;
		}
		drop(scope, thread);
	}
	/* Relaxed: it was set by this thread, or by threads whose end was awaited. */
	int has_panicked = csysi_load_relaxed(&scope->has_panicked) != 0;
	csysi_store_relaxed(&scope->has_panicked, 0);
	return has_panicked ? CSYS_EPANICKED : 0;
}

int csys_thread_scope_end(csys_thread_scope *scope)
{
	return csys_thread_scope_end_until(scope, CSYS_FOREVER);
}

/* ---- a scope around a function ------------------------------------------------------------- */

struct run {
	csys_thread_scope scope;
	csys_thread_scope_body *body;
	void *argument;
	csys_panic_info panic;
	int caught;
	int result; /* of the body */
	int r;      /* of the end of the scope */
};

static void call_body(void *argument)
{
	struct run *run = argument;

	run->result = run->body(&run->scope, run->argument);
}

static void attempt(void *argument)
{
	struct run *run = argument;

	run->caught = csys_panic_catch(call_body, run, &run->panic);
}

/* Called also when the thread ends in the body. */
static void leave(void *argument)
{
	struct run *run = argument;

	run->r = csys_thread_scope_end(&run->scope);
}

int csys_thread_scope_run(csys_thread_scope_body *body, void *argument)
{
	struct run run = { .body = body, .argument = argument };

	csysi_os_run(attempt, leave, &run);
	if (run.caught < 0)
		csys_panic_resume(&run.panic);
	return run.r < 0 ? run.r : run.result;
}
