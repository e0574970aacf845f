/*
 * ipc/message.c - messages with handles, credentials and several parts.
 *
 * A guarded socket (an abstract address without any_user) receives all its messages here, with the
 * credentials that the system tells, and passes over those of other users: also those that cannot
 * be received, such as one with more handles than there is room for.
 */
#include <csys/ipc/message.h>

#include "ipc/address.h"
#include "ipc/socket.h"

/* Messages that one call passes over after its deadline, so that a flood of them ends it. */
#define MOST_PASSED_OVER 64

_Static_assert(CSYS_MESSAGE_HANDLES == CSYSI_OS_MESSAGE_HANDLES, "os/socket.h says the same");
_Static_assert(sizeof(csys_slice) == sizeof(struct csysi_os_slice) &&
		       offsetof(csys_slice, size) == offsetof(struct csysi_os_slice, size) &&
		       sizeof(csys_slice_mut) == sizeof(struct csysi_os_slice) &&
		       offsetof(csys_slice_mut, size) == offsetof(struct csysi_os_slice, size),
	       "slices are handed on as they are");

/* ---- slices -------------------------------------------------------------------------- */

/* *out_size is the sum, SIZE_MAX if there is no number for it.  CSYS_EINVAL: one has no bytes. */
static int measure(const struct csysi_os_slice *slices, size_t count, size_t *out_size)
{
	size_t size = 0;

	if (!slices && count > 0)
		return CSYS_EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!slices[i].data && slices[i].size > 0)
			return CSYS_EINVAL;
		size = slices[i].size > SIZE_MAX - size ? SIZE_MAX : size + slices[i].size;
	}
	*out_size = size;
	return 0;
}

/* ---- sending ------------------------------------------------------------------------- */

static int is_without_bytes(const csys_socket *socket, size_t size)
{
	return size == 0 && socket->kind != CSYS_SOCKET_DATAGRAM;
}

/* What the kind of the socket does not allow. */
static int check(const csys_socket *socket, const csys_message *message, size_t size)
{
	if (message->handle_count > CSYS_MESSAGE_HANDLES ||
	    (!message->handles && message->handle_count > 0))
		return CSYS_EINVAL;
	/* A stream takes no handles without a byte; an empty message of a seqpacket is the end. */
	if (is_without_bytes(socket, size) &&
	    (message->handle_count > 0 || socket->kind == CSYS_SOCKET_SEQPACKET))
		return CSYS_EINVAL;
	if (!socket->is_local && (message->handle_count > 0 || message->credentials))
		return CSYS_ENOTSUP;
	if (message->address && socket->kind != CSYS_SOCKET_DATAGRAM)
		return CSYS_EINVAL;
	if (csysi_address_is_abstract(message->address) && !socket->any_user)
		return CSYS_EPERM;
	return 0;
}

int csys_message_send_until(csys_socket *socket, const csys_message *message,
			    csys_deadline deadline, size_t *out_size)
{
	struct csysi_os_address where;
	struct csysi_os_credentials said;
	size_t size, sent;

	if (!socket || !message)
		return CSYS_EINVAL;
	struct csysi_os_message os = {
		.slices = (const struct csysi_os_slice *)(const void *)message->slices,
		.slice_count = message->slice_count,
		.handles = message->handles,
		.handle_count = message->handle_count,
	};
	int r = measure(os.slices, os.slice_count, &size);
	if (r == 0)
		r = check(socket, message, size);
	if (r == 0 && message->address) {
		r = csysi_address_to_os(message->address, &where);
		os.address = &where;
	}
	if (r < 0)
		return r;
	if (socket->kind == CSYS_SOCKET_STREAM) {
		/* So that the first of those that are sent at once has bytes. */
		for (; os.slice_count > 0 && os.slices->size == 0; os.slices++)
			os.slice_count--;
		if (os.slice_count > CSYS_MESSAGE_SLICES)
			os.slice_count = CSYS_MESSAGE_SLICES;
		if (size == 0) {
			sent = 0;
			goto done;
		}
	}
	if (message->credentials) {
		said = (struct csysi_os_credentials){ message->credentials->pid,
						      message->credentials->uid,
						      message->credentials->gid };
		os.credentials = &said;
	}
	r = csysi_os_socket_send_message(socket->os, &os, deadline, &sent);
	if (r < 0)
		return r;
done:
	if (out_size)
		*out_size = sent;
	return 0;
}

