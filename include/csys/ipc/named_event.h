/**
 * \file
 * csys/ipc/named_event.h - a flag that processes wait for, by a name.
 *
 *     csys_named_event *is_ready;
 *     int r = csys_named_event_create_or_open("indexer-ready", 0, NULL, &is_ready);
 *     if (r < 0)
 *             return r;
 *     r = csys_named_event_wait_until(is_ready, csys_after_s(30));
 *     csys_named_event_close(is_ready);
 *
 * It is a csys_shared_event (csys/ipc/shared_event.h) in a region of its own: a manual one lets all
 * through until it is reset, an automatic one lets one thread through for each time it is set.  No
 * thread owns it, and one that is killed has set it or has not.  What is common to named objects is
 * in csys/ipc/named_object.h; threads that use an event need not become members.
 *
 * The name goes with the last user, and so does what was set.  A process that sets it for others
 * that may come later keeps it open, or creates it with `keep`.
 */
#ifndef CSYS_IPC_NAMED_EVENT_H
#define CSYS_IPC_NAMED_EVENT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/named_object.h>
#include <csys/ipc/shared_event.h>

CSYS_BEGIN_DECLS

/** A event that this process has open; private: src/ipc/named_event.c. */
typedef struct csys_named_event {
	struct csysi_named_object named; /**< private */
} csys_named_event;

/* ---- opening ------------------------------------------------------------------------------- */

/**
 * Create a event with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param is_automatic  not 0: an automatic one; else a manual one
 * \param options  NULL for the usual
 * \param out      the event, to be closed by csys_named_event_close.  Unchanged on failure
 * \retval 0            it exists, and this process has it open
 * \retval CSYS_EEXIST  there is one, or something else with that name
 * \retval CSYS_EINVAL  no such name or option
 * \retval other        as csys_region_create
 */
CSYS_API CSYS_MUST_CHECK int csys_named_event_create(const char *name, int is_automatic,
						     const csys_named_options *options,
						     csys_named_event **out);

/**
 * Open a event by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the event, to be closed by csys_named_event_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no event
 * \retval other         as csys_region_open
 */
CSYS_API CSYS_MUST_CHECK int
csys_named_event_open(const char *name, const csys_named_options *options, csys_named_event **out);

/**
 * Open a event by its name, or create it if there is none.
 *
 * csys_named_event_is_created tells which.  One that is there stays of its kind.
 *
 * \param name     its name
 * \param is_automatic  not 0: an automatic one; else a manual one
 * \param options  NULL for the usual
 * \param out      the event, to be closed by csys_named_event_close.  Unchanged on failure
 * \retval 0      it is open
 * \retval other  as csys_named_event_create and csys_named_event_open, but not CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_named_event_create_or_open(const char *name, int is_automatic,
							     const csys_named_options *options,
							     csys_named_event **out);

/**
 * Close a event, which goes on for others.
 *
 * No thread of this process uses it after this.
 *
 * \param event  the event; NULL is ignored
 */
CSYS_API void csys_named_event_close(csys_named_event *event);
CSYSI_AUTO(csys_named_event, csys_named_event_close(*object))

/**
 * Remove the name of a event; those that have it open keep it.
 *
 * It is csys_names_remove with CSYS_NAME_REGION.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_ENOENT  there was none
 * \retval other        as csys_names_remove
 */
CSYS_API CSYS_MUST_CHECK int csys_named_event_unlink(int scope, const char *name);

/**
 * Tell whether the call that has opened a event has created it.
 *
 * \param event  the event
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_event_is_created(const csys_named_event *event);

/* ---- using --------------------------------------------------------------------------------- */

/**
 * Set the event and let the threads that wait go on: all, or one if it is automatic.
 *
 * \param event  the event
 */
CSYS_API void csys_named_event_set(csys_named_event *event);

/**
 * Unset the event.
 *
 * Threads that waited for a manual one when it was set go on all the same.
 *
 * \param event  the event
 */
CSYS_API void csys_named_event_reset(csys_named_event *event);

/**
 * Wait until the event is set.
 *
 * \param event  the event; an automatic one is unset by the thread that gets through
 */
CSYS_API void csys_named_event_wait(csys_named_event *event);

/**
 * Wait until the event is set, or until `deadline`.
 *
 * \param event     the event; an automatic one is unset by the thread that gets through
 * \param deadline  when to give up; one that has passed still finds an event that is set
 * \retval 0               it was set
 * \retval CSYS_ETIMEDOUT  it was not, by then
 */
CSYS_API CSYS_MUST_CHECK int csys_named_event_wait_until(csys_named_event *event,
							 csys_deadline deadline);

/**
 * Get through the event if it is set, without waiting.
 *
 * \param event  the event; an automatic one is unset by that
 * \retval 0            it was set
 * \retval CSYS_EAGAIN  it was not
 */
CSYS_API CSYS_MUST_CHECK int csys_named_event_try_wait(csys_named_event *event);

/**
 * Tell whether the event is set at this moment.
 *
 * \param event  the event
 * \return 1 if it is set, else 0
 */
CSYS_API int csys_named_event_is_set(const csys_named_event *event);

CSYS_END_DECLS

#endif
