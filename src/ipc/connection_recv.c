/*
 * ipc/connection_recv.c - receiving messages: connection.h.
 *
 * All that is read here was written by the other side, which may be hostile: each number is checked
 * before it is used, and memory is taken as bytes come.
 */
#include <string.h>

#include "ipc/connection.h"

#include "base/memory.h"
#include "ipc/shared_end_transfer.h"
#include "os/os.h"

/* The memory for bytes that have not come yet is at most so much, or as much as what has come. */
#define FIRST_ROOM ((size_t)65536)

/* How many heads without a message are read at once. */
#define MOST_HEADS 64

/* ---- the end ------------------------------------------------------------------------------ */

static void close_handles(csys_connection *connection)
{
	for (size_t i = 0; i < connection->handle_count; i++)
		csys_handle_close(connection->handles[i]);
	connection->handle_count = 0;
}

void csysi_connection_drop_parcel(csys_connection *connection)
{
	csys_parcel *parcel = connection->parcel;

	/* What has not come whole tells nothing: half of an end's entry may be right for another
	 * end. */
	if (parcel && !connection->has_entries)
		for (size_t i = connection->came / sizeof parcel->items->entry; i < parcel->count;
		     i++)
			parcel->items[i].entry.kind = CSYS_ATTACHMENT_NONE;
	csys_parcel_close(parcel);
	connection->parcel = NULL;
}

/* Nothing more is received: the code for that. */
static int end(csys_connection *connection, int code)
{
	close_handles(connection);
	csysi_connection_drop_parcel(connection);
	connection->came = 0;
	connection->end_code = code;
	if (code != CSYS_EDISCONNECTED)
		(void)csys_socket_shutdown(connection->socket, CSYS_SHUTDOWN_BOTH);
	csysi_connection_end_sending(connection, code);
	csysi_shared_flights_close(connection);
	return code;
}

/* Receive some bytes: how many, or a negative code.  Handles come with the first of a message. */
static int some(csys_connection *connection, void *buffer, size_t size, int is_first,
		size_t *out_size)
{
	csys_slice_mut slice = { buffer, size };
	csys_received_message message = {
		.slices = &slice,
		.slice_count = 1,
		.handles = connection->handles,
		.handle_room = is_first ? CSYS_CONNECTION_ATTACHMENTS : 0,
	};
	int r = csys_message_try_recv(connection->socket, &message);

	*out_size = 0;
	if (r == CSYS_ECONNRESET || r == CSYS_ENOTCONN || (r == 0 && message.size == 0))
		return end(connection, CSYS_EDISCONNECTED);
	/* Handles came that nobody has now, and bytes with them. */
	if (r == CSYS_EBADMSG || r == CSYS_EMFILE || r == CSYS_EMSGSIZE)
		return end(connection, r == CSYS_EMSGSIZE ? CSYS_EBADMSG : r);
	if (r < 0)
		return r;
	if (is_first)
		connection->handle_count = message.handle_count;
	*out_size = message.size;
	return 0;
}

/* ---- heads -------------------------------------------------------------------------------- */

static int is_head_right(const csys_connection *connection)
{
	const struct csysi_connection_head *head = &connection->head;

	if (head->magic != CSYSI_CONNECTION_MAGIC || head->count != connection->handle_count)
		return 0;
	switch (head->kind) {
	case CSYSI_HEAD_DATA:
		/* Relaxed: this thread has the lock. */
		return head->size <= connection->most &&
		       head->number == csysi_load_relaxed(&connection->received) + 1;
	case CSYSI_HEAD_HELLO:
		return head->size == 0 && head->count == 0 && head->received == 0 &&
		       csysi_load_relaxed(&connection->received) == 0;
	case CSYSI_HEAD_TELL:
	case CSYSI_HEAD_ASK:
		return head->size == 0 && head->count == 0 && head->number == 0;
	default:
		return 0;
	}
}

/* How many messages the other side has received: no fewer than before, nor more than there are. */
static int take_count(csys_connection *connection, uint64_t count)
{
	csysi_lock_lock(&connection->sending);
	int is_right = count <= connection->sent && count >= csysi_load_relaxed(&connection->acked);
	int is_new = is_right && count > csysi_load_relaxed(&connection->acked);
	csysi_lock_unlock(&connection->sending);
	if (is_new)
		csysi_connection_acked(connection, count);
	return is_right;
}

/* The other side waits for a head. */
static void note_question(csys_connection *connection)
{
	csysi_swap_seq_cst(&connection->is_asked, 1); /* seq_cst: see `tell` */
}

/* A head has come whole. */
static int take_head(csys_connection *connection)
{
	const struct csysi_connection_head *head = &connection->head;

	if (!is_head_right(connection) || !take_count(connection, head->received))
		return end(connection, CSYS_EBADMSG);
	if (head->kind != CSYSI_HEAD_DATA) {
		if (head->kind == CSYSI_HEAD_ASK)
			note_question(connection);
		connection->came = 0;
		return 0;
	}
	csys_parcel *parcel = csysi_parcel_new(head->count);
	if (!parcel)
		return CSYS_ENOMEM;
	parcel->refuse_unsealed = connection->refuse_unsealed;
	for (size_t i = 0; i < connection->handle_count; i++)
		parcel->items[i].handle = connection->handles[i];
	connection->handle_count = 0;
	connection->parcel = parcel;
	connection->has_entries = head->count == 0;
	connection->came = 0;
	return 0;
}

