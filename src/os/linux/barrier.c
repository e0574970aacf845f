/*
 * os/linux/barrier.c - a memory barrier in all threads of this process: membarrier.
 *
 * The kernel wants a process to register first.  A forked child is registered as its parent is, a
 * program that was executed is not.
 */
#define _GNU_SOURCE /* syscall */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"

/* 0: not asked yet. */
enum { THERE = 1, ABSENT = 2 };
static uint32_t known;

int csysi_os_barrier_is_there(void)
{
	/* Relaxed: each thread may ask for itself. */
	uint32_t is = csysi_load_relaxed(&known);

	if (is == 0) {
		long r = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
		is = r == 0 ? THERE : ABSENT;
		csysi_store_relaxed(&known, is);
	}
	return is == THERE;
}

void csysi_os_barrier(void)
{
	/* The first try succeeds, unless the kernel is out of memory. */
	while (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
		(void)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}
