/*
 * ipc/message_queue_system.c - the limits of the system, and all queues that it has.
 */
#include "ipc/message_queue.h"

static int is_kind(int kind)
{
	return kind == CSYS_MESSAGE_QUEUE_POSIX || kind == CSYS_MESSAGE_QUEUE_SYSTEM_V;
}

int csys_message_queue_limits(int kind, csys_message_queue_limit_info *out)
{
	struct csysi_os_queue_limits limits;

	if (!out || !is_kind(kind))
		return CSYS_EINVAL;
	int r = kind == CSYS_MESSAGE_QUEUE_SYSTEM_V ? csysi_os_system_v_limits(&limits)
						    : csysi_os_message_queue_limits(&limits);
	if (r < 0)
		return r;
	*out = (csys_message_queue_limit_info){
		.max_messages = limits.max_messages,
		.max_size = limits.max_size,
		.usual_messages = limits.usual_messages,
		.usual_size = limits.usual_size,
		.max_queues = limits.max_queues,
		.max_bytes = limits.max_bytes,
		.is_per_user = limits.is_per_user,
		.max_priority = kind == CSYS_MESSAGE_QUEUE_SYSTEM_V
					? CSYS_MESSAGE_QUEUE_SYSTEM_V_PRIORITIES
					: limits.max_priority,
	};
	return 0;
}

struct visit {
	csys_message_queue_visitor *visitor;
	void *argument;
};

static int visit_one(const struct csysi_os_queue_entry *os, void *argument)
{
	const struct visit *visit = argument;
	csys_message_queue_entry entry = {
		.id = os->id,
		.key = os->key,
		.user = os->user,
		.mode = os->mode,
		.messages = os->messages,
		.last_send = os->last_send,
		.last_recv = os->last_recv,
	};

	if (os->name)
		entry.name = csysi_queue_plain_name(os->name, &entry.scope);
	return visit->visitor(&entry, visit->argument);
}

int csys_message_queue_list(int kind, csys_message_queue_visitor *visitor, void *argument)
{
	struct visit visit = { visitor, argument };

	if (!visitor || !is_kind(kind))
		return CSYS_EINVAL;
	return kind == CSYS_MESSAGE_QUEUE_SYSTEM_V ? csysi_os_system_v_list(visit_one, &visit)
						   : csysi_os_message_queue_list(visit_one, &visit);
}
