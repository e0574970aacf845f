/*
 * bench/ipc_csys_channel.c - csys's channels through shared memory as subjects of bench/ipc.
 */
#include <stdlib.h>

#include <csys/ipc.h>

#include "ipc_peer.h"

extern const struct ipc_peer ipc_peer_csys_channel;

/* By the side that receives; the ends are this process's. */
struct ends {
	csys_shared_channel *to[2];
	csys_shared_sender *sender;
	csys_shared_receiver *receiver;
};

static csys_deadline until(void)
{
	return csys_deadline_at(ipc_deadline());
}

static void *open_two(size_t size, int is_single)
{
	const csys_shared_channel_options options = { .single_sender = is_single };
	size_t bytes = size > 0 ? size : sizeof(uint64_t); /* 0: of a pair */
	/* A MiB of long messages, if they are not longer than that. */
	size_t capacity = size > 65536 ? 4 : size > 4096 ? 16 : 1024;
	struct ends *ends = calloc(1, sizeof *ends);
	ipc_check(ends != NULL, "out of memory");
	for (int side = 0; side < 2; side++)
		ipc_check(csys_shared_channel_create_anonymous(bytes, capacity, &options,
							       &ends->to[side]) == 0,
			  "csys: no shared channel");
	return ends;
}

static void *several_open(size_t size)
{
	return open_two(size, 0);
}

static void *single_open(size_t size)
{
	return open_two(size, 1);
}

static void channel_join(void *channel, int side)
{
	struct ends *ends = channel;
	ipc_check(csys_shared_sender_open(ends->to[!side], &ends->sender) == 0 &&
			  csys_shared_receiver_open(ends->to[side], &ends->receiver) == 0,
		  "csys: no ends of a shared channel");
}

static void channel_send(void *channel, int side, const void *data, size_t size)
{
	const struct ends *ends = channel;
	(void)side;
	ipc_check(csys_shared_sender_send_until(ends->sender, data, size, until()) == 0,
		  "csys: not sent");
}

static void channel_recv(void *channel, int side, void *buffer, size_t size)
{
	const struct ends *ends = channel;
	size_t length;
	(void)side;
	ipc_check(csys_shared_receiver_recv_until(ends->receiver, until(), buffer, size, &length) ==
				  0 &&
			  length == size,
		  "csys: not received");
}

static void channel_close(void *channel, int side)
{
	struct ends *ends = channel;
	(void)side;
	csys_shared_sender_close(ends->sender);
	csys_shared_receiver_close(ends->receiver);
	csys_shared_channel_close(ends->to[0]);
	csys_shared_channel_close(ends->to[1]);
	free(ends);
}

/* A message sent and received by one thread. */
static void channel_pair(void *channel, int64_t count)
{
	struct ends *ends = channel;
	uint64_t number = 1;
	int failures = 0;
	ipc_check(csys_shared_sender_open(ends->to[0], &ends->sender) == 0 &&
			  csys_shared_receiver_open(ends->to[0], &ends->receiver) == 0,
		  "csys: no ends of a shared channel");
	for (; count > 0; count--) {
		failures |= csys_shared_sender_send(ends->sender, &number, sizeof number);
		failures |= csys_shared_receiver_recv(ends->receiver, &number, sizeof number, NULL);
	}
	ipc_check(failures == 0, "csys: not sent or not received");
}

#define CHANNEL                                                                                   \
	.join = channel_join, .send = channel_send, .recv = channel_recv, .close = channel_close, \
	.pair = channel_pair

static const struct ipc_way ways[] = {
	{ .name = "shared_channel", .open = several_open, CHANNEL },
	{ .name = "shared_channel_single", .open = single_open, CHANNEL },
};

const struct ipc_peer ipc_peer_csys_channel = { .ways = ways, .count = sizeof ways / sizeof *ways };
