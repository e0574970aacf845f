/*
 * csys/io/pipe.h - anonymous pipes.
 *
 *     csys_handle reader, writer;
 *     int r = csys_pipe_create(&reader, &writer);
 *     if (r < 0)
 *             return r;
 *     r = csys_stream_write_all(writer, "hello", 5, NULL);
 *     csys_handle_close(writer);                        // end of the stream
 *     if (r == 0)
 *             r = csys_stream_read_all(reader, buffer, sizeof buffer, &size);
 *     csys_handle_close(reader);
 *
 * The ends are plain handles: hand them to a command, to another thread, to an
 * event loop; read and write them with csys/io/stream.h; close each with
 * csys_handle_close.
 */
#ifndef CSYS_IO_PIPE_H
#define CSYS_IO_PIPE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/*
 * Create a pipe.  What is written to *out_writer is read from *out_reader;
 * both are close-on-exec from their creation.  Returns 0, CSYS_EMFILE or CSYS_ENOMEM.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_create(csys_handle *out_reader, csys_handle *out_writer);

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

CSYS_END_DECLS

#endif
