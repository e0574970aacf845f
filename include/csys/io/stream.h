/**
 * \file
 * csys/io/stream.h - reading and writing bytes, with a deadline.
 *
 *     char buffer[4096];
 *     size_t size;
 *     int r = csys_stream_read_until(reader, buffer, sizeof buffer, csys_after_ms(500), &size);
 *     if (r == 0 && size > 0)
 *             r = csys_stream_write_all(writer, buffer, size, NULL);
 *
 * The functions work on any stream handle: pipe, FIFO, socket, terminal, file.  Whether the
 * handle is blocking makes no difference: the deadline alone decides how long a call waits, and
 * the handle's nonblocking flag is neither read nor changed.
 *
 * Writing to a pipe that has no reader returns CSYS_EPIPE and never raises SIGPIPE, whatever the
 * process does with that signal.
 *
 * Threads: any number may read and write the same handle.  Of one write to a pipe up to PIPE_BUF
 * bytes stay together: at least 512, on Linux 4096.
 *
 * A limit: a deadline is exact where the system can try without waiting.  That is so for pipes
 * of csys_pipe_create and sockets on Linux 6.4 and later, and for every nonblocking handle.
 * Elsewhere (a blocking FIFO or terminal, older systems) the system is asked first whether a
 * transfer would wait.  Then a deadline may be overrun if another reader takes the bytes, if
 * another writer takes the room, or if a terminal has less room than it said.
 */
#ifndef CSYS_IO_STREAM_H
#define CSYS_IO_STREAM_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/**
 * Read what is there, at least 1 byte and at most `size`, waiting for the first one.
 *
 * At the end of the stream, when every writer is closed, the call succeeds with 0 bytes.  With a
 * `size` of 0 nothing is read and nothing is waited for.  If the call fails, nothing was read.
 *
 * \param reader    the handle
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for
 * \param out_size  how many were read; 0 is the end of the stream.  Unchanged on failure
 * \retval 0               *out_size bytes were read
 * \retval CSYS_EBADF      the handle is not open, or not for reading
 * \retval CSYS_EISDIR     the handle is a directory
 * \retval CSYS_EIO        the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read(csys_handle reader, void *buffer, size_t size,
					      size_t *out_size);

