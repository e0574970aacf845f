/*
 * ipc/parcel_end.c - ends of shared channels that came with a message.
 */
#include "ipc/connection.h"
#include "ipc/shared_end_transfer.h"

static struct csysi_shared_packed packed_of(const struct csysi_parcel_item *item)
{
	return (struct csysi_shared_packed){ .handle = CSYS_NO_HANDLE,
					     .offset = item->entry.offset,
					     .type = item->entry.type,
					     .id = item->entry.id,
					     .place = item->entry.place };
}

/*
 * Open the region, once: the handle is its own then.  Memory that the other side can make smaller
 * is used only for a caller that wants the end.
 */
static int open_region(struct csysi_parcel_item *item, int accept_unsealed)
{
	csys_region_options options = { 0 };
	csys_region *region;

	if (item->region)
		return item->is_unsealed && !accept_unsealed ? CSYS_EBADMSG : 0;
	int r = csys_region_from_handle_take(item->handle, &options, &region);
	if (r == CSYS_EBADMSG && accept_unsealed) {
		options.accept_unsealed = 1;
		r = csys_region_from_handle_take(item->handle, &options, &region);
	}
	if (r < 0)
		return r;
	item->handle = CSYS_NO_HANDLE;
	item->region = region;
	item->is_unsealed = options.accept_unsealed;
	return 0;
}

/* Open the channel of an end.  The region is the channel's, after success. */
static int open_channel(struct csysi_parcel_item *item, int accept_unsealed, size_t size,
			csys_shared_channel **out)
{
	const struct csysi_shared_packed packed = packed_of(item);
	int r = open_region(item, accept_unsealed);

	if (r == 0)
		r = csysi_shared_packed_open(item->region, &packed, size, out);
	if (r == 0)
		item->region = NULL;
	return r;
}

/* What is between a message and an end that is taken out of it. */
struct found {
	struct csysi_parcel_item *item;
	csys_shared_channel *channel;
	struct csysi_shared_packed packed;
};

static int find(csys_parcel *parcel, size_t index, int kind, size_t size, uint64_t layout,
		const void *out, struct found *found)
{
	int r = csysi_parcel_find(parcel, index, kind, out, &found->item);

	if (r == 0 && layout != 0 && layout != found->item->entry.type)
		r = CSYS_EBADMSG;
	if (r == 0)
		r = open_channel(found->item, !parcel->refuse_unsealed, size, &found->channel);
	if (r == 0)
		found->packed = packed_of(found->item);
	return r;
}

/* The end has the channel, or else the item has its region back. */
static int settle(const struct found *found, int r)
{
	if (r < 0) {
		found->item->region = found->channel->region;
		found->channel->has_region = 0;
	} else {
		found->item->entry.kind = CSYS_ATTACHMENT_NONE;
	}
	csys_shared_channel_close(found->channel);
	return r;
}

int csysi_parcel_take_shared_sender(csys_parcel *parcel, size_t index, size_t size, uint64_t layout,
				    csys_shared_sender **out)
{
	struct found found;
	int r = find(parcel, index, CSYS_ATTACHMENT_SHARED_SENDER, size, layout, out, &found);

	return r < 0 ? r
		     : settle(&found, csysi_shared_sender_adopt(found.channel, &found.packed, out));
}

int csysi_parcel_take_shared_receiver(csys_parcel *parcel, size_t index, size_t size,
				      uint64_t layout, csys_shared_receiver **out)
{
	struct found found;
	int r = find(parcel, index, CSYS_ATTACHMENT_SHARED_RECEIVER, size, layout, out, &found);

	return r < 0 ? r
		     : settle(&found,
			      csysi_shared_receiver_adopt(found.channel, &found.packed, out));
}

int csys_parcel_take_shared_sender(csys_parcel *parcel, size_t index, uint64_t layout,
				   csys_shared_sender **out)
{
	return csysi_parcel_take_shared_sender(parcel, index, SIZE_MAX, layout, out);
}

int csys_parcel_take_shared_receiver(csys_parcel *parcel, size_t index, uint64_t layout,
				     csys_shared_receiver **out)
{
	return csysi_parcel_take_shared_receiver(parcel, index, SIZE_MAX, layout, out);
}

void csysi_parcel_close_end(struct csysi_parcel_item *item)
{
	csys_shared_channel *channel;

	/* Without a channel there is nothing to close.  The process that has sent the end closes it
	 * later where this one cannot. */
	if (open_channel(item, 0, SIZE_MAX, &channel) == 0) {
		const struct csysi_shared_packed packed = packed_of(item);
		if (item->entry.kind == CSYS_ATTACHMENT_SHARED_SENDER)
			csysi_shared_sender_refuse(channel, &packed);
		else
			csysi_shared_receiver_refuse(channel, &packed);
		csys_shared_channel_close(channel);
	}
	csys_region_close(item->region);
	item->region = NULL;
}
