/*
 * os/notifier.h - a handle that signal handlers can make readable.
 */
#ifndef CSYSI_OS_NOTIFIER_H
#define CSYSI_OS_NOTIFIER_H

#include <csys/base/handle.h>

/* Open a notifier.  *out_reader polls readable from a notify to the next clear. */
int csysi_os_notifier_open(csys_handle *out_reader, csys_handle *out_writer);

/* Make the reader readable, or not readable.  Neither waits, fails, or is a cancellation point.
 * Async-signal-safe. */
void csysi_os_notifier_notify(csys_handle writer);
void csysi_os_notifier_clear(csys_handle reader);

#endif
