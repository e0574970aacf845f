/*
 * process/child.c - a child from its birth until it is reaped.
 *
 * Waiting and reaping are two steps.  Waiting (os.h) leaves the ended child a
 * zombie, so its pid stays its own; any number of threads may do that at once.
 * Reaping, and sending a signal, happen under the child's lock.  Invariant:
 * while the lock is held and `reaped` is 0, the pid and the handle are this
 * child's and nobody else's; so a signal never reaches a stranger, on systems
 * without pidfds too.
 *
 * A child that is closed while it runs goes on a list of the detached, from
 * where a later spawn, wait or close reaps it.  The list is a stack: pushed by
 * compare-and-swap, emptied whole by a swap with NULL, so there is no lock that
 * a fork in another thread could leave held for ever, and no ABA, since nobody
 * takes a single one out.
 *
 * The container of a contained child is removed by the first reap, wait, close or
 * sweep that finds nothing living in it.  A closed child stays on the list until then,
 * reaped or not.  Its handle is open as long as the object, so it needs no lock.
 */
#include <csys/base/result.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "process/child.h"

/* How many of the detached one sweep looks at, so that a spawn does not pay for
 * thousands of them; the rest take their turn at the next. */
#define SWEEP 64

/* Between two looks at a child that is to stop, ns. */
#define FIRST_NAP 50000
#define LAST_NAP 5000000

static csys_child *detached;

static int is_stream(int stream)
{
	return stream >= CSYS_STDIN && stream <= CSYS_STDERR;
}

csys_child *csysi_child_new(void)
{
	csys_child *child = csysi_alloc_zero(sizeof *child);
	if (!child)
		return NULL;
	child->os.handle = CSYS_NO_HANDLE;
	child->container.handle = CSYS_NO_HANDLE;
	for (int i = 0; i < 3; i++)
		child->streams[i] = CSYS_NO_HANDLE;
	return child;
}

void csysi_child_free(csys_child *child)
{
	for (int i = 0; i < 3; i++)
		csysi_os_close(child->streams[i]);
	csysi_os_close(child->os.handle);
	csysi_os_close(child->container.handle);
	csysi_free(child);
}

int64_t csys_child_pid(const csys_child *child)
{
	return child ? child->os.pid : -1;
}

csys_handle csys_child_handle(const csys_child *child)
{
	return child ? child->os.handle : CSYS_NO_HANDLE;
}

/* ---- its streams --------------------------------------------------------------- */

csys_handle csys_child_stream(const csys_child *child, int stream)
{
	/* Relaxed: the number alone; whoever may use it is the one who may take it. */
	return child && is_stream(stream) ? csysi_load_relaxed(&child->streams[stream])
					  : CSYS_NO_HANDLE;
}

