/*
 * sync/channel_drain.c - destroying what is queued when the last receiver is gone.
 *
 * The last receiver that is closed sets CLOSED, with a fence (channel_fence.c), and destroys
 * what is queued; a sender looks at the flags after it has published.  So a message that was
 * published before CLOSED is seen by the receiver, or its sender sees CLOSED and destroys what is
 * queued itself.  One thread does so at a time: another one that comes meanwhile leaves a note
 * (drains_again), since the drop callback runs without the lock, and may use channels.
 *
 * Slots that are reserved stay with their senders: what is behind them is destroyed, and head stays
 * (channel_in_place.c).
 */
#include <stddef.h>

#include "sync/channel.h"
#include "sync/spin.h"

static void drop(struct csysi_channel *c, void *value)
{
	if (c->drop)
		c->drop(value, c->drop_argument);
}

/* Destroy the message of index head where it is, in a list. */
static void destroy_first(struct csysi_channel *c)
{
	const struct csysi_channel_layout *l = &c->layout;
	uint64_t h = csysi_load_relaxed(&c->head);
	uint64_t last = (UINT64_C(1) << l->shift) - 2, i = h & (last + 1);

	/* Relaxed: only the thread that receives, or destroys, changes it. */
	drop(c, csysi_channel_slot(csysi_load_relaxed(&c->head_block), l, i));
	if (i == last)
		csysi_channel_next_block(c);
	else
		csysi_store_relaxed(&c->head, h + 1);
}

static void destroy_list(struct csysi_channel *c)
{
	csysi_channel_end_claims(c);
	for (int tries = 0; csysi_channel_count(c) > 0;) {
		if (csysi_channel_is_published(c)) {
			destroy_first(c);
			tries = 0;
		} else {
			csysi_spin_let_on(tries++); /* a sender is between claim and stamp */
		}
	}
}

/* Destroy the message of this index, in a ring. */
static void destroy_at(struct csysi_channel *c, uint64_t index)
{
	drop(c, c->slots + (index & c->mask) * c->layout.slot);
	if (index == csysi_load_relaxed(&c->head)) {
		csysi_store_release(&c->head, index + 1);
		return;
	}
	/* Behind a reserved slot: as if it had been aborted. */
	(void)csysi_add_relaxed(&c->set_aside, CSYSI_CHANNEL_PLACE);
	csysi_store_release(csysi_channel_ring_stamp(c, &c->layout, index & c->mask),
			    csysi_channel_lap(index, c->shift) << CSYSI_CHANNEL_LAP |
				    CSYSI_CHANNEL_SPECIAL | CSYSI_CHANNEL_ABORTED);
}

static void destroy_ring(struct csysi_channel *c)
{
	uint64_t i = csysi_load_relaxed(&c->head);

	/* Acquire: what was claimed.  As a difference with a sign: places may be given back. */
	for (int tries = 0; CSYSI_INT64(csysi_load_acquire(&c->tail) - i) > 0;) {
		/* Relaxed: only this thread changes it. */
		uint64_t h = csysi_load_relaxed(&c->head);
		if (h > i)
			i = h; /* several were passed over; late senders may have their slots */
		switch (csysi_channel_state(c, i)) {
		case CSYSI_CHANNEL_UNSTAMPED:
			csysi_spin_let_on(tries++); /* a sender is between claim and stamp */
			continue;
		case CSYSI_CHANNEL_PUBLISHED:
		case CSYSI_CHANNEL_PEEKED:
			destroy_at(c, i);
			break;
		default:
			(void)csysi_channel_pass_over(c);
			break;
		}
		i++;
		tries = 0;
	}
}

void csysi_channel_destroy_queued(struct csysi_channel *c)
{
	csysi_channel_lock(c);
	int is_other = (int)c->is_draining;
	c->drains_again = c->is_draining;
	c->is_draining = 1;
	csysi_channel_unlock(c);
	while (!is_other) {
		if (c->kind == CSYSI_CHANNEL_BOUNDED)
			destroy_ring(c);
		else
			destroy_list(c);
		csysi_channel_lock(c);
		is_other = !c->drains_again; /* the end */
		c->drains_again = 0;
		c->is_draining = !is_other;
		csysi_channel_unlock(c);
	}
}

/* A sender that found the channel closed may be destroying what is queued. */
void csysi_channel_await_drain(struct csysi_channel *c)
{
	int is_draining;

	for (int tries = 0;; tries++) {
		csysi_channel_lock(c);
		is_draining = (int)c->is_draining;
		csysi_channel_unlock(c);
		if (!is_draining)
			return;
		csysi_spin_let_on(tries);
	}
}
