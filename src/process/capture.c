/*
 * process/capture.c - feeding and draining running programs in one loop.
 *
 * Nothing here waits on one stream: poll waits for all of them, and every
 * transfer that follows takes or gives what it can and returns.  So whatever
 * order the programs read and write in, one side of this loop can always go on.
 *
 *   pump ---- all streams ended, ----> wait ---> 0
 *     |       or linger is over         |
 *     +---- deadline, sink, memory -----+---> end the programs, drain what is left
 *     |                                 |
 *     +---- deadline, keep_running -----+---> give the streams back: another call goes on
 *
 * What another call needs is in the csys_output: the bytes, how much of the input was taken, and
 * when the streams are given up.
 */
#include <csys/base/result.h>
#include <csys/process/output.h>

#include <string.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/buffer.h"
#include "process/capture.h"
#include "process/child.h"
#include "process/tap.h"

/* Whether the ends of programs matter while there are streams. */
static int is_watching(const struct csysi_capture_loop *capture)
{
	return capture->options->linger_ns > 0 && capture->ended < capture->programs->count;
}

/* Feed and drain once what is ready.  CSYS_ETIMEDOUT if nothing was until the deadline. */
static int pump_once(struct csysi_capture_loop *capture, csys_deadline deadline)
{
	size_t count = capture->tap_count;

	for (size_t i = 0; i < count; i++) {
		capture->polled[i].handle = capture->taps[i].handle;
		capture->polled[i].writing = capture->taps[i].stream == CSYS_STDIN;
		capture->polled[i].is_known = 1;
	}
	capture->polled[count].handle =
		is_watching(capture)
			? csys_child_handle(capture->programs->children[capture->ended])
			: CSYS_NO_HANDLE;
	capture->polled[count].writing = 0;
	capture->polled[count].is_known = 1;
	int r = csysi_os_poll(capture->polled, count + 1, deadline);
	for (size_t i = 0; i < count && r >= 0; i++) {
		struct csysi_tap *tap = &capture->taps[i];
		size_t size;
		if (capture->polled[i].ready)
			r = tap->stream == CSYS_STDIN ? csysi_tap_feed(capture, tap)
						      : csysi_tap_drain(capture, tap, &size);
	}
	return r;
}

static int has_streams(const struct csysi_capture_loop *capture)
{
	for (size_t i = 0; i < capture->tap_count; i++)
		if (capture->taps[i].handle != CSYS_NO_HANDLE)
			return 1;
	return 0;
}

/*
 * What the programs left in their pipes: as much as one holds, and one read more, which may
 * find the end.  No more than that, since a writer may go on for ever.
 */
static int drain_rest(struct csysi_capture_loop *capture)
{
	for (size_t i = 0; i < capture->tap_count; i++) {
		struct csysi_tap *tap = &capture->taps[i];
		size_t left = CSYSI_TAP_WIDE;
		size_t size = 1;
		if (tap->stream == CSYS_STDIN)
			continue;
		if (tap->handle != CSYS_NO_HANDLE)
			(void)csysi_os_pipe_capacity(tap->handle, &left);
		int is_last = 0;
		while (size > 0 && !is_last && tap->handle != CSYS_NO_HANDLE) {
			is_last = left == 0;
			int r = csysi_tap_drain(capture, tap, &size);
			if (r < 0)
				return r;
			left -= size < left ? size : left;
		}
	}
	return 0;
}

/* Another process holds them open: take what is there, and no more. */
static int give_up_streams(struct csysi_capture_loop *capture)
{
	int r = drain_rest(capture);

	for (size_t i = 0; i < capture->tap_count; i++) {
		struct csysi_tap *tap = &capture->taps[i];
		if (tap->handle != CSYS_NO_HANDLE)
			capture->held[tap->stream] = 1;
		csysi_tap_end(tap);
	}
	return r;
}

/* All programs have ended.  The linger time may be running since an earlier call. */
static void start_linger(struct csysi_capture_loop *capture)
{
	if (capture->options->linger_ns > 0 && csys_deadline_is_forever(capture->linger))
		capture->linger = csys_after_ns(capture->options->linger_ns);
}

