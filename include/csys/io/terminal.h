/**
 * \file
 * csys/io/terminal.h - the size and the mode of a terminal.
 *
 *     csys_terminal_mode before;
 *     csys_handle keyboard = csys_standard(0);
 *     if (csys_terminal_is(keyboard) && csys_terminal_raw(keyboard, &before) == 0) {
 *             read_keys();
 *             csys_terminal_restore(keyboard, &before);
 *     }
 *
 * A terminal is any handle that the system calls one: the standard streams of a program in a
 * window, a serial line, both sides of a pseudo-terminal (csys/io/pty.h).  The settings belong to
 * the terminal and not to the handle.  So all processes that have it open see the same ones, and
 * they stay as they are when this process ends.
 */
#ifndef CSYS_IO_TERMINAL_H
#define CSYS_IO_TERMINAL_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/**
 * Tell whether a handle is a terminal.
 *
 * \param handle  any handle
 * \return 1 if it is; 0 if it is something else or not open
 */
CSYS_API int csys_terminal_is(csys_handle handle);

/**
 * Tell the size of a terminal in characters.
 *
 * \param terminal     the terminal
 * \param out_rows     the number of rows, or 0 if no size was set.  Unchanged on failure
 * \param out_columns  the number of columns, or 0 if no size was set.  Unchanged on failure
 * \retval 0            both are set
 * \retval CSYS_EBADF   the handle is not a terminal
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_size(csys_handle terminal, int *out_rows,
						int *out_columns);

/**
 * Set the size of a terminal in characters.
 *
 * If that changes it, the system sends SIGWINCH to the programs in the terminal's foreground.
 *
 * \param terminal  the terminal
 * \param rows      the number of rows, 0 to 65535
 * \param columns   the number of columns, 0 to 65535
 * \retval 0            the terminal has this size
 * \retval CSYS_EINVAL  a number is out of range
 * \retval CSYS_EBADF   the handle is not a terminal
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_set_size(csys_handle terminal, int rows, int columns);

/** All settings of a terminal, as the system has them. */
typedef struct csys_terminal_mode {
	uint64_t place[16]; /**< private */
} csys_terminal_mode;

/**
 * Put a terminal into raw mode: bytes pass at once and unchanged, in both directions.
 *
 * There is no echo, input is not collected into lines, and no key makes a signal: ^C is a byte.
 * What was written before is still shown in the old mode, which the call waits for.
 *
 * A process in the background that does this to its controlling terminal is stopped by the system
 * (SIGTTOU).
 *
 * \param terminal    the terminal
 * \param out_before  the settings before, for csys_terminal_restore.  Unchanged on failure
 * \retval 0            the terminal is in raw mode
 * \retval CSYS_EBADF   the handle is not a terminal
 * \retval CSYS_EIO     the terminal is gone, or the caller is in an orphaned background group
 * \retval CSYS_EINVAL  the pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_raw(csys_handle terminal,
					       csys_terminal_mode *out_before);

/**
 * Restore the settings of a terminal to what they were.
 *
 * What was written before is still shown in the old mode, which the call waits for.
 *
 * \param terminal  the terminal
 * \param before    the settings that csys_terminal_raw told
 * \retval 0            the terminal has these settings
 * \retval CSYS_EBADF   the handle is not a terminal
 * \retval CSYS_EIO     the terminal is gone, or the caller is in an orphaned background group
 * \retval CSYS_EINVAL  the pointer is NULL
 */
CSYS_API int csys_terminal_restore(csys_handle terminal, const csys_terminal_mode *before);

CSYS_END_DECLS

#endif
