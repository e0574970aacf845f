/*
 * ipc/peer.c - which process is at the other side of a socket, straight from the system.
 */
#include <csys/ipc/peer.h>

#include "ipc/socket.h"

int csys_socket_peer_credentials(const csys_socket *socket, csys_credentials *out)
{
	struct csysi_os_credentials peer;

	if (!socket || !out)
		return CSYS_EINVAL;
	int r = socket->is_local ? csysi_os_socket_peer(socket->os, &peer) : CSYS_ENOTSUP;
	if (r == 0)
		*out = (csys_credentials){ peer.pid, peer.uid, peer.gid };
	return r;
}

int csys_socket_peer_is_same_user(const csys_socket *socket, int *out)
{
	csys_credentials peer;

	if (!out)
		return CSYS_EINVAL;
	int r = csys_socket_peer_credentials(socket, &peer);
	if (r == 0)
		*out = csysi_os_socket_is_user(peer.uid);
	return r;
}

int csys_socket_peer_groups(const csys_socket *socket, int64_t *groups, size_t room,
			    size_t *out_count)
{
	if (!socket || !out_count || (!groups && room > 0))
		return CSYS_EINVAL;
	return socket->is_local ? csysi_os_socket_peer_groups(socket->os, groups, room, out_count)
				: CSYS_ENOTSUP;
}

int csys_socket_peer_handle(const csys_socket *socket, csys_handle *out)
{
	if (!socket || !out)
		return CSYS_EINVAL;
	return socket->is_local ? csysi_os_socket_peer_handle(socket->os, out) : CSYS_ENOTSUP;
}
