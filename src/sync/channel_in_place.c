/*
 * sync/channel_in_place.c - slots of a bounded channel that callers write and read themselves.
 *
 * A sender that reserves claims an index as for a message, and stamps its slot RESERVED; a
 * receiver that peeks stamps head's slot PEEKED.  Both stamps have SPECIAL, so the fast paths take
 * such a slot for empty, and come to the slow ones.  The steps are in channel_place.c.
 *
 *     (unstamped) -- reserve --> RESERVED -- commit --> (a message) -- peek --> PEEKED
 *                                   | abort                ^                     |
 *                                   v                      '--- recv, by itself -' release: head
 *                               ABORTED -- a receiver, at head --> PASSED, and head goes on
 *
 * Held.  Head's slot may be RESERVED or PEEKED for however long (csysi_channel_is_held).  So
 * receivers sleep meanwhile, though tail is not head; and a sender of a message behind it wakes
 * none.  The thread that ends this wakes as many as there are messages by then.  For it, (1) to (3)
 * of channel_fence.c are the new stamp or head, a full fence, and the look at the flags; a receiver
 * looks at the slot at (c).  A sender that wakes none has read SOME and then, behind a full fence,
 * the old stamp: so the thread that ends this sees that message, and SOME.
 *
 * Aborting.  A place that was the last to be claimed is given back by setting tail back.  While
 * that is tried it is unstamped, as if its sender were between claim and stamp: receivers wait a
 * moment, and no thread moves head past it.  Aborted places before it follow; only one of a
 * receiver that passes over and a sender that gives back takes a slot from ABORTED, by
 * compare-and-swap.  One that finds a place behind it stamps ABORTED, and then looks at tail once
 * more; one that gives back that place sets tail, and then looks for ABORTED.  So an aborted place
 * stays only if something is claimed behind it.  Receivers pass over it: each at head before it
 * finds nothing.  On a side that several share so does the thread that aborts, and one that has
 * taken the message before it: no handle is ready for it.
 *
 * Closing.  The last receiver destroys what is queued also behind a reserved slot, but head stays
 * there (channel_drain.c): senders that are late must not come round to it.
 */
#include <csys/base/result.h>
#include <csys/sync/channel_in_place.h>

#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/channel_place.h"

/* ---- reserving --------------------------------------------------------------------------- */

int csys_sender_try_reserve(csys_sender *sender, void **out_value)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);

	return c->kind == CSYSI_CHANNEL_BOUNDED ? csysi_channel_try_reserve(c, out_value)
						: CSYS_ENOTSUP;
}

int csys_sender_reserve(csys_sender *sender, csys_deadline deadline, void **out_value)
{
	int r = csys_sender_try_reserve(sender, out_value);

	return r == CSYS_EAGAIN ? csysi_channel_wait_to_send(csysi_channel_of_sender(sender), NULL,
							     out_value, deadline)
				: r;
}

/* ---- committing -------------------------------------------------------------------------- */

/* The stamp of a reserved place, and which slot that is; aborts if it is none. */
static uint32_t *stamp_of_place(const struct csysi_channel *c, const void *value,
				uint64_t *out_slot, uint32_t *out_was)
{
	const struct csysi_channel_layout *l = &c->layout;
	uintptr_t offset = (uintptr_t)value - (uintptr_t)c->slots;

	if (c->kind == CSYSI_CHANNEL_BOUNDED && offset / l->slot <= c->mask &&
	    offset % l->slot == 0) {
		uint32_t *stamp = csysi_channel_stamp_of(c, offset / l->slot);
		/* Relaxed: the compare-and-swap of the caller decides. */
		*out_was = csysi_load_relaxed(stamp);
		*out_slot = offset / l->slot;
		if (*out_was ==
		    csysi_channel_stamp_for(*out_was >> CSYSI_CHANNEL_LAP, CSYSI_CHANNEL_RESERVED))
			return stamp;
	}
	csysi_os_abort("a place of a channel that is not reserved is committed or aborted");
	return NULL;
}

