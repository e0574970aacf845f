/*
 * ipc/datagram.c - messages without a connection.
 */
#include <csys/ipc/datagram.h>

#include "ipc/address.h"
#include "ipc/socket.h"

#include <csys/ipc/message.h>

int csys_datagram_bind(const csys_address *address, const csys_socket_options *options,
		       csys_socket **out)
{
	if (!out || csys_address_kind_of(address) == CSYS_ADDRESS_UNNAMED)
		return CSYS_EINVAL;
	return csysi_socket_make(address, options, CSYS_SOCKET_DATAGRAM, out);
}

int csys_datagram_unbound(const csys_socket_options *options, csys_socket **out)
{
	return out ? csysi_socket_make(NULL, options, CSYS_SOCKET_DATAGRAM, out) : CSYS_EINVAL;
}

int csys_datagram_connect(csys_socket *socket, const csys_address *address)
{
	struct csysi_os_address where;

	if (!socket || socket->kind != CSYS_SOCKET_DATAGRAM)
		return CSYS_EINVAL;
	int r = csysi_address_to_os(address, &where);
	if (r == 0 && csysi_address_is_abstract(address) && !socket->any_user)
		r = CSYS_EPERM;
	return r < 0 ? r : csysi_os_socket_connect(socket->os, &where, CSYS_FOREVER);
}

/* ---- transfers ----------------------------------------------------------------------- */

int csys_datagram_send_to_until(csys_socket *socket, const csys_address *address, const void *data,
				size_t size, csys_deadline deadline)
{
	csys_slice slice = { data, size };
	csys_message message = { .slices = &slice, .slice_count = 1, .address = address };

	return address ? csys_message_send_until(socket, &message, deadline, NULL) : CSYS_EINVAL;
}

int csys_datagram_send_to(csys_socket *socket, const csys_address *address, const void *data,
			  size_t size)
{
	return csys_datagram_send_to_until(socket, address, data, size, CSYS_FOREVER);
}

int csys_datagram_try_send_to(csys_socket *socket, const csys_address *address, const void *data,
			      size_t size)
{
	return csysi_socket_now(
		csys_datagram_send_to_until(socket, address, data, size, CSYS_POLL));
}

int csys_datagram_recv_from_until(csys_socket *socket, void *buffer, size_t size,
				  csys_deadline deadline, size_t *out_size,
				  csys_address *out_address)
{
	csys_handle handles[CSYS_MESSAGE_HANDLES]; /* which are closed */
	csys_slice_mut slice = { buffer, size };
	csys_received_message message = { .slices = &slice,
					  .slice_count = 1,
					  .handles = handles,
					  .handle_room = CSYS_MESSAGE_HANDLES,
					  .address = out_address };

	if (!out_size)
		return CSYS_EINVAL;
	int r = csys_message_recv_until(socket, &message, deadline);
	if (r < 0)
		return r;
	csys_message_close_handles(&message);
	*out_size = message.size;
	return 0;
}

int csys_datagram_recv_from(csys_socket *socket, void *buffer, size_t size, size_t *out_size,
			    csys_address *out_address)
{
	return csys_datagram_recv_from_until(socket, buffer, size, CSYS_FOREVER, out_size,
					     out_address);
}

int csys_datagram_try_recv_from(csys_socket *socket, void *buffer, size_t size, size_t *out_size,
				csys_address *out_address)
{
	return csysi_socket_now(csys_datagram_recv_from_until(socket, buffer, size, CSYS_POLL,
							      out_size, out_address));
}
