/**
 * \file
 * csys/io/wait_set.h - one wait for many events, again and again: the heart of an event loop.
 *
 *     csys_wait_set *set;
 *     if (csys_wait_set_open(&set) < 0)
 *             return -1;
 *     int r = csys_wait_set_add(set, csys_waitable_reading(pipe), csys_token_number(1), NULL);
 *     if (r == 0)
 *             r = csys_wait_set_add(set, csys_child_waitable(child), csys_token_number(2), NULL);
 *     if (r == 0)
 *             r = csys_wait_set_add_timer(set, csys_after_ms(500), 0, csys_token_number(3), NULL);
 *     while (r == 0 && !is_done) {
 *             csys_wait_event events[16];
 *             size_t count;
 *             r = csys_wait_set_wait(set, events, 16, &count);
 *             for (size_t i = 0; r == 0 && i < count; i++)
 *                     handle(events[i].token.number);
 *     }
 *     csys_wait_set_close(set);
 *
 * A set holds entries: waitables (of streams, sockets, children, processes, signals), handles of
 * channels and of other libraries (csys_waitable_reading of them), and timers, which take no
 * handle each.  A wait costs one system call and no memory, however many entries there are, and
 * tells by a token of the caller's choice which of them are ready.  For one wait for a handful of
 * events there is csys_poll.
 *
 * Events are levels: what is ready is told by each wait until it is not ready any more, and nothing
 * is consumed.  That something is ready is a hint, as for csys_poll: what follows is a transfer
 * with CSYS_POLL, which may find nothing.  Files are always ready.  If more entries are ready than
 * a wait has room for they take turns, so each is told after a few waits.
 *
 * Remove an entry before its handle is closed or its object is released.  A set cannot know that a
 * handle was closed.  If it was, then Linux tells its entry no more, unless the same open file has
 * another handle, here or in a child: then its events go on until the entry is removed.  Once the
 * set finds out (another entry for a handle of the same number is added, the entry is changed,
 * or the system tells, as poll does) each wait tells CSYS_EBADF for it until it is removed.
 *
 * Threads: all calls but the close may be made at once by any threads.  Additions, changes and
 * removals take effect at once, also for waits that are under way.  No wait that begins after a
 * removal has returned tells that entry; one that is under way in another thread may be about to.
 * Several threads may wait for one set: a timer that comes due, and a wake, are each told to
 * one of them; another event is told to at least one, and to others that wait while it is ready.
 *
 * Signals.  Handlers may call csys_wait_set_wake only.  Cancellation.  The waits are cancellation
 * points, and nothing is lost.  Fork.  In a forked child the set of the parent is no set: all calls
 * say CSYS_EBADF and change nothing for the parent, and the close releases the child's copy.  A
 * spawned program has nothing of it.
 */
#ifndef CSYS_IO_WAIT_SET_H
#define CSYS_IO_WAIT_SET_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>

CSYS_BEGIN_DECLS

/** A set of entries that are waited for together. */
typedef struct csys_wait_set csys_wait_set;

/** What the caller calls an entry: a number or a pointer.  Several entries may have the same. */
typedef union csys_token {
	uint64_t number; /**< of csys_token_number */
	void *pointer;   /**< of csys_token_pointer */
} csys_token;

/** The name of an entry of a set.  Zeroed memory names none, nor does that of a removed entry. */
typedef struct csys_wait_entry {
	uint64_t id; /**< private */
} csys_wait_entry;

/** An entry that is ready. */
typedef struct csys_wait_event {
	csys_token token;      /**< that of the entry */
	csys_wait_entry entry; /**< which one it is */
	uint64_t count;        /**< of a timer: how often it came due since it was last told, at
				    least 1; else 1 */
	int result;            /**< 0: it is ready.  CSYS_EBADF: it cannot be waited for any more;
				    or another failure, to look at an object without a handle */
	int reserved;          /**< 0 */
} csys_wait_event;

/**
 * Make a token of a number.
 *
 * \param number  any number
 * \return the token
 */
static inline csys_token csys_token_number(uint64_t number)
{
	csys_token token;
	token.number = number;
	return token;
}

/**
 * Make a token of a pointer.
 *
 * \param pointer  any pointer, which the set does not follow
 * \return the token
 */
static inline csys_token csys_token_pointer(void *pointer)
{
	csys_token token;
	token.number = 0;
	token.pointer = pointer;
	return token;
}

/**
 * Make an empty set.
 *
 * \param out_set  the set, to be closed by csys_wait_set_close.  Unchanged on failure
 * \retval 0            *out_set is set
 * \retval CSYS_EINVAL  a pointer is NULL
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EMFILE  no handle is left
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_open(csys_wait_set **out_set);

/**
 * Release a set.
 *
 * Its entries are forgotten; their handles and objects stay as they are.  No other call for the set
 * may be under way.
 *
 * \param set  the set; NULL is ignored
 */
CSYS_API void csys_wait_set_close(csys_wait_set *set);
CSYSI_AUTO(csys_wait_set, csys_wait_set_close(*object))

