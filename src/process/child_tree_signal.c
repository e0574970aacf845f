/*
 * process/child_tree_signal.c - a signal to a child and all that it started.
 *
 * A container stands still for it, so that each process in it gets the signal once.  Any other
 * tree is read again and again: each process that is new in it gets the signal, until two readings
 * in a row show no new one.  It is not stopped meanwhile, as for a kill: programs see that they
 * were stopped, and shells tell of it.  The child gets the signal after all others, since it holds
 * the tree together; then what it had forked by then, likewise.
 *
 * A process is told from its successors by pid and start, and `stops` of its row counts what it
 * was told, so none gets the signal twice.
 */
#include <csys/base/result.h>

#include "base/backoff.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_tree.h"

/* What one reading came to. */
struct round {
	size_t fresh; /* processes that got the signal */
	int denied;   /* some may not be signalled */
};

/* Send the signal to all that did not get it; to the child only if `root`. */
static int signal_fresh(struct csysi_tree *tree, int signal, int root, struct round *round)
{
	round->fresh = 0;
	/* The youngest first, as for a kill. */
	for (size_t i = tree->now.count; i-- > 0;) {
		struct csysi_tree_row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living || row->stops > 0 ||
		    (csysi_tree_is_root(tree, row) && !root))
			continue;
		int r = csysi_tree_signal(tree, row, signal);
		row->stops = 1;
		round->fresh++;
		round->denied |= r == CSYS_EPERM;
		if (r < 0 && r != CSYS_EPERM && r != CSYS_ESRCH)
			return r;
	}
	return 0;
}

/* Tell a child that has ended, which takes a signal silently.  It may be reaped by now. */
static int signal_ended(csys_child *child, int signal)
{
	int r = csys_child_signal(child, signal);

	return r == CSYS_ESRCH || r == CSYS_EPERM ? 0 : r;
}

/* Read and signal until two readings show none that is new; with the child from then on. */
static int walk(struct csysi_tree *tree, int signal, csys_deadline deadline, int *level)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
	struct round round = { 0, 0 };
	int root = 0;  /* the child gets it too */
	int quiet = 0; /* readings in a row without a new one */

	for (;;) {
		int r = csysi_tree_read(tree);
		if (r == 0)
			r = csysi_tree_take_members(tree);
		if (r == 0)
			r = signal_fresh(tree, signal, root, &round);
		if (r < 0)
			return r;
		if (!root && (tree->has_strays || !csysi_tree_is_root_living(tree)))
			*level = CSYS_TREE_WALK;
		quiet = round.fresh == 0 ? quiet + 1 : 0;
		if (quiet == 2 && root && round.denied)
			return CSYS_EPERM;
		/* A child that has ended takes it silently, but for a number that is none. */
		if (quiet == 2 && root)
			return csysi_tree_is_root_living(tree) ? 0
							       : signal_ended(tree->child, signal);
		if (quiet == 2) {
			root = 1;
			quiet = 0;
		}
		/* A tree that starts processes for ever would hold this up for ever.  The child
		 * has not got it then, if others come without end. */
		if (csys_deadline_left(deadline) == 0 && round.fresh > 0) {
			if (!root)
				r = csys_child_signal(tree->child, signal);
			return r < 0 && r != CSYS_ESRCH ? r : CSYS_ETIMEDOUT;
		}
		if (round.fresh > 0)
			csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}

/* The child, or its group, where the table does not show the child. */
static int signal_near(csys_child *child, int signal, int *out_level)
{
	*out_level = child->leads_group ? CSYS_TREE_GROUP : CSYS_TREE_CHILD;
	return child->leads_group ? csys_child_signal_group(child, signal)
				  : csys_child_signal(child, signal);
}

static int signal_connected(csys_child *child, int signal, csys_deadline deadline, int *out_level)
{
	struct csysi_tree tree;
	int r = csysi_tree_open(&tree, child, out_level);
	if (r == 0) {
		r = walk(&tree, signal, deadline, out_level);
		csysi_tree_close(&tree);
	}
	return r == CSYS_ENOTSUP ? signal_near(child, signal, out_level) : r;
}

static int signal_container(csys_child *child, int signal, csys_deadline deadline)
{
	int r = csysi_os_container_signal(&child->container, signal, deadline);

	/* One that has ended and is not reaped takes it silently. */
	return r == CSYS_ESRCH ? csys_child_signal(child, signal) : r;
}

int csys_child_signal_tree_until(csys_child *child, int signal, csys_deadline deadline,
				 int *out_level)
{
	int level = CSYS_TREE_CONTAINER;

	if (!child)
		return CSYS_EINVAL;
	/* Cancelled half way, this thread would leave a frozen tree, and the table open. */
	int cancel = csysi_os_hold_cancel();
	int os_error = csys_os_error();
	int r = child->container.handle != CSYS_NO_HANDLE
			? signal_container(child, signal, deadline)
			: signal_connected(child, signal, deadline, &level);
	if (r == 0)
		csysi_set_os_error(os_error); /* one that was gone already was no failure */
	csysi_os_release_cancel(cancel);
	if (r == 0 && out_level)
		*out_level = level;
	return r;
}

int csys_child_signal_tree(csys_child *child, int signal, int *out_level)
{
	return csys_child_signal_tree_until(child, signal, CSYS_FOREVER, out_level);
}
