/*
 * examples/loop_epoll.c - channels, tasks and a child in a loop of epoll.
 *
 *     loop_epoll PROGRAM [ARGUMENT...]
 *
 * Feeds jobs to three threads and takes their results, while the program runs; prints what came of
 * it.  Shows: the handles of loop_work.h as epoll waits for them, level-triggered.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/epoll.h>

#include "loop_work.h"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	work_begin(argc, argv);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return fail("epoll_create1");
	for (size_t i = 0; i < SOURCES; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = &sources[i] } };
		if (sources[i].handle != CSYS_NO_HANDLE &&
		    epoll_ctl(epoll, EPOLL_CTL_ADD, (int)sources[i].handle, &event) < 0)
			return fail("epoll_ctl");
	}

	while (!work_is_over()) {
		struct epoll_event events[SOURCES];
		int count = epoll_wait(epoll, events, SOURCES, -1);
		if (count < 0 && errno != EINTR)
			return fail("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;
			if (source->ready())
				continue;
			if (epoll_ctl(epoll, EPOLL_CTL_DEL, (int)source->handle, NULL) < 0)
				return fail("epoll_ctl");
			source->close();
		}
	}
	close(epoll);
	return work_end();
}