int csys_child_take(csys_child *child, int stream, csys_handle *out)
{
	if (!child || !out || !is_stream(stream))
		return CSYS_EINVAL;
	/* A swap, since several waiting threads may close stdin at once.  Acquire: one of
	 * them gets it, and with it nothing else. */
	csys_handle handle = csysi_swap_acquire(&child->streams[stream], CSYS_NO_HANDLE);
	if (handle == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	*out = handle;
	return 0;
}

void csys_child_close_stream(csys_child *child, int stream)
{
	csys_handle handle;

	if (csys_child_take(child, stream, &handle) == 0)
		csysi_os_close(handle);
}

/* ---- its end --------------------------------------------------------------------- */

static csys_exit exit_of(const struct csysi_os_exit *end)
{
	csys_exit exit = { .how = CSYS_EXIT_UNKNOWN, .value = -1 };

	if (end->known) {
		exit.how = end->signaled ? CSYS_EXIT_SIGNAL : CSYS_EXIT_CODE;
		exit.value = end->value;
		exit.core_dumped = end->core_dumped;
	}
	return exit;
}

static csys_usage usage_of(const struct csysi_os_exit *end)
{
	csys_usage usage = { -1, -1, -1 };

	if (end->known && end->usage_known) {
		usage.user_ns = end->user_ns;
		usage.system_ns = end->system_ns;
		usage.peak = end->peak;
	}
	return usage;
}

/*
 * Remove its container, if it has one still and nothing lives there.  Under lock, so that a
 * cancelled thread must not end in it, and the files of a container are cancellation points.
 */
static void vacate(csys_child *child)
{
	if (child->container.handle == CSYS_NO_HANDLE || child->removed)
		return;

	int before = csysi_os_hold_cancel();
	child->removed = csysi_os_container_remove(&child->container) == 0;
	csysi_os_release_cancel(before);
}

/* Reap if it has ended and is not reaped.  CSYS_EAGAIN: it runs. */
static int reap(csys_child *child, csys_exit *out)
{
	int r = 0;

	csysi_lock_lock(&child->lock);
	if (!child->reaped) {
		struct csysi_os_exit end;
		r = csysi_os_child_reap(&child->os, &end);
		if (r == 0) {
			child->exit = exit_of(&end);
			child->usage = usage_of(&end);
			child->reaped = 1;
		}
	}
	if (r == 0) {
		vacate(child);
		*out = child->exit;
	}
	csysi_lock_unlock(&child->lock);
	return r;
}

static int is_reaped(csys_child *child)
{
	csysi_lock_lock(&child->lock);
	int reaped = child->reaped;
	csysi_lock_unlock(&child->lock);
	return reaped;
}

int csysi_child_wait_end(csys_child *child, csys_deadline deadline)
{
	/* Not even a look by pid once it may be another's. */
	return is_reaped(child) ? 0 : csysi_os_child_wait(&child->os, deadline);
}

/* Wait and reap, whatever becomes of stdin. */
static int wait_until(csys_child *child, csys_deadline deadline, csys_exit *out)
{
	csysi_child_sweep();
	for (;;) {
		int r = csysi_child_wait_end(child, deadline);
		if (r < 0)
			return r;
		r = reap(child, out);
		if (r != CSYS_EAGAIN)
			return r;
		/* It has ended, but not for us yet: a debugger that traces it is first. */
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ms(1));
	}
}

int csys_child_wait_until(csys_child *child, csys_deadline deadline, csys_exit *out)
{
	if (!child || !out)
		return CSYS_EINVAL;
	csys_child_close_stream(child, CSYS_STDIN);
	return wait_until(child, deadline, out);
}

int csys_child_wait(csys_child *child, csys_exit *out)
{
	return csys_child_wait_until(child, CSYS_FOREVER, out);
}

int csys_child_try_wait(csys_child *child, csys_exit *out)
{
	if (!child || !out)
		return CSYS_EINVAL;
	csysi_child_sweep();
	return reap(child, out);
}

int csys_child_signal(csys_child *child, int signal)
{
	if (!child)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_child_signal(&child->os, signal);
	csysi_lock_unlock(&child->lock);
	return r;
}

int csysi_child_check(csys_child *child)
{
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_child_check(&child->os);
	csysi_lock_unlock(&child->lock);
	return r;
}

int csys_child_stop(csys_child *child)
{
	return csys_child_signal(child, csysi_os_signal_stop());
}

int csys_child_continue(csys_child *child)
{
	return csys_child_signal(child, csysi_os_signal_continue());
}

int csys_child_is_stopped(csys_child *child)
{
	if (!child)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_child_is_stopped(&child->os);
	csysi_lock_unlock(&child->lock);
	return r;
}

int csys_child_wait_stopped_until(csys_child *child, csys_deadline deadline)
{
	/* No system has a wait for this with a deadline, or a handle that tells. */
	for (int64_t nap = FIRST_NAP;; nap = nap < LAST_NAP / 2 ? nap * 2 : LAST_NAP) {
		int r = csys_child_is_stopped(child);
		if (r != 0)
			return r < 0 ? r : 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csys_deadline next = csys_after_ns(nap);
		csysi_os_nap(next < deadline ? next : deadline);
	}
}

int csys_child_signal_group(csys_child *child, int signal)
{
	if (!child || !child->leads_group)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_group_signal(&child->os, signal);
	csysi_lock_unlock(&child->lock);
	return r;
}

