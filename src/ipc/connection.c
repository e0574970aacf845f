/*
 * ipc/connection.c - making connections, and closing them.
 */
#include "ipc/connection.h"

#include "base/memory.h"
#include "base/reserved.h"
#include "ipc/shared_end_transfer.h"
#include "ipc/socket.h"
#include "os/os.h"

_Static_assert(sizeof(struct csysi_connection_head) == 32 &&
		       sizeof(struct csysi_connection_entry) == 32,
	       "the same in all processes");

int csysi_connection_check(const csys_connection_options *options, size_t *out_most)
{
	size_t most = options ? options->most : 0;

	if (most > CSYS_CONNECTION_MOST || (options && csysi_uses_reserved(options)))
		return CSYS_EINVAL;
	*out_most = most != 0 ? most : CSYSI_CONNECTION_USUAL_MOST;
	return 0;
}

/* ---- making ------------------------------------------------------------------------------- */

int csys_connection_from_socket_take(csys_socket *socket, const csys_connection_options *options,
				     csys_connection **out)
{
	struct csysi_os_address_told told;
	size_t most;

	if (!socket || !out)
		return CSYS_EINVAL;
	csysi_connection_sweep();
	int r = csysi_connection_check(options, &most);
	if (r == 0 && (socket->kind != CSYS_SOCKET_STREAM || !socket->is_local))
		r = CSYS_EBADMSG;
	if (r == 0)
		r = csysi_os_socket_peer_address(socket->os, &told);
	if (r < 0)
		return r;
	csys_connection *connection = csysi_alloc_zero(sizeof *connection);
	if (!connection)
		return CSYS_ENOMEM;
	connection->socket = socket;
	connection->most = most;
	connection->refuse_unsealed = options && options->refuse_unsealed;
	connection->kept_end = &connection->kept;
	connection->queue_end = &connection->queue;
	*out = connection;
	return 0;
}

/* Make a connection of a socket that is closed on failure. */
static int over(csys_socket *socket, const csys_connection_options *options, csys_connection **out)
{
	int r = csys_connection_from_socket_take(socket, options, out);

	if (r < 0)
		csys_socket_close(socket);
	return r;
}

int csys_connection_pair(const csys_connection_options *options, csys_connection **out_a,
			 csys_connection **out_b)
{
	csys_socket *a, *b;
	csys_connection *first, *second;
	size_t most;

	int r = out_a && out_b ? csysi_connection_check(options, &most) : CSYS_EINVAL;
	if (r == 0 && !csys_can(CSYS_CAN_PASS_HANDLES))
		r = CSYS_ENOTSUP;
	if (r == 0)
		r = csys_socket_pair(NULL, &a, &b);
	if (r < 0)
		return r;
	r = over(a, options, &first);
	if (r < 0) {
		csys_socket_close(b);
		return r;
	}
	r = over(b, options, &second);
	if (r < 0) {
		csys_connection_close(first);
		return r;
	}
	*out_a = first;
	*out_b = second;
	return 0;
}

int csys_connection_connect_until(const csys_address *address,
				  const csys_connection_options *options, csys_deadline deadline,
				  csys_connection **out)
{
	csys_socket *socket;
	size_t most;

	int r = out ? csysi_connection_check(options, &most) : CSYS_EINVAL;
	if (r == 0)
		r = csys_socket_connect_until(address, NULL, deadline, &socket);
	return r < 0 ? r : over(socket, options, out);
}

int csys_connection_connect(const csys_address *address, const csys_connection_options *options,
			    csys_connection **out)
{
	return csys_connection_connect_until(address, options, CSYS_FOREVER, out);
}

int csys_connection_accept_until(csys_listener *listener, const csys_connection_options *options,
				 csys_deadline deadline, csys_connection **out)
{
	csys_socket *socket;
	size_t most;

	int r = out ? csysi_connection_check(options, &most) : CSYS_EINVAL;
	if (r == 0 && listener && (listener->kind != CSYS_SOCKET_STREAM || !listener->is_local))
		r = CSYS_EBADMSG;
	if (r == 0)
		r = csys_listener_accept_until(listener, deadline, &socket);
	return r < 0 ? r : over(socket, options, out);
}

int csys_connection_accept(csys_listener *listener, const csys_connection_options *options,
			   csys_connection **out)
{
	return csys_connection_accept_until(listener, options, CSYS_FOREVER, out);
}

/* ---- closing ------------------------------------------------------------------------------ */

void csys_connection_close(csys_connection *connection)
{
	if (!connection)
		return;
	(void)csysi_connection_step(connection);
	csysi_connection_acked(connection, UINT64_MAX); /* close what is kept */
	while (connection->queue) {
		csys_parcel *parcel = connection->queue;
		connection->queue = parcel->next;
		csys_parcel_close(parcel);
	}
	for (size_t i = 0; i < connection->handle_count; i++)
		csys_handle_close(connection->handles[i]);
	csysi_connection_drop_parcel(connection);
	if (csysi_shared_flights_prune(connection) == 0 || !csysi_connection_park(connection)) {
		csysi_shared_flights_close(connection);
		csys_socket_close(connection->socket);
		csysi_free(connection->rest);
		csysi_free(connection);
	}
	csysi_connection_sweep();
}

/* ---- what it tells ------------------------------------------------------------------------ */

csys_handle csys_connection_handle(const csys_connection *connection)
{
	return connection ? csys_socket_handle(connection->socket) : CSYS_NO_HANDLE;
}

csys_socket *csys_connection_socket(const csys_connection *connection)
{
	return connection ? connection->socket : NULL;
}

/* Whether the next receive returns at once. */
static int has_next(void *object)
{
	csys_connection *connection = object;

	csysi_lock_lock(&connection->receiving);
	int is_there = connection->queue != NULL || connection->end_code != 0;
	csysi_lock_unlock(&connection->receiving);
	return is_there;
}

csys_waitable csys_connection_waitable_reading(csys_connection *connection)
{
	if (!connection || !has_next(connection))
		return csys_waitable_reading(csys_connection_handle(connection));
	return (csys_waitable){ .handle = CSYS_NO_HANDLE,
				.is_ready = has_next,
				.object = connection };
}

csys_waitable csys_connection_waitable_writing(csys_connection *connection)
{
	return csys_waitable_writing(csys_connection_handle(connection));
}

int csys_connection_advance(csys_connection *connection)
{
	if (!connection)
		return CSYS_EINVAL;
	csysi_connection_sweep();
	return csysi_connection_step(connection);
}
