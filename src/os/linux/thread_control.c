/*
 * os/linux/thread_control.c - the name, the CPUs and the priority of a running thread, by its
 * number.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/posix/posix.h"

/* CPUs have numbers below this in every kernel that can be built. */
#define MOST_CPU 8192

#define BITS (8 * sizeof(unsigned long))

int64_t csysi_os_thread_number(void)
{
	return syscall(SYS_gettid);
}

void csysi_os_thread_rename(const struct csysi_os_thread *thread, const char *name)
{
	char path[64];

	if (thread->number == csysi_os_thread_number()) {
		csysi_os_name_thread(name);
		return;
	}
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/comm", (long)thread->number);
	int before = csysi_os_hold_cancel();
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file >= 0) {
		/* The kernel keeps 15 bytes.  Without /proc it keeps the old name. */
		ssize_t ignored = write(file, name, strlen(name));
		(void)ignored;
		close(file);
	}
	csysi_os_release_cancel(before);
}

int csysi_os_thread_set_cpus(const struct csysi_os_thread *thread, const unsigned *cpus,
			     size_t count)
{
	unsigned long mask[MOST_CPU / BITS];

	memset(mask, 0, sizeof mask);
	for (size_t i = 0; i < count; i++) {
		if (cpus[i] >= MOST_CPU) {
			errno = EINVAL;
			return csysi_posix_fail();
		}
		mask[cpus[i] / BITS] |= 1ul << cpus[i] % BITS;
	}
	return syscall(SYS_sched_setaffinity, (long)thread->number, sizeof mask, mask) < 0
		       ? csysi_posix_fail()
		       : 0;
}

/* The C library's call is for the process in some of them; the kernel's is for the thread. */
static int set_class(const struct csysi_os_thread *thread, int policy, int value)
{
	struct sched_param parameters;

	memset(&parameters, 0, sizeof parameters);
	parameters.sched_priority = value;
	return syscall(SYS_sched_setscheduler, (long)thread->number, policy, &parameters) < 0
		       ? csysi_posix_fail()
		       : 0;
}

static int set_nice(const struct csysi_os_thread *thread, int value)
{
	/* The kernel takes the nearest value that there is. */
	if (value < -20 || value > 19) {
		errno = EINVAL;
		return csysi_posix_fail();
	}
	if (syscall(SYS_setpriority, PRIO_PROCESS, (long)thread->number, value) == 0)
		return 0;
	if (errno == EACCES)
		errno = EPERM;
	return csysi_posix_fail();
}

int csysi_os_thread_set_priority(const struct csysi_os_thread *thread, int kind, int value)
{
	switch (kind) {
	case CSYSI_OS_PRIORITY_NICE:
		return set_nice(thread, value);
	case CSYSI_OS_PRIORITY_NORMAL:
		return set_class(thread, SCHED_OTHER, value);
	case CSYSI_OS_PRIORITY_FIFO:
		return set_class(thread, SCHED_FIFO, value);
	default:
		return set_class(thread, SCHED_RR, value);
	}
}