int csys_child_usage(csys_child *child, csys_usage *out)
{
	if (!child || !out)
		return CSYS_EINVAL;

	csysi_lock_lock(&child->lock);
	int r = !child->reaped ? CSYS_EAGAIN : child->usage.peak < 0 ? CSYS_ENOTSUP : 0;
	if (r == 0)
		*out = child->usage;
	csysi_lock_unlock(&child->lock);
	return r;
}

int csys_child_kill(csys_child *child)
{
	int r = csys_child_signal(child, csysi_os_signal_kill());

	return r == CSYS_ESRCH ? 0 : r; /* gone is what was asked for */
}

/* As far as may be: what is waited for next is the child. */
static void end_tree(csys_child *child, csys_deadline deadline)
{
	int r = csys_child_kill_tree(child, deadline, NULL);
	(void)r;
}

int csysi_child_end(csys_child *child)
{
	if (child->contained)
		end_tree(child, csys_after_s(1));
	return csys_child_kill(child);
}

int csys_child_terminate(csys_child *child, csys_deadline grace, csys_exit *out)
{
	if (!child || !out)
		return CSYS_EINVAL;
	csys_child_close_stream(child, CSYS_STDIN);
	int r = csys_child_signal(child, csysi_os_signal_terminate());
	if (r < 0 && r != CSYS_ESRCH)
		return r;
	r = wait_until(child, grace, out);
	if (r != CSYS_ETIMEDOUT)
		return r;
	r = csysi_child_end(child);
	return r < 0 ? r : wait_until(child, CSYS_FOREVER, out);
}

/* ---- closing ------------------------------------------------------------------------ */

/* Whether nothing keeps a reaped child: no container that something still lives in. */
static int is_spent(csys_child *child)
{
	csysi_lock_lock(&child->lock);
	int spent = child->container.handle == CSYS_NO_HANDLE || child->removed;
	csysi_lock_unlock(&child->lock);
	return spent;
}

static void push_detached(csys_child *first, csys_child *last)
{
	csys_child *top = csysi_load_relaxed(&detached);

	/* Release pairs with the acquire in sweep: who takes the list sees its links. */
	do
		last->next = top;
	while (!csysi_cas_release(&detached, &top, first));
}

void csysi_child_sweep(void)
{
	/* Relaxed: only a hint; the swap decides. */
	if (!csysi_load_relaxed(&detached))
		return;

	/* Cancelled with the list in hand, this thread would lose it. */
	int cancel = csysi_os_hold_cancel();
	/* Acquire pairs with the release in push_detached. */
	csys_child *list = csysi_swap_acquire(&detached, NULL);
	csys_child *kept = NULL, *kept_last = NULL;
	for (int i = 0; list && i < SWEEP; i++) {
		csys_child *child = list;
		csys_exit exit;
		list = child->next;
		if (reap(child, &exit) == 0 && is_spent(child)) {
			csysi_child_free(child);
			continue;
		}
		child->next = kept;
		kept = child;
		kept_last = kept_last ? kept_last : child;
	}
	/* Those that were looked at go below those that were not. */
	if (kept)
		push_detached(kept, kept_last);
	if (list) {
		csys_child *last = list;
		while (last->next)
			last = last->next;
		push_detached(list, last);
	}
	csysi_os_release_cancel(cancel);
}

void csys_child_close(csys_child *child, int policy)
{
	if (!child)
		return;

	/* Its pipes end first, so that a child that waits for them can. */
	for (int i = 0; i < 3; i++)
		csys_child_close_stream(child, i);
	csysi_child_sweep();

	/* Of a contained one what it left behind, too. */
	if (policy == CSYS_CLOSE_KILL && child->contained)
		end_tree(child, CSYS_FOREVER);

	csys_exit exit;
	int r = reap(child, &exit);
	if (r < 0 && policy == CSYS_CLOSE_KILL) {
		r = csys_child_kill(child);
		if (r == 0)
			r = wait_until(child, CSYS_FOREVER, &exit);
	} else if (r < 0 && policy == CSYS_CLOSE_WAIT) {
		r = wait_until(child, CSYS_FOREVER, &exit);
	}
	if (r == 0 && is_spent(child))
		csysi_child_free(child);
	else
		push_detached(child, child);
}
