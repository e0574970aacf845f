/*
 * os/posix/socket_recv.c - receiving messages where the system has no flags for it.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "os/posix/socket.h"

ssize_t csysi_posix_recv_whole(int fd, void *buffer, size_t size, int flags)
{
	struct iovec io = { buffer, size };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t moved = recvmsg(fd, &message, flags);

	if (moved >= 0 && message.msg_flags & MSG_TRUNC) {
		errno = EMSGSIZE;
		return -1;
	}
	return moved;
}

/* The fork lock must not be held while it waits, so it does not: the caller polls. */
ssize_t csysi_posix_recvmsg(int fd, struct msghdr *message, int flags)
{
	int before = csysi_os_hold_cancel(); /* it would keep the lock */
	csysi_posix_fork_lock_shared();
	ssize_t moved = recvmsg(fd, message, flags | MSG_DONTWAIT);
	int error = errno;
	if (moved >= 0) {
		struct csysi_posix_came came;
		csysi_posix_read_control(message->msg_control, message->msg_controllen, &came);
		for (size_t i = 0; i < came.count; i++)
			fcntl(came.fds[i], F_SETFD, FD_CLOEXEC);
	}
	csysi_posix_fork_unlock();
	csysi_os_release_cancel(before);
	errno = error;
	return moved;
}
