/*
 * os/linux/cpu.c - which CPU this is, and how many there are.
 *
 * The kernel writes it into a structure of each thread (rseq), which glibc
 * registers; else sched_getcpu asks the vDSO, or the kernel.
 */
#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#include <sched.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"

int csysi_os_cpu(void)
{
	return sched_getcpu(); /* glibc reads rseq itself, since 2.35 */
}

int csysi_os_cpus(void)
{
	static int known;
	cpu_set_t sets[8]; /* 8192 CPUs */

	/* Relaxed: all who ask get the same, or nearly. */
	int count = csysi_load_relaxed(&known);
	if (count == 0) {
		/* Of the first thread, which is pinned less often than those that it makes. */
		count = sched_getaffinity(getpid(), sizeof sets, sets) == 0
				? CPU_COUNT_S(sizeof sets, sets)
				: 1;
		csysi_store_relaxed(&known, count);
	}
	return count;
}
