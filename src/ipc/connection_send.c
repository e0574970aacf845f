/*
 * ipc/connection_send.c - sending messages: connection.h.
 */
#include <string.h>

#include "ipc/connection.h"

#include "base/memory.h"
#include "os/os.h"

/* What a message is made of. */
struct message {
	csys_slice bytes[2];
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
		.size = message->bytes[0].size + message->bytes[1].size,
		.number = connection->sent + 1,
		/* Relaxed: fewer than there are by now does no harm. */
		.received = csysi_load_relaxed(&connection->received),
	};
}

/* Begin to send a message, if there is room: 0 and its number.  CSYSI_CONNECTION_IS_FULL. */
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
		r = CSYSI_CONNECTION_IS_FULL;
	if (r == 0) {
		make_frame(connection, message, frame);
		r = csysi_connection_begin(connection, frame, message->bytes,
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
		if (r == CSYSI_CONNECTION_IS_FULL) {
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

int csysi_connection_has_rest(csys_connection *connection, uint64_t number)
{
	csysi_lock_lock(&connection->sending);
	int has = connection->begin < connection->end && connection->sent == number;
	csysi_lock_unlock(&connection->sending);
	return has;
}

/* Wait until a message that was begun is sent, or stays as the rest.  Nothing can fail any more. */
static void finish(csys_connection *connection, uint64_t number, csys_deadline deadline)
{
	while (csysi_connection_has_rest(connection, number) && csys_deadline_left(deadline) > 0 &&
	       csysi_connection_wait(connection, 1, deadline) >= 0) {
		int r = csysi_connection_step(connection);
		if (r < 0 && r != CSYS_EAGAIN)
			break;
	}
}

/* Make a message of what a caller wants to be sent. */
static int make_message(csys_connection *connection, const struct csysi_connection_content *content,
			csys_deadline deadline, struct message *out)
{
	*out = (struct message){ { content->prefix, { content->data, content->size } }, NULL };
	if ((!content->data && content->size > 0) ||
	    (!content->attachments && content->count > 0) ||
	    content->count > CSYS_CONNECTION_ATTACHMENTS)
		return CSYS_EINVAL;
	if (content->prefix.size > connection->most ||
	    content->size > connection->most - content->prefix.size)
		return CSYS_EMSGSIZE;
	csysi_connection_sweep();
	if (content->count == 0)
		return 0;
	out->outgoing = csysi_alloc_zero(sizeof *out->outgoing);
	return out->outgoing ? csysi_outgoing_pack(connection, content->attachments, content->count,
						   deadline, out->outgoing)
			     : CSYS_ENOMEM;
}

/* The message was sent, with that number, or it was not. */
static void finish_message(csys_connection *connection,
			   const struct csysi_connection_content *content, struct message *message,
			   int r, uint64_t number)
{
	if (r == 0 && message->outgoing)
		csysi_outgoing_commit(connection, content->attachments, message->outgoing, number);
	else if (message->outgoing)
		csysi_outgoing_undo(message->outgoing);
	csysi_free(message->outgoing);
}

int csysi_connection_send_once(csys_connection *connection,
			       const struct csysi_connection_content *content,
			       csys_deadline deadline, uint64_t *out_number)
{
	struct message message;
	uint64_t number = 0;
	int cancel = csysi_os_hold_cancel();

	int r = make_message(connection, content, deadline, &message);
	if (r == 0)
		r = begin(connection, &message, &number);
	finish_message(connection, content, &message, r, number);
	csysi_os_release_cancel(cancel);
	if (r == 0 && out_number)
		*out_number = number;
	return r;
}

int csys_connection_send_until(csys_connection *connection, const void *data, size_t size,
			       const csys_attachment *attachments, size_t count,
			       csys_deadline deadline)
{
	const struct csysi_connection_content content = {
		.data = data, .size = size, .attachments = attachments, .count = count
	};
	struct message message;
	uint64_t number = 0;

	if (!connection)
		return CSYS_EINVAL;
	int r = make_message(connection, &content, deadline, &message), cancel = 0;
	if (r == 0)
		r = send_begin(connection, &message, deadline, &number);
	/* A thread that was cancelled from here on could not tell that what it has attached is
	 * gone. */
	if (count > 0)
		cancel = csysi_os_hold_cancel();
	finish_message(connection, &content, &message, r, number);
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
