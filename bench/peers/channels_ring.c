/*
 * bench/peers/channels_ring.c - what many a program has: a ring, a mutex and two condvars.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "channels_message.h"

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t has_some; /* or no sender is left */
	pthread_cond_t has_room;
	/* Under lock: */
	size_t first;
	size_t count;
	size_t capacity;
	int senders;
	int ends;
	char *slots;
};

static struct ring *ring_new(size_t capacity, size_t size)
{
	struct ring *ring = calloc(1, sizeof *ring);
	char *slots = calloc(capacity, size);
	if (!ring || !slots)
		bench_fail("out of memory");
	pthread_mutex_init(&ring->lock, NULL);
	pthread_cond_init(&ring->has_some, NULL);
	pthread_cond_init(&ring->has_room, NULL);
	ring->capacity = capacity;
	ring->senders = 1;
	ring->ends = 2;
	ring->slots = slots;
	return ring;
}

static struct ring *ring_clone(struct ring *ring, int senders)
{
	pthread_mutex_lock(&ring->lock);
	ring->senders += senders;
	ring->ends++;
	pthread_mutex_unlock(&ring->lock);
	return ring;
}

static void ring_close(struct ring *ring, int senders)
{
	pthread_mutex_lock(&ring->lock);
	ring->senders -= senders;
	int is_last = --ring->ends == 0;
	if (senders > 0 && ring->senders == 0)
		pthread_cond_broadcast(&ring->has_some);
	pthread_mutex_unlock(&ring->lock);
	if (!is_last)
		return;
	pthread_cond_destroy(&ring->has_some);
	pthread_cond_destroy(&ring->has_room);
	pthread_mutex_destroy(&ring->lock);
	free(ring->slots);
	free(ring);
}

static inline __attribute__((always_inline)) void ring_send(struct ring *ring, const void *message,
							    size_t size)
{
	pthread_mutex_lock(&ring->lock);
	while (ring->count == ring->capacity)
		pthread_cond_wait(&ring->has_room, &ring->lock);
	size_t at = ring->first + ring->count;
	if (at >= ring->capacity)
		at -= ring->capacity;
	memcpy(ring->slots + at * size, message, size);
	ring->count++;
	pthread_cond_signal(&ring->has_some);
	pthread_mutex_unlock(&ring->lock);
}

/* 0: nothing is left, nor a sender. */
static inline __attribute__((always_inline)) int ring_recv(struct ring *ring, void *out_message,
							   size_t size)
{
	pthread_mutex_lock(&ring->lock);
	while (ring->count == 0 && ring->senders > 0)
		pthread_cond_wait(&ring->has_some, &ring->lock);
	int has_some = ring->count > 0;
	if (has_some) {
		memcpy(out_message, ring->slots + ring->first * size, size);
		if (++ring->first == ring->capacity)
			ring->first = 0;
		ring->count--;
		pthread_cond_signal(&ring->has_room);
	}
	pthread_mutex_unlock(&ring->lock);
	return has_some;
}

#define SENDER struct ring *
#define RECEIVER struct ring *
#define CREATE(capacity, many, out_sender, out_receiver) \
	((void)(many), *(out_receiver) = *(out_sender) = ring_new((size_t)(capacity), BYTES))
#define SEND(sender, message) ring_send(sender, message, BYTES)
#define RECV(receiver, out_message)                              \
	do {                                                     \
		if (!ring_recv(receiver, out_message, BYTES))    \
			bench_fail("a ring has no sender left"); \
	} while (0)
#define RECV_LEFT(receiver, out_message) ring_recv(receiver, out_message, BYTES)
#define CLONE_SENDER(sender) ring_clone(sender, 1)
#define CLONE_RECEIVER(receiver) ring_clone(receiver, 0)
#define CLOSE_SENDER(sender) ring_close(sender, 1)
#define CLOSE_RECEIVER(receiver) ring_close(receiver, 0)

#define BYTES 8
#include "channels_loop.h"
#define BYTES 64
#include "channels_loop.h"
#define BYTES 512
#include "channels_loop.h"

const struct channels_peer channels_peer_ring = {
	.name = "pthread",
	.loops = { [CHANNELS_KIND_BOUNDED] = { &loops_8, &loops_64, &loops_512 } },
};
