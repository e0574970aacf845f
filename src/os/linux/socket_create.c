/*
 * os/linux/socket_create.c - new sockets, close-on-exec at once.
 */
#define _GNU_SOURCE /* accept4 */
#include "os/posix/socket.h"

void csysi_posix_no_sigpipe(int fd)
{
	(void)fd; /* each call has MSG_NOSIGNAL */
}

int csysi_posix_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC, 0);
}

int csysi_posix_socketpair(int type, int made[2])
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, made);
}

int csysi_posix_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}