/* Go on past programs that have ended; after the last of them the streams may linger. */
static int watch(struct csysi_capture_loop *capture)
{
	while (capture->ended < capture->programs->count) {
		size_t i = capture->ended;
		int r = csys_child_try_wait(capture->programs->children[i],
					    &capture->programs->exits[i]);
		if (r == CSYS_EAGAIN) {
			/* Perhaps it has ended, but for a debugger first: no busy loop then. */
			if (capture->polled[capture->tap_count].ready)
				csysi_os_nap(csys_after_ms(1));
			return 0;
		}
		if (r < 0)
			return r;
		capture->ended++;
	}
	start_linger(capture);
	return 0;
}

/* One step of pump, which takes no longer than to `until`. */
static int pump_and_watch(struct csysi_capture_loop *capture, csys_deadline until)
{
	if (!is_watching(capture))
		return pump_once(capture, until);

	/* Where an end cannot be polled for, look for it now and then. */
	int blind =
		csys_child_handle(capture->programs->children[capture->ended]) == CSYS_NO_HANDLE;
	csys_deadline next = blind ? csys_after_ms(5) : until;
	int r = pump_once(capture, csys_deadline_earlier(until, next));
	if (r == CSYS_ETIMEDOUT && capture->refused == 0 && csys_deadline_compare(next, until) < 0)
		r = 0;
	if (r == 0 && (blind || capture->polled[capture->tap_count].ready))
		r = watch(capture);
	return r;
}

/*
 * The deadline has passed.  What is there is taken all the same, and the result is 0 if that is
 * all: every stream has ended, and no program wants more input.
 */
static int look_again(struct csysi_capture_loop *capture)
{
	int r = 0;

	for (size_t i = 0; i < capture->tap_count && r == 0; i++) {
		struct csysi_tap *tap = &capture->taps[i];
		if (tap->stream == CSYS_STDIN && tap->handle != CSYS_NO_HANDLE)
			r = csysi_tap_feed(capture, tap);
	}
	if (r == 0)
		r = drain_rest(capture);
	if (r == 0 && has_streams(capture))
		r = CSYS_ETIMEDOUT;
	return r;
}

/* End the programs whose grace is over.  Returns when the next one is. */
static csys_deadline enforce(struct csysi_capture_loop *capture)
{
	csys_deadline next = CSYS_FOREVER;

	for (size_t i = 0; i < capture->programs->count; i++)
		next = csys_deadline_earlier(next,
					     csysi_child_enforce(capture->programs->children[i]));
	return next;
}

/* Until all streams have ended, or have lingered long enough. */
static int pump(struct csysi_capture_loop *capture, csys_deadline deadline)
{
	int r = 0;

	while (r == 0 && has_streams(capture)) {
		csys_deadline grace = enforce(capture);
		int lingers = csys_deadline_compare(capture->linger, deadline) <= 0;
		csys_deadline until = lingers ? capture->linger : deadline;
		int is_grace = csys_deadline_compare(grace, until) < 0;
		r = pump_and_watch(capture, is_grace ? grace : until);
		/* One that always has more would never let poll come to the deadline. */
		if (r == 0 && !is_grace && csys_deadline_left(until) == 0)
			r = CSYS_ETIMEDOUT;
		if (r != CSYS_ETIMEDOUT || capture->refused != 0)
			continue;
		if (!is_grace)
			return lingers ? give_up_streams(capture) : look_again(capture);
		r = 0;
	}
	return r;
}

/* ---- programs ---------------------------------------------------------------------- */

/* Wait for all of them.  Those that ended before the deadline are told all the same. */
static int wait_all(struct csysi_capture_loop *capture, csys_deadline deadline)
{
	return csysi_children_wait_until(capture->programs->children, capture->programs->count,
					 deadline, capture->programs->exits);
}