/* End the reservation of a place. */
static void restamp(uint32_t *stamp, uint32_t was, uint32_t now)
{
	/* Sequentially consistent: (1) and (2) of channel_fence.c. */
	if (!csysi_cas_seq_cst(stamp, &was, now))
		csysi_os_abort("a place of a channel is committed or aborted twice");
}

int csys_sender_commit(csys_sender *sender, void *value)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);
	uint64_t slot = 0;
	uint32_t was = 0;
	uint32_t *stamp = stamp_of_place(c, value, &slot, &was);

	if (csysi_channel_is_closed(c))
		return CSYS_EDISCONNECTED;
	restamp(stamp, was, (was >> CSYSI_CHANNEL_LAP) << CSYSI_CHANNEL_LAP | csysi_channel_cpu(c));
	/* Relaxed: a count. */
	csysi_sub_relaxed(&c->set_aside, CSYSI_CHANNEL_OPEN + CSYSI_CHANNEL_PLACE);
	/* Sequentially consistent: (3). */
	uint32_t flags = csysi_load_seq_cst(&c->rx_flags);
	if (flags & CSYSI_CHANNEL_CLOSED)
		csysi_channel_destroy_queued(c);
	else if (flags & CSYSI_CHANNEL_SOME)
		csysi_channel_wake_receivers(c);
	return 0;
}

/* ---- aborting ---------------------------------------------------------------------------- */

/* If index t was the last to be claimed, set tail back to it. */
static int set_tail_back(struct csysi_channel *c, uint64_t t)
{
	for (;;) {
		uint64_t tail = t + 1;
		/* Acquire pairs with the release of csysi_channel_take_over. */
		if (csysi_load_acquire(&c->tx_is_shared))
			/* Release pairs with the claim of the next one: done with the slot. */
			return csysi_cas_seq_cst(&c->tail, &tail, t);
		struct csysi_channel_seat *seat = csysi_channel_enter(&c->tx_owner);
		if (seat) {
			/* Relaxed: of the owner. */
			int is_last = csysi_load_relaxed(&c->tail) == tail;
			if (is_last)
				csysi_store_release(&c->tail, t);
			csysi_channel_leave(seat);
			return is_last;
		}
		(void)csysi_channel_take_over(c, &c->tx_owner, &c->tx_is_shared);
	}
}

/* 1: the slot of index t was ABORTED, and is unstamped now. */
static int take_back(struct csysi_channel *c, uint64_t t)
{
	uint32_t lap = csysi_channel_lap(t, c->shift);
	uint32_t was = csysi_channel_stamp_for(lap, CSYSI_CHANNEL_ABORTED);

	return csysi_cas_seq_cst(csysi_channel_stamp_of(c, t), &was, csysi_channel_unstamped(lap));
}

/* The slot of index t was unstamped by this thread, and t is not the last: let it be ABORTED.
 * 0: it is the last after all, and unstamped again, as what was behind it is given back by now. */
static int leave_aborted(struct csysi_channel *c, uint64_t t)
{
	(void)csysi_add_relaxed(&c->set_aside, CSYSI_CHANNEL_PLACE);
	/* Release pairs with the acquire of the receiver that passes over it. */
	csysi_store_release(
		csysi_channel_stamp_of(c, t),
		csysi_channel_stamp_for(csysi_channel_lap(t, c->shift), CSYSI_CHANNEL_ABORTED));
	/* The other thread sets tail back to t + 1, and then looks at this slot: both sequentially
	 * consistent.  So it takes the slot back, or this thread sees that tail. */
	csysi_channel_fence();
	return csysi_load_seq_cst(&c->tail) != t + 1 || !take_back(c, t);
}

/* The slot of index t was unstamped by this thread: give back what can be given back from there
 * downwards.  0: t itself cannot, or one below it, and is ABORTED. */
