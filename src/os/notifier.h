/*
 * os/notifier.h - a handle that signal handlers can make ready.
 *
 * It is no stream: it is polled, notified and cleared, and that is all.
 */
#ifndef CSYSI_OS_NOTIFIER_H
#define CSYSI_OS_NOTIFIER_H

#include <csys/base/handle.h>

/* Open a notifier.  *out_reader is ready (os/poll.h) from a notify to the next clear. */
int csysi_os_notifier_open(csys_handle *out_reader, csys_handle *out_writer);

/* Make the reader ready, or not ready.  Neither waits, fails, or is a cancellation point.
 * Async-signal-safe. */
void csysi_os_notifier_notify(csys_handle writer);
void csysi_os_notifier_clear(csys_handle reader);

#endif
