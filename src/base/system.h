/*
 * base/system.h - the little that the base floor needs of the system.
 *
 * Declared down here so that base includes nothing above itself; part of the
 * contract of os/os.h, which includes it, and kept by the backends.
 */
#ifndef CSYSI_BASE_SYSTEM_H
#define CSYSI_BASE_SYSTEM_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* Nanoseconds on the monotonic clock.  Cannot fail.  Async-signal-safe. */
csys_deadline csysi_os_now(void);

/* Close; "none" is accepted, errors mean nothing.  Async-signal-safe. */
void csysi_os_close(csys_handle handle);

/* Another handle for the same open file.  CSYS_EBADF, CSYS_EMFILE. */
int csysi_os_dup(csys_handle handle, csys_handle *out);

/* Whether a number is on the closed list of csys/base/result.h, failures and 0 (result.c). */
int csysi_result_is_known(int result);

/* Keep the system's raw code for csys_os_error(), per thread. */
void csysi_set_os_error(int code);

#endif