static int give_back(struct csysi_channel *c, uint64_t t, int *out_has_room)
{
	for (;;) {
		/* Before tail, whose release orders it: see csysi_channel_count. */
		csysi_sub_relaxed(&c->set_aside, CSYSI_CHANNEL_PLACE);
		if (set_tail_back(c, t)) {
			*out_has_room = 1;
			if (t == 0 || !take_back(c, t - 1))
				return 1;
			t--;
		} else if (leave_aborted(c, t)) {
			return 0;
		}
	}
}

/* Let a receiver that sleeps pass over what is aborted at head. */
static void wake_owner(struct csysi_channel *c)
{
	/* Sequentially consistent: (3) of channel_fence.c. */
	if ((csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_SOME) && !csysi_channel_is_held(c))
		(void)csysi_channel_wake_one(c, csysi_channel_receivers(c));
	csysi_channel_wake_receivers(c);
}

/* An aborted place stays: let receivers pass over it. */
static void tell_of_aborted(struct csysi_channel *c)
{
	csysi_channel_fence();
	/* Sequentially consistent: (3) of channel_fence.c. */
	if (csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_CLOSED) {
		csysi_channel_destroy_queued(c);
		return;
	}
	/* Acquire pairs with the release of csysi_channel_take_over. */
	if (!csysi_load_acquire(&c->rx_is_shared)) {
		wake_owner(c);
		return;
	}
	csysi_channel_tidy(c);
}

void csys_sender_abort(csys_sender *sender, void *value)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);
	uint64_t slot = 0;
	uint32_t was = 0;
	uint32_t *stamp = stamp_of_place(c, value, &slot, &was);
	int has_room = 0;

	/* The index is the last one of this slot: tail cannot go on for a lap while it is there.
	 * Acquire: not before it was claimed. */
	uint64_t last = csysi_load_acquire(&c->tail) - 1;
	uint64_t t = last - ((last - slot) & c->mask);
	restamp(stamp, was, csysi_channel_unstamped(was >> CSYSI_CHANNEL_LAP));
	csysi_sub_relaxed(&c->set_aside, CSYSI_CHANNEL_OPEN);
	int is_gone = give_back(c, t, &has_room);
	csysi_channel_fence();
	/* Sequentially consistent: (3) of channel_fence.c, of a receiver that has made room. */
	if (has_room && (csysi_load_seq_cst(&c->tx_flags) & CSYSI_CHANNEL_SOME))
		(void)csysi_channel_wake_one(c, csysi_channel_senders(c));
	if (!is_gone)
		tell_of_aborted(c);
}

/* ---- receiving --------------------------------------------------------------------------- */

int csys_receiver_peek(csys_receiver *receiver, csys_deadline deadline, void **out_value)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);

	if (c->kind != CSYSI_CHANNEL_BOUNDED)
		return CSYS_ENOTSUP;
	csysi_channel_begin_recv(c);
	int r = csysi_channel_wait_to_recv(c, NULL, out_value, deadline);
	csysi_channel_end_recv(c);
	return r;
}

int csys_receiver_try_peek(csys_receiver *receiver, void **out_value)
{
	int r = csys_receiver_peek(receiver, CSYS_POLL, out_value);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

void csys_receiver_release(csys_receiver *receiver)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);
	struct csysi_channel_seat *seat;

	if (c->kind != CSYSI_CHANNEL_BOUNDED)
		csysi_os_abort("a release by a receiver that has no message peeked");
	seat = csysi_channel_begin_turn(c);
	/* Relaxed: as above. */
	uint64_t h = csysi_load_relaxed(&c->head);
	if (csysi_channel_state(c, h) != CSYSI_CHANNEL_PEEKED)
		csysi_os_abort("a release by a receiver that has no message peeked");
	/* Release pairs with the acquire in csysi_channel_is_full: the slot may be written. */
	csysi_store_release(&c->head, h + 1);
	(void)csysi_channel_pass_over(c);
	csysi_channel_end_turn(c, seat);
	csysi_channel_after_turn(c, 1, 1);
}
