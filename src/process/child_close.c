/*
 * process/child_close.c - closing the object of a child.
 *
 * A child that is closed while it runs is detached (child_detached.c).
 */
#include <csys/base/result.h>

#include "os/os.h"
#include "process/child.h"
#include "process/child_detached.h"

void csys_child_close(csys_child *child, enum csys_close_policy policy)
{
	if (!child)
		return;

	/* Its pipes end first, so that a child that waits for them can. */
	csysi_child_close_streams(child);
	csysi_child_sweep();

	/* Of a contained one what it left behind, too. */
	if (policy == CSYS_CLOSE_KILL && child->contained)
		csysi_child_end_tree(child, CSYS_FOREVER);

	int r = csysi_child_reap(child, NULL);
	if (r < 0 && policy == CSYS_CLOSE_KILL) {
		r = csys_child_kill(child);
		if (r == 0)
			r = csysi_child_wait_until(child, CSYS_FOREVER, NULL);
	} else if (r < 0 && policy == CSYS_CLOSE_WAIT) {
		r = csysi_child_wait_until(child, CSYS_FOREVER, NULL);
	}
	if (r == 0 && csysi_child_is_spent(child))
		csysi_child_free(child);
	else
		csysi_child_detach(child);
}
