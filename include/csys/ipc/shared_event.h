/**
 * \file
 * csys/ipc/shared_event.h - a flag that the threads of several processes wait for.
 *
 *     struct board {
 *             csys_shared_event is_filled; // all zero: not set
 *             int64_t values[100];
 *     };
 *
 *     csys_shared_event_set(&board->is_filled);  // lets all through, now and later
 *     csys_shared_event_wait(&board->is_filled);
 *
 * A manual event stays set until it is reset, for any number of waiters.  All threads that wait
 * when it is set go on, even if it is reset right after.
 *
 * An automatic event lets one thread through for each time it is set: it is set until a thread gets
 * through, which unsets it, or until it is reset.  Setting it again before that changes nothing.
 *
 * It is eight bytes, a manual one that is not set when all zero, and needs no destruction.  It lies
 * anywhere in memory that processes share: in a region (csys/ipc/region.h), of which its users need
 * not be members, in shared memory (csys/ipc/shm.h) or a mapped file.  What was done before it was
 * set is seen by the threads that get through.
 *
 * Death.  No thread owns an event, so nothing has to be taken over.  A thread that is killed, at
 * whatever instruction, has set it or has not.  If it was killed while it set the event, threads
 * that sleep find it set within 0.1 s; the same if one was killed that was just woken.  An
 * automatic event may be used up by a thread that is killed as it gets through.
 *
 * Threads: any number may use it at once.  Signals: csys_shared_event_set may be called in a
 * handler (on Linux; elsewhere only while no thread waits).  Fork: the child has the event as its
 * parent has it.
 */
#ifndef CSYS_IPC_SHARED_EVENT_H
#define CSYS_IPC_SHARED_EVENT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A flag that the threads of processes wait for; all zero is a manual one that is not set. */
typedef struct csys_shared_event {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /**< private: src/ipc/shared_event.c */
} csys_shared_event;

/**
 * Make a manual event that is not set, in any memory.
 *
 * No thread may use it meanwhile.  Memory of zeros needs no call.
 *
 * \param event  the memory
 */
CSYS_API void csys_shared_event_init_manual(csys_shared_event *event);

/**
 * Make an automatic event that is not set, in any memory.
 *
 * No thread may use it meanwhile: as a rule the process that creates the memory calls this before
 * others see it (`init` of csys/ipc/shm.h).
 *
 * \param event  the memory
 */
CSYS_API void csys_shared_event_init_automatic(csys_shared_event *event);

/**
 * Set the event and let the threads that wait go on: all, or one if it is automatic.
 *
 * \param event  the event
 */
CSYS_API void csys_shared_event_set(csys_shared_event *event);

/**
 * Unset the event.
 *
 * Threads that waited for a manual one when it was set go on all the same.
 *
 * \param event  the event
 */
CSYS_API void csys_shared_event_reset(csys_shared_event *event);

/**
 * Wait until the event is set.
 *
 * \param event  the event; an automatic one is unset by the thread that gets through
 */
CSYS_API void csys_shared_event_wait(csys_shared_event *event);

/**
 * Wait until the event is set, or until `deadline`.
 *
 * \param event     the event; an automatic one is unset by the thread that gets through
 * \param deadline  when to give up; one that has passed still finds an event that is set
 * \retval 0               it was set
 * \retval CSYS_ETIMEDOUT  it was not, by then
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_event_wait_until(csys_shared_event *event,
							  csys_deadline deadline);

/**
 * Get through the event if it is set, without waiting.
 *
 * \param event  the event; an automatic one is unset by that
 * \retval 0            it was set
 * \retval CSYS_EAGAIN  it was not
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_event_try_wait(csys_shared_event *event);

/**
 * Tell whether the event is set at this moment.
 *
 * \param event  the event
 * \return 1 if it is set, else 0
 */
CSYS_API int csys_shared_event_is_set(const csys_shared_event *event);

CSYS_END_DECLS

#endif
