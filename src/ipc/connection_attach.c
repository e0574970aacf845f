/*
 * ipc/connection_attach.c - what goes with a message, on the side that sends it.
 */
#include <string.h>

#include "ipc/connection.h"

#include "base/memory.h"
#include "base/reserved.h"
#include "ipc/shared_end_transfer.h"
#include "ipc/socket.h"

/* ---- attaching ---------------------------------------------------------------------------- */

csys_attachment csys_attach_handle(csys_handle handle)
{
	return (csys_attachment){ .kind = CSYS_ATTACHMENT_HANDLE, .handle = handle };
}

csys_attachment csys_attach_handle_take(csys_handle handle)
{
	return (csys_attachment){ .kind = CSYS_ATTACHMENT_HANDLE, .is_taken = 1, .handle = handle };
}

static csys_attachment of(int kind, int is_taken, void *object)
{
	return (csys_attachment){
		.kind = kind, .is_taken = is_taken, .handle = CSYS_NO_HANDLE, .object = object
	};
}

csys_attachment csys_attach_region(csys_region *region)
{
	return of(CSYS_ATTACHMENT_REGION, 0, region);
}

csys_attachment csys_attach_socket_take(csys_socket *socket)
{
	return of(CSYS_ATTACHMENT_SOCKET, 1, socket);
}

csys_attachment csys_attach_connection_take(csys_connection *connection)
{
	return of(CSYS_ATTACHMENT_CONNECTION, 1, connection);
}

csys_attachment csys_attach_shared_sender_take(csys_shared_sender *sender)
{
	return of(CSYS_ATTACHMENT_SHARED_SENDER, 1, sender);
}

csys_attachment csys_attach_shared_receiver_take(csys_shared_receiver *receiver)
{
	return of(CSYS_ATTACHMENT_SHARED_RECEIVER, 1, receiver);
}

/* ---- packing ------------------------------------------------------------------------------ */

/* A connection has to be quiet, or what this side has of it would be lost. */
static int pack_connection(csys_connection *attached, struct csysi_connection_entry *entry,
			   csys_handle *out)
{
	(void)csysi_connection_step(attached);
	csysi_lock_lock(&attached->receiving);
	csysi_lock_lock(&attached->sending);
	int is_quiet = attached->begin == attached->end && !attached->kept && !attached->queue &&
		       !attached->parcel && attached->came == 0 &&
		       csysi_load_relaxed(&attached->is_asked) == 0;
	int end = attached->end_code ? attached->end_code : csysi_load_relaxed(&attached->broken);
	entry->type = attached->sent;
	entry->offset = csysi_load_relaxed(&attached->received);
	csysi_lock_unlock(&attached->sending);
	csysi_lock_unlock(&attached->receiving);
	if (end != 0)
		return end;
	if (!is_quiet || csysi_shared_flights_prune(attached) > 0)
		return CSYS_EBUSY;
	*out = csys_socket_handle(attached->socket);
	return 0;
}

static int pack_end(const csys_attachment *attachment, csys_deadline deadline,
		    struct csysi_connection_entry *entry, csys_handle *out,
		    struct csysi_shared_flight **out_flight)
{
	struct csysi_shared_packed packed = { .handle = CSYS_NO_HANDLE };
	int r = attachment->kind == CSYS_ATTACHMENT_SHARED_SENDER
			? csysi_shared_sender_pack(attachment->object, deadline, &packed,
						   out_flight)
			: csysi_shared_receiver_pack(attachment->object, deadline, &packed,
						     out_flight);
	if (r < 0)
		return r;

	entry->id = packed.id;
	entry->type = packed.type;
	entry->offset = packed.offset;
	entry->place = packed.place;
	*out = packed.handle;
	return 0;
}

/* A region whose handle was copied: csysi_attachments_keep. */
static int is_kept_region(const csys_attachment *attachment)
{
	return attachment->kind == CSYS_ATTACHMENT_REGION && attachment->is_taken &&
	       !attachment->object && attachment->handle != CSYS_NO_HANDLE;
}

