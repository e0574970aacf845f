/**
 * \file
 * csys/ipc/shared_permits.h - a number of permits, which come back from threads that are killed.
 *
 *     struct lab {
 *             csys_shared_permit benches[8]; // all zero: all free
 *             struct bench state[8];
 *     };
 *
 *     unsigned at;
 *     int r = csys_shared_permits_wait(region, lab->benches, 8, &at);
 *     if (r < 0)
 *             return r;
 *     if (r == CSYS_POISONED)
 *             clean_up(&lab->state[at]); // the last thread has ended at this bench
 *     work_at(&lab->state[at]);
 *     csys_shared_permits_post(region, lab->benches, 8, at);
 *
 * A semaphore whose permits are owned: each is one thread's from the wait to the post, and has a
 * number, so it can stand for a thing.  A set of them is an array in a region (csys/ipc/region.h),
 * eight bytes for each of up to CSYS_SHARED_PERMITS_MAX, all zero when free, and needs no
 * destruction.  All calls for a set pass the same array and the same number of permits.  A thread
 * may have several.
 *
 * Death.  A thread that ends while it has a permit, by whatever cause and at whatever instruction,
 * leaves it to the next thread that takes it.  That thread is told by CSYS_POISONED; when it posts
 * the permit, what this stands for counts as in order again.  Threads that wait learn of a death at
 * once if only one other thread has permits and the system can tell (Linux 5.16), and else within
 * 0.1 s.  A thread that is only stopped keeps its permits.
 *
 * A panic (csys/sync/panic.h) gives back and poisons the permits that the functions which it leaves
 * have taken.  Waiting threads learn of that within 0.1 s.
 *
 * A wait takes the free permit with the lowest number.  Waiters sleep; a permit that comes back
 * goes to the first thread that looks.
 *
 * To post a permit that the thread does not have aborts with a line on stderr.
 *
 * Threads: any number may use it at once.  Signals: not to be used in handlers.  Fork: the child
 * has no permits; what its parent has stays the parent's.
 */
#ifndef CSYS_IPC_SHARED_PERMITS_H
#define CSYS_IPC_SHARED_PERMITS_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>

CSYS_BEGIN_DECLS

/** One permit of an array of them; all zero is a free one. */
typedef struct csys_shared_permit {
	uint32_t word;  /**< private: src/ipc/shared_permits.c */
	uint32_t wakes; /**< private; the first one's is for all */
} csys_shared_permit;

/** How many permits a set has at most: a wait may look at each. */
#define CSYS_SHARED_PERMITS_MAX 256u

/**
 * Take a permit, waiting however long until one is free.
 *
 * A thread that has all of them waits for ever.
 *
 * \param region   where they lie
 * \param permits  the first of the set
 * \param n        how many there are
 * \param out_at   the number of the permit, from 0.  Unchanged on failure
 * \retval 0              it is the caller's
 * \retval CSYS_POISONED  it is the caller's, and the last thread that had it has ended
 * \retval CSYS_EINVAL    `n` is 0 or more than CSYS_SHARED_PERMITS_MAX
 * \retval negative       the caller has none, since it is no member of the region and cannot become
 *                        one: csys_region_attach tells why, and makes sure before
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_permits_wait(csys_region *region,
						      csys_shared_permit *permits, unsigned n,
						      unsigned *out_at);

/**
 * Take a permit, waiting until one is free or until `deadline`.
 *
 * A deadline that has passed still takes one that is free, or whose thread has ended.
 *
 * \param region    where they lie
 * \param permits   the first of the set
 * \param n         how many there are
 * \param deadline  when to give up
 * \param out_at    the number of the permit, from 0.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_POISONED   it is the caller's, and the last thread that had it has ended
 * \retval CSYS_ETIMEDOUT  none was free by then
 * \retval other           as csys_shared_permits_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_permits_wait_until(csys_region *region,
							    csys_shared_permit *permits, unsigned n,
							    csys_deadline deadline,
							    unsigned *out_at);

/**
 * Take a permit if one is free, or its thread has ended, without waiting.
 *
 * \param region   where they lie
 * \param permits  the first of the set
 * \param n        how many there are
 * \param out_at   the number of the permit, from 0.  Unchanged on failure
 * \retval 0              it is the caller's
 * \retval CSYS_POISONED  it is the caller's, and the last thread that had it has ended
 * \retval CSYS_EAGAIN    none is free; or the caller is no member yet and would wait to become one
 * \retval other          as csys_shared_permits_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_permits_try_wait(csys_region *region,
							  csys_shared_permit *permits, unsigned n,
							  unsigned *out_at);

/**
 * Give a permit back, and let a waiting thread go on.
 *
 * The call never waits.
 *
 * \param region   where they lie
 * \param permits  the first of the set
 * \param n        how many there are
 * \param at       the number of the permit, which the caller has
 */
CSYS_API void csys_shared_permits_post(csys_region *region, csys_shared_permit *permits, unsigned n,
				       unsigned at);

/**
 * Tell how many permits are free at this moment, with those whose threads have ended.
 *
 * \param region   where they lie
 * \param permits  the first of the set
 * \param n        how many there are
 * \return how many
 */
CSYS_API unsigned csys_shared_permits_value(const csys_region *region,
					    const csys_shared_permit *permits, unsigned n);

/**
 * Tell which member has a permit, for diagnosis.
 *
 * It may be out of date when the caller sees it.  A member that has ended is told of until its
 * place in the region, or the permit, is another member's.
 *
 * \param region   where they lie
 * \param permits  the first of the set
 * \param n        how many there are
 * \param at       the number of the permit
 * \param out      the member.  Unchanged if there is none
 * \return 1; 0 if there is none, or none of which the region knows, or no such permit
 */
CSYS_API int csys_shared_permits_holder(const csys_region *region,
					const csys_shared_permit *permits, unsigned n, unsigned at,
					csys_region_member *out);

CSYS_END_DECLS

#endif
