/*
 * sync/channel_batch.c - several messages at once.
 *
 * A batch claims as many indices as it can by one step, inside a block or up to the room of the
 * ring.  It goes through them by runs: slots that are behind each other, and of one lap, so that
 * all get the same stamp.  The flags of the other side are looked at once for a batch.
 *
 * Where a sanitizer of the program has to be told of each message (base/tsan.h), they are sent and
 * received one by one.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>

#include "base/memory.h"
#include "os/os.h"
#include "sync/channel.h"

/* ---- runs --------------------------------------------------------------------------------- */

struct run {
	char *slots, *stamps; /* the first ones */
	uint64_t length;
	uint32_t lap;
};

/* The slots from `index` on: `most` of them, or up to the end of the lap.  `block` has them, if the
 * channel has blocks. */
static struct run run_at(const struct csysi_channel *c, struct csysi_channel_block *block,
			 uint64_t index, uint64_t most)
{
	const struct csysi_channel_layout *l = &c->layout;
	int is_list = c->kind == CSYSI_CHANNEL_UNBOUNDED;
	unsigned shift = is_list ? l->shift : c->shift;
	uint64_t mask = (UINT64_C(1) << shift) - 1;
	uint64_t i = index & mask, left = mask + 1 - i - (unsigned)is_list;
	/* The other side waits while that much is copied. */
	uint64_t limit = l->size <= 16 ? 256 : l->size <= 64 ? 64 : l->size <= 512 ? 8 : 1;
	struct run run = { .lap = csysi_channel_lap(index, shift) };

	run.slots = (is_list ? (char *)block + l->slots_at : c->slots) + i * l->slot;
	run.stamps = (is_list ? (char *)block + l->stamps_at : c->stamps) + i * l->stamp;
	run.length = left < most ? left : most;
	run.length = run.length < limit ? run.length : limit;
	return run;
}

static uint32_t *stamp_of(const struct run *run, const struct csysi_channel_layout *l, uint64_t i)
{
	return (uint32_t *)(void *)(run->stamps + i * l->stamp);
}

/* Copy `count` messages of `size` bytes, between an array and slots. */
CSYSI_ALWAYS void copy_all(char *to, size_t to_step, const char *from, size_t from_step,
			   size_t size, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		csysi_channel_copy(to + i * to_step, from + i * from_step, size);
}

/* As csysi_channel_write does. */
CSYSI_ALWAYS void write_one(char *slot, const char *value, uint32_t stamp,
			    const struct csysi_channel_layout *l)
{
	csysi_channel_copy(slot, value, l->size);
	/* Release: as in csysi_channel_write. */
	__atomic_store_n((uint32_t *)(void *)(slot + l->stamps_at - l->slots_at), stamp,
			 __ATOMIC_RELEASE);
}

CSYSI_ALWAYS void write_small(const struct run *run, const char *values, uint32_t stamp,
			      const struct csysi_channel_layout *l)
{
	size_t size = l->size, slot = l->slot;
	char *at = run->slots;
	uint64_t left = run->length;

	for (; left >= 4; left -= 4, values += 4 * size, at += 4 * slot) {
		write_one(at, values, stamp, l);
		write_one(at + slot, values + size, stamp, l);
		write_one(at + 2 * slot, values + 2 * size, stamp, l);
		write_one(at + 3 * slot, values + 3 * size, stamp, l);
	}
	for (; left > 0; left--, values += size, at += slot)
		write_one(at, values, stamp, l);
}

static void write_run(const struct csysi_channel *c, const struct run *run, const char *values)
{
	const struct csysi_channel_layout *l = &c->layout;
	uint32_t stamp = run->lap << CSYSI_CHANNEL_LAP | csysi_channel_cpu(c);

	if (l->is_pointer) {
		struct csysi_channel_layout pointer = CSYSI_CHANNEL_LAYOUT(void *);
		write_small(run, values, stamp, &pointer);
	} else if (l->is_small) {
		write_small(run, values, stamp, l);
	} else {
		if (l->slot == l->size)
			csysi_channel_copy(run->slots, values, l->size * (size_t)run->length);
		else
			copy_all(run->slots, l->slot, values, l->size, l->size, run->length);
		for (uint64_t i = 0; i < run->length; i++)
			/* Release: as in csysi_channel_write. */
			__atomic_store_n(stamp_of(run, l, i), stamp, __ATOMIC_RELEASE);
	}
}

/* Whether the message is published that has this stamp. */
CSYSI_ALWAYS int is_there(const char *stamp, uint32_t lap)
{
	/* Acquire pairs with the release of the sender that has written the slot. */
	return csysi_channel_has_lap(
		__atomic_load_n((const uint32_t *)(const void *)stamp, __ATOMIC_ACQUIRE), lap);
}

/* Whether the messages of four slots are, of which the first has this stamp. */
CSYSI_ALWAYS int are_there(const char *stamp, size_t slot, uint32_t lap)
{
	return is_there(stamp, lap) && is_there(stamp + slot, lap) &&
	       is_there(stamp + 2 * slot, lap) && is_there(stamp + 3 * slot, lap);
}

/* Copy what is published, from the first one on: how many. */
CSYSI_ALWAYS uint64_t read_small(const struct run *run, char *out,
				 const struct csysi_channel_layout *l)
{
	size_t size = l->size, slot = l->slot, stamp_at = l->stamps_at - l->slots_at;
	const char *at = run->slots;
	uint64_t left = run->length;
	uint32_t lap = run->lap;

	for (; left >= 4 && are_there(at + stamp_at, slot, lap); left -= 4) {
		csysi_channel_copy(out, at, size);
		csysi_channel_copy(out + size, at + slot, size);
		csysi_channel_copy(out + 2 * size, at + 2 * slot, size);
		csysi_channel_copy(out + 3 * size, at + 3 * slot, size);
		at += 4 * slot;
		out += 4 * size;
	}
	for (; left > 0 && is_there(at + stamp_at, lap); left--, at += slot, out += size)
		csysi_channel_copy(out, at, size);
	return run->length - left;
}