/* CSYS_EAGAIN while one runs. */
static int try_wait_all(struct csysi_capture_loop *capture)
{
	int r = 0;

	for (size_t i = 0; i < capture->programs->count; i++) {
		int one = csys_child_try_wait(capture->programs->children[i],
					      &capture->programs->exits[i]);
		if (r == 0)
			r = one;
	}
	return r;
}

/* Whether all have ended by `deadline` that may be ended: 0, or CSYS_ETIMEDOUT. */
static int wait_ends(struct csysi_capture_loop *capture, csys_deadline deadline)
{
	return csysi_children_wait_end(capture->programs->children, capture->programs->count,
				       deadline);
}

/*
 * Ask the programs to end, and give them until the grace is over.  None is reaped: what a contained
 * one leaves behind is found best before that.
 */
static int end_politely(struct csysi_capture_loop *capture)
{
	csys_deadline until = csys_after_ns(capture->options->grace_ns);
	int r = 0;

	for (size_t i = 0; i < capture->programs->count; i++) {
		int one = csysi_child_act(capture->programs->children[i], CSYSI_OS_ASK);
		/* What cannot be asked has the grace too.  One that may not be asked takes none
		 * from the others. */
		if (one < 0 && one != CSYS_ESRCH && one != CSYS_ENOTSUP && one != CSYS_EPERM)
			r = one;
	}
	/* Their own end counts, not that of their streams, which others may hold: so look for
	 * it now and then while there is something to feed or drain. */
	while (r == 0 && has_streams(capture)) {
		r = pump_once(capture, csys_deadline_earlier(until, csys_after_ms(5)));
		if (r < 0 && (r != CSYS_ETIMEDOUT || capture->refused != 0))
			return r;
		r = wait_ends(capture, CSYS_POLL);
		if (r != CSYS_ETIMEDOUT)
			return r;
		r = csys_deadline_left(until) > 0 ? 0 : CSYS_ETIMEDOUT;
	}
	return r < 0 ? r : wait_ends(capture, until);
}

static int has_contained(const struct csysi_capture_loop *capture)
{
	for (size_t i = 0; i < capture->programs->count; i++)
		if (capture->programs->children[i]->contained)
			return 1;
	return 0;
}

/* End the programs at the deadline, or because of a failure.  Returns the result of it all. */
static int end_all(struct csysi_capture_loop *capture, int why)
{
	/* What a contained one has started is to end too, and is found best before the reaping. */
	int r = has_contained(capture) ? CSYS_EAGAIN : try_wait_all(capture);
	int late = why == CSYS_ETIMEDOUT && capture->refused == 0;

	if (r < 0 && late && capture->options->grace_ns > 0)
		(void)end_politely(capture);
	if (r < 0)
		r = csysi_children_end(capture->programs->children, capture->programs->count,
				       capture->programs->exits);
	if (r == 0 && late)
		(void)drain_rest(capture);
	return capture->refused < 0 ? capture->refused : why;
}

/* ---- all of it --------------------------------------------------------------------- */

static void add_tap(struct csysi_capture_loop *capture, csys_handle handle, int stream,
		    csys_child *owner)
{
	capture->taps[capture->tap_count++] =
		(struct csysi_tap){ .handle = handle, .stream = stream, .owner = owner };
}

/* Take the streams that the children still have. */
static int take_streams(struct csysi_capture_loop *capture)
{
	size_t count = 1; /* what they share */

	for (size_t i = 0; i < capture->programs->count; i++)
		for (int stream = 0; stream < 3; stream++)
			count +=
				csys_child_stream(capture->programs->children[i],
						  (enum csys_stdio_stream)stream) != CSYS_NO_HANDLE;
	capture->taps = capture->usual;
	capture->polled = capture->usual_polled;
	if (count > CSYSI_USUAL_TAPS) {
		capture->taps = csysi_alloc(count * sizeof *capture->taps);
		capture->polled = csysi_alloc((count + 1) * sizeof *capture->polled);
		if (!capture->taps || !capture->polled) {
			csysi_os_close(capture->programs->shared);
			return CSYS_ENOMEM;
		}
	}
	for (size_t i = 0; i < capture->programs->count; i++)
		for (int stream = 0; stream < 3; stream++) {
			csys_child *child = capture->programs->children[i];
			csys_handle handle;
			if (csys_child_take(child, (enum csys_stdio_stream)stream, &handle) == 0)
				add_tap(capture, handle, stream, child);
		}
	add_tap(capture, capture->programs->shared, capture->programs->shared_stream, NULL);
	return 0;
}

