/*
 * ipc/shared_waitable.c - ends of channels in shared memory, as event loops have them.
 */
#include "ipc/shared_channel.h"

int csys_shared_receiver_handle(csys_shared_receiver *receiver, csys_handle *out_handle)
{
	if (!receiver || !out_handle)
		return CSYS_EINVAL;
	if (receiver->end.generation != csysi_os_generation())
		return CSYS_EBADF;
	int r = receiver->handle ? 0
				 : csysi_shared_handle_open(receiver->end.channel->senders,
							    &receiver->handle);
	if (r == 0)
		*out_handle = csysi_shared_handle_of(receiver->handle);
	return r;
}

int csys_shared_sender_handle(csys_shared_sender *sender, csys_handle *out_handle)
{
	if (!sender || !out_handle)
		return CSYS_EINVAL;
	if (sender->end.generation != csysi_os_generation())
		return CSYS_EBADF;
	int r = sender->handle ? 0 : csysi_shared_handle_open(0, &sender->handle);
	if (r == 0)
		*out_handle = csysi_shared_handle_of(sender->handle);
	return r;
}

static int is_receivable(void *object)
{
	return csysi_shared_is_receivable(object);
}

static int is_sendable(void *object)
{
	return csysi_shared_is_sendable(object);
}

csys_waitable csys_shared_receiver_waitable(csys_shared_receiver *receiver)
{
	csys_waitable waitable = { .handle = CSYS_NO_HANDLE };

	int r = csys_shared_receiver_handle(receiver, &waitable.handle);
	if (r < 0 && r != CSYS_EINVAL && r != CSYS_EBADF) {
		waitable.is_ready = is_receivable;
		waitable.object = receiver;
	}
	return waitable;
}

csys_waitable csys_shared_sender_waitable(csys_shared_sender *sender)
{
	csys_waitable waitable = { .handle = CSYS_NO_HANDLE };

	int r = csys_shared_sender_handle(sender, &waitable.handle);
	if (r < 0 && r != CSYS_EINVAL && r != CSYS_EBADF) {
		waitable.is_ready = is_sendable;
		waitable.object = sender;
	}
	return waitable;
}