/**
 * Add an entry for a waitable.
 *
 * Several entries may be for the same handle, to read, to write, or both, and each is told.
 *
 * An object without a handle on this system (a child on plain POSIX) is looked at again and again
 * while a thread waits, from every 1 ms to every 5 ms.  It is looked at under a lock of the set, so
 * it may be released when the removal of its entry has returned.
 *
 * \param set        the set
 * \param waitable   what to wait for; its object must live until the entry is removed
 * \param token      told with the events of the entry
 * \param out_entry  names the entry, to change or remove it; may be NULL.  Unchanged on failure
 * \retval 0             the entry is in the set
 * \retval CSYS_EBADF    it cannot be waited for, as csys_poll says; or the set is the parent's
 * \retval CSYS_ENOTSUP  its object has no handle on this system, and cannot be looked at
 * \retval CSYS_EINVAL   a pointer is NULL; or it is this set; or, where sets have handles, one that
 *                       waits for this one (elsewhere both are ready all the time), or sets are
 *                       nested deeper than the system allows (Linux: a set in a set in a set is
 *                       allowed)
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EMFILE   no handle is left, for the first timer or object without a handle
 * \retval CSYS_ENOSPC   the user has as many handles in sets as the system allows
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_add(csys_wait_set *set, csys_waitable waitable,
					       csys_token token, csys_wait_entry *out_entry);

/**
 * Add a timer: an entry that comes due at a point of the clock.
 *
 * A timer that has come due is told by one wait, once.  After that one with a period comes due
 * again when the period is over, counted from the point where it came due and not from the wait:
 * it does not drift.  Periods that nobody waited for are told together, by `count`.  A timer
 * without a period stays in the set, and comes due again when csys_wait_set_set_timer says so.
 *
 * \param set        the set
 * \param at         when it comes due; CSYS_FOREVER: not until it is set
 * \param period_ns  nanoseconds between two points where it comes due; 0: once
 * \param token      told with the events of the entry
 * \param out_entry  names the entry; may be NULL.  Unchanged on failure
 * \retval 0            the entry is in the set
 * \retval CSYS_EINVAL  a pointer is NULL, or the period is negative
 * \retval CSYS_EBADF   the set is the parent's
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EMFILE  no handle is left, for the first timer or object without a handle
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_add_timer(csys_wait_set *set, csys_deadline at,
						     int64_t period_ns, csys_token token,
						     csys_wait_entry *out_entry);

/**
 * Let an entry wait for something else, or have another token.
 *
 * A paused entry stays paused.  After a failure the entry is as it was.
 *
 * \param set       the set
 * \param entry     an entry that is no timer
 * \param waitable  what it waits for from now on
 * \param token     told from now on
 * \retval 0            it is changed
 * \retval CSYS_ENOENT  there is no such entry
 * \retval CSYS_EINVAL  a pointer is NULL, or the entry is a timer; or as csys_wait_set_add
 * \retval CSYS_EBADF   the waitable cannot be waited for; or the set is the parent's
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EMFILE  no handle is left, for the first timer or object without a handle
 * \retval CSYS_ENOSPC  the user has as many handles in sets as the system allows
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_change(csys_wait_set *set, csys_wait_entry entry,
						  csys_waitable waitable, csys_token token);

/**
 * Set a timer anew.
 *
 * If it has come due and was not told yet, that is forgotten.
 *
 * \param set        the set
 * \param entry      an entry that is a timer
 * \param at         when it comes due; CSYS_FOREVER: not until it is set again
 * \param period_ns  nanoseconds between two points where it comes due; 0: once
 * \retval 0            it is set
 * \retval CSYS_ENOENT  there is no such entry
 * \retval CSYS_EINVAL  a pointer is NULL, the entry is no timer, or the period is negative
 * \retval CSYS_EBADF   the set is the parent's
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_set_timer(csys_wait_set *set, csys_wait_entry entry,
						     csys_deadline at, int64_t period_ns);

/**
 * Let an entry not be told until it is resumed.
 *
 * This is for a stream whose bytes are not wanted for now: as long as they are there, each wait
 * would return at once.  The clock of a paused timer goes on; it is told after it was resumed.
 *
 * \param set    the set
 * \param entry  the entry; one that is paused stays so
 * \retval 0            it is paused
 * \retval CSYS_ENOENT  there is no such entry
 * \retval CSYS_EINVAL  a pointer is NULL
 * \retval CSYS_EBADF   the set is the parent's
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_pause(csys_wait_set *set, csys_wait_entry entry);

/**
 * Let a paused entry be told again.
 *
 * \param set    the set
 * \param entry  the entry; nothing is done if it is not paused
 * \retval 0            it is not paused
 * \retval CSYS_ENOENT  there is no such entry
 * \retval CSYS_EINVAL  a pointer is NULL
 * \retval CSYS_EBADF   its handle was closed; or the set is the parent's
 * \retval CSYS_ENOMEM  there is no memory; it stays paused
 * \retval CSYS_ENOSPC  the user has as many handles in sets as the system allows; it stays paused
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_resume(csys_wait_set *set, csys_wait_entry entry);

/**
 * Remove an entry.
 *
 * \param set    the set
 * \param entry  the entry; its handle may have been closed already
 * \retval 0            no wait that begins now tells it
 * \retval CSYS_ENOENT  there is no such entry
 * \retval CSYS_EINVAL  a pointer is NULL
 * \retval CSYS_EBADF   the set is the parent's
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_remove(csys_wait_set *set, csys_wait_entry entry);

/**
 * Wait until an entry of the set is ready, or until a wake.
 *
 * A set without entries can be waited for: other threads may add some, or wake.
 *
 * \param set        the set
 * \param events     what is ready: as many as `max`, and at most 256, in no order
 * \param max        how many events there is room for, at least 1
 * \param out_count  how many are ready; 0 only after csys_wait_set_wake.  Unchanged on failure
 * \retval 0            the events and *out_count are set
 * \retval CSYS_EINVAL  a pointer is NULL, or there is no room for an event
 * \retval CSYS_EBADF   the set is the parent's
 * \retval CSYS_ENOMEM  there is no memory; not on Linux
 * \retval CSYS_EMFILE  no handle is left; not on Linux, and elsewhere only if more threads wait
 *                      at once than ever before
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_wait(csys_wait_set *set, csys_wait_event *events,
						size_t max, size_t *out_count);

/**
 * Wait until an entry of the set is ready, until a wake, or until a deadline.
 *
 * What is ready is told even if the deadline has passed; a timer is due at its own point, whatever
 * the deadline.
 *
 * \param set        the set
 * \param events     what is ready: as many as `max`, and at most 256, in no order
 * \param max        how many events there is room for, at least 1
 * \param deadline   when to give up
 * \param out_count  how many are ready; 0 only after csys_wait_set_wake.  Unchanged on failure
 * \retval 0               the events and *out_count are set
 * \retval CSYS_ETIMEDOUT  the deadline has passed, and nothing is ready
 * \retval CSYS_EINVAL     a pointer is NULL, or there is no room for an event
 * \retval CSYS_EBADF      the set is the parent's
 * \retval CSYS_ENOMEM     there is no memory; not on Linux
 * \retval CSYS_EMFILE     no handle is left; as for csys_wait_set_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_wait_until(csys_wait_set *set, csys_wait_event *events,
						      size_t max, csys_deadline deadline,
						      size_t *out_count);

/**
 * Tell which entries of the set are ready, without waiting.
 *
 * \param set        the set
 * \param events     what is ready: as many as `max`, and at most 256, in no order
 * \param max        how many events there is room for, at least 1
 * \param out_count  how many are ready; 0 only after csys_wait_set_wake.  Unchanged on failure
 * \retval 0            the events and *out_count are set
 * \retval CSYS_EAGAIN  nothing is ready
 * \retval CSYS_EINVAL  a pointer is NULL, or there is no room for an event
 * \retval CSYS_EBADF   the set is the parent's
 * \retval CSYS_ENOMEM  there is no memory; not on Linux
 * \retval CSYS_EMFILE  no handle is left; as for csys_wait_set_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_try_wait(csys_wait_set *set, csys_wait_event *events,
						    size_t max, size_t *out_count);

/**
 * Wake a thread that waits for the set, or else let the next wait return at once.
 *
 * That wait returns what is ready, perhaps nothing.  Wakes that no wait has taken yet are one.  To
 * let several threads go, let each that was woken wake the next.
 *
 * Async-signal-safe.
 *
 * \param set  the set; in a forked child nothing is done for that of the parent
 */
