/*
 * process/output.c - feeding and draining a child in one loop.
 *
 * Nothing here waits on one stream: poll waits for all of them, and every
 * transfer that follows takes or gives what it can and returns.  So whatever
 * order the child reads and writes in, one side of this loop can always go on.
 *
 *   pump ---- all streams ended ----> wait ---> 0
 *     |                                |
 *     +---- deadline, sink, memory ----+---> end the child, drain what is left
 */
#include <csys/base/result.h>
#include <csys/process/output.h>

#include <string.h>

#include "base/memory.h"
#include "process/internal.h"

/* What one read asks for at least.  A Linux pipe holds as much. */
#define CHUNK ((size_t)64 << 10)

/* What the first read of a stream asks for. */
#define FIRST ((size_t)1 << 10)

/*
 * How wide a pipe is made once CHUNK bytes came or went at once.  Each time it is full or
 * empty one side sleeps and is woken; at four times the usual size that is a quarter as
 * often, and for 64 MiB between two CPUs it is worth more than a factor of 2.
 */
#define WIDE ((size_t)256 << 10)

struct capture {
	csys_child *child;
	const csys_output_options *options;
	size_t fed;                  /* of the input */
	struct csysi_buffer kept[3]; /* by stream; [CSYS_STDIN] unused */
	uint64_t total[3];
	char *scratch; /* CHUNK bytes for what is not kept */
	int wide[3];   /* the stream's pipe has been widened, or cannot be */
	int refused;   /* what the sink said when it wanted no more, else 0 */
};

/* Widen a stream's pipe at the first sign of much.  It may be no pipe, or not allowed. */
static void widen(struct capture *capture, int stream, csys_handle pipe, size_t moved)
{
	size_t capacity;

	if (moved < CHUNK || capture->wide[stream])
		return;
	capture->wide[stream] = 1;
	if (csysi_os_pipe_capacity(pipe, &capacity) == 0 && capacity < WIDE)
		(void)csysi_os_pipe_set_capacity(pipe, WIDE);
}

/* Give the child what it takes now; close its stdin when it has all, or wants no more. */
static int feed(struct capture *capture)
{
	const csys_output_options *options = capture->options;
	csys_handle writer = csys_child_stream(capture->child, CSYS_STDIN);
	size_t left = options->input_size - capture->fed;

	if (left > 0) {
		size_t size = left; /* of which EPIPE wants none, and never will */
		int r = csysi_os_write(writer, (const char *)options->input + capture->fed, left,
				       CSYS_POLL, &size);
		if (r == CSYS_ETIMEDOUT)
			return 0;
		if (r < 0 && r != CSYS_EPIPE)
			return r;
		if (r == 0)
			widen(capture, CSYS_STDIN, writer, size);
		capture->fed += size;
	}
	if (capture->fed == options->input_size)
		csys_child_close_stream(capture->child, CSYS_STDIN);
	return 0;
}

/* How much of a stream is still to be kept. */
static size_t wanted(const struct capture *capture, int stream)
{
	size_t limit = capture->options->limit;
	size_t size = capture->kept[stream].size;

	if (capture->options->sink)
		return 0;
	return limit == 0 ? CHUNK : limit - size < CHUNK ? limit - size : CHUNK;
}

/*
 * Where the next bytes of a stream go: behind those that are kept, or to the
 * scratch if they are not.
 */
static int target(struct capture *capture, int stream, char **out, size_t *out_room)
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

/* Take what a stream has now; close it at its end.  *out_size is 0 if it had nothing. */
static int drain(struct capture *capture, int stream, size_t *out_size)
{
	csys_handle reader = csys_child_stream(capture->child, stream);
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
	r = csysi_os_read(reader, bytes, room, CSYS_POLL, &size);
	if (r < 0)
		return r == CSYS_ETIMEDOUT ? 0 : r;
	if (size == 0) {
		csys_child_close_stream(capture->child, stream);
		return 0;
	}

	*out_size = size;
	capture->total[stream] += size;
	widen(capture, stream, reader, size);
	if (bytes == first) {
		r = csysi_buffer_reserve(kept, size);
		if (r < 0)
			return r;
		memcpy(kept->data, first, size);
	}
	if (bytes != capture->scratch)
		kept->size += size;
	else if (capture->options->sink && capture->refused == 0)
		capture->refused =
			capture->options->sink(capture->options->sink_context, stream, bytes, size);
	return capture->refused < 0 ? capture->refused : 0;
}

