/*
 * ipc/socket_transfer.c - sending to and receiving from a socket.
 */
#include "ipc/socket.h"

/* ---- sending ------------------------------------------------------------------------- */

int csys_socket_send_until(csys_socket *socket, const void *data, size_t size,
			   csys_deadline deadline, size_t *out_size)
{
	if (!socket || !out_size || (!data && size > 0))
		return CSYS_EINVAL;
	if (size == 0 && socket->kind == CSYS_SOCKET_STREAM) {
		*out_size = 0;
		return 0;
	}
	if (size == 0 && socket->kind == CSYS_SOCKET_SEQPACKET)
		return CSYS_EINVAL; /* it would be received as the end */
	return csysi_os_socket_send(socket->os, data, size, deadline, out_size);
}

int csys_socket_send(csys_socket *socket, const void *data, size_t size, size_t *out_size)
{
	return csys_socket_send_until(socket, data, size, CSYS_FOREVER, out_size);
}

int csys_socket_try_send(csys_socket *socket, const void *data, size_t size, size_t *out_size)
{
	return csysi_socket_now(csys_socket_send_until(socket, data, size, CSYS_POLL, out_size));
}

int csys_socket_send_all_until(csys_socket *socket, const void *data, size_t size,
			       csys_deadline deadline, size_t *out_size)
{
	size_t done = 0;
	int r;

	do {
		size_t more = 0;
		r = csys_socket_send_until(socket, data ? (const char *)data + done : NULL,
					   size - done, deadline, &more);
		done += more;
	} while (r == 0 && done < size);
	if (out_size)
		*out_size = done;
	return r;
}

int csys_socket_send_all(csys_socket *socket, const void *data, size_t size, size_t *out_size)
{
	return csys_socket_send_all_until(socket, data, size, CSYS_FOREVER, out_size);
}

/* ---- receiving ----------------------------------------------------------------------- */

static int receive(csys_socket *socket, void *buffer, size_t size, unsigned how,
		   csys_deadline deadline, size_t *out_size)
{
	if (!socket || !out_size || (!buffer && size > 0))
		return CSYS_EINVAL;
	if (size == 0 && socket->kind == CSYS_SOCKET_STREAM) {
		*out_size = 0;
		return 0;
	}
	if (socket->is_guarded)
		return how & CSYSI_OS_PEEK ? CSYS_ENOTSUP
					   : csysi_socket_recv_guarded(socket, buffer, size,
								       deadline, out_size);
	return csysi_os_socket_recv(socket->os, buffer, size, how | csysi_socket_how(socket),
				    deadline, out_size);
}

int csys_socket_recv_until(csys_socket *socket, void *buffer, size_t size, csys_deadline deadline,
			   size_t *out_size)
{
	return receive(socket, buffer, size, 0, deadline, out_size);
}

int csys_socket_recv(csys_socket *socket, void *buffer, size_t size, size_t *out_size)
{
	return receive(socket, buffer, size, 0, CSYS_FOREVER, out_size);
}

int csys_socket_try_recv(csys_socket *socket, void *buffer, size_t size, size_t *out_size)
{
	return csysi_socket_now(receive(socket, buffer, size, 0, CSYS_POLL, out_size));
}

int csys_socket_recv_all_until(csys_socket *socket, void *buffer, size_t size,
			       csys_deadline deadline, size_t *out_size)
{
	size_t got = 0, more = 0;
	int r;

	if (!socket || !out_size)
		return CSYS_EINVAL;
	do {
		r = receive(socket, buffer ? (char *)buffer + got : NULL, size - got,
			    socket->kind == CSYS_SOCKET_STREAM ? CSYSI_OS_ALL : 0, deadline, &more);
		got += r == 0 ? more : 0;
	} while (r == 0 && more > 0 && got < size && socket->kind == CSYS_SOCKET_STREAM);
	*out_size = got;
	return r;
}

int csys_socket_recv_all(csys_socket *socket, void *buffer, size_t size, size_t *out_size)
{
	return csys_socket_recv_all_until(socket, buffer, size, CSYS_FOREVER, out_size);
}

int csys_socket_peek_until(csys_socket *socket, void *buffer, size_t size, csys_deadline deadline,
			   size_t *out_size)
{
	return receive(socket, buffer, size, CSYSI_OS_PEEK, deadline, out_size);
}

int csys_socket_peek(csys_socket *socket, void *buffer, size_t size, size_t *out_size)
{
	return receive(socket, buffer, size, CSYSI_OS_PEEK, CSYS_FOREVER, out_size);
}

int csys_socket_try_peek(csys_socket *socket, void *buffer, size_t size, size_t *out_size)
{
	return csysi_socket_now(receive(socket, buffer, size, CSYSI_OS_PEEK, CSYS_POLL, out_size));
}
