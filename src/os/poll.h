/*
 * os/poll.h - waiting until one of several handles is ready.
 *
 * What can be waited for: ends of pipes of this process (os/pipe.h), sockets, terminals, files
 * (which are always ready), notifiers, children and processes, in any mix and number.
 */
#ifndef CSYSI_OS_POLL_H
#define CSYSI_OS_POLL_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* What to wait for. */
struct csysi_os_poll {
	csys_handle handle; /* "none" is never ready */
	int writing;  /* wait until it can be written, else until it can be read or has ended */
	int is_known; /* the caller knows that it can be waited for: the system is not asked */
	/*
	 * Out.  1: a transfer would probably not wait now, or would fail; or the process has
	 * ended.  0: not yet.  -1: it cannot be waited for: it is not open, it is the wrong end, or
	 * this system cannot wait for its kind.
	 */
	int ready;
};

/*
 * Wait until at least one item is ready, and set `ready` of each.  An item that cannot be waited
 * for ends the wait at once, and the others may be 0 then.  Never waits for what cannot come.
 * After CSYS_ETIMEDOUT all are 0.  CSYS_ENOMEM.
 *
 * "Ready" is a hint: a transfer that finds nothing after it is normal, since others may be faster.
 */
int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline);

#endif
