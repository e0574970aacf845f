/*
 * ipc/shared_sender.c - sending through shared memory: shared_channel.h.
 */
#include "ipc/shared_channel.h"

#include "base/memory.h"
#include "ipc/shared_quick.h"

/* ---- the receiver ------------------------------------------------------------------------- */

/* Of no member. */
static const struct csysi_member_entry nobody;

/* Note what the ring has as the receiver, of which nothing tells that it lives. */
static void see_nothing(csys_shared_sender *sender, uint64_t word)
{
	sender->seen = (struct csysi_shared_seen){ .receiver = word, .entry = &nobody };
}

/* Look anew whether there is a receiver, or may come one. */
static int look_for_receiver(csys_shared_sender *sender)
{
	const csys_shared_channel *channel = sender->end.channel;
	const csys_region *region = channel->region;
	/* Relaxed, all: what is noted was so before the look that counts. */
	uint32_t word = csysi_load_relaxed(&channel->ring->receiver);
	const uint32_t *sign = csysi_region_sign_of_life(region, word);

	see_nothing(sender, word);
	if (sign && word != 0 && (word & CSYSI_ID_PLACE) < region->members &&
	    !(channel->flags & CSYSI_SHARED_CHANNEL_LASTING)) {
		const struct csysi_member_entry *entry = &region->entries[word & CSYSI_ID_PLACE];
		sender->seen = (struct csysi_shared_seen){
			word,
			entry,
			csysi_load_relaxed(sign),
			csysi_load_relaxed(&entry->generation),
		};
	}
	if (!csysi_shared_is_receiver_gone(channel))
		return 1;
	/* Nothing that stays the same tells that it lives: the next send looks again. */
	see_nothing(sender, CSYSI_NONE_SEEN);
	return 0;
}

/* ---- opening and closing ------------------------------------------------------------------ */

/* Count that a member has a sender from now on.  After its id is in the ring and the receiver was
 * told: one that is killed before that has never come. */
static void count_opened(struct csysi_shared_ring *ring)
{
	/* Release pairs with the acquire in csysi_shared_are_senders_gone.  0 would be none. */
	if (csysi_add_release(&ring->opened, 1) == 0)
		(void)csysi_add_release(&ring->opened, 1);
}

/* Note a member as one that has this sender: 0, or CSYS_EBUSY, CSYS_ENOSPC. */
static int take_entry(csys_shared_sender *sender, uint32_t id)
{
	const csys_shared_channel *channel = sender->end.channel;
	struct csysi_shared_ring *ring = channel->ring;

	for (uint32_t i = 0; i < channel->senders; i++) {
		/* Relaxed: the compare-and-swap decides. */
		uint32_t was = csysi_load_relaxed(&ring->ids[i]);
		if (was != 0 && csysi_region_is_alive(channel->region, was))
			continue;
		csysi_shared_flight_over(&ring->ids[i], id);
		/* Acquire: a single sender goes on where the last one has stopped. */
		if (!csysi_cas_acq_rel(&ring->ids[i], &was, id))
			continue;
		sender->at = i;
		csysi_shared_sender_tell_place(sender, id);
		return 0;
	}
	return channel->flags & CSYSI_SHARED_CHANNEL_SINGLE ? CSYS_EBUSY : CSYS_ENOSPC;
}

void csysi_shared_sender_prepare(csys_shared_sender *sender)
{
	see_nothing(sender, CSYSI_NONE_SEEN);
	csysi_shared_quick_begin(&sender->quick, sender->end.channel);
	sender->remote = CSYS_NO_HANDLE;
	/* Without it the receiver looks again and again, if it is waited for by its handle. */
	sender->place = csysi_os_named_notifier_open_remote(&sender->remote) < 0
				? 0
				: csysi_os_named_notifier_place();
}

void csysi_shared_sender_release(csys_shared_sender *sender)
{
	csysi_shared_end_finish(&sender->end);
	csysi_shared_handle_close(sender->handle);
	csysi_os_close(sender->remote);
	csysi_free(sender->reserved);
	csysi_free(sender);
}

int csys_shared_sender_open(csys_shared_channel *channel, csys_shared_sender **out)
{
	if (!channel || !out)
		return CSYS_EINVAL;
	csys_shared_sender *sender = csysi_alloc_zero(sizeof *sender);
	int r = sender ? csysi_shared_end_begin(channel, &sender->end) : CSYS_ENOMEM;
	if (r < 0) {
		csysi_free(sender);
		return r;
	}
	csysi_shared_sender_prepare(sender);
	r = take_entry(sender, sender->end.id);
	if (r < 0) {
		csysi_shared_sender_release(sender);
		return r;
	}
	/* A receiver that is waited for has one sender more to watch.  Before that is counted: of
	 * one that is killed by then it need not hear. */
	(void)csysi_shared_wake_receiver_slow(channel, sender->remote);
	count_opened(channel->ring);
	*out = sender;
	return 0;
}

