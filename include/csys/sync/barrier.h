/**
 * \file
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
 * csys_barrier_abort lets all waiters return.  A thread that stops taking part leaves
 * (csys_barrier_leave), also when it ends by a panic:
 *
 *     static void leave_step(void *barrier)
 *     {
 *             csys_barrier_leave((csys_barrier *)barrier);
 *     }
 *
 *     r = csys_thread_at_exit(leave_step, &step); // by a worker, at its start
 *
 * Threads: any number may use it at once.  Signals: not in handlers.  Fork: no thread waits in the
 * child, so make a new one.
 */
#ifndef CSYS_SYNC_BARRIER_H
#define CSYS_SYNC_BARRIER_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A meeting point of a number of threads. */
typedef struct csys_barrier {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word;  /**< private, as is all of it: src/sync/barrier.c */
	uint32_t count; /**< private */
	uint32_t left;  /**< private */
} csys_barrier;

/** The most threads that one barrier is for. */
#define CSYS_BARRIER_MAX 0xffffu

/** A barrier for `count` threads, a constant up to CSYS_BARRIER_MAX: more does not compile.  0 is
 * as 1. */
#define CSYS_BARRIER_INIT(count)                               \
	{                                                      \
		0, CSYSI_AT_MOST((count), CSYS_BARRIER_MAX), 0 \
	}

/**
 * Make a barrier for `count` threads, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param barrier  the memory
 * \param count    any number; more than CSYS_BARRIER_MAX is misuse, and aborts; 0 is as 1
 */
CSYS_API void csys_barrier_init(csys_barrier *barrier, uint32_t count);

/**
 * Wait until all threads have arrived at a barrier.
 *
 * \param barrier        the barrier
 * \param out_is_leader  1 for exactly one of the threads of the round, else 0; NULL: not wanted
 * \retval 0              all have arrived, or left
 * \retval CSYS_ECANCELED  the barrier was aborted before that
 */
CSYS_API int csys_barrier_wait(csys_barrier *barrier, int *out_is_leader);

/**
 * Wait until all threads have arrived at a barrier, or until `deadline`.
 *
 * A thread that gives up counts as one that has not arrived.
 *
 * \param barrier        the barrier
 * \param deadline       when to give up; if all have arrived by then it is 0
 * \param out_is_leader  1 for exactly one of the threads of the round, else 0; NULL: not wanted
 * \retval 0               all have arrived, or left
 * \retval CSYS_ETIMEDOUT  some have not, by then
 * \retval CSYS_ECANCELED  the barrier was aborted before that
 */
CSYS_API CSYS_MUST_CHECK int csys_barrier_wait_until(csys_barrier *barrier, csys_deadline deadline,
						     int *out_is_leader);

/**
 * Arrive at a barrier and take part no more: this round and all later ones need one thread less.
 *
 * The call never waits, and its thread is never the leader of the round.  C++20 calls it
 * arrive_and_drop.  The barrier must have as many threads as it was made for, each of which waits
 * in every round, or leaves once.  The call may be made in a hook (csys_thread_at_exit,
 * csys_panic_set_hook) of a thread that panics, and at an aborted barrier; not while another thread
 * resets it.
 *
 * \param barrier  the barrier; a thread that waits may free it before this returns
 */
CSYS_API void csys_barrier_leave(csys_barrier *barrier);

/**
 * Let all threads that wait, and all that come later, get CSYS_ECANCELED at once.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_barrier_abort(csys_barrier *barrier);

/**
 * Make an aborted barrier usable again, when no thread waits or leaves.
 *
 * It is for as many threads as before, less those that have left.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_barrier_reset(csys_barrier *barrier);

CSYS_END_DECLS

#endif
