/*
 * os/pty.h - pseudo-terminals.
 */
#ifndef CSYSI_OS_PTY_H
#define CSYSI_OS_PTY_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* Both sides of a new one, and the path of the terminal side.  Takes no controlling terminal. */
#define CSYSI_OS_PTY_NAME 128
int csysi_os_pty_open(csys_handle *out_controller, csys_handle *out_terminal,
		      char name[CSYSI_OS_PTY_NAME]);

/*
 * As csysi_os_read and csysi_os_write, at the controller: 0 bytes are read, and
 * a write is CSYS_EPIPE, when nobody has the terminal side open.
 */
int csysi_os_pty_read(csys_handle controller, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out);
int csysi_os_pty_write(csys_handle controller, const void *data, size_t size,
		       csys_deadline deadline, size_t *out);

#endif
