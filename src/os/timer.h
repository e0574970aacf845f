/*
 * os/timer.h - a handle that becomes ready at a point of the clock.
 *
 * It is no stream: it is polled and set, and that is all.  (As a waitable timer with manual reset
 * does, or a kqueue with one EVFILT_TIMER.)  No thread and no signal may serve it.
 */
#ifndef CSYSI_OS_TIMER_H
#define CSYSI_OS_TIMER_H

#include <stdint.h>

#include <csys/base/handle.h>

/* Open a timer that is not ready (os/poll.h, for reading) until it is set.  CSYS_ENOTSUP where no
 * handle of the system can do that. */
int csysi_os_timer_open(csys_handle *out_timer);

/*
 * Make the timer ready from the point `at` of csysi_os_now on, above 0, until it is set again; not
 * ready before.  INT64_MAX: never.  Does not wait, and cannot fail.
 */
void csysi_os_timer_set(csys_handle timer, int64_t at);

#endif
