/*
 * bench/peers/ipc_glib.c - GSocket as a subject of bench/ipc, with a timeout of a minute.
 */
#include <stdio.h>
#include <sys/socket.h>

#include <gio/gio.h>

#include "ipc_peer.h"

struct channel {
	GSocket *sockets[2];
};

static void *pair_open(int kind)
{
	struct channel *channel = g_new0(struct channel, 1);
	int made[2];
	ipc_check(socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, made) == 0, "gio: no sockets");
	for (int side = 0; side < 2; side++) {
		channel->sockets[side] = g_socket_new_from_fd(made[side], NULL);
		ipc_check(channel->sockets[side] != NULL, "gio: no socket");
		g_socket_set_timeout(channel->sockets[side], 60);
	}
	return channel;
}

static void *stream_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_STREAM);
}

static void *datagram_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_DGRAM);
}

static void *seqpacket_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_SEQPACKET);
}

static void socket_join(void *object, int side)
{
	g_object_unref(((struct channel *)object)->sockets[!side]);
}

static void socket_send(void *object, int side, const void *data, size_t size)
{
	while (size > 0) {
		gssize moved = g_socket_send(((struct channel *)object)->sockets[side], data, size,
					     NULL, NULL);
		ipc_check(moved > 0, "gio: nothing sent");
		data = (const char *)data + moved;
		size -= (size_t)moved;
	}
}

static void socket_recv(void *object, int side, void *buffer, size_t size)
{
	while (size > 0) {
		gssize moved = g_socket_receive(((struct channel *)object)->sockets[side], buffer,
						size, NULL, NULL);
		ipc_check(moved > 0, "gio: nothing received");
		buffer = (char *)buffer + moved;
		size -= (size_t)moved;
	}
}

static void socket_close(void *object, int side)
{
	g_object_unref(((struct channel *)object)->sockets[side]);
	g_free(object);
}

static const char *version(void)
{
	static char text[32];
	snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
		 glib_micro_version);
	return text;
}

#define SOCKET .join = socket_join, .send = socket_send, .recv = socket_recv, .close = socket_close

static const struct ipc_way ways[] = {
	{ .name = "stream", .open = stream_open, SOCKET },
	{ .name = "datagram", .largest = IPC_DATAGRAM, .open = datagram_open, SOCKET },
	{ .name = "seqpacket", .largest = IPC_DATAGRAM, .open = seqpacket_open, SOCKET },
};

extern const struct ipc_peer ipc_peer_gio;
const struct ipc_peer ipc_peer_gio = {
	.name = "gsocket", .version = version, .ways = ways, .count = sizeof ways / sizeof *ways
};