static int recv_head(csys_connection *connection)
{
	char *head = (char *)&connection->head;

	while (connection->came < sizeof connection->head) {
		size_t size;
		int r = some(connection, head + connection->came,
			     sizeof connection->head - connection->came, connection->came == 0,
			     &size);
		if (r < 0)
			return r;
		connection->came += size;
	}
	return take_head(connection);
}

/* ---- entries and bytes ---------------------------------------------------------------------- */

static int is_entry_right(const struct csysi_connection_entry *entry)
{
	return entry->kind >= CSYS_ATTACHMENT_HANDLE &&
	       entry->kind <= CSYS_ATTACHMENT_SHARED_RECEIVER && entry->reserved == 0;
}

static int recv_entries(csys_connection *connection)
{
	csys_parcel *parcel = connection->parcel;

	while (connection->came < parcel->count * sizeof(struct csysi_connection_entry)) {
		size_t within = connection->came % sizeof(struct csysi_connection_entry);
		struct csysi_connection_entry *entry =
			&parcel->items[connection->came / sizeof *entry].entry;
		size_t size;
		int r = some(connection, (char *)entry + within, sizeof *entry - within, 0, &size);
		if (r < 0)
			return r;
		connection->came += size;
		if (within + size == sizeof *entry && !is_entry_right(entry))
			return end(connection, CSYS_EBADMSG);
	}
	connection->came = 0;
	connection->has_entries = 1;
	return 0;
}

/* Have room for more bytes of a message of so many. */
static int grow(csys_parcel *parcel, size_t whole)
{
	size_t room = parcel->room < FIRST_ROOM ? FIRST_ROOM : 2 * parcel->room;

	if (room > whole)
		room = whole;
	/* One for the 0 behind the last. */
	unsigned char *data = csysi_realloc(parcel->data, room + 1);
	if (!data)
		return CSYS_ENOMEM;
	parcel->data = data;
	parcel->room = room;
	return 0;
}

static int recv_bytes(csys_connection *connection)
{
	csys_parcel *parcel = connection->parcel;
	size_t whole = (size_t)connection->head.size;

	if (!parcel->data) {
		int r = grow(parcel, whole);
		if (r < 0)
			return r;
	}
	while (parcel->size < whole) {
		size_t size;
		int r = parcel->size == parcel->room ? grow(parcel, whole) : 0;
		if (r == 0)
			r = some(connection, parcel->data + parcel->size,
				 parcel->room - parcel->size, 0, &size);
		if (r < 0)
			return r;
		parcel->size += size;
	}
	parcel->data[whole] = 0;
	return 0;
}

/* ---- messages ----------------------------------------------------------------------------- */

int csysi_connection_pump(csys_connection *connection, csys_parcel **out)
{
	int r = connection->end_code;

	for (int heads = 0; r == 0; heads++) {
		if (!connection->parcel) {
			r = heads < MOST_HEADS ? recv_head(connection) : CSYS_EAGAIN;
			continue;
		}
		if (!connection->has_entries)
			r = recv_entries(connection);
		if (r == 0)
			r = recv_bytes(connection);
		if (r < 0)
			break;
		*out = connection->parcel;
		connection->parcel = NULL;
		/* Seq_cst: see `tell`. */
		(void)csysi_add_seq_cst(&connection->received, 1);
		if ((*out)->count > 0)
			note_question(connection);
		return 0;
	}
	return r;
}

/* The next message: of the queue, or one that has come. */
static int next(csys_connection *connection, csys_parcel **out)
{
	csys_parcel *parcel = connection->queue;

	if (!parcel)
		return csysi_connection_pump(connection, out);
	connection->queue = parcel->next;
	if (!connection->queue)
		connection->queue_end = &connection->queue;
	parcel->next = NULL;
	connection->queued--;
	connection->queued_bytes -= parcel->size;
	connection->queued_items -= parcel->count;
	*out = parcel;
	return 0;
}

int csys_connection_try_recv(csys_connection *connection, csys_parcel **out)
{
	if (!connection || !out)
		return CSYS_EINVAL;
	csysi_connection_sweep();
	int cancel = csysi_os_hold_cancel();
	csysi_lock_lock(&connection->receiving);
	int r = next(connection, out);
	csysi_lock_unlock(&connection->receiving);
	/* What the other side waits for, and what is pending. */
	(void)csysi_connection_step(connection);
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_connection_recv_until(csys_connection *connection, csys_deadline deadline,
			       csys_parcel **out)
{
	for (;;) {
		/* Asked first: the other side may send parts and heads without an end. */
		int is_over = csys_deadline_left(deadline) <= 0;
		int r = csys_connection_try_recv(connection, out);
		if (r != CSYS_EAGAIN)
			return r;
		r = is_over ? CSYS_ETIMEDOUT : csysi_connection_wait(connection, 0, deadline);
		if (is_over || (r < 0 && r != CSYS_ETIMEDOUT))
			return r;
	}
}

int csys_connection_recv(csys_connection *connection, csys_parcel **out)
{
	return csys_connection_recv_until(connection, CSYS_FOREVER, out);
}
