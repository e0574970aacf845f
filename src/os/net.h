/*
 * os/net.h - sockets of a network: TCP over IPv4 and IPv6, and the names of hosts.
 *
 * They are sockets as those of os/socket.h, which has their transfers, listen, accept, shutdown and
 * close.  Only what is about addresses and TCP is here.
 */
#ifndef CSYSI_OS_NET_H
#define CSYSI_OS_NET_H

#include <stddef.h>
#include <stdint.h>

#include "os/socket.h"

/* An address of IPv4 or IPv6 and a port. */
struct csysi_os_endpoint {
	uint8_t bytes[16];  /* in the order of the network; IPv4 has 4 */
	int version;        /* 4 or 6 */
	uint32_t scope_id;  /* IPv6; 0: none */
	uint32_t flow_info; /* IPv6; as a number of this machine */
	uint16_t port;      /* as a number of this machine */
};

/* Make a socket of TCP.  CSYS_ENOTSUP: no such version of IP; CSYS_EMFILE. */
int csysi_os_tcp_create(int version, csysi_os_socket *out);

/* Bind it.  CSYS_EADDRINUSE, CSYS_EADDRNOTAVAIL, CSYS_EACCES. */
int csysi_os_tcp_bind(csysi_os_socket socket, const struct csysi_os_endpoint *endpoint);

/*
 * Connect.  `may_wait`: until it is connected or has failed; else CSYS_EAGAIN says that it goes on
 * without this thread: os/poll.h waits for its end as for writing, and csysi_os_tcp_finish tells
 * it.  After a failure the socket is of no use but to be closed.
 * CSYS_ECONNREFUSED, CSYS_ECONNRESET, CSYS_ENETUNREACH, CSYS_EACCES, CSYS_EADDRNOTAVAIL;
 * CSYS_ETIMEDOUT: the system has given up.
 */
int csysi_os_tcp_connect(csysi_os_socket socket, const struct csysi_os_endpoint *endpoint,
			 int may_wait);

/*
 * How a connect that went on has ended, once os/poll.h says that it has.  0: it is connected, and
 * the socket is like any other.  Else why it has failed.
 */
int csysi_os_tcp_finish(csysi_os_socket socket);

/* What it is bound to, and connected to.  CSYS_EBADMSG: it is not of IP.  CSYS_ENOTCONN. */
int csysi_os_tcp_local(csysi_os_socket socket, struct csysi_os_endpoint *out);
int csysi_os_tcp_peer(csysi_os_socket socket, struct csysi_os_endpoint *out);

/* What can be set. */
enum csysi_os_tcp_option {
	/* Before a bind.  1 or 0. */
	CSYSI_OS_TCP_REUSE,      /* bind though connections of an earlier listener linger */
	CSYSI_OS_TCP_REUSE_PORT, /* share the port with others that have this option */
	CSYSI_OS_TCP_V6_ONLY,    /* an address of IPv6 takes no connection of IPv4 */
	/* Of a connection. */
	CSYSI_OS_TCP_NODELAY,            /* 1 or 0 */
	CSYSI_OS_TCP_HOPS,               /* 1 to 255 */
	CSYSI_OS_TCP_LINGER,             /* seconds; -1: the close does not wait */
	CSYSI_OS_TCP_KEEPALIVE,          /* 1 or 0 */
	CSYSI_OS_TCP_KEEPALIVE_IDLE,     /* seconds, at least 1 */
	CSYSI_OS_TCP_KEEPALIVE_INTERVAL, /* seconds, at least 1 */
	CSYSI_OS_TCP_KEEPALIVE_COUNT     /* at least 1 */
};

/*
 * Set an option, and tell it.  CSYS_EINVAL: the system takes no such number.  CSYS_ENOTSUP: it has
 * no such option.  CSYS_EBADMSG: it is no socket of TCP.
 */
int csysi_os_tcp_set(csysi_os_socket socket, enum csysi_os_tcp_option option, int value);
int csysi_os_tcp_get(csysi_os_socket socket, enum csysi_os_tcp_option option, int *out);

/*
 * Look up the addresses of a host, best first: *out is an array for csysi_free, with port 0, and
 * *out_count is at least 1.  `is_address`: the text is an address of IPv6 with a scope, and
 * nothing is asked but for that.  Has no deadline.
 * CSYS_ENOENT: there is no such host, or it has no address; CSYS_EAGAIN: no server has answered;
 * CSYS_ENOMEM, CSYS_EOTHER.
 */
int csysi_os_resolve(const char *host, int is_address, struct csysi_os_endpoint **out,
		     size_t *out_count);

#endif
