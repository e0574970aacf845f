/*
 * sync/channel_watch.c - ends of channels as items of csys_wait_any, and of the ready form of
 * select.
 *
 * A side of a channel has one permanent entry for all its watchers (watch.h), which is made when it
 * is first needed.  A watcher lists it, if it is not listed, and looks.  A thread of the other side
 * that finds it claims it as it does a waiter, notifies all watchers, and goes on to the first
 * waiter (csysi_channel_claim_first).  It stands before the waiters, but for senders that were
 * overtaken, which pass on.  So a watcher takes no message, no room and no claim from any thread,
 * and has none to pass on.
 *
 * No wake is lost.  A watcher is listed in the table of watch.c.  Then, under the channel's lock,
 * it lists the entry and sets SOME, also if the entry was listed; makes the fence of a sleeper; and
 * looks: it does as a thread that goes to sleep, (a) to (c) of channel_fence.c.  So it sees what
 * was published, or the thread that published sees SOME and locks the channel.  If that thread
 * locks it after the watcher, it finds the entry, or another thread has claimed it after the
 * watcher listed it; the one that claims it has acquired the lock from the watcher, and so finds
 * the watcher in the table.  If it locks before the watcher, what it published is seen by the
 * watcher's look.  While is_waking is set SOME is not, and the sender that is on its way passes on:
 * it sets SOME if there are entries, looks, and claims.
 *
 * At a rendezvous the lock alone orders them: a thread that comes first lists itself in the
 * critical section in which it claims, or notifies, the entries of the other side.
 *
 * An entry that no watcher needs any more stays listed until it is claimed, once.
 *
 * A timer notifies no thread: its watchers look again when it is due.
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "base/memory.h"
#include "sync/channel.h"
#include "sync/watch.h"

/* That of the side, which is made if there is none; NULL: no memory. */
static struct csysi_channel_handle *get(struct csysi_channel *c, int is_sender)
{
	struct csysi_channel_handle **at = is_sender ? &c->tx_watch : &c->rx_watch;
	/* Acquire pairs with the release below. */
	struct csysi_channel_handle *is = csysi_load_acquire(at);

	if (is)
		return is;
	struct csysi_channel_handle *mine = csysi_alloc_zero(sizeof *mine);
	if (!mine)
		return NULL;
	mine->reader = mine->writer = CSYS_NO_HANDLE;
	mine->watched = c;
	mine->is_sender = is_sender;
	mine->entry.waiter = &mine->waiter;
	mine->entry.handle = mine;
	/* Release: it is complete.  If it fails another thread was quicker. */
	if (csysi_cas_release(at, &is, mine))
		return mine;
	csysi_free(mine);
	return csysi_load_acquire(at);
}

static void list(struct csysi_channel *c, struct csysi_channel_side side,
		 struct csysi_channel_handle *watch)
{
	csysi_channel_lock(c);
	if (!watch->entry.is_listed) {
		/* Relaxed: the lock orders it. */
		csysi_store_relaxed(&watch->waiter.state, CSYSI_CHANNEL_WAITING);
		csysi_channel_list_add(side.list, &watch->entry, 1);
	}
	csysi_channel_set_some(c, side);
	csysi_channel_unlock(c);
	csysi_channel_fence_sleeper(side.fence);
}

/* Whether an operation of that side would not wait; for receivers, behind what is aborted. */
static int may_go(struct csysi_channel *c, int is_sender)
{
	if (!is_sender && csysi_channel_is_aborted(c))
		csysi_channel_tidy(c);
	return csysi_channel_may_go(c, is_sender) != 0;
}

static int look(struct csysi_channel *c, int is_sender, struct csysi_watch *watch)
{
	if (c->kind == CSYSI_CHANNEL_TIMER) {
		watch->until = csysi_channel_timer_deadline(c);
		return csysi_channel_is_due(c);
	}
	struct csysi_channel_handle *mine = get(c, is_sender);
	if (!mine)
		return CSYS_ENOMEM;
	list(c, is_sender ? csysi_channel_senders(c) : csysi_channel_receivers(c), mine);
	return may_go(c, is_sender);
}

static int take_receiver(const csys_wait_item *item)
{
	return may_go(item->object, 0);
}

static int look_at_receiver(const csys_wait_item *item, struct csysi_watch *watch)
{
	return look(item->object, 0, watch);
}

static int take_sender(const csys_wait_item *item)
{
	return may_go(item->object, 1);
}

static int look_at_sender(const csys_wait_item *item, struct csysi_watch *watch)
{
	return look(item->object, 1, watch);
}

const struct csysi_watch_kind csysi_receiver_kind = { take_receiver, look_at_receiver, NULL, NULL };
const struct csysi_watch_kind csysi_sender_kind = { take_sender, look_at_sender, NULL, NULL };
