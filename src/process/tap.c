/*
 * process/tap.c - feeding and draining one stream of a captured program, as far as it goes now.
 */
#include <csys/base/result.h>

#include <string.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/buffer.h"
#include "process/tap.h"

/* What one read asks for at least.  A Linux pipe holds as much. */
#define CHUNK ((size_t)64 << 10)

/* What the first read of a stream asks for. */
#define FIRST ((size_t)1 << 10)

/* Widen a pipe at the first sign of much.  It may be no pipe, or not allowed. */
static void widen(struct csysi_tap *tap, size_t moved)
{
	size_t capacity;

	if (moved < CHUNK || tap->wide)
		return;
	tap->wide = 1;
	if (csysi_os_pipe_capacity(tap->handle, &capacity) == 0 && capacity < CSYSI_TAP_WIDE)
		(void)csysi_os_pipe_set_capacity(tap->handle, CSYSI_TAP_WIDE);
}

void csysi_tap_end(struct csysi_tap *tap)
{
	csysi_os_close(tap->handle);
	tap->handle = CSYS_NO_HANDLE;
}

int csysi_tap_feed(struct csysi_capture_loop *capture, struct csysi_tap *tap)
{
	const csys_output_options *options = capture->options;
	size_t left = options->input_size - capture->fed;

	if (left > 0) {
		size_t size = left; /* of which EPIPE wants none, and never will */
		int r = csysi_os_write(tap->handle, (const char *)options->input + capture->fed,
				       left, CSYS_POLL, &size);
		if (r == CSYS_ETIMEDOUT)
			return 0;
		if (r < 0 && r != CSYS_EPIPE)
			return r;
		if (r == 0)
			widen(tap, size);
		capture->fed += size;
	}
	if (capture->fed == options->input_size)
		csysi_tap_end(tap);
	return 0;
}

/* How much of a stream is still to be kept. */
static size_t wanted(const struct csysi_capture_loop *capture, int stream)
{
	size_t limit = capture->options->limit;
	size_t size = capture->kept[stream].size;

	if (capture->options->sink || (limit > 0 && size >= limit))
		return 0;
	return limit == 0 ? CHUNK : limit - size < CHUNK ? limit - size : CHUNK;
}

/*
 * Where the next bytes of a stream go: behind those that are kept, or to the
 * scratch if they are not.
 */
static int target(struct csysi_capture_loop *capture, int stream, char **out, size_t *out_room)
{
	struct csysi_buffer *kept = &capture->kept[stream];
	size_t want = wanted(capture, stream);

	if (want == 0) {
		if (!capture->scratch)
			capture->scratch = csysi_alloc(CHUNK);
		*out = capture->scratch;
		*out_room = CHUNK;
		return capture->scratch ? 0 : CSYS_ENOMEM;
	}
	int r = csysi_buffer_reserve(kept, want);
	if (r < 0)
		return r;
	*out = kept->data + kept->size;
	*out_room = capture->options->limit ? want : kept->room - kept->size - 1;
	return 0;
}

int csysi_tap_drain(struct csysi_capture_loop *capture, struct csysi_tap *tap, size_t *out_size)
{
	int stream = tap->stream;
	char first[FIRST];
	struct csysi_buffer *kept = &capture->kept[stream];
	char *bytes = first;
	size_t room = wanted(capture, stream);
	int r = 0;

	/* The first bytes come by way of this stack: a stream without any, or with few, as
	 * most are, costs no memory, or little. */
	*out_size = 0;
	if (kept->room > 0 || room == 0)
		r = target(capture, stream, &bytes, &room);
	else if (room > FIRST)
		room = FIRST;
	if (r < 0)
		return r;

	size_t size;
	r = csysi_os_read(tap->handle, bytes, room, CSYS_POLL, &size);
	if (r < 0)
		return r == CSYS_ETIMEDOUT ? 0 : r;
	if (size == 0) {
		csysi_tap_end(tap);
		return 0;
	}

	*out_size = size;
	capture->total[stream] += size;
	widen(tap, size);
	if (bytes == first) {
		r = csysi_buffer_reserve(kept, size);
		if (r < 0)
			return r;
		memcpy(kept->data, first, size);
	}
	if (bytes != capture->scratch)
		kept->size += size;
	else if (capture->options->sink && capture->refused == 0)
		r = capture->options->sink(capture->options->sink_context, stream, bytes, size);
	/* Positive is no failure, what a write has returned say. */
	if (r < 0)
		capture->refused = r;
	return capture->refused;
}
