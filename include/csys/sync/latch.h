/*
 * csys/sync/latch.h - wait until so many things are done.
 *
 *     static csys_latch left = CSYS_LATCH_INIT(3);
 *
 *     csys_latch_done(&left, 1); // by each of three workers
 *     csys_latch_wait(&left);    // by whoever needs all of it
 *
 * A count that goes down to zero and lets all through from then on: C++20's latch.
 * More can be added while it is not zero, or before anybody waits: Go's WaitGroup.
 *
 * Four bytes, zeroed memory is an open one, no destruction, no allocation; may be
 * freed right after the last wait returned.  Waiters spin where that helps, on
 * average for 5 us at most, then sleep.  What was done before is seen by who gets through.
 *
 * Signals: csys_latch_done may be called in a handler (on Linux; elsewhere only while
 * nobody waits).  Fork: nobody waits in the child, so make a new one.
 */
#ifndef CSYS_SYNC_LATCH_H
#define CSYS_SYNC_LATCH_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_latch {
	uint32_t word; /* private: src/sync/latch.c */
} csys_latch;

/* The greatest count. */
#define CSYS_LATCH_MAX 0x7fffffffu

/* A latch that waits for so many, a constant up to CSYS_LATCH_MAX: more does not compile. */
#define CSYS_LATCH_INIT(count)                              \
	{                                                   \
		CSYSI_AT_MOST((count), CSYS_LATCH_MAX) * 2u \
	}

/*
 * Make a latch that waits for so many, in any memory and from any number; nobody may use it
 * meanwhile.  More than CSYS_LATCH_MAX is misuse, and aborts.
 */
CSYS_API void csys_latch_init(csys_latch *latch, uint32_t count);

/* So many more.  0; CSYS_EINVAL if that were more than CSYS_LATCH_MAX: nothing is added. */
CSYS_API CSYS_MUST_CHECK int csys_latch_add(csys_latch *latch, uint32_t n);

/* So many are done.  More than were left is misuse, and aborts. */
CSYS_API void csys_latch_done(csys_latch *latch, uint32_t n);

/* Wait until none is left. */
CSYS_API void csys_latch_wait(csys_latch *latch);

/* The same until `deadline`: 0 or CSYS_ETIMEDOUT.  A past deadline still sees an open one. */
CSYS_API CSYS_MUST_CHECK int csys_latch_wait_until(csys_latch *latch, csys_deadline deadline);

/* 0 if none is left, else CSYS_EAGAIN. */
CSYS_API CSYS_MUST_CHECK int csys_latch_try_wait(const csys_latch *latch);

/* How many are left at this moment. */
CSYS_API uint32_t csys_latch_count(const csys_latch *latch);

CSYS_END_DECLS

#endif
