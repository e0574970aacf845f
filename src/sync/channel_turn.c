/*
 * sync/channel_turn.c - turns of receivers: one at a time changes the receivers' side.
 *
 * The owner of the side has it while its mark is set (channel_owner.c); where several threads share
 * the side, each has it under the lock `turn`.  In an unbounded channel these claim messages beside
 * each other, and take turns only to find more of them (channel_claim.c).
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "sync/channel.h"
#include "sync/lock.h"

static struct csysi_lock *turn_of(struct csysi_channel *c)
{
	return (struct csysi_lock *)(void *)&c->turn;
}

struct csysi_channel_seat *csysi_channel_begin_turn(struct csysi_channel *c)
{
	for (;;) {
		/* Acquire pairs with the release of csysi_channel_take_over. */
		if (csysi_load_acquire(&c->rx_is_shared)) {
			csysi_lock_lock(turn_of(c));
			return NULL;
		}
		struct csysi_channel_seat *seat = csysi_channel_enter(&c->rx_owner);
		if (seat)
			return seat;
		(void)csysi_channel_take_over(c, &c->rx_owner, &c->rx_is_shared);
	}
}

void csysi_channel_end_turn(struct csysi_channel *c, struct csysi_channel_seat *seat)
{
	if (seat)
		csysi_channel_leave(seat);
	else
		csysi_lock_unlock(turn_of(c));
}

void csysi_channel_after_turn(struct csysi_channel *c, int has_taken, int has_settled)
{
	if ((has_taken || has_settled) && c->kind == CSYSI_CHANNEL_BOUNDED)
		csysi_channel_tell_sender(c);
	if (has_settled)
		csysi_channel_wake_receivers(c);
	/* Acquire pairs with the release of csys_receiver_handle. */
	csysi_channel_handle_look(c, csysi_load_acquire(&c->rx_handle));
}

void csysi_channel_received(struct csysi_channel *c)
{
	csysi_channel_note_cpu(&c->tx_spin);
	(void)csysi_channel_wake_one(c, csysi_channel_senders(c));
}

void csysi_channel_wake_receivers(struct csysi_channel *c)
{
	csysi_channel_fence();
	/* Sequentially consistent: (3) of channel_fence.c. */
	if (!(csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_SOME) || csysi_channel_is_held(c))
		return;
	if (csysi_load_seq_cst(&c->senders) == 0) {
		csysi_channel_wake_all(c, csysi_channel_receivers(c));
		return;
	}
	for (uint64_t n = csysi_channel_count(c); n > 0; n--)
		if (!csysi_channel_wake_one(c, csysi_channel_receivers(c)))
			break;
}

void csysi_channel_tidy(struct csysi_channel *c)
{
	struct csysi_channel_seat *seat = csysi_channel_begin_turn(c);
	int has_passed = csysi_channel_pass_over(c);

	csysi_channel_end_turn(c, seat);
	csysi_channel_after_turn(c, 0, has_passed);
}

int csysi_channel_try_peek(struct csysi_channel *c, void **out_place)
{
	struct csysi_channel_seat *seat = csysi_channel_begin_turn(c);
	int has_passed = csysi_channel_pass_over(c);
	int r = csysi_channel_peek_at_head(c, out_place);

	csysi_channel_end_turn(c, seat);
	csysi_channel_after_turn(c, 0, has_passed);
	return r;
}
