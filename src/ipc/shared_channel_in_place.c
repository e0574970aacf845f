/*
 * ipc/shared_channel_in_place.c - messages that are written and read in shared memory.
 */
#include <csys/ipc/shared_channel_in_place.h>

#include "base/memory.h"
#include "ipc/shared_channel.h"

/* ---- sending ------------------------------------------------------------------------------ */

/* Have room to note one place more. */
static int make_room(csys_shared_sender *sender)
{
	if (sender->reserved_count < sender->reserved_room)
		return 0;
	uint32_t room = sender->reserved_room * 2 + 2;
	struct csysi_shared_reserved *reserved = csysi_alloc(room * sizeof *reserved);
	if (!reserved)
		return CSYS_ENOMEM;
	if (sender->reserved_count > 0)
		memcpy(reserved, sender->reserved, sender->reserved_count * sizeof *reserved);
	csysi_free(sender->reserved);
	sender->reserved = reserved;
	sender->reserved_room = room;
	return 0;
}

int csys_shared_sender_reserve(csys_shared_sender *sender, csys_deadline deadline, void **out_data)
{
	struct csysi_shared_spot spot;
	int r = make_room(sender);

	if (r == 0)
		r = csysi_shared_sender_claim(sender, 1, deadline, &spot);
	if (r < 0)
		return r;
	sender->reserved[sender->reserved_count++] = (struct csysi_shared_reserved){
		spot.place,
		csysi_spot_state(&spot, sender->end.id, CSYSI_PLACE_CLAIMED),
	};
	*out_data = spot.place->data;
	return 0;
}

int csys_shared_sender_try_reserve(csys_shared_sender *sender, void **out_data)
{
	return csysi_shared_without_waiting(
		csys_shared_sender_reserve(sender, CSYS_POLL, out_data));
}

/* What was noted of the place that a caller has been given. */
static struct csysi_shared_reserved *find(const csys_shared_sender *sender, const void *data)
{
	uint32_t i = sender->reserved_count;

	while (i > 0 && sender->reserved[i - 1].place->data != data)
		i--;
	if (i == 0)
		csysi_os_abort("a place of a shared channel is not reserved");
	return &sender->reserved[i - 1];
}

/* Give a reserved place another kind: 1.  0: it is another's already, since the receiver has found
 * the thread dead that had reserved it. */
static int end_reserved(csys_shared_sender *sender, struct csysi_shared_reserved *reserved,
			uint32_t kind)
{
	uint64_t state = reserved->state;
	/* Seq_cst: see the invariants. */
	int is_done = csysi_cas_seq_cst(&reserved->place->state, &state,
					(state & ~(uint64_t)CSYSI_PLACE_KIND) | kind);

	/* In order: of two notes of one place, of which the first thread has ended, the later is
	 * found first. */
	size_t after = (size_t)(sender->reserved + sender->reserved_count - reserved) - 1;
	memmove(reserved, reserved + 1, after * sizeof *reserved);
	sender->reserved_count--;
	if (is_done)
		(void)csysi_shared_wake_receiver(sender->end.channel, sender->remote);
	return is_done;
}

int csys_shared_sender_commit(csys_shared_sender *sender, void *data, size_t length)
{
	if (sender->end.generation != csysi_os_generation())
		return CSYS_EBADF;
	struct csysi_shared_reserved *reserved = find(sender, data);
	if (length > sender->end.channel->size)
		return CSYS_EMSGSIZE;
	if (csysi_shared_is_receiver_gone(sender->end.channel))
		return CSYS_EDISCONNECTED;
	/* Relaxed: the commit orders it. */
	csysi_store_relaxed(&reserved->place->length, (uint32_t)length);
	return end_reserved(sender, reserved, CSYSI_PLACE_READY) ? 0 : CSYS_EOWNERDEAD;
}

void csys_shared_sender_abort(csys_shared_sender *sender, void *data)
{
	/* In a forked child it is the parent's. */
	if (sender->end.generation == csysi_os_generation())
		(void)end_reserved(sender, find(sender, data), CSYSI_PLACE_DROPPED);
}

/* ---- receiving ---------------------------------------------------------------------------- */

int csys_shared_receiver_peek(csys_shared_receiver *receiver, csys_deadline deadline,
			      void **out_data, size_t *out_length)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_spot spot;
	int r = csysi_shared_receiver_await(receiver, deadline, &spot);
	if (r < 0)
		return r;

	/* Before the caller looks at it; relaxed, as in pass. */
	csysi_store_relaxed(&channel->ring->peeked, spot.position + 1);
	receiver->position = spot.position;
	receiver->is_peeking = 1;
	*out_data = spot.place->data;
	if (out_length)
		*out_length = csysi_shared_length(channel, spot.place);
	return csysi_shared_receiver_note(receiver, spot.position);
}

int csysi_shared_receiver_peek_exactly(csys_shared_receiver *receiver, csys_deadline deadline,
				       size_t size, void **out_data)
{
	void *data;
	size_t length;
	int r = csys_shared_receiver_peek(receiver, deadline, &data, &length);
	if (r < 0)
		return r;

	if (length < size) {
		csys_shared_receiver_release(receiver);
		return CSYS_EBADMSG;
	}
	*out_data = data;
	return r;
}

int csys_shared_receiver_try_peek(csys_shared_receiver *receiver, void **out_data,
				  size_t *out_length)
{
	return csysi_shared_without_waiting(
		csys_shared_receiver_peek(receiver, CSYS_POLL, out_data, out_length));
}

void csys_shared_receiver_release(csys_shared_receiver *receiver)
{
	if (!receiver->is_peeking)
		csysi_os_abort("a shared receiver releases what it has not peeked at");
	/* Detached meanwhile, this thread was seen as dead, and the message stays with the next. */
	if (!csysi_shared_end_is_mine(&receiver->end) &&
	    csysi_shared_receiver_turn(receiver, CSYS_FOREVER) < 0)
		receiver->is_peeking = 0;
	if (!receiver->is_peeking)
		return;
	struct csysi_shared_spot spot = csysi_spot_of(receiver->end.channel, receiver->position);
	csysi_shared_receiver_free(receiver, &spot);
}
