/*
 * os/notifier.h - a handle that signal handlers make ready.
 */
#ifndef CSYSI_OS_NOTIFIER_H
#define CSYSI_OS_NOTIFIER_H

#include <csys/base/handle.h>

/* *out_reader polls readable from a notify on until it is cleared. */
int csysi_os_notifier_open(csys_handle *out_reader, csys_handle *out_writer);

/* Neither waits, fails, or is a cancellation point.  Async-signal-safe. */
void csysi_os_notifier_notify(csys_handle writer);
void csysi_os_notifier_clear(csys_handle reader);

#endif
