/*
 * sync/oneshot.c - a channel of capacity 1, whose sender is used up by a message.
 *
 * Each side does one thing, for which an owner is not worth its making: both sides are such that
 * several threads share.  No sender waits for room; a thread that waits for the end of the
 * receivers is listed as one that does, and nothing wakes it but that.
 */
#include <csys/base/result.h>
#include <csys/sync/oneshot.h>

#include "sync/channel.h"

static struct csysi_channel *channel_of(csys_oneshot_sender *sender)
{
	return (struct csysi_channel *)(void *)sender;
}

static csys_sender *sender_of(csys_oneshot_sender *sender)
{
	return (csys_sender *)(void *)sender;
}

int csysi_oneshot_new(size_t size, size_t alignment, const csys_channel_options *options,
		      csys_oneshot_sender **out_sender, csys_receiver **out_receiver)
{
	csys_sender *sender;
	int r = csysi_channel_new(size, alignment, 1, options, &sender, out_receiver);

	if (r < 0)
		return r;
	struct csysi_channel *c = csysi_channel_of_sender(sender);
	c->tx_is_shared = c->rx_is_shared = 1;
	*out_sender = (csys_oneshot_sender *)(void *)sender;
	return 0;
}

int csys_oneshot_new(size_t size, const csys_channel_options *options,
		     csys_oneshot_sender **out_sender, csys_receiver **out_receiver)
{
	size_t alignment;
	int r = csysi_channel_alignment(size, options, &alignment);

	return r < 0 ? r : csysi_oneshot_new(size, alignment, options, out_sender, out_receiver);
}

int csys_oneshot_sender_send_take(csys_oneshot_sender *sender, const void *value)
{
	/* There is room: this is the only message. */
	int r = csysi_channel_try_send(channel_of(sender), value);

	if (r == 0)
		csys_sender_close(sender_of(sender));
	return r;
}

void csys_oneshot_sender_close(csys_oneshot_sender *sender)
{
	csys_sender_close(sender_of(sender));
}

int csys_oneshot_sender_is_disconnected(const csys_oneshot_sender *sender)
{
	return csys_sender_is_disconnected((const csys_sender *)(const void *)sender);
}

static int is_closed(const struct csysi_channel *c)
{
	/* Sequentially consistent: (c) of channel_fence.c; and acquire: the receiver is done. */
	return (csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_CLOSED) != 0;
}

int csys_oneshot_sender_wait_disconnected(csys_oneshot_sender *sender, csys_deadline deadline)
{
	struct csysi_channel *c = channel_of(sender);
	struct csysi_channel_side side = csysi_channel_senders(c);

	while (!is_closed(c)) {
		struct csysi_channel_waiter self = { 0 };
		struct csysi_channel_entry entry = { .waiter = &self };
		int r = CSYS_ETIMEDOUT;

		if (csys_deadline_is_poll(deadline))
			return r;
		csysi_channel_enlist(c, side, &entry, 0);
		if (!is_closed(c))
			r = csysi_channel_sleep(&self, deadline);
		csysi_channel_delist(c, side, &entry);
		if (r == CSYS_ETIMEDOUT && !is_closed(c))
			return r;
	}
	return 0;
}
