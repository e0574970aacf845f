/*
 * bench/ipc_ring.h - messages through memory that two processes share, and semaphores there.
 *
 * For each direction there is a ring of slots, one message each, and two semaphores: how many
 * slots are filled, and how many are free.  A message is copied into its slot and out of it.  A
 * file includes this after it has said which semaphores: ring_post and ring_wait, which waits
 * until ipc_deadline() at most, of a RING_SEMAPHORE.  Also for C++.
 */
#ifndef BENCH_IPC_RING_H
#define BENCH_IPC_RING_H

#include <stddef.h>
#include <string.h>

#include "ipc_peer.h"

enum { RING_SLOTS = 4 };

/* A direction, by the side that receives. */
struct ring {
	char *slots;
	size_t at; /* which slot is next for this process, the only one at its end */
	RING_SEMAPHORE *filled, *free;
};

struct rings {
	struct ring to[2];
	void *memory;
	size_t size;
};

/* How much memory two rings take. */
static size_t ring_bytes(size_t size)
{
	return 2 * RING_SLOTS * size;
}

/* The semaphores are made with 0 and RING_SLOTS. */
static void ring_slots(struct rings *rings, void *memory, size_t size)
{
	rings->memory = memory;
	rings->size = size;
	for (int side = 0; side < 2; side++) {
		rings->to[side].slots = (char *)memory + (size_t)side * RING_SLOTS * size;
		rings->to[side].at = 0;
	}
}

static char *ring_next(struct ring *ring, size_t size)
{
	char *slot = ring->slots + ring->at * size;
	ring->at = (ring->at + 1) % RING_SLOTS;
	return slot;
}

static void ring_join(void *channel, int side)
{
	(void)channel;
	(void)side;
}

static void ring_send(void *channel, int side, const void *data, size_t size)
{
	struct rings *rings = (struct rings *)channel;
	struct ring *ring = &rings->to[!side];
	ring_wait(ring->free);
	memcpy(ring_next(ring, rings->size), data, size);
	ring_post(ring->filled);
}

static void ring_recv(void *channel, int side, void *buffer, size_t size)
{
	struct rings *rings = (struct rings *)channel;
	struct ring *ring = &rings->to[side];
	ring_wait(ring->filled);
	memcpy(buffer, ring_next(ring, rings->size), size);
	ring_post(ring->free);
}

#endif
