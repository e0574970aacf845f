/*
 * os/pty.h - pseudo-terminals.
 */
#ifndef CSYSI_OS_PTY_H
#define CSYSI_OS_PTY_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#define CSYSI_OS_PTY_NAME 128

/*
 * Open both sides of a new pseudo-terminal; `name` becomes the path of the terminal side.
 * It does not become the controlling terminal of this process.
 */
int csysi_os_pty_open(csys_handle *out_controller, csys_handle *out_terminal,
		      char name[CSYSI_OS_PTY_NAME]);

/*
 * Read and write at the controller, as csysi_os_read and csysi_os_write.  When the terminal
 * side is open nowhere any more, a read gets 0 bytes, and a write is CSYS_EPIPE.
 */
int csysi_os_pty_read(csys_handle controller, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out);
int csysi_os_pty_write(csys_handle controller, const void *data, size_t size,
		       csys_deadline deadline, size_t *out);

#endif
