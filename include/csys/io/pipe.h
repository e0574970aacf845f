/**
 * \file
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
 * The ends are plain handles: hand them to another thread or to an event loop; read and write
 * them with csys/io/stream.h; close each with csys_handle_close.
 *
 * Both ends of csys_pipe_create are this process's own.  For an end that a program gets there are
 * CSYS_STDIO_PIPE, pipelines, and csys_pipe_create_for: on systems where the two kinds of ends
 * are different things (Windows), a command that is given one of this process's own fails with
 * CSYS_ENOTSUP at that stream's step.
 */
#ifndef CSYS_IO_PIPE_H
#define CSYS_IO_PIPE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/**
 * Create a pipe for this process: what is written to *out_writer is read from *out_reader.
 *
 * Both are close-on-exec from their creation, and made for deadlines and csys_poll.
 *
 * \param out_reader  the end that is read, which the caller closes
 * \param out_writer  the end that is written, which the caller closes
 * \retval 0            both ends are the caller's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_create(csys_handle *out_reader, csys_handle *out_writer);

/** The ends of a pipe. */
enum csys_pipe_end {
	CSYS_PIPE_READER = 1, /**< the end that is read */
	CSYS_PIPE_WRITER = 2, /**< the end that is written */
	CSYS_PIPE_BOTH = 3    /**< both */
};

/**
 * Create a pipe of which one end, or both, go to programs that this process starts.
 *
 * The end is given to csys_command_stdio_take or csys_command_map_take.  It is what programs of
 * this system expect of a stream.  If this process reads or writes it, a deadline may be ignored,
 * where the system cannot do better.  Both ends are close-on-exec.
 *
 * \param program     the ends that programs get
 * \param capacity    how many bytes it should hold before a writer waits, 0 for the usual number.
 *                    If the system gives less, that is no failure (csys_pipe_capacity tells)
 * \param out_reader  the end that is read, which the caller closes
 * \param out_writer  the end that is written, which the caller closes
 * \retval 0            both ends are the caller's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  no such end, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_create_for(enum csys_pipe_end program, size_t capacity,
						  csys_handle *out_reader, csys_handle *out_writer);

/**
 * Tell how many bytes a pipe holds before a writer waits.
 *
 * \param pipe          either end
 * \param out_capacity  the number of bytes
 * \retval 0             the capacity is told
 * \retval CSYS_ENOTSUP  the system does not tell
 * \retval CSYS_EBADF    the handle is not a pipe
 * \retval CSYS_EINVAL   `out_capacity` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_capacity(csys_handle pipe, size_t *out_capacity);

/**
 * Make a pipe hold at least `capacity` bytes.
 *
 * \param pipe          either end
 * \param capacity      how many bytes
 * \param out_capacity  what it became; may be NULL
 * \retval 0             it holds that many
 * \retval CSYS_EPERM    it is beyond the system's limit for ordinary users (1 MiB on a stock Linux)
 * \retval CSYS_EBUSY    more is in it than would fit
 * \retval CSYS_EINVAL   the capacity is 0, or more than any pipe can have
 * \retval CSYS_ENOTSUP  the capacity of a pipe cannot be changed here
 * \retval CSYS_EBADF    the handle is not a pipe
 */
CSYS_API CSYS_MUST_CHECK int csys_pipe_set_capacity(csys_handle pipe, size_t capacity,
						    size_t *out_capacity);

CSYS_END_DECLS

#endif
