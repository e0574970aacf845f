/*
 * ipc/tcp.c - TCP: listening, and what connections are.
 *
 * Connecting is in tcp_connect.c, names are in tcp_resolve.c.
 */
#include "ipc/tcp.h"

#include <limits.h>
#include <string.h>

#include "ipc/socket.h"

#define SECOND INT64_C(1000000000)

/* ---- endpoints ----------------------------------------------------------------------- */

struct csysi_os_endpoint csysi_tcp_to_os(const csys_ip_endpoint *endpoint)
{
	int is_v6 = endpoint->address.version == CSYS_IP_V6;
	struct csysi_os_endpoint os = {
		.version = endpoint->address.version,
		.scope_id = is_v6 ? endpoint->scope_id : 0,
		.flow_info = is_v6 ? endpoint->flow_info : 0,
		.port = endpoint->port,
	};

	memcpy(os.bytes, endpoint->address.bytes, sizeof os.bytes);
	return os;
}

csys_ip_endpoint csysi_tcp_from_os(const struct csysi_os_endpoint *os)
{
	csys_ip_endpoint endpoint = {
		.address.version = os->version,
		.scope_id = os->scope_id,
		.flow_info = os->flow_info,
		.port = os->port,
	};

	memcpy(endpoint.address.bytes, os->bytes, sizeof os->bytes);
	return endpoint;
}

int csysi_tcp_has_address(const csys_ip_endpoint *endpoint)
{
	return endpoint->address.version == CSYS_IP_V4 || endpoint->address.version == CSYS_IP_V6;
}

/* ---- listening ----------------------------------------------------------------------- */

static const csys_tcp_listen_options usual;

static int configure(csysi_os_socket os, int version, const csys_tcp_listen_options *options)
{
	int r = csysi_os_tcp_set(os, CSYSI_OS_TCP_REUSE, !options->exclusive);

	if (r == 0 && options->reuse_port)
		r = csysi_os_tcp_set(os, CSYSI_OS_TCP_REUSE_PORT, 1);
	/* What it is when nothing is said differs from system to system. */
	if (r == 0 && version == CSYS_IP_V6)
		r = csysi_os_tcp_set(os, CSYSI_OS_TCP_V6_ONLY, options->v6_only != 0);
	/* Before it listens: the window is agreed on with the first packets. */
	if (r == 0)
		r = csysi_os_socket_set_buffers(os, options->send_buffer, options->recv_buffer);
	return r;
}

int csys_tcp_listen(const csys_ip_endpoint *endpoint, const csys_tcp_listen_options *options,
		    csys_listener **out)
{
	csys_listener *listener = NULL;
	csysi_os_socket os = CSYSI_OS_NO_SOCKET;

	options = options ? options : &usual;
	if (!endpoint || !out || !csysi_tcp_has_address(endpoint) || options->backlog < 0)
		return CSYS_EINVAL;
	struct csysi_os_endpoint where = csysi_tcp_to_os(endpoint);
	int r = csysi_os_tcp_create(where.version, &os);
	if (r == 0)
		r = configure(os, where.version, options);
	if (r == 0)
		r = csysi_os_tcp_bind(os, &where);
	if (r == 0)
		r = csysi_os_socket_listen(os, options->backlog);
	if (r == 0)
		r = csysi_listener_from_os_take(os, CSYS_SOCKET_STREAM, 0, &listener);
	if (r < 0) {
		csysi_os_socket_close(os);
		return r;
	}
	listener->send_buffer = options->send_buffer;
	listener->recv_buffer = options->recv_buffer;
	*out = listener;
	return 0;
}

/* ---- what it is ---------------------------------------------------------------------- */

/* CSYS_EBADMSG: it is no connection of a network. */
static int check(const csys_socket *socket)
{
	if (!socket)
		return CSYS_EINVAL;
	return socket->is_local || socket->kind != CSYS_SOCKET_STREAM ? CSYS_EBADMSG : 0;
}

typedef int teller(csysi_os_socket socket, struct csysi_os_endpoint *out);

static int tell(teller *call, csysi_os_socket socket, csys_ip_endpoint *out)
{
	struct csysi_os_endpoint endpoint;
	int r = call(socket, &endpoint);

	if (r == 0)
		*out = csysi_tcp_from_os(&endpoint);
	return r;
}

int csys_tcp_listener_local(const csys_listener *listener, csys_ip_endpoint *out)
{
	if (!listener || !out)
		return CSYS_EINVAL;
	return listener->is_local ? CSYS_EBADMSG : tell(csysi_os_tcp_local, listener->os, out);
}

int csys_tcp_local(const csys_socket *socket, csys_ip_endpoint *out)
{
	int r = out ? check(socket) : CSYS_EINVAL;

	return r < 0 ? r : tell(csysi_os_tcp_local, socket->os, out);
}

int csys_tcp_peer(const csys_socket *socket, csys_ip_endpoint *out)
{
	int r = out ? check(socket) : CSYS_EINVAL;

	return r < 0 ? r : tell(csysi_os_tcp_peer, socket->os, out);
}

