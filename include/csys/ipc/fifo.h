/**
 * \file
 * csys/ipc/fifo.h - named pipes: pipes that have a place in the file system.
 *
 *     csys_fifo_options options = { .create = 1, .mode = 0600 };
 *     csys_handle reader;
 *     int r = csys_fifo_open_reader_until("log.fifo", &options, csys_after_s(5), &reader);
 *     if (r < 0)
 *             return r; // CSYS_ETIMEDOUT: no writer came
 *     r = csys_stream_read(reader, buffer, sizeof buffer, &size);
 *     csys_handle_close(reader);
 *
 * What is written to it by any process is read by any other, and only while both have it open is
 * anything in it.  The ends are plain handles: read and write them with csys/io/stream.h, wait
 * for them with csys_poll, close each with csys_handle_close.  csys_pipe_capacity works too.
 *
 * Opening an end waits until another process, or thread, has the other end open:
 *
 * - csys_fifo_open_reader returns when there is a writer, or when one has written meanwhile (one
 *   that came and went without writing is seen on Linux only, if no sandbox forbids tee);
 * - csys_fifo_open_writer returns when there is a reader;
 * - csys_fifo_try_open_reader and _writer say CSYS_EAGAIN if there is none;
 * - csys_fifo_open_kept_reader never waits.
 *
 * A reader sees the end (0 bytes) when the last writer closes it, and bytes again when another one
 * opens it.  A program that serves one writer after the other wants no end between two of them:
 * csys_fifo_open_kept_reader opens a writer too, which keeps the FIFO open.
 *
 * While a reader waits with a deadline it has its end open: writers open theirs, and may write.
 * When it gives up in the moment in which a writer comes, that one gets CSYS_EPIPE.  A wait with
 * a deadline looks again at intervals of up to 5 ms.
 *
 * Only a FIFO is opened, and no symbolic link at the end of the path is followed: anything else is
 * CSYS_EBADMSG.  (In a directory that all may write to, as /tmp, anyone may have made the FIFO
 * that is found there; see csys/ipc/names.h for one of this user alone.)
 *
 * Both ends are close-on-exec and above 2.  Fork: a forked child has copies of them, and while it
 * does not close a writer the readers see no end.  Windows has no FIFOs in its file system:
 * CSYS_ENOTSUP, and csys_can(CSYS_CAN_FIFO) says 0.
 */
#ifndef CSYS_IPC_FIFO_H
#define CSYS_IPC_FIFO_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** How to open a FIFO.  Zeroed, and NULL in its place, opens one that is there. */
typedef struct csys_fifo_options {
	int create;    /**< 1: create it if nothing is there */
	unsigned mode; /**< permissions of one that is created, less the umask; 0: 0600 */
	/** 1: the handle blocks in the system's own calls, as a program expects that gets it; 0: it
	 * is nonblocking there.  Deadlines of csys are exact with 0 (csys/io/stream.h). */
	int blocking;
} csys_fifo_options;

/**
 * Create a FIFO.
 *
 * \param path  where
 * \param mode  its permissions, less the umask; 0: 0600
 * \retval 0                  created
 * \retval CSYS_EEXIST        there is a FIFO
 * \retval CSYS_EBADMSG       there is something else: a file, a directory, or a symbolic link, even
 *                            to a FIFO
 * \retval CSYS_ENOENT        a directory of the path is missing
 * \retval CSYS_ENOTDIR       a part of the path is no directory
 * \retval CSYS_EACCES        the directory does not allow it
 * \retval CSYS_ENOSPC        there is no room in the file system
 * \retval CSYS_ENAMETOOLONG  the path is too long
 * \retval CSYS_EINVAL        `path` is NULL or empty, or no such mode
 * \retval CSYS_ENOTSUP       this system, or this file system, has no FIFOs
 */
CSYS_API CSYS_MUST_CHECK int csys_fifo_create(const char *path, unsigned mode);

