/*
 * os/linux/socket_recv.c - receiving messages, in one system call each.
 */
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#include <errno.h>

#include "os/posix/socket.h"

/* With MSG_TRUNC the length of the whole message is returned. */
ssize_t csysi_posix_recv_whole(int fd, void *buffer, size_t size, int flags)
{
	ssize_t moved = recv(fd, buffer, size, flags | MSG_TRUNC);

	if (moved >= 0 && (size_t)moved > size) {
		errno = EMSGSIZE;
		return -1;
	}
	return moved;
}

ssize_t csysi_posix_recvmsg(int fd, struct msghdr *message, int flags)
{
	return recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC);
}
