/*
 * support/network.c - endpoints of this machine that answer, refuse, or are silent.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/network.h"

csys_ip_endpoint local_endpoint(enum csys_ip_version version, uint16_t port)
{
	return csys_ip_endpoint_of(csys_ip_address_localhost(version), port);
}

static socklen_t name_of(csys_ip_endpoint endpoint, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(endpoint.port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint.port) };
	int is_v4 = endpoint.address.version == CSYS_IP_V4;

	memset(out, 0, sizeof *out);
	memcpy(&v4.sin_addr, endpoint.address.bytes, 4);
	memcpy(&v6.sin6_addr, endpoint.address.bytes, 16);
	if (is_v4)
		memcpy(out, &v4, sizeof v4);
	else
		memcpy(out, &v6, sizeof v6);
	return is_v4 ? sizeof v4 : sizeof v6;
}

/* A socket that is bound there; -1 if it cannot be. */
static int bound(enum csys_ip_version version, csys_ip_endpoint *out)
{
	struct sockaddr_storage name;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	socklen_t size = name_of(local_endpoint(version, 0), &name);
	int fd = socket(version == CSYS_IP_V4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&name, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &size) < 0) {
		close(fd);
		return -1;
	}
	memcpy(&v4, &name, sizeof v4);
	memcpy(&v6, &name, sizeof v6);
	*out = local_endpoint(version, ntohs(version == CSYS_IP_V4 ? v4.sin_port : v6.sin6_port));
	return fd;
}

int has_ip_v6(void)
{
	csys_ip_endpoint endpoint;
	int fd = bound(CSYS_IP_V6, &endpoint);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

csys_listener *listening(enum csys_ip_version version, csys_ip_endpoint *out)
{
	csys_listener *listener;

	*out = local_endpoint(version, 0);
	assert_int_equal(csys_tcp_listen(out, NULL, &listener), 0);
	assert_int_equal(csys_tcp_listener_local(listener, out), 0);
	return listener;
}

csys_ip_endpoint refusing(enum csys_ip_version version, int *out_holder)
{
	csys_ip_endpoint endpoint;

	*out_holder = bound(version, &endpoint);
	assert_true(*out_holder >= 0);
	return endpoint;
}

/* A connect that does not wait: 1 connected, 0 not yet, -1 refused. */
static int connects(int fd, csys_ip_endpoint endpoint)
{
	struct sockaddr_storage name;
	socklen_t size = name_of(endpoint, &name);
	struct pollfd polled = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t error_size = sizeof error;

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	if (connect(fd, (struct sockaddr *)&name, size) == 0)
		return 1;
	if (errno != EINPROGRESS || poll(&polled, 1, 20) < 0)
		return -1;
	if (polled.revents == 0)
		return 0;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size), 0);
	return error ? -1 : 1;
}

struct silent silent_opened(enum csys_ip_version version)
{
	struct silent silent = { .count = 0 };
	int family = version == CSYS_IP_V4 ? AF_INET : AF_INET6, r = 1;

	silent.listener = bound(version, &silent.endpoint);
	assert_true(silent.listener >= 0);
	assert_int_equal(listen(silent.listener, 0), 0);
	while (r == 1 && silent.count < (int)(sizeof silent.clients / sizeof *silent.clients)) {
		int fd = socket(family, SOCK_STREAM, 0);
		r = connects(fd, silent.endpoint);
		silent.clients[silent.count++] = fd;
	}
	if (r != 0) {
		silent_close(&silent);
		skip_because("a full queue does not make a listener silent");
	}
	return silent;
}

void silent_close(struct silent *silent)
{
	close(silent->listener);
	while (silent->count > 0)
		close(silent->clients[--silent->count]);
}

struct connection connected_over_tcp(void)
{
	struct connection c;
	csys_ip_endpoint endpoint;
	csys_listener *listener = listening(CSYS_IP_V4, &endpoint);

	assert_int_equal(csys_tcp_connect(&endpoint, 1, NULL, &c.client), 0);
	assert_int_equal(csys_listener_accept_until(listener, csys_after_s(60), &c.server), 0);
	csys_listener_close(listener);
	return c;
}

void connection_close(struct connection c)
{
	csys_socket_close(c.client);
	csys_socket_close(c.server);
}
