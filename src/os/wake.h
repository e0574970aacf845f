/*
 * os/wake.h - sleeping on a word of memory, and waking its sleepers.
 */
#ifndef CSYSI_OS_WAKE_H
#define CSYSI_OS_WAKE_H

#include <stdint.h>

#include <csys/base/deadline.h>

/*
 * Sleep if *word is `expected`, until a wake or `deadline`.  The comparison and the sleep are
 * one step for a waker that changes the word and then wakes: such a wake is not missed.
 * Returns 0 also without a wake, so callers compare again; or CSYS_ETIMEDOUT.  `shared`:
 * the word may be in memory that processes share, at another address in each; then both
 * the sleeper and the waker pass 1.  Where no wake reaches other processes (csys_can:
 * CSYS_CAN_SHARED_WAKE) such a sleep ends without cause after at most 1 ms.
 */
int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared);

/*
 * Sleep as csysi_os_wait does, in one process, as one of several kinds of sleepers.  `kind` is
 * one bit; csysi_os_wake_kind wakes the kinds whose bits it names.
 */
int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline,
		     uint32_t kind);

/*
 * Wake up to `count` threads that sleep on the word, the longest sleepers first: 1, or UINT32_MAX
 * for all.  Only the address is used, so the memory may be freed already.  Returns how many were
 * woken: never more than slept there, and 0 only if none did, or if `shared` and the system
 * cannot wake other processes.  More may return from their sleep without a wake.
 */
uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int shared);

/*
 * Wake as csysi_os_wake does, only threads of these kinds, and count only these; a system may
 * wake other kinds too.
 */
uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t kinds);

#endif
