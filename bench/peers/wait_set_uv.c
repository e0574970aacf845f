/*
 * bench/peers/wait_set_uv.c - libuv's loop, a uv_poll_t for each handle.
 *
 * A deadline of a wait is a timer of the loop, as libuv has no other.
 */
#include <stdlib.h>
#include <uv.h>

#include "bench.h"

struct set {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_poll_t *polls;
	int many;
	int told;
};

static struct set the_set;

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (status < 0)
		bench_fail("libuv: %s", uv_strerror(status));
	the_set.told = (int)(poll - the_set.polls);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	bench_fail("a deadline has passed");
}

#define SET struct set
#define WAIT(s, index)                           \
	do {                                     \
		(s)->told = -1;                  \
		uv_run(&(s)->loop, UV_RUN_ONCE); \
		index = (s)->told;               \
	} while (0)
#define PUT_OFF(s) uv_timer_start(&(s)->timer, on_timer, 1000, 0)
#define WAIT_UNTIL(s, index)    \
	do {                    \
		PUT_OFF(s);     \
		WAIT(s, index); \
	} while (0)

#include "wait_set_loop.h"

static void *create(const int *handles, int many)
{
	the_set.polls = calloc((size_t)many, sizeof *the_set.polls);
	if (!the_set.polls || uv_loop_init(&the_set.loop) < 0)
		bench_fail("out of memory");
	uv_timer_init(&the_set.loop, &the_set.timer);
	the_set.many = many;
	for (int i = 0; i < many; i++) {
		uv_poll_init(&the_set.loop, &the_set.polls[i], handles[i]);
		if (uv_poll_start(&the_set.polls[i], UV_READABLE, on_ready) < 0)
			bench_fail("uv_poll_start failed");
	}
	uv_run(&the_set.loop, UV_RUN_NOWAIT); /* it registers them now */
	return &the_set;
}

static void destroy(void *set_)
{
	struct set *set = set_;
	uv_close((uv_handle_t *)&set->timer, NULL);
	for (int i = 0; i < set->many; i++)
		uv_close((uv_handle_t *)&set->polls[i], NULL);
	uv_run(&set->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&set->loop) < 0)
		bench_fail("uv_loop_close failed");
	free(set->polls);
}

const struct wait_set_peer wait_set_peer_uv = { .name = "uv",
						.version = uv_version_string,
						.create = create,
						.destroy = destroy,
						.ready = ready,
						.turn = turn,
						.deadline = deadline,
						.timer = timer };
