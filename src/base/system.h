/*
 * base/system.h - the little that the base floor needs of the system.
 *
 * Declared here so that base includes nothing above itself.  It is a part of the contract
 * of os/os.h, which includes it, and the backends define it.
 */
#ifndef CSYSI_BASE_SYSTEM_H
#define CSYSI_BASE_SYSTEM_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* Nanoseconds on the monotonic clock.  Cannot fail.  Async-signal-safe. */
int64_t csysi_os_now(void);

/* The same as it was some milliseconds ago at most, where that is cheaper to read. */
int64_t csysi_os_now_about(void);

/* Close a handle; "none" is accepted, errors are ignored.  Async-signal-safe. */
void csysi_os_close(csys_handle handle);

/* Make another handle for the same open file.  CSYS_EBADF, CSYS_EMFILE. */
int csysi_os_dup(csys_handle handle, csys_handle *out);

/* The handle of stream 0, 1 or 2 of this process; "none" if it has none and the system tells.
 * Async-signal-safe. */
csys_handle csysi_os_standard(int stream);

/* Whether the system has a capability of csys/base/can.h: 1, or 0, also for other numbers. */
int csysi_os_can(int capability);

/* Whether a number is a failure of csys/base/result.h, or 0 (result.c). */
int csysi_result_is_known(int result);

/* Set what csys_os_error() returns in this thread: a raw code of the system. */
void csysi_set_os_error(int code);

#endif
