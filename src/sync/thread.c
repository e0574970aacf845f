/*
 * sync/thread.c - the life of a thread.
 *
 *                 detach            end, and the system's thread detaches itself
 *   RUNNING ----------> DETACHED -------------------------------------+
 *      |                                                              v
 *      | end             join             joined by the system, wake  |
 *      +------> ENDED ----------> JOINING --------------------------> GONE
 *                 | detach, or the last reference                     ^
 *                 +---------------------------------------------------+
 *
 * The system's thread has to be joined or detached exactly once: by the thread that takes
 * the state from ENDED, or by itself if it was DETACHED by then.  Everything from
 * ENDED on is "finished"; a thread that joins sleeps on the state until then.
 *
 * The object belongs to all that have a reference; the thread has one of its own from
 * its beginning to its end.  How it ended is written before the state is, and read after it.
 *
 * A thread that csys did not start gets an object when it first asks for its own.  It is
 * DETACHED from the start, since the system's thread is not ours to join.
 *
 * Its end is seen by csysi_os_at_thread_end, which calls one function for all that csys has
 * to do then, in the order that the header promises.  If that fails for a thread that csys
 * starts, its end is when its function was left.  On a system that ends a thread without
 * unwinding, that function is also the first to see that the thread's own function was left.
 */
#include <csys/sync/thread.h>

#include <string.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/reserved.h"
#include "os/os.h"
#include "sync/ledger.h"
#include "sync/panic.h"
#include "sync/thread.h"
#include "sync/watch.h"

enum { RUNNING, DETACHED, ENDED, JOINING, GONE };

/* What became of its function. */
enum { LEFT, RETURNED, PANICKED };

struct hook {
	csys_thread_hook *call;
	void *argument;
	struct hook *before;
};

static _Thread_local struct {
	csys_thread *object; /* NULL: it was not asked for yet, or it is over */
	uint64_t id;         /* 0: it was not asked for yet */
	struct hook *hooks;  /* the newest */
	int is_ending;       /* its function was left, or its end was seen */
	int has_left;        /* `leave` was called, or done without */
	int is_over;         /* all is done that is done here */
	int is_unwatched;
} own;

static uint64_t last_id;

/* ---- objects ------------------------------------------------------------------------ */

static csys_thread *new_thread(const char *name, uint64_t id)
{
	size_t size = name ? strlen(name) + 1 : 0;
	csys_thread *thread = csysi_alloc_zero(sizeof *thread + size);

	if (!thread)
		return NULL;
	thread->references = 1;
	thread->id = id;
	thread->process = csysi_os_pid();
	if (name)
		thread->name = memcpy(thread->text, name, size);
	return thread;
}

static uint64_t new_id(void)
{
	/* The order is irrelevant: each number is given once, that is all. */
	return csysi_add_acq_rel(&last_id, 1);
}

int csysi_thread_is_here(const csys_thread *thread)
{
	return thread->process == csysi_os_pid();
}

int csysi_thread_is_own(const csys_thread *thread)
{
	return thread == own.object;
}

static int has_ended(const csys_thread *thread)
{
	/* Acquire pairs with the releases in finish. */
	return csysi_load_acquire(&thread->state) >= ENDED;
}

csys_thread *csys_thread_ref(csys_thread *thread)
{
	/* Relaxed: the caller has a reference, so the object is not freed meanwhile. */
	csysi_add_relaxed(&thread->references, 1);
	return thread;
}

/* For a thread that has ended: 1 if the caller has to join or detach the system's thread. */
static int claim(csys_thread *thread, uint32_t state)
{
	uint32_t was = ENDED;

	/* Acquire pairs with the release in finish. */
	return csysi_cas_acquire(&thread->state, &was, state) && csysi_thread_is_here(thread);
}

void csys_thread_unref(csys_thread *thread)
{
	/* Release: what this caller did with it comes before the freeing.  Acquire: so does what
	 * other callers did. */
	if (!thread || csysi_sub_acq_rel(&thread->references, 1) > 0)
		return;
	if (claim(thread, GONE))
		csysi_os_thread_detach(&thread->system);
	csysi_thread_free_names(thread);
	csysi_free(thread);
}

void csys_thread_detach(csys_thread *thread)
{
	uint32_t state = RUNNING;

	if (!thread)
		return;
	/* Relaxed: DETACHED publishes nothing. */
	if (!csysi_cas_relaxed(&thread->state, &state, DETACHED) && claim(thread, GONE))
		csysi_os_thread_detach(&thread->system);
	csys_thread_unref(thread);
}

/* ---- the end --------------------------------------------------------------------------- */

static void run_hooks(void)
{
	while (own.hooks) {
		struct hook hook = *own.hooks;
		csysi_free(own.hooks);
		own.hooks = hook.before;
		hook.call(hook.argument);
	}
}

