/*
 * sync/atomic.c - waiting for a word.
 */
#include <csys/sync/atomic.h>

#include "os/os.h"

void csys_atomic_wait(const csys_atomic_u32 *word, uint32_t expected)
{
	csysi_os_wait(&word->value, expected, CSYS_FOREVER, 0);
}

int csys_atomic_wait_until(const csys_atomic_u32 *word, uint32_t expected, csys_deadline deadline)
{
	return csysi_os_wait(&word->value, expected, deadline, 0);
}

uint32_t csys_atomic_wake(const csys_atomic_u32 *word, uint32_t count)
{
	return csysi_os_wake(&word->value, count, 0);
}

int csys_atomic_wait_shared_until(const csys_atomic_u32 *word, uint32_t expected,
				  csys_deadline deadline)
{
	return csysi_os_wait(&word->value, expected, deadline, 1);
}

void csys_atomic_wake_shared(const csys_atomic_u32 *word, uint32_t count)
{
	csysi_os_wake(&word->value, count, 1);
}
