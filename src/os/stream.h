/*
 * os/stream.h - reading and writing with a deadline.
 */
#ifndef CSYSI_OS_STREAM_H
#define CSYSI_OS_STREAM_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/*
 * Move some bytes, at least 1 and at most `size` (itself at least 1), waiting
 * for the first until `deadline`.  Read: 0 bytes are the end.  Write: never a
 * SIGPIPE.
 */
int csysi_os_read(csys_handle handle, void *buffer, size_t size, csys_deadline deadline,
		  size_t *out);
int csysi_os_write(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		   size_t *out);

#endif
