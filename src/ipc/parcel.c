/*
 * ipc/parcel.c - messages that were received, and taking out what came with them.
 */
#include "ipc/connection.h"

#include "base/memory.h"

/* ---- making and closing ------------------------------------------------------------------- */

csys_parcel *csysi_parcel_new(size_t count)
{
	csys_parcel *parcel = csysi_alloc_zero(sizeof *parcel + count * sizeof *parcel->items);

	if (!parcel)
		return NULL;
	parcel->count = count;
	for (size_t i = 0; i < count; i++)
		parcel->items[i].handle = CSYS_NO_HANDLE;
	return parcel;
}

void csys_parcel_close(csys_parcel *parcel)
{
	if (!parcel)
		return;
	for (size_t i = 0; i < parcel->count; i++) {
		struct csysi_parcel_item *item = &parcel->items[i];
		if (item->entry.kind == CSYS_ATTACHMENT_SHARED_SENDER ||
		    item->entry.kind == CSYS_ATTACHMENT_SHARED_RECEIVER)
			csysi_parcel_close_end(item);
		csys_handle_close(item->handle);
	}
	csysi_free(parcel->data);
	csysi_free(parcel);
}

/* ---- what it tells ------------------------------------------------------------------------ */

const void *csys_parcel_data(const csys_parcel *parcel, size_t *out_size)
{
	if (out_size)
		*out_size = parcel ? parcel->size - parcel->skip : 0;
	return parcel ? parcel->data + parcel->skip : NULL;
}

size_t csys_parcel_count(const csys_parcel *parcel)
{
	return parcel ? parcel->count : 0;
}

enum csys_attachment_kind csys_parcel_kind(const csys_parcel *parcel, size_t index)
{
	if (!parcel || index >= parcel->count)
		return CSYS_ATTACHMENT_NONE;
	return (enum csys_attachment_kind)parcel->items[index].entry.kind;
}

/* ---- taking ------------------------------------------------------------------------------- */

/* The handle of an item belongs to another object. */
static void is_taken(struct csysi_parcel_item *item)
{
	item->handle = CSYS_NO_HANDLE;
	item->entry.kind = CSYS_ATTACHMENT_NONE;
}

int csys_parcel_take_handle(csys_parcel *parcel, size_t index, csys_handle *out)
{
	struct csysi_parcel_item *item;
	int r = csysi_parcel_find(parcel, index, CSYS_ATTACHMENT_HANDLE, out, &item);

	if (r < 0)
		return r;
	*out = item->handle;
	is_taken(item);
	return 0;
}

int csys_parcel_take_region(csys_parcel *parcel, size_t index, const csys_region_options *options,
			    csys_region **out)
{
	struct csysi_parcel_item *item;
	int r = csysi_parcel_find(parcel, index, CSYS_ATTACHMENT_REGION, out, &item);

	if (r == 0)
		r = csys_region_from_handle_take(item->handle, options, out);
	if (r == 0)
		is_taken(item);
	return r;
}

int csys_parcel_take_socket(csys_parcel *parcel, size_t index, const csys_socket_options *options,
			    csys_socket **out)
{
	struct csysi_parcel_item *item;
	int r = csysi_parcel_find(parcel, index, CSYS_ATTACHMENT_SOCKET, out, &item);

	if (r == 0)
		r = csys_socket_adopt_take(item->handle, options, out);
	if (r == 0)
		is_taken(item);
	return r == CSYS_EBADF ? CSYS_EBADMSG : r; /* no socket */
}