static uint64_t read_run(const struct run *run, char *out, const struct csysi_channel_layout *l)
{
	uint64_t n = 0;

	if (l->is_pointer) {
		struct csysi_channel_layout pointer = CSYSI_CHANNEL_LAYOUT(void *);
		return read_small(run, out, &pointer);
	}
	if (l->is_small)
		return read_small(run, out, l);
	while (n < run->length && is_there(run->stamps + n * l->stamp, run->lap))
		n++;
	if (l->slot == l->size)
		csysi_channel_copy(out, run->slots, l->size * (size_t)n);
	else
		copy_all(out, l->size, run->slots, l->slot, l->size, n);
	return n;
}

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

/* Write and publish what was claimed. */
static void write_all(struct csysi_channel *c, struct csysi_channel_block *block, uint64_t t,
		      uint64_t n, const char *values)
{
	while (n > 0) {
		struct run run = run_at(c, block, t, n);
		write_run(c, &run, values);
		values += run.length * c->layout.size;
		t += run.length;
		n -= run.length;
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
	write_all(c, block, t, n, values);
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
		if (c->kind != CSYSI_CHANNEL_RENDEZVOUS && !csysi_tsan_is_there())
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

/* Whether the last of n messages from index h on is the last one of its block. */
static int is_last(const struct run *run, const struct csysi_channel_layout *l, uint64_t h,
		   uint64_t n)
{
	return csysi_channel_lap(h + n + 1, l->shift) != run->lap;
}

/* As the only receiver at this time: how many were taken, of one run. */
static uint64_t take_run(struct csysi_channel *c, char *out, uint64_t most)
{
	/* Relaxed: only receivers change it.  Acquire: as in csysi_channel_take_list. */
	uint64_t h = csysi_load_relaxed(&c->head);
	struct csysi_channel_block *block = csysi_load_acquire(&c->head_block);
	struct run run = run_at(c, block, h, most);
	uint64_t n = read_run(&run, out, &c->layout);

	if (n == 0)
		return 0;
	/* Relaxed, both: a hint. */
	uint32_t stamp = csysi_load_relaxed(stamp_of(&run, &c->layout, n - 1));
	csysi_store_relaxed(&c->rx_spin.cpu, stamp & CSYSI_CHANNEL_CPU);
	if (c->kind == CSYSI_CHANNEL_UNBOUNDED && is_last(&run, &c->layout, h, n)) {
		csysi_store_relaxed(&c->head, h + n - 1);
		csysi_channel_next_block(c);
	} else {
		/* Release pairs with the acquire in csysi_channel_is_full: the slots may be
		 * written. */
		csysi_store_release(&c->head, h + n);
	}
	return n;
}

/* In a turn: how many were taken at once. */
static size_t take_more(struct csysi_channel *c, char *out, size_t most)
{
	return csysi_tsan_is_there() ? csysi_channel_take(c, out) == 0
				     : (size_t)take_run(c, out, most);
}

/* As the only receiver at this time: how many were taken. */
static size_t take_some(struct csysi_channel *c, char *out, size_t most, int *has_settled)
{
	size_t n = 0, more = 1;

	do {
		for (; n < most && more > 0; n += more) {
			char *next = out + n * c->layout.size;
			more = take_more(c, next, most - n);
		}
		more = 1;
	} while (csysi_channel_settle(c) && (*has_settled = 1));
	return n;
}

static size_t recv_in_turn(struct csysi_channel *c, struct csysi_channel_seat *seat, char *out,
			   size_t most)
{
	int has_settled = 0;
	size_t n = take_some(c, out, most, &has_settled);

	csysi_channel_end_turn(c, seat);
	csysi_channel_after_turn(c, n > 0, has_settled);
	return n;
}

/* Where several receivers claim messages. */
static size_t recv_claimed(struct csysi_channel *c, char *out, size_t most)
{
	size_t n = 0, more = 1;

	for (; n < most && more > 0; n += more)
		more = csysi_channel_claim_batch(c, out + n * c->layout.size, most - n);
	/* Acquire pairs with the release of csys_receiver_handle. */
	csysi_channel_handle_look(c, csysi_load_acquire(&c->rx_handle));
	return n;
}

static size_t recv_unmarked(struct csysi_channel *c, char *out, size_t most)
{
	if (!csysi_channel_is_claimed_from(c)) {
		struct csysi_channel_seat *seat = csysi_channel_begin_turn(c);
		if (seat || c->kind != CSYSI_CHANNEL_UNBOUNDED)
			return recv_in_turn(c, seat, out, most);
		csysi_channel_end_turn(c, seat); /* it has just come to be shared */
	}
	return recv_claimed(c, out, most);
}

static size_t recv_some(struct csysi_channel *c, char *out, size_t most)
{
	csysi_channel_begin_recv(c);
	size_t n = recv_unmarked(c, out, most);
	csysi_channel_end_recv(c);
	return n;
}

int csys_receiver_recv_batch(csys_receiver *receiver, void *out_values, size_t most,
			     csys_deadline deadline, size_t *out_count)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);
	size_t n = 0;

	if (most > 0 && csysi_channel_has_slots(c))
		n = recv_some(c, out_values, most);
	if (most > 0 && n == 0) {
		int r = csys_receiver_recv_until(receiver, deadline, out_values);
		if (r < 0)
			return r;
		n = 1;
		if (most > 1 && csysi_channel_has_slots(c))
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
