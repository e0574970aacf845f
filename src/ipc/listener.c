/*
 * ipc/listener.c - listening sockets.
 */
#include "ipc/socket.h"

#include "base/memory.h"
#include "ipc/address.h"

/* Connections that one call passes over after its deadline, so that a flood of them ends it. */
#define MOST_PASSED_OVER 64

static const csys_listener_options usual;

/* ---- making -------------------------------------------------------------------------- */

int csysi_listener_from_os_take(csysi_os_socket os, int kind, int is_local, csys_listener **out)
{
	csys_listener *listener = csysi_alloc_zero(sizeof *listener);

	if (!listener)
		return CSYS_ENOMEM;
	listener->os = os;
	listener->kind = kind;
	listener->is_local = is_local;
	listener->binding = csysi_binding_none();
	*out = listener;
	return 0;
}

static void set_options(csys_listener *listener, const csys_listener_options *options,
			int is_abstract)
{
	listener->is_guarded = is_abstract && !options->any_user;
	listener->senders = options->senders != 0;
	listener->send_buffer = options->send_buffer;
	listener->recv_buffer = options->recv_buffer;
}

static int is_valid(const csys_address *address, const csys_listener_options *options)
{
	int kind = (int)csys_address_kind_of(address);

	return (kind == CSYS_ADDRESS_IS_PATH || kind == CSYS_ADDRESS_IS_ABSTRACT) &&
	       (options->kind == CSYS_SOCKET_STREAM || options->kind == CSYS_SOCKET_SEQPACKET) &&
	       options->mode >= 0 && options->mode <= 0777 && options->backlog >= 0;
}

int csys_listener_bind(const csys_address *address, const csys_listener_options *options,
		       csys_listener **out)
{
	csys_listener *listener = NULL;
	csysi_os_socket os;

	options = options ? options : &usual;
	if (!out || !is_valid(address, options))
		return CSYS_EINVAL;
	int r = csysi_os_socket_create((enum csysi_os_socket_kind)options->kind, &os);
	if (r < 0)
		return r;
	r = csysi_listener_from_os_take(os, options->kind, 1, &listener);
	if (r < 0) {
		csysi_os_socket_close(os);
		return r;
	}
	set_options(listener, options, csysi_address_is_abstract(address));
	/* Before it listens: a system that hands it on loses no sender before the accept. */
	r = csysi_socket_configure(os, options->senders, 0, 0);
	if (r == 0)
		r = csysi_binding_make(address, options->mode, os, &listener->binding);
	if (r == 0)
		r = csysi_os_socket_listen(os, options->backlog);
	if (r < 0)
		csys_listener_close(listener);
	else
		*out = listener;
	return r;
}

int csys_listener_adopt_take(csys_handle handle, const csys_listener_options *options,
			     csys_listener **out)
{
	struct csysi_os_socket_about about;
	struct csysi_os_address_told told;
	csys_listener *listener = NULL;

	options = options ? options : &usual;
	if (!out)
		return CSYS_EINVAL;
	int r = csysi_os_socket_look(handle, &about);
	if (r == 0 && !about.is_listening)
		r = CSYS_EBADMSG;
	if (r == 0)
		r = csysi_listener_from_os_take(CSYSI_OS_NO_SOCKET, (int)about.kind, about.is_local,
						&listener);
	if (r < 0)
		return r;
	r = csysi_os_socket_adopt(handle, &listener->os);
	if (r == 0)
		r = csysi_socket_configure(listener->os, options->senders, 0, 0);
	if (r < 0) {
		listener->os = CSYSI_OS_NO_SOCKET; /* the caller's still */
		csys_listener_close(listener);
		return r;
	}
	r = csysi_os_socket_local_address(listener->os, &told);
	set_options(listener, options, r < 0 || told.kind == CSYSI_OS_ABSTRACT);
	*out = listener;
	return 0;
}

void csys_listener_close(csys_listener *listener)
{
	if (!listener)
		return;
	csysi_binding_close(&listener->binding, listener->os);
	csysi_free(listener);
}

/* ---- accepting ----------------------------------------------------------------------- */

/* 1: *out is the connection's.  Else it is closed, and 0 means that its user is not admitted. */
static int admit(const csys_listener *listener, csysi_os_socket os, csys_socket **out)
{
	if (listener->is_guarded && csysi_socket_check_user(os) < 0) {
		csysi_os_socket_close(os);
		return 0;
	}
	int r = csysi_socket_configure(os, listener->senders, listener->send_buffer,
				       listener->recv_buffer);
	if (r == 0)
		r = csysi_socket_from_os_take(os, listener->kind, listener->is_local, out);
	if (r < 0)
		csysi_os_socket_close(os);
	return r < 0 ? r : 1;
}

int csys_listener_accept_until(csys_listener *listener, csys_deadline deadline, csys_socket **out)
{
	if (!listener || !out)
		return CSYS_EINVAL;
	for (int passed_over = 0;; passed_over++) {
		csysi_os_socket os;
		int r = csysi_os_socket_accept(listener->os, deadline, &os);
		if (r == 0)
			r = admit(listener, os, out);
		if (r != 0)
			return r < 0 ? r : 0;
		if (passed_over >= MOST_PASSED_OVER && csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
	}
}

int csys_listener_accept(csys_listener *listener, csys_socket **out)
{
	return csys_listener_accept_until(listener, CSYS_FOREVER, out);
}

int csys_listener_try_accept(csys_listener *listener, csys_socket **out)
{
	return csysi_socket_now(csys_listener_accept_until(listener, CSYS_POLL, out));
}

/* ---- what it is ---------------------------------------------------------------------- */

csys_handle csys_listener_handle(const csys_listener *listener)
{
	return listener ? csysi_os_socket_handle(listener->os) : CSYS_NO_HANDLE;
}

csys_waitable csys_listener_waitable(csys_listener *listener)
{
	return csys_waitable_reading(csys_listener_handle(listener));
}

int csys_listener_local_address(const csys_listener *listener, csys_address *out)
{
	struct csysi_os_address_told told;

	int r = listener && out ? csysi_os_socket_local_address(listener->os, &told) : CSYS_EINVAL;
	if (r == 0)
		csysi_address_from_os(&told, out);
	return r;
}
