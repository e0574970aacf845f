/*
 * bench/peers/wait_set_poll.c - bare poll, which looks at each handle each time.
 */
#include <poll.h>
#include <stdlib.h>

#include "bench.h"

struct set {
	struct pollfd *polled;
	nfds_t many;
};

#define SET struct set
#define WAIT(s, index) index = wait_for(s, -1)
#define WAIT_UNTIL(s, index) index = wait_for(s, 1000)

static int wait_for(struct set *set, int milliseconds)
{
	nfds_t at = 0;
	if (poll(set->polled, set->many, milliseconds) <= 0)
		bench_fail("poll failed");
	while (set->polled[at].revents == 0)
		at++;
	return (int)at;
}

#include "wait_set_loop.h"

static struct set the_set;

static void *create(const int *handles, int many)
{
	the_set.polled = calloc((size_t)many, sizeof *the_set.polled);
	if (!the_set.polled)
		bench_fail("out of memory");
	the_set.many = (nfds_t)many;
	for (int i = 0; i < many; i++)
		the_set.polled[i] = (struct pollfd){ .fd = handles[i], .events = POLLIN };
	return &the_set;
}

static void destroy(void *set)
{
	free(((struct set *)set)->polled);
}

const struct wait_set_peer wait_set_peer_poll = { .name = "poll",
						  .create = create,
						  .destroy = destroy,
						  .ready = ready,
						  .turn = turn,
						  .deadline = deadline };
