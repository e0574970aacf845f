/*
 * ipc/socket.c - local sockets: making them, closing them, what they are.
 */
#include "ipc/socket.h"

#include "base/memory.h"
#include "ipc/address.h"

_Static_assert((int)CSYS_SOCKET_STREAM == (int)CSYSI_OS_STREAM &&
		       (int)CSYS_SOCKET_DATAGRAM == (int)CSYSI_OS_DATAGRAM &&
		       (int)CSYS_SOCKET_SEQPACKET == (int)CSYSI_OS_SEQPACKET,
	       "os/socket.h says the same");
_Static_assert((unsigned)CSYS_SHUTDOWN_RECV == CSYSI_OS_SHUT_RECV &&
		       (unsigned)CSYS_SHUTDOWN_SEND == CSYSI_OS_SHUT_SEND,
	       "os/socket.h says the same");

static const csys_socket_options usual;

static int is_kind(int kind)
{
	return kind >= CSYS_SOCKET_STREAM && kind <= CSYS_SOCKET_SEQPACKET;
}

/* ---- making -------------------------------------------------------------------------- */

int csysi_socket_from_os_take(csysi_os_socket os, int kind, int is_local, csys_socket **out)
{
	csys_socket *socket = csysi_alloc_zero(sizeof *socket);

	if (!socket)
		return CSYS_ENOMEM;
	socket->os = os;
	socket->kind = kind;
	socket->is_local = is_local;
	socket->binding = csysi_binding_none();
	*out = socket;
	return 0;
}

int csysi_socket_configure(csysi_os_socket os, int senders, size_t send_buffer, size_t recv_buffer)
{
	int r = senders ? csysi_os_socket_tell_senders(os) : 0;

	if (r == 0 && (send_buffer > 0 || recv_buffer > 0))
		r = csysi_os_socket_set_buffers(os, send_buffer, recv_buffer);
	return r;
}

int csysi_socket_check_user(csysi_os_socket os)
{
	struct csysi_os_credentials peer;

	int is_same = csysi_os_socket_peer(os, &peer) == 0 && csysi_os_socket_is_user(peer.uid);
	return is_same ? 0 : CSYS_EPERM;
}

/* Of an object that has its socket: what the options ask for, and the address. */
static int set_up(csys_socket *socket, const csys_address *address,
		  const csys_socket_options *options)
{
	int is_abstract = csysi_address_is_abstract(address);

	socket->any_user = options->any_user != 0;
	/* Before it has the address: no message may come whose sender is not told. */
	socket->is_guarded =
		is_abstract && socket->kind == CSYS_SOCKET_DATAGRAM && !options->any_user;
	int r = csysi_socket_configure(socket->os, options->senders || socket->is_guarded,
				       options->send_buffer, options->recv_buffer);
	if (r == 0 && csys_address_kind_of(address) != CSYS_ADDRESS_UNNAMED)
		r = csysi_binding_make(address, options->mode, socket->os, &socket->binding);
	return r;
}

int csysi_socket_make(const csys_address *address, const csys_socket_options *options, int kind,
		      csys_socket **out)
{
	csys_socket *socket = NULL;
	csysi_os_socket os;

	options = options ? options : &usual;
	if (!is_kind(kind) || options->mode < 0 || options->mode > 0777 ||
	    csys_address_kind_of(address) == CSYS_ADDRESS_IS_FOREIGN)
		return CSYS_EINVAL;
	int r = csysi_os_socket_create((enum csysi_os_socket_kind)kind, &os);
	if (r < 0)
		return r;
	r = csysi_socket_from_os_take(os, kind, 1, &socket);
	if (r < 0) {
		csysi_os_socket_close(os);
		return r;
	}
	r = set_up(socket, address, options);
	if (r < 0)
		csys_socket_close(socket);
	else
		*out = socket;
	return r;
}

int csys_socket_pair(const csys_socket_options *options, csys_socket **out_a, csys_socket **out_b)
{
	csysi_os_socket ends[2] = { CSYSI_OS_NO_SOCKET, CSYSI_OS_NO_SOCKET };
	csys_socket *made[2] = { NULL, NULL };

	options = options ? options : &usual;
	if (!out_a || !out_b || !is_kind(options->kind))
		return CSYS_EINVAL;
	int r = csysi_os_socket_pair((enum csysi_os_socket_kind)options->kind, &ends[0], &ends[1]);
	for (int i = 0; i < 2 && r == 0; i++) {
		r = csysi_socket_configure(ends[i], options->senders, options->send_buffer,
					   options->recv_buffer);
		if (r == 0)
			r = csysi_socket_from_os_take(ends[i], options->kind, 1, &made[i]);
		if (r == 0)
			ends[i] = CSYSI_OS_NO_SOCKET; /* handed over */
	}
	if (r == 0) {
		*out_a = made[0];
		*out_b = made[1];
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		csys_socket_close(made[i]);
		csysi_os_socket_close(ends[i]);
	}
	return r;
}

