/*
 * ipc/shared_end_transfer.c - ends of shared channels that go to another process.
 */
#include "ipc/shared_end_transfer.h"

#include "base/memory.h"
#include "ipc/shared_quick.h"

/* ---- packing -------------------------------------------------------------------------------- */

/* What both kinds of ends have to tell. */
static int pack(const struct csysi_shared_end *end, struct csysi_shared_packed *out)
{
	const csys_shared_channel *channel = end->channel;
	csys_handle handle = csys_region_handle(channel->region);

	if (handle == CSYS_NO_HANDLE)
		return CSYS_ENOTSUP;
	*out = (struct csysi_shared_packed){
		.handle = handle,
		.offset = (uint64_t)((const char *)channel->ring - channel->region->data),
		.type = csysi_load_relaxed(&channel->ring->layout),
		.id = end->id,
	};
	return 0;
}

int csysi_shared_sender_pack(csys_shared_sender *sender, csys_deadline deadline,
			     struct csysi_shared_packed *out,
			     struct csysi_shared_flight **out_flight)
{
	int r = sender->end.generation == csysi_os_generation() ? 0 : CSYS_EBADF;

	if (r == 0 && sender->reserved_count > 0)
		r = CSYS_EBUSY;
	/* The thread that sends it is responsible for it from now on. */
	if (r == 0 && !csysi_shared_end_is_mine(&sender->end))
		r = csysi_shared_sender_turn(sender, deadline);
	if (r == 0)
		r = pack(&sender->end, out);
	if (r < 0)
		return r;
	out->place = sender->at;
	return csysi_shared_flight_make(sender->end.channel,
					&sender->end.channel->ring->ids[sender->at], sender->end.id,
					0, out_flight);
}

int csysi_shared_receiver_pack(csys_shared_receiver *receiver, csys_deadline deadline,
			       struct csysi_shared_packed *out,
			       struct csysi_shared_flight **out_flight)
{
	int r = receiver->end.generation == csysi_os_generation() ? 0 : CSYS_EBADF;

	if (r == 0 && !csysi_shared_end_is_mine(&receiver->end))
		r = csysi_shared_receiver_turn(receiver, deadline);
	if (r == 0 && receiver->is_peeking)
		r = CSYS_EBUSY;
	if (r == 0)
		r = pack(&receiver->end, out);
	if (r < 0)
		return r;
	return csysi_shared_flight_make(receiver->end.channel,
					&receiver->end.channel->ring->receiver, receiver->end.id, 1,
					out_flight);
}

void csysi_shared_sender_commit(csys_shared_sender *sender, struct csysi_shared_flight *flight,
				const void *connection)
{
	csysi_shared_flight_commit(flight, connection);
	csysi_shared_sender_release(sender);
}

void csysi_shared_receiver_commit(csys_shared_receiver *receiver,
				  struct csysi_shared_flight *flight, const void *connection)
{
	csysi_shared_flight_commit(flight, connection);
	csysi_shared_receiver_release(receiver);
}

/* ---- adopting ------------------------------------------------------------------------------- */

int csysi_shared_packed_open(csys_region *region, const struct csysi_shared_packed *packed,
			     size_t size, csys_shared_channel **out)
{
	const csys_shared_channel_options options = { .layout = packed->type };

	if (packed->offset >= csys_region_size(region))
		return CSYS_EBADMSG;
	char *memory = (char *)csys_region_data(region) + packed->offset;
	int r = csysi_shared_channel_open_in(region, memory, size, &options, out);
	if (r < 0)
		return r == CSYS_EINVAL ? CSYS_EBADMSG : r; /* on no boundary */
	(*out)->has_region = 1;
	return 0;
}

/* Begin an end as one that another thread has had. */
static struct csysi_shared_end end_of_another(csys_shared_channel *channel, uint32_t id)
{
	csysi_shared_end_enter(channel);
	return (struct csysi_shared_end){ .channel = channel,
					  .id = id & CSYSI_ID,
					  .generation = csysi_os_generation() };
}

/* Become a member; CSYS_EBADMSG: the id is the caller's own, or none. */
static int check_id(const csys_shared_channel *channel, uint32_t id)
{
	uint32_t own;
	int r = csysi_region_id_until(channel->region, CSYS_FOREVER, &own);

	if (r < 0)
		return r;
	return id == own || id == 0 || (id & ~CSYSI_ID) != 0 ? CSYS_EBADMSG : 0;
}

int csysi_shared_sender_adopt(csys_shared_channel *channel,
			      const struct csysi_shared_packed *packed, csys_shared_sender **out)
{
	int r = packed->place < channel->senders ? check_id(channel, packed->id) : CSYS_EBADMSG;
	if (r < 0)
		return r;
	csys_shared_sender *sender = csysi_alloc_zero(sizeof *sender);
	if (!sender)
		return CSYS_ENOMEM;

	sender->end = end_of_another(channel, packed->id);
	sender->at = packed->place;
	csysi_shared_sender_prepare(sender);
	r = csysi_shared_sender_turn(sender, CSYS_FOREVER);
	if (r < 0) {
		csysi_shared_sender_release(sender);
		return r;
	}
	/* A receiver that is waited for has another process to watch. */
	(void)csysi_shared_wake_receiver_slow(channel, sender->remote);
	*out = sender;
	return 0;
}

int csysi_shared_receiver_adopt(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed,
				csys_shared_receiver **out)
{
	int r = check_id(channel, packed->id);
	if (r < 0)
		return r;
	csys_shared_receiver *receiver = csysi_alloc_zero(sizeof *receiver);
	if (!receiver)
		return CSYS_ENOMEM;

	receiver->end = end_of_another(channel, packed->id);
	csysi_shared_quick_begin(&receiver->quick, channel);
	r = csysi_shared_receiver_turn(receiver, CSYS_FOREVER);
	if (r == 0) {
		/* The one that has sent it may not have told yet what one before it has left.
		 * Relaxed: the role orders it. */
		receiver->told = csysi_load_relaxed(&channel->ring->peeked);
		*out = receiver;
		return 0;
	}
	csysi_shared_receiver_release(receiver);
	/* It was seen as closed; there may be no other one yet. */
	return r == CSYS_EOWNERDEAD ? csys_shared_receiver_open(channel, out) : r;
}

void csysi_shared_sender_refuse(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed)
{
	if (packed->place < channel->senders && packed->id != 0)
		csysi_shared_close_sender_of(channel, &channel->ring->ids[packed->place],
					     packed->id);
}

void csysi_shared_receiver_refuse(csys_shared_channel *channel,
				  const struct csysi_shared_packed *packed)
{
	if (packed->id != 0)
		csysi_shared_close_receiver_of(channel, &channel->ring->receiver, packed->id);
}
