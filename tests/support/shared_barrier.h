/*
 * support/shared_barrier.h - a shared barrier for tests, and processes that wait at it.
 */
#ifndef CSYS_TEST_SHARED_BARRIER_H
#define CSYS_TEST_SHARED_BARRIER_H

#include "support/region.h"

#define BARRIER ((csys_shared_barrier *)OBJECTS)

/* Make it. */
void make(uint32_t count, uint32_t options);

/* Wait at it without time to do so. */
int try_to_wait(void);

/* How many seats are of members that have arrived in this round. */
uint32_t arrived(void);

/* Wait until so many have arrived, and until one of them sleeps or will in a moment. */
void await_waiters(uint32_t count);

/* Start a process that waits once, and ends with 0 if it is told this result. */
pid_t waiter(int result);

/* Start one that takes part in a round, which it gives up, and then stays. */
pid_t participant(void);

#endif
