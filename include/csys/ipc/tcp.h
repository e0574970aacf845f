/**
 * \file
 * csys/ipc/tcp.h - connections over a network: TCP.
 *
 *     CSYS_AUTO_VALUE(csys_tcp_endpoints) found = { 0 };
 *     CSYS_AUTO(csys_socket) socket = NULL;
 *     int r = csys_tcp_resolve("example.org", 80, &found);        // may take long: see below
 *     if (r == 0)
 *             r = csys_tcp_connect_until(found.items, found.count, NULL, csys_after_s(5), &socket);
 *     if (r == 0)
 *             r = csys_socket_send_all_until(socket, request, size, csys_after_s(5), NULL);
 *
 * and a server, for both versions of IP, on any port that is free:
 *
 *     csys_ip_endpoint here = csys_ip_endpoint_of(csys_ip_address_unspecified(CSYS_IP_V6), 0);
 *     CSYS_AUTO(csys_listener) listener = NULL;
 *     int r = csys_tcp_listen(&here, NULL, &listener);
 *     if (r == 0)
 *             r = csys_tcp_listener_local(listener, &here); // its port
 *     if (r == 0)
 *             r = csys_listener_accept(listener, &socket);
 *
 * What is connected here is a csys_socket as any other (csys/ipc/socket.h): its transfers, its
 * shutdown, its handle for event loops.  What listens is a csys_listener (csys/ipc/listener.h).
 * Messages over a connection are in csys/ipc/framing.h.  Handles and credentials cannot be sent.
 *
 * Connecting.  A name has several addresses as a rule, and some may not answer.  They are tried in
 * their order, but IPv6 and IPv4 in turns, the next one after 250 ms, or as soon as one has failed;
 * those before it go on (RFC 8305, "happy eyeballs").  The first connection that stands is taken,
 * and all others are closed.  One deadline counts for all of it.  If all fail, the result is that
 * of the failure that tells most: CSYS_ECONNREFUSED or CSYS_ECONNRESET, since a machine has
 * answered, before CSYS_ETIMEDOUT, CSYS_EACCES, CSYS_ENETUNREACH and others; but CSYS_ENOMEM and
 * CSYS_EMFILE come first, with which an address could not be tried.  Each one is told where
 * csys_tcp_options.results asks for it.  A connection of a socket with itself, which TCP makes now
 * and then of a port of this machine where nothing listens, counts as refused.
 *
 * Names.  csys_tcp_resolve calls the getaddrinfo of the system, which has no deadline and cannot be
 * interrupted: with the usual settings a name server that is silent takes 10 s or more.  Where that
 * is too long, have a thread of a pool call it, and wait for the task until a deadline.  The
 * thread may outlast the wait, so what it works on has to live on: here in memory of its own, which
 * the task frees if the waiting thread has given up.
 *
 *     csys_task *task;
 *     r = csys_pool_submit_task(pool, resolve_lookup, lookup, &task);
 *     if (r == 0) {
 *             r = csys_task_join_until(task, csys_after_ms(500), NULL);
 *             csys_task_unref(task);
 *     }
 *
 * Text that looks like numbers is never looked up: what csys_ip_address_parse takes is that
 * address, and whatever ends in a number otherwise ("127.1", "0x7f000001", "010.0.0.1") is
 * CSYS_EINVAL, though resolvers take it for an address.
 *
 * Threads, signals and forks are as for all sockets.  No call raises SIGPIPE.
 */
#ifndef CSYS_IPC_TCP_H
#define CSYS_IPC_TCP_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/ip_address.h>
#include <csys/ipc/listener.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/* ---- names ---------------------------------------------------------------------------- */

/** The endpoints that a name stands for. */
typedef struct csys_tcp_endpoints {
	csys_ip_endpoint *items; /**< best first */
	size_t count;            /**< how many there are */
} csys_tcp_endpoints;

