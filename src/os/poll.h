/*
 * os/poll.h - waiting for one of several streams.
 */
#ifndef CSYSI_OS_POLL_H
#define CSYSI_OS_POLL_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

struct csysi_os_poll {
	csys_handle handle; /* "none" is never ready */
	int writing;        /* wait for room, else for bytes or the end */
	int ready;          /* out: a transfer now would not wait, or would fail */
	int closed;         /* out: it is ready because it is no open handle */
};

/* Wait until one is ready.  CSYS_ETIMEDOUT makes all `ready` and `closed` 0.  CSYS_ENOMEM. */
int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline);

#endif