int csys_message_send(csys_socket *socket, const csys_message *message, size_t *out_size)
{
	return csys_message_send_until(socket, message, CSYS_FOREVER, out_size);
}

int csys_message_try_send(csys_socket *socket, const csys_message *message, size_t *out_size)
{
	return csysi_socket_now(csys_message_send_until(socket, message, CSYS_POLL, out_size));
}

/* ---- receiving ----------------------------------------------------------------------- */

static void close_handles(csys_handle *handles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		csys_handle_close(handles[i]);
}

/* Whether a message was received, though it may be lost. */
static int has_come(int r)
{
	return r == 0 || r == CSYS_EBADMSG || r == CSYS_EMFILE || r == CSYS_EMSGSIZE;
}

int csysi_socket_recv_message(csys_socket *socket, struct csysi_os_received *received,
			      csys_deadline deadline)
{
	for (int passed_over = 0;; passed_over++) {
		int r = csysi_os_socket_recv_message(socket->os, received, csysi_socket_how(socket),
						     deadline);
		if (!socket->is_guarded || !has_come(r) ||
		    csysi_os_socket_is_user(received->credentials.uid))
			return r;
		if (r == 0)
			close_handles(received->handles, received->handle_count);
		if (passed_over >= MOST_PASSED_OVER && csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
	}
}

int csysi_socket_recv_guarded(csys_socket *socket, void *buffer, size_t size,
			      csys_deadline deadline, size_t *out)
{
	csys_handle handles[CSYS_MESSAGE_HANDLES];
	struct csysi_os_slice slice = { buffer, size };
	struct csysi_os_received received = { .slices = &slice,
					      .slice_count = 1,
					      .handles = handles,
					      .handle_room = CSYS_MESSAGE_HANDLES };
	int r = csysi_socket_recv_message(socket, &received, deadline);

	if (r < 0)
		return r;
	close_handles(handles, received.handle_count);
	*out = received.size;
	return 0;
}

int csys_message_recv_until(csys_socket *socket, csys_received_message *message,
			    csys_deadline deadline)
{
	struct csysi_os_address_told told;
	size_t size;

	if (!socket || !message || (!message->handles && message->handle_room > 0))
		return CSYS_EINVAL;
	struct csysi_os_received os = {
		.slices = (const struct csysi_os_slice *)(const void *)message->slices,
		.slice_count = message->slice_count,
		.handles = message->handles,
		.handle_room = message->handle_room,
		.address = message->address ? &told : NULL,
		.credentials = { -1, -1, -1 },
	};
	int r = measure(os.slices, os.slice_count, &size);
	if (r == 0 && os.slice_count > CSYS_MESSAGE_SLICES)
		r = CSYS_EINVAL;
	if (r == 0 && size == 0 && socket->kind == CSYS_SOCKET_STREAM)
		told = (struct csysi_os_address_told){ 0 }; /* nothing is received */
	else if (r == 0)
		r = csysi_socket_recv_message(socket, &os, deadline);
	if (r < 0)
		return r;
	message->size = os.size;
	message->handle_count = os.handle_count;
	message->credentials =
		(csys_credentials){ os.credentials.pid, os.credentials.uid, os.credentials.gid };
	if (message->address)
		csysi_address_from_os(&told, message->address);
	return 0;
}

int csys_message_recv(csys_socket *socket, csys_received_message *message)
{
	return csys_message_recv_until(socket, message, CSYS_FOREVER);
}

int csys_message_try_recv(csys_socket *socket, csys_received_message *message)
{
	return csysi_socket_now(csys_message_recv_until(socket, message, CSYS_POLL));
}

void csys_message_close_handles(csys_received_message *message)
{
	if (!message)
		return;
	close_handles(message->handles, message->handle_count);
	message->handle_count = 0;
}
