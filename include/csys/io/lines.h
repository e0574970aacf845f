/*
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
 * It reads ahead, so between its first call and its close nothing else should read the
 * same stream.  What was read is kept when a deadline passes.
 *
 * No line is lost, and none needs more memory than about twice its limit: a longer one comes
 * in pieces.  (What is fed at once needs as much memory as it is long.)
 *
 * At the end of a terminal, which Linux tells as CSYS_EIO, csys_lines_finish gives what is left.
 *
 * Threads: one at a time.  Fork: the copy in the child has what was read ahead too.
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

typedef struct csys_lines csys_lines;

/* The limit of a line where none is given: 1 MiB. */
#define CSYS_LINES_LIMIT (sizeof(char) << 20)

/* What a line ends with. */
enum {
	CSYS_LINE_NEWLINE = 0, /* a newline */
	CSYS_LINE_CUT = 1,     /* nothing: it is longer than the limit, and goes on in the next */
	CSYS_LINE_END = 2      /* the end of the stream, without a newline */
};

/* One line, until the next call with the same csys_lines. */
typedef struct csys_line {
	const char *data; /* its bytes without the newline, and a NUL behind them */
	size_t size;      /* how many; there may be NULs among them */
	int ending;       /* CSYS_LINE_NEWLINE, ... */
} csys_line;

/*
 * Make a reader of lines of at most `limit` bytes, the newline not counted; 0 is
 * CSYS_LINES_LIMIT.  `stream` stays the caller's; with CSYS_NO_HANDLE the lines come from
 * csys_lines_feed alone.  Returns 0, CSYS_EINVAL, CSYS_ENOMEM.
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_open(csys_handle stream, size_t limit, csys_lines **out);

/* Release it with all that it has read ahead.  NULL is fine. */
CSYS_API void csys_lines_close(csys_lines *lines);
CSYSI_AUTO(csys_lines, csys_lines_close(*object))

/*
 * Read the next line.  Returns 1 with the line in *out, or 0 at the end of the stream.  A
 * line of 0 bytes is an empty one.  Failures as csys_stream_read, and CSYS_ENOMEM; they
 * lose nothing, so it may be called again.
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_next(csys_lines *lines, csys_line *out);

/*
 * Read the next line as csys_lines_next does, until `deadline`: then CSYS_ETIMEDOUT.  What is
 * there is read first, a line that is longer than the limit up to that.
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_next_until(csys_lines *lines, csys_deadline deadline,
						   csys_line *out);

/* Gets one line.  A negative value ends the call that it comes from, and is its result. */
typedef int csys_lines_sink(void *context, const csys_line *line);

/*
 * Give it bytes that come from elsewhere (a csys_output_sink, say), and each line that is
 * complete then to `sink`.  Returns 0, the sink's negative value, CSYS_ENOMEM, or CSYS_EINVAL,
 * also for bytes after csys_lines_finish.
 * After CSYS_ENOMEM nothing of `data` was taken; after a failure of the sink all was, and the
 * next feed, of 0 bytes too, goes on with the line behind the one that failed.
 */
CSYS_API CSYS_MUST_CHECK int csys_lines_feed(csys_lines *lines, const char *data, size_t size,
					     csys_lines_sink *sink, void *context);

/* Give the sink what is left: the last line, if the stream ended without a newline. */
CSYS_API CSYS_MUST_CHECK int csys_lines_finish(csys_lines *lines, csys_lines_sink *sink,
					       void *context);

CSYS_END_DECLS

#endif
