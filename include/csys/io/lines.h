/**
 * \file
 * csys/io/lines.h - a stream of bytes, line by line.
 *
 *     csys_lines *lines;
 *     int r = csys_lines_open(reader, 0, &lines);
 *     if (r < 0)
 *             return r;
 *     csys_line line;
 *     while ((r = csys_lines_next_until(lines, deadline, &line)) > 0)
 *             printf("%s\n", line.data);
 *     csys_lines_close(lines);                          // the reader stays open
 *
 * A csys_lines reads ahead, so nothing else should read the same stream while it is open.  Bytes
 * that were read are kept when a deadline passes.
 *
 * No byte is lost, and no line needs more memory than about twice its limit: a longer one comes
 * in pieces.  (Bytes that are fed at once need as much memory as there are.)
 *
 * Linux reports the end of a terminal as CSYS_EIO.  csys_lines_finish gives what is left then.
 *
 * Threads: one at a time may use a csys_lines.  Fork: the child's copy also has the bytes that
 * were read ahead.
 */
#ifndef CSYS_IO_LINES_H
#define CSYS_IO_LINES_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A reader of lines, with the bytes that it has read ahead. */
typedef struct csys_lines csys_lines;

/** The limit of a line, in bytes, where none is given: 1 MiB. */
#define CSYS_LINES_LIMIT (sizeof(char) << 20)

/** What a line ends with: the values of csys_line.ending. */
enum {
	CSYS_LINE_NEWLINE = 0, /**< a newline */
	CSYS_LINE_CUT = 1,     /**< nothing: it is longer than the limit, and goes on in the next */
	CSYS_LINE_END = 2      /**< the end of the stream, without a newline */
};

/** One line, which is valid until the next call with the same csys_lines. */
typedef struct csys_line {
	const char *data; /**< its bytes without the newline, and a NUL behind them */
	size_t size;      /**< how many bytes, the NUL not counted; there may be NULs among them */
	int ending;       /**< CSYS_LINE_NEWLINE, ... */
} csys_line;

/**
 * Make a reader of lines.
 *
 * \param stream  the stream to read, which stays the caller's and must stay open.  With
 *                CSYS_NO_HANDLE the lines come from csys_lines_feed alone
 * \param limit   how many bytes of a line, the newline not counted, are given at once; 0 is
 *                CSYS_LINES_LIMIT
 * \param out     the reader, to be released by csys_lines_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  `out` is NULL, or the limit is more than a quarter of the address space
 * \retval CSYS_ENOMEM  there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_open(csys_handle stream, size_t limit, csys_lines **out);

/**
 * Release a reader of lines with all that it has read ahead.
 *
 * Its stream stays open.
 *
 * \param lines  the reader; NULL is ignored
 */
CSYS_API void csys_lines_close(csys_lines *lines);
CSYSI_AUTO(csys_lines, csys_lines_close(*object))

/**
 * Read the next line of a stream, waiting for it.
 *
 * A failure loses nothing: the call may be made again.  Other failures than those below are those
 * of csys_stream_read.
 *
 * \param lines  the reader
 * \param out    the line; an empty one has a size of 0.  Unchanged unless the result is 1
 * \retval 1            *out is a line
 * \retval 0            the stream has ended, and all of its lines were given
 * \retval CSYS_ENOMEM  there is no memory for more of the line
 * \retval CSYS_EBADF   the stream is not open, or there is none (CSYS_NO_HANDLE)
 * \retval CSYS_EIO     the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_next(csys_lines *lines, csys_line *out);

/**
 * Read the next line of a stream, waiting for it until `deadline`.
 *
 * A line that is there is given even if the deadline has passed.  If it passes in the middle of
 * a line, the part that was read is kept for the next call.  A failure loses nothing: the call may
 * be made again.  Other failures than those below are those of csys_stream_read_until.
 *
 * \param lines     the reader
 * \param deadline  when to give up
 * \param out       the line; an empty one has a size of 0.  Unchanged unless the result is 1
 * \retval 1               *out is a line
 * \retval 0               the stream has ended, and all of its lines were given
 * \retval CSYS_ETIMEDOUT  the deadline passed before the line was complete
 * \retval CSYS_ENOMEM     there is no memory for more of the line
 * \retval CSYS_EBADF      the stream is not open, or there is none (CSYS_NO_HANDLE)
 * \retval CSYS_EIO        the device failed; at the end of a terminal Linux says this too
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_next_until(csys_lines *lines, csys_deadline deadline,
						   csys_line *out);

/**
 * A function that takes one line of those that were fed.
 *
 * It must not use the reader that it was called for.
 *
 * \param context  what csys_lines_feed or csys_lines_finish was called with
 * \param line     the line, valid until the function returns
 * \return negative to end the call that the line comes from, with this value as its result;
 *         anything else to go on
 */
typedef int csys_lines_sink(void *context, const csys_line *line);

/**
 * Add bytes that come from elsewhere, and give each line that is complete then to `sink`.
 *
 * The bytes may come from a csys_output_sink, for example.  After CSYS_ENOMEM nothing of `data`
 * was taken.  After a failure of the sink all of it was: the next call, also one with a size of
 * 0, goes on with the line after the one that failed.
 *
 * \param lines    the reader
 * \param data     the bytes, which are copied; may be NULL if there are none
 * \param size     how many there are
 * \param sink     gets each line
 * \param context  is passed to the sink
 * \retval 0            all complete lines were given to the sink
 * \retval CSYS_ENOMEM  there is no memory for the bytes
 * \retval CSYS_EINVAL  a pointer is NULL, or there are bytes after the end that
 *                      csys_lines_finish has told
 * \return else the negative value of the sink
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_feed(csys_lines *lines, const char *data, size_t size,
					     csys_lines_sink *sink, void *context);

/**
 * Say that the stream has ended, and give what is left to `sink`.
 *
 * That is the last line if it has no newline, and whatever the sink has not taken before.  After a
 * failure of the sink the next call goes on with the line after the one that failed.
 *
 * \param lines    the reader
 * \param sink     gets each line
 * \param context  is passed to the sink
 * \retval 0            nothing is left
 * \retval CSYS_EINVAL  a pointer is NULL
 * \return else the negative value of the sink
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_finish(csys_lines *lines, csys_lines_sink *sink,
					       void *context);

CSYS_END_DECLS

#endif
