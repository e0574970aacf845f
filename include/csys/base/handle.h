/*
 * csys/base/handle.h - the system's own handles.
 *
 * On POSIX a csys_handle is a file descriptor (cast it to int for poll, epoll
 * or an event loop); on Windows it is a HANDLE.  A descriptor converts to a
 * csys_handle by itself.  Every handle that csys opens is close-on-exec from
 * its creation, and above 2, so that it never stands in for a missing standard
 * stream.  A forked child holds copies, as fork has it.
 */
#ifndef CSYS_BASE_HANDLE_H
#define CSYS_BASE_HANDLE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef intptr_t csys_handle;

/* No handle; close accepts it. */
#define CSYS_NO_HANDLE (-1)

/*
 * Close.  CSYS_NO_HANDLE is fine.  Closing what is not open is a fault of the
 * program that cannot be told from a harmless one, and does nothing here.
 * Async-signal-safe.
 */
CSYS_API void csys_handle_close(csys_handle handle);
CSYSI_AUTO_VALUE(csys_handle, csys_handle_close(*object))

/*
 * A second handle for the same open file, close-on-exec and above 2.  Returns
 * 0, CSYS_EBADF or CSYS_EMFILE; the caller closes *out.
 */
CSYS_API CSYS_MUST_CHECK int csys_handle_dup(csys_handle handle, csys_handle *out);

CSYS_END_DECLS

#endif
