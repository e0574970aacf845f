/*
 * os/posix/socket_send.c - sending messages where the C library takes all of their control data.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include "os/posix/socket.h"

ssize_t csysi_posix_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return sendmsg(fd, message, flags);
}
