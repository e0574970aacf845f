/**
 * \file
 * csys/base/deadline.h - until when to wait.
 *
 *     csys_deadline deadline = csys_after_ms(250); // one deadline for all the steps
 *     int r = csys_stream_read_all_until(pipe, buffer, sizeof buffer, deadline, &size);
 *     if (r == 0)
 *             r = csys_child_wait_until(child, deadline, &exit);
 *
 * A deadline is a point of the monotonic clock, so neither a step of the wall
 * clock nor a restart after a signal moves it, and a chain of waits takes no
 * longer than its one deadline.  What is there at once is taken even if the
 * deadline has passed: CSYS_POLL waits for nothing and still gets it.
 *
 * It is a struct, so that a bare number, which would be a duration to its reader, does not
 * compile as one.  Zeroed memory is no deadline, in options too.
 */
#ifndef CSYS_BASE_DEADLINE_H
#define CSYS_BASE_DEADLINE_H

#include <stdint.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/**
 * A point of the clock of csys_now, or none.  Make one with csys_after_ms and the like.
 */
typedef struct csys_deadline {
	int64_t ns; /**< ns of csys_now; 0: no deadline; negative: passed */
} csys_deadline;

#if defined(__cplusplus)
#define CSYSI_DEADLINE(ns) (csys_deadline{ ns })
#else
#define CSYSI_DEADLINE(ns) ((csys_deadline){ ns })
#endif

/** No deadline: wait for as long as it takes.  The same as zeroed memory. */
#define CSYS_FOREVER CSYSI_DEADLINE(0)

/** A deadline before all time: look, do not wait. */
#define CSYS_POLL CSYSI_DEADLINE(INT64_MIN)

/**
 * The time now.  It never steps back, and is the same in all processes of one boot.
 * Async-signal-safe.
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
 * Make the deadline that lies some nanoseconds from now.  Async-signal-safe.
 *
 * \param n  nanoseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_ns(int64_t n);

/**
 * Make the deadline that lies some microseconds from now.  Async-signal-safe.
 *
 * \param n  microseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_us(int64_t n);

/**
 * Make the deadline that lies some milliseconds from now.  Async-signal-safe.
 *
 * \param n  milliseconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_ms(int64_t n);

/**
 * Make the deadline that lies some seconds from now.  Async-signal-safe.
 *
 * \param n  seconds; 0 or less is a deadline that has passed
 * \return the deadline; CSYS_FOREVER for one too far to count
 */
CSYS_API csys_deadline csys_after_s(int64_t n);

/**
 * Tell whether it is no deadline at all.
 *
 * \param deadline  any
 * \return 1 for CSYS_FOREVER, else 0
 */
static inline int csys_deadline_is_forever(csys_deadline deadline)
{
	return deadline.ns == 0;
}

/**
 * Tell whether it is one that waits for nothing.
 *
 * \param deadline  any
 * \return 1 for CSYS_POLL, else 0: also for a deadline that has passed meanwhile
 */
static inline int csys_deadline_is_poll(csys_deadline deadline)
{
	return deadline.ns < 0;
}

/**
 * Tell where on the clock of csys_now it lies.  Numbers of two deadlines compare as these do.
 *
 * \param deadline  any
 * \return nanoseconds; INT64_MAX for CSYS_FOREVER, negative for CSYS_POLL
 */
static inline int64_t csys_deadline_ns(csys_deadline deadline)
{
	return csys_deadline_is_forever(deadline) ? INT64_MAX : deadline.ns;
}

/**
 * Compare two deadlines, in the form that qsort wants of its result.  Every deadline is
 * before CSYS_FOREVER.
 *
 * \param a  one
 * \param b  the other
 * \return negative if `a` is before `b`, 0 if they are the same, positive if `b` is before `a`
 */
static inline int csys_deadline_compare(csys_deadline a, csys_deadline b)
{
	return (csys_deadline_ns(a) > csys_deadline_ns(b)) -
	       (csys_deadline_ns(a) < csys_deadline_ns(b));
}

/**
 * Choose the one of two deadlines that comes first.
 *
 * \param a  one
 * \param b  the other
 * \return `a` or `b`
 */
static inline csys_deadline csys_deadline_earlier(csys_deadline a, csys_deadline b)
{
	return csys_deadline_ns(b) < csys_deadline_ns(a) ? b : a;
}

/**
 * Tell how long it is from now to a deadline.  Async-signal-safe.
 *
 * \param deadline  any
 * \return nanoseconds; 0 when it has passed, INT64_MAX for CSYS_FOREVER
 */
CSYS_API int64_t csys_deadline_left(csys_deadline deadline);

/**
 * Tell how long it is from now to a deadline, as poll and epoll_wait take it.  Rounded up, so
 * that a loop which polls with it does not turn without waiting in the last millisecond.
 * Async-signal-safe.
 *
 * \param deadline  any
 * \return milliseconds, INT_MAX at most; 0 when it has passed, -1 for CSYS_FOREVER
 */
CSYS_API int csys_deadline_left_ms(csys_deadline deadline);

CSYS_END_DECLS

#endif
