/*
 * process/child_end.c - ending a child, and closing its object.
 *
 * A child that is closed while it runs goes on a list of the detached, from
 * where a later spawn, wait or close reaps it.  The list is a stack: pushed by
 * compare-and-swap, emptied whole by a swap with NULL, so there is no lock that
 * a fork in another thread could leave held for ever, and no ABA, since no
 * thread takes a single one out.
 */
#include <csys/base/result.h>

#include "base/atomic.h"
#include "os/os.h"
#include "process/child.h"

/* How many of the detached one sweep looks at, so that a spawn does not pay for
 * thousands of them; the rest take their turn at the next. */
#define SWEEP 64

static csys_child *detached;

int csys_child_kill(csys_child *child)
{
	int r = csysi_child_act(child, CSYSI_OS_END);

	return r == CSYS_ESRCH ? 0 : r; /* gone is what was asked for */
}

/* As far as may be: what is waited for next is the child. */
static void end_tree(csys_child *child, csys_deadline deadline)
{
	int r = csys_child_kill_tree_until(child, deadline, NULL);
	(void)r;
}

int csysi_child_end(csys_child *child)
{
	if (child->contained)
		end_tree(child, csys_after_s(1));
	return csys_child_kill(child);
}

static void set_grace(csys_child *child, csys_deadline grace)
{
	csysi_lock_lock(&child->lock);
	child->kill_at = grace;
	csysi_lock_unlock(&child->lock);
}

int csysi_child_ask(csys_child *child, csys_deadline grace)
{
	csys_child_close_stream(child, CSYS_STDIN);
	int r = csysi_child_act(child, CSYSI_OS_ASK);
	/* What cannot be asked has the grace too: it may end by itself, now that its input has. */
	if (r == CSYS_ESRCH || r == CSYS_ENOTSUP)
		r = 0;
	set_grace(child, r == 0 ? grace : CSYS_FOREVER);
	return r;
}

csys_deadline csysi_child_enforce(csys_child *child)
{
	csysi_lock_lock(&child->lock);
	csys_deadline grace = child->reaped ? CSYS_FOREVER : child->kill_at;
	int is_over = !csys_deadline_is_forever(grace) && csys_deadline_left(grace) == 0;
	if (is_over)
		child->kill_at = CSYS_FOREVER; /* one thread is enough */
	csysi_lock_unlock(&child->lock);
	if (!is_over)
		return grace;

	int r = csysi_child_end(child);
	(void)r; /* one that may not be killed is waited for as if it had no grace */
	return CSYS_FOREVER;
}

int csys_child_terminate(csys_child *child, csys_deadline grace)
{
	return child ? csysi_child_ask(child, grace) : CSYS_EINVAL;
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

	/* Release pairs with the acquire in sweep: the taker of the list sees its links. */
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
		list = child->next;
		if (csysi_child_reap(child, NULL) == 0 && is_spent(child)) {
			csysi_child_free(child);
			continue;
		}
		/* Not before the look: to a forked child the children of its parent, which are on
		 * its copy of the list, are reaped, and so it ends none. */
		csysi_child_enforce(child);
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

void csys_child_close(csys_child *child, enum csys_close_policy policy)
{
	if (!child)
		return;

	/* Its pipes end first, so that a child that waits for them can. */
	csysi_child_close_streams(child);
	csysi_child_sweep();

	/* Of a contained one what it left behind, too. */
	if (policy == CSYS_CLOSE_KILL && child->contained)
		end_tree(child, CSYS_FOREVER);

	int r = csysi_child_reap(child, NULL);
	if (r < 0 && policy == CSYS_CLOSE_KILL) {
		r = csys_child_kill(child);
		if (r == 0)
			r = csysi_child_wait_until(child, CSYS_FOREVER, NULL);
	} else if (r < 0 && policy == CSYS_CLOSE_WAIT) {
		r = csysi_child_wait_until(child, CSYS_FOREVER, NULL);
	}
	if (r == 0 && is_spent(child))
		csysi_child_free(child);
	else
		push_detached(child, child);
}