int csys_socket_connect_until(const csys_address *address, const csys_socket_options *options,
			      csys_deadline deadline, csys_socket **out)
{
	struct csysi_os_address where;
	csys_socket *socket = NULL;

	options = options ? options : &usual;
	int r = out ? csysi_address_to_os(address, &where) : CSYS_EINVAL;
	if (r < 0)
		return r;
	int is_checked = csysi_address_is_abstract(address) && !options->any_user;
	if (is_checked && options->kind == CSYS_SOCKET_DATAGRAM)
		return CSYS_EPERM; /* its peer cannot be asked */
	r = csysi_socket_make(options->bind, options, options->kind, &socket);
	if (r < 0)
		return r;
	r = csysi_os_socket_connect(socket->os, &where, deadline);
	if (r == 0 && is_checked)
		r = csysi_socket_check_user(socket->os);
	if (r < 0)
		csys_socket_close(socket);
	else
		*out = socket;
	return r;
}

int csys_socket_connect(const csys_address *address, const csys_socket_options *options,
			csys_socket **out)
{
	return csys_socket_connect_until(address, options, CSYS_FOREVER, out);
}

/* ---- from and to other code ---------------------------------------------------------- */

static int is_abstract(csysi_os_socket os)
{
	struct csysi_os_address_told told;

	return csysi_os_socket_local_address(os, &told) == 0 && told.kind == CSYSI_OS_ABSTRACT;
}

int csys_socket_adopt_take(csys_handle handle, const csys_socket_options *options,
			   csys_socket **out)
{
	struct csysi_os_socket_about about;
	csys_socket *socket = NULL;

	options = options ? options : &usual;
	if (!out)
		return CSYS_EINVAL;
	int r = csysi_os_socket_look(handle, &about);
	if (r == 0 && about.is_listening)
		r = CSYS_EBADMSG;
	if (r == 0)
		r = csysi_socket_from_os_take(CSYSI_OS_NO_SOCKET, (int)about.kind, about.is_local,
					      &socket);
	if (r < 0)
		return r;
	r = csysi_os_socket_adopt(handle, &socket->os);
	if (r < 0) {
		csys_socket_close(socket);
		return r;
	}
	socket->any_user = options->any_user != 0;
	socket->is_guarded =
		about.kind == CSYSI_OS_DATAGRAM && !options->any_user && is_abstract(socket->os);
	r = csysi_socket_configure(socket->os, options->senders || socket->is_guarded,
				   options->send_buffer, options->recv_buffer);
	if (r < 0) {
		socket->os = CSYSI_OS_NO_SOCKET; /* the caller's still */
		csys_socket_close(socket);
		return r;
	}
	*out = socket;
	return 0;
}

int csys_socket_into_handle(csys_socket *socket, csys_handle *out)
{
	if (!socket || !out)
		return CSYS_EINVAL;
	int r = csysi_os_socket_into_handle(socket->os, out);
	if (r < 0)
		return r;
	csysi_binding_leave(&socket->binding);
	csysi_free(socket);
	return 0;
}

int csys_socket_dup(const csys_socket *socket, csys_socket **out)
{
	csysi_os_socket os;

	if (!socket || !out)
		return CSYS_EINVAL;
	int r = csysi_os_socket_dup(socket->os, &os);
	if (r < 0)
		return r;
	r = csysi_socket_from_os_take(os, socket->kind, socket->is_local, out);
	if (r < 0) {
		csysi_os_socket_close(os);
		return r;
	}
	(*out)->is_guarded = socket->is_guarded;
	(*out)->any_user = socket->any_user;
	return 0;
}

void csys_socket_close(csys_socket *socket)
{
	if (!socket)
		return;
	csysi_binding_close(&socket->binding, socket->os);
	csysi_free(socket);
}

/* ---- what it is ---------------------------------------------------------------------- */

enum csys_socket_kind csys_socket_kind_of(const csys_socket *socket)
{
	return socket ? (enum csys_socket_kind)socket->kind : CSYS_SOCKET_STREAM;
}

csys_handle csys_socket_handle(const csys_socket *socket)
{
	return socket ? csysi_os_socket_handle(socket->os) : CSYS_NO_HANDLE;
}

csys_waitable csys_socket_waitable_reading(csys_socket *socket)
{
	return csys_waitable_reading(csys_socket_handle(socket));
}

csys_waitable csys_socket_waitable_writing(csys_socket *socket)
{
	return csys_waitable_writing(csys_socket_handle(socket));
}

int csys_socket_local_address(const csys_socket *socket, csys_address *out)
{
	struct csysi_os_address_told told;

	int r = socket && out ? csysi_os_socket_local_address(socket->os, &told) : CSYS_EINVAL;
	if (r == 0)
		csysi_address_from_os(&told, out);
	return r;
}

int csys_socket_peer_address(const csys_socket *socket, csys_address *out)
{
	struct csysi_os_address_told told;

	int r = socket && out ? csysi_os_socket_peer_address(socket->os, &told) : CSYS_EINVAL;
	if (r == 0)
		csysi_address_from_os(&told, out);
	return r;
}

int csys_socket_shutdown(csys_socket *socket, enum csys_shutdown directions)
{
	if (!socket || (int)directions < CSYS_SHUTDOWN_RECV || (int)directions > CSYS_SHUTDOWN_BOTH)
		return CSYS_EINVAL;
	return csysi_os_socket_shutdown(socket->os, (unsigned)directions);
}
