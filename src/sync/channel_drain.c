/*
 * sync/channel_drain.c - destroying what is queued when the last receiver is gone.
 *
 * The last receiver that is closed sets CLOSED, with a fence (channel_fence.c), and destroys
 * what is queued; a sender looks at the flags after it has published.  So a message that was
 * published before CLOSED is seen by the receiver, or its sender sees CLOSED and destroys what is
 * queued itself.  One thread does so at a time: another one that comes meanwhile leaves a note
 * (drains_again), since the drop callback runs without the lock, and may use channels.
 */
#include <stddef.h>

#include "sync/channel.h"
#include "sync/spin.h"

/* Destroy the message of index head where it is. */
static void destroy_first(struct csysi_channel *c)
{
	const struct csysi_channel_layout *l = &c->layout;
	uint64_t h = csysi_load_relaxed(&c->head);

	if (c->kind == CSYSI_CHANNEL_BOUNDED) {
		if (c->drop)
			c->drop(c->slots + (h & c->mask) * l->slot, c->drop_argument);
		csysi_store_release(&c->head, h + 1);
		return;
	}
	uint64_t last = (UINT64_C(1) << l->shift) - 2, i = h & (last + 1);
	if (c->drop)
		c->drop(csysi_channel_slot(c->head_block, l, i), c->drop_argument);
	if (i == last)
		csysi_channel_next_block(c);
	else
		csysi_store_relaxed(&c->head, h + 1);
}

static void destroy_all(struct csysi_channel *c)
{
	for (int tries = 0; csysi_channel_count(c) > 0;) {
		if (csysi_channel_is_published(c)) {
			destroy_first(c);
			tries = 0;
		} else {
			csysi_spin_let_on(tries++); /* a sender is between claim and stamp */
		}
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
		destroy_all(c);
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
