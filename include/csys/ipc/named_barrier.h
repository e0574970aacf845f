/**
 * \file
 * csys/ipc/named_barrier.h - processes wait for each other, again and again, by a name.
 *
 *     csys_named_barrier *step;
 *     int r = csys_named_barrier_create_or_open("solver-step", 4, 0, NULL, &step);
 *     if (r < 0)
 *             return r;
 *     while (r == 0 && compute())
 *             r = csys_named_barrier_wait(step, NULL); // CSYS_EOWNERDEAD: one was killed
 *     csys_named_barrier_close(step);
 *
 * It is a csys_shared_barrier (csys/ipc/shared_barrier.h) in a region of its own: a thread that
 * takes part and ends while the others wait for it breaks the barrier, or they go on without it.
 * What is common to named objects is in csys/ipc/named_object.h.
 */
#ifndef CSYS_IPC_NAMED_BARRIER_H
#define CSYS_IPC_NAMED_BARRIER_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/named_object.h>
#include <csys/ipc/shared_barrier.h>

CSYS_BEGIN_DECLS

/** A barrier that this process has open; private: src/ipc/named_barrier.c. */
typedef struct csys_named_barrier {
	struct csysi_named_object named; /**< private */
} csys_named_barrier;

/* ---- opening ------------------------------------------------------------------------------- */

/**
 * Create a barrier with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param count    for how many threads, up to CSYS_SHARED_BARRIER_MAX; 0 is as 1
 * \param how      0, or CSYS_SHARED_BARRIER_GOES_ON
 * \param options  NULL for the usual
 * \param out      the barrier, to be closed by csys_named_barrier_close.  Unchanged on failure
 * \retval 0            it exists, and this process has it open
 * \retval CSYS_EEXIST  there is one, or something else with that name
 * \retval CSYS_EINVAL  no such name or option, number or `how`
 * \retval other        as csys_region_create
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_create(const char *name, uint32_t count,
						       uint32_t how,
						       const csys_named_options *options,
						       csys_named_barrier **out);

/**
 * Open a barrier by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the barrier, to be closed by csys_named_barrier_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no barrier
 * \retval other         as csys_region_open
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_open(const char *name,
						     const csys_named_options *options,
						     csys_named_barrier **out);

/**
 * Open a barrier by its name, or create it if there is none.
 *
 * csys_named_barrier_is_created tells which.  One that is there stays as it is.
 *
 * \param name     its name
 * \param count    for how many threads, up to CSYS_SHARED_BARRIER_MAX; 0 is as 1
 * \param how      0, or CSYS_SHARED_BARRIER_GOES_ON
 * \param options  NULL for the usual
 * \param out      the barrier, to be closed by csys_named_barrier_close.  Unchanged on failure
 * \retval 0      it is open
 * \retval other  as csys_named_barrier_create and csys_named_barrier_open, but not CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_create_or_open(const char *name, uint32_t count,
							       uint32_t how,
							       const csys_named_options *options,
							       csys_named_barrier **out);

/**
 * Close a barrier, which goes on for others.
 *
 * No thread of this process uses it after this.  The calling thread
 * is as one that has ended: so it leaves before, if others go on.
 *
 * \param barrier  the barrier; NULL is ignored
 */
CSYS_API void csys_named_barrier_close(csys_named_barrier *barrier);
CSYSI_AUTO(csys_named_barrier, csys_named_barrier_close(*object))

/**
 * Remove the name of a barrier; those that have it open keep it.
 *
 * It is csys_names_remove with CSYS_NAME_REGION.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_ENOENT  there was none
 * \retval other        as csys_names_remove
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_unlink(int scope, const char *name);

/**
 * Tell whether the call that has opened a barrier has created it.
 *
 * \param barrier  the barrier
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_barrier_is_created(const csys_named_barrier *barrier);

/* ---- using --------------------------------------------------------------------------------- */

/**
 * Wait until all threads have arrived at a barrier.
 *
 * \param barrier  the barrier
 * \param out_is_leader  1 for one of the threads of the round at most, else 0; NULL: not wanted
 * \retval 0                all have arrived, or left
 * \retval CSYS_EOWNERDEAD  a thread that takes part has ended before that
 * \retval CSYS_ECANCELED   the barrier was aborted before that
 * \retval CSYS_EBUSY       as many others take part as the barrier is for
 * \retval CSYS_EINVAL      the thread has left the barrier before
 * \return one of these, or why the thread cannot become a member, as csys_region_attach tells it
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_wait(csys_named_barrier *barrier,
						     int *out_is_leader);

/**
 * Wait until all threads have arrived at a barrier, or until `deadline`.
 *
 * A thread that gives up counts as one that has not arrived; it still takes part.
 *
 * \param barrier  the barrier
 * \param deadline  when to give up; if all have arrived by then it is 0
 * \param out_is_leader  1 for one of the threads of the round at most, else 0; NULL: not wanted
 * \retval CSYS_ETIMEDOUT  some have not arrived, by then
 * \return this, or as csys_named_barrier_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_wait_until(csys_named_barrier *barrier,
							   csys_deadline deadline,
							   int *out_is_leader);

/**
 * Arrive at a barrier and take part no more, as csys_shared_barrier_leave does.
 *
 * \param barrier  the barrier
 * \retval 0           it has left
 * \retval CSYS_EBUSY  as many others take part as the barrier is for
 * \return one of these, or why the thread cannot become a member, as csys_region_attach tells it
 */
CSYS_API CSYS_MUST_CHECK int csys_named_barrier_leave(csys_named_barrier *barrier);

/**
 * Let all threads that wait, and all that come later, get CSYS_ECANCELED at once.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_named_barrier_abort(csys_named_barrier *barrier);

/**
 * Make a broken or aborted barrier usable again, as csys_shared_barrier_reset does.
 *
 * \param barrier  the barrier
 */
CSYS_API void csys_named_barrier_reset(csys_named_barrier *barrier);

CSYS_END_DECLS

#endif
