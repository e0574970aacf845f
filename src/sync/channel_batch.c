/*
 * sync/channel_batch.c - several messages at once.
 *
 * A batch claims as many indices as it can by one step, inside a block or up to the room of the
 * ring, stamps them in order, and looks at the flags once, as a receiver does for a batch.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>

#include "base/memory.h"
#include "os/os.h"
#include "sync/channel.h"
#include "sync/lock.h"

/* ---- sending ----------------------------------------------------------------------------- */

/* How many of `most` messages can have the indices from t on; 0: ask for one as usual. */
static uint64_t room_at(struct csysi_channel *c, uint64_t t, uint64_t most)
{
	uint64_t room;

	if (c->kind == CSYSI_CHANNEL_UNBOUNDED) {
		/* Up to the last slot, which is another matter. */
		uint64_t last = (UINT64_C(1) << c->layout.shift) - 2, i = t & (last + 1);
		room = i < last ? last - i : 0;
	} else {
		/* Acquire pairs with the release of the receiver, which is done with the slots. */
		uint64_t used = t - csysi_load_acquire(&c->head);
		room = used < c->capacity ? c->capacity - used : 0;
	}
	return room < most ? room : most;
}

/* Claim the indices from *out_t on: how many. */
static uint64_t claim_alone(struct csysi_channel *c, struct csysi_channel_seat *seat, uint64_t most,
			    uint64_t *out_t, struct csysi_channel_block **out_block)
{
	/* Relaxed, all: of the owner, as in csysi_channel_send_alone. */
	uint64_t t = csysi_load_relaxed(&c->tail);
	uint64_t n = room_at(c, t, most);

	*out_block = csysi_load_relaxed(&c->tail_block);
	*out_t = t;
	csysi_store_relaxed(&c->tail, t + n);
	csysi_channel_leave(seat);
	return n;
}

static uint64_t claim_shared(struct csysi_channel *c, uint64_t most, uint64_t *out_t,
			     struct csysi_channel_block **out_block)
{
	/* Acquire, and the claim: as in csysi_channel_send_shared. */
	uint64_t t = csysi_load_acquire(&c->tail);
	uint64_t n;

	do {
		n = room_at(c, t, most);
		*out_block = csysi_load_relaxed(&c->tail_block);
	} while (n > 0 && !csysi_cas_seq_cst(&c->tail, &t, t + n));
	*out_t = t;
	return n;
}

static void write_one(struct csysi_channel *c, struct csysi_channel_block *block, uint64_t t,
		      const void *value)
{
	const struct csysi_channel_layout *l = &c->layout;

	if (c->kind == CSYSI_CHANNEL_UNBOUNDED) {
		uint64_t i = t & ((UINT64_C(1) << l->shift) - 1);
		csysi_channel_write(csysi_channel_slot(block, l, i),
				    csysi_channel_stamp(block, l, i),
				    csysi_channel_lap(t, l->shift), value, l);
	} else {
		csysi_channel_write_ring(c, t, value, l);
	}
}

/* So many messages were published, each of which may be for another receiver. */
static void tell_receivers(struct csysi_channel *c, uint64_t n)
{
	for (uint32_t flags = CSYSI_CHANNEL_SOME; n > 0 && (flags & CSYSI_CHANNEL_SOME); n--) {
		/* Sequentially consistent: as in csysi_channel_tell_receiver. */
		flags = csysi_load_seq_cst(&c->rx_flags);
		if (flags)
			csysi_channel_sent(c, flags);
	}
}

/* Send what can be claimed at once: how many, perhaps 0. */
static uint64_t send_some(struct csysi_channel *c, const char *values, uint64_t most)
{
	struct csysi_channel_block *block;
	struct csysi_channel_seat *seat = NULL;
	uint64_t t, n;
	/* Acquire pairs with the release of csysi_channel_take_over. */
	int is_shared = csysi_load_acquire(&c->tx_is_shared) != 0;

	if (csysi_channel_is_closed(c) ||
	    (!is_shared && !(seat = csysi_channel_enter(&c->tx_owner))))
		return 0;
	n = is_shared ? claim_shared(c, most, &t, &block) : claim_alone(c, seat, most, &t, &block);
	for (uint64_t i = 0; i < n; i++)
		write_one(c, block, t + i, values + i * c->layout.size);
	if (n > 0 && !is_shared)
		csysi_channel_order(&c->tx_fence);
	tell_receivers(c, n);
	return n;
}

