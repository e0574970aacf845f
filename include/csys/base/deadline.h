/**
 * \file
 * csys/base/deadline.h - until when to wait.
 *
 *     csys_deadline deadline = csys_after_ms(250); // one deadline for all the steps
 *     int r = csys_stream_read_all_until(pipe, buffer, sizeof buffer, deadline, &size);
 *     if (r == 0)
 *             r = csys_child_wait_until(child, deadline, &exit);
 *
 * A deadline is a point of the monotonic clock.  So neither a step of the wall clock nor a
 * restart after a signal moves it, and a chain of waits takes no longer than its one deadline.
 *
 * What is there at once is taken even if the deadline has passed.  So CSYS_POLL takes what is
 * there and never waits.
 *
 * The type is a struct, so that a bare number, which a reader would take for a duration, does not
 * compile.  Zeroed memory is CSYS_FOREVER, no deadline, also in structs of options.  To initialize
 * a static object with CSYS_FOREVER or CSYS_POLL is an extension of C, of which gcc warns with
 * -Wpedantic; in ISO C these are { 0 } and { INT64_MIN } there.
 */
#ifndef CSYS_BASE_DEADLINE_H
#define CSYS_BASE_DEADLINE_H

#include <stdint.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/**
 * When to stop waiting: a point of the clock of csys_now, or none.
 *
 * Make one with csys_after_ms and the like.
 */
typedef struct csys_deadline {
	int64_t ns; /**< nanoseconds of csys_now; 0: no deadline; negative: passed */
} csys_deadline;

#if defined(__cplusplus)
#define CSYSI_DEADLINE(ns) (csys_deadline{ ns })
#else
#define CSYSI_DEADLINE(ns) ((csys_deadline){ ns })
#endif

/** No deadline: wait for as long as it takes.  Zeroed memory is this one. */
#define CSYS_FOREVER CSYSI_DEADLINE(0)

/** A deadline before all time: take what is there and do not wait. */
#define CSYS_POLL CSYSI_DEADLINE(INT64_MIN)

/**
 * Tell the time of the monotonic clock.
 *
 * It never steps back, and is the same in all processes of one boot.  Async-signal-safe.
 *
 * \return nanoseconds since a fixed point in the past, more than 0
 */
CSYS_API int64_t csys_now(void);

/**
 * Make the deadline that lies at a point of the clock.
 *
 * \param ns  nanoseconds of csys_now; 0 or less has passed, INT64_MAX is CSYS_FOREVER
 * \return the deadline
 */
static inline csys_deadline csys_deadline_at(int64_t ns)
{
	csys_deadline deadline = { ns == INT64_MAX ? 0 : ns > 0 ? ns : INT64_MIN };
	return deadline;
}

/**
 * Make the deadline that lies some nanoseconds from now.
 *
 * Async-signal-safe.
 *
 * \param n  nanoseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_ns(int64_t n);

/**
 * Make the deadline that lies some microseconds from now.
 *
 * Async-signal-safe.
 *
 * \param n  microseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_us(int64_t n);

/**
 * Make the deadline that lies some milliseconds from now.
 *
 * Async-signal-safe.
 *
 * \param n  milliseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_ms(int64_t n);

/**
 * Make the deadline that lies some seconds from now.
 *
 * Async-signal-safe.
 *
 * \param n  seconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_s(int64_t n);

/**
 * Tell whether a deadline is CSYS_FOREVER: none at all.
 *
 * \param deadline  any deadline
 * \return 1 for CSYS_FOREVER, else 0
 */
static inline int csys_deadline_is_forever(csys_deadline deadline)
{
	return deadline.ns == 0;
}

/**
 * Tell whether a deadline is CSYS_POLL, with which nothing is waited for.
 *
 * To ask whether any deadline has passed, compare csys_deadline_left with 0.
 *
 * \param deadline  any deadline
 * \return 1 for CSYS_POLL; 0 for any other, also for one that has passed meanwhile
 */
static inline int csys_deadline_is_poll(csys_deadline deadline)
{
	return deadline.ns < 0;
}

/**
 * Tell where on the clock of csys_now a deadline lies.
 *
 * The numbers of two deadlines compare as csys_deadline_compare does.
 *
 * \param deadline  any deadline
 * \return nanoseconds; INT64_MAX for CSYS_FOREVER, negative for CSYS_POLL
 */
static inline int64_t csys_deadline_ns(csys_deadline deadline)
{
	return csys_deadline_is_forever(deadline) ? INT64_MAX : deadline.ns;
}

/**
 * Compare two deadlines, with the result that qsort wants.
 *
 * Every other deadline is before CSYS_FOREVER.
 *
 * \param a  a deadline
 * \param b  another one
 * \return negative if `a` is before `b`, 0 if they are the same, positive if `b` is before `a`
 */
static inline int csys_deadline_compare(csys_deadline a, csys_deadline b)
{
	return (csys_deadline_ns(a) > csys_deadline_ns(b)) -
	       (csys_deadline_ns(a) < csys_deadline_ns(b));
}

/**
 * Choose the earlier one of two deadlines.
 *
 * \param a  a deadline
 * \param b  another one
 * \return `a` or `b`
 */
static inline csys_deadline csys_deadline_earlier(csys_deadline a, csys_deadline b)
{
	return csys_deadline_ns(b) < csys_deadline_ns(a) ? b : a;
}

/**
 * Tell how many nanoseconds are left until a deadline.
 *
 * Async-signal-safe.
 *
 * \param deadline  any deadline
 * \return nanoseconds; 0 when it has passed, INT64_MAX for CSYS_FOREVER
 */
CSYS_API int64_t csys_deadline_left(csys_deadline deadline);

/**
 * Tell how many milliseconds are left until a deadline, as poll and epoll_wait take them.
 *
 * The number is rounded up: a loop that polls would spin through the last millisecond otherwise.
 * Async-signal-safe.
 *
 * \param deadline  any deadline
 * \return milliseconds, INT_MAX at most; 0 when it has passed, -1 for CSYS_FOREVER
 */
CSYS_API int csys_deadline_left_ms(csys_deadline deadline);

CSYS_END_DECLS

#endif