/**
 * Read what is there, at least 1 byte and at most `size`, waiting for the first until `deadline`.
 *
 * At the end of the stream, when every writer is closed, the call succeeds with 0 bytes.  Bytes
 * that are there are read even if the deadline has passed.  If the call fails, nothing was read.
 *
 * \param reader    the handle
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for
 * \param deadline  when to give up
 * \param out_size  how many were read; 0 is the end of the stream.  Unchanged on failure
 * \retval 0               *out_size bytes were read
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing was read
 * \retval CSYS_EBADF      the handle is not open, or not for reading
 * \retval CSYS_EISDIR     the handle is a directory
 * \retval CSYS_EIO        the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read_until(csys_handle reader, void *buffer, size_t size,
						    csys_deadline deadline, size_t *out_size);

/**
 * Read until the buffer is full or the stream ends.
 *
 * The call succeeds at the end too, with fewer than `size` bytes.  If it fails, the bytes that
 * were read before are in the buffer and counted: none is lost.
 *
 * \param reader    the handle
 * \param buffer    where the bytes go
 * \param size      how many to read
 * \param out_size  how many were read, also on failure
 * \retval 0               *out_size bytes were read; fewer than `size`: the stream has ended
 * \retval CSYS_EBADF      the handle is not open, or not for reading
 * \retval CSYS_EISDIR     the handle is a directory
 * \retval CSYS_EIO        the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read_all(csys_handle reader, void *buffer, size_t size,
						  size_t *out_size);

/**
 * Read until the buffer is full, the stream ends, or `deadline` has passed.
 *
 * The call succeeds at the end too, with fewer than `size` bytes.  If it fails, also for the
 * deadline, the bytes that were read before are in the buffer and counted: none is lost.
 *
 * \param reader    the handle
 * \param buffer    where the bytes go
 * \param size      how many to read
 * \param deadline  when to give up
 * \param out_size  how many were read, also on failure
 * \retval 0               *out_size bytes were read; fewer than `size`: the stream has ended
 * \retval CSYS_ETIMEDOUT  the deadline passed; *out_size bytes came before
 * \retval CSYS_EBADF      the handle is not open, or not for reading
 * \retval CSYS_EISDIR     the handle is a directory
 * \retval CSYS_EIO        the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_read_all_until(csys_handle reader, void *buffer,
							size_t size, csys_deadline deadline,
							size_t *out_size);

/**
 * Write as much as there is room for, at least 1 byte and at most `size`, waiting for room.
 *
 * With a `size` of 0 nothing is written and nothing is waited for.  If the call fails, nothing
 * was written.
 *
 * \param writer    the handle
 * \param data      the bytes
 * \param size      how many there are
 * \param out_size  how many were written, at least 1.  Unchanged on failure
 * \retval 0               *out_size bytes were written
 * \retval CSYS_EPIPE      no reader is left
 * \retval CSYS_EBADF      the handle is not open, or not for writing
 * \retval CSYS_ENOSPC     the device is full, or a limit of the file's size or the quota is reached
 * \retval CSYS_EIO        the device failed
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write(csys_handle writer, const void *data, size_t size,
					       size_t *out_size);

/**
 * Write as much as there is room for, at least 1 byte, waiting for room until `deadline`.
 *
 * If there is room, it is used even if the deadline has passed.  If the call fails, nothing was
 * written.
 *
 * \param writer    the handle
 * \param data      the bytes
 * \param size      how many there are
 * \param deadline  when to give up
 * \param out_size  how many were written, at least 1.  Unchanged on failure
 * \retval 0               *out_size bytes were written
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing was written
 * \retval CSYS_EPIPE      no reader is left
 * \retval CSYS_EBADF      the handle is not open, or not for writing
 * \retval CSYS_ENOSPC     the device is full, or a limit of the file's size or the quota is reached
 * \retval CSYS_EIO        the device failed
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write_until(csys_handle writer, const void *data,
						     size_t size, csys_deadline deadline,
						     size_t *out_size);

/**
 * Write all of `data`, waiting for room as often as it takes.
 *
 * If the call fails, the first *out_size bytes were written, and no others.
 *
 * \param writer    the handle
 * \param data      the bytes
 * \param size      how many there are
 * \param out_size  how many were written, also on failure; may be NULL
 * \retval 0               all were written
 * \retval CSYS_EPIPE      no reader is left
 * \retval CSYS_EBADF      the handle is not open, or not for writing
 * \retval CSYS_ENOSPC     the device is full, or a limit of the file's size or the quota is reached
 * \retval CSYS_EIO        the device failed
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write_all(csys_handle writer, const void *data,
						   size_t size, size_t *out_size);

/**
 * Write all of `data`, waiting for room until `deadline`.
 *
 * If the call fails, the first *out_size bytes were written, and no others.
 *
 * \param writer    the handle
 * \param data      the bytes
 * \param size      how many there are
 * \param deadline  when to give up
 * \param out_size  how many were written, also on failure; may be NULL
 * \retval 0               all were written
 * \retval CSYS_ETIMEDOUT  the deadline passed first; *out_size bytes were written
 * \retval CSYS_EPIPE      no reader is left
 * \retval CSYS_EBADF      the handle is not open, or not for writing
 * \retval CSYS_ENOSPC     the device is full, or a limit of the file's size or the quota is reached
 * \retval CSYS_EIO        the device failed
 * \retval CSYS_EINVAL     a pointer is NULL
 * \retval CSYS_ECONNRESET a socket whose other side has broken the connection off
 * \retval CSYS_EOTHER     another failure: csys_os_error()
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_write_all_until(csys_handle writer, const void *data,
							 size_t size, csys_deadline deadline,
							 size_t *out_size);

/**
 * Tell whether a stream is nonblocking for the system's own calls.
 *
 * The functions of this header do not look at that flag.
 *
 * \param stream           the handle
 * \param out_nonblocking  1 if it is, 0 if not.  Unchanged on failure
 * \retval 0             *out_nonblocking is set
 * \retval CSYS_ENOTSUP  streams of this system have no such flag
 * \retval CSYS_EBADF    the handle is not open
 * \retval CSYS_EINVAL   the pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_nonblocking(csys_handle stream, int *out_nonblocking);

/**
 * Make a stream nonblocking, or blocking, for the system's own calls.
 *
 * The flag belongs to the open file: duplicates of the handle, also those of other processes,
 * share it.  The other end of a pipe has its own.
 *
 * \param stream       the handle
 * \param nonblocking  1 for nonblocking, 0 for blocking
 * \retval 0             the flag is set, or cleared
 * \retval CSYS_ENOTSUP  streams of this system have no such flag
 * \retval CSYS_EBADF    the handle is not open
 */
CSYS_API CSYS_MUST_CHECK int csys_stream_set_nonblocking(csys_handle stream, int nonblocking);

CSYS_END_DECLS

#endif