/* ---- options ------------------------------------------------------------------------- */

static int set(csys_socket *socket, enum csysi_os_tcp_option option, int value)
{
	int r = check(socket);

	return r < 0 ? r : csysi_os_tcp_set(socket->os, option, value);
}

static int get(const csys_socket *socket, enum csysi_os_tcp_option option, int *out)
{
	int r = out ? check(socket) : CSYS_EINVAL;

	return r < 0 ? r : csysi_os_tcp_get(socket->os, option, out);
}

/* Whole seconds, rounded up; CSYS_EINVAL if no int has so many. */
static int seconds_of(int64_t ns)
{
	int64_t seconds = ns / SECOND + (ns % SECOND > 0);

	return ns < 0 || seconds > INT_MAX ? CSYS_EINVAL : (int)seconds;
}

int csys_tcp_set_nodelay(csys_socket *socket, int on)
{
	return set(socket, CSYSI_OS_TCP_NODELAY, on != 0);
}

int csys_tcp_get_nodelay(const csys_socket *socket, int *out_on)
{
	return get(socket, CSYSI_OS_TCP_NODELAY, out_on);
}

int csys_tcp_set_ttl(csys_socket *socket, int hops)
{
	if (hops < 1 || hops > 255)
		return CSYS_EINVAL;
	return set(socket, CSYSI_OS_TCP_HOPS, hops);
}

int csys_tcp_get_ttl(const csys_socket *socket, int *out_hops)
{
	return get(socket, CSYSI_OS_TCP_HOPS, out_hops);
}

int csys_tcp_set_linger(csys_socket *socket, int64_t linger_ns)
{
	int seconds = linger_ns < 0 ? -1 : seconds_of(linger_ns);

	if (linger_ns >= 0 && seconds < 0)
		return CSYS_EINVAL;
	return set(socket, CSYSI_OS_TCP_LINGER, seconds);
}

int csys_tcp_get_linger(const csys_socket *socket, int64_t *out_linger_ns)
{
	int seconds;
	int r = out_linger_ns ? get(socket, CSYSI_OS_TCP_LINGER, &seconds) : CSYS_EINVAL;

	if (r == 0)
		*out_linger_ns = seconds < 0 ? -1 : seconds * SECOND;
	return r;
}

enum { IDLE, INTERVAL, COUNT, NUMBERS };

/* Set the numbers of a keepalive that are not 0: all of them or none. */
static int set_numbers(csys_socket *socket, const int numbers[NUMBERS])
{
	static const enum csysi_os_tcp_option options[NUMBERS] = {
		[IDLE] = CSYSI_OS_TCP_KEEPALIVE_IDLE,
		[INTERVAL] = CSYSI_OS_TCP_KEEPALIVE_INTERVAL,
		[COUNT] = CSYSI_OS_TCP_KEEPALIVE_COUNT,
	};
	int before[NUMBERS];
	int r = 0;

	for (int i = 0; i < NUMBERS && r == 0; i++) {
		before[i] = 0;
		if (numbers[i] > 0)
			r = csysi_os_tcp_get(socket->os, options[i], &before[i]);
		if (numbers[i] > 0 && r == 0)
			r = csysi_os_tcp_set(socket->os, options[i], numbers[i]);
		for (int set = 0; set < i && r < 0; set++) {
			if (before[set] > 0)
				(void)csysi_os_tcp_set(socket->os, options[set], before[set]);
		}
	}
	return r;
}

int csys_tcp_set_keepalive(csys_socket *socket, const csys_tcp_keepalive *keepalive)
{
	int r = check(socket);

	if (r == 0 && keepalive) {
		const int numbers[NUMBERS] = {
			[IDLE] = seconds_of(keepalive->idle_ns),
			[INTERVAL] = seconds_of(keepalive->interval_ns),
			[COUNT] = keepalive->count,
		};
		if (numbers[IDLE] < 0 || numbers[INTERVAL] < 0 || numbers[COUNT] < 0)
			return CSYS_EINVAL;
		r = set_numbers(socket, numbers);
	}
	return r < 0 ? r : csysi_os_tcp_set(socket->os, CSYSI_OS_TCP_KEEPALIVE, keepalive != NULL);
}

int csys_tcp_get_keepalive(const csys_socket *socket, csys_tcp_keepalive *out, int *out_on)
{
	int on, idle, interval, count;
	int r = out && out_on ? get(socket, CSYSI_OS_TCP_KEEPALIVE, &on) : CSYS_EINVAL;

	if (r == 0)
		r = get(socket, CSYSI_OS_TCP_KEEPALIVE_IDLE, &idle);
	if (r == 0)
		r = get(socket, CSYSI_OS_TCP_KEEPALIVE_INTERVAL, &interval);
	if (r == 0)
		r = get(socket, CSYSI_OS_TCP_KEEPALIVE_COUNT, &count);
	if (r < 0)
		return r;
	*out = (csys_tcp_keepalive){
		.idle_ns = idle * SECOND,
		.interval_ns = interval * SECOND,
		.count = count,
	};
	*out_on = on;
	return 0;
}
