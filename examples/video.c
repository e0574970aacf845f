/*
 * examples/video.c - frames of 4 MiB from a camera to a viewer, none of which is copied.
 *
 *     video [FRAMES]
 *
 * The viewer makes a channel in shared memory and starts itself once more as the camera, which
 * draws each frame where the viewer looks at it.  If the camera is killed in the middle of a frame,
 * the viewer is told after the last whole one.  Writes a line of progress on a terminal, and at the
 * end how many frames came and how fast; exits with 1 if they were not all, or one was torn.
 * Shows: a typed channel between processes, messages in place, and the end of a peer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { WIDTH = 1024, HEIGHT = 1024, CAPACITY = 4, USUAL = 100 };

struct frame {
	uint64_t number;
	uint32_t pixels[HEIGHT][WIDTH];
	uint64_t again; /* the number, written last */
};

CSYS_SHARED_CHANNEL_DEFINE(frames, struct frame, "1");

static int complain(const char *what, int result)
{
	fprintf(stderr, "video: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* ---- the camera --------------------------------------------------------------------------- */

static void draw(struct frame *frame, uint64_t number)
{
	frame->number = number;
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame->pixels[y][x] = (uint32_t)number + (x ^ y);
	frame->again = number;
}

static int record(const char *name, uint64_t count)
{
	frames_channel channel = { NULL };
	frames_sender sender = { NULL };
	struct frame *frame;
	int r = frames_open(name, NULL, &channel);

	if (r == 0)
		r = frames_sender_open(channel, &sender);
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		r = frames_reserve(sender, CSYS_FOREVER, &frame);
		if (r == 0) {
			draw(frame, i);
			r = frames_commit(sender, frame);
			if (r < 0)
				frames_abort(sender, frame); /* the viewer is gone */
		}
	}
	frames_sender_close(sender);
	frames_channel_close(channel);
	return r < 0 ? complain("camera", r) : 0;
}

/* ---- the viewer --------------------------------------------------------------------------- */

/* Whether a frame is whole: its corners, its middle and its end. */
static int is_whole(const struct frame *frame, uint64_t number)
{
	uint32_t first = (uint32_t)number;

	return frame->number == number && frame->again == number && frame->pixels[0][0] == first &&
	       frame->pixels[HEIGHT / 2][WIDTH - 1] == first + (HEIGHT / 2 ^ (WIDTH - 1)) &&
	       frame->pixels[HEIGHT - 1][WIDTH - 1] == first + ((HEIGHT - 1) ^ (WIDTH - 1));
}

static double rate(uint64_t frames, int64_t ns)
{
	return ns > 0 ? (double)frames * sizeof(struct frame) * 1000 / (double)ns : 0;
}

/* Wait for the next frame.  The channel knows of no camera that ends before it has opened that, so
 * now and then this looks whether there is one. */
static int next_frame(frames_receiver receiver, csys_child *camera, struct frame **out)
{
	csys_exit end;
	int has_ended = 0;

	for (;;) {
		csys_deadline look = has_ended ? CSYS_POLL : csys_after_ms(200);
		int r = frames_peek(receiver, look, out);
		if (r != CSYS_ETIMEDOUT)
			return r;
		if (has_ended)
			return CSYS_EDISCONNECTED;
		has_ended = csys_child_wait_until(camera, CSYS_POLL, &end) == 0;
	}
}

/* Look at all frames that come: 0 when the camera has ended. */
static int watch(frames_receiver receiver, csys_child *camera, uint64_t *out_count, int64_t *out_ns)
{
	int is_shown = csys_terminal_is(csys_standard(CSYS_STDERR));
	int64_t begin = csys_now();
	struct frame *frame;
	int r;

	while ((r = next_frame(receiver, camera, &frame)) >= 0) {
		if (!is_whole(frame, *out_count))
			return CSYS_EBADMSG;
		frames_release(receiver);
		++*out_count;
		*out_ns = csys_now() - begin;
		if (is_shown && *out_count % 10 == 0)
			fprintf(stderr, "\r%llu frames, %.0f MB/s ", (unsigned long long)*out_count,
				rate(*out_count, *out_ns));
	}
	if (is_shown)
		fputs("\r                                \r", stderr);
	return r == CSYS_EDISCONNECTED ? 0 : r;
}

static int view(const char *program, const char *frames)
{
	const csys_shared_channel_options options = { .single_sender = 1 };
	char name[40];
	frames_channel channel = { NULL };
	frames_receiver receiver = { NULL };
	csys_child *camera = NULL;
	uint64_t count = 0;
	int64_t ns = 0;
	(void)snprintf(name, sizeof name, "video-%lld", (long long)csys_process_self());

	int r = frames_create(name, CAPACITY, &options, &channel);
	if (r == 0)
		r = frames_receiver_open(channel, &receiver);
	if (r == 0) {
		csys_command *command = csys_command_build(program, "-c", name, frames, NULL);
		r = csys_command_spawn(command, &camera);
		csys_command_free(command);
	}
	if (r == 0)
		r = watch(receiver, camera, &count, &ns);
	if (r == 0)
		printf("%llu frames, %.0f MB/s\n", (unsigned long long)count, rate(count, ns));
	csys_child_close(camera, r < 0 ? CSYS_CLOSE_KILL : CSYS_CLOSE_WAIT);
	frames_receiver_close(receiver);
	frames_channel_close(channel);
	if (r < 0)
		return complain("viewer", r);
	return count == strtoull(frames, NULL, 10) ? 0 : 1;
}

int main(int argc, char **argv)
{
	char usual[16];
	(void)snprintf(usual, sizeof usual, "%d", USUAL);
	if (argc == 4 && strcmp(argv[1], "-c") == 0)
		return record(argv[2], strtoull(argv[3], NULL, 10));
	if (argc > 2 || (argc == 2 && (strtoull(argv[1], NULL, 10) == 0 || argv[1][0] == '-'))) {
		fprintf(stderr, "usage: video [FRAMES]\n");
		return 2;
	}
	return view(argv[0], argc == 2 ? argv[1] : usual);
}
