/*
 * os/process.h - other processes than children, by handle or pid.
 */
#ifndef CSYSI_OS_PROCESS_H
#define CSYSI_OS_PROCESS_H

#include <stdint.h>

#include <csys/base/handle.h>

#include "os/child.h"

/*
 * Open a handle for the process that has this pid now.  It becomes ready (os/poll.h) once that
 * process has ended.  A number that the system only rounds to a pid is no pid.
 * CSYS_ENOTSUP: the system has no such handles, use the pid.  CSYS_ESRCH.
 */
int csysi_os_process_open(int64_t pid, csys_handle *out);

/*
 * The pid of the process behind a handle of csysi_os_process_open, or of one from elsewhere.
 * CSYS_ESRCH: it has ended and is reaped, or this process cannot see it.  CSYS_EBADF: it is no such
 * handle.  CSYS_ENOTSUP.
 */
int csysi_os_process_pid(csys_handle handle, int64_t *out);

/*
 * Do that to a process by its handle, or by its pid if the handle is "none".
 * CSYS_ENOTSUP: not possible by handle, or not at all; CSYS_EPERM by handle may mean that too.
 */
int csysi_os_process_act(int64_t pid, csys_handle handle, enum csysi_os_act act);

/* Send a signal by its number to a process.  Results as csysi_os_process_act, and CSYS_EINVAL. */
int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal);

#endif
