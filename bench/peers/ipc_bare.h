/*
 * bench/peers/ipc_bare.h - what the files of the bare calls share.
 *
 * A careful program does it so by hand: what can be done is done at once, else it is waited for by
 * poll, until a point of the monotonic clock.  All is nonblocking, and SIGPIPE is ignored.
 */
#ifndef BENCH_IPC_BARE_H
#define BENCH_IPC_BARE_H

#include "ipc_peer.h"

/* The ends of two ways, by the side that has them. */
struct bare_ends {
	int reader[2];
	int writer[2];
};

struct bare_ends *bare_new_ends(void);

/* Look at errno of a failed call: wait for these events if it was too early; fail unless the call
 * is to be made again. */
void bare_again(int fd, short events);

/* Queues, locks, semaphores and memory. */
extern const struct ipc_peer ipc_bare_objects;

#endif
