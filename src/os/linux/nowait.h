/*
 * os/linux/nowait.h - transfers with flags for the one call.
 *
 * preadv2 and pwritev2 take flags for the one call: RWF_NOWAIT (pipes: Linux
 * 6.4) and RWF_NOSIGNAL (Linux 6.18).  A file or kernel without the flag fails with
 * EOPNOTSUPP, a kernel without the calls with ENOSYS.  Then the calls of POSIX are used.
 */
#ifndef CSYSI_OS_LINUX_NOWAIT_H
#define CSYSI_OS_LINUX_NOWAIT_H

#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/atomic.h"

#define NOWAIT 0x00000008   /* RWF_NOWAIT, newer than some headers */
#define NOSIGNAL 0x00000100 /* RWF_NOSIGNAL, likewise */

/* Whether a file, a kernel or a sandbox has refused the call or the flag.  If the error means
 * something else, the call of POSIX fails with it again. */
int csysi_linux_is_unsupported(ssize_t moved);

/* The raw call, since musl has no wrapper.  Position -1 is the current one.  Inline: a processor
 * that forgets in a system call where returns lead takes longer for each that follows. */
static inline ssize_t csysi_linux_transfer(long number, int fd, const struct iovec *io, int count,
					   int flags)
{
	return syscall(number, fd, io, (long)count, -1L, -1L, flags);
}

/* Whether a descriptor is of that kind of file, S_IFREG for instance. */
int csysi_linux_is_kind(int fd, mode_t kind);

/*
 * Write with SIGPIPE masked, after NOSIGNAL was refused; `flags` are 0 or NOWAIT.  The refusal is
 * remembered if NOSIGNAL must be its reason: the write worked with NOWAIT, or the file is a pipe,
 * which supports all flags of the kernel.
 */
ssize_t csysi_linux_write_masked(int fd, const struct iovec *io, int count, int flags);

/* Set when this kernel does not know NOSIGNAL.  Relaxed: it guards no data. */
extern int csysi_linux_no_nosignal;

/* Write with NOSIGNAL, or as above. */
static inline ssize_t csysi_linux_write_nosignal(int fd, const struct iovec *io, int count,
						 int flags)
{
	if (CSYSI_LIKELY(!csysi_load_relaxed(&csysi_linux_no_nosignal))) {
		ssize_t moved = csysi_linux_transfer(SYS_pwritev2, fd, io, count, flags | NOSIGNAL);
		if (CSYSI_LIKELY(moved >= 0) || !csysi_linux_is_unsupported(moved))
			return moved;
	}
	return csysi_linux_write_masked(fd, io, count, flags);
}

#endif
