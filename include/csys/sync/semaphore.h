/**
 * \file
 * csys/sync/semaphore.h - a number of something, for threads to take and give back.
 *
 *     static csys_semaphore free_slots = CSYS_SEMAPHORE_INIT(8);
 *
 *     csys_semaphore_wait(&free_slots);
 *     ...
 *     csys_semaphore_post(&free_slots, 1);
 *
 * Eight bytes, zeroed memory has the value 0, no destruction, no allocation; may
 * be freed right after the wait that was the last use.  Waiters spin where that
 * helps, on average for 5 us at most, then sleep; the system wakes the longest
 * sleeper first, but a thread that comes meanwhile may be quicker.
 *
 * Threads: any number may use it at once.  Signals: csys_semaphore_post may be called in
 * a handler (on Linux; elsewhere only while no thread waits).  Fork: the value is
 * copied, and no thread waits in the child, so make a new one.  Processes: csys/ipc.
 */
#ifndef CSYS_SYNC_SEMAPHORE_H
#define CSYS_SYNC_SEMAPHORE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

/** A value that threads take from and add to; all zero has the value 0. */
typedef struct csys_semaphore {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /**< private: src/sync/semaphore.c */
} csys_semaphore;

/** The greatest value. */
#define CSYS_SEMAPHORE_MAX 0x7fffffffu

/* 1 in the word: the value is the upper half, and below are the counts of waiters. */
#define CSYSI_SEMAPHORE_ONE UINT64_C(0x100000000)

/** A semaphore with a value, a constant up to CSYS_SEMAPHORE_MAX: more does not compile. */
#define CSYS_SEMAPHORE_INIT(value)                                               \
	{                                                                        \
		CSYSI_AT_MOST((value), CSYS_SEMAPHORE_MAX) * CSYSI_SEMAPHORE_ONE \
	}

/**
 * Make a semaphore with this value, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param semaphore  the memory
 * \param value      any number; more than CSYS_SEMAPHORE_MAX is misuse, and aborts
 */
CSYS_API void csys_semaphore_init(csys_semaphore *semaphore, uint32_t value);

/*
 * A post of up to so many adds at once while the value is below this limit.  It is so far from
 * CSYS_SEMAPHORE_MAX that all threads of a system together (4 million) cannot get past it.
 */
#define CSYSI_SEMAPHORE_FEW 0xffu
#define CSYSI_SEMAPHORE_NEAR INT64_C(0x4000000000000000)

/* What inline functions leave to src/sync/semaphore.c. */
CSYS_API int csysi_semaphore_post_slow(csys_semaphore *semaphore, uint32_t n);
CSYS_API uint32_t csysi_semaphore_wake(csys_semaphore *semaphore, uint32_t n, uint64_t was);
CSYS_API int csysi_semaphore_wait_slow(csys_semaphore *semaphore, csys_deadline deadline);

/**
 * Add to the value of a semaphore, and let as many waiting threads go on.
 *
 * \param semaphore  the semaphore; a thread that takes one may free it before this returns
 * \param n          how many
 * \retval 0            they are added
 * \retval CSYS_EINVAL  the value would exceed CSYS_SEMAPHORE_MAX: nothing is ever added
 */
static inline int csys_semaphore_post(csys_semaphore *semaphore, uint32_t n);

/**
 * Add to the value of a semaphore, and tell how many waiting threads were woken.
 *
 * \param semaphore  the semaphore, as in csys_semaphore_post
 * \param n          how many
 * \param out_woken  how many threads it woke; those that did not sleep yet are not counted
 * \retval 0            they are added
 * \retval CSYS_EINVAL  the value would exceed CSYS_SEMAPHORE_MAX: nothing is added
 */
CSYS_API int csys_semaphore_post_woken(csys_semaphore *semaphore, uint32_t n, uint32_t *out_woken);

/**
 * Subtract 1 from the value of a semaphore, waiting however long until it is above 0.
 *
 * \param semaphore  the semaphore
 */
static inline void csys_semaphore_wait(csys_semaphore *semaphore);

/**
 * Subtract 1 from the value of a semaphore, waiting until it is above 0 or until `deadline`.
 *
 * \param semaphore  the semaphore
 * \param deadline   when to give up; one that has passed still takes what is there
 * \retval 0               one is taken
 * \retval CSYS_ETIMEDOUT  there was none by then
 */
static inline CSYS_MUST_CHECK int csys_semaphore_wait_until(csys_semaphore *semaphore,
							    csys_deadline deadline);

/**
 * Subtract 1 from the value of a semaphore if it is above 0, without waiting.
 *
 * \param semaphore  the semaphore
 * \retval 0            one is taken
 * \retval CSYS_EAGAIN  there is none
 */
CSYS_API CSYS_MUST_CHECK int csys_semaphore_try_wait(csys_semaphore *semaphore);

/**
 * Tell the value of a semaphore at this moment.
 *
 * \param semaphore  the semaphore
 * \return the value; 0 also while threads wait
 */
CSYS_API uint32_t csys_semaphore_value(const csys_semaphore *semaphore);

/* ---- inline ------------------------------------------------------------------------------ */

/* Whether a word is below `limit`, also where the value is below 0. */
static inline int csysi_semaphore_below(uint64_t word, int64_t limit)
{
#if defined(__cplusplus)
	return static_cast<int64_t>(word) < limit;
#else
	return (int64_t)word < limit;
#endif
}

/* Subtract 1 from the value: 1 if it was there; else 0, and csysi_semaphore_wait_slow settles the
 * debt. */
static inline int csysi_semaphore_take(csys_semaphore *semaphore)
{
	/* Acquire pairs with the releases of all posts before. */
	uint64_t was = __atomic_fetch_sub(&semaphore->word, CSYSI_SEMAPHORE_ONE, __ATOMIC_ACQUIRE);

	return CSYSI_LIKELY(!csysi_semaphore_below(was, INT64_C(0x100000000)));
}

static inline int csys_semaphore_post(csys_semaphore *semaphore, uint32_t n)
{
	/* Relaxed: near the limit a compare-and-swap decides, and far from it any value will do. */
	uint64_t word = __atomic_load_n(&semaphore->word, __ATOMIC_RELAXED);
	if (!CSYSI_LIKELY(n <= CSYSI_SEMAPHORE_FEW &&
			  csysi_semaphore_below(word, CSYSI_SEMAPHORE_NEAR)))
		return csysi_semaphore_post_slow(semaphore, n);

	/* Release pairs with the acquire of the thread that takes it; after that the semaphore may
	 * be gone.  Acquire: see src/sync/watch.c. */
	uint64_t was =
		__atomic_fetch_add(&semaphore->word, n * CSYSI_SEMAPHORE_ONE, __ATOMIC_ACQ_REL);
	if (!CSYSI_LIKELY((was & UINT32_MAX) == 0))
		csysi_semaphore_wake(semaphore, n, was);
	return 0;
}

static inline void csys_semaphore_wait(csys_semaphore *semaphore)
{
	if (!csysi_semaphore_take(semaphore))
		(void)csysi_semaphore_wait_slow(semaphore, CSYS_FOREVER);
}

static inline int csys_semaphore_wait_until(csys_semaphore *semaphore, csys_deadline deadline)
{
	return csysi_semaphore_take(semaphore) ? 0 : csysi_semaphore_wait_slow(semaphore, deadline);
}

CSYS_END_DECLS

#endif
