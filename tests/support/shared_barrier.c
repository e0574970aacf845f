/*
 * support/shared_barrier.c - a shared barrier for tests, and processes that wait at it.
 */
#define _XOPEN_SOURCE 700
#include <sched.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_barrier.h"

#define WAITED ((uint64_t)1 << 63)
#define ROUND ((uint64_t)0x1fffffff << 32)

void make(uint32_t count, uint32_t options)
{
	assert_int_equal(csys_shared_barrier_init(BARRIER, count, options), 0);
}

int try_to_wait(void)
{
	return csys_shared_barrier_wait_until(region, BARRIER, CSYS_POLL, NULL);
}

uint32_t arrived(void)
{
	uint32_t round = (uint32_t)((csysi_load_acquire(&BARRIER->word) & ROUND) >> 32);
	uint32_t count = 0;

	for (uint32_t i = 0; i < CSYS_SHARED_BARRIER_MAX; i++)
		count += (uint32_t)csysi_load_acquire(&BARRIER->seats[i]) == round + 1;
	return count;
}

void await_waiters(uint32_t count)
{
	while (arrived() < count || !(csysi_load_acquire(&BARRIER->word) & WAITED))
		sched_yield();
}

static int expected; /* what the next process is told */

static void wait_once(void)
{
	int r = csys_shared_barrier_wait(region, BARRIER, NULL);
	if (r != expected)
		_exit(100 - r);
}

pid_t waiter(int result)
{
	expected = result;
	return forked(wait_once);
}

static void take_part(void)
{
	if (try_to_wait() != CSYS_ETIMEDOUT)
		_exit(1);
	reach_step(1);
	stay();
}

pid_t participant(void)
{
	pid_t pid = forked(take_part);
	await_step(1);
	reach_step(0);
	return pid;
}
