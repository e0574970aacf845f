/*
 * examples/loop_glib.c - channels, tasks and a child in the main loop of GLib.
 *
 *     loop_glib PROGRAM [ARGUMENT...]
 *
 * Feeds jobs to three threads and takes their results, while the program runs; prints what came of
 * it.  Shows: the handles of loop_work.h as sources of GLib, which GTK and GStreamer wait for too.
 */
#include <glib-unix.h>
#include <glib.h>

#include "loop_work.h"

static GMainLoop *loop;

static gboolean on_ready(gint handle, GIOCondition condition, gpointer user)
{
	struct source *source = user;

	(void)handle;
	(void)condition;
	if (source->ready())
		return G_SOURCE_CONTINUE;
	/* Closed when this has returned, and GLib waits for it no more: see below. */
	return G_SOURCE_REMOVE;
}

/* Called by GLib once it has removed a source. */
static void on_removed(gpointer user)
{
	struct source *source = user;

	source->close();
	if (work_is_over())
		g_main_loop_quit(loop);
}

int main(int argc, char **argv)
{
	work_begin(argc, argv);
	loop = g_main_loop_new(NULL, FALSE);
	for (size_t i = 0; i < SOURCES; i++)
		if (sources[i].handle != CSYS_NO_HANDLE)
			g_unix_fd_add_full(G_PRIORITY_DEFAULT, (gint)sources[i].handle, G_IO_IN,
					   on_ready, &sources[i], on_removed);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	return work_end();
}
