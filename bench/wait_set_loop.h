/*
 * bench/wait_set_loop.h - the loops of bench/wait_set, for a peer of C.
 *
 * The including file has defined
 *     SET                     its type
 *     WAIT(set, index)        wait, and get the index of the handle that is ready
 *     WAIT_UNTIL(set, index)  the same with a deadline a second off
 *     PUT_OFF(set)            put a timer of the set off by a second
 */
#ifndef BENCH_WAIT_SET_LOOP_H
#define BENCH_WAIT_SET_LOOP_H

#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "wait_set_peer.h"

/* The handle that is ready all the time. */
#define READY(many) ((many) / 2)

static void ready(void *set_, const int *handles, int many, int count)
{
	SET *set = set_;
	(void)handles;
	for (int i = 0; i < count; i++) {
		int index;
		WAIT(set, index);
		if (index != READY(many))
			bench_fail("the wrong handle was told");
	}
}

static void turn(void *set_, const int *handles, int many, int count)
{
	SET *set = set_;
	for (int i = 0, next = 0; i < count; i++, next = (next + 389) % many) {
		uint64_t value = 1;
		int index;
		if (write(handles[next], &value, sizeof value) < 0)
			bench_fail("a handle was full");
		WAIT(set, index);
		if (index != next || read(handles[index], &value, sizeof value) < 0)
			bench_fail("the wrong handle was told");
	}
}

static void deadline(void *set_, const int *handles, int many, int count)
{
	SET *set = set_;
	(void)handles;
	for (int i = 0; i < count; i++) {
		int index;
		WAIT_UNTIL(set, index);
		if (index != READY(many))
			bench_fail("the wrong handle was told");
	}
}

#ifdef PUT_OFF
static void timer(void *set_, const int *handles, int many, int count)
{
	SET *set = set_;
	(void)handles;
	for (int i = 0; i < count; i++) {
		int index;
		PUT_OFF(set);
		WAIT(set, index);
		if (index != READY(many))
			bench_fail("the wrong handle was told");
	}
}
#endif

#endif