CSYS_API void csys_wait_set_wake(csys_wait_set *set);

/**
 * Get a handle of the set, for another event loop to hold.
 *
 * It polls readable (POLLIN) while a wait would not wait.  It may be readable once too often, and
 * is every 5 ms if an entry has no handle on this system: call csys_wait_set_try_wait then.
 *
 * \param set         the set
 * \param out_handle  the handle, which is the set's: do not read or close it.  Unchanged on failure
 * \retval 0             *out_handle is set; the same for each call
 * \retval CSYS_EINVAL   a pointer is NULL; or there are too many sets in each other below this one
 *                       (Linux: one that has a set in it has a handle)
 * \retval CSYS_ENOTSUP  this system has no such handles (csys_can(CSYS_CAN_WAIT_SET_HANDLE) says 0)
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EBADF    the set is the parent's
 */
CSYS_API CSYS_MUST_CHECK int csys_wait_set_handle(csys_wait_set *set, csys_handle *out_handle);

/**
 * Make a waitable for a set, for csys_poll and for another set.
 *
 * It is ready when csys_wait_set_handle is.  Where there is no such handle the set is looked at
 * again and again.
 *
 * \param set  the set.  NULL, or in a forked child one of the parent: it cannot be waited for
 *             (CSYS_EBADF)
 * \return the waitable
 */
CSYS_API csys_waitable csys_wait_set_waitable(csys_wait_set *set);

CSYS_END_DECLS

#endif
