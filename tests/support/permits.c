/*
 * support/permits.c - a set of permits in the region of a test.
 */
#define _XOPEN_SOURCE 700
#include <unistd.h>

#include "base/atomic.h"
#include "support/permits.h"

int sleeps_are_counted;

int take_within(csys_deadline deadline, unsigned *out_at)
{
	return csys_shared_permits_wait_until(region, PERMITS, N, deadline, out_at);
}

void take(unsigned at, int result)
{
	unsigned got = 99;
	assert_int_equal(csys_shared_permits_try_wait(region, PERMITS, N, &got), result);
	assert_int_equal(got, at);
}

void post(unsigned at)
{
	csys_shared_permits_post(region, PERMITS, N, at);
}

void assert_value(unsigned value)
{
	assert_int_equal(csys_shared_permits_value(region, PERMITS, N), value);
}

static void take_and_end(void)
{
	unsigned at;
	if (!sleeps_are_counted)
		count_sleeper();
	int r = csys_shared_permits_wait(region, PERMITS, N, &at);
	if (r < 0)
		_exit(100);
	post(at);
	_exit((int)at + (r == CSYS_POISONED ? 10 : 0));
}

pid_t sleeper(void)
{
	return forked_sleeper(take_and_end);
}

static void take_and_stay(void)
{
	unsigned at;
	if (csys_shared_permits_wait(region, PERMITS, N, &at) >= 0)
		reach_step(at + 1);
	stay();
}

pid_t holder(unsigned at)
{
	STEPS->step = 0;
	pid_t pid = forked(take_and_stay);
	await_step(at + 1);
	return pid;
}

void work(void)
{
	unsigned at;
	for (int i = 0; i < ROUNDS; i++) {
		int r = csys_shared_permits_wait(region, PERMITS, N, &at);
		if (r < 0)
			_exit(1);
		volatile uint32_t *guarded = PLACE->guarded[at];
		if (r == CSYS_POISONED) {
			csysi_add_relaxed(&PLACE->told, 1);
			guarded[1] = guarded[0];
		}
		if (guarded[0] != guarded[1])
			_exit(2);
		guarded[0]++;
		if (i % 16 == 0)
			csys_thread_yield();
		guarded[1]++;
		post(at);
	}
}
