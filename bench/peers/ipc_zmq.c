/*
 * bench/peers/ipc_zmq.c - libzmq as a subject of bench/ipc: a pair of sockets over ipc://.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zmq.h>

#include "ipc_peer.h"

struct channel {
	void *context;
	void *socket;
	char path[300];
};

static void *pair_open(size_t size)
{
	struct channel *channel = calloc(1, sizeof *channel);
	(void)size;
	ipc_check(channel != NULL, "out of memory");
	snprintf(channel->path, sizeof channel->path, "%s", ipc_path("zmq"));
	return channel;
}

static void pair_join(void *object, int side)
{
	struct channel *channel = object;
	char endpoint[320];
	int wait = 60000;
	snprintf(endpoint, sizeof endpoint, "ipc://%s", channel->path);
	channel->context = zmq_ctx_new();
	channel->socket = zmq_socket(channel->context, ZMQ_PAIR);
	ipc_check(channel->socket &&
			  !zmq_setsockopt(channel->socket, ZMQ_RCVTIMEO, &wait, sizeof wait) &&
			  !zmq_setsockopt(channel->socket, ZMQ_SNDTIMEO, &wait, sizeof wait) &&
			  !(side == 0 ? zmq_bind(channel->socket, endpoint)
				      : zmq_connect(channel->socket, endpoint)),
		  "zmq: no socket");
}

static void pair_send(void *object, int side, const void *data, size_t size)
{
	(void)side;
	ipc_check(zmq_send(((struct channel *)object)->socket, data, size, 0) == (int)size,
		  "zmq: nothing sent");
}

static void pair_recv(void *object, int side, void *buffer, size_t size)
{
	(void)side;
	ipc_check(zmq_recv(((struct channel *)object)->socket, buffer, size, 0) == (int)size,
		  "zmq: nothing received");
}

static void pair_close(void *object, int side)
{
	struct channel *channel = object;
	zmq_close(channel->socket);
	zmq_ctx_term(channel->context);
	if (side == 0)
		unlink(channel->path);
	free(channel);
}

static const char *version(void)
{
	static char text[32];
	int major, minor, patch;
	zmq_version(&major, &minor, &patch);
	snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
	return text;
}

static const struct ipc_way ways[] = {
	{ .name = "stream",
	  .open = pair_open,
	  .join = pair_join,
	  .send = pair_send,
	  .recv = pair_recv,
	  .close = pair_close },
};

extern const struct ipc_peer ipc_peer_zmq;
const struct ipc_peer ipc_peer_zmq = {
	.name = "zmq", .version = version, .ways = ways, .count = sizeof ways / sizeof *ways
};
