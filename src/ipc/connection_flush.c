/*
 * ipc/connection_flush.c - waiting until the other side has what was sent.
 */
#include <string.h>

#include "ipc/connection.h"

#include "os/os.h"

/* With the lock `receiving`. */
static int is_queue_full(const csys_connection *connection)
{
	return connection->queued >= CSYSI_CONNECTION_QUEUED ||
	       connection->queued_bytes >= CSYSI_CONNECTION_QUEUED_BYTES ||
	       connection->queued_items >= CSYS_CONNECTION_ATTACHMENTS;
}

/* Receive what is there, as far as the queue has room. */
static int fill_queue(csys_connection *connection)
{
	csys_parcel *parcel;
	int r = 0;

	csysi_lock_lock(&connection->receiving);
	while (r == 0) {
		r = is_queue_full(connection) ? CSYS_EBUSY
					      : csysi_connection_pump(connection, &parcel);
		if (r < 0)
			break;
		*connection->queue_end = parcel;
		connection->queue_end = &parcel->next;
		connection->queued++;
		connection->queued_bytes += parcel->size;
		connection->queued_items += parcel->count;
	}
	csysi_lock_unlock(&connection->receiving);
	return r;
}

/* Ask the other side, once for so many messages. */
static int ask(csys_connection *connection, uint64_t count)
{
	struct csysi_connection_frame frame;

	csysi_lock_lock(&connection->sending);
	int r = csysi_connection_push(connection);
	if (r == 0 && connection->asked < count) {
		memset(&frame.head, 0, sizeof frame.head);
		frame.head.magic = CSYSI_CONNECTION_MAGIC;
		frame.head.kind = CSYSI_HEAD_ASK;
		/* Relaxed: fewer than there are by now does no harm. */
		frame.head.received = csysi_load_relaxed(&connection->received);
		r = csysi_connection_begin(connection, &frame, NULL, NULL);
		if (r == 0)
			connection->asked = count;
	}
	csysi_lock_unlock(&connection->sending);
	return r;
}

/* Ask, and look for the answer. */
static int look(csys_connection *connection, uint64_t count)
{
	int cancel = csysi_os_hold_cancel();
	int asked = ask(connection, count);
	int r = fill_queue(connection);

	/* Relaxed: nothing comes with it. */
	if (csysi_load_relaxed(&connection->acked) >= count)
		r = 0;
	else if (r == CSYS_EAGAIN && asked < 0 && asked != CSYS_EAGAIN &&
		 asked != CSYS_EDISCONNECTED)
		r = asked;
	csysi_os_release_cancel(cancel);
	return r;
}

int csysi_connection_await(csys_connection *connection, uint64_t count, csys_deadline deadline)
{
	for (;;) {
		/* As in csys_connection_recv_until. */
		int is_over = csys_deadline_left(deadline) <= 0;
		int r = look(connection, count);
		if (r != CSYS_EAGAIN)
			return r;
		r = is_over ? CSYS_ETIMEDOUT : csysi_connection_wait(connection, 0, deadline);
		if (is_over || (r < 0 && r != CSYS_ETIMEDOUT))
			return r;
	}
}

int csys_connection_flush(csys_connection *connection, csys_deadline deadline)
{
	if (!connection)
		return CSYS_EINVAL;
	csysi_connection_sweep();
	csysi_lock_lock(&connection->sending);
	uint64_t count = connection->sent;
	csysi_lock_unlock(&connection->sending);
	if (csysi_load_relaxed(&connection->acked) >= count) /* relaxed, as above */
		return 0;
	return csysi_connection_await(connection, count, deadline);
}
