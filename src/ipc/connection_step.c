/*
 * ipc/connection_step.c - steps of sending, none of which waits: connection.h.
 */
#include <csys/io/poll.h>

#include <string.h>

#include "ipc/connection.h"

#include "base/memory.h"
#include "ipc/shared_end_transfer.h"
#include "os/os.h"

/* The memory for a rest that is kept for the next one. */
#define KEEP_ROOM 16384u

/* ---- the end ------------------------------------------------------------------------------ */

void csysi_connection_end_sending(csys_connection *connection, int code)
{
	int none = 0;

	/* Relaxed: nothing comes with it. */
	if (csysi_cas_relaxed(&connection->broken, &none, code))
		csysi_shared_flights_close(connection);
}

/* A failure of the socket, for a caller. */
static int told(csys_connection *connection, int r)
{
	if (r != CSYS_EPIPE && r != CSYS_ECONNRESET && r != CSYS_ENOTCONN)
		return r;
	csysi_connection_end_sending(connection, CSYS_EDISCONNECTED);
	return CSYS_EDISCONNECTED;
}

/* ---- what is kept --------------------------------------------------------------------------- */

void csysi_connection_acked(csys_connection *connection, uint64_t count)
{
	struct csysi_kept *over = NULL;

	csysi_lock_lock(&connection->sending);
	if (count != UINT64_MAX)
		csysi_store_relaxed(&connection->acked, count);
	while (connection->kept && connection->kept->number <= count) {
		struct csysi_kept *kept = connection->kept;
		connection->kept = kept->next;
		connection->kept_count -= kept->count;
		kept->next = over;
		over = kept;
	}
	if (!connection->kept)
		connection->kept_end = &connection->kept;
	csysi_lock_unlock(&connection->sending);
	while (over) {
		struct csysi_kept *next = over->next;
		for (size_t i = 0; i < over->count; i++)
			csys_handle_close(over->handles[i]);
		csysi_free(over);
		over = next;
	}
}

size_t csysi_connection_kept(csys_connection *connection)
{
	csysi_lock_lock(&connection->sending);
	size_t count = connection->kept_count;
	csysi_lock_unlock(&connection->sending);
	return count;
}

/* ---- the rest ----------------------------------------------------------------------------- */

/* Have room for a rest of so many bytes. */
static int have_room(csys_connection *connection, size_t size)
{
	if (size <= connection->room)
		return 0;
	size_t room = size < KEEP_ROOM ? KEEP_ROOM : size;
	unsigned char *rest = csysi_alloc(room);
	if (!rest)
		return CSYS_ENOMEM;
	csysi_free(connection->rest);
	connection->rest = rest;
	connection->room = room;
	return 0;
}

/* There is none any more. */
static void drop_rest(csys_connection *connection)
{
	connection->begin = connection->end = 0;
	if (connection->room > KEEP_ROOM) {
		csysi_free(connection->rest);
		connection->rest = NULL;
		connection->room = 0;
	}
}

static int push_rest(csys_connection *connection)
{
	while (connection->begin < connection->end) {
		size_t sent;
		int r = csys_socket_try_send(connection->socket,
					     connection->rest + connection->begin,
					     connection->end - connection->begin, &sent);
		if (r < 0)
			return told(connection, r);
		connection->begin += sent;
	}
	drop_rest(connection);
	return 0;
}

/* Copy what was not sent of some parts into the rest: all behind the first `sent` bytes. */
static void keep_rest(csys_connection *connection, const csys_slice *parts, size_t count,
		      size_t sent)
{
	size_t at = 0;

	for (size_t i = 0; i < count; at += parts[i++].size) {
		size_t skip = sent <= at ? 0 : sent - at;
		if (skip < parts[i].size)
			memcpy(connection->rest + at + skip, (const char *)parts[i].data + skip,
			       parts[i].size - skip);
	}
}

int csysi_connection_begin(csys_connection *connection, const struct csysi_connection_frame *frame,
			   const csys_slice *bytes, const csys_handle *handles)
{
	csys_slice parts[3] = { { frame, sizeof frame->head +
						 frame->head.count * sizeof *frame->entries } };
	csys_message message = { .slices = parts,
				 .slice_count = 1,
				 .handles = handles,
				 .handle_count = frame->head.count };
	size_t whole = parts[0].size + (size_t)frame->head.size, sent;

	for (int i = 0; bytes && i < 2; i++)
		if (bytes[i].size > 0)
			parts[message.slice_count++] = bytes[i];
	/* Before the first byte: afterwards there is no way back. */
	int r = have_room(connection, whole);
	if (r == 0)
		r = csys_message_try_send(connection->socket, &message, &sent);
	if (r < 0) {
		drop_rest(connection);
		return told(connection, r);
	}
	connection->begin = sent;
	connection->end = whole;
	if (sent == whole) {
		drop_rest(connection);
		return 0;
	}
	keep_rest(connection, parts, message.slice_count, sent);
	/* For what has come free meanwhile; the next step tells of a failure. */
	(void)push_rest(connection);
	return 0;
}

/* ---- steps -------------------------------------------------------------------------------- */

/* Tell how many messages were received. */
static int tell(csys_connection *connection)
{
	struct csysi_connection_frame frame;

	/* Seq_cst, all: a message that comes in between asks again (connection_recv.c). */
	if (csysi_load_seq_cst(&connection->is_asked) == 0)
		return 0;
	csysi_swap_seq_cst(&connection->is_asked, 0);
	memset(&frame.head, 0, sizeof frame.head);
	frame.head.magic = CSYSI_CONNECTION_MAGIC;
	frame.head.kind = CSYSI_HEAD_TELL;
	frame.head.received = csysi_load_seq_cst(&connection->received);
	int r = csysi_connection_begin(connection, &frame, NULL, NULL);
	if (r < 0)
		csysi_store_relaxed(&connection->is_asked, 1);
	return r;
}

int csysi_connection_push(csys_connection *connection)
{
	int r = csysi_load_relaxed(&connection->broken);

	if (r == 0)
		r = push_rest(connection);
	if (r == 0)
		r = tell(connection);
	if (r == 0 && connection->begin < connection->end)
		r = CSYS_EAGAIN;
	return r;
}

int csysi_connection_step(csys_connection *connection)
{
	int cancel = csysi_os_hold_cancel();

	csysi_lock_lock(&connection->sending);
	int r = csysi_connection_push(connection);
	csysi_lock_unlock(&connection->sending);
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_connection_is_pending(csys_connection *connection)
{
	if (!connection)
		return 0;
	csysi_lock_lock(&connection->sending);
	/* Relaxed, both: what other threads do at this moment is not told. */
	int is_pending = csysi_load_relaxed(&connection->broken) == 0 &&
			 (connection->begin < connection->end ||
			  csysi_load_relaxed(&connection->is_asked) != 0);
	csysi_lock_unlock(&connection->sending);
	return is_pending;
}

int csysi_connection_wait(csys_connection *connection, int is_writing, csys_deadline deadline)
{
	csys_handle handle = csys_socket_handle(connection->socket);
	csys_poll_item items[2] = {
		{ .waitable = csys_waitable_reading(handle) },
		{ .waitable = csys_waitable_writing(handle) },
	};

	if (is_writing)
		return csys_poll(&items[1], 1, deadline);
	return csys_poll(items, csys_connection_is_pending(connection) ? 2 : 1, deadline);
}