/**
 * Look up the addresses of a host.
 *
 * There is no deadline: see the begin of this header.  The order is that of the system (RFC 6724).
 * Which files and servers are asked is the system's too.
 *
 * \param host  a name, or an address as text, also with a scope ("fe80::1%eth0")
 * \param port  the port of each endpoint
 * \param out   the endpoints, at least one, to be released by csys_tcp_endpoints_free.  Unchanged
 *              on failure
 * \retval 0            *out is set
 * \retval CSYS_ENOENT  there is no such host, or it has no address
 * \retval CSYS_EAGAIN  no server has answered: it may be known later
 * \retval CSYS_EINVAL  the text is empty, longer than a name can be, ends in a number and is no
 *                      address, or an argument is NULL
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_EOTHER  the lookup has failed in another way: csys_os_error(), which is the code of
 *                      getaddrinfo if errno's has not been told
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_resolve(const char *host, uint16_t port,
					      csys_tcp_endpoints *out);

/**
 * Release the memory of endpoints.
 *
 * \param endpoints  the endpoints, which are none then; NULL is ignored
 */
CSYS_API void csys_tcp_endpoints_free(csys_tcp_endpoints *endpoints);
CSYSI_AUTO_VALUE(csys_tcp_endpoints, csys_tcp_endpoints_free(object))

/* ---- connecting ----------------------------------------------------------------------- */

/** How a connection is made.  All zero is the usual way. */
typedef struct csys_tcp_options {
	int64_t stagger_ns; /**< how long one address is tried alone before the next one is tried
				 too; 0: 250 ms */
	int nodelay;        /**< 1: as csys_tcp_set_nodelay */
	int reserved_int;   /**< private: 0 */
	const csys_ip_endpoint *bind; /**< the own address and port: addresses of the other version
					   are CSYS_EADDRNOTAVAIL then; with a port that is not 0
					   they are tried one by one.  NULL: the system's choice */
	size_t send_buffer;           /**< bytes that the system holds for sending; 0: the usual */
	size_t recv_buffer; /**< bytes that the system holds for receiving; 0: the usual */
	int *results; /**< if not NULL, what became of each address: 0 for that which is connected,
			   CSYS_ECANCELED for those that were given up or were not tried, else why
			   it failed, CSYS_ETIMEDOUT at the deadline too.  As many as there are
			   addresses; set in any case but CSYS_EINVAL */
	uintptr_t reserved[4]; /**< private: 0 */
} csys_tcp_options;

/**
 * Connect to the first of several endpoints that can be reached.
 *
 * The system gives up by itself if no machine answers, on Linux after about two minutes.
 *
 * \param endpoints  the endpoints, in the order in which they are to be tried
 * \param count      how many there are
 * \param options    how; NULL: the usual way
 * \param out        the socket, which the caller closes.  Unchanged on failure
 * \retval 0                   it is connected
 * \retval CSYS_ECONNREFUSED   nothing listens there
 * \retval CSYS_ECONNRESET     the connection was broken off at once
 * \retval CSYS_ETIMEDOUT      no machine has answered
 * \retval CSYS_ENETUNREACH    no way leads there
 * \retval CSYS_EACCES         the system forbids it, such as a rule of a firewall
 * \retval CSYS_EADDRINUSE     options.bind is in use
 * \retval CSYS_EADDRNOTAVAIL  options.bind is not of this machine, or no port is left
 * \retval CSYS_ENOTSUP        the system has no such version of IP
 * \retval CSYS_EMFILE         no handle is left
 * \retval CSYS_ENOMEM         no memory
 * \retval CSYS_EINVAL         there is no endpoint, one has no address, an option is out of range,
 *                             or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_connect(const csys_ip_endpoint *endpoints, size_t count,
					      const csys_tcp_options *options, csys_socket **out);

/**
 * Connect to the first of several endpoints that can be reached, until `deadline`.
 *
 * \param endpoints  the endpoints, in the order in which they are to be tried
 * \param count      how many there are
 * \param options    how; NULL: the usual way
 * \param deadline   when to give up, for all of them together
 * \param out        the socket, which the caller closes.  Unchanged on failure
 * \retval 0                   it is connected
 * \retval CSYS_ETIMEDOUT      the deadline passed while an address was tried, or no machine has
 *                             answered
 * \retval CSYS_ECONNREFUSED   nothing listens there
 * \retval CSYS_ECONNRESET     the connection was broken off at once
 * \retval CSYS_ENETUNREACH    no way leads there
 * \retval CSYS_EACCES         the system forbids it, such as a rule of a firewall
 * \retval CSYS_EADDRINUSE     options.bind is in use
 * \retval CSYS_EADDRNOTAVAIL  options.bind is not of this machine, or no port is left
 * \retval CSYS_ENOTSUP        the system has no such version of IP
 * \retval CSYS_EMFILE         no handle is left
 * \retval CSYS_ENOMEM         no memory
 * \retval CSYS_EINVAL         there is no endpoint, one has no address, an option is out of range,
 *                             or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_connect_until(const csys_ip_endpoint *endpoints, size_t count,
						    const csys_tcp_options *options,
						    csys_deadline deadline, csys_socket **out);

/* ---- listening ------------------------------------------------------------------------ */

