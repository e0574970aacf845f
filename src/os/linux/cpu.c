/*
 * os/linux/cpu.c - the CPU of this thread, and the number of CPUs.
 *
 * The kernel writes the number of the CPU into a structure of each thread (rseq), if the C
 * library has registered one; else sched_getcpu asks the vDSO or the kernel.
 */
#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#include <sched.h>
#include <unistd.h>
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define CSYSI_HAS_RSEQ 1
#endif
#endif

#include "base/atomic.h"
#include "os/linux/linux.h"
#include "os/os.h"

int csysi_os_cpu(void)
{
	return sched_getcpu(); /* glibc reads rseq itself, since 2.35 */
}

#ifdef CSYSI_HAS_RSEQ
static const char *thread_pointer(void)
{
#if defined(__x86_64__)
	const char *self;
	__asm__("mov %%fs:0, %0" : "=r"(self));
	return self;
#elif defined(__i386__)
	const char *self;
	__asm__("mov %%gs:0, %0" : "=r"(self));
	return self;
#else
	return __builtin_thread_pointer();
#endif
}

const uint32_t *csysi_os_cpu_word(void)
{
	const struct rseq *area = (const void *)(thread_pointer() + __rseq_offset);

	/* It is registered for all threads, or for none. */
	return __rseq_size > 0 ? &area->cpu_id : NULL;
}
#else
const uint32_t *csysi_os_cpu_word(void)
{
	return NULL;
}
#endif

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
