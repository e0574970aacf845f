/*
 * os/posix/socket_transfer.c - sending and receiving with a deadline.
 *
 * As with streams, the nonblocking flag of a socket is neither read nor changed: without a deadline
 * the call itself waits, and if the socket is nonblocking poll does; with one each call has
 * MSG_DONTWAIT, and poll waits between two of them.
 *
 * poll says that a datagram can be sent to any address, also while that one is full.  So from the
 * second time on there is a pause before it is asked again.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>

#include "base/fault.h"
#include "os/posix/socket.h"

static int is_too_early(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Go on after an attempt that has failed, with errno. */
static int go_on(struct csysi_posix_transfer *t, int flags, csys_deadline deadline, size_t *out)
{
	struct csysi_posix_attempts attempts = {
		.ready = { .handle = t->fd, .writing = t->writing, .is_known = 1 }
	};
	ssize_t moved;

	do {
		if (is_too_early() && csys_deadline_is_poll(deadline))
			return CSYS_ETIMEDOUT;
		int r = csysi_posix_await_attempt(&attempts, deadline);
		if (r < 0)
			return r;
		moved = t->move(t, flags);
	} while (moved < 0);
	*out = (size_t)moved;
	return 0;
}

int csysi_posix_transfer(struct csysi_posix_transfer *t, csys_deadline deadline, size_t *out)
{
	int r = csysi_fault(CSYS_EIO);
	if (r < 0)
		return r;

	int flags = csys_deadline_is_forever(deadline) ? 0 : MSG_DONTWAIT;
	ssize_t moved = t->move(t, flags);
	if (moved < 0)
		return go_on(t, flags, deadline, out);
	*out = (size_t)moved;
	return 0;
}

/* ---- plain bytes --------------------------------------------------------------------- */

struct plain {
	struct csysi_posix_transfer base;
	const void *data; /* to send */
	void *buffer;     /* to receive */
	size_t size;
	int flags;
	int is_message;
};

static ssize_t send_plain(struct csysi_posix_transfer *base, int flags)
{
	const struct plain *t = (const struct plain *)base;

	return send(base->fd, t->data, t->size, flags | MSG_NOSIGNAL);
}

static ssize_t recv_plain(struct csysi_posix_transfer *base, int flags)
{
	const struct plain *t = (const struct plain *)base;

	flags |= t->flags;
	return t->is_message ? csysi_posix_recv_whole(base->fd, t->buffer, t->size, flags)
			     : recv(base->fd, t->buffer, t->size, flags);
}

int csysi_os_socket_send(csysi_os_socket socket, const void *data, size_t size,
			 csys_deadline deadline, size_t *out)
{
	struct plain t = {
		.base = { .move = send_plain, .fd = (int)socket, .writing = 1 },
		.data = data,
		.size = size,
	};
	return csysi_posix_transfer(&t.base, deadline, out);
}

int csysi_os_socket_recv(csysi_os_socket socket, void *buffer, size_t size, unsigned how,
			 csys_deadline deadline, size_t *out)
{
	struct plain t = {
		.base = { .move = recv_plain, .fd = (int)socket },
		.buffer = buffer,
		.size = size,
		.flags = (how & CSYSI_OS_PEEK ? MSG_PEEK : 0) |
			 (how & CSYSI_OS_ALL ? MSG_WAITALL : 0),
		.is_message = (how & CSYSI_OS_MESSAGES) != 0,
	};
	return csysi_posix_transfer(&t.base, deadline, out);
}
