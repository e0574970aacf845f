/*
 * os/linux/nowait.h - transfers with flags for the one call.
 *
 * preadv2 and pwritev2 take flags for the one call: RWF_NOWAIT (pipes: Linux
 * 6.4) and RWF_NOSIGNAL (Linux 6.18).  A file or kernel without the flag fails with
 * EOPNOTSUPP, a kernel without the calls with ENOSYS.  Then the calls of POSIX are used.
 */
#ifndef CSYSI_OS_LINUX_NOWAIT_H
#define CSYSI_OS_LINUX_NOWAIT_H

#include <sys/types.h>
#include <sys/uio.h>

#define NOWAIT 0x00000008   /* RWF_NOWAIT, newer than some headers */
#define NOSIGNAL 0x00000100 /* RWF_NOSIGNAL, likewise */

/* Whether a file, a kernel or a sandbox has refused the call or the flag.  If the error means
 * something else, the call of POSIX fails with it again. */
int csysi_linux_is_unsupported(ssize_t moved);

/* The raw call, since musl has no wrapper.  Position -1 is the current one. */
ssize_t csysi_linux_transfer(long number, int fd, const struct iovec *io, int count, int flags);

/* Whether a descriptor is of that kind of file, S_IFREG for instance. */
int csysi_linux_is_kind(int fd, mode_t kind);

/*
 * Write with NOSIGNAL, or, if that is refused, with SIGPIPE masked; `flags` are 0 or NOWAIT.  The
 * refusal is remembered if NOSIGNAL must be its reason: the write worked with NOWAIT, or the file
 * is a pipe, which supports all flags of the kernel.
 */
ssize_t csysi_linux_write_nosignal(int fd, const struct iovec *io, int count, int flags);

#endif
