/*
 * os/posix/socket_message.c - messages with handles, credentials and addresses.
 *
 * All that comes is taken, whatever room the caller has: only a handle that this process holds can
 * be closed, and what the system leaves out it reports by one flag, without saying what or why.
 * Then the caller gets all handles of the message or none.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "os/posix/socket.h"

_Static_assert(sizeof(struct csysi_os_slice) == sizeof(struct iovec) &&
		       offsetof(struct csysi_os_slice, data) == offsetof(struct iovec, iov_base) &&
		       offsetof(struct csysi_os_slice, size) == offsetof(struct iovec, iov_len),
	       "slices are what the system takes");
_Static_assert(CMSG_SPACE(CSYSI_OS_MESSAGE_HANDLES * sizeof(int)) + 512 <= CONTROL_SIZE,
	       "handles and credentials have room");

struct message {
	struct csysi_posix_transfer base;
	struct msghdr header;
	int flags;
};

static void set_slices(struct msghdr *header, const struct csysi_os_slice *slices, size_t count)
{
	/* Only the system reads it, as the struct iovec that it is laid out as. */
	header->msg_iov = (struct iovec *)(uintptr_t)slices;
#ifdef IOV_MAX
	if (count > IOV_MAX + 1u) /* one too many is refused; the type of the number may be small */
		count = IOV_MAX + 1u;
#endif
	header->msg_iovlen = (__typeof__(header->msg_iovlen))count;
}

/* ---- sending ------------------------------------------------------------------------- */

static ssize_t send_message(struct csysi_posix_transfer *base, int flags)
{
	const struct message *t = (const struct message *)base;

	return csysi_posix_sendmsg(base->fd, &t->header, flags | MSG_NOSIGNAL);
}

static int add_handles(const csys_handle *handles, size_t count, struct msghdr *header)
{
	if (count == 0)
		return 0;
	if (count > CSYSI_OS_MESSAGE_HANDLES)
		return CSYS_EINVAL;

	struct cmsghdr *item = header->msg_control;
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = (__typeof__(item->cmsg_len))CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		int fd = (int)handles[i];
		if (handles[i] < 0 || handles[i] > INT_MAX)
			return csysi_posix_fail_with(EBADF);
		memcpy(CMSG_DATA(item) + i * sizeof fd, &fd, sizeof fd);
	}
	header->msg_controllen =
		(__typeof__(header->msg_controllen))CMSG_SPACE(count * sizeof(int));
	return 0;
}

static int prepare(const struct csysi_os_message *message, struct msghdr *header,
		   struct csysi_posix_address *where)
{
	int r = add_handles(message->handles, message->handle_count, header);

	if (r == 0 && message->credentials)
		r = csysi_posix_add_credentials(message->credentials, header);
	if (r < 0)
		return r;
	if (header->msg_controllen == 0)
		header->msg_control = NULL;
	if (!message->address)
		return 0;
	r = csysi_posix_address(message->address, where);
	if (r < 0)
		return r;
	header->msg_name = &where->name;
	header->msg_namelen = where->size;
	return 0;
}

int csysi_os_socket_send_message(csysi_os_socket socket, const struct csysi_os_message *message,
				 csys_deadline deadline, size_t *out)
{
	union csysi_posix_control control;
	struct csysi_posix_address where = { .fd = -1 };
	struct message t = {
		.base = { .move = send_message, .fd = (int)socket, .writing = 1 },
		.header = { .msg_control = &control },
	};

	set_slices(&t.header, message->slices, message->slice_count);
	if (message->handle_count > 0 || message->credentials)
		memset(&control, 0, sizeof control); /* what lies between the items */
	int r = prepare(message, &t.header, &where);
	if (r == 0)
		r = csysi_posix_transfer(&t.base, deadline, out);
	csysi_posix_address_release(&where);
	/* ETOOMANYREFS: too many are on their way. */
	return r == CSYS_EOTHER && csys_os_error() == ETOOMANYREFS ? CSYS_EMFILE : r;
}

/* ---- receiving ----------------------------------------------------------------------- */

static ssize_t recv_message(struct csysi_posix_transfer *base, int flags)
{
	struct message *t = (struct message *)base;

	return csysi_posix_recvmsg(base->fd, &t->header, flags | t->flags);
}

static void close_all(const struct csysi_posix_came *came)
{
	for (size_t i = 0; i < came->count; i++)
		csysi_os_close(came->fds[i]);
}

/* Move all of them above 2.  After a failure those that are left in the list are open. */
static int raise_all(struct csysi_posix_came *came)
{
	int r = came->count > 0 ? csysi_fault(CSYS_EMFILE) : 0;

	for (size_t i = 0; i < came->count && r == 0; i++) {
		int fd = csysi_posix_above_2(came->fds[i]);
		if (fd < 0) {
			r = csysi_posix_fail();
			came->fds[i] = CSYS_NO_HANDLE;
		} else {
			came->fds[i] = fd;
		}
	}
	return r;
}

/* Whether the message can be given to the caller. */
static int judge(const struct msghdr *header, struct csysi_posix_came *came, size_t room)
{
	if (came->count > room)
		return CSYS_EBADMSG;
	/* There was room for all of it: so it is this process that can have no more. */
	if (header->msg_flags & MSG_CTRUNC)
		return csysi_posix_fail_with(EMFILE);
	if (header->msg_flags & MSG_TRUNC)
		return csysi_posix_fail_with(EMSGSIZE);
	return raise_all(came);
}

static int hand_over(const struct msghdr *header, const struct sockaddr_un *name,
		     struct csysi_os_received *received)
{
	struct csysi_posix_came came;

	csysi_posix_read_control(header->msg_control, header->msg_controllen, &came);
	csysi_os_close(came.other);
	received->credentials = came.credentials; /* also of a message that is lost */
	int r = judge(header, &came, received->handle_room);
	if (r < 0) {
		close_all(&came);
		return r;
	}
	for (size_t i = 0; i < came.count; i++)
		received->handles[i] = came.fds[i];
	received->handle_count = came.count;
	if (received->address)
		csysi_posix_told(name, header->msg_namelen, received->address);
	return 0;
}

int csysi_os_socket_recv_message(csysi_os_socket socket, struct csysi_os_received *received,
				 unsigned how, csys_deadline deadline)
{
	union csysi_posix_control control;
	/* Linux tells a path that fills its type with a NUL behind it: one byte more. */
	union {
		struct sockaddr_un local;
		struct sockaddr_storage room;
	} name;
	struct message t = {
		.base = { .move = recv_message, .fd = (int)socket },
		.header = {
			.msg_name = received->address ? &name : NULL,
			.msg_namelen = received->address ? sizeof name : 0,
			.msg_control = &control,
			.msg_controllen = sizeof control,
		},
		.flags = how & CSYSI_OS_ALL ? MSG_WAITALL : 0,
	};
	size_t size;

	set_slices(&t.header, received->slices, received->slice_count);
	int r = csysi_posix_transfer(&t.base, deadline, &size);
	if (r == 0)
		r = hand_over(&t.header, &name.local, received);
	if (r == 0)
		received->size = size;
	return r;
}
