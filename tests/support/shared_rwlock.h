/*
 * support/shared_rwlock.h - a shared rwlock for tests, and what processes do with it.
 */
#ifndef CSYS_TEST_SHARED_RWLOCK_H
#define CSYS_TEST_SHARED_RWLOCK_H

#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"
#include "sync/ledger.h"

#define LOCK ((csys_shared_rwlock *)OBJECTS)
#define KEY ((uint32_t)csysi_shared_rwlock_distance(region->data - 8, LOCK))
#define HELD 0x40000000u
#define WAITED 0x80000000u

/* More than a member has cells. */
enum { LOCKS = 40 };

CSYSI_UNUSED static void assert_free(void)
{
	assert_int_equal(LOCK->word, 0);
	assert_false(csys_shared_rwlock_is_locked(region, LOCK));
	assert_int_equal(csysi_ledger_depth(), 0);
}

static inline void end_with(int r)
{
	_exit(r == CSYS_POISONED ? 1 : r == 0 ? 2 : 3);
}

/* Lock it, get the result STEPS->told, and stay. */
CSYSI_UNUSED static void read_and_stay(void)
{
	if (csys_shared_rwlock_read(region, LOCK) == (int)STEPS->told)
		reach_step(1);
	stay();
}

CSYSI_UNUSED static void write_and_stay(void)
{
	if (csys_shared_rwlock_write(region, LOCK) == (int)STEPS->told)
		reach_step(1);
	stay();
}

/* A process that does one of these. */
CSYSI_UNUSED static pid_t holder(void (*function)(void), int result)
{
	STEPS->told = (uint32_t)result;
	STEPS->step = 0;
	pid_t pid = forked(function);
	await_step(1);
	return pid;
}

/* Lock it and end: 2; 1 if it was poisoned. */
CSYSI_UNUSED static void read_once(void)
{
	int r = csys_shared_rwlock_read(region, LOCK);
	if (r >= 0)
		csys_shared_rwlock_unlock_read(region, LOCK);
	end_with(r);
}

CSYSI_UNUSED static void write_once(void)
{
	int r = csys_shared_rwlock_write(region, LOCK);
	if (r >= 0)
		csys_shared_rwlock_unlock_write(region, LOCK);
	end_with(r);
}

/* Read the lock number STEPS->told now: 0; 1: it cannot be read now. */
CSYSI_UNUSED static void try_to_read(void)
{
	csys_shared_rwlock *lock = LOCK + STEPS->told;
	int r = csys_shared_rwlock_try_read(region, lock);
	if (r == 0)
		csys_shared_rwlock_unlock_read(region, lock);
	_exit(r == 0 ? 0 : r == CSYS_EAGAIN ? 1 : 2);
}

/* Run a function where no sleep ends but by a wake, so that one that is missing is a hang. */
CSYSI_UNUSED static void in_each_way_without_naps(const csys_region_options *options,
						  void (*function)(void))
{
	int64_t nap = csysi_os_token_nap_ns;
	csysi_os_token_nap_ns = INT64_C(3600000000000);
	in_each_way_with(options, function);
	csysi_os_token_nap_ns = nap;
}

/* Until another member than this one has the word. */
CSYSI_UNUSED static void await_writer(uint32_t other)
{
	uint32_t id;
	do {
		csys_thread_yield();
		id = csysi_load_acquire(&LOCK->word) & CSYSI_ID;
	} while (id == 0 || id == other);
}

/* Until a process that was started has announced its sleep for the word. */
CSYSI_UNUSED static void await_waiter(void)
{
	while (!(csysi_load_acquire(&LOCK->word) & WAITED))
		csys_thread_yield();
}

#endif
