/*
 * os/process.h - processes that this one did not start.
 */
#ifndef CSYSI_OS_PROCESS_H
#define CSYSI_OS_PROCESS_H

#include <stdint.h>

#include <csys/base/handle.h>

/*
 * A handle for whoever has this pid now, which polls readable from its end on.
 * CSYS_ENOTSUP: there are none, go by pid.  CSYS_ESRCH.
 */
int csysi_os_process_open(int64_t pid, csys_handle *out);

/*
 * Send a signal by such a handle, or by pid if it is "none".  CSYS_ENOTSUP: not by
 * handle; CSYS_EPERM by handle may mean the same.
 */
int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal);

#endif