/**
 * Open the end that reads, waiting until there is a writer.
 *
 * \param path     of the FIFO
 * \param options  may be NULL
 * \param out      the handle, which the caller closes
 * \retval 0             it is the caller's
 * \retval CSYS_ENOENT   nothing is there, and it was not to be created
 * \retval CSYS_EBADMSG  what is there is no FIFO
 * \retval CSYS_EACCES   its permissions do not allow it
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_EINVAL   a pointer is NULL, the path is empty, or no such mode
 * \return other failures as csys_fifo_create, but not CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int
csys_fifo_open_reader(const char *path, const csys_fifo_options *options, csys_handle *out);

/**
 * Open the end that reads, waiting until there is a writer or `deadline` has passed.
 *
 * \param path      of the FIFO
 * \param options   may be NULL
 * \param deadline  when to give up
 * \param out       the handle, which the caller closes.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_ETIMEDOUT  the deadline passed, and there was no writer
 * \return other failures as csys_fifo_open_reader
 */
CSYS_API CSYS_MUST_CHECK int csys_fifo_open_reader_until(const char *path,
							 const csys_fifo_options *options,
							 csys_deadline deadline, csys_handle *out);

/**
 * Open the end that reads if there is a writer now.
 *
 * \param path     of the FIFO
 * \param options  may be NULL
 * \param out      the handle, which the caller closes.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EAGAIN  there is no writer
 * \return other failures as csys_fifo_open_reader
 */
CSYS_API CSYS_MUST_CHECK int
csys_fifo_try_open_reader(const char *path, const csys_fifo_options *options, csys_handle *out);

/**
 * Open the end that writes, waiting until there is a reader.
 *
 * \param path     of the FIFO
 * \param options  may be NULL
 * \param out      the handle, which the caller closes.  Unchanged on failure
 * \return as csys_fifo_open_reader
 */
CSYS_API CSYS_MUST_CHECK int
csys_fifo_open_writer(const char *path, const csys_fifo_options *options, csys_handle *out);

/**
 * Open the end that writes, waiting until there is a reader or `deadline` has passed.
 *
 * \param path      of the FIFO
 * \param options   may be NULL
 * \param deadline  when to give up
 * \param out       the handle, which the caller closes.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_ETIMEDOUT  the deadline passed, and there was no reader
 * \return other failures as csys_fifo_open_reader
 */
CSYS_API CSYS_MUST_CHECK int csys_fifo_open_writer_until(const char *path,
							 const csys_fifo_options *options,
							 csys_deadline deadline, csys_handle *out);

/**
 * Open the end that writes if there is a reader now.
 *
 * \param path     of the FIFO
 * \param options  may be NULL
 * \param out      the handle, which the caller closes.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EAGAIN  there is no reader
 * \return other failures as csys_fifo_open_reader
 */
CSYS_API CSYS_MUST_CHECK int
csys_fifo_try_open_writer(const char *path, const csys_fifo_options *options, csys_handle *out);

/**
 * Open the end that reads, and a writer that keeps it open: it never sees the end.
 *
 * It does not wait for a writer.  Nothing has to be done with the second handle; when it is
 * closed, the reader sees the end as soon as no other writer is there.
 *
 * \param path        of the FIFO
 * \param options     may be NULL
 * \param out_reader  the handle, which the caller closes.  Unchanged on failure
 * \param out_keeper  the writer, which the caller closes.  Unchanged on failure
 * \return as csys_fifo_open_reader; CSYS_EACCES also if it may not be written
 */
CSYS_API CSYS_MUST_CHECK int csys_fifo_open_kept_reader(const char *path,
							const csys_fifo_options *options,
							csys_handle *out_reader,
							csys_handle *out_keeper);

/**
 * Remove a FIFO from the file system; those that have it open go on.
 *
 * With a handle only the FIFO that it has open is removed, and not one that another process has
 * created at the path meanwhile.  That is looked at just before the removal.
 *
 * \param path    of the FIFO
 * \param handle  either end; CSYS_NO_HANDLE: whichever FIFO is there
 * \retval 0             removed
 * \retval CSYS_ENOENT   nothing is there, or another FIFO than the handle's
 * \retval CSYS_EBADMSG  what is there is no FIFO
 * \retval CSYS_EACCES   the directory does not allow it; so with CSYS_EPERM
 * \retval CSYS_EBADF    the handle is not open
 * \retval CSYS_EINVAL   `path` is NULL or empty
 * \retval CSYS_ENOTSUP  this system has no FIFOs
 */
CSYS_API CSYS_MUST_CHECK int csys_fifo_unlink(const char *path, csys_handle handle);

CSYS_END_DECLS

#endif