void csys_shared_sender_close(csys_shared_sender *sender)
{
	if (!sender)
		return;
	const csys_shared_channel *channel = sender->end.channel;
	if (sender->end.generation == csysi_os_generation()) {
		if (sender->reserved_count > 0)
			csysi_os_abort("a shared sender is closed while a place is reserved");
		uint32_t id = sender->end.id;
		/* Seq_cst pairs with csysi_shared_are_senders_gone. */
		if (csysi_cas_seq_cst(&channel->ring->ids[sender->at], &id, 0))
			(void)csysi_shared_wake_receiver(channel, sender->remote);
	}
	csysi_shared_sender_release(sender);
}

int csysi_shared_sender_turn(csys_shared_sender *sender, csys_deadline deadline)
{
	const csys_shared_channel *channel = sender->end.channel;
	uint32_t was = sender->end.id;
	uint32_t id;
	int r = csysi_shared_end_turn(&sender->end, deadline, &id);
	if (r < 0)
		return r;

	if (was != id) {
		csysi_shared_flight_over(&channel->ring->ids[sender->at], id);
		/* The entry is another's, if this one was seen as closed. */
		if (csysi_cas_acq_rel(&channel->ring->ids[sender->at], &was, id))
			csysi_shared_sender_tell_place(sender, id);
		else
			r = take_entry(sender, id);
		if (r == 0)
			count_opened(channel->ring);
	}
	if (r < 0)
		return r;
	csysi_shared_quick_off(&sender->quick);
	csysi_shared_end_settle(&sender->end, id);
	return 0;
}

/* ---- one place ------------------------------------------------------------------------------ */

static int is_single(const csys_shared_channel *channel)
{
	return (channel->flags & CSYSI_SHARED_CHANNEL_SINGLE) != 0;
}

/* How a claim at one position went. */
enum { CLAIM_DONE, CLAIM_NEXT, CLAIM_FULL };

/*
 * Claim a spot, if its place is free.  A single sender takes it without a claim, unless it is to be
 * kept for long.
 */
static inline int claim_at(const csys_shared_sender *sender, int is_kept,
			   const struct csysi_shared_spot *spot)
{
	uint64_t claimed = csysi_spot_state(spot, sender->end.id, CSYSI_PLACE_CLAIMED);
	uint64_t state = spot->state;

	if (is_single(sender->end.channel)) {
		/* Seq_cst, here and below: see the invariants.  With FREE comes that the receiver
		 * has read what was there: the release of shared_receiver.c. */
		state = csysi_load_seq_cst(&spot->place->state);
		if (CSYSI_LIKELY(state == spot->state)) {
			/* Relaxed: nobody else changes it. */
			if (is_kept)
				csysi_store_relaxed(&spot->place->state, claimed);
			return CLAIM_DONE;
		}
	} else if (CSYSI_LIKELY(csysi_cas_seq_cst(&spot->place->state, &state, claimed))) {
		return CLAIM_DONE;
	}
	/* Of the lap before: not received yet. */
	return csysi_spot_laps(spot, state) < 0 ? CLAIM_FULL : CLAIM_NEXT;
}

/* Claim the first free place: 1, and its spot.  0: there is none. */
static int try_claim(const csys_shared_sender *sender, int is_kept, struct csysi_shared_spot *out)
{
	const csys_shared_channel *channel = sender->end.channel;
	const struct csysi_shared_ring *ring = channel->ring;
	/* Relaxed: only where to begin.  It may be late, or go back. */
	uint64_t position = csysi_load_relaxed(&ring->tail);

	/* Positions that are taken are passed one by one, since a free one that was left out would
	 * never be filled.  There are more of them than places only if bytes are not as they were
	 * left, or other senders are faster: then the caller looks again. */
	for (uint64_t passed = 0; passed <= 4 * channel->mask + 64; passed++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, position);
		int how = claim_at(sender, is_kept, &spot);
		if (how == CLAIM_DONE)
			*out = spot;
		if (how != CLAIM_NEXT)
			return how == CLAIM_DONE;
		position++;
		/* All before the head is used; relaxed, as above. */
		uint64_t head = csysi_load_relaxed(&ring->head);
		if ((int64_t)(head - position) > 0)
			position = head;
	}
	return 0;
}

/* The next claim begins behind it.  After the claim, or the commit where that is it: if this thread
 * is killed before, the next one only begins too early. */
static inline void move_tail(const csys_shared_channel *channel, uint64_t position)
{
	csysi_store_relaxed(&channel->ring->tail, position + 1); /* a hint */
}

