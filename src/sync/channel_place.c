/*
 * sync/channel_place.c - the steps by which slots are reserved, passed over and peeked.
 *
 * What they are for, and why nothing is lost: channel_in_place.c.
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "sync/channel.h"
#include "sync/channel_place.h"

/* ---- reserving --------------------------------------------------------------------------- */

static int claim_alone(struct csysi_channel *c, struct csysi_channel_seat *seat, uint64_t *out_t)
{
	/* Relaxed, both: of the owner, as in csysi_channel_send_alone. */
	uint64_t t = csysi_load_relaxed(&c->tail);
	int is_full = csysi_channel_is_full(c, t);

	if (!is_full)
		csysi_store_relaxed(&c->tail, t + 1);
	csysi_channel_leave(seat);
	*out_t = t;
	return is_full ? CSYS_EAGAIN : 0;
}

static int claim_shared(struct csysi_channel *c, uint64_t *out_t)
{
	/* Relaxed: the claim decides. */
	uint64_t t = csysi_load_relaxed(&c->tail);

	do {
		if (csysi_channel_is_full(c, t))
			return CSYS_EAGAIN;
	} while (!csysi_channel_claim(c, &t));
	*out_t = t;
	return 0;
}

static int claim_index(struct csysi_channel *c, uint64_t *out_t)
{
	while (!csysi_channel_is_closed(c)) {
		/* Acquire pairs with the release of csysi_channel_take_over. */
		if (csysi_load_acquire(&c->tx_is_shared))
			return claim_shared(c, out_t);
		struct csysi_channel_seat *seat = csysi_channel_enter(&c->tx_owner);
		if (seat)
			return claim_alone(c, seat, out_t);
		(void)csysi_channel_take_over(c, &c->tx_owner, &c->tx_is_shared);
	}
	return CSYS_EDISCONNECTED;
}

int csysi_channel_try_reserve(struct csysi_channel *c, void **out_place)
{
	uint64_t t;
	int r = claim_index(c, &t);

	if (r < 0)
		return r;
	/* Relaxed: a count. */
	(void)csysi_add_relaxed(&c->set_aside, CSYSI_CHANNEL_OPEN + CSYSI_CHANNEL_PLACE);
	csysi_store_release(
		csysi_channel_stamp_of(c, t),
		csysi_channel_stamp_for(csysi_channel_lap(t, c->shift), CSYSI_CHANNEL_RESERVED));
	/* Sequentially consistent, and acquire: as in csysi_channel_sent. */
	if (csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_WATCHED)
		csysi_channel_handle_look(c, csysi_load_acquire(&c->tx_handle));
	*out_place = csysi_channel_slot_of(c, t);
	return 0;
}

/* ---- receiving --------------------------------------------------------------------------- */

/* Its address stands for the thread. */
static __thread char me;

int csysi_channel_pass_over(struct csysi_channel *c)
{
	int has_passed = 0;

	/* Relaxed: one that is aborted a moment later is another matter. */
	if (c->kind != CSYSI_CHANNEL_BOUNDED || csysi_load_relaxed(&c->set_aside) == 0)
		return 0;
	for (;; has_passed = 1) {
		/* Relaxed: only receivers change it. */
		uint64_t h = csysi_load_relaxed(&c->head);
		uint32_t lap = csysi_channel_lap(h, c->shift);
		uint32_t was = csysi_channel_stamp_for(lap, CSYSI_CHANNEL_ABORTED);
		/* Acquire pairs with the release in give_back. */
		if (!csysi_cas_acquire(csysi_channel_stamp_of(c, h), &was,
				       csysi_channel_stamp_for(lap, CSYSI_CHANNEL_PASSED)))
			return has_passed;
		csysi_sub_relaxed(&c->set_aside, CSYSI_CHANNEL_PLACE);
		/* Release pairs with the acquire in csysi_channel_is_full. */
		csysi_store_release(&c->head, h + 1);
	}
}

/* Whether the message at head is peeked by this thread. */
static int is_mine(const struct csysi_channel *c)
{
	return csysi_channel_state(c, csysi_load_relaxed(&c->head)) == CSYSI_CHANNEL_PEEKED &&
	       csysi_load_relaxed(&c->peeking) == &me;
}

int csysi_channel_settle(struct csysi_channel *c)
{
	if (c->kind != CSYSI_CHANNEL_BOUNDED)
		return 0;
	int has_passed = csysi_channel_pass_over(c);
	if (!is_mine(c))
		return has_passed;
	/* Relaxed, both: of receivers, which this one keeps out; and a hint. */
	uint64_t h = csysi_load_relaxed(&c->head);
	uint32_t cpu = csysi_load_relaxed(&c->rx_spin.cpu) & CSYSI_CHANNEL_CPU;
	csysi_store_release(csysi_channel_stamp_of(c, h),
			    csysi_channel_lap(h, c->shift) << CSYSI_CHANNEL_LAP | cpu);
	return 1;
}

int csysi_channel_peek_at_head(struct csysi_channel *c, void **out_place)
{
	/* Relaxed: as above. */
	uint64_t h = csysi_load_relaxed(&c->head);

	if (csysi_channel_state(c, h) == CSYSI_CHANNEL_PUBLISHED) {
		uint32_t *stamp = csysi_channel_stamp_of(c, h);
		csysi_store_relaxed(&c->rx_spin.cpu, csysi_load_relaxed(stamp) & CSYSI_CHANNEL_CPU);
		csysi_store_relaxed(&c->peeking, &me);
		csysi_store_release(stamp, csysi_channel_stamp_for(csysi_channel_lap(h, c->shift),
								   CSYSI_CHANNEL_PEEKED));
	} else if (!is_mine(c)) {
		return CSYS_EAGAIN;
	}
	*out_place = csysi_channel_slot_of(c, h);
	return 0;
}
