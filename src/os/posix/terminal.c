/*
 * os/posix/terminal.c - the size and the mode of a terminal.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

_Static_assert(sizeof(struct termios) <= sizeof(struct csysi_os_terminal_mode),
	       "no room for the settings of a terminal");

int csysi_os_terminal_is(csys_handle handle)
{
	return isatty((int)handle);
}

int csysi_os_terminal_size(csys_handle terminal, int *out_rows, int *out_columns)
{
	struct winsize size;

	if (ioctl((int)terminal, TIOCGWINSZ, &size) < 0)
		return csysi_posix_fail();
	*out_rows = size.ws_row;
	*out_columns = size.ws_col;
	return 0;
}

int csysi_os_terminal_set_size(csys_handle terminal, int rows, int columns)
{
	struct winsize size;
	int r = csysi_fault(CSYS_EIO);
	if (r < 0)
		return r;

	memset(&size, 0, sizeof size);
	size.ws_row = (unsigned short)rows;
	size.ws_col = (unsigned short)columns;
	return ioctl((int)terminal, TIOCSWINSZ, &size) < 0 ? csysi_posix_fail() : 0;
}

static int set(csys_handle terminal, const struct termios *settings)
{
	int r;

	/* Bytes that were written before keep the old settings. */
	do
		r = tcsetattr((int)terminal, TCSADRAIN, settings);
	while (r < 0 && errno == EINTR);
	return r < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_terminal_raw(csys_handle terminal, struct csysi_os_terminal_mode *out_before)
{
	struct csysi_os_terminal_mode before = { { 0 } };
	struct termios raw;

	memset(&raw, 0, sizeof raw); /* not every C library fills all of it */
	if (tcgetattr((int)terminal, &raw) < 0)
		return csysi_posix_fail();
	memcpy(before.place, &raw, sizeof raw);
	raw.c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	int r = set(terminal, &raw);
	if (r == 0)
		*out_before = before;
	return r;
}

int csysi_os_terminal_restore(csys_handle terminal, const struct csysi_os_terminal_mode *before)
{
	struct termios settings;

	memcpy(&settings, before->place, sizeof settings);
	return set(terminal, &settings);
}