/* Feed and drain once what is ready.  CSYS_ETIMEDOUT if nothing was until the deadline. */
static int pump_once(struct capture *capture, csys_deadline deadline)
{
	struct csysi_os_poll polled[3];

	for (int i = 0; i < 3; i++) {
		polled[i].handle = csys_child_stream(capture->child, i);
		polled[i].writing = i == CSYS_STDIN;
	}
	int r = csysi_os_poll(polled, 3, deadline);
	for (int i = 0; i < 3 && r >= 0; i++) {
		size_t size;
		if (polled[i].ready)
			r = i == CSYS_STDIN ? feed(capture) : drain(capture, i, &size);
	}
	return r;
}

static int has_streams(const csys_child *child)
{
	for (int i = 0; i < 3; i++)
		if (csys_child_stream(child, i) != CSYS_NO_HANDLE)
			return 1;
	return 0;
}

/* Until all streams have ended. */
static int pump(struct capture *capture, csys_deadline deadline)
{
	int r = 0;

	while (r == 0 && has_streams(capture->child)) {
		r = pump_once(capture, deadline);
		/* A child that always has more would never let poll come to the deadline. */
		if (r == 0 && csys_deadline_left(deadline) == 0)
			r = CSYS_ETIMEDOUT;
	}
	return r;
}

static int pump_and_wait(struct capture *capture, csys_deadline deadline, csys_exit *out)
{
	int r = pump(capture, deadline);

	return r < 0 ? r : csys_child_wait_until(capture->child, deadline, out);
}

/*
 * What the ended child left in its pipes: as much as one holds and no more, since
 * a grandchild may write on for ever.
 */
static void drain_rest(struct capture *capture)
{
	for (int i = CSYS_STDOUT; i <= CSYS_STDERR; i++) {
		csys_handle reader = csys_child_stream(capture->child, i);
		size_t left = WIDE;
		size_t size = 1;
		if (reader != CSYS_NO_HANDLE)
			(void)csysi_os_pipe_capacity(reader, &left);
		while (size > 0 && left > 0 &&
		       csys_child_stream(capture->child, i) != CSYS_NO_HANDLE) {
			if (drain(capture, i, &size) < 0)
				return;
			left -= size < left ? size : left;
		}
	}
}

/* Ask the child to end, and give it until the grace is over.  0: it has. */
static int end_politely(struct capture *capture, csys_exit *out)
{
	csys_deadline until = csys_after_ns(capture->options->grace_ns);
	int r = csys_child_signal(capture->child, csysi_os_signal_terminate());

	/* Its own end counts, not that of its streams, which others may hold: so look for it
	 * now and then while there is something to feed or drain. */
	while (r == 0 && has_streams(capture->child)) {
		csys_deadline next = csys_after_ms(5);
		r = pump_once(capture, next < until ? next : until);
		if (r < 0 && r != CSYS_ETIMEDOUT)
			return r;
		r = csys_child_try_wait(capture->child, out);
		if (r != CSYS_EAGAIN)
			return r;
		r = csys_deadline_left(until) > 0 ? 0 : CSYS_ETIMEDOUT;
	}
	return r < 0 ? r : csys_child_wait_until(capture->child, until, out);
}

/* End the child at its deadline, or because of a failure.  Returns the result of it all. */
static int end_child(struct capture *capture, int why, csys_exit *out)
{
	int r = csys_child_try_wait(capture->child, out);

	if (r < 0 && why == CSYS_ETIMEDOUT && capture->refused == 0 &&
	    capture->options->grace_ns > 0)
		r = end_politely(capture, out);
	if (r < 0 && csys_child_kill(capture->child) == 0)
		r = csys_child_wait_until(capture->child, CSYS_FOREVER, out);
	if (r == 0 && why == CSYS_ETIMEDOUT && capture->refused == 0)
		drain_rest(capture);
	return capture->refused < 0 ? capture->refused : why;
}

