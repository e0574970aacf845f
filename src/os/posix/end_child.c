/*
 * os/posix/end_child.c - killing a child and reaping it.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>

#include "base/backoff.h"
#include "os/posix/posix.h"

int csysi_posix_end_child(const struct csysi_os_child *child, csys_deadline patience,
			  csys_deadline grace)
{
	struct csysi_os_exit end;
	int r = csysi_os_child_signal(child, SIGKILL);
	csys_deadline deadline = r == 0 || r == CSYS_ESRCH ? grace : patience;

	for (;;) {
		int waited = csysi_os_child_wait(child, deadline);
		/* A child that another process traces can be reaped only after the tracer has
		 * seen its end. */
		if (waited == 0 && csysi_os_child_reap(child, &end) == 0)
			break;
		if (csys_deadline_left(deadline) == 0)
			return r < 0 && r != CSYS_ESRCH ? r : CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(CSYSI_BACKOFF_LOOK_MOST));
	}
	csysi_os_close(child->handle);
	return 0;
}
