/*
 * os/posix/socket_address.c - addresses of local sockets as the system has them.
 *
 * A name counts by its length.  The system's own NUL behind a path is neither needed nor trusted:
 * Linux tells a path of 108 bytes without one.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "os/posix/socket.h"

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

int csysi_posix_address(const struct csysi_os_address *address, struct csysi_posix_address *out)
{
	if (address->kind == CSYSI_OS_ABSTRACT)
		return csysi_posix_abstract(address->bytes, address->size, out);
	int r = csysi_posix_address_of(address->bytes, out);
	return r == CSYS_ENAMETOOLONG ? csysi_posix_reach(address->bytes, out) : r;
}

void csysi_posix_address_release(struct csysi_posix_address *address)
{
	if (address->fd >= 0)
		csysi_os_close(address->fd);
}

static size_t path_size(const char *path, size_t most)
{
	const char *end = memchr(path, 0, most);

	return end ? (size_t)(end - path) : most;
}

void csysi_posix_told(const struct sockaddr_un *name, socklen_t size,
		      struct csysi_os_address_told *out)
{
	size_t most = size > PATH_OFFSET ? (size_t)size - PATH_OFFSET : 0;

	if (most > sizeof name->sun_path)
		most = sizeof name->sun_path;
	memset(out, 0, sizeof *out);
	if (size >= PATH_OFFSET && name->sun_family != AF_UNIX) {
		out->kind = CSYSI_OS_FOREIGN;
		return;
	}
	const char *bytes = name->sun_path;
	if (most == 0) {
		out->kind = CSYSI_OS_UNNAMED;
	} else if (bytes[0] != 0) {
		out->kind = CSYSI_OS_PATH;
		out->size = path_size(bytes, most);
	} else if (csysi_os_can(CSYS_CAN_SOCKET_ABSTRACT)) {
		out->kind = CSYSI_OS_ABSTRACT;
		out->size = most - 1;
		bytes++;
	} /* else its bytes are zeros of a name that is none */
	_Static_assert(sizeof name->sun_path < sizeof out->bytes, "a NUL fits behind it");
	memcpy(out->bytes, bytes, out->size);
}

int csysi_os_socket_local_address(csysi_os_socket socket, struct csysi_os_address_told *out)
{
	struct sockaddr_un name = { 0 };
	socklen_t size = sizeof name;

	if (getsockname((int)socket, (struct sockaddr *)&name, &size) < 0)
		return csysi_posix_fail();
	csysi_posix_told(&name, size, out);
	return 0;
}

int csysi_os_socket_peer_address(csysi_os_socket socket, struct csysi_os_address_told *out)
{
	struct sockaddr_un name = { 0 };
	socklen_t size = sizeof name;

	if (getpeername((int)socket, (struct sockaddr *)&name, &size) < 0)
		return csysi_posix_fail();
	csysi_posix_told(&name, size, out);
	return 0;
}

int csysi_os_socket_connect(csysi_os_socket socket, const struct csysi_os_address *address,
			    csys_deadline deadline)
{
	struct csysi_posix_address where;
	int r = csysi_posix_address(address, &where);

	if (r < 0)
		return r;
	r = csysi_posix_connect((int)socket, &where, deadline);
	csysi_posix_address_release(&where);
	return r;
}

int csysi_os_socket_bind_abstract(csysi_os_socket socket, const char *name, size_t size)
{
	struct csysi_posix_address where;
	int r = csysi_posix_abstract(name, size, &where);

	if (r < 0)
		return r;
	return bind((int)socket, (const struct sockaddr *)&where.name, where.size) < 0
		       ? csysi_posix_fail()
		       : 0;
}
