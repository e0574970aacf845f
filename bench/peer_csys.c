/*
 * bench/peer_csys.c - libcsys itself, through its public interface only.
 */
#include <stdlib.h>

#include <csys/csys.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait(const char *path, int64_t *out_started)
{
	csys_command *command = csys_command_new(path);
	csys_child *child;
	int r = csys_command_spawn(command, &child);
	*out_started = bench_now();

	csys_exit exit = { 0 };
	if (r == 0) {
		r = csys_child_wait(child, &exit);
		csys_child_close(child, CSYS_CLOSE_WAIT);
	}
	csys_command_free(command);
	return r == 0 ? csys_exit_code(exit) : -1;
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	csys_output_options options = { .input = feed->data, .input_size = feed->size };
	csys_output *output = malloc(sizeof *output);
	if (!output)
		return -1;

	int r = csys_run(argv, &options, output);
	int code = csys_exit_code(output->exit);
	if (r < 0 || code < 0) {
		csys_output_free(output);
		free(output);
		return -1;
	}
	*out = (struct captured){ output->out.data, output->out.size, output };
	return code;
}

static void release(struct captured *captured)
{
	csys_output_free(captured->owner);
	free(captured->owner);
}

const struct peer peer_csys = {
	.name = "csys",
	.version = csys_version_string,
	.spawn_wait = spawn_wait,
	.capture = capture,
	.can_feed = 1,
	.release = release,
};
