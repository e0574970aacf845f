/*
 * bench/wait_set_csys.c - csys's wait set.
 */
#include <csys/csys.h>

#include "bench.h"

struct set {
	csys_wait_set *set;
	csys_wait_entry timer;
	csys_wait_event events[64];
	size_t count;
};

#define SET struct set
#define TAKE(set, index, call)                              \
	do {                                                \
		if ((call) < 0 || (set)->count == 0)        \
			bench_fail("a wait failed");        \
		index = (int)(set)->events[0].token.number; \
	} while (0)
#define WAIT(s, index) TAKE(s, index, csys_wait_set_wait((s)->set, (s)->events, 64, &(s)->count))
#define WAIT_UNTIL(s, index) \
	TAKE(s, index,       \
	     csys_wait_set_wait_until((s)->set, (s)->events, 64, csys_after_s(1), &(s)->count))
#define PUT_OFF(s)                                                                         \
	do {                                                                               \
		if (csys_wait_set_set_timer((s)->set, (s)->timer, csys_after_s(1), 0) < 0) \
			bench_fail("a timer failed");                                      \
	} while (0)

#include "wait_set_loop.h"

static struct set the_set;

static void *create(const int *handles, int many)
{
	if (csys_wait_set_open(&the_set.set) < 0 ||
	    csys_wait_set_add_timer(the_set.set, CSYS_FOREVER, 0, csys_token_number(0),
				    &the_set.timer) < 0)
		bench_fail("cannot make a set");
	for (int i = 0; i < many; i++)
		if (csys_wait_set_add(the_set.set, csys_waitable_reading(handles[i]),
				      csys_token_number((uint64_t)i), NULL) < 0)
			bench_fail("cannot add a handle");
	return &the_set;
}

static void destroy(void *set)
{
	csys_wait_set_close(((struct set *)set)->set);
}

const struct wait_set_peer wait_set_peer_csys = { .name = "csys",
						  .version = csys_version_string,
						  .create = create,
						  .destroy = destroy,
						  .ready = ready,
						  .turn = turn,
						  .deadline = deadline,
						  .timer = timer };
