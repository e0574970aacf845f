/*
 * bench/channels_peer.h - channels, to be measured beside each other.
 *
 * As with locks a peer brings whole loops, so that what it inlines into a program is
 * inlined here too.  The loops of peers in C are channels_loop.h, those of Rust
 * peers/rust/channels/; both do the same.  Threads, clocks and checks are in
 * channels_run.c.
 *
 * A message is 1, 8 or 64 numbers.  Its serial is the first of them and the last, and
 * both are summed up where it is received: a message that is lost, comes twice or is
 * torn makes a wrong sum.
 */
#ifndef BENCH_CHANNELS_PEER_H
#define BENCH_CHANNELS_PEER_H

#include <stdint.h>

enum { CHANNELS_UNBOUNDED = -1 }; /* as a capacity; 0: rendezvous */

/* Kinds may be of different types, as in Rust's std. */
enum channels_kind {
	CHANNELS_KIND_UNBOUNDED,
	CHANNELS_KIND_BOUNDED,
	CHANNELS_KIND_RENDEZVOUS,
	CHANNELS_KINDS
};

enum { CHANNELS_SIZES = 3 }; /* 8, 64 and 512 bytes */

/* How many messages a batch has. */
enum { CHANNELS_BATCH = 32 };

/* Set in the serial of the last message of a burst. */
#define CHANNELS_LAST (UINT64_C(1) << 63)

/* What one thread is told, and what it tells. */
struct channels_share {
	int64_t capacity; /* for loops that make their own channels */
	int64_t channels; /* so many, also those of a select */
	int64_t count;    /* messages, or what a loop says */
	uint64_t from;    /* the serial of the first message; the others follow */
	uint32_t work;    /* steps for each message, done by do_work */
	uint32_t pause;   /* microseconds */
	int64_t interval; /* ns */
	int64_t *waits;   /* out: room for `count` times in ns */

	int64_t done;  /* out: messages */
	uint64_t sum;  /* out: of their serials, each added twice */
	int64_t clock; /* out: a sum of moments, or of CPU ns */
	int64_t bytes; /* out: of memory */

	/* The same code for all, since compilers are not to be compared here. */
	uint64_t (*do_work)(uint64_t random, uint32_t steps);
	int64_t (*now)(void);      /* ns */
	int64_t (*cpu_time)(void); /* of this thread, in ns */
	int64_t (*memory)(void);   /* bytes that are allocated */
	void (*sleep)(uint32_t microseconds);
};

/*
 * The loops for one kind and one size.  A sender and a receiver are ends in memory of
 * their own.  What a peer does not have is NULL.  Sums are made by all of them.
 */
struct channels_loops {
	/* A channel: its first two ends. */
	void (*create)(int64_t capacity, int many_receivers, void **out_sender,
		       void **out_receiver);

	/* Another end for another thread. */
	void *(*clone_sender)(void *sender);
	void *(*clone_receiver)(void *receiver); /* NULL: there is one receiver only */
	void (*close_sender)(void *sender);
	void (*close_receiver)(void *receiver);

	/* Send or receive `count` messages. */
	void (*send)(void *sender, struct channels_share *share);
	void (*recv)(void *receiver, struct channels_share *share);

	/* Receive until no sender is left. */
	void (*recv_all)(void *receiver, struct channels_share *share);

	/* The same as send and recv by batches; `count` is a multiple of them. */
	void (*send_batch)(void *sender, struct channels_share *share);
	void (*recv_batch)(void *receiver, struct channels_share *share);

	/* Send one and receive it, `count` times; the same with batches. */
	void (*self)(void *sender, void *receiver, struct channels_share *share);
	void (*self_batch)(void *sender, void *receiver, struct channels_share *share);

	/* Two threads: ping sends first, pong sends back what it receives; `count` times. */
	void (*ping)(void *sender, void *receiver, struct channels_share *share);
	void (*pong)(void *sender, void *receiver, struct channels_share *share);

	/*
	 * `count` bursts: send for `interval`, then sleep for the pause.  Clock: the
	 * moments at which they began.  The receiver's: at which they were received.
	 */
	void (*send_bursts)(void *sender, struct channels_share *share);
	void (*recv_bursts)(void *receiver, struct channels_share *share);

	/* Receive with work for each message.  Send with the pause before each. */
	void (*recv_slowly)(void *receiver, struct channels_share *share);
	void (*send_seldom)(void *sender, struct channels_share *share);

	/* Send a message each `interval`.  Its serial is the moment; waits: until received. */
	void (*send_stream)(void *sender, struct channels_share *share);
	void (*recv_stream)(void *receiver, struct channels_share *share);

	/* The ends of several channels: send to each in turn; receive by select, of any. */
	void (*send_in_turn)(void *senders, struct channels_share *share);
	void (*recv_select)(void *receivers, struct channels_share *share);

	/*
	 * One thread.  Make channels, of which `bytes` tells the memory; `count` times send
	 * one message to each, then receive one from each; clock: the CPU time of that.
	 */
	void (*many)(struct channels_share *share);

	/* Make a channel and close its ends, `count` times. */
	void (*churn)(struct channels_share *share);
};

struct channels_peer {
	const char *name;
	const char *(*version)(void); /* or NULL */
	const char *cases; /* how those begin that it is for, comma-separated; NULL: all */
	const struct channels_loops *loops[CHANNELS_KINDS][CHANNELS_SIZES];
};

#endif
