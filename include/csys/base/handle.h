/**
 * \file
 * csys/base/handle.h - the system's own handles.
 *
 * On POSIX a csys_handle is a file descriptor: cast it to int for poll, epoll or an event loop; a
 * descriptor converts to a csys_handle by itself.  On Windows it is a HANDLE, but no SOCKET, which
 * has its own close.  Portable code compares a handle with CSYS_NO_HANDLE and does nothing else
 * with its number.  The standard streams are not 0, 1 and 2 everywhere: csys_standard tells them.
 *
 * Every handle that csys opens is close-on-exec from its creation, and above 2, so that it never
 * stands in for a missing standard stream.  A forked child holds copies, as after any fork.
 *
 * On Windows a spawn of csys makes the handles of the child inheritable for a moment.  If other
 * code of this process starts a program in that moment, and lets it inherit all handles, that
 * program gets them too.
 */
#ifndef CSYS_BASE_HANDLE_H
#define CSYS_BASE_HANDLE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A file descriptor, or a HANDLE. */
typedef intptr_t csys_handle;

/** No handle; csys_handle_close ignores it. */
#define CSYS_NO_HANDLE (-1)

/**
 * Close a handle.
 *
 * Closing a handle that is not open does nothing, but is a fault of the program: the number may
 * belong to another file by then.  Async-signal-safe.
 *
 * \param handle  the handle; CSYS_NO_HANDLE is ignored
 */
CSYS_API void csys_handle_close(csys_handle handle);
CSYSI_AUTO_VALUE(csys_handle, csys_handle_close(*object))

/**
 * Make a second handle for the same open file, close-on-exec and above 2.
 *
 * \param handle  the handle
 * \param out     the second one, which the caller closes
 * \retval 0            it is the caller's
 * \retval CSYS_EBADF   `handle` is not open
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_EINVAL  `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_handle_dup(csys_handle handle, csys_handle *out);

/**
 * Get the handle of a standard stream of this process.
 *
 *     if (csys_terminal_is(csys_standard(1)))
 *             use_colours();
 *
 * It stays the process's.  On POSIX the handle is the number of the stream, whether that is open
 * or not.  Async-signal-safe.
 *
 * \param stream  0 for stdin, 1 for stdout, 2 for stderr (CSYS_STDIN, CSYS_STDOUT, CSYS_STDERR)
 * \return the handle; CSYS_NO_HANDLE for another number, and on Windows for a process that has
 *         no such stream
 */
CSYS_API csys_handle csys_standard(int stream);

CSYS_END_DECLS

#endif
