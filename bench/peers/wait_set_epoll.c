/*
 * bench/peers/wait_set_epoll.c - bare epoll_wait: what csys stands on.
 */
#include <stddef.h>
#include <sys/epoll.h>

#include "bench.h"

struct set {
	int epoll;
	struct epoll_event events[64];
};

#define SET struct set
#define TAKE(s, index, call)                          \
	do {                                          \
		if ((call) <= 0)                      \
			bench_fail("a wait failed");  \
		index = (int)(s)->events[0].data.u32; \
	} while (0)
#define WAIT(s, index) TAKE(s, index, epoll_wait((s)->epoll, (s)->events, 64, -1))
#define WAIT_UNTIL(s, index) TAKE(s, index, wait_until(s, bench_now() + 1000000000))

/* As code that has a deadline does it: what is left of it each time. */
static int wait_until(struct set *set, int64_t at)
{
	int64_t left = at - bench_now();
	return epoll_wait(set->epoll, set->events, 64, (int)((left + 999999) / 1000000));
}

#include "wait_set_loop.h"

static struct set the_set;

static void *create(const int *handles, int many)
{
	the_set.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < many; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
		if (epoll_ctl(the_set.epoll, EPOLL_CTL_ADD, handles[i], &event) < 0)
			bench_fail("epoll_ctl failed");
	}
	return &the_set;
}

static void destroy(void *set)
{
	close(((struct set *)set)->epoll);
}

const struct wait_set_peer wait_set_peer_epoll = { .name = "epoll",
						   .create = create,
						   .destroy = destroy,
						   .ready = ready,
						   .turn = turn,
						   .deadline = deadline };
