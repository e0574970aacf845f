/*
 * sync/channel_look.c - what a channel has for a sender or a receiver.
 */
#include "sync/channel.h"

int csysi_channel_is_published(struct csysi_channel *c)
{
	/* Relaxed: only the owner changes it.  The block: as in csysi_channel_take_list. */
	uint64_t h = csysi_load_relaxed(&c->head);
	int is_list = c->kind == CSYSI_CHANNEL_UNBOUNDED;
	unsigned shift = is_list ? c->layout.shift : c->shift;
	const uint32_t *stamp =
		is_list ? csysi_channel_stamp(csysi_load_acquire(&c->head_block), &c->layout,
					      h & ((UINT64_C(1) << shift) - 1))
			: csysi_channel_ring_stamp(c, &c->layout, h & c->mask);

	/* Acquire pairs with the release of csysi_channel_write. */
	return csysi_channel_has_lap(csysi_load_acquire(stamp), csysi_channel_lap(h, shift));
}

uint32_t csysi_channel_state(const struct csysi_channel *c, uint64_t index)
{
	/* Sequentially consistent: (c) of channel_fence.c, where a slot is looked at for that. */
	uint32_t stamp =
		csysi_load_seq_cst(csysi_channel_ring_stamp(c, &c->layout, index & c->mask));

	if (stamp >> CSYSI_CHANNEL_LAP != csysi_channel_lap(index, c->shift))
		return CSYSI_CHANNEL_UNSTAMPED;
	return stamp & CSYSI_CHANNEL_SPECIAL ? stamp & CSYSI_CHANNEL_CPU : CSYSI_CHANNEL_PUBLISHED;
}

int csysi_channel_is_held(const struct csysi_channel *c)
{
	if (c->kind != CSYSI_CHANNEL_BOUNDED)
		return 0;
	/* Relaxed: head does not pass such a slot, so if it has passed this one, this is none. */
	uint32_t state = csysi_channel_state(c, csysi_load_relaxed(&c->head));
	return state == CSYSI_CHANNEL_RESERVED || state == CSYSI_CHANNEL_PEEKED;
}

int csysi_channel_is_aborted(const struct csysi_channel *c)
{
	/* Relaxed: a thread that is wrong looks for nothing, or is told by the one that aborts. */
	return c->kind == CSYSI_CHANNEL_BOUNDED &&
	       csysi_channel_state(c, csysi_load_relaxed(&c->head)) == CSYSI_CHANNEL_ABORTED;
}

int csysi_channel_may_recv(struct csysi_channel *c)
{
	/* Sequentially consistent: (c) of channel_fence.c. */
	uint64_t t = csysi_load_seq_cst(&c->tail);

	/* Relaxed: of the only receiver itself, or one of several looks again. */
	uint64_t h = csysi_load_relaxed(&c->head);
	if (c->kind == CSYSI_CHANNEL_UNBOUNDED)
		h += (h + 1) >> c->layout.shift != h >> c->layout.shift; /* has no slot */
	if (t == h)
		return csysi_load_seq_cst(&c->senders) == 0;
	return !csysi_channel_is_held(c);
}

int csysi_channel_may_send(struct csysi_channel *c)
{
	/* Sequentially consistent: (c) of channel_fence.c. */
	uint64_t h = csysi_load_seq_cst(&c->head), t = csysi_load_seq_cst(&c->tail);

	return c->kind == CSYSI_CHANNEL_UNBOUNDED ||
	       (csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_CLOSED) ||
	       !csysi_channel_is_beyond(c, t, h);
}

int csysi_channel_is_due(const struct csysi_channel *c)
{
	/* Relaxed: it is all there is to a message. */
	return csys_now() >= csysi_load_relaxed(&c->timer.due);
}

uint64_t csysi_channel_count(const struct csysi_channel *c)
{
	uint64_t t, h, aside;

	if (c->kind == CSYSI_CHANNEL_TIMER)
		return (uint64_t)csysi_channel_is_due(c);
	/* Acquire, all: in this order, so that they are of one moment; or a place without a message
	 * is counted, that is being reserved or given back. */
	do {
		aside = csysi_load_acquire(&c->set_aside);
		t = csysi_load_acquire(&c->tail);
		h = csysi_load_acquire(&c->head);
	} while (csysi_load_acquire(&c->tail) != t || csysi_load_acquire(&c->set_aside) != aside);
	if (c->kind == CSYSI_CHANNEL_UNBOUNDED) {
		unsigned shift = c->layout.shift;
		/* Without the indices that have no slot.  While tail is one of these, the slot
		 * before is claimed. */
		t -= t >> shift;
		h -= h >> shift;
	}
	uint64_t count = t - h - (uint32_t)aside;
	/* The receiver may have gone past t since. */
	return count > UINT64_MAX / 2                                    ? 0
	       : c->kind == CSYSI_CHANNEL_BOUNDED && count > c->capacity ? c->capacity
									 : count;
}

uint64_t csysi_channel_total(const struct csysi_channel *c)
{
	/* Acquire: not before what the caller has read. */
	uint64_t t = csysi_load_acquire(&c->tail);

	/* Without the indices that have no slot, as above. */
	return c->kind == CSYSI_CHANNEL_UNBOUNDED ? t - (t >> c->layout.shift) : t;
}
