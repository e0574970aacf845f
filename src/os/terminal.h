/*
 * os/terminal.h - the size and the mode of a terminal.
 */
#ifndef CSYSI_OS_TERMINAL_H
#define CSYSI_OS_TERMINAL_H

#include <stdint.h>

#include <csys/base/handle.h>

/* Whether a handle is of a terminal. */
int csysi_os_terminal_is(csys_handle handle);

/* Get and set the size of a terminal.  CSYS_EBADF: it is none. */
int csysi_os_terminal_size(csys_handle terminal, int *out_rows, int *out_columns);
int csysi_os_terminal_set_size(csys_handle terminal, int rows, int columns);

#define CSYSI_OS_TERMINAL_MODE 16

/* The settings of a terminal. */
struct csysi_os_terminal_mode {
	uint64_t place[CSYSI_OS_TERMINAL_MODE]; /* the system's own */
};

/* Put a terminal into raw mode, and restore the settings that it had.  CSYS_EBADF: it is none. */
int csysi_os_terminal_raw(csys_handle terminal, struct csysi_os_terminal_mode *out_before);
int csysi_os_terminal_restore(csys_handle terminal, const struct csysi_os_terminal_mode *before);

#endif
