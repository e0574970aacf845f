/*
 * io/lines.c - a stream of bytes, line by line.
 *
 *   data   | given away | not given yet ..... | free ......... | NUL
 *          0          begin    scanned       end             room
 *
 * No byte from begin to scanned is a newline.  A NUL is put behind each line: in place of its
 * newline, or of the first byte of the next piece, which is put back by the next call.
 */
#include <csys/base/result.h>
#include <csys/io/lines.h>

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "os/os.h"

/* What one read asks for at least. */
#define CHUNK ((size_t)4 << 10)

struct csys_lines {
	csys_handle stream;
	size_t limit;
	char *data; /* room bytes, and one more */
	size_t room, begin, scanned, end;
	int is_covered; /* a NUL stands in place of data[begin], which is `covered` */
	char covered;
	int has_ended; /* nothing comes after `end` */
};

int csys_lines_open(csys_handle stream, size_t limit, csys_lines **out)
{
	if (!out || limit > SIZE_MAX / 4)
		return CSYS_EINVAL;
	csys_lines *lines = csysi_alloc_zero(sizeof *lines);
	if (!lines)
		return CSYS_ENOMEM;
	lines->stream = stream;
	lines->limit = limit ? limit : CSYS_LINES_LIMIT;
	*out = lines;
	return 0;
}

void csys_lines_close(csys_lines *lines)
{
	if (!lines)
		return;
	csysi_free(lines->data);
	csysi_free(lines);
}

static void uncover(csys_lines *lines)
{
	if (lines->is_covered)
		lines->data[lines->begin] = lines->covered;
	lines->is_covered = 0;
}

/* Make room for `more` bytes behind the end. */
static int reserve(csys_lines *lines, size_t more)
{
	size_t size = lines->end - lines->begin;

	if (more > SIZE_MAX / 4 - size)
		return CSYS_ENOMEM;
	if (lines->room - lines->end >= more)
		return 0;
	if (size > 0 && lines->begin > 0)
		memmove(lines->data, lines->data + lines->begin, size);
	lines->scanned -= lines->begin;
	lines->begin = 0;
	lines->end = size;
	if (lines->room - size >= more)
		return 0;
	size_t room = size + more > 2 * lines->room ? size + more : 2 * lines->room;
	char *data = csysi_realloc(lines->data, room + 1);
	if (!data)
		return CSYS_ENOMEM;
	lines->data = data;
	lines->room = room;
	return 0;
}

/* Give away `size` bytes from begin on, and pass over `newline` more. */
static int give(csys_lines *lines, size_t size, size_t newline, int ending, csys_line *out)
{
	char *data = lines->data + lines->begin;

	lines->begin += size + newline;
	if (newline == 0 && lines->begin < lines->end) {
		lines->is_covered = 1;
		lines->covered = data[size];
	}
	data[size] = '\0';
	if (lines->scanned < lines->begin)
		lines->scanned = lines->begin;
	*out = (csys_line){ .data = data, .size = size, .ending = ending };
	return 1;
}

/* Take a line out of what is there: 1, or 0 if there is none yet. */
static int take(csys_lines *lines, csys_line *out)
{
	uncover(lines);
	size_t size = lines->end - lines->begin;
	const char *newline = NULL;
	if (lines->scanned < lines->end)
		newline = memchr(lines->data + lines->scanned, '\n', lines->end - lines->scanned);
	size_t line = newline ? (size_t)(newline - lines->data) - lines->begin : size;
	lines->scanned = lines->begin + line;
	if (line > lines->limit)
		return give(lines, lines->limit, 0, CSYS_LINE_CUT, out);
	if (newline)
		return give(lines, line, 1, CSYS_LINE_NEWLINE, out);
	if (lines->has_ended && size > 0)
		return give(lines, size, 0, CSYS_LINE_END, out);
	return 0;
}

int csys_lines_next_until(csys_lines *lines, csys_deadline deadline, csys_line *out)
{
	if (!lines || !out)
		return CSYS_EINVAL;
	while (!take(lines, out)) {
		size_t size;
		if (lines->has_ended)
			return 0;
		if (lines->stream == CSYS_NO_HANDLE)
			return CSYS_EBADF;
		int r = reserve(lines, CHUNK);
		if (r == 0)
			r = csysi_os_read(lines->stream, lines->data + lines->end,
					  lines->room - lines->end, deadline, &size);
		if (r < 0)
			return r;
		lines->end += size;
		lines->has_ended = size == 0;
	}
	return 1;
}

int csys_lines_next(csys_lines *lines, csys_line *out)
{
	return csys_lines_next_until(lines, CSYS_FOREVER, out);
}

static int give_all(csys_lines *lines, csys_lines_sink *sink, void *context)
{
	csys_line line;

	while (take(lines, &line)) {
		int r = sink(context, &line);
		if (r < 0)
			return r;
	}
	return 0;
}

int csys_lines_feed(csys_lines *lines, const char *data, size_t size, csys_lines_sink *sink,
		    void *context)
{
	if (!lines || !sink || (!data && size > 0) || (lines->has_ended && size > 0))
		return CSYS_EINVAL;
	int r = size > 0 ? reserve(lines, size) : 0;
	if (r < 0)
		return r;
	if (size > 0)
		memcpy(lines->data + lines->end, data, size);
	lines->end += size;
	return give_all(lines, sink, context);
}

int csys_lines_finish(csys_lines *lines, csys_lines_sink *sink, void *context)
{
	if (!lines || !sink)
		return CSYS_EINVAL;
	lines->has_ended = 1;
	return give_all(lines, sink, context);
}
