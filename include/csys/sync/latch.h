/**
 * \file
 * csys/sync/latch.h - wait until a number of things are done.
 *
 *     static csys_latch left = CSYS_LATCH_INIT(3);
 *
 *     csys_latch_done(&left, 1); // by each of three workers
 *     csys_latch_wait(&left);    // by threads that need all of it
 *
 * A count that goes down to zero and lets all through from then on: C++20's latch.
 * More can be added while it is not zero, or before any thread waits: Go's WaitGroup.
 *
 * Four bytes, zeroed memory is an open one, no destruction, no allocation; may be
 * freed right after the last wait returned.  Waiters spin where that helps, on
 * average for 5 us at most, then sleep.  Threads that get through see what was done before.
 *
 * Signals: csys_latch_done may be called in a handler (on Linux; elsewhere only while
 * no thread waits).  Fork: no thread waits in the child, so make a new one.
 */
#ifndef CSYS_SYNC_LATCH_H
#define CSYS_SYNC_LATCH_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A count that goes down to zero and stays there; all zero is an open one. */
typedef struct csys_latch {
	uint32_t word; /**< private: src/sync/latch.c */
} csys_latch;

/** The greatest count. */
#define CSYS_LATCH_MAX 0x7fffffffu

/** A latch for `count` things, a constant up to CSYS_LATCH_MAX: more does not compile. */
#define CSYS_LATCH_INIT(count)                              \
	{                                                   \
		CSYSI_AT_MOST((count), CSYS_LATCH_MAX) * 2u \
	}

/**
 * Make a latch for `count` things, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param latch  the memory
 * \param count  any number; more than CSYS_LATCH_MAX is misuse, and aborts
 */
CSYS_API void csys_latch_init(csys_latch *latch, uint32_t count);

/**
 * Add to the count of a latch.
 *
 * \param latch  the latch, at which no thread waits unless its count is above 0
 * \param n      how many
 * \retval 0            they are added
 * \retval CSYS_EINVAL  the count would exceed CSYS_LATCH_MAX: nothing is added
 */
CSYS_API CSYS_MUST_CHECK int csys_latch_add(csys_latch *latch, uint32_t n);

/**
 * Subtract from the count of a latch; at 0 all threads that wait go on.
 *
 * \param latch  the latch; it may be gone when this returns, if a thread that waits frees it
 * \param n      how many; more than the count is misuse, and aborts
 * \return how many threads it woke; those that did not sleep yet are not counted
 */
CSYS_API uint32_t csys_latch_done(csys_latch *latch, uint32_t n);

/**
 * Wait until the count of a latch is 0.
 *
 * \param latch  the latch
 */
CSYS_API void csys_latch_wait(csys_latch *latch);

/**
 * Wait until the count of a latch is 0, or until `deadline`.
 *
 * \param latch     the latch
 * \param deadline  when to give up; one that has passed still sees an open latch
 * \retval 0               the count is 0
 * \retval CSYS_ETIMEDOUT  it was not, by then
 */
CSYS_API CSYS_MUST_CHECK int csys_latch_wait_until(csys_latch *latch, csys_deadline deadline);

/**
 * Tell whether the count of a latch is 0, without waiting.
 *
 * \param latch  the latch
 * \retval 0            it is, and the caller sees what was done
 * \retval CSYS_EAGAIN  it is not
 */
CSYS_API CSYS_MUST_CHECK int csys_latch_try_wait(const csys_latch *latch);

/**
 * Tell the count of a latch at this moment.
 *
 * \param latch  the latch
 * \return the count
 */
CSYS_API uint32_t csys_latch_count(const csys_latch *latch);

CSYS_END_DECLS

#endif
