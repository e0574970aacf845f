/*
 * os/bell.h - a bell, which signal handlers may ring.
 */
#ifndef CSYSI_OS_BELL_H
#define CSYSI_OS_BELL_H

#include <csys/base/handle.h>

/* *out_reader polls readable from a ring on until it is silenced. */
int csysi_os_bell_open(csys_handle *out_reader, csys_handle *out_writer);

/* Neither waits, fails, or is a cancellation point.  Async-signal-safe. */
void csysi_os_bell_ring(csys_handle writer);
void csysi_os_bell_silence(csys_handle reader);

#endif
