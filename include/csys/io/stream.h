/*
 * csys/io/stream.h - reading and writing bytes, with a deadline.
 *
 *     char buffer[4096];
 *     size_t size;
 *     int r = csys_stream_read_until(reader, buffer, sizeof buffer, csys_after_ms(500), &size);
 *     if (r == 0 && size > 0)
 *             r = csys_stream_write_all(writer, buffer, size, NULL);
 *
 * These work on any stream handle (pipe, FIFO, socket, terminal, file), blocking or
 * not: the deadline alone decides how long they wait, the handle's nonblocking flag
 * is not consulted and not changed.
 *
 * Writing to a pipe that nobody reads is CSYS_EPIPE and never raises SIGPIPE,
 * whatever the process does with that signal.
 *
 * Threads: any number may read and write the same handle; up to PIPE_BUF (at
 * least 512, on Linux 4096) bytes of one write to a pipe stay together.
 *
 * A limit: a deadline is exact where the system can try without waiting, which
 * is for pipes of csys_pipe_create and sockets on Linux 6.4 and later, and for
 * every nonblocking handle.  Elsewhere (a blocking FIFO or terminal, older
 * systems) poll is asked first, and a deadline may be overrun if another reader
 * or writer takes what it announced, or a terminal has less room than that.
 */
#ifndef CSYS_IO_STREAM_H
#define CSYS_IO_STREAM_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/*
 * Read what is there, at least 1 and at most `size` bytes, waiting for the
 * first.  0 bytes mean the end: every writer is closed.  A `size` of 0 reads
 * nothing.  Returns 0 with the count in *out_size, CSYS_ETIMEDOUT with nothing
 * read, CSYS_EBADF, CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read(csys_handle reader, void *buffer, size_t size,
					      size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_stream_read_until(csys_handle reader, void *buffer, size_t size,
						    csys_deadline deadline, size_t *out_size);

/*
 * Read until the buffer is full or the stream ends; fewer than `size` bytes
 * with result 0 mean that it ended.  *out_size is the count that came, on
 * failure too: bytes that were read are never lost.  Failures as
 * csys_stream_read_until.
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read_all(csys_handle reader, void *buffer, size_t size,
						  size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_stream_read_all_until(csys_handle reader, void *buffer,
							size_t size, csys_deadline deadline,
							size_t *out_size);

/*
 * Write what there is room for, at least 1 and at most `size` bytes, waiting
 * for room.  Returns 0 with the count in *out_size, CSYS_ETIMEDOUT with nothing
 * written, CSYS_EPIPE when no reader is left, CSYS_EBADF, CSYS_ENOSPC, CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write(csys_handle writer, const void *data, size_t size,
					       size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_stream_write_until(csys_handle writer, const void *data,
						     size_t size, csys_deadline deadline,
						     size_t *out_size);

/*
 * Write all of `data`.  *out_size (may be NULL) is the count written, on
 * failure too.  Failures as csys_stream_write_until.
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write_all(csys_handle writer, const void *data,
						   size_t size, size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_stream_write_all_until(csys_handle writer, const void *data,
							 size_t size, csys_deadline deadline,
							 size_t *out_size);

/*
 * Tell or set whether the stream is nonblocking for the system's own calls.  The
 * flag belongs to the open file: duplicates share it, the other end of a pipe does
 * not.  Returns 0 or CSYS_EBADF.
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_nonblocking(csys_handle stream, int *out_nonblocking);
CSYS_API CSYS_MUST_CHECK int csys_stream_set_nonblocking(csys_handle stream, int nonblocking);

CSYS_END_DECLS

#endif
