/*
 * csys/io/pipe.h - anonymous pipes, and streams of bytes with a deadline.
 *
 *     csys_handle reader, writer;
 *     int r = csys_pipe_create(&reader, &writer);
 *     if (r < 0)
 *             return r;
 *     r = csys_pipe_write_all(writer, "hello", 5, NULL);
 *     csys_handle_close(writer);                        // end of the stream
 *     if (r == 0)
 *             r = csys_pipe_read_all(reader, buffer, sizeof buffer, &size);
 *     csys_handle_close(reader);
 *
 * The ends are plain handles: hand them to a command, to another thread, to an
 * event loop; close each with csys_handle_close.  The four transfers work on
 * any stream handle (pipe, FIFO, socket, terminal, file), blocking or not: the
 * deadline alone decides how long they wait, the handle's nonblocking flag is
 * not consulted and not changed.
 *
 * Writing to a pipe that nobody reads is CSYS_EPIPE and never raises SIGPIPE,
 * whatever the process does with that signal.
 *
 * Threads: any number may read and write the same end; up to PIPE_BUF (at
 * least 512, on Linux 4096) bytes of one write stay together.
 *
 * A limit: a deadline is exact where the system can try without waiting, which
 * is for pipes of csys_pipe_create and sockets on Linux 6.4 and later, and for
 * every nonblocking handle.  Elsewhere (a blocking FIFO or terminal, older
 * systems) poll is asked first, and a deadline may be overrun if another reader
 * or writer takes what it announced, or a terminal has less room than that.
 */
#ifndef CSYS_IO_PIPE_H
#define CSYS_IO_PIPE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/*
 * Create a pipe.  What is written to *out_writer is read from *out_reader;
 * both are close-on-exec from birth.  Returns 0, CSYS_EMFILE or CSYS_ENOMEM.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_create(csys_handle *out_reader, csys_handle *out_writer);

/*
 * Read what is there, at least 1 and at most `size` bytes, waiting for the
 * first.  0 bytes mean the end: every writer is closed.  A `size` of 0 reads
 * nothing.  Returns 0 with the count in *out_size, CSYS_ETIMEDOUT with nothing
 * read, CSYS_EBADF, CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_read(csys_handle reader, void *buffer, size_t size,
					    size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pipe_read_until(csys_handle reader, void *buffer, size_t size,
						  csys_deadline deadline, size_t *out_size);

/*
 * Read until the buffer is full or the stream ends; fewer than `size` bytes
 * with result 0 mean that it ended.  *out_size is the count that came, on
 * failure too: bytes that were read are never lost.  Failures as
 * csys_pipe_read_until.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_read_all(csys_handle reader, void *buffer, size_t size,
						size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pipe_read_all_until(csys_handle reader, void *buffer, size_t size,
						      csys_deadline deadline, size_t *out_size);

/*
 * Write what there is room for, at least 1 and at most `size` bytes, waiting
 * for room.  Returns 0 with the count in *out_size, CSYS_ETIMEDOUT with nothing
 * written, CSYS_EPIPE when no reader is left, CSYS_EBADF, CSYS_ENOSPC, CSYS_EIO.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_write(csys_handle writer, const void *data, size_t size,
					     size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pipe_write_until(csys_handle writer, const void *data,
						   size_t size, csys_deadline deadline,
						   size_t *out_size);

/*
 * Write all of `data`.  *out_size (may be NULL) is the count written, on
 * failure too.  Failures as csys_pipe_write_until.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_write_all(csys_handle writer, const void *data, size_t size,
						 size_t *out_size);
CSYS_API CSYS_MUST_CHECK int csys_pipe_write_all_until(csys_handle writer, const void *data,
						       size_t size, csys_deadline deadline,
						       size_t *out_size);

/*
 * How many bytes the pipe holds before a writer waits.  Returns 0,
 * CSYS_ENOTSUP where the system does not tell, CSYS_EBADF for no pipe.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_capacity(csys_handle pipe, size_t *out_capacity);

/*
 * Make it hold at least `capacity` bytes; *out_capacity (may be NULL) is what
 * it became.  Returns 0, CSYS_EPERM beyond the system's limit for ordinary
 * users (1 MiB on a stock Linux), CSYS_EBUSY when more is in it than would fit,
 * CSYS_EINVAL for 0 or an absurd size, CSYS_ENOTSUP, CSYS_EBADF.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_set_capacity(csys_handle pipe, size_t capacity,
						    size_t *out_capacity);

/*
 * Whether the end is nonblocking for those who use it with the system's own
 * calls.  The flag belongs to the open file: duplicates share it, the other
 * end does not.  Returns 0 or CSYS_EBADF.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_nonblocking(csys_handle pipe, int *out_nonblocking);
CSYS_API CSYS_MUST_CHECK int csys_pipe_set_nonblocking(csys_handle pipe, int nonblocking);

CSYS_END_DECLS

#endif