/* Write a message into a place that is not committed. */
static inline void fill(struct csysi_shared_place *place, const void *data, size_t length)
{
	/* Relaxed: the commit orders it. */
	csysi_store_relaxed(&place->length, (uint32_t)length);
	csysi_shared_copy(place->data, data, length);
}

/* ---- waiting for room --------------------------------------------------------------------- */

/* Look for room awake, as long as that is worth it: 1 if there was. */
static int spin_for_room(const csys_shared_sender *sender, int is_kept, csys_deadline deadline,
			 struct csysi_shared_spot *out)
{
	struct csysi_shared_ring *ring = sender->end.channel->ring;
	int is_done = 0;

	for (struct csysi_channel_awake awake =
		     csysi_channel_awake_begin(&ring->senders_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, is_done);)
		is_done = try_claim(sender, is_kept, out);
	if (!is_done && csysi_channel_yield(&ring->senders_spin, &ring->head))
		is_done = try_claim(sender, is_kept, out);
	return is_done;
}

/* Sleep until there is room, and claim a place. */
static int sleep_for_room(csys_shared_sender *sender, int is_kept, csys_deadline deadline,
			  struct csysi_shared_spot *out)
{
	const csys_shared_channel *channel = sender->end.channel;
	struct csysi_shared_ring *ring = channel->ring;
	int is_over = csys_deadline_is_poll(deadline);

	for (;;) {
		/* Seq_cst: see the invariants. */
		if (!is_over)
			csysi_swap_seq_cst(&ring->senders_sleep, 1);
		else if (sender->handle)
			csysi_shared_sender_arm(sender);
		if (try_claim(sender, is_kept, out))
			return 0;
		if (csysi_shared_is_receiver_gone(channel))
			return CSYS_EDISCONNECTED;
		if (is_over)
			return CSYS_ETIMEDOUT;
		/* Relaxed: whose death to wait for, if it is one, and if that is told. */
		uint32_t id = channel->flags & CSYSI_SHARED_CHANNEL_LASTING
				      ? 0
				      : csysi_load_relaxed(&ring->receiver) & CSYSI_ID;
		csysi_shared_sleep(channel, &ring->senders_sleep, id, deadline);
		is_over = csys_deadline_left(deadline) <= 0;
	}
}

static int claim_slow(csys_shared_sender *sender, int is_kept, csys_deadline deadline,
		      struct csysi_shared_spot *out)
{
	if (!csys_deadline_is_poll(deadline) && spin_for_room(sender, is_kept, deadline, out))
		return 0;
	int r = sleep_for_room(sender, is_kept, deadline, out);
	if (r != CSYS_ETIMEDOUT && sender->handle)
		csysi_shared_handle_wake(sender->handle);
	return r;
}

/* What comes before each claim: the sender is this thread's, and it has a receiver. */
static int prepare(csys_shared_sender *sender, csys_deadline deadline)
{
	int r = csysi_shared_end_is_mine(&sender->end) ? 0
						       : csysi_shared_sender_turn(sender, deadline);

	if (r < 0)
		return r;
	return csysi_shared_is_receiver_seen(sender, sender->end.channel->ring) ||
			       look_for_receiver(sender)
		       ? 0
		       : CSYS_EDISCONNECTED;
}

int csysi_shared_sender_claim(csys_shared_sender *sender, int is_kept, csys_deadline deadline,
			      struct csysi_shared_spot *out)
{
	csysi_shared_quick_off(&sender->quick);
	int r = prepare(sender, deadline);

	if (r == 0 && !try_claim(sender, is_kept, out))
		r = claim_slow(sender, is_kept, deadline, out);
	if (r == 0 && (is_kept || !is_single(sender->end.channel)))
		move_tail(sender->end.channel, out->position);
	return r;
}

/* ---- sending ------------------------------------------------------------------------------ */

/* Make known to the receiver what a spot has been filled with: 0. */
static inline int commit(const csys_shared_sender *sender, const struct csysi_shared_spot *spot)
{
	const csys_shared_channel *channel = sender->end.channel;

	/* Seq_cst: see the invariants. */
	csysi_swap_seq_cst(&spot->place->state,
			   csysi_spot_state(spot, sender->end.id, CSYSI_PLACE_READY));
	if (is_single(channel))
		move_tail(channel, spot->position);
	return csysi_shared_wake_receiver(channel, sender->remote);
}

static int send_slow(csys_shared_sender *sender, const void *data, size_t length,
		     csys_deadline deadline)
{
	struct csysi_shared_spot spot;

	if (length > sender->end.channel->size)
		return CSYS_EMSGSIZE;
	int r = csysi_shared_sender_claim(sender, 0, deadline, &spot);
	if (r < 0)
		return r;
	fill(spot.place, data, length);
	return commit(sender, &spot);
}

