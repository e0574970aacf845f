/*
 * os/pty.h - pseudo-terminals.
 */
#ifndef CSYSI_OS_PTY_H
#define CSYSI_OS_PTY_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#define CSYSI_OS_PTY_NAME 128

/* A pseudo-terminal. */
struct csysi_os_pty {
	csys_handle controller;
	csys_handle terminal; /* "none" where there is no such side, and once it is closed */
	int has_terminal;     /* 0: the system has no such side, and a program is put on
					 the terminal by csysi_os_options.pty alone */
	char name[CSYSI_OS_PTY_NAME]; /* the path of the terminal side; "" if it has none */
	uintptr_t place[2];           /* the system's own */
};

/* No side is open. */
#define CSYSI_OS_PTY_NONE                                                \
	{                                                                \
		.controller = CSYS_NO_HANDLE, .terminal = CSYS_NO_HANDLE \
	}

/*
 * Open a pseudo-terminal of this size.  It does not become the controlling terminal of this
 * process.  The sides may be taken out of *out, and are "none" then.
 */
int csysi_os_pty_open(int rows, int columns, struct csysi_os_pty *out);

/*
 * No more programs will be started on it: close the own terminal side.  Reading may come to the
 * end only after this.
 */
void csysi_os_pty_end(struct csysi_os_pty *pty);

/* Close what is left of it.  None is accepted. */
void csysi_os_pty_close(struct csysi_os_pty *pty);

/* Get and set its size.  CSYS_EBADF: no side is left. */
int csysi_os_pty_size(const struct csysi_os_pty *pty, int *out_rows, int *out_columns);
int csysi_os_pty_set_size(const struct csysi_os_pty *pty, int rows, int columns);

/*
 * Read and write at the controller, as csysi_os_read and csysi_os_write.  When the terminal
 * side is open nowhere any more, a read gets 0 bytes, and a write is CSYS_EPIPE.
 */
int csysi_os_pty_read(csys_handle controller, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out);
int csysi_os_pty_write(csys_handle controller, const void *data, size_t size,
		       csys_deadline deadline, size_t *out);

#endif
