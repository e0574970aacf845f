/*
 * bench/channels_csys_bytes.c - csys's channels of bytes, whose size is known at run time.
 */
#include <csys/csys.h>
#include <csys/sync/channel.h>

#include "bench.h"
#include "channels_message.h"
#include "channels_peer.h"

static inline void worked(int result)
{
	if (result != 0)
		bench_fail("a channel of csys said %d", result);
}

#define SENDER csys_sender *
#define RECEIVER csys_receiver *
#define OPTIONS(many) (&(csys_channel_options){ .many_receivers = (many) })
#define CREATE(capacity, many, out_sender, out_receiver)                                     \
	worked(csys_channel_new(BYTES, (capacity) < 0 ? CSYS_UNBOUNDED : (size_t)(capacity), \
				OPTIONS(many), out_sender, out_receiver))
#define SEND(sender, message) worked(csys_sender_send(sender, message))
#define RECV(receiver, out_message) worked(csys_receiver_recv(receiver, out_message))
#define CLONE_SENDER(sender) csys_sender_clone(sender)
#define CLOSE_SENDER(sender) csys_sender_close(sender)
#define CLOSE_RECEIVER(receiver) csys_receiver_close(receiver)

#define BYTES 8
#include "channels_loop.h"
#define BYTES 64
#include "channels_loop.h"
#define BYTES 512
#include "channels_loop.h"

#define SIZES &loops_8, &loops_64, &loops_512

const struct channels_peer channels_peer_csys_bytes = {
	.name = "csys_bytes",
	.cases = "self.,unbounded.8.,bounded1024.8.",
	.loops = { { SIZES }, { SIZES }, { SIZES } },
};
