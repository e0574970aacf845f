/*
 * os/stream.h - reading and writing with a deadline.
 *
 * 0 bytes are the end, and only that: an empty write of another process is passed over.  The
 * wrong end is CSYS_EBADF.  A hint of os/poll.h that was wrong again is followed by a pause, so
 * that a transfer never loops.
 */
#ifndef CSYSI_OS_STREAM_H
#define CSYSI_OS_STREAM_H

#include <stddef.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/*
 * Read at most `size` bytes (at least 1), waiting for the first one until `deadline`.
 * *out is how many were read; 0 is the end of the stream.  CSYS_ETIMEDOUT.
 */
int csysi_os_read(csys_handle handle, void *buffer, size_t size, csys_deadline deadline,
		  size_t *out);

/*
 * Write some: at most `size` bytes (at least 1), waiting for room for the first one until
 * `deadline`, and no longer, without a deadline neither.  *out is how many were written, at least
 * 1; a write that gives up has moved nothing.  Raises no SIGPIPE.  CSYS_EPIPE, CSYS_ETIMEDOUT.
 */
int csysi_os_write(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		   size_t *out);

/*
 * Write all `size` bytes (at least 1) by `deadline`.  Without one the system waits for the room, in
 * as few calls as it can.  *out is how many were written, in any case.  Results as csysi_os_write.
 */
int csysi_os_write_all(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		       size_t *out);

/* A part of what is moved at once; what is written is not changed. */
struct csysi_os_slice {
	void *data;
	size_t size;
};

/* How many slices are moved in one call of the system, at most; less if it allows less. */
#define CSYSI_OS_SLICES 64

/*
 * Write the first slices (at least one, and at least 1 byte in all), or some bytes of them, in one
 * call of the system, waiting for room for the first byte until `deadline`.  Without a deadline it
 * may wait until all is written.  *out is how many bytes were written, at least 1.  Results as
 * csysi_os_write.
 */
int csysi_os_write_slices(csys_handle handle, const struct csysi_os_slice *slices, size_t count,
			  csys_deadline deadline, size_t *out);

#endif
