/**
 * \file
 * csys/ipc/shared_once.h - something that is done once, by the first of several processes.
 *
 *     static int fill(void *argument, int note)
 *     {
 *             struct board *board = (struct board *)argument;
 *             if (note == CSYS_POISONED)
 *                     memset(board->values, 0, sizeof board->values);
 *             return read_values(board);
 *     }
 *
 *     r = csys_shared_once_call(region, &board->is_filled, fill, board);
 *
 * Other callers wait meanwhile until it is done.  A caller for which the call returns 0 sees what
 * was done.  A call of one that is done costs one load.
 *
 * A body that fails leaves it as if it had not been called: its result is that of the call, and the
 * next caller tries again.
 *
 * Death.  If the process of a body that runs is killed, at whatever instruction, or becomes another
 * program, the next caller, or one that waits, runs the body again: that one is told by the note
 * CSYS_POISONED, since what was made before may be half done.  Callers that wait learn of the death
 * at once where the system can tell (Linux 5.16), and else within 0.1 s.  A body that is only
 * stopped is not taken over.
 *
 * A body that does not return in another way (it panics, throws an exception of C++, or ends its
 * thread) poisons the once, as with csys_once: calls fail then, but csys_shared_once_call_force
 * runs a body again, with that note.
 *
 * It lies anywhere in a region (csys/ipc/region.h), is eight bytes, all zero if it was not called
 * yet, and needs no destruction.  Waiters sleep.  A body that calls its own once, or waits for it,
 * gets CSYS_EDEADLK.
 *
 * Threads: any number may use it at once.  Signals: not to be used in handlers.  Fork: a child that
 * a body forks has no part in it, also if it returns from the body.
 */
#ifndef CSYS_IPC_SHARED_ONCE_H
#define CSYS_IPC_SHARED_ONCE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

/** Something that is done once; all zero if it was not called yet. */
typedef struct csys_shared_once {
	uint32_t word;     /**< private: src/ipc/shared_once.c */
	uint32_t reserved; /**< zero */
} csys_shared_once;

/**
 * What is to be done: 0, or a negative result.
 *
 * \param argument  what was passed to the call
 * \param note      CSYS_POISONED if a body before this one did not return, else 0
 */
typedef int csys_shared_once_body(void *argument, int note);

/* The word of one that is done, but for its marks. */
#define CSYSI_SHARED_ONCE_COMPLETE 1u
#define CSYSI_SHARED_ONCE_MARKS 0xc0000000u

/**
 * Tell whether a once is done.
 *
 * \param once  the once
 * \return 1 if it is done, and the caller sees what was done; 0 if not
 */
static inline int csys_shared_once_is_completed(const csys_shared_once *once)
{
	/* Acquire pairs with the release of the thread that has done it. */
	uint32_t word = __atomic_load_n(&once->word, __ATOMIC_ACQUIRE);

	return (word & ~CSYSI_SHARED_ONCE_MARKS) == CSYSI_SHARED_ONCE_COMPLETE;
}

/**
 * Call `body` unless the once is done, and wait while another caller's body runs.
 *
 * \param region    where it lies
 * \param once      the once
 * \param body      what is to be done
 * \param argument  of `body`
 * \retval 0               it is done now, by this caller or another
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_EDEADLK    this is a call in its own body
 * \return any other negative number is the result of `body` that failed in this call, or tells why
 *         the caller cannot become a member of the region: see csys_region_attach
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_once_call(csys_region *region, csys_shared_once *once,
						   csys_shared_once_body *body, void *argument);

/**
 * Call `body` unless the once is done, and wait while another caller's body runs, or until
 * `deadline`.
 *
 * The deadline is for the wait: also when it has passed `body` is called, if no other runs.
 *
 * \param region    where it lies
 * \param once      the once
 * \param body      what is to be done
 * \param argument  of `body`
 * \param deadline  when to give up
 * \retval 0               it is done now, by this caller or another
 * \retval CSYS_ETIMEDOUT  another caller's body still ran by then
 * \return other           as csys_shared_once_call
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_once_call_until(csys_region *region,
							 csys_shared_once *once,
							 csys_shared_once_body *body,
							 void *argument, csys_deadline deadline);

/**
 * Call `body` unless the once is done, also if it is poisoned.
 *
 * \param region    where it lies
 * \param once      the once
 * \param body      what is to be done
 * \param argument  of `body`
 * \retval 0  it is done now, by this caller or another
 * \return other  as csys_shared_once_call, but CSYS_EPANICKED
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_once_call_force(csys_region *region,
							 csys_shared_once *once,
							 csys_shared_once_body *body,
							 void *argument);

/**
 * Wait until another thread has done a once.
 *
 * A body that fails, or whose process is killed, does not end the wait: another call may follow.
 *
 * \param region  where it lies
 * \param once    the once
 * \retval 0               it is done, and the caller sees what was done
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_EDEADLK    this is a call in its own body
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_once_wait(const csys_region *region,
						   csys_shared_once *once);

/**
 * Wait until another thread has done a once, or until `deadline`.
 *
 * \param region    where it lies
 * \param once      the once
 * \param deadline  when to give up; one that has passed still finds what is done
 * \retval 0               it is done, and the caller sees what was done
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_ETIMEDOUT  it was not done by then
 * \retval CSYS_EDEADLK    this is a call in its own body
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_once_wait_until(const csys_region *region,
							 csys_shared_once *once,
							 csys_deadline deadline);

/**
 * Tell whether a once is poisoned: its last body did not return.
 *
 * While another body runs after that, it tells so too.  One that was killed poisons it when the
 * next one runs, not before.
 *
 * \param once  the once
 * \return 1 if it is poisoned, else 0
 */
CSYS_API int csys_shared_once_is_poisoned(const csys_shared_once *once);

/**
 * Tell which member runs the body of a once, for diagnosis.
 *
 * It may be out of date when the caller sees it.
 *
 * \param region  where it lies
 * \param once    the once
 * \param out     the member.  Unchanged if there is none
 * \return 1; 0 if there is none, or none of which the region knows
 */
CSYS_API int csys_shared_once_holder(const csys_region *region, const csys_shared_once *once,
				     csys_region_member *out);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_shared_once *csysi_shared_once_at(csys_shared_once *once,
								  const char *file, int line)
{
	csysi_checked_at(once, CSYSI_NULL, file, line);
	return once;
}
#define CSYSI_SHARED_ONCE_HERE(once) csysi_shared_once_at((once), __FILE__, __LINE__)
#define csys_shared_once_call(region, once, body, argument) \
	csys_shared_once_call(region, CSYSI_SHARED_ONCE_HERE(once), body, argument)
#define csys_shared_once_call_until(region, once, body, argument, deadline) \
	csys_shared_once_call_until(region, CSYSI_SHARED_ONCE_HERE(once), body, argument, deadline)
#define csys_shared_once_call_force(region, once, body, argument) \
	csys_shared_once_call_force(region, CSYSI_SHARED_ONCE_HERE(once), body, argument)
#define csys_shared_once_wait(region, once) \
	csys_shared_once_wait(region, CSYSI_SHARED_ONCE_HERE(once))
#define csys_shared_once_wait_until(region, once, deadline) \
	csys_shared_once_wait_until(region, CSYSI_SHARED_ONCE_HERE(once), deadline)
#endif

CSYS_END_DECLS

#endif