/* The programs run on: the children have their streams again. */
static void give_back_streams(struct csysi_capture_loop *capture)
{
	for (size_t i = 0; i < capture->tap_count; i++) {
		struct csysi_tap *tap = &capture->taps[i];
		if (!tap->owner || tap->handle == CSYS_NO_HANDLE)
			continue;
		csysi_child_give_stream(tap->owner, (enum csys_stdio_stream)tap->stream,
					tap->handle);
		tap->handle = CSYS_NO_HANDLE;
	}
}

static void release(struct csysi_capture_loop *capture, int runs_on)
{
	if (runs_on)
		give_back_streams(capture);
	for (size_t i = 0; i < capture->tap_count; i++)
		csysi_os_close(capture->taps[i].handle);
	for (size_t i = 0; i < capture->programs->count && !runs_on; i++)
		csysi_child_close_streams(capture->programs->children[i]);
	csysi_free(capture->scratch);
	if (capture->taps != capture->usual)
		csysi_free(capture->taps);
	if (capture->polled != capture->usual_polled)
		csysi_free(capture->polled);
}

/* What an earlier call has captured; nothing of it is in *captured any more. */
static void restore(struct csysi_capture_loop *capture, int stream, csys_captured *captured)
{
	struct csysi_buffer *kept = &capture->kept[stream];

	kept->size = captured->size;
	kept->room = captured->room;
	/* Without room it is a constant. */
	if (captured->room > 0)
		memcpy(&kept->data, &captured->data, sizeof kept->data);
	capture->total[stream] = captured->total;
	capture->held[stream] = captured->held;
	captured->room = 0;
}

static void fill(csys_captured *captured, struct csysi_capture_loop *capture, int stream)
{
	const csys_output_options *options = capture->options;
	struct csysi_buffer *kept = &capture->kept[stream];
	uint64_t total = capture->total[stream];

	csysi_buffer_finish(kept);
	captured->data = kept->data ? kept->data : "";
	captured->size = kept->size;
	captured->total = total;
	captured->truncated |= options->limit > 0 && !options->sink && total > kept->size;
	captured->held = capture->held[stream];
	captured->room = kept->room;
}

int csysi_capture(const struct csysi_programs *programs, const csys_output_options *options,
		  csys_deadline deadline, csys_output *out)
{
	struct csysi_capture_loop capture = {
		.programs = programs,
		.options = options,
		.linger = out->linger,
		.fed = out->input_done,
	};
	int os_error = csys_os_error();

	for (size_t i = 0; i < programs->count; i++)
		programs->exits[i] = (csys_exit){ 0 };
	restore(&capture, CSYS_STDOUT, &out->out);
	restore(&capture, CSYS_STDERR, &out->err);
	int r = take_streams(&capture);
	if (r == 0)
		r = pump(&capture, deadline);
	if (r == 0)
		r = wait_all(&capture, deadline);
	int runs_on = r == CSYS_ETIMEDOUT && options->keep_running && capture.refused == 0;
	if (r < 0 && !runs_on)
		r = end_all(&capture, r);
	/* A short call does not see the end of the programs where it cannot be polled for. */
	if (runs_on && try_wait_all(&capture) == 0)
		start_linger(&capture);
	release(&capture, runs_on);
	if (r == 0)
		csysi_set_os_error(os_error); /* what failed on the way was no failure */
	fill(&out->out, &capture, CSYS_STDOUT);
	fill(&out->err, &capture, CSYS_STDERR);
	out->input_done = capture.fed;
	out->reserved[0] = options->input_size; /* for csysi_output_check_continued */
	out->linger = capture.linger;
	return r;
}