/* Let the joiners go on, and drop the thread's own reference. */
static void finish(csys_thread *thread)
{
	uint32_t state = RUNNING;

	csysi_thread_end_control(thread);
	/* Release pairs with the acquire in has_ended.  Acquire, and a swap: see watch.c. */
	if (!csysi_cas_acq_rel(&thread->state, &state, ENDED)) {
		if (thread->is_ours && csysi_thread_is_here(thread))
			csysi_os_thread_detach(&thread->system);
		(void)csysi_swap_acq_rel(&thread->state, GONE);
	}
	csysi_os_wake(&thread->state, UINT32_MAX, 0);
	csysi_watch_notify(thread, UINT32_MAX);
	csys_thread_unref(thread);
}

/* The function of this thread was left.  `thread`: NULL if csys did not start it. */
static void note_left(csys_thread *thread)
{
	own.is_ending = 1;
	own.has_left = 1;
	csysi_panic_forget();
	if (thread && thread->outcome == LEFT)
		strcpy(thread->panic.message, "the thread ended by pthread_exit or a cancellation");
}

static void (*at_end)(void); /* atomic */

void csysi_thread_at_end(void (*run)(void))
{
	/* Release pairs with the acquire in `end`; all threads store the same. */
	csysi_store_release(&at_end, run);
}

/* May be called a second time, if a destructor has noted something after the first. */
static void end(void)
{
	/* Its stack was not unwound, or it is not ours. */
	if (!own.has_left)
		note_left(own.object && own.object->is_ours ? own.object : NULL);
	run_hooks();
	csysi_ledger_end();
	void (*last)(void) = csysi_load_acquire(&at_end);
	if (last)
		last();
	own.is_over = 1;
	csys_thread *thread = own.object;
	own.object = NULL;
	if (thread)
		finish(thread);
}

int csysi_thread_watch(void)
{
	/* In these cases the end is under way, or comes when the function was left. */
	if ((own.is_ending || own.is_unwatched) && !own.is_over)
		return 0;
	return csysi_os_at_thread_end(end);
}

int csys_thread_at_exit(csys_thread_hook *call, void *argument)
{
	if (own.is_over)
		return CSYS_ENOTSUP;

	struct hook *hook = csysi_alloc(sizeof *hook);
	if (!hook)
		return CSYS_ENOMEM;
	if (csysi_thread_watch() < 0) {
		csysi_free(hook);
		return CSYS_ENOMEM;
	}
	*hook = (struct hook){ call, argument, own.hooks };
	own.hooks = hook;
	return 0;
}

int csysi_thread_is_ending(void)
{
	return own.is_ending;
}

void csysi_thread_fail(const csys_panic_info *info)
{
	csys_thread *thread = own.object;

	if (!thread || !thread->is_ours || !csysi_thread_is_here(thread))
		return;
	thread->outcome = PANICKED;
	thread->panic = *info;
	csysi_os_thread_exit();
}

/* ---- starting ----------------------------------------------------------------------------- */

static void run(void *argument)
{
	csys_thread *thread = argument;

	own.object = thread;
	own.id = thread->id;
	csysi_thread_begin_control(thread);
	own.is_unwatched = thread->is_unwatched || csysi_thread_watch() < 0;
	thread->result = thread->function(thread->argument);
	thread->outcome = RETURNED;
}

static void leave(void *argument)
{
	csys_thread *thread = argument;

	note_left(thread);
	if (own.is_unwatched)
		end();
}

static int check(const csys_thread_options *options)
{
	if (options->name && options->name[0] == '\0')
		return CSYS_EINVAL;
	if ((options->cpus != NULL) != (options->cpu_count > 0))
		return CSYS_EINVAL;
	if (options->priority.kind < CSYS_PRIORITY_INHERIT ||
	    options->priority.kind > CSYS_PRIORITY_ROUND_ROBIN ||
	    (options->priority.kind == CSYS_PRIORITY_INHERIT && options->priority.value != 0))
		return CSYS_EINVAL;
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return 0;
}

int csys_thread_spawn(csys_thread_function *function, void *argument,
		      const csys_thread_options *options, csys_thread **out)
{
	static const csys_thread_options none;
	const csys_thread_options *how = options ? options : &none;

	int r = function ? check(how) : CSYS_EINVAL;
	if (r < 0)
		return r;
	csys_thread *thread = new_thread(how->name, new_id());
	if (!thread)
		return CSYS_ENOMEM;
	thread->is_ours = 1;
	/* The fault point is asked in this thread, for what can fail in the new one. */
	thread->is_unwatched = csysi_fault(CSYS_ENOMEM) < 0;
	thread->state = out ? RUNNING : DETACHED;
	thread->references = 2; /* its own, and the caller's at least until the return */
	thread->function = function;
	thread->argument = argument;
	thread->start = (struct csysi_os_thread_start){ .run = run,
							.leave = leave,
							.argument = thread,
							.name = thread->name,
							.stack_size = how->stack_size,
							.cpus = how->cpus,
							.cpu_count = how->cpu_count,
							.priority_kind = how->priority.kind,
							.priority = how->priority.value };
	r = csysi_os_thread_start(&thread->start);
	if (r < 0) {
		csysi_free(thread);
		return r;
	}
	if (out)
		*out = thread;
	else
		csys_thread_unref(thread);
	return 0;
}

