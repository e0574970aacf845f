/**
 * \file
 * csys/io/pty.h - a pseudo-terminal: a terminal with this program behind it.
 *
 *     csys_pty *pty;
 *     int r = csys_pty_open(24, 80, &pty);
 *     if (r < 0)
 *             return r;
 *     csys_command_pty(command, pty);
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
 * A pseudo-terminal of Windows has no terminal side: there is no handle and no name of it, and
 * csys_command_pty alone puts a program on it.
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

/** A pseudo-terminal. */
typedef struct csys_pty csys_pty;

/**
 * Open a pseudo-terminal of the given size.
 *
 * \param rows     its height in characters, 0 to 65535
 * \param columns  its width in characters, 0 to 65535
 * \param out      the pseudo-terminal, which the caller closes with csys_pty_close
 * \retval 0            it is open
 * \retval CSYS_EINVAL  no such size, or `out` is NULL
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOSPC  the system has no more of them
 * \retval CSYS_ENOENT  the system does not offer any; so with CSYS_EACCES
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_open(int rows, int columns, csys_pty **out);

/**
 * Close what a pseudo-terminal has left of both sides, and release it.
 *
 * Closing the controller hangs the terminal up: its programs read the end, and get SIGHUP if it
 * is their controlling terminal.
 *
 * \param pty  the pseudo-terminal; NULL is fine
 */
CSYS_API void csys_pty_close(csys_pty *pty);
CSYSI_AUTO(csys_pty, csys_pty_close(*object))

/**
 * Get the handle of the controller, which stays the pty's.
 *
 * \param pty  the pseudo-terminal
 * \return the handle; CSYS_NO_HANDLE once it was taken, and for NULL
 */
CSYS_API csys_handle csys_pty_controller(const csys_pty *pty);

/**
 * Get the handle of the terminal side, which stays the pty's.
 *
 * \param pty  the pseudo-terminal
 * \return the handle; CSYS_NO_HANDLE once it was taken or closed, where there is no such side,
 *         and for NULL
 */
CSYS_API csys_handle csys_pty_terminal(const csys_pty *pty);

/**
 * Take the controller of a pseudo-terminal: the caller closes it.
 *
 * \param pty  the pseudo-terminal
 * \param out  the handle
 * \retval 0            it is the caller's
 * \retval CSYS_EBADF   it was taken before
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_take_controller(csys_pty *pty, csys_handle *out);

/**
 * Take the terminal side of a pseudo-terminal: the caller closes it.
 *
 * \param pty  the pseudo-terminal
 * \param out  the handle
 * \retval 0            it is the caller's
 * \retval CSYS_EBADF   it was taken or closed before, or there is no such side
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_take_terminal(csys_pty *pty, csys_handle *out);

/**
 * Close this process's own terminal side: no more programs will be started on it.
 *
 * Reading ends only when no process has that side open, so do this when the last program was
 * started.
 *
 * \param pty  the pseudo-terminal; NULL is fine
 */
CSYS_API void csys_pty_close_terminal(csys_pty *pty);

/**
 * Get the path of the terminal, such as "/dev/pts/3".
 *
 * \param pty  the pseudo-terminal
 * \return the path, which lives as long as the pty; "" if it has none, NULL for NULL
 */
CSYS_API const char *csys_pty_name(const csys_pty *pty);

/**
 * Tell the size of a pseudo-terminal in characters, from either side.
 *
 * \param pty          the pseudo-terminal
 * \param out_rows     its height
 * \param out_columns  its width
 * \retval 0            the size is told
 * \retval CSYS_EBADF   both sides are gone
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_size(const csys_pty *pty, int *out_rows, int *out_columns);

/**
 * Set the size of a pseudo-terminal in characters.
 *
 * The programs on it get SIGWINCH if that changes the size.
 *
 * \param pty      the pseudo-terminal
 * \param rows     its height, 0 to 65535
 * \param columns  its width, 0 to 65535
 * \retval 0            the size is set
 * \retval CSYS_EBADF   both sides are gone
 * \retval CSYS_EINVAL  no such size, or `pty` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_set_size(csys_pty *pty, int rows, int columns);

/**
 * Read what was written on the terminal, waiting for the first byte.
 *
 * 0 bytes mean the end: no process has the terminal side open (where a plain read gets EIO on
 * some systems); nothing written before is lost.
 *
 * \param pty       the pseudo-terminal
 * \param buffer    where the bytes go
 * \param size      how many are read at most; 0 reads nothing
 * \param out_size  how many were read
 * \retval 0            at least 1 byte was read, or it is the end
 * \retval CSYS_EBADF   the controller is gone
 * \retval CSYS_EIO     the system could not read
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_read(csys_pty *pty, void *buffer, size_t size,
					   size_t *out_size);

/**
 * Read what was written on the terminal, waiting for the first byte until `deadline`.
 *
 * \param pty       the pseudo-terminal
 * \param buffer    where the bytes go
 * \param size      how many are read at most; 0 reads nothing
 * \param deadline  when to give up
 * \param out_size  how many were read
 * \retval 0               as csys_pty_read
 * \retval CSYS_ETIMEDOUT  nothing was read
 * \retval CSYS_EBADF      the controller is gone
 * \retval CSYS_EIO        the system could not read
 * \retval CSYS_EINVAL     an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_read_until(csys_pty *pty, void *buffer, size_t size,
						 csys_deadline deadline, size_t *out_size);

/**
 * Write all of `data` as if it was typed on the terminal.
 *
 * \param pty       the pseudo-terminal
 * \param data      the bytes
 * \param size      how many they are
 * \param out_size  how many were typed, on failure too; may be NULL
 * \retval 0            all were typed
 * \retval CSYS_EPIPE   the terminal side is closed, and the system tells (else they are lost)
 * \retval CSYS_EBADF   the controller is gone
 * \retval CSYS_EIO     the system could not write
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_write_all(csys_pty *pty, const void *data, size_t size,
						size_t *out_size);

/**
 * Write all of `data` as if it was typed on the terminal, until `deadline`.
 *
 * \param pty       the pseudo-terminal
 * \param data      the bytes
 * \param size      how many they are
 * \param deadline  when to give up
 * \param out_size  how many were typed, on failure too; may be NULL
 * \retval 0               all were typed
 * \retval CSYS_ETIMEDOUT  the programs did not read
 * \retval CSYS_EPIPE      the terminal side is closed, and the system tells
 * \retval CSYS_EBADF      the controller is gone
 * \retval CSYS_EIO        the system could not write
 * \retval CSYS_EINVAL     an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pty_write_all_until(csys_pty *pty, const void *data, size_t size,
						      csys_deadline deadline, size_t *out_size);

CSYS_END_DECLS

#endif
