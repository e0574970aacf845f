/*
 * ipc/connection_send.c - sending messages: connection.h.
 */
#include <string.h>

#include "ipc/connection.h"

#include "base/memory.h"
#include "os/os.h"

/* What a message is made of. */
struct message {
	const void *data;
	size_t size;
	struct csysi_outgoing *outgoing; /* NULL: it has no attachments */
};

/* The frame of a message without attachments. */
static void make_frame(const csys_connection *connection, const struct message *message,
		       struct csysi_connection_frame *frame)
{
	frame->head = (struct csysi_connection_head){
		.magic = CSYSI_CONNECTION_MAGIC,
		.kind = CSYSI_HEAD_DATA,
		.count = message->outgoing ? frame->head.count : 0,
		.size = message->size,
		.number = connection->sent + 1,
		/* Relaxed: fewer than there are by now does no harm. */
		.received = csysi_load_relaxed(&connection->received),
	};
}

/* Begin to send a message, if there is room: 0 and its number. */
static int begin(csys_connection *connection, const struct message *message, uint64_t *out_number)
{
	struct csysi_outgoing *outgoing = message->outgoing;
	struct csysi_connection_frame plain;
	struct csysi_connection_frame *frame = outgoing ? &outgoing->frame : &plain;
	int cancel = csysi_os_hold_cancel();

	csysi_lock_lock(&connection->sending);
	int r = csysi_connection_push(connection);
	if (r == 0 && outgoing && connection->kept_count > 0 &&
	    connection->kept_count + outgoing->taken_count > CSYSI_CONNECTION_KEPT)
		r = CSYS_EBUSY;
	if (r == 0) {
		make_frame(connection, message, frame);
		r = csysi_connection_begin(connection, frame, message->data,
					   outgoing ? outgoing->handles : NULL);
	}
	if (r == 0)
		*out_number = ++connection->sent;
	csysi_lock_unlock(&connection->sending);
	csysi_os_release_cancel(cancel);
	return r;
}

/* Wait until the other side has what the oldest kept handles are for. */
static int await_kept(csys_connection *connection, csys_deadline deadline)
{
	csysi_lock_lock(&connection->sending);
	uint64_t number = connection->kept ? connection->kept->number : 0;
	csysi_lock_unlock(&connection->sending);
	return number == 0 ? 0 : csysi_connection_await(connection, number, deadline);
}

static int send_begin(csys_connection *connection, const struct message *message,
		      csys_deadline deadline, uint64_t *out_number)
{
	for (;;) {
		int is_over = csys_deadline_left(deadline) <= 0;
		int r = begin(connection, message, out_number);
		if (r == CSYS_EBUSY) {
			r = await_kept(connection, deadline);
			if (r < 0)
				return r;
			continue;
		}
		if (r != CSYS_EAGAIN)
			return r;
		if (is_over)
			return CSYS_ETIMEDOUT;
		r = csysi_connection_wait(connection, 1, deadline);
		if (r < 0 && r != CSYS_ETIMEDOUT)
			return r;
	}
}

/* Whether the rest of a message is not sent yet. */
static int has_rest(csys_connection *connection, uint64_t number)
{
	csysi_lock_lock(&connection->sending);
	int has = connection->begin < connection->end && connection->sent == number;
	csysi_lock_unlock(&connection->sending);
	return has;
}

/* Wait until a message that was begun is sent, or stays as the rest.  Nothing can fail any more. */
static void finish(csys_connection *connection, uint64_t number, csys_deadline deadline)
{
	while (has_rest(connection, number) && csys_deadline_left(deadline) > 0 &&
	       csysi_connection_wait(connection, 1, deadline) >= 0) {
		int r = csysi_connection_step(connection);
		if (r < 0 && r != CSYS_EAGAIN)
			break;
	}
}

int csys_connection_send_until(csys_connection *connection, const void *data, size_t size,
			       const csys_attachment *attachments, size_t count,
			       csys_deadline deadline)
{
	struct message message = { data, size, NULL };
	uint64_t number;

	if (!connection || (!data && size > 0) || (!attachments && count > 0) ||
	    count > CSYS_CONNECTION_ATTACHMENTS)
		return CSYS_EINVAL;
	if (size > connection->most)
		return CSYS_EMSGSIZE;
	csysi_connection_sweep();
	int r = 0, cancel = 0;
	if (count > 0) {
		message.outgoing = csysi_alloc_zero(sizeof *message.outgoing);
		r = message.outgoing ? csysi_outgoing_pack(connection, attachments, count, deadline,
							   message.outgoing)
				     : CSYS_ENOMEM;
	}
	if (r == 0)
		r = send_begin(connection, &message, deadline, &number);
	/* A thread that was cancelled from here on could not tell that what it has attached is
	 * gone. */
	if (count > 0)
		cancel = csysi_os_hold_cancel();
	if (r == 0 && count > 0)
		csysi_outgoing_commit(connection, attachments, message.outgoing, number);
	else if (message.outgoing)
		csysi_outgoing_undo(message.outgoing);
	csysi_free(message.outgoing);
	if (r == 0)
		finish(connection, number, deadline);
	if (count > 0)
		csysi_os_release_cancel(cancel);
	return r;
}

int csys_connection_send(csys_connection *connection, const void *data, size_t size,
			 const csys_attachment *attachments, size_t count)
{
	return csys_connection_send_until(connection, data, size, attachments, count, CSYS_FOREVER);
}

int csys_connection_try_send(csys_connection *connection, const void *data, size_t size,
			     const csys_attachment *attachments, size_t count)
{
	int r = csys_connection_send_until(connection, data, size, attachments, count, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
