/*
 * ipc/shared_quick.c - sending and receiving a message, the quick way first: shared_quick.h.
 */
#include "ipc/shared_quick.h"

/* ---- sending ------------------------------------------------------------------------------ */

/* Write a short message into the place that is next. */
CSYSI_ALWAYS void fill_quick(struct csysi_shared_place *place, const void *data, size_t length)
{
	/* Relaxed: the commit orders it. */
	csysi_store_relaxed(&place->length, (uint32_t)length);
	csysi_shared_copy_quick(place->data, data, length);
}

/* After a commit: go on to the next place, and wake the receiver: 0. */
CSYSI_ALWAYS int go_on(csys_shared_sender *sender, const struct csysi_shared_ring *ring,
		       char *place, uint64_t position)
{
	struct csysi_shared_quick *quick = &sender->quick;

	quick->position = position;
	place += quick->stride;
	quick->place = place;
	if (!CSYSI_LIKELY(place != quick->stop))
		csysi_shared_quick_wrap(quick, sender->end.channel);
	/* Seq_cst: as in csysi_shared_wake_receiver. */
	if (CSYSI_LIKELY(csysi_load_seq_cst(&ring->receiver_sleeps) == 0))
		return 0;
	return csysi_shared_wake_receiver_slow(sender->end.channel, sender->remote);
}

/*
 * A short message, for which there is room where it is looked for: no call of another function, so
 * that no register has to be saved for it.  The steps are those of csysi_shared_sender_send_any.
 */
CSYSI_ALWAYS int send_message(csys_shared_sender *sender, const void *data, size_t length,
			      csys_deadline deadline)
{
	struct csysi_shared_quick *quick = &sender->quick;
	struct csysi_shared_ring *ring = quick->ring;

	if (!CSYSI_LIKELY(csysi_shared_is_quick(quick) &&
			  csysi_shared_is_receiver_seen(sender, ring)))
		return csysi_shared_sender_send_any(sender, data, length, deadline);
	char *at = quick->place;
	struct csysi_shared_place *place = (struct csysi_shared_place *)(void *)at;
	if (CSYSI_LIKELY(length < quick->below_single)) {
		/* Seq_cst: as in claim_at. */
		if (!CSYSI_LIKELY(csysi_load_seq_cst(&place->state) == quick->before))
			return csysi_shared_sender_send_any(sender, data, length, deadline);
		fill_quick(place, data, length);
		/* Seq_cst, and relaxed: as in commit and move_tail. */
		csysi_swap_seq_cst(&place->state, quick->after);
		uint64_t next = quick->position + 1;
		csysi_store_relaxed(&ring->tail, next);
		return go_on(sender, ring, at, next);
	}
	if (!CSYSI_LIKELY(length < quick->below))
		return csysi_shared_sender_send_any(sender, data, length, deadline);
	uint64_t position = quick->position;
	uint64_t before = quick->before;
	uint64_t after = quick->after;
	/* Relaxed: most often another sender has moved it, if one was here meanwhile. */
	if (!CSYSI_LIKELY(csysi_load_relaxed(&ring->tail) == position &&
			  csysi_cas_seq_cst(&place->state, &before, after)))
		return csysi_shared_sender_send_any(sender, data, length, deadline);
	position++;
	csysi_store_relaxed(&ring->tail, position); /* as in move_tail */
	fill_quick(place, data, length);
	/* Seq_cst: as in commit. */
	csysi_swap_seq_cst(&place->state, after + (CSYSI_PLACE_READY - CSYSI_PLACE_CLAIMED));
	return go_on(sender, ring, at, position);
}

int csys_shared_sender_send_until(csys_shared_sender *sender, const void *data, size_t length,
				  csys_deadline deadline)
{
	return send_message(sender, data, length, deadline);
}

int csys_shared_sender_send(csys_shared_sender *sender, const void *data, size_t length)
{
	return send_message(sender, data, length, CSYS_FOREVER);
}

