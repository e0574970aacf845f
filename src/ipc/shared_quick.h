/*
 * ipc/shared_quick.h - short messages through shared memory, if nothing is special.
 *
 * A call that has sent or received a message leaves at hand what the next one needs if that is
 * short: where its place is, and what the state of that is before and after.
 *
 *     OFF --a message is sent, or received--> ON --one more--> ON, one place on
 *      ^                                             |
 *      +--a call that waits, takes several, reserves or peeks; another thread goes on with the end
 *
 * ON also means that there is nothing else to look for: no message is peeked at, none comes that an
 * earlier receiver has peeked at, and there is no sanitizer that has to be told.
 *
 * It is memory of the process, for the thread that uses the end: other processes cannot change it,
 * and a thread that is killed leaves nothing of it.  The steps in the ring are those of
 * shared_sender.c and shared_receiver.c, in their order.  The state of the place decides, for this
 * lap alone: if the end was moved on meanwhile, the state is a later one, and the call is not
 * quick.
 */
#ifndef CSYSI_IPC_SHARED_QUICK_H
#define CSYSI_IPC_SHARED_QUICK_H

#include "ipc/shared_channel.h"

/* What stays the same as long as an end is open. */
static inline void csysi_shared_quick_begin(struct csysi_shared_quick *quick,
					    const csys_shared_channel *channel)
{
	size_t longest = channel->size < CSYSI_SHARED_SHORT ? channel->size : CSYSI_SHARED_SHORT;

	*quick = (struct csysi_shared_quick){
		.ring = channel->ring,
		.stride = channel->stride,
		.below = longest + 1,
		.below_single = channel->flags & CSYSI_SHARED_CHANNEL_SINGLE ? longest + 1 : 0,
	};
}

static inline void csysi_shared_quick_off(struct csysi_shared_quick *quick)
{
	quick->thread = NULL;
}

/* Where the place is that has so many before it; or the end of all. */
static inline char *csysi_shared_place_at(const csys_shared_channel *channel, uint64_t at)
{
	return channel->places + (size_t)at * channel->stride;
}

/* The calling thread, whose the end is, goes on at a spot.  The caller fills in the rest. */
static inline void csysi_shared_quick_on(struct csysi_shared_quick *quick,
					 const struct csysi_shared_end *end,
					 const struct csysi_shared_spot *spot)
{
	quick->thread = end->thread;
	quick->epoch = end->epoch;
	quick->place = (char *)spot->place;
	quick->position = spot->position;
}

/* Whether it is ON, for the thread that calls. */
CSYSI_ALWAYS int csysi_shared_is_quick(const struct csysi_shared_quick *quick)
{
	/* Relaxed: see csysi_region_epoch. */
	int is_on = quick->thread == csysi_channel_me() &&
		    quick->epoch == csysi_load_relaxed(&csysi_region_epoch);

	if (is_on && csysi_tsan_is_there())
		__builtin_unreachable();
	return is_on;
}

/* At the end of all places: go on at the first, for the next lap. */
static inline void csysi_shared_quick_wrap(struct csysi_shared_quick *quick,
					   const csys_shared_channel *channel)
{
	quick->place = channel->places;
	quick->before += CSYSI_LAP;
	quick->after += CSYSI_LAP;
}

/* Whether the receiver is the one that was seen last, and lives. */
CSYSI_ALWAYS int csysi_shared_is_receiver_seen(const csys_shared_sender *sender,
					       const struct csysi_shared_ring *ring)
{
	const struct csysi_shared_seen *seen = &sender->seen;

	/* Relaxed, all: as if this call had come before a close or a death. */
	return csysi_load_relaxed(&ring->receiver) == seen->receiver &&
	       csysi_load_relaxed(&seen->entry->token.word) == seen->token &&
	       csysi_load_relaxed(&seen->entry->generation) == seen->generation;
}

/* Copy a short message, which most often is a word. */
CSYSI_ALWAYS void csysi_shared_copy_quick(void *to, const void *from, size_t length)
{
	if (CSYSI_LIKELY(length == sizeof(uint64_t)))
		memcpy(to, from, sizeof(uint64_t));
	else
		csysi_shared_copy_short(to, from, length);
}

/* Send, and receive, a message that is not quick; the next one may be.  Of the
 * lengths of what is received: csysi_shared_receiver_recv_exactly. */
int csysi_shared_sender_send_any(csys_shared_sender *sender, const void *data, size_t length,
				 csys_deadline deadline);
int csysi_shared_receiver_recv_any(csys_shared_receiver *receiver, void *out_data, size_t most,
				   size_t *out_length, size_t least, csys_deadline deadline);

#endif
