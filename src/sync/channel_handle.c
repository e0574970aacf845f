/*
 * sync/channel_handle.c - making the handles of channels, for event loops.
 *
 * How they become ready and quiet: channel_ready.c.  A side with a handle is used in the way in
 * which several threads share it, in which all operations look at the handle: receivers take turns;
 * senders find WATCHED in the flags at which they look anyway.  A channel without handles does not
 * pay for it.
 *
 * The handle of a timer is one of the system (os/timer.h): see channel_timer.c.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>

#include "base/memory.h"
#include "base/system.h"
#include "os/os.h"
#include "sync/channel.h"

static int make_for(int is_sender, struct csysi_channel_handle **out)
{
	struct csysi_channel_handle *handle = csysi_alloc_zero(sizeof *handle);

	if (!handle)
		return CSYS_ENOMEM;
	int r = csysi_os_notifier_open(&handle->reader, &handle->writer);
	if (r < 0) {
		csysi_free(handle);
		return r;
	}
	handle->is_sender = is_sender;
	handle->entry.waiter = &handle->waiter;
	handle->entry.handle = handle;
	handle->waiter.state = CSYSI_CHANNEL_CLAIMED; /* ready, until it is looked at */
	csysi_os_notifier_notify(handle->writer);
	*out = handle;
	return 0;
}

static int make_for_senders(struct csysi_channel_handle **out)
{
	return make_for(1, out);
}

static int make_for_receivers(struct csysi_channel_handle **out)
{
	return make_for(0, out);
}

static int make_of_timer(struct csysi_channel_handle **out)
{
	struct csysi_channel_handle *handle = csysi_alloc_zero(sizeof *handle);

	if (!handle)
		return CSYS_ENOMEM;
	int r = csysi_os_timer_open(&handle->reader);
	if (r < 0) {
		csysi_free(handle);
		return r;
	}
	handle->writer = CSYS_NO_HANDLE;
	*out = handle;
	return 0;
}

void csysi_channel_handle_free(struct csysi_channel_handle *handle)
{
	if (!handle)
		return;
	csysi_os_close(handle->reader);
	csysi_os_close(handle->writer);
	csysi_free(handle);
}

/* The handle in *at, which is made if there is none. */
static int get(struct csysi_channel_handle **at, int (*make)(struct csysi_channel_handle **out),
	       csys_handle *out_handle)
{
	struct csysi_channel_handle *mine, *is = NULL;

	/* Acquire pairs with the release below. */
	if (!csysi_load_acquire(at)) {
		int r = make(&mine);
		if (r < 0)
			return r;
		/* Release: it is complete.  If it fails another thread was quicker. */
		if (!csysi_cas_release(at, &is, mine))
			csysi_channel_handle_free(mine);
	}
	is = csysi_load_acquire(at);
	*out_handle = is->reader;
	return 0;
}

static int get_of_timer(struct csysi_channel *c, csys_handle *out_handle)
{
	int r = get(&c->rx_handle, make_of_timer, out_handle);

	if (r == 0)
		csysi_channel_timer_set_handle(c);
	return r;
}

int csys_receiver_handle(csys_receiver *receiver, csys_handle *out_handle)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);

	if (c->kind == CSYSI_CHANNEL_TIMER)
		return get_of_timer(c, out_handle);
	int r = get(&c->rx_handle, make_for_receivers, out_handle);
	if (r < 0)
		return r;
	(void)csysi_channel_share(c, &c->rx_owner, &c->rx_is_shared);
	if (csysi_channel_has_slots(c))
		csysi_channel_tidy(c); /* an owner may have left what is aborted */
	else
		csysi_channel_handle_look(c, csysi_load_acquire(&c->rx_handle));
	return 0;
}

int csys_sender_handle(csys_sender *sender, csys_handle *out_handle)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);

	int r = csysi_channel_share(c, &c->tx_owner, &c->tx_is_shared);
	if (r == 0)
		r = get(&c->tx_handle, make_for_senders, out_handle);
	if (r < 0)
		return r;
	/* Sequentially consistent: senders that look at the flags after this find it. */
	(void)csysi_fetch_or_seq_cst(&c->rx_flags, CSYSI_CHANNEL_WATCHED);
	csysi_channel_handle_look(c, csysi_load_acquire(&c->tx_handle));
	return 0;
}
