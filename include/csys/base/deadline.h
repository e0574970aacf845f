/*
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
 */
#ifndef CSYS_BASE_DEADLINE_H
#define CSYS_BASE_DEADLINE_H

#include <stdint.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/* Nanoseconds on the clock of csys_now(). */
typedef int64_t csys_deadline;

/* Never. */
#define CSYS_FOREVER INT64_MAX

/* Before all time: look, do not wait. */
#define CSYS_POLL INT64_MIN

/*
 * Now, in nanoseconds since a fixed point in the past; never steps back, the
 * same clock in all processes of one boot.  Async-signal-safe.
 */
CSYS_API csys_deadline csys_now(void);

/*
 * The deadline that lies `n` units from now.  Zero or less is a deadline that
 * has passed; one too far to count is CSYS_FOREVER.  Async-signal-safe.
 */
CSYS_API csys_deadline csys_after_ns(int64_t n);
CSYS_API csys_deadline csys_after_us(int64_t n);
CSYS_API csys_deadline csys_after_ms(int64_t n);
CSYS_API csys_deadline csys_after_s(int64_t n);

/*
 * Nanoseconds from now to `deadline`: 0 when it has passed, INT64_MAX for
 * CSYS_FOREVER.  Async-signal-safe.
 */
CSYS_API int64_t csys_deadline_left(csys_deadline deadline);

CSYS_END_DECLS

#endif
