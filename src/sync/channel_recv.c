/*
 * sync/channel_recv.c - receiving from a channel with slots, and waiting for a message.
 *
 * Holding back.  A receiver that is as fast as a stream of messages takes the cache line of each
 * message from the sender that writes the next one into it.  So a receiver that has found nothing
 * and then sees a message at once (a stream) waits `gap` spin hints before it takes it, and so gets
 * several for one transfer of a line.  The gap grows while bursts are short, and shrinks while they
 * are long, or while messages do not come at once.  One that has brought nothing is given up for a
 * while: two threads that take turns are no stream.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

/* A message that is seen within so many looks belongs to a stream. */
#define STREAM_LOOKS 6
/* Messages of a burst that is long enough. */
#define BURST 128
/* The gap, in spin hints: the greatest, and the least that has to bring something. */
#define GREATEST_GAP 255
#define LEAST_GAP 7
/* A burst of less than a message for so many hints has brought nothing... */
#define HINTS_FOR_ONE 8
/* ... and the gap does not grow for so many waits. */
#define GIVEN_UP_FOR 64
/* A receiver that has got no more messages since its last wait yields before it sleeps. */
#define FEW 8

int csysi_channel_take(struct csysi_channel *c, void *out)
{
	return c->kind == CSYSI_CHANNEL_UNBOUNDED ? csysi_channel_take_list(c, out, &c->layout)
						  : csysi_channel_take_ring(c, out, &c->layout);
}

static int recv_in_turn(struct csysi_channel *c, void *out)
{
	struct csysi_channel_seat *seat = csysi_channel_begin_turn(c);
	int r = csysi_channel_take(c, out);
	int has_settled = 0;

	if (r == CSYS_EAGAIN && csysi_channel_settle(c)) {
		has_settled = 1;
		r = csysi_channel_take(c, out);
	}
	has_settled |= csysi_channel_pass_over(c);
	csysi_channel_end_turn(c, seat);
	csysi_channel_after_turn(c, r == 0, has_settled);
	return r;
}

/* Where several receivers claim messages. */
static int recv_claimed(struct csysi_channel *c, void *out)
{
	int r = csysi_channel_claim_one(c, out);

	/* Acquire pairs with the release of csys_receiver_handle. */
	csysi_channel_handle_look(c, csysi_load_acquire(&c->rx_handle));
	return r;
}

/* Whether head's slot is none that the fast path can take, and perhaps another one can. */
static int is_special(const struct csysi_channel *c)
{
	if (c->kind != CSYSI_CHANNEL_BOUNDED)
		return 0;
	/* Relaxed: if it is wrong, the caller looks again. */
	uint32_t state = csysi_channel_state(c, csysi_load_relaxed(&c->head));
	return state == CSYSI_CHANNEL_ABORTED || state == CSYSI_CHANNEL_PEEKED;
}

