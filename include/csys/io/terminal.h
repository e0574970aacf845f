/*
 * csys/io/terminal.h - what is common to terminals, this process's own too.
 *
 *     csys_terminal_mode before;
 *     if (csys_terminal_is(0) && csys_terminal_raw(0, &before) == 0) {
 *             read_keys();
 *             csys_terminal_restore(0, &before);
 *     }
 *
 * A terminal is any handle that the system calls one: the standard streams of
 * a program in a window, a serial line, both sides of a pseudo-terminal
 * (csys/io/pty.h).  Its settings belong to the terminal, so they are the same
 * for all processes that have it open, and outlive this process.
 */
#ifndef CSYS_IO_TERMINAL_H
#define CSYS_IO_TERMINAL_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/* Tell whether a handle is a terminal: 1, or 0, also for what is not open. */
CSYS_API int csys_terminal_is(csys_handle handle);

/*
 * Tell its size in characters; 0 and 0 if none was set.  Returns 0, or
 * CSYS_EBADF for no terminal.
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_size(csys_handle terminal, int *out_rows,
						int *out_columns);

/*
 * Set it, each 0 to 65535; the programs on it get SIGWINCH if it is another
 * one.  Returns 0, CSYS_EINVAL, CSYS_EBADF for no terminal.
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_set_size(csys_handle terminal, int rows, int columns);

/* All settings of a terminal, as the system has them. */
typedef struct csys_terminal_mode {
	uint64_t place[16];
} csys_terminal_mode;

/*
 * Make it raw: bytes go through as they are and at once, both ways; no echo, no
 * lines, no ^C.  *out_before is how it was.  Returns 0, CSYS_EBADF for no
 * terminal, CSYS_EIO.  A program in the background is stopped by the system
 * (SIGTTOU) if it does this to its own terminal.
 */
CSYS_API CSYS_MUST_CHECK int csys_terminal_raw(csys_handle terminal,
					       csys_terminal_mode *out_before);

/* Put it back.  What was written is written out first.  Failures as csys_terminal_raw. */
CSYS_API int csys_terminal_restore(csys_handle terminal, const csys_terminal_mode *before);

CSYS_END_DECLS

#endif