static int pack_one(csys_connection *connection, const csys_attachment *attachment,
		    csys_deadline deadline, struct csysi_connection_entry *entry, csys_handle *out,
		    struct csysi_shared_flight **out_flight)
{
	entry->kind = (uint32_t)attachment->kind;
	*out = CSYS_NO_HANDLE;
	if (csysi_is_any_set(attachment->reserved, 2) || attachment->object == connection)
		return CSYS_EINVAL;
	if (attachment->kind == CSYS_ATTACHMENT_HANDLE) {
		*out = attachment->handle;
		return *out == CSYS_NO_HANDLE ? CSYS_EBADF : 0;
	}
	if (is_kept_region(attachment)) {
		*out = attachment->handle;
		return 0;
	}
	if (!attachment->object)
		return CSYS_EINVAL;
	switch (attachment->kind) {
	case CSYS_ATTACHMENT_SOCKET:
		*out = csys_socket_handle(attachment->object);
		return 0;
	case CSYS_ATTACHMENT_CONNECTION:
		return pack_connection(attachment->object, entry, out);
	case CSYS_ATTACHMENT_REGION:
		*out = csys_region_handle(attachment->object);
		return *out == CSYS_NO_HANDLE ? CSYS_ENOTSUP : 0;
	case CSYS_ATTACHMENT_SHARED_SENDER:
	case CSYS_ATTACHMENT_SHARED_RECEIVER:
		return pack_end(attachment, deadline, entry, out, out_flight);
	default:
		return CSYS_EINVAL;
	}
}

/* Whether one of those before it takes the same. */
static int is_taken_twice(const csys_attachment *attachments, size_t index)
{
	const csys_attachment *it = &attachments[index];

	if (!it->is_taken)
		return 0;
	for (size_t i = 0; i < index; i++)
		if (attachments[i].is_taken && attachments[i].object == it->object &&
		    attachments[i].handle == it->handle)
			return 1;
	return 0;
}

/* Whether the handle of an attachment is kept until the other side has it. */
static int is_kept(const csys_attachment *attachment)
{
	return attachment->is_taken && attachment->kind != CSYS_ATTACHMENT_SHARED_SENDER &&
	       attachment->kind != CSYS_ATTACHMENT_SHARED_RECEIVER;
}

int csysi_outgoing_pack(csys_connection *connection, const csys_attachment *attachments,
			size_t count, csys_deadline deadline, struct csysi_outgoing *out)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		r = is_taken_twice(attachments, i)
			    ? CSYS_EINVAL
			    : pack_one(connection, &attachments[i], deadline,
				       &out->frame.entries[i], &out->handles[i], &out->flights[i]);
		out->flight_count = i + 1;
		out->taken_count += (size_t)is_kept(&attachments[i]);
	}
	out->frame.head.count = (uint16_t)count;
	if (r == 0 && out->taken_count > 0) {
		out->kept = csysi_alloc_zero(sizeof *out->kept +
					     out->taken_count * sizeof *out->kept->handles);
		r = out->kept ? 0 : CSYS_ENOMEM;
	}
	return r;
}

void csysi_outgoing_undo(struct csysi_outgoing *outgoing)
{
	for (size_t i = 0; i < outgoing->flight_count; i++)
		csysi_shared_flight_undo(outgoing->flights[i]);
	csysi_free(outgoing->kept);
}

/* ---- giving away ---------------------------------------------------------------------------- */

/* The socket of an object that is gone: its handle, which is kept. */
static csys_handle handle_of(csys_socket *socket)
{
	csys_handle handle;

	if (csys_socket_into_handle(socket, &handle) == 0)
		return handle;
	csys_socket_close(socket);
	return CSYS_NO_HANDLE;
}

static csys_handle give(const csys_attachment *attachment)
{
	csys_connection *attached = attachment->object;
	csys_handle handle;

	switch (attachment->kind) {
	case CSYS_ATTACHMENT_SOCKET:
		return handle_of(attachment->object);
	case CSYS_ATTACHMENT_CONNECTION:
		handle = handle_of(attached->socket);
		csysi_free(attached->rest);
		csysi_free(attached);
		return handle;
	default:
		return attachment->handle;
	}
}

/* Keep handles until the other side has the message with that number. */
static void keep(csys_connection *connection, struct csysi_kept *kept, uint64_t number)
{
	kept->number = number;
	csysi_lock_lock(&connection->sending);
	*connection->kept_end = kept;
	connection->kept_end = &kept->next;
	connection->kept_count += kept->count;
	uint64_t acked = csysi_load_relaxed(&connection->acked);
	csysi_lock_unlock(&connection->sending);
	/* The other side may have been faster. */
	if (acked >= number)
		csysi_connection_acked(connection, acked);
}

