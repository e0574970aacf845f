/*
 * bench/peers/peer_gio.c - GLib's GSubprocess, twice.
 *
 * `gsubprocess` is its default, which closes all other descriptors in the child
 * as csys does.  `gsubprocess_inherit` lets the child inherit them, the only
 * way in which GLib takes posix_spawn instead of fork.
 */
#include <gio/gio.h>
#include <stdio.h>

#include "bench.h"
#include "peer.h"

static const char *version(void)
{
	static char text[32];
	snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
		 glib_micro_version);
	return text;
}

static int exit_code(GSubprocess *process)
{
	return g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
}

static int spawn_wait_with(const char *path, GSubprocessFlags flags, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	GSubprocess *process = g_subprocess_newv(argv, flags, NULL);
	*out_started = bench_now();
	if (!process)
		return -1;
	int code = g_subprocess_wait(process, NULL, NULL) ? exit_code(process) : -1;
	g_object_unref(process);
	return code;
}

static int spawn_wait(const char *path, int64_t *out_started)
{
	return spawn_wait_with(path, G_SUBPROCESS_FLAGS_NONE, out_started);
}

static int spawn_wait_inherit(const char *path, int64_t *out_started)
{
	return spawn_wait_with(path, G_SUBPROCESS_FLAGS_INHERIT_FDS, out_started);
}

static int capture_with(const char *const *argv, GSubprocessFlags flags, const struct feed *feed,
			struct captured *out)
{
	flags |= G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE;
	GBytes *input = NULL;
	if (feed->size > 0) {
		flags |= G_SUBPROCESS_FLAGS_STDIN_PIPE;
		input = g_bytes_new_static(feed->data, feed->size);
	}

	GBytes *output = NULL;
	GBytes *errors = NULL;
	int code = -1;
	GSubprocess *process = g_subprocess_newv(argv, flags, NULL);
	if (process && g_subprocess_communicate(process, input, NULL, &output, &errors, NULL))
		code = exit_code(process);
	g_clear_object(&process);
	g_clear_pointer(&input, g_bytes_unref);
	g_clear_pointer(&errors, g_bytes_unref);
	if (code < 0) {
		g_clear_pointer(&output, g_bytes_unref);
		return -1;
	}
	out->data = g_bytes_get_data(output, &out->size);
	out->owner = output;
	return code;
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	return capture_with(argv, G_SUBPROCESS_FLAGS_NONE, feed, out);
}

static int capture_inherit(const char *const *argv, const struct feed *feed, struct captured *out)
{
	return capture_with(argv, G_SUBPROCESS_FLAGS_INHERIT_FDS, feed, out);
}

static void release(struct captured *captured)
{
	g_bytes_unref(captured->owner);
}

const struct peer peer_gsubprocess = {
	.name = "gsubprocess",
	.version = version,
	.spawn_wait = spawn_wait,
	.threads = 1,
	.capture = capture,
	.can_feed = 1,
	.release = release,
};

const struct peer peer_gsubprocess_inherit = {
	.name = "gsubprocess_inherit",
	.spawn_wait = spawn_wait_inherit,
	.threads = 1,
	.capture = capture_inherit,
	.can_feed = 1,
	.release = release,
};
