/*
 * csys/sync/event.h - something has happened.
 *
 *     static csys_event is_loaded = CSYS_EVENT_INIT_MANUAL;
 *
 *     csys_event_set(&is_loaded);  // lets all through, now and later
 *     csys_event_wait(&is_loaded);
 *
 * A manual event stays set until it is reset, for any number of waiters.  An
 * automatic one lets one waiter through for each time it is set: who gets through
 * resets it; setting it twice before that is once.
 *
 * Eight bytes, no destruction, no allocation; may be freed right after the last wait
 * returned.  Waiters spin where that helps, on average for 5 us at most, then sleep.
 * What was done before it was set is seen by who gets through.
 *
 * Signals: csys_event_set may be called in a handler (on Linux; elsewhere only while
 * nobody waits).  Fork: nobody waits in the child, so make a new one.
 */
#ifndef CSYS_SYNC_EVENT_H
#define CSYS_SYNC_EVENT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_event {
	uint32_t word; /* private, as is all of it: src/sync/event.c */
	uint32_t is_automatic;
} csys_event;

/* Not set; zeroed memory is a manual one. */
#define CSYS_EVENT_INIT_MANUAL \
	{                      \
		0, 0           \
	}
#define CSYS_EVENT_INIT_AUTOMATIC \
	{                         \
		0, 1              \
	}

/* Set it and let through who waits: all, or one. */
CSYS_API void csys_event_set(csys_event *event);

/* Unset it.  Nothing happens if it is not set. */
CSYS_API void csys_event_reset(csys_event *event);

/* Wait until it is set, or this thread's turn. */
CSYS_API void csys_event_wait(csys_event *event);

/* The same until `deadline`: 0 or CSYS_ETIMEDOUT.  A past deadline still sees one that is set. */
CSYS_API CSYS_MUST_CHECK int csys_event_wait_until(csys_event *event, csys_deadline deadline);

/* 0 if it is set (an automatic one is reset), CSYS_EAGAIN if not. */
CSYS_API CSYS_MUST_CHECK int csys_event_try_wait(csys_event *event);

/* 1 if it is set at this moment. */
CSYS_API int csys_event_is_set(const csys_event *event);

CSYS_END_DECLS

#endif
