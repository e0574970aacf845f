/*
 * os/handle.h - properties of handles; base/system.h has closing and copying.
 */
#ifndef CSYSI_OS_HANDLE_H
#define CSYSI_OS_HANDLE_H

#include <csys/base/handle.h>

#include "base/system.h" /* csysi_os_close, csysi_os_dup */

/* Whether a handle is open in this process. */
int csysi_os_is_open(csys_handle handle);

/* Whether a handle is open and a program that this process executes would get it. */
int csysi_os_is_inheritable(csys_handle handle);

/* Get and set the nonblocking flag, which all handles of the same open file share. */
int csysi_os_nonblocking(csys_handle handle, int *out);
int csysi_os_set_nonblocking(csys_handle handle, int nonblocking);

#endif
