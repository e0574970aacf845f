/**
 * \file
 * csys/ipc/shared_barrier.h - threads of several processes wait for each other, again and again.
 *
 *     struct board {
 *             csys_shared_barrier step;
 *             int64_t cells[2][100];
 *     };
 *
 *     csys_shared_barrier_init(&board->step, 4, 0); // once, by the process that creates the region
 *
 *     int r = csys_shared_barrier_wait(region, &board->step, NULL);
 *     if (r == CSYS_EOWNERDEAD)
 *             begin_again(board); // a process was killed: the others do not wait for it
 *
 * It takes 1 KiB, anywhere in memory that the members of a region share (csys/ipc/region.h), and
 * needs no destruction.  All zero it is for one thread.  Usable for the next round at once.  What a
 * thread did before it waited is seen by all after.
 *
 * The first threads that wait or leave, as many as the barrier is for, take part in it from then
 * on; another one gets CSYS_EBUSY.  One that has not come yet is not known, so its end is not seen.
 *
 * Death.  If a thread that takes part ends while the others wait for it, is killed at whatever
 * instruction, or is a member of the region no more, the barrier is broken: all that wait, and all
 * that come later, get CSYS_EOWNERDEAD, until csys_shared_barrier_reset.  A sleeping thread sees it
 * within 0.1 s, or one that comes and finds no room.  A thread that is killed after its arrival is
 * missed in the next round only.  A barrier with CSYS_SHARED_BARRIER_GOES_ON is not broken: such a
 * thread counts as one that has left.  A thread that ends on purpose leaves first
 * (csys_shared_barrier_leave).
 *
 * Threads: any number may use it at once.  Signals: not in handlers.  Fork: the child is another
 * member of the region, so it takes part only if there is room for one more.
 */
#ifndef CSYS_IPC_SHARED_BARRIER_H
#define CSYS_IPC_SHARED_BARRIER_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>

CSYS_BEGIN_DECLS

/** The most threads that one shared barrier is for. */
#define CSYS_SHARED_BARRIER_MAX 126u

/** A meeting point of threads of several processes. */
typedef struct csys_shared_barrier {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word;    /**< private, as is all of it: src/ipc/shared_barrier.c */
	uint32_t count;   /**< private */
	uint32_t options; /**< private */
	uint64_t seats[CSYS_SHARED_BARRIER_MAX]; /**< private */
} csys_shared_barrier;

/** Options of a shared barrier. */
enum {
	CSYS_SHARED_BARRIER_GOES_ON = 1 /**< a thread that has ended counts as one that has left */
};

/**
 * Make a barrier for `count` threads, in any memory.
 *
 * No thread may use it meanwhile: as a rule the process that creates the memory calls this before
 * others see it (`init` of csys/ipc/region.h).
 *
 * \param barrier  the memory
 * \param count    for how many threads, up to CSYS_SHARED_BARRIER_MAX; 0 is as 1
 * \param options  0, or CSYS_SHARED_BARRIER_GOES_ON
 * \retval 0            it is made
 * \retval CSYS_EINVAL  NULL, a greater number, or an option that there is not; nothing is changed
 */
CSYS_API int csys_shared_barrier_init(csys_shared_barrier *barrier, uint32_t count,
				      uint32_t options);

/**
 * Wait until all threads have arrived at a barrier.
 *
 * \param region         the region whose members use it; the thread becomes one if it is none
 * \param barrier        the barrier
 * \param out_is_leader  1 for one of the threads of the round at most, else 0; NULL: not wanted.
 *                       None is told so if that one is killed before it returns
 * \retval 0                all have arrived, or left
 * \retval CSYS_EOWNERDEAD  a thread that takes part has ended before that
 * \retval CSYS_ECANCELED   the barrier was aborted before that
 * \retval CSYS_EBUSY       as many others take part as the barrier is for
 * \retval CSYS_EINVAL      the thread has left the barrier before
 * \return one of these, or why the thread cannot become a member, as csys_region_attach tells it
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_barrier_wait(csys_region *region, csys_shared_barrier *barrier, int *out_is_leader);

/**
 * Wait until all threads have arrived at a barrier, or until `deadline`.
 *
 * A thread that gives up counts as one that has not arrived; it still takes part, so the others
 * wait for it.
 *
 * \param region         as for csys_shared_barrier_wait
 * \param barrier        the barrier
 * \param deadline       when to give up; if all have arrived by then it is 0
 * \param out_is_leader  as for csys_shared_barrier_wait
 * \retval CSYS_ETIMEDOUT  some have not arrived, by then
 * \return this, or as csys_shared_barrier_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_barrier_wait_until(csys_region *region,
							    csys_shared_barrier *barrier,
							    csys_deadline deadline,
							    int *out_is_leader);

/**
 * Arrive at a barrier and take part no more: this round and all later ones need one thread less.
 *
 * The call does not wait for the others, and its thread is never the leader of the round.  It may
 * be made at an aborted or broken barrier.  A thread that has left already changes nothing.
 *
 * \param region   as for csys_shared_barrier_wait
 * \param barrier  the barrier
 * \retval 0           it has left
 * \retval CSYS_EBUSY  as many others take part as the barrier is for
 * \return one of these, or why the thread cannot become a member, as csys_region_attach tells it
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_barrier_leave(csys_region *region,
						       csys_shared_barrier *barrier);

/**
 * Let all threads that wait, and all that come later, get CSYS_ECANCELED at once.
 *
 * A broken barrier stays broken.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_shared_barrier_abort(csys_shared_barrier *barrier);

/**
 * Make a broken or aborted barrier usable again.
 *
 * It is for as many threads as before, less those that have left; which ones is open again.  Of
 * another barrier nothing is changed.  Any thread may call it, also while others wait or call it
 * too: a thread that waited before gets CSYS_EOWNERDEAD or CSYS_ECANCELED even if it looks later,
 * and perhaps even if all had arrived in its own round and a later one was broken.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_shared_barrier_reset(csys_shared_barrier *barrier);

CSYS_END_DECLS

#endif
