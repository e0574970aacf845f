/*
 * bench/channels_csys.h - csys's typed channels, for channels_csys.c and channels_csys_latency.c.
 *
 * Those define LATENCY_FIRST: the option of that name.
 */
#include <csys/csys.h>
#include <csys/sync/typed_channel.h>

#include "bench.h"
#include "channels_message.h"

CSYS_CHANNEL_DEFINE(channel_8, struct message_8);
CSYS_CHANNEL_DEFINE(channel_64, struct message_64);
CSYS_CHANNEL_DEFINE(channel_512, struct message_512);

/* As unwrap() in Rust. */
static inline void worked(int result)
{
	if (result != 0)
		bench_fail("a channel of csys said %d", result);
}

#define SENDER CHANNELS_OF(channel, _sender)
#define RECEIVER CHANNELS_OF(channel, _receiver)
#define OPTIONS(many) \
	(&(csys_channel_options){ .many_receivers = (many), .latency_first = LATENCY_FIRST })
#define CREATE(capacity, many, out_sender, out_receiver)                                        \
	worked(CHANNELS_OF(channel, _new)((capacity) < 0 ? CSYS_UNBOUNDED : (size_t)(capacity), \
					  OPTIONS(many), out_sender, out_receiver))
#define SEND(sender, message) worked(CHANNELS_OF(channel, _send)(sender, message))
#define RECV(receiver, out_message) worked(CHANNELS_OF(channel, _recv)(receiver, out_message))
#define RECV_LEFT(receiver, out_message) (CHANNELS_OF(channel, _recv)(receiver, out_message) == 0)
#define CLONE_SENDER(sender) CHANNELS_OF(channel, _sender_clone)(sender)
#define CLONE_RECEIVER(receiver) CHANNELS_OF(channel, _receiver_clone)(receiver)
#define CLOSE_SENDER(sender) CHANNELS_OF(channel, _sender_close)(sender)
#define CLOSE_RECEIVER(receiver) CHANNELS_OF(channel, _receiver_close)(receiver)
#define SELECT_CASE csys_select_case
#define SELECT_RECV(receiver, out_message) CHANNELS_OF(channel, _select_recv)(receiver, out_message)
#define SELECT(cases, count, out_which) worked(csys_select(cases, count, out_which))
#define SEND_BATCH(sender, messages)                                                             \
	worked(CHANNELS_OF(channel, _send_batch)(sender, messages, CHANNELS_BATCH, CSYS_FOREVER, \
						 &(size_t){ 0 }))
#define RECV_BATCH(receiver, out_messages) CHANNELS_OF(channel, _batch)(receiver, out_messages)

#define DEFINE_BATCH(name, type)                                                               \
	static inline size_t name##_batch(name##_receiver receiver, type *out_messages)        \
	{                                                                                      \
		size_t count = 0;                                                              \
		worked(name##_recv_batch(receiver, out_messages, CHANNELS_BATCH, CSYS_FOREVER, \
					 &count));                                             \
		return count;                                                                  \
	}

DEFINE_BATCH(channel_8, struct message_8)
DEFINE_BATCH(channel_64, struct message_64)
DEFINE_BATCH(channel_512, struct message_512)

#define BYTES 8
#include "channels_loop.h"
#define BYTES 64
#include "channels_loop.h"
#define BYTES 512
#include "channels_loop.h"

#define SIZES &loops_8, &loops_64, &loops_512
