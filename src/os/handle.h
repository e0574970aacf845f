/*
 * os/handle.h - handles; base/system.h has closing and copying.
 */
#ifndef CSYSI_OS_HANDLE_H
#define CSYSI_OS_HANDLE_H

#include <csys/base/handle.h>

#include "base/system.h" /* csysi_os_close, csysi_os_dup */

/* Whether it is a handle of this process, and open (handle.c). */
int csysi_os_is_open(csys_handle handle);

/* The nonblocking flag of an open file (handle.c). */
int csysi_os_nonblocking(csys_handle handle, int *out);
int csysi_os_set_nonblocking(csys_handle handle, int nonblocking);

#endif
