/*
 * io/terminal.c - size and mode of a terminal.
 */
#include <csys/io/terminal.h>

#include "os/os.h"

int csys_terminal_is(csys_handle handle)
{
	return csysi_os_terminal_is(handle);
}

int csys_terminal_size(csys_handle terminal, int *out_rows, int *out_columns)
{
	if (!out_rows || !out_columns)
		return CSYS_EINVAL;
	return csysi_os_terminal_size(terminal, out_rows, out_columns);
}

int csys_terminal_set_size(csys_handle terminal, int rows, int columns)
{
	if (rows < 0 || rows > UINT16_MAX || columns < 0 || columns > UINT16_MAX)
		return CSYS_EINVAL;
	return csysi_os_terminal_set_size(terminal, rows, columns);
}

_Static_assert(sizeof(csys_terminal_mode) >= sizeof(struct csysi_os_terminal_mode),
	       "no room for the settings of a terminal");

int csys_terminal_raw(csys_handle terminal, csys_terminal_mode *out_before)
{
	struct csysi_os_terminal_mode before;

	if (!out_before)
		return CSYS_EINVAL;
	int r = csysi_os_terminal_raw(terminal, &before);
	if (r < 0)
		return r;
	for (int i = 0; i < CSYSI_OS_TERMINAL_MODE; i++)
		out_before->place[i] = before.place[i];
	return 0;
}

int csys_terminal_restore(csys_handle terminal, const csys_terminal_mode *before)
{
	struct csysi_os_terminal_mode mode;

	if (!before)
		return CSYS_EINVAL;
	for (int i = 0; i < CSYSI_OS_TERMINAL_MODE; i++)
		mode.place[i] = before->place[i];
	return csysi_os_terminal_restore(terminal, &mode);
}
