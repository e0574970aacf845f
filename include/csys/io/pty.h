/*
 * csys/io/pty.h - a pseudo-terminal: a terminal with this program behind it.
 *
 *     csys_pty *pty;
 *     int r = csys_pty_open(24, 80, &pty);
 *     if (r < 0)
 *             return r;
 *     for (int stream = 0; stream < 3; stream++)
 *             csys_command_stdio_handle(command, stream, csys_pty_terminal(pty));
 *     r = csys_command_spawn(command, &child);
 *     csys_pty_close_terminal(pty);                     // the child has its own
 *     while (r == 0 && csys_pty_read(pty, buffer, sizeof buffer, &size) == 0 && size > 0)
 *             fwrite(buffer, 1, size, stdout);
 *     csys_pty_close(pty);
 *
 * It has two sides.  A program on the terminal side finds a terminal: what it
 * writes is read at the controller, what is written to the controller is what
 * was typed.  The terminal begins as terminals do: it echoes, turns "\n" into
 * "\r\n", gives its reader whole lines (up to 4095 bytes on Linux) and makes a
 * signal of ^C; csys_terminal_raw (csys/io/terminal.h) ends all that.
 *
 * Both handles are close-on-exec and above 2, and opening them does not make
 * this process's controlling terminal of it.  The controller is nonblocking for
 * callers of the system's own functions.
 *
 * Threads: one may read and one write at once; taking and closing belong to
 * one.  Fork: a forked child holds copies of the handles, as fork has it.
 */
#ifndef CSYS_IO_PTY_H
#define CSYS_IO_PTY_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_pty csys_pty;

/*
 * Open a pair of the given size, each 0 to 65535.  Returns 0; CSYS_EINVAL,
 * CSYS_ENOMEM, CSYS_EMFILE; CSYS_ENOSPC when the system has no more of them;
 * CSYS_ENOENT, CSYS_EACCES where it does not offer any.
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_open(int rows, int columns, csys_pty **out);

/*
 * Close what it has left of both sides.  Closing the controller hangs the
 * terminal up: its programs read the end, and get SIGHUP if it is their
 * controlling terminal.  NULL is fine.
 */
CSYS_API void csys_pty_close(csys_pty *pty);
CSYSI_AUTO(csys_pty, csys_pty_close(*object))

/* Either side; stays the pty's.  CSYS_NO_HANDLE once it was taken or closed. */
CSYS_API csys_handle csys_pty_controller(const csys_pty *pty);
CSYS_API csys_handle csys_pty_terminal(const csys_pty *pty);

/* Take a side: the caller closes *out.  Returns 0, or CSYS_EBADF if it is gone. */
CSYS_API CSYS_MUST_CHECK int csys_pty_take_controller(csys_pty *pty, csys_handle *out);
CSYS_API CSYS_MUST_CHECK int csys_pty_take_terminal(csys_pty *pty, csys_handle *out);

/*
 * Close this process's own terminal side.  Reading ends only when nobody has
 * that side open, so do this when a program was started on it.
 */
CSYS_API void csys_pty_close_terminal(csys_pty *pty);

/* The path of the terminal, such as "/dev/pts/3"; NULL for NULL. */
CSYS_API const char *csys_pty_name(const csys_pty *pty);

/*
 * The size in characters, from either side.  Returns 0, CSYS_EINVAL, or
 * CSYS_EBADF when both are gone.
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_size(const csys_pty *pty, int *out_rows, int *out_columns);
CSYS_API CSYS_MUST_CHECK int csys_pty_set_size(csys_pty *pty, int rows, int columns);

/*
 * Read what was written on the terminal, at least 1 and at most `size` bytes,
 * waiting for the first.  0 bytes mean the end: nobody has the terminal side
 * open (where a plain read gets EIO on some systems); nothing written before is
 * lost.  A `size` of 0 reads nothing.  Returns 0 with the count in *out_size,
 * CSYS_ETIMEDOUT with nothing read, CSYS_EBADF when the controller is gone,
 * CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_read(csys_pty *pty, void *buffer, size_t size,
					   size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pty_read_until(csys_pty *pty, void *buffer, size_t size,
						 csys_deadline deadline, size_t *out_size);

/*
 * Type all of `data`.  *out_size (may be NULL) is the count typed, on failure
 * too.  Returns 0, CSYS_ETIMEDOUT while the programs do not read, CSYS_EPIPE
 * when the terminal side is closed and the system tells (else it is lost),
 * CSYS_EBADF, CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_write_all(csys_pty *pty, const void *data, size_t size,
						size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pty_write_all_until(csys_pty *pty, const void *data, size_t size,
						      csys_deadline deadline, size_t *out_size);

CSYS_END_DECLS

#endif
