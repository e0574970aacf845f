/*
 * ipc/message_queue_transfer.c - sending and receiving.
 *
 * A queue of System V has no priorities, but a receive may ask for the lowest type first: so the
 * highest priority has the type 1, and priority 0 the highest type of all.
 */
#include "ipc/message_queue.h"

static int is_system_v(const csys_message_queue *queue)
{
	return queue->kind == CSYS_MESSAGE_QUEUE_SYSTEM_V;
}

static int send_system_v(csys_message_queue *queue, const void *data, size_t size, int64_t priority,
			 csys_deadline deadline)
{
	if (!queue->by_type && priority < 0)
		return CSYS_EINVAL;
	int64_t type = queue->by_type ? priority : CSYSI_QUEUE_LAST_TYPE - priority;
	if (type < 1)
		return CSYS_EINVAL;
	return csysi_os_system_v_send(queue->id, data, size, type, deadline);
}

int csys_message_queue_send_until(csys_message_queue *queue, const void *data, size_t size,
				  int64_t priority, csys_deadline deadline)
{
	if (!queue || (!data && size > 0))
		return CSYS_EINVAL;
	if (queue->access == CSYS_MESSAGE_QUEUE_RECV)
		return CSYS_EBADF;
	return is_system_v(queue)
		       ? send_system_v(queue, data, size, priority, deadline)
		       : csysi_os_message_queue_send(&queue->os, data, size, priority, deadline);
}

int csys_message_queue_send(csys_message_queue *queue, const void *data, size_t size,
			    int64_t priority)
{
	return csys_message_queue_send_until(queue, data, size, priority, CSYS_FOREVER);
}

int csys_message_queue_try_send(csys_message_queue *queue, const void *data, size_t size,
				int64_t priority)
{
	int r = csys_message_queue_send_until(queue, data, size, priority, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

static int64_t priority_of(const csys_message_queue *queue, int64_t type)
{
	if (queue->by_type)
		return type;
	return type <= CSYSI_QUEUE_LAST_TYPE ? CSYSI_QUEUE_LAST_TYPE - type : 0;
}

int csys_message_queue_recv_until(csys_message_queue *queue, void *buffer, size_t size,
				  csys_deadline deadline, size_t *out_size, int64_t *out_priority)
{
	int64_t beside;
	int r;

	if (!queue || !out_size || (!buffer && size > 0))
		return CSYS_EINVAL;
	if (queue->access == CSYS_MESSAGE_QUEUE_SEND)
		return CSYS_EBADF;
	if (is_system_v(queue))
		r = csysi_os_system_v_recv(queue->id, buffer, size, queue->wanted, deadline,
					   out_size, &beside);
	else
		r = csysi_os_message_queue_recv(&queue->os, buffer, size, deadline, out_size,
						&beside);
	if (r == 0 && out_priority)
		*out_priority = is_system_v(queue) ? priority_of(queue, beside) : beside;
	return r;
}

int csys_message_queue_recv(csys_message_queue *queue, void *buffer, size_t size, size_t *out_size,
			    int64_t *out_priority)
{
	return csys_message_queue_recv_until(queue, buffer, size, CSYS_FOREVER, out_size,
					     out_priority);
}

int csys_message_queue_try_recv(csys_message_queue *queue, void *buffer, size_t size,
				size_t *out_size, int64_t *out_priority)
{
	int r = csys_message_queue_recv_until(queue, buffer, size, CSYS_POLL, out_size,
					      out_priority);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
