/*
 * os/linux/cpu.c - the CPU of this thread, and the number of CPUs.
 *
 * The kernel writes the number of the CPU into a structure of each thread (rseq), if the C
 * library has registered one; else sched_getcpu asks the vDSO or the kernel.
 */
#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#include <sched.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/linux.h"
#include "os/os.h"

int csysi_os_cpu(void)
{
	return sched_getcpu(); /* glibc reads rseq itself, since 2.35 */
}

int csysi_linux_count_cpus(pid_t thread)
{
	enum { LONGS = 128 }; /* 8192 CPUs */
	unsigned long mask[LONGS] = { 0 };
	int count = 0;

	if (sched_getaffinity(thread, sizeof mask, (cpu_set_t *)mask) == 0)
		for (int i = 0; i < LONGS; i++)
			count += __builtin_popcountl(mask[i]);
	return count;
}

int csysi_os_cpus(void)
{
	static int known;

	/* Relaxed: a hint, of which each thread may have another value. */
	int count = csysi_load_relaxed(&known);
	if (count == 0) {
		/* The mask of the first thread, which is pinned less often than other threads. */
		count = csysi_linux_count_cpus(getpid());
		if (count == 0)
			count = 1;
		csysi_store_relaxed(&known, count);
	}
	return count;
}
