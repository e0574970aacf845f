/*
 * os/posix/socket_path.c - a path as the address of a local socket, where it is short enough.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <stddef.h>
#include <string.h>

#include "os/posix/socket.h"

int csysi_posix_address_of(const char *path, struct csysi_posix_address *out)
{
	struct csysi_posix_address address = { .name = { .sun_family = AF_UNIX }, .fd = -1 };
	size_t size = strlen(path);

	if (size >= sizeof address.name.sun_path)
		return CSYS_ENAMETOOLONG;
	memcpy(address.name.sun_path, path, size + 1);
	address.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	*out = address;
	return 0;
}
