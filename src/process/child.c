/*
 * process/child.c - a child from its start until it is reaped.
 *
 * Waiting and reaping are two steps.  Waiting (os.h) leaves the ended child a
 * zombie, so its pid stays its own; any number of threads may do that at once.
 * Reaping, and sending a signal, happen under the child's lock.  Invariant:
 * while the lock is held and `reaped` is 0, the pid and the handle are this
 * child's and no other process's; so a signal never reaches a stranger, on systems
 * without pidfds too.
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
#include "process/exit.h"

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

int csys_child_take_handle(csys_child *child, csys_handle *out)
{
	if (!child || !out)
		return CSYS_EINVAL;
	if (child->os.handle == CSYS_NO_HANDLE)
		return child->handle_taken ? CSYS_EBADF : CSYS_ENOTSUP;
	csysi_lock_lock(&child->lock);
	*out = child->os.handle;
	child->os.handle = CSYS_NO_HANDLE;
	child->handle_taken = 1;
	csysi_lock_unlock(&child->lock);
	return 0;
}

/* ---- its streams --------------------------------------------------------------- */

csys_handle csys_child_stream(const csys_child *child, enum csys_stdio_stream stream)
{
	/* Relaxed: the number alone; the thread that uses it is the one that may take it. */
	return child && is_stream((int)stream) ? csysi_load_relaxed(&child->streams[stream])
					       : CSYS_NO_HANDLE;
}

int csys_child_take(csys_child *child, enum csys_stdio_stream stream, csys_handle *out)
{
	if (!child || !out || !is_stream((int)stream))
		return CSYS_EINVAL;
	/* A swap, since several waiting threads may close stdin at once.  Acquire: one of
	 * them gets it, and with it nothing else. */
	csys_handle handle = csysi_swap_acquire(&child->streams[stream], CSYS_NO_HANDLE);
	if (handle == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	*out = handle;
	return 0;
}

void csys_child_close_stream(csys_child *child, enum csys_stdio_stream stream)
{
	csys_handle handle;

	if (csys_child_take(child, stream, &handle) == 0)
		csysi_os_close(handle);
}

void csysi_child_give_stream(csys_child *child, enum csys_stdio_stream stream, csys_handle handle)
{
	/* Relaxed: streams belong to one thread, and it has taken the one that was there. */
	csysi_store_relaxed(&child->streams[stream], handle);
}

void csysi_child_close_streams(csys_child *child)
{
	csys_child_close_stream(child, CSYS_STDIN);
	csys_child_close_stream(child, CSYS_STDOUT);
	csys_child_close_stream(child, CSYS_STDERR);
}

/* ---- its end --------------------------------------------------------------------- */

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

int csysi_child_reap(csys_child *child, csys_exit *out)
{
	int r = 0;

	csysi_lock_lock(&child->lock);
	if (!child->reaped) {
		struct csysi_os_exit end;
		r = csysi_os_child_reap(&child->os, &end);
		if (r == 0) {
			child->exit = csysi_exit_of(&end);
			child->usage = usage_of(&end);
			child->reaped = 1;
		}
	}
	if (r == 0) {
		vacate(child);
		if (out)
			*out = child->exit;
	}
	csysi_lock_unlock(&child->lock);
	return r;
}

int csysi_child_is_spent(csys_child *child)
{
	csysi_lock_lock(&child->lock);
	int spent = child->container.handle == CSYS_NO_HANDLE || child->removed;
	csysi_lock_unlock(&child->lock);
	return spent;
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

static int has_ended(void *child)
{
	int r = csysi_child_wait_end(child, CSYS_POLL);
	return r == CSYS_ETIMEDOUT ? 0 : r < 0 ? r : 1;
}

csys_waitable csys_child_waitable(csys_child *child)
{
	if (!child)
		return (csys_waitable){ .handle = CSYS_NO_HANDLE };
	return (csys_waitable){ .handle = child->os.handle,
				.is_ready = has_ended,
				.object = child };
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

int csysi_child_act(csys_child *child, enum csysi_os_act act)
{
	if (!child)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_child_act(&child->os, act);
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

int csys_child_suspend(csys_child *child)
{
	return csysi_child_act(child, CSYSI_OS_SUSPEND);
}

int csys_child_resume(csys_child *child)
{
	return csysi_child_act(child, CSYSI_OS_RESUME);
}

int csys_child_is_suspended(csys_child *child)
{
	if (!child)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_child_is_stopped(&child->os);
	csysi_lock_unlock(&child->lock);
	return r;
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

int csysi_child_act_on_group(csys_child *child, enum csysi_os_act act)
{
	if (!child || !child->leads_group)
		return CSYS_EINVAL;
	csysi_lock_lock(&child->lock);
	int r = child->reaped ? CSYS_ESRCH : csysi_os_group_act(&child->os, act);
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