int csysi_channel_try_recv(struct csysi_channel *c, void *out)
{
	for (;;) {
		/* Acquire pairs with the release of csysi_channel_take_over. */
		if (csysi_load_acquire(&c->rx_is_shared))
			return c->kind == CSYSI_CHANNEL_UNBOUNDED ? recv_claimed(c, out)
								  : recv_in_turn(c, out);
		int r = csysi_channel_recv_alone(c, out, &c->layout);
		if (r == CSYS_EAGAIN && is_special(c))
			return recv_in_turn(c, out);
		if (r != CSYSI_CHANNEL_OTHER)
			return r;
		(void)csysi_channel_take_over(c, &c->rx_owner, &c->rx_is_shared);
	}
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* Whether there is something to receive, for a receiver that waits awake. */
static int is_ready(struct csysi_channel *c)
{
	struct csysi_channel_seat *seat = csysi_channel_enter(&c->rx_owner);
	if (!seat)
		return csysi_channel_may_recv(c);
	int is_so = csysi_channel_is_published(c);
	csysi_channel_leave(seat);
	return is_so;
}

/* A message came after so many looks; the burst before it had so many messages. */
static void adjust_gap(struct csysi_channel *c, int looks, uint64_t burst)
{
	uint32_t gap = csysi_load_relaxed(&c->gap), held = csysi_load_relaxed(&c->gap_held);
	uint64_t wanted = c->kind == CSYSI_CHANNEL_BOUNDED && c->capacity / 4 < BURST
				  ? c->capacity / 4
				  : BURST;

	if (looks > STREAM_LOOKS || burst > 4 * wanted) {
		gap /= 2;
	} else if (gap >= LEAST_GAP && burst < gap / HINTS_FOR_ONE) {
		gap = 0;
		held = GIVEN_UP_FOR;
	} else if (held > 0) {
		held--;
	} else if (burst < wanted && gap < GREATEST_GAP) {
		gap = gap * 2 + 1;
	}
	/* Relaxed: hints, of which each receiver may have another value. */
	csysi_store_relaxed(&c->gap, gap);
	csysi_store_relaxed(&c->gap_held, held);
}

static void hold_back(struct csysi_channel *c, int looks, uint64_t burst)
{
	if (!c->is_patient)
		return;
	adjust_gap(c, looks, burst);
	for (uint32_t i = csysi_load_relaxed(&c->gap); i > 0; i--)
		csys_spin_hint();
}

/* Wait awake until a message is there, or that does not help any more. */
static void wait_awake(struct csysi_channel *c, csys_deadline deadline)
{
	/* Relaxed: as above. */
	uint64_t h = csysi_load_relaxed(&c->head);
	uint64_t burst = h - csysi_load_relaxed(&c->burst_from);
	int looks = 0, is_so = 0;

	csysi_store_relaxed(&c->burst_from, h);
	for (struct csysi_channel_awake awake = csysi_channel_awake_begin(&c->rx_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, is_so); looks++)
		is_so = is_ready(c);
	if (is_so)
		hold_back(c, looks, burst);
	else if (burst <= FEW && csysi_load_relaxed(&c->rx_spin.cpu) == csysi_channel_cpu(c) &&
		 !csys_deadline_is_poll(deadline))
		(void)csysi_channel_yield(&c->rx_spin, &c->tail);
}

/* Receive, or, with out_place, peek. */
static int recv_or_peek(struct csysi_channel *c, void *out, void **out_place)
{
	return out_place ? csysi_channel_try_peek(c, out_place) : csysi_channel_try_recv(c, out);
}

int csysi_channel_recv_last(struct csysi_channel *c, void *out, void **out_place)
{
	/* What was sent before the last sender was closed is published by now. */
	if (recv_or_peek(c, out, out_place) == 0)
		return 0;
	/* Relaxed, both: neither comes back. */
	return csysi_load_relaxed(&c->tail) == csysi_load_relaxed(&c->head) ? CSYS_EDISCONNECTED
									    : CSYS_EAGAIN;
}

static int sleep_for_message(struct csysi_channel *c, csys_deadline deadline)
{
	struct csysi_channel_side side = csysi_channel_receivers(c);
	struct csysi_channel_waiter self = { 0 };
	struct csysi_channel_entry entry = { .waiter = &self };
	int r = 0;

	csysi_channel_enlist(c, side, &entry, 0);
	if (!csysi_channel_may_recv(c))
		r = csysi_channel_sleep(&self, deadline);
	csysi_channel_delist(c, side, &entry);
	return r;
}

int csysi_channel_wait_to_recv(struct csysi_channel *c, void *out, void **out_place,
			       csys_deadline deadline)
{
	int tries = 0, is_late = csys_deadline_is_poll(deadline);

	/* One that is not the owner has not tried yet. */
	if (recv_or_peek(c, out, out_place) == 0)
		return 0;
	for (;;) {
		csysi_channel_note_cpu(&c->tx_spin);
		if (tries == 0 && !is_late)
			wait_awake(c, deadline);
		if (recv_or_peek(c, out, out_place) == 0)
			return 0;
		/* Acquire pairs with the release of csys_sender_close. */
		if (csysi_load_acquire(&c->senders) == 0) {
			int r = csysi_channel_recv_last(c, out, out_place);
			if (r != CSYS_EAGAIN)
				return r;
		}
		if (csysi_channel_may_recv(c)) {
			/* A sender is between its claim and its stamp, or another receiver came
			 * first. */
			csysi_spin_let_on(tries++);
			continue;
		}
		if (is_late)
			return CSYS_ETIMEDOUT;
		tries = 0;
		is_late = sleep_for_message(c, deadline) == CSYS_ETIMEDOUT;
	}
}

/* ---- of the inline functions ------------------------------------------------------------- */

int csysi_channel_recv_slow(struct csysi_channel *c, void *out, csys_deadline deadline)
{
	int r;

	csysi_channel_begin_recv(c);
	switch (c->kind) {
	case CSYSI_CHANNEL_RENDEZVOUS:
		r = csysi_channel_rendezvous_recv(c, out, deadline);
		break;
	case CSYSI_CHANNEL_TIMER:
		r = csysi_channel_timer_recv(c, out, deadline);
		break;
	default:
		r = csysi_channel_wait_to_recv(c, out, NULL, deadline);
	}
	csysi_channel_end_recv(c);
	return r;
}

int csysi_channel_try_recv_slow(struct csysi_channel *c, void *out)
{
	int r = csysi_channel_recv_slow(c, out, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- public ------------------------------------------------------------------------------ */

CSYSI_ALWAYS int recv_with(struct csysi_channel *c, void *out, csys_deadline deadline,
			   const struct csysi_channel_layout *l)
{
	if (csysi_tsan_is_there()) /* asked once, here */
		return csysi_channel_recv_slow(c, out, deadline);
	int r = csysi_channel_recv_alone(c, out, l);

	return CSYSI_LIKELY(r == 0) ? r : csysi_channel_recv_slow(c, out, deadline);
}

/* Messages of the size of a pointer, which many are, have a path of their own with constants. */
static CSYSI_ATTRIBUTE((noinline)) int recv_pointer(struct csysi_channel *c, void *out,
						    csys_deadline deadline)
{
	struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(void *);

	return recv_with(c, out, deadline, &layout);
}

static CSYSI_ATTRIBUTE((noinline)) int recv_any(struct csysi_channel *c, void *out,
						csys_deadline deadline)
{
	return recv_with(c, out, deadline, &c->layout);
}

CSYSI_ALWAYS int recv_until(csys_receiver *receiver, csys_deadline deadline, void *out)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);

	return c->layout.is_pointer ? recv_pointer(c, out, deadline) : recv_any(c, out, deadline);
}

int csys_receiver_recv_until(csys_receiver *receiver, csys_deadline deadline, void *out_value)
{
	return recv_until(receiver, deadline, out_value);
}

int csys_receiver_recv(csys_receiver *receiver, void *out_value)
{
	return recv_until(receiver, CSYS_FOREVER, out_value);
}

int csys_receiver_try_recv(csys_receiver *receiver, void *out_value)
{
	int r = recv_until(receiver, CSYS_POLL, out_value);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