/** How a place to connect to is made.  All zero is the usual way. */
typedef struct csys_tcp_listen_options {
	int backlog; /**< how many connections may wait to be accepted; 0: the system's most */
	int v6_only; /**< 1: an address of IPv6 takes no connection of IPv4.  0: `::` takes both */
	int exclusive;  /**< 1: not while connections of an earlier listener linger at the port */
	int reuse_port; /**< 1: several listeners of this user share the port, each with a queue of
			     its own; where the system can, else CSYS_ENOTSUP */
	size_t send_buffer;    /**< as in csys_tcp_options, for accepted sockets */
	size_t recv_buffer;    /**< likewise */
	uintptr_t reserved[4]; /**< private: 0 */
} csys_tcp_listen_options;

/**
 * Listen at an endpoint.
 *
 * Unless `exclusive` is set, a server that is started again can listen at once, though connections
 * of the one before it linger (SO_REUSEADDR).  It never takes the port of a live one.
 *
 * \param endpoint  where; an unspecified address stands for all of this machine, and port 0 for any
 *                  that is free: see csys_tcp_listener_local
 * \param options   how; NULL: the usual way
 * \param out       the listener, which the caller closes.  Unchanged on failure
 * \retval 0                   others can connect
 * \retval CSYS_EADDRINUSE     the port belongs to a socket that is in use
 * \retval CSYS_EADDRNOTAVAIL  the address is not of this machine
 * \retval CSYS_EACCES         this user may not have the port: below 1024, as a rule
 * \retval CSYS_ENOTSUP        the system has no such version of IP, or not this option
 * \retval CSYS_EMFILE         no handle is left
 * \retval CSYS_ENOMEM         no memory
 * \retval CSYS_EINVAL         there is no address, an option is out of range, or an argument is
 *                             NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_listen(const csys_ip_endpoint *endpoint,
					     const csys_tcp_listen_options *options,
					     csys_listener **out);

/**
 * Tell the endpoint that a listener has.
 *
 * \param listener  the listener
 * \param out       its address and port.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_EBADMSG  it is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_listener_local(const csys_listener *listener,
						     csys_ip_endpoint *out);

/* ---- what a connection is ------------------------------------------------------------- */

