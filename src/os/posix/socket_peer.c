/*
 * os/posix/socket_peer.c - the other side of a socket, of which POSIX tells nothing.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <unistd.h>

#include "os/posix/socket.h"

int csysi_os_socket_tell_senders(csysi_os_socket socket)
{
	(void)socket;
	return CSYS_ENOTSUP;
}

int csysi_os_socket_peer(csysi_os_socket socket, struct csysi_os_credentials *out)
{
#ifdef CSYSI_HAVE_GETPEEREID
	uid_t uid;
	gid_t gid;
	if (getpeereid((int)socket, &uid, &gid) < 0)
		return csysi_posix_fail();
	*out = (struct csysi_os_credentials){ -1, (int64_t)uid, (int64_t)gid };
	return 0;
#else
	(void)socket;
	(void)out;
	return CSYS_ENOTSUP;
#endif
}

int csysi_os_socket_peer_groups(csysi_os_socket socket, int64_t *groups, size_t room,
				size_t *out_count)
{
	(void)socket;
	(void)groups;
	(void)room;
	(void)out_count;
	return CSYS_ENOTSUP;
}

int csysi_os_socket_peer_handle(csysi_os_socket socket, csys_handle *out)
{
	(void)socket;
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_socket_is_user(int64_t uid)
{
	return uid == (int64_t)geteuid();
}

int csysi_posix_add_credentials(const struct csysi_os_credentials *credentials,
				struct msghdr *message)
{
	(void)credentials;
	(void)message;
	return CSYS_ENOTSUP;
}

void csysi_posix_read_item(int level, int type, const char *data, size_t size,
			   struct csysi_posix_came *out)
{
	(void)level;
	(void)type;
	(void)data;
	(void)size;
	(void)out;
}