int csys_shared_sender_try_send(csys_shared_sender *sender, const void *data, size_t length)
{
	return csysi_shared_without_waiting(send_message(sender, data, length, CSYS_POLL));
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* At a stop: go on behind it, and wake the senders: 0. */
static CSYSI_ATTRIBUTE((noinline)) int pass_stop(csys_shared_receiver *receiver)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_quick *quick = &receiver->quick;

	if (quick->stop == csysi_shared_place_at(channel, channel->mask + 1))
		csysi_shared_quick_wrap(quick, channel);
	quick->stop = quick->place + ((size_t)channel->wake_mask + 1) * channel->stride;
	return csysi_shared_wake_senders(channel);
}

/*
 * A short message that is there: no call of another function, so that no register has to be saved
 * for it.  The steps are those of csysi_shared_receiver_recv_any.
 */
CSYSI_ALWAYS int receive(csys_shared_receiver *receiver, void *out_data, size_t most,
			 size_t *out_length, size_t least, csys_deadline deadline)
{
	struct csysi_shared_quick *quick = &receiver->quick;

	if (!CSYSI_LIKELY(csysi_shared_is_quick(quick)))
		return csysi_shared_receiver_recv_any(receiver, out_data, most, out_length, least,
						      deadline);
	char *at = quick->place;
	struct csysi_shared_place *place = (struct csysi_shared_place *)(void *)at;
	/* Seq_cst: as in look. */
	uint64_t state = csysi_load_seq_cst(&place->state);
	if (!CSYSI_LIKELY(state == quick->before)) {
		/* Read once more: else it would be in a register before it is compared. */
		const volatile uint64_t *before = &quick->before;
		if (csysi_place_without_id(state ^ *before) != 0)
			return csysi_shared_receiver_recv_any(receiver, out_data, most, out_length,
							      least, deadline);
		quick->before = state; /* from another sender */
	}
	/* Relaxed: the commit has ordered it. */
	size_t length = csysi_load_relaxed(&place->length);
	/* Not one condition with the next: that would compare with the smaller of two, in more
	 * instructions. */
	if (!CSYSI_LIKELY(length < quick->below))
		return csysi_shared_receiver_recv_any(receiver, out_data, most, out_length, least,
						      deadline);
	if (!CSYSI_LIKELY(length >= least && length <= most))
		return csysi_shared_receiver_recv_any(receiver, out_data, most, out_length, least,
						      deadline);
	csysi_shared_copy_quick(out_data, place->data, length);
	if (out_length)
		*out_length = length;
	/* Seq_cst, and relaxed: as in release. */
	csysi_swap_seq_cst(&place->state, quick->after);
	uint64_t next = quick->position + 1;
	csysi_store_relaxed(&quick->ring->head, next);
	quick->position = next;
	at += quick->stride;
	quick->place = at;
	return CSYSI_LIKELY(at != quick->stop) ? 0 : pass_stop(receiver);
}

int csysi_shared_receiver_recv_exactly(csys_shared_receiver *receiver, csys_deadline deadline,
				       void *out_data, size_t size)
{
	return receive(receiver, out_data, size, NULL, size, deadline);
}

int csys_shared_receiver_recv_until(csys_shared_receiver *receiver, csys_deadline deadline,
				    void *out_data, size_t room, size_t *out_length)
{
	return receive(receiver, out_data, room, out_length, 0, deadline);
}

int csys_shared_receiver_recv(csys_shared_receiver *receiver, void *out_data, size_t room,
			      size_t *out_length)
{
	return receive(receiver, out_data, room, out_length, 0, CSYS_FOREVER);
}

int csys_shared_receiver_try_recv(csys_shared_receiver *receiver, void *out_data, size_t room,
				  size_t *out_length)
{
	return csysi_shared_without_waiting(
		receive(receiver, out_data, room, out_length, 0, CSYS_POLL));
}
