/**
 * \file
 * csys/sync/event.h - a flag that threads wait for.
 *
 *     static csys_event is_loaded = CSYS_EVENT_INIT_MANUAL;
 *
 *     csys_event_set(&is_loaded);  // lets all through, now and later
 *     csys_event_wait(&is_loaded);
 *
 * A manual event stays set until it is reset, for any number of waiters.  All threads
 * that wait when it is set go on, even if it is reset right after.
 *
 * An automatic event lets one thread through for each time it is set.  If threads wait
 * then it is the turn of one of them, which a reset does not take away; else the event is set
 * until a thread comes and gets through, or it is reset.  Setting it again before a thread
 * got through changes nothing.
 *
 * Eight bytes, no destruction, no allocation; may be freed right after the last wait
 * returned.  Waiters spin where that helps, on average for 5 us at most, then sleep.
 * What was done before it was set is seen by the threads that get through.
 *
 * Signals: csys_event_set may be called in a handler (on Linux; elsewhere only while
 * no thread waits).  Fork: no thread waits in the child, so make a new one.
 */
#ifndef CSYS_SYNC_EVENT_H
#define CSYS_SYNC_EVENT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A flag that threads wait for; all zero is a manual one that is not set. */
typedef struct csys_event {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /**< private: src/sync/event.c */
} csys_event;

/* In the word: this event is automatic. */
#define CSYSI_EVENT_AUTOMATIC UINT64_C(0x80000000)

/** A manual event that is not set; zeroed memory is one too. */
#define CSYS_EVENT_INIT_MANUAL \
	{                      \
		0              \
	}

/** An automatic event that is not set. */
#define CSYS_EVENT_INIT_AUTOMATIC     \
	{                             \
		CSYSI_EVENT_AUTOMATIC \
	}

/**
 * Make a manual event that is not set, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param event  the memory
 */
CSYS_API void csys_event_init_manual(csys_event *event);

/**
 * Make an automatic event that is not set, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param event  the memory
 */
CSYS_API void csys_event_init_automatic(csys_event *event);

/**
 * Set the event and let the threads that wait go on: all, or one if it is automatic.
 *
 * \param event  the event; it may be gone when this returns, if the last thread to wait frees it
 * \return how many threads it lets go on; 0 also if it was set, or the turn of a thread, already
 */
CSYS_API uint32_t csys_event_set(csys_event *event);

/**
 * Unset the event.
 *
 * Threads that waited when it was set go on all the same.
 *
 * \param event  the event
 */
CSYS_API void csys_event_reset(csys_event *event);

/**
 * Wait until the event is set, or until it is this thread's turn if it is automatic.
 *
 * \param event  the event
 */
CSYS_API void csys_event_wait(csys_event *event);

/**
 * Wait until the event is set, or until `deadline`.
 *
 * \param event     the event; an automatic one is unset by the thread that gets through
 * \param deadline  when to give up; one that has passed still finds an event that is set
 * \retval 0               it was set, or it was this thread's turn
 * \retval CSYS_ETIMEDOUT  it was not, by then
 */
CSYS_API CSYS_MUST_CHECK int csys_event_wait_until(csys_event *event, csys_deadline deadline);

/**
 * Get through the event if it is set, without waiting.
 *
 * \param event  the event; an automatic one is unset by that
 * \retval 0            it was set
 * \retval CSYS_EAGAIN  it was not
 */
CSYS_API CSYS_MUST_CHECK int csys_event_try_wait(csys_event *event);

/**
 * Tell whether the event is set at this moment.
 *
 * \param event  the event
 * \return 1 if it is set; 0 if not, also while it is the turn of a thread that waits
 */
CSYS_API int csys_event_is_set(const csys_event *event);

CSYS_END_DECLS

#endif