/* ---- waiting for the end --------------------------------------------------------------------- */

static int await_end(const csys_thread *thread, csys_deadline deadline)
{
	for (;;) {
		uint32_t state = csysi_load_relaxed(&thread->state);
		if (has_ended(thread))
			return 0;
		if (thread == own.object)
			return CSYS_EDEADLK;
		if (!csysi_thread_is_here(thread))
			return CSYS_ESRCH;
		/* An end that came beats a deadline that has passed. */
		if (csysi_os_wait(&thread->state, state, deadline, 0) == CSYS_ETIMEDOUT)
			return has_ended(thread) ? 0 : CSYS_ETIMEDOUT;
	}
}

int csysi_thread_await(csys_thread *thread, csys_deadline deadline)
{
	int r = await_end(thread, deadline);
	if (r < 0)
		return r;

	/* The system's thread needs a moment more to end; after the join nothing of it is left. */
	if (claim(thread, JOINING)) {
		csysi_os_thread_join(&thread->system);
		/* Release pairs with the acquire below. */
		csysi_store_release(&thread->state, GONE);
		csysi_os_wake(&thread->state, UINT32_MAX, 0);
	}
	while (csysi_load_acquire(&thread->state) == JOINING && csysi_thread_is_here(thread))
		csysi_os_wait(&thread->state, JOINING, CSYS_FOREVER, 0);
	return 0;
}

/* For a thread that has ended. */
static int result_of(csys_thread *thread, void **out_result)
{
	if (csys_thread_panic_message(thread)) {
		/* Relaxed: a flag that orders nothing. */
		csysi_store_relaxed(&thread->is_told, 1);
		return CSYS_EPANICKED;
	}
	if (out_result)
		*out_result = thread->result;
	return 0;
}

int csys_thread_join_until(csys_thread *thread, csys_deadline deadline, void **out_result)
{
	int r = csysi_thread_await(thread, deadline);
	return r < 0 ? r : result_of(thread, out_result);
}

int csys_thread_join(csys_thread *thread, void **out_result)
{
	return csys_thread_join_until(thread, CSYS_FOREVER, out_result);
}

int csys_thread_try_join(csys_thread *thread, void **out_result)
{
	return has_ended(thread) ? result_of(thread, out_result) : CSYS_EAGAIN;
}

int csys_thread_is_finished(const csys_thread *thread)
{
	return has_ended(thread);
}

const char *csys_thread_panic_message(const csys_thread *thread)
{
	int has_failed = has_ended(thread) && thread->is_ours && thread->outcome != RETURNED;
	return has_failed ? thread->panic.message : NULL;
}

/* ---- one of several (wait_any.c) ---------------------------------------------------------- */

static int take_item(const csys_wait_item *item)
{
	const csys_thread *thread = item->object;

	if (has_ended(thread))
		return 1;
	if (thread == own.object)
		return CSYS_EDEADLK;
	return csysi_thread_is_here(thread) ? 0 : CSYS_ESRCH;
}

static int look_at_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_thread *thread = item->object;

	(void)watch;
	/* That changes nothing; acquire and release: see watch.c. */
	(void)csysi_add_acq_rel(&thread->state, 0);
	return take_item(item);
}

const struct csysi_watch_kind csysi_thread_kind = { take_item, look_at_item, NULL, NULL };

/* ---- which thread ---------------------------------------------------------- */

uint64_t csys_thread_current_id(void)
{
	if (own.id == 0)
		own.id = new_id();
	return own.id;
}

csys_thread *csys_thread_current(void)
{
	if (own.object || own.is_over)
		return own.object;

	const char *name = csysi_os_is_main_thread() ? "main" : NULL;
	csys_thread *thread = new_thread(name, csys_thread_current_id());
	if (!thread)
		return NULL;
	thread->state = DETACHED;
	csysi_thread_begin_control(thread);
	if (csysi_thread_watch() < 0) {
		csysi_free(thread);
		return NULL;
	}
	own.object = thread;
	return thread;
}

uint64_t csys_thread_id(const csys_thread *thread)
{
	return thread->id;
}

const char *csys_thread_name(const csys_thread *thread)
{
	/* Acquire pairs with the release in csys_thread_rename. */
	return csysi_load_acquire(&thread->name);
}

const char *csysi_thread_own_name(void)
{
	if (own.object)
		return csys_thread_name(own.object);
	return csysi_os_is_main_thread() ? "main" : NULL;
}
