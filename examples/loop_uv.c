/*
 * examples/loop_uv.c - channels, tasks and a child in a loop of libuv.
 *
 *     loop_uv PROGRAM [ARGUMENT...]
 *
 * Feeds jobs to three threads and takes their results, while the program runs; prints what came of
 * it.  Shows: the handles of loop_work.h as uv_poll_t.  The loop ends when none is left.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "loop_work.h"

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, uv_strerror(r));
	exit(1);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct source *source = poll->data;

	(void)events;
	check(status, "uv_poll");
	if (source->ready())
		return;
	uv_close((uv_handle_t *)poll, NULL); /* which stops it at once */
	source->close();
}

int main(int argc, char **argv)
{
	static uv_poll_t polls[SOURCES];
	uv_loop_t loop;

	work_begin(argc, argv);
	check(uv_loop_init(&loop), "uv_loop_init");
	for (size_t i = 0; i < SOURCES; i++) {
		if (sources[i].handle == CSYS_NO_HANDLE)
			continue;
		check(uv_poll_init(&loop, &polls[i], (int)sources[i].handle), "uv_poll_init");
		polls[i].data = &sources[i];
		check(uv_poll_start(&polls[i], UV_READABLE, on_ready), "uv_poll_start");
	}
	check(uv_run(&loop, UV_RUN_DEFAULT), "uv_run");
	check(uv_loop_close(&loop), "uv_loop_close");
	return work_end();
}
