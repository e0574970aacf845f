/*
 * sync/channel_send.c - sending into a channel with slots, and waiting for room.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

/* How often a sender yields to a receiver on its CPU before it sleeps. */
#define YIELDS 8

/* A sender that was woken lets the receiver make a quarter of the room, in a channel of this
 * capacity or more: else each message costs a wake. */
#define LARGE 8

int csysi_channel_try_send(struct csysi_channel *c, const void *value)
{
	for (;;) {
		int r = csysi_channel_send_alone(c, value, &c->layout);
		if (r == CSYSI_CHANNEL_SHARED)
			r = csysi_channel_send_shared(c, value, &c->layout);
		if (r != CSYSI_CHANNEL_OTHER)
			return r;
		if (csysi_channel_is_closed(c))
			return CSYS_EDISCONNECTED;
		r = csysi_channel_take_over(c, &c->tx_owner, &c->tx_is_shared);
		if (r < 0)
			return r;
	}
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* Send, or, with out_place, reserve. */
static int send_or_reserve(struct csysi_channel *c, const void *value, void **out_place)
{
	return out_place ? csysi_channel_try_reserve(c, out_place)
			 : csysi_channel_try_send(c, value);
}

/* Wait awake: CSYS_EAGAIN: it is still full. */
static int send_awake(struct csysi_channel *c, const void *value, void **out_place,
		      csys_deadline deadline)
{
	int r = CSYS_EAGAIN;

	for (struct csysi_channel_awake awake = csysi_channel_awake_begin(&c->tx_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, r != CSYS_EAGAIN);)
		r = send_or_reserve(c, value, out_place);
	for (int i = 0; i < YIELDS && r == CSYS_EAGAIN; i++) {
		if (!csysi_channel_yield(&c->tx_spin, &c->head))
			break;
		r = send_or_reserve(c, value, out_place);
	}
	return r;
}

static int has_little_room(struct csysi_channel *c)
{
	/* Relaxed, both: only a reason to wait. */
	uint64_t used = csysi_load_relaxed(&c->tail) - csysi_load_relaxed(&c->head);

	return used <= c->capacity && c->capacity - used < c->capacity / 4;
}

/* This thread was woken for some room: let there be more. */
static void await_room(struct csysi_channel *c, csys_deadline deadline)
{
	if (c->capacity < LARGE || !has_little_room(c))
		return;
	int is_so = 0;
	for (struct csysi_channel_awake awake = csysi_channel_awake_begin(&c->tx_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, is_so);)
		is_so = !has_little_room(c);
	if (!is_so)
		(void)csysi_channel_yield(&c->tx_spin, &c->head);
}

/* Sleep until there may be room, and try: *is_late if the deadline came first. */
static int send_after_sleep(struct csysi_channel *c, const void *value, void **out_place,
			    csys_deadline deadline, int is_first, int *is_late)
{
	struct csysi_channel_side side = csysi_channel_senders(c);
	struct csysi_channel_waiter self = { 0 };
	struct csysi_channel_entry entry = { .waiter = &self };

	csysi_channel_enlist(c, side, &entry, is_first);
	if (!csysi_channel_may_send(c))
		*is_late = csysi_channel_sleep(&self, deadline) == CSYS_ETIMEDOUT;
	csysi_channel_delist(c, side, &entry);
	int is_claimed = csysi_channel_is_claimed(&self);
	if (is_claimed)
		await_room(c, deadline);
	int r = send_or_reserve(c, value, out_place);
	if (is_claimed)
		csysi_channel_pass_on(c);
	return r;
}

int csysi_channel_wait_to_send(struct csysi_channel *c, const void *value, void **out_place,
			       csys_deadline deadline)
{
	if (csys_deadline_is_poll(deadline))
		return CSYS_ETIMEDOUT;
	for (int is_late = 0, has_slept = 0;; has_slept = 1) {
		int r = send_awake(c, value, out_place, deadline);
		if (r == CSYS_EAGAIN)
			/* One that was woken and overtaken keeps its place. */
			r = send_after_sleep(c, value, out_place, deadline, has_slept, &is_late);
		if (r != CSYS_EAGAIN)
			return r;
		if (is_late)
			return CSYS_ETIMEDOUT;
	}
}

/* ---- of the inline functions ------------------------------------------------------------- */

int csysi_channel_try_send_slow(struct csysi_channel *c, const void *value, int r)
{
	if (r < 0)
		return r;
	if (c->kind != CSYSI_CHANNEL_RENDEZVOUS)
		return csysi_channel_try_send(c, value);
	r = csysi_channel_rendezvous_send(c, value, CSYS_POLL);
	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csysi_channel_send_slow(struct csysi_channel *c, const void *value, int r,
			    csys_deadline deadline)
{
	if (c->kind == CSYSI_CHANNEL_RENDEZVOUS)
		return csysi_channel_rendezvous_send(c, value, deadline);
	if (r >= 0)
		r = csysi_channel_try_send(c, value);
	return r == CSYS_EAGAIN ? csysi_channel_wait_to_send(c, value, NULL, deadline) : r;
}

/* A message was published, for which a receiver is to be woken that sleeps. */
static void wake_receiver(struct csysi_channel *c)
{
	/* Before the look at head: channel_in_place.c. */
	csysi_channel_fence();
	if (!csysi_channel_is_held(c))
		(void)csysi_channel_wake_one(c, csysi_channel_receivers(c));
}

void csysi_channel_sent(struct csysi_channel *c, uint32_t flags)
{
	if (flags & CSYSI_CHANNEL_CLOSED)
		csysi_channel_destroy_queued(c);
	else if (flags & CSYSI_CHANNEL_SOME)
		wake_receiver(c);
	/* Acquire pairs with the release of csys_sender_handle. */
	if (flags & CSYSI_CHANNEL_WATCHED)
		csysi_channel_handle_look(c, csysi_load_acquire(&c->tx_handle));
}

/* ---- public ------------------------------------------------------------------------------ */

/* Messages of the size of a pointer, which many are, have a path of their own with constants. */
static CSYSI_ATTRIBUTE((noinline)) int send_pointer(struct csysi_channel *c, const void *value,
						    csys_deadline deadline)
{
	struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(void *);

	if (csysi_tsan_is_there()) /* asked once, here */
		return csysi_channel_send_slow(c, value, CSYSI_CHANNEL_OTHER, deadline);
	int r = csysi_channel_send_alone(c, value, &layout);

	return CSYSI_LIKELY(r == 0) ? r : csysi_channel_send_slow(c, value, r, deadline);
}

static CSYSI_ATTRIBUTE((noinline)) int send_any(struct csysi_channel *c, const void *value,
						csys_deadline deadline)
{
	if (csysi_tsan_is_there())
		return csysi_channel_send_slow(c, value, CSYSI_CHANNEL_OTHER, deadline);
	int r = csysi_channel_send_alone(c, value, &c->layout);

	if (r == CSYSI_CHANNEL_SHARED)
		r = csysi_channel_send_shared(c, value, &c->layout);
	return CSYSI_LIKELY(r == 0) ? r : csysi_channel_send_slow(c, value, r, deadline);
}

CSYSI_ALWAYS int send_until(csys_sender *sender, const void *value, csys_deadline deadline)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);

	return c->layout.is_pointer ? send_pointer(c, value, deadline)
				    : send_any(c, value, deadline);
}

int csys_sender_send_until(csys_sender *sender, const void *value, csys_deadline deadline)
{
	return send_until(sender, value, deadline);
}

int csys_sender_send(csys_sender *sender, const void *value)
{
	return send_until(sender, value, CSYS_FOREVER);
}

int csys_sender_try_send(csys_sender *sender, const void *value)
{
	int r = send_until(sender, value, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
