/*
 * sync/channel_ready.c - when the handles of channels are ready, and when they are quiet.
 *
 * A handle is a notifier of the system (os/notifier.h) and a permanent entry among the waiters of
 * its side.  Quiet: the entry is listed, SOME is set, the notifier is clear.  Ready: the entry is
 * claimed and in no list, the notifier is notified.  So a thread of the other side makes it ready
 * as it wakes a thread that waits, and goes on to the first of those; and while it is ready, SOME
 * is clear and nothing is to be done.  A thread of its own side that has used up what there was
 * makes it quiet again, and looks once more after that, as a thread does that goes to sleep.
 *
 * Invariant: while no thread holds the lock, the entry is listed if and only if the notifier is
 * clear.
 *
 * That look comes after each operation of the side.
 */
#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"

int csysi_channel_may_go(struct csysi_channel *c, int is_sender)
{
	switch (c->kind) {
	case CSYSI_CHANNEL_RENDEZVOUS:
		return csysi_channel_is_met(c, !is_sender);
	case CSYSI_CHANNEL_TIMER:
		return csysi_channel_is_due(c);
	default:
		return is_sender ? csysi_channel_may_send(c) : csysi_channel_may_recv(c);
	}
}

static int may_go(struct csysi_channel *c, const struct csysi_channel_handle *handle)
{
	return csysi_channel_may_go(c, handle->is_sender);
}

static struct csysi_channel_side side_of(struct csysi_channel *c,
					 const struct csysi_channel_handle *handle)
{
	return handle->is_sender ? csysi_channel_senders(c) : csysi_channel_receivers(c);
}

/* Under the lock: make it ready if it is quiet. */
static void make_ready(struct csysi_channel_list *list, struct csysi_channel_handle *handle)
{
	if (!handle || !handle->entry.is_listed)
		return;
	csysi_channel_list_remove(list, &handle->entry);
	/* Relaxed: the lock orders it. */
	csysi_store_relaxed(&handle->waiter.state, CSYSI_CHANNEL_CLAIMED);
	csysi_channel_notify(handle);
}

void csysi_channel_handle_look(struct csysi_channel *c, struct csysi_channel_handle *handle)
{
	struct csysi_channel_side side;

	if (!handle || may_go(c, handle))
		return;
	side = side_of(c, handle);
	csysi_channel_lock(c);
	int was_quiet = (int)handle->entry.is_listed;
	if (!was_quiet) {
		csysi_os_notifier_clear(handle->reader);
		/* Relaxed: the lock orders it. */
		csysi_store_relaxed(&handle->waiter.state, CSYSI_CHANNEL_WAITING);
		csysi_channel_list_add(side.list, &handle->entry, 1);
		csysi_channel_set_some(c, side);
	}
	csysi_channel_unlock(c);
	if (was_quiet)
		return;
	csysi_channel_fence_sleeper(side.fence);
	if (!may_go(c, handle))
		return;
	csysi_channel_lock(c);
	make_ready(side.list, handle);
	csysi_channel_unlock(c);
}

void csysi_channel_notify_handles(struct csysi_channel *c, int is_sender)
{
	struct csysi_channel_list *list = is_sender ? &c->waiting_senders : &c->waiting_receivers;

	/* Acquire pairs with the releases where they are made. */
	make_ready(list, csysi_load_acquire(is_sender ? &c->tx_handle : &c->rx_handle));
	make_ready(list, csysi_load_acquire(is_sender ? &c->tx_watch : &c->rx_watch));
}
