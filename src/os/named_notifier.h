/*
 * os/named_notifier.h - handles that other processes can make ready, by a name in memory that they
 * share.
 *
 * It is no stream: it is polled, notified and cleared, and that is all.  It is gone with the
 * process that has opened it, and its name means nothing then.
 */
#ifndef CSYSI_OS_NAMED_NOTIFIER_H
#define CSYSI_OS_NAMED_NOTIFIER_H

#include <stdint.h>

#include <csys/base/handle.h>

/* The name of a notifier; all zero is none.  All of it is needed to notify. */
struct csysi_os_notifier_name {
	uint64_t words[2];
};

/* Open a notifier that is not ready.  *out_notifier is ready (os/poll.h, for reading) from a notify
 * to the next clear.  CSYS_ENOTSUP where there are none. */
int csysi_os_named_notifier_open(csys_handle *out_notifier,
				 struct csysi_os_notifier_name *out_name);

/* Make a notifier not ready.  Neither waits nor fails, and is no cancellation point. */
void csysi_os_named_notifier_clear(csys_handle notifier);

/* Open a remote handle, by which any number of notifiers are notified, by any threads. */
int csysi_os_named_notifier_open_remote(csys_handle *out_remote);

/*
 * Make a notifier ready, if there is one with this name, which may be any bytes.  Neither waits nor
 * is a cancellation point.  Fails if this process cannot notify others.
 */
int csysi_os_named_notifier_notify(csys_handle remote, const struct csysi_os_notifier_name *name);

/*
 * Tell where the calling thread is: a number that is the same for two processes only if each can
 * notify the other and means the same process by a pid.  0: that is not known.
 */
uint64_t csysi_os_named_notifier_place(void);

#endif
