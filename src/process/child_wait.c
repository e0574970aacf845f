/*
 * process/child_wait.c - waiting for the end of a child, and reaping it.
 *
 * A wait reaps what has ended of the detached too, and ends a child whose grace is over.
 */
#include <csys/base/result.h>

#include "base/backoff.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_detached.h"

int csysi_child_wait_until(csys_child *child, csys_deadline deadline, csys_exit *out)
{
	csysi_child_sweep();
	for (;;) {
		csys_deadline grace = csysi_child_enforce(child);
		int r = csysi_child_wait_end(child, csys_deadline_earlier(deadline, grace));
		if (r == CSYS_ETIMEDOUT && csys_deadline_compare(grace, deadline) < 0)
			continue;
		if (r < 0)
			return r;
		r = csysi_child_reap(child, out);
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
	if (!child)
		return CSYS_EINVAL;
	if (!csys_deadline_is_poll(deadline))
		csys_child_close_stream(child, CSYS_STDIN);
	return csysi_child_wait_until(child, deadline, out);
}

int csys_child_wait(csys_child *child, csys_exit *out)
{
	return csys_child_wait_until(child, CSYS_FOREVER, out);
}

int csys_child_try_wait(csys_child *child, csys_exit *out)
{
	if (!child)
		return CSYS_EINVAL;
	csysi_child_sweep();
	csysi_child_enforce(child);
	return csysi_child_reap(child, out);
}

/* Wait for one of several, and enforce the graces of all. */
static int wait_for_one(csys_child *const *children, size_t count, size_t index,
			csys_deadline deadline, csys_exit *out)
{
	for (;;) {
		csys_deadline grace = CSYS_FOREVER;
		for (size_t i = 0; i < count; i++)
			grace = csys_deadline_earlier(grace, csysi_child_enforce(children[i]));
		int r = csys_child_wait_until(children[index],
					      csys_deadline_earlier(deadline, grace), out);
		if (r != CSYS_ETIMEDOUT || csys_deadline_compare(grace, deadline) >= 0)
			return r;
	}
}

int csysi_children_wait_until(csys_child *const *children, size_t count, csys_deadline deadline,
			      csys_exit *exits)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		int one = wait_for_one(children, count, i, deadline, exits ? &exits[i] : NULL);
		if (r == 0)
			r = one;
	}
	return r;
}

int csysi_children_wait_end(csys_child *const *children, size_t count, csys_deadline deadline)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		if (csysi_child_act(children[i], CSYSI_OS_LOOK) == CSYS_EPERM)
			continue;
		int one = csysi_child_wait_end(children[i], deadline);
		if (r == 0)
			r = one;
	}
	return r;
}

/* Reap one that was told to end.  One that may not be told may have ended. */
static int reap_told(csys_child *child, csys_exit *out)
{
	int r = csys_child_kill(child);
	if (r == 0)
		return csysi_child_wait_until(child, CSYS_FOREVER, out);
	return csysi_child_reap(child, out) == 0 ? 0 : r;
}

int csysi_children_end(csys_child *const *children, size_t count, csys_exit *exits)
{
	int result = 0;

	/* All first: one may wait for another. */
	for (size_t i = 0; i < count; i++) {
		int r = csysi_child_end(children[i]);
		(void)r; /* it comes again */
	}
	for (size_t i = 0; i < count; i++) {
		int r = reap_told(children[i], exits ? &exits[i] : NULL);
		if (result == 0)
			result = r;
	}
	return result;
}

int csys_child_terminate_until(csys_child *child, csys_deadline grace, csys_exit *out)
{
	if (!child)
		return CSYS_EINVAL;
	int r = csysi_child_ask(child, CSYS_FOREVER);
	if (r < 0)
		return r;
	r = csysi_child_wait_until(child, grace, out);
	if (r != CSYS_ETIMEDOUT)
		return r;
	r = csysi_child_end(child);
	return r < 0 ? r : csysi_child_wait_until(child, CSYS_FOREVER, out);
}

int csys_child_wait_suspended_until(csys_child *child, csys_deadline deadline)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;

	/* No system has a wait for this with a deadline, or a handle that tells. */
	for (;;) {
		int r = csys_child_is_suspended(child);
		if (r != 0)
			return r < 0 ? r : 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}
