/*
 * os/linux/socket_send.c - sending messages, also with more control data than a C library takes.
 *
 * musl copies control data into 1024 bytes, and says ENOMEM if there are more; 253 handles take
 * 1032.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/posix/socket.h"

#define LIBC_CONTROL 1024

/* What the kernel takes for a struct msghdr, whose fields have other types in musl. */
struct kernel_message {
	void *name;
	int name_size;
	struct iovec *slices;
	size_t slice_count;
	void *control;
	size_t control_size;
	unsigned flags;
};

/* It does not wait, as no thread that waits in it could be cancelled. */
static ssize_t send_past_libc(int fd, const struct msghdr *message, int flags)
{
	struct kernel_message kernel = {
		.name = message->msg_name,
		.name_size = (int)message->msg_namelen,
		.slices = message->msg_iov,
		.slice_count = (size_t)message->msg_iovlen,
		.control = message->msg_control,
		.control_size = (size_t)message->msg_controllen,
	};

	return syscall(SYS_sendmsg, fd, &kernel, flags | MSG_DONTWAIT);
}

ssize_t csysi_posix_sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t moved = sendmsg(fd, message, flags);

	if (moved < 0 && errno == ENOMEM && message->msg_controllen > LIBC_CONTROL)
		return send_past_libc(fd, message, flags);
	return moved;
}