static void fill(csys_captured *captured, struct csysi_buffer *kept, uint64_t total,
		 const csys_output_options *options)
{
	csysi_buffer_finish(kept);
	captured->data = kept->data ? kept->data : "";
	captured->size = kept->size;
	captured->total = total;
	captured->truncated = options->limit > 0 && !options->sink && total > kept->size;
	captured->room = kept->room;
}

static int capture_child(csys_child *child, const csys_output_options *options, csys_output *out)
{
	struct capture capture = { .child = child, .options = options };
	csys_deadline deadline = options->deadline ? options->deadline : CSYS_FOREVER;
	csys_exit exit = { 0 };
	int os_error = csys_os_error();

	int r = pump_and_wait(&capture, deadline, &exit);
	if (r < 0)
		r = end_child(&capture, r, &exit);
	for (int i = 0; i < 3; i++)
		csys_child_close_stream(child, i);
	csysi_free(capture.scratch);
	if (r == 0)
		csysi_set_os_error(os_error); /* what failed on the way was no failure */
	out->exit = exit;
	fill(&out->out, &capture.kept[CSYS_STDOUT], capture.total[CSYS_STDOUT], options);
	fill(&out->err, &capture.kept[CSYS_STDERR], capture.total[CSYS_STDERR], options);
	return r;
}

/* ---- the calls --------------------------------------------------------------------- */

static const csys_output_options no_options;

static void make_empty(csys_output *output)
{
	memset(output, 0, sizeof *output);
	output->out.data = "";
	output->err.data = "";
}

static int check(const csys_output_options *options)
{
	for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++)
		if (options->reserved[i] != 0)
			return CSYS_EINVAL;
	if (options->grace_ns < 0 || (!options->input && options->input_size > 0))
		return CSYS_EINVAL;
	return 0;
}

int csys_child_output(csys_child *child, const csys_output_options *options, csys_output *out)
{
	if (!out)
		return CSYS_EINVAL;
	make_empty(out);
	if (!child)
		return CSYS_EINVAL;
	if (!options)
		options = &no_options;

	int r = check(options);
	if (r < 0)
		return r;
	if (options->input_size > 0 && csys_child_stream(child, CSYS_STDIN) == CSYS_NO_HANDLE)
		return CSYS_EINVAL;
	return capture_child(child, options, out);
}

int csys_command_output(csys_command *command, const csys_output_options *options, csys_output *out)
{
	if (!out)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	make_empty(out);
	if (!options)
		options = &no_options;

	int r = check(options);
	int kind = csys_command_get_stdio(command, CSYS_STDIN);
	if (r == 0 && options->input && kind != CSYS_STDIO_DEFAULT && kind != CSYS_STDIO_PIPE)
		r = CSYS_EINVAL;
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, r);

	struct csysi_spawn_defaults defaults = {
		{ options->input ? CSYS_STDIO_PIPE : CSYS_STDIO_NULL, CSYS_STDIO_PIPE,
		  options->merge_stderr ? CSYS_STDIO_SAME_AS_STDOUT : CSYS_STDIO_PIPE }
	};
	csys_child *child;
	r = csysi_spawn(command, &defaults, &child);
	if (r < 0)
		return r;
	r = capture_child(child, options, out);
	/* It has ended, or is one that may not be killed. */
	csys_child_close(child, CSYS_CLOSE_DETACH);
	return r;
}

int csys_run(const char *const *argv, const csys_output_options *options, csys_output *out)
{
	if (!argv || !argv[0]) {
		if (out)
			make_empty(out);
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	}

	csys_command *command = csys_command_new(argv[0]);
	csys_command_args(command, argv + 1);
	int r = csys_command_output(command, options, out);
	csys_command_free(command);
	return r;
}

void csys_output_free(csys_output *output)
{
	if (!output)
		return;

	csys_captured *streams[] = { &output->out, &output->err };
	for (int i = 0; i < 2; i++) {
		/* Only what has room is on the heap; the rest is "". */
		struct csysi_buffer kept = { .room = streams[i]->room };
		if (kept.room > 0) {
			memcpy(&kept.data, &streams[i]->data, sizeof kept.data);
			csysi_buffer_free(&kept);
		}
	}
	make_empty(output);
}