int csys_sender_send_batch(csys_sender *sender, const void *values, size_t count,
			   csys_deadline deadline, size_t *out_sent)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);
	size_t sent = 0;
	int r = 0;

	while (sent < count && r == 0) {
		const char *next = (const char *)values + sent * c->layout.size;
		size_t n = 0;
		if (c->kind != CSYSI_CHANNEL_RENDEZVOUS)
			n = (size_t)send_some(c, next, count - sent);
		if (n == 0) {
			r = csys_sender_send_until(sender, next, deadline);
			n = r == 0;
		}
		sent += n;
	}
	*out_sent = sent;
	return r;
}

/* ---- receiving --------------------------------------------------------------------------- */

/* As the only receiver at this time: how many were taken. */
static size_t take_some(struct csysi_channel *c, char *out, size_t most)
{
	size_t n = 0;

	while (n < most && csysi_channel_take(c, out + n * c->layout.size) == 0)
		n++;
	return n;
}

static size_t recv_some(struct csysi_channel *c, char *out, size_t most)
{
	struct csysi_channel_seat *seat;
	size_t n;

	/* Acquire pairs with the release of csysi_channel_take_over. */
	if (csysi_load_acquire(&c->rx_is_shared)) {
		csysi_channel_begin_turn(c);
		n = take_some(c, out, most);
		csysi_channel_end_turn(c);
	} else if ((seat = csysi_channel_enter(&c->rx_owner))) {
		n = take_some(c, out, most);
		csysi_channel_leave(seat);
	} else {
		return 0;
	}
	if (n > 0 && c->kind == CSYSI_CHANNEL_BOUNDED)
		csysi_channel_tell_sender(c);
	/* Acquire pairs with the release of csys_receiver_handle. */
	csysi_channel_handle_look(c, csysi_load_acquire(&c->rx_handle));
	return n;
}

int csys_receiver_recv_batch(csys_receiver *receiver, void *out_values, size_t most,
			     csys_deadline deadline, size_t *out_count)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);
	size_t n = 0;

	if (most > 0 && c->kind != CSYSI_CHANNEL_RENDEZVOUS)
		n = recv_some(c, out_values, most);
	if (most > 0 && n == 0) {
		int r = csys_receiver_recv_until(receiver, deadline, out_values);
		if (r < 0)
			return r;
		n = 1;
		if (most > 1 && c->kind != CSYSI_CHANNEL_RENDEZVOUS)
			n += recv_some(c, (char *)out_values + c->layout.size, most - 1);
	}
	*out_count = n;
	return 0;
}

/* ---- draining ---------------------------------------------------------------------------- */

static size_t destroy_received(struct csysi_channel *c, csys_receiver *receiver, void *buffer)
{
	size_t count = 0;

	for (uint64_t left = csysi_channel_count(c); left > 0; left--) {
		if (csys_receiver_try_recv(receiver, buffer) < 0)
			break;
		if (c->drop)
			c->drop(buffer, c->drop_argument);
		count++;
	}
	return count;
}

int csys_receiver_drain(csys_receiver *receiver, size_t *out_count)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);
	_Alignas(max_align_t) char small[512];
	void *memory = NULL, *buffer = small;

	if (c->layout.size > sizeof small || c->layout.alignment > _Alignof(max_align_t))
		buffer = csysi_channel_alloc(c->layout.size, c->layout.alignment, 0, &memory);
	if (!buffer)
		return CSYS_ENOMEM;
	size_t count = destroy_received(c, receiver, buffer);
	csysi_free(memory);
	if (out_count)
		*out_count = count;
	return 0;
}