/* The next message is short, it may be. */
static inline void be_quick(csys_shared_sender *sender, uint64_t position)
{
	const csys_shared_channel *channel = sender->end.channel;
	struct csysi_shared_spot spot = csysi_spot_of(channel, position);
	uint32_t kind = is_single(channel) ? CSYSI_PLACE_READY : CSYSI_PLACE_CLAIMED;

	csysi_shared_quick_on(&sender->quick, &sender->end, &spot);
	sender->quick.before = spot.state;
	sender->quick.after = csysi_spot_state(&spot, sender->end.id, kind);
	sender->quick.stop = csysi_shared_place_at(channel, channel->mask + 1);
}

/* Send a message where the tail is, if there is room. */
CSYSI_ALWAYS int send_at_tail(csys_shared_sender *sender, const void *data, size_t length,
			      csys_deadline deadline)
{
	const csys_shared_channel *channel = sender->end.channel;

	if (!CSYSI_LIKELY(!csysi_tsan_is_there() && length <= channel->size &&
			  csysi_shared_end_is_mine(&sender->end) &&
			  csysi_shared_is_receiver_seen(sender, channel->ring)))
		return send_slow(sender, data, length, deadline);
	/* Relaxed: as in try_claim. */
	struct csysi_shared_spot spot =
		csysi_spot_of(channel, csysi_load_relaxed(&channel->ring->tail));
	if (!CSYSI_LIKELY(claim_at(sender, 0, &spot) == CLAIM_DONE))
		return send_slow(sender, data, length, deadline);
	if (!is_single(channel))
		move_tail(channel, spot.position);
	fill(spot.place, data, length);
	be_quick(sender, spot.position + 1);
	return commit(sender, &spot);
}

static CSYSI_ATTRIBUTE((noinline)) int send_long(csys_shared_sender *sender, const void *data,
						 size_t length, csys_deadline deadline)
{
	return send_at_tail(sender, data, length, deadline);
}

/* A short one by no call of another function, so that no register has to be saved for it. */
int csysi_shared_sender_send_any(csys_shared_sender *sender, const void *data, size_t length,
				 csys_deadline deadline)
{
	if (length > CSYSI_SHARED_SHORT)
		return send_long(sender, data, length, deadline);
	return send_at_tail(sender, data, length, deadline);
}

/* Send what there is room for without waiting: how many. */
static size_t send_some(const csys_shared_sender *sender, const char *data, size_t length,
			size_t count)
{
	const csys_shared_channel *channel = sender->end.channel;
	size_t sent = 0;

	for (; sent < count; sent++) {
		struct csysi_shared_spot spot;
		if (!try_claim(sender, 0, &spot))
			break;
		fill(spot.place, data + sent * length, length);
		/* Release pairs with the seq_cst load of the receiver, which the caller wakes. */
		csysi_store_release(&spot.place->state,
				    csysi_spot_state(&spot, sender->end.id, CSYSI_PLACE_READY));
		move_tail(channel, spot.position);
	}
	return sent;
}

int csys_shared_sender_send_batch(csys_shared_sender *sender, const void *data, size_t length,
				  size_t count, csys_deadline deadline, size_t *out_sent)
{
	const csys_shared_channel *channel = sender->end.channel;
	const char *from = data;
	size_t sent = 0;

	csysi_shared_quick_off(&sender->quick);
	int r = length > channel->size ? CSYS_EMSGSIZE : prepare(sender, deadline);

	while (r == 0 && sent < count) {
		size_t some = send_some(sender, from + sent * length, length, count - sent);
		/* It begins with the full barrier between the commits and the look. */
		if (some > 0)
			(void)csysi_shared_wake_receiver_slow(channel, sender->remote);
		sent += some;
		if (sent == count)
			break;
		r = csysi_shared_sender_send_any(sender, from + sent * length, length, deadline);
		sent += r == 0;
	}
	*out_sent = sent;
	return r;
}

int csysi_shared_is_sendable(const csys_shared_sender *sender)
{
	const csys_shared_channel *channel = sender->end.channel;
	/* Relaxed, all: only a hint. */
	uint64_t position = csysi_load_relaxed(&channel->ring->tail);

	for (uint64_t passed = 0; passed <= channel->mask + 1; passed++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, position + passed);
		uint64_t state = csysi_load_relaxed(&spot.place->state);
		if (state == spot.state)
			return 1;
		if (csysi_spot_laps(&spot, state) < 0)
			break;
	}
	return csysi_shared_is_receiver_gone(channel);
}

/* ---- what it tells ------------------------------------------------------------------------ */

int csys_shared_sender_is_disconnected(const csys_shared_sender *sender)
{
	return csysi_shared_is_receiver_gone(sender->end.channel);
}