void csysi_outgoing_commit(csys_connection *connection, const csys_attachment *attachments,
			   struct csysi_outgoing *outgoing, uint64_t number)
{
	struct csysi_kept *kept = outgoing->kept;
	size_t count = outgoing->frame.head.count;

	for (size_t i = 0; i < count; i++) {
		const csys_attachment *attachment = &attachments[i];
		if (attachment->kind == CSYS_ATTACHMENT_SHARED_SENDER)
			csysi_shared_sender_commit(attachment->object, outgoing->flights[i],
						   connection);
		else if (attachment->kind == CSYS_ATTACHMENT_SHARED_RECEIVER)
			csysi_shared_receiver_commit(attachment->object, outgoing->flights[i],
						     connection);
		else if (is_kept(attachment))
			kept->handles[kept->count++] = give(attachment);
	}
	if (kept)
		keep(connection, kept, number);
	(void)csysi_shared_flights_prune(connection);
	/* It may be gone already, and this be seen by another thread before the commit. */
	if (csysi_load_relaxed(&connection->broken) != 0)
		csysi_shared_flights_close(connection);
}

/* ---- keeping, and closing ------------------------------------------------------------------ */

/* What stands for a copy of what the caller keeps. */
static int keep_one(csys_attachment *attachment)
{
	csys_handle copy, handle = attachment->kind == CSYS_ATTACHMENT_REGION
					   ? csys_region_handle(attachment->object)
					   : attachment->handle;
	int r = csys_handle_dup(handle, &copy);

	if (r < 0)
		return r;
	*attachment = (csys_attachment){ .kind = attachment->kind, .is_taken = 1, .handle = copy };
	return 0;
}

int csysi_attachments_keep(csys_attachment *attachments, size_t count)
{
	csys_attachment kept[CSYS_CONNECTION_ATTACHMENTS];
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		kept[i] = attachments[i];
		if (!kept[i].is_taken)
			r = keep_one(&kept[i]);
		for (size_t k = 0; r < 0 && k < i; k++)
			if (!attachments[k].is_taken)
				csys_handle_close(kept[k].handle);
	}
	if (r == 0 && count > 0)
		memcpy(attachments, kept, count * sizeof *kept);
	return r;
}

static void drop_one(const csys_attachment *attachment)
{
	switch (attachment->is_taken ? attachment->kind : CSYS_ATTACHMENT_NONE) {
	case CSYS_ATTACHMENT_SOCKET:
		csys_socket_close(attachment->object);
		break;
	case CSYS_ATTACHMENT_CONNECTION:
		csys_connection_close(attachment->object);
		break;
	case CSYS_ATTACHMENT_SHARED_SENDER:
		csys_shared_sender_close(attachment->object);
		break;
	case CSYS_ATTACHMENT_SHARED_RECEIVER:
		csys_shared_receiver_close(attachment->object);
		break;
	case CSYS_ATTACHMENT_HANDLE:
	case CSYS_ATTACHMENT_REGION:
		csys_handle_close(attachment->handle);
		break;
	default:
		break;
	}
}

void csysi_attachments_drop(const csys_attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		drop_one(&attachments[i]);
}

/* ---- the other side: one that was taken ------------------------------------------------------ */

int csys_parcel_take_connection(csys_parcel *parcel, size_t index,
				const csys_connection_options *options, csys_connection **out)
{
	struct csysi_parcel_item *item;
	csys_socket *socket;
	size_t most;

	int r = csysi_parcel_find(parcel, index, CSYS_ATTACHMENT_CONNECTION, out, &item);
	if (r == 0)
		r = csysi_connection_check(options, &most);
	if (r == 0)
		r = csys_socket_adopt_take(item->handle, NULL, &socket);
	if (r < 0)
		return r == CSYS_EBADF ? CSYS_EBADMSG : r; /* no socket */
	csys_connection *connection;
	r = csys_connection_from_socket_take(socket, options, &connection);
	if (r < 0) {
		/* It stays in the parcel. */
		if (csys_socket_into_handle(socket, &item->handle) < 0)
			item->handle = CSYS_NO_HANDLE;
		return r;
	}
	connection->sent = item->entry.type; /* how many of them are received it is told again */
	connection->received = item->entry.offset;
	item->handle = CSYS_NO_HANDLE;
	item->entry.kind = CSYS_ATTACHMENT_NONE;
	*out = connection;
	return 0;
}
