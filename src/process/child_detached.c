/*
 * process/child_detached.c - children that were closed while they ran.
 *
 * A child that is closed while it runs goes on a list of the detached, from
 * where a later spawn, wait or close reaps it.  The list is a stack: pushed by
 * compare-and-swap, emptied whole by a swap with NULL, so there is no lock that
 * a fork in another thread could leave held for ever, and no ABA, since no
 * thread takes a single one out.
 */
#include "base/atomic.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_detached.h"

/* How many of the detached one sweep looks at, so that a spawn does not pay for
 * thousands of them; the rest take their turn at the next. */
#define SWEEP 64

static csys_child *detached;

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
		if (csysi_child_reap(child, NULL) == 0 && csysi_child_is_spent(child)) {
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

void csysi_child_detach(csys_child *child)
{
	push_detached(child, child);
}
