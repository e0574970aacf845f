/*
 * os/wake.h - sleep and wake, by a word.
 */
#ifndef CSYSI_OS_WAKE_H
#define CSYSI_OS_WAKE_H

#include <stdint.h>

#include <csys/base/deadline.h>

/*
 * Sleep while *word is `expected`, until a wake or `deadline`.  Looking at the
 * word and falling asleep are one step against a waker that changes the word
 * first and wakes then.  Returns 0, also without cause, so look again; or
 * CSYS_ETIMEDOUT.  `shared`: the word may lie in memory shared by processes, at
 * different addresses in each; then waker and sleeper must both say so.
 */
int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared);

/*
 * The same between threads, as one of several kinds of sleepers: `kind` is a bit, and
 * a wake goes to the kinds that it names.  A system may wake others too.
 */
int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline,
		     uint32_t kind);
uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t kinds);

/*
 * Wake up to `count` (1, or UINT32_MAX for all) of those who sleep on the word.
 * Uses the address only: the word may be gone by now.  Returns how many; more
 * may return from their sleep by themselves.
 */
uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int shared);

#endif
