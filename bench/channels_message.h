/*
 * bench/channels_message.h - the messages of bench/channels in C.
 *
 * Rust's are the same: peers/rust/channels/.
 */
#ifndef BENCH_CHANNELS_MESSAGE_H
#define BENCH_CHANNELS_MESSAGE_H

#include <stdint.h>

struct message_8 {
	uint64_t numbers[1];
};

struct message_64 {
	uint64_t numbers[8];
};

struct message_512 {
	uint64_t numbers[64];
};

/* NAME_BYTES_END, where BYTES is the size that channels_loop.h is to be included for. */
#define CHANNELS_OF(name, end) CHANNELS_OF_BYTES(name, BYTES, end)
#define CHANNELS_OF_BYTES(name, bytes, end) CHANNELS_JOIN(name, bytes, end)
#define CHANNELS_JOIN(name, bytes, end) name##_##bytes##end

/* The type of the messages of this size. */
#define MESSAGE struct CHANNELS_OF(message, )

#endif
