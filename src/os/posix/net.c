/*
 * os/posix/net.c - sockets of TCP: making, binding, connecting.
 *
 * A socket is nonblocking only while it connects without its thread.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fault.h"
#include "os/posix/net.h"
#include "os/posix/socket.h"

/* ---- addresses ----------------------------------------------------------------------- */

socklen_t csysi_posix_net_name(const struct csysi_os_endpoint *endpoint,
			       struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof *out);
	if (endpoint->version == 4) {
		v4.sin_port = htons(endpoint->port);
		memcpy(&v4.sin_addr, endpoint->bytes, 4);
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	if (endpoint->version != 6)
		return 0;
	v6.sin6_port = htons(endpoint->port);
	v6.sin6_flowinfo = htonl(endpoint->flow_info);
	v6.sin6_scope_id = endpoint->scope_id;
	memcpy(&v6.sin6_addr, endpoint->bytes, 16);
	memcpy(out, &v6, sizeof v6);
	return sizeof v6;
}

int csysi_posix_net_endpoint(const struct sockaddr *name, socklen_t size,
			     struct csysi_os_endpoint *out)
{
	struct csysi_os_endpoint endpoint = { .version = 0 };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (size >= sizeof v4 && name->sa_family == AF_INET) {
		memcpy(&v4, name, sizeof v4);
		endpoint.version = 4;
		endpoint.port = ntohs(v4.sin_port);
		memcpy(endpoint.bytes, &v4.sin_addr, 4);
	} else if (size >= sizeof v6 && name->sa_family == AF_INET6) {
		memcpy(&v6, name, sizeof v6);
		endpoint.version = 6;
		endpoint.port = ntohs(v6.sin6_port);
		endpoint.flow_info = ntohl(v6.sin6_flowinfo);
		endpoint.scope_id = v6.sin6_scope_id;
		memcpy(endpoint.bytes, &v6.sin6_addr, 16);
	} else {
		return CSYS_EBADMSG;
	}
	*out = endpoint;
	return 0;
}

typedef int name_of(int fd, struct sockaddr *name, socklen_t *size);

static int ask(name_of *call, csysi_os_socket socket, struct csysi_os_endpoint *out)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;

	memset(&name, 0, sizeof name);
	if (call((int)socket, (struct sockaddr *)&name, &size) < 0)
		return csysi_posix_fail();
	return csysi_posix_net_endpoint((struct sockaddr *)&name, size, out);
}

int csysi_os_tcp_local(csysi_os_socket socket, struct csysi_os_endpoint *out)
{
	return ask(getsockname, socket, out);
}

int csysi_os_tcp_peer(csysi_os_socket socket, struct csysi_os_endpoint *out)
{
	struct csysi_os_endpoint local;
	int r = ask(getsockname, socket,
		    &local); /* what it is comes before whether it is connected */

	if (r == 0)
		r = ask(getpeername, socket, out);
	/* macOS says so when the other side has broken the connection off. */
	return r == CSYS_EINVAL ? CSYS_ENOTCONN : r;
}

/* ---- making -------------------------------------------------------------------------- */

int csysi_os_tcp_create(int version, csysi_os_socket *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = csysi_posix_socket(version == 4 ? AF_INET : AF_INET6, SOCK_STREAM);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

int csysi_os_tcp_bind(csysi_os_socket socket, const struct csysi_os_endpoint *endpoint)
{
	struct sockaddr_storage name;
	socklen_t size = csysi_posix_net_name(endpoint, &name);
	int r = csysi_fault(CSYS_EADDRINUSE);

	if (r < 0)
		return r;
	return bind((int)socket, (struct sockaddr *)&name, size) < 0 ? csysi_posix_fail() : 0;
}

/* ---- connecting ---------------------------------------------------------------------- */

/* Rules of a firewall say EPERM, a broadcast address EACCES: the system forbids it. */
static int fail_with(int code)
{
	int r = csysi_posix_fail_with(code);

	return r == CSYS_EPERM ? CSYS_EACCES : r;
}

int csysi_os_tcp_finish(csysi_os_socket socket)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	int error = 0;
	socklen_t error_size = sizeof error;

	if (getsockopt((int)socket, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0)
		return csysi_posix_fail();
	if (error != 0)
		return fail_with(error);
	/* Without an error it is connected, unless the other side is gone already. */
	if (getpeername((int)socket, (struct sockaddr *)&name, &size) < 0)
		return csysi_posix_fail_with(ECONNRESET);
	return csysi_os_set_nonblocking(socket, 0);
}

/* Wait for the end of a connect that a signal has interrupted: it goes on. */
static int wait_for_end(csysi_os_socket socket)
{
	struct csysi_os_poll ready = { .handle = socket, .writing = 1, .is_known = 1 };
	int r = csysi_os_poll(&ready, 1, CSYS_FOREVER);

	return r < 0 ? r : csysi_os_tcp_finish(socket);
}

int csysi_os_tcp_connect(csysi_os_socket socket, const struct csysi_os_endpoint *endpoint,
			 int may_wait)
{
	struct sockaddr_storage name;
	socklen_t size = csysi_posix_net_name(endpoint, &name);
	int r = csysi_fault(CSYS_ENETUNREACH);

	if (r == 0 && !may_wait)
		r = csysi_os_set_nonblocking(socket, 1);
	if (r < 0)
		return r;
	if (connect((int)socket, (struct sockaddr *)&name, size) == 0)
		return may_wait ? 0 : csysi_os_set_nonblocking(socket, 0);
	if (errno != EINPROGRESS && errno != EINTR)
		return fail_with(errno);
	return may_wait ? wait_for_end(socket) : CSYS_EAGAIN;
}