/**
 * Tell the own endpoint of a connection.
 *
 * \param socket  the socket
 * \param out     its address and port.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_EBADMSG  it is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_local(const csys_socket *socket, csys_ip_endpoint *out);

/**
 * Tell the endpoint of the other side of a connection.
 *
 * Over a listener for both versions a peer of IPv4 has an address such as "::ffff:192.0.2.1": see
 * csys_ip_address_to_canonical.
 *
 * \param socket  the socket
 * \param out     its address and port.  Unchanged on failure
 * \retval 0              *out is set
 * \retval CSYS_ENOTCONN  there is no other side any more
 * \retval CSYS_EBADMSG   the socket is not one of TCP
 * \retval CSYS_EINVAL    an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_peer(const csys_socket *socket, csys_ip_endpoint *out);

/**
 * Have each byte sent at once, or let few bytes wait for more.
 *
 * Without it (Nagle's algorithm) a small piece waits until the one before it was acknowledged:
 * fewer packets, and a delay of up to 40 ms for a program that sends two pieces and waits for an
 * answer.
 *
 * \param socket  the socket
 * \param on      1 for at once, 0 for letting them wait, which new sockets do
 * \retval 0             it is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   `socket` is NULL, or the other side has broken the connection off, where
 *                       the system says so
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_set_nodelay(csys_socket *socket, int on);

/**
 * Tell whether each byte is sent at once.
 *
 * \param socket  the socket
 * \param out_on  1 if it is, else 0.  Unchanged on failure
 * \retval 0             *out_on is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_get_nodelay(const csys_socket *socket, int *out_on);

/** When the other side of a silent connection is asked whether it is still there. */
typedef struct csys_tcp_keepalive {
	int64_t idle_ns;     /**< how long it was silent then; 0: as the system has it (2 hours) */
	int64_t interval_ns; /**< how long an answer may take; 0: as the system has it */
	int count;           /**< how often it is asked in vain before the connection counts as
				  broken; 0: as the system has it */
	int reserved;        /**< private: 0 */
} csys_tcp_keepalive;

/**
 * Have the other side of a silent connection asked whether it is still there, or not.
 *
 * Without it a machine that has lost its power is not noticed by a side that only receives.  A
 * connection that counts as broken fails with CSYS_ECONNRESET.  After a failure of this call all is
 * as it was.
 *
 * \param socket     the socket
 * \param keepalive  when; times are rounded up to what the system counts in, seconds as a rule.
 *                   NULL: never, which new sockets have
 * \retval 0             it is set
 * \retval CSYS_ENOTSUP  the system has no such numbers for one socket
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   a number is negative or more than the system takes, or `socket` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_set_keepalive(csys_socket *socket,
						    const csys_tcp_keepalive *keepalive);

/**
 * Tell when the other side of a silent connection is asked whether it is still there.
 *
 * \param socket  the socket
 * \param out     when; it is set as well if that is off
 * \param out_on  1 if it is asked, else 0.  Both are unchanged on failure
 * \retval 0             the outputs are set
 * \retval CSYS_ENOTSUP  the system has no such numbers for one socket
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_get_keepalive(const csys_socket *socket,
						    csys_tcp_keepalive *out, int *out_on);

/**
 * Tell what csys_socket_close does about bytes that were not delivered yet.
 *
 * As a rule it returns at once, and the system goes on to deliver them.
 *
 * \param socket     the socket
 * \param linger_ns  negative: as a rule.  0: they are dropped and the connection is broken off, so
 *                   that the other side gets CSYS_ECONNRESET.  Else the close waits until they are
 *                   delivered, so long at most, rounded up to seconds, and drops the rest
 * \retval 0             it is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   the time is more than the system takes, or `socket` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_set_linger(csys_socket *socket, int64_t linger_ns);

/**
 * Tell how long csys_socket_close waits for bytes to be delivered.
 *
 * \param socket         the socket
 * \param out_linger_ns  as for csys_tcp_set_linger; -1 as a rule.  Unchanged on failure
 * \retval 0             *out_linger_ns is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_get_linger(const csys_socket *socket, int64_t *out_linger_ns);

/**
 * Limit over how many routers what is sent may go.
 *
 * \param socket  the socket
 * \param hops    1 to 255; 1 keeps to the link
 * \retval 0             it is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   it is no such number, or `socket` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_set_ttl(csys_socket *socket, int hops);

/**
 * Tell over how many routers what is sent may go.
 *
 * \param socket    the socket
 * \param out_hops  the number: 64 as a rule.  Unchanged on failure
 * \retval 0             *out_hops is set
 * \retval CSYS_EBADMSG  the socket is not one of TCP
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_tcp_get_ttl(const csys_socket *socket, int *out_hops);

CSYS_END_DECLS

#endif
