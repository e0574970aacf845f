/*
 * os/linux/this_thread.c - the name and the CPUs of the calling thread.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/linux.h"
#include "os/posix/posix.h"

#define BITS (8 * sizeof(unsigned long))

void csysi_os_name_thread(const char *name)
{
	/* The kernel keeps 15 bytes. */
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

int csysi_os_place_thread(const unsigned *cpus, size_t count)
{
	unsigned long mask[MOST_CPUS / BITS];

	memset(mask, 0, sizeof mask);
	for (size_t i = 0; i < count; i++) {
		if (cpus[i] >= MOST_CPUS) {
			errno = EINVAL;
			return csysi_posix_fail();
		}
		mask[cpus[i] / BITS] |= 1ul << cpus[i] % BITS;
	}
	/* 0 is the calling thread alone. */
	return syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_is_main_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}
