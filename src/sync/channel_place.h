/*
 * sync/channel_place.h - the stamps of slots that callers write and read: channel_place.c.
 */
#ifndef CSYSI_SYNC_CHANNEL_PLACE_H
#define CSYSI_SYNC_CHANNEL_PLACE_H

#include "sync/channel.h"

static inline uint32_t *csysi_channel_stamp_of(const struct csysi_channel *c, uint64_t index)
{
	return csysi_channel_ring_stamp(c, &c->layout, index & c->mask);
}

static inline void *csysi_channel_slot_of(const struct csysi_channel *c, uint64_t index)
{
	return c->slots + (index & c->mask) * c->layout.slot;
}

static inline uint32_t csysi_channel_stamp_for(uint32_t lap, uint32_t state)
{
	return lap << CSYSI_CHANNEL_LAP | CSYSI_CHANNEL_SPECIAL | state;
}

/* What the slot had before this lap. */
static inline uint32_t csysi_channel_unstamped(uint32_t lap)
{
	return ((lap - 1) & CSYSI_CHANNEL_LAPS) << CSYSI_CHANNEL_LAP;
}

#endif
