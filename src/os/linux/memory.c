/*
 * os/linux/memory.c - memory that is a file: memfd, and its seals.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Newer than some libcs. */
#define WITH_CLOEXEC 1u
#define WITH_SEALS 2u
#define OF_HUGE_PAGES 4u
#define NOT_EXECUTABLE 8u /* with a seal; Linux 6.3 */
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL_SEAL 1
#define SEAL_SHRINK 2
#define SEAL_GROW 4
#define SEAL_FUTURE_WRITE 16 /* Linux 5.1 */
#define SEAL_WRITE 8

static int create(const char *label, unsigned flags)
{
	int fd = (int)syscall(SYS_memfd_create, label, flags | NOT_EXECUTABLE);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_memfd_create, label, flags);
	return fd < 0 ? fd : csysi_posix_above_2(fd);
}

int csysi_os_memory_create(const char *label, int huge, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	char cut[200]; /* the kernel takes 249 bytes */
	snprintf(cut, sizeof cut, "%s", label);
	int fd = create(cut, WITH_CLOEXEC | WITH_SEALS | (huge ? OF_HUGE_PAGES : 0));
	if (fd < 0) {
		r = csysi_posix_fail();
		/* A sandbox refuses it in its own way; without huge pages they are unknown. */
		return r == CSYS_EPERM || r == CSYS_EINVAL || r == CSYS_ENOENT ? CSYS_ENOTSUP : r;
	}
	*out = fd;
	return 0;
}

size_t csysi_os_memory_huge_size(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	unsigned long kilobytes = 0;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Hugepagesize: %lu kB", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return (size_t)kilobytes << 10;
}

uint64_t csysi_os_memory_total(void)
{
	struct sysinfo about;

	if (sysinfo(&about) < 0)
		return UINT64_MAX;
	return ((uint64_t)about.totalram + about.totalswap) * about.mem_unit;
}

int csysi_os_memory_seal(csys_handle file, unsigned seals)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;

	int bits = (seals & CSYSI_OS_SEAL_SHRINK ? SEAL_SHRINK : 0) |
		   (seals & CSYSI_OS_SEAL_GROW ? SEAL_GROW : 0) |
		   (seals & CSYSI_OS_SEAL_NEW_WRITE ? SEAL_FUTURE_WRITE : 0) |
		   (seals & CSYSI_OS_SEAL_SEAL ? SEAL_SEAL : 0);
	if (fcntl((int)file, F_ADD_SEALS, bits) == 0)
		return 0;
	r = csysi_posix_fail();
	return r == CSYS_EINVAL ? CSYS_ENOTSUP : r;
}

int csysi_os_memory_seals(csys_handle file, unsigned *out)
{
	int bits = fcntl((int)file, F_GET_SEALS);

	if (bits < 0) {
		int r = csysi_posix_fail();
		return r == CSYS_EINVAL ? CSYS_ENOTSUP : r;
	}
	*out = (bits & SEAL_SHRINK ? CSYSI_OS_SEAL_SHRINK : 0) |
	       (bits & SEAL_GROW ? CSYSI_OS_SEAL_GROW : 0) |
	       (bits & (SEAL_FUTURE_WRITE | SEAL_WRITE) ? CSYSI_OS_SEAL_NEW_WRITE : 0) |
	       (bits & SEAL_SEAL ? CSYSI_OS_SEAL_SEAL : 0);
	return 0;
}
