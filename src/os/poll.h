/*
 * os/poll.h - waiting until one of several streams is ready.
 */
#ifndef CSYSI_OS_POLL_H
#define CSYSI_OS_POLL_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* What to wait for. */
struct csysi_os_poll {
	csys_handle handle; /* "none" is never ready */
	int writing; /* wait until it can be written, else until it can be read or has ended */
	int ready;   /* out: a transfer would not wait now, or would fail */
	int closed;  /* out: it is ready because it is no open handle */
};

/*
 * Wait until at least one item is ready, and set `ready` and `closed` of each.  After
 * CSYS_ETIMEDOUT all of them are 0.  CSYS_ENOMEM.
 */
int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline);

#endif
