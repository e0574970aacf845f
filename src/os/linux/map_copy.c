/*
 * os/linux/map_copy.c - copying out of a mapping, as if it were another process's memory.
 */
#define _GNU_SOURCE /* process_vm_readv, syscall */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/posix/posix.h"

int csysi_os_map_copy(const void *from, void *to, size_t size)
{
	char *source = (char *)(uintptr_t)from; /* which is only read; an iovec has no const */
	char *target = to;
	/* Not the process: it has no memory any more when its first thread has ended. */
	pid_t self = (pid_t)syscall(SYS_gettid);

	while (size > 0) {
		struct iovec here = { target, size }, there = { source, size };
		ssize_t copied = process_vm_readv(self, &here, 1, &there, 1, 0);
		/* EPERM: a sandbox. */
		if (copied < 0 && (errno == ENOSYS || errno == EPERM))
			return csysi_posix_copy_by_pipe(source, target, size);
		if (copied <= 0) {
			int r = csysi_posix_fail();
			return copied == 0 || errno == EFAULT ? CSYS_EIO : r;
		}
		/* Less, up to a page that cannot be read: the next call says so. */
		source += copied;
		target += copied;
		size -= (size_t)copied;
	}
	return 0;
}
