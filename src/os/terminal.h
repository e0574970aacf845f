/*
 * os/terminal.h - terminals.
 */
#ifndef CSYSI_OS_TERMINAL_H
#define CSYSI_OS_TERMINAL_H

#include <stdint.h>

#include <csys/base/handle.h>

/* CSYS_EBADF for what is no terminal. */
int csysi_os_terminal_is(csys_handle handle);
int csysi_os_terminal_size(csys_handle terminal, int *out_rows, int *out_columns);
int csysi_os_terminal_set_size(csys_handle terminal, int rows, int columns);

/* Its settings, the system's own. */
#define CSYSI_OS_TERMINAL_MODE 16
struct csysi_os_terminal_mode {
	uint64_t place[CSYSI_OS_TERMINAL_MODE];
};
int csysi_os_terminal_raw(csys_handle terminal, struct csysi_os_terminal_mode *out_before);
int csysi_os_terminal_restore(csys_handle terminal, const struct csysi_os_terminal_mode *before);

#endif
