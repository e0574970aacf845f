/*
 * csys/sync/barrier.h - a number of threads wait for each other, again and again.
 *
 *     static csys_barrier step = CSYS_BARRIER_INIT(4);
 *
 *     int is_leader;
 *     if (csys_barrier_wait(&step, &is_leader) == 0 && is_leader)
 *             print_progress();
 *
 * Sixteen bytes, no destruction, no allocation; may be freed right after the last
 * wait returned.  Usable for the next round at once.  What a thread did before it
 * waited is seen by all after.  Waiters spin where that helps, on average for 5 us at
 * most, then sleep.
 *
 * A thread that is missing can be given up: a wait with a deadline withdraws, and
 * csys_barrier_abort lets all waiters return.  Threads: that is what it is for.  Not in
 * signal handlers.  Fork: no thread waits in the child, so make a new one.
 */
#ifndef CSYS_SYNC_BARRIER_H
#define CSYS_SYNC_BARRIER_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_barrier {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /* private, as is all of it: src/sync/barrier.c */
	uint32_t count;
} csys_barrier;

/* The most threads that one barrier is for. */
#define CSYS_BARRIER_MAX 0xffffu

/* A barrier for `count` threads, a constant up to CSYS_BARRIER_MAX: more does not compile.  0 is
 * as 1. */
#define CSYS_BARRIER_INIT(count)                            \
	{                                                   \
		0, CSYSI_AT_MOST((count), CSYS_BARRIER_MAX) \
	}

/*
 * Make a barrier for `count` threads, in any memory and from any number; no thread may use it
 * meanwhile.  More than CSYS_BARRIER_MAX is misuse, and aborts.
 */
CSYS_API void csys_barrier_init(csys_barrier *barrier, uint32_t count);

/*
 * Wait until all threads have arrived.  0, and in *out_is_leader (unless that is NULL) 1 for
 * exactly one of them.  CSYS_ECANCELED if the barrier was aborted before all arrived.
 */
CSYS_API int csys_barrier_wait(csys_barrier *barrier, int *out_is_leader);

/*
 * Wait until all threads have arrived, or until `deadline`: CSYS_ETIMEDOUT then, and this thread
 * counts as one that has not arrived.  If all have arrived by then it is 0.
 */
CSYS_API CSYS_MUST_CHECK int csys_barrier_wait_until(csys_barrier *barrier, csys_deadline deadline,
						     int *out_is_leader);

/*
 * Abort: all threads that wait, and all that come later, get CSYS_ECANCELED at once, until
 * csys_barrier_reset, which is for when no thread waits any more.
 */
CSYS_API void csys_barrier_abort(csys_barrier *barrier);
CSYS_API void csys_barrier_reset(csys_barrier *barrier);

CSYS_END_DECLS

#endif
