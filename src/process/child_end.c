/*
 * process/child_end.c - ending a child, at once or when the grace it was given is over.
 */
#include <csys/base/result.h>

#include "os/os.h"
#include "process/child.h"

int csys_child_kill(csys_child *child)
{
	int r = csysi_child_act(child, CSYSI_OS_END);

	return r == CSYS_ESRCH ? 0 : r; /* gone is what was asked for */
}

/* As far as may be: what is waited for next is the child. */
void csysi_child_end_tree(csys_child *child, csys_deadline deadline)
{
	int r = csys_child_kill_tree_until(child, deadline, NULL);
	(void)r;
}

int csysi_child_end(csys_child *child)
{
	if (child->contained)
		csysi_child_end_tree(child, csys_after_s(1));
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
