/*
 * bench/peers/ipc_nng.c - nng as a subject of bench/ipc: a pair of sockets over ipc://.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include "ipc_peer.h"

struct channel {
	nng_socket socket;
	char path[300];
};

static void *pair_open(size_t size)
{
	struct channel *channel = calloc(1, sizeof *channel);
	(void)size;
	ipc_check(channel != NULL, "out of memory");
	snprintf(channel->path, sizeof channel->path, "%s", ipc_path("nng"));
	return channel;
}

static void pair_join(void *object, int side)
{
	struct channel *channel = object;
	char endpoint[320];
	snprintf(endpoint, sizeof endpoint, "ipc://%s", channel->path);
	ipc_check(!nng_pair0_open(&channel->socket) &&
			  !nng_socket_set_ms(channel->socket, NNG_OPT_RECVTIMEO, 60000) &&
			  !nng_socket_set_ms(channel->socket, NNG_OPT_SENDTIMEO, 60000) &&
			  !nng_socket_set_ms(channel->socket, NNG_OPT_RECONNMINT, 1) &&
			  !nng_socket_set_ms(channel->socket, NNG_OPT_RECONNMAXT, 1) &&
			  !nng_socket_set_size(channel->socket, NNG_OPT_RECVMAXSZ, 0) &&
			  !(side == 0
				    ? nng_listen(channel->socket, endpoint, NULL, 0)
				    : nng_dial(channel->socket, endpoint, NULL, NNG_FLAG_NONBLOCK)),
		  "nng: no socket");
}

static void pair_send(void *object, int side, const void *data, size_t size)
{
	(void)side;
	/* It copies the data. */
	ipc_check(!nng_send(((struct channel *)object)->socket, (void *)(uintptr_t)data, size, 0),
		  "nng: nothing sent");
}

static void pair_recv(void *object, int side, void *buffer, size_t size)
{
	size_t got = size;
	(void)side;
	ipc_check(!nng_recv(((struct channel *)object)->socket, buffer, &got, 0) && got == size,
		  "nng: nothing received");
}

static void pair_close(void *object, int side)
{
	struct channel *channel = object;
	nng_close(channel->socket);
	if (side == 0)
		unlink(channel->path);
	free(channel);
}

static const struct ipc_way ways[] = {
	{ .name = "stream",
	  .open = pair_open,
	  .join = pair_join,
	  .send = pair_send,
	  .recv = pair_recv,
	  .close = pair_close },
};

extern const struct ipc_peer ipc_peer_nng;
const struct ipc_peer ipc_peer_nng = {
	.name = "nng", .version = nng_version, .ways = ways, .count = sizeof ways / sizeof *ways
};
