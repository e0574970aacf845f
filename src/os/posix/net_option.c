/*
 * os/posix/net_option.c - options of sockets of TCP.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "os/posix/net.h"
#include "os/posix/posix.h"

/* Where an option is of no use, or has another name. */
#define NONE (-1)
#ifndef SO_REUSEPORT
#define SO_REUSEPORT NONE
#endif
#ifndef TCP_KEEPIDLE
#ifdef TCP_KEEPALIVE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* macOS */
#else
#define TCP_KEEPIDLE NONE
#endif
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL NONE
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT NONE
#endif
#ifndef SO_LINGER_SEC
#define SO_LINGER_SEC SO_LINGER /* macOS has ticks there */
#endif

struct option {
	int level, name;
};

static const struct option options[] = {
	[CSYSI_OS_TCP_REUSE] = { SOL_SOCKET, SO_REUSEADDR },
	[CSYSI_OS_TCP_REUSE_PORT] = { SOL_SOCKET, SO_REUSEPORT },
	[CSYSI_OS_TCP_V6_ONLY] = { IPPROTO_IPV6, IPV6_V6ONLY },
	[CSYSI_OS_TCP_NODELAY] = { IPPROTO_TCP, TCP_NODELAY },
	[CSYSI_OS_TCP_HOPS] = { IPPROTO_IP, IP_TTL },
	[CSYSI_OS_TCP_LINGER] = { SOL_SOCKET, SO_LINGER_SEC },
	[CSYSI_OS_TCP_KEEPALIVE] = { SOL_SOCKET, SO_KEEPALIVE },
	[CSYSI_OS_TCP_KEEPALIVE_IDLE] = { IPPROTO_TCP, TCP_KEEPIDLE },
	[CSYSI_OS_TCP_KEEPALIVE_INTERVAL] = { IPPROTO_TCP, TCP_KEEPINTVL },
	[CSYSI_OS_TCP_KEEPALIVE_COUNT] = { IPPROTO_TCP, TCP_KEEPCNT },
};

static const struct option v6_hops = { IPPROTO_IPV6, IPV6_UNICAST_HOPS };

static int fail(void)
{
	/* The level is that of another protocol. */
	if (errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == ENOTSUP)
		return CSYS_EBADMSG;
	return csysi_posix_fail();
}

static int set(int fd, struct option option, int value)
{
	return setsockopt(fd, option.level, option.name, &value, sizeof value) < 0 ? fail() : 0;
}

static int get(int fd, struct option option, int *out)
{
	int value = 0;
	socklen_t size = sizeof value;

	if (getsockopt(fd, option.level, option.name, &value, &size) < 0)
		return fail();
	*out = value;
	return 0;
}

static int is_v6(csysi_os_socket socket)
{
	struct csysi_os_endpoint local;

	return csysi_os_tcp_local(socket, &local) == 0 && local.version == 6;
}

/* What goes to addresses of IPv4 that are mapped has hops of its own, where the system has that. */
static int set_hops(csysi_os_socket socket, int value)
{
	int r = set((int)socket, options[CSYSI_OS_TCP_HOPS], value);

	return is_v6(socket) ? set((int)socket, v6_hops, value) : r;
}

static int set_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? seconds : 0 };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER_SEC, &linger, sizeof linger) < 0 ? fail() : 0;
}

static int get_linger(int fd, int *out)
{
	struct linger linger = { .l_onoff = 0 };
	socklen_t size = sizeof linger;

	if (getsockopt(fd, SOL_SOCKET, SO_LINGER_SEC, &linger, &size) < 0)
		return fail();
	*out = linger.l_onoff ? linger.l_linger : -1;
	return 0;
}

int csysi_os_tcp_set(csysi_os_socket socket, enum csysi_os_tcp_option option, int value)
{
	if (options[option].name == NONE)
		return CSYS_ENOTSUP;
	if (option == CSYSI_OS_TCP_HOPS)
		return set_hops(socket, value);
	if (option == CSYSI_OS_TCP_LINGER)
		return set_linger((int)socket, value);
	return set((int)socket, options[option], value);
}

int csysi_os_tcp_get(csysi_os_socket socket, enum csysi_os_tcp_option option, int *out)
{
	int value = 0;

	if (options[option].name == NONE)
		return CSYS_ENOTSUP;
	if (option == CSYSI_OS_TCP_LINGER)
		return get_linger((int)socket, out);
	int is_hops = option == CSYSI_OS_TCP_HOPS && is_v6(socket);
	int r = get((int)socket, is_hops ? v6_hops : options[option], &value);
	/* BSDs tell the flag's own number for "on". */
	int is_flag = option <= CSYSI_OS_TCP_NODELAY || option == CSYSI_OS_TCP_KEEPALIVE;
	if (r == 0)
		*out = is_flag ? value != 0 : value;
	return r;
}
