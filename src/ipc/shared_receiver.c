/*
 * ipc/shared_receiver.c - receiving through shared memory: shared_channel.h.
 */
#include "ipc/shared_channel.h"

#include "base/memory.h"
#include "ipc/shared_quick.h"

/* ---- opening and closing ------------------------------------------------------------------ */

/* Become the receiver: 0 or CSYS_EBUSY. */
static int take_role(const csys_shared_channel *channel, uint32_t id)
{
	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(&channel->ring->receiver);

	if (word != id)
		csysi_shared_flight_over(&channel->ring->receiver, id);
	do {
		if (word != 0 && !(word & CSYSI_RECEIVER_GONE) &&
		    csysi_region_is_alive(channel->region, word))
			return CSYS_EBUSY;
		/* Acquire: it goes on where the last one has stopped. */
	} while (!csysi_cas_acq_rel(&channel->ring->receiver, &word, id));
	return 0;
}

/* What an earlier receiver has looked at, if it is not released. */
static uint64_t what_was_peeked(const csys_shared_channel *channel)
{
	/* Relaxed: the role orders it. */
	return csysi_load_relaxed(&channel->ring->peeked);
}

void csysi_shared_receiver_release(csys_shared_receiver *receiver)
{
	csysi_shared_end_finish(&receiver->end);
	csysi_shared_handle_close(receiver->handle);
	csysi_free(receiver);
}

int csys_shared_receiver_open(csys_shared_channel *channel, csys_shared_receiver **out)
{
	if (!channel || !out)
		return CSYS_EINVAL;
	csys_shared_receiver *receiver = csysi_alloc_zero(sizeof *receiver);
	int r = receiver ? csysi_shared_end_begin(channel, &receiver->end) : CSYS_ENOMEM;
	if (r < 0) {
		csysi_free(receiver);
		return r;
	}
	r = take_role(channel, receiver->end.id);
	if (r < 0) {
		csysi_shared_receiver_release(receiver);
		return r;
	}
	csysi_shared_quick_begin(&receiver->quick, channel);
	receiver->told = what_was_peeked(channel);
	*out = receiver;
	return 0;
}

void csys_shared_receiver_close(csys_shared_receiver *receiver)
{
	if (!receiver)
		return;
	const csys_shared_channel *channel = receiver->end.channel;
	if (receiver->end.generation == csysi_os_generation()) {
		uint32_t id = receiver->end.id;
		/* Seq_cst pairs with csysi_shared_is_receiver_gone. */
		if (csysi_cas_seq_cst(&channel->ring->receiver, &id, CSYSI_RECEIVER_GONE))
			(void)csysi_shared_wake_senders(channel);
	}
	csysi_shared_receiver_release(receiver);
}

int csysi_shared_receiver_turn(csys_shared_receiver *receiver, csys_deadline deadline)
{
	const csys_shared_channel *channel = receiver->end.channel;
	uint32_t was = receiver->end.id;
	uint32_t id;
	int r = csysi_shared_end_turn(&receiver->end, deadline, &id);
	if (r < 0)
		return r;

	if (was != id) {
		int is_successor = !csysi_region_is_alive(channel->region, was);
		csysi_shared_flight_over(&channel->ring->receiver, id);
		/* Acquire, as in take_role. */
		if (!csysi_cas_acq_rel(&channel->ring->receiver, &was, id))
			return CSYS_EOWNERDEAD;
		if (is_successor) {
			receiver->is_peeking = 0;
			receiver->told = what_was_peeked(channel);
		}
	}
	csysi_shared_quick_off(&receiver->quick);
	csysi_shared_end_settle(&receiver->end, id);
	return 0;
}

/* ---- one message -------------------------------------------------------------------------- */

/* Go on behind a position. */
static inline void pass(const csys_shared_channel *channel, uint64_t position)
{
	/* Relaxed: only the receiver writes it, and the role orders it for the next one. */
	csysi_store_relaxed(&channel->ring->head, position + 1);
}

/* The state of the place of a spot once that is received: free, for the next lap. */
static inline uint64_t state_after(const struct csysi_shared_spot *spot)
{
	return spot->state + CSYSI_LAP;
}

/* Whether a state tells of a message. */
static inline int is_ready(const struct csysi_shared_spot *spot, uint64_t state)
{
	return csysi_place_without_id(state) == csysi_spot_state(spot, 0, CSYSI_PLACE_READY);
}

/* The spot that is received next.  Relaxed: only the receiver writes it. */
static inline struct csysi_shared_spot first_spot(const csys_shared_channel *channel)
{
	return csysi_spot_of(channel, csysi_load_relaxed(&channel->ring->head));
}

/*
 * Get at the message that is received next: 1, and its spot.  0: there is none; *out_claimer is the
 * member that has claimed its place, or 0.
 */
static int look(const csys_shared_channel *channel, struct csysi_shared_spot *out,
		uint32_t *out_claimer)
{
	*out_claimer = 0;
	/* Each place is passed once at most, since what is behind it was sent after it. */
	for (uint64_t passed = 0; passed <= channel->mask + 1; passed++) {
		struct csysi_shared_spot spot = first_spot(channel);
		/* Seq_cst: see the invariants.  With READY comes what is there. */
		uint64_t state = csysi_load_seq_cst(&spot.place->state);
		int32_t laps = csysi_spot_laps(&spot, state);

		if (is_ready(&spot, state)) {
			*out = spot;
			return 1;
		}
		if (laps == 1) {
			/* An earlier receiver was killed between the release and this. */
			pass(channel, spot.position);
			continue;
		}
		if (laps != 0 || csysi_place_kind(state) == CSYSI_PLACE_FREE)
			break;
		if (csysi_place_kind(state) == CSYSI_PLACE_CLAIMED &&
		    csysi_region_is_alive(channel->region, csysi_place_claimer(state))) {
			*out_claimer = csysi_place_claimer(state);
			break;
		}
		/* Dropped, or of a member that is dead; which may have committed it before that.
		 * Seq_cst: see the invariants. */
		if (csysi_cas_seq_cst(&spot.place->state, &state, state_after(&spot)))
			pass(channel, spot.position);
	}
	/* What was passed over above is free. */
	(void)csysi_shared_wake_senders(channel);
	return 0;
}

/* The message of a spot is received: 0. */
static inline int release(const csys_shared_channel *channel, const struct csysi_shared_spot *spot)
{
	/* Seq_cst: see the invariants. */
	csysi_swap_seq_cst(&spot->place->state, state_after(spot));
	pass(channel, spot->position);
	return CSYSI_LIKELY(((spot->position + 1) & channel->wake_mask) != 0)
		       ? 0
		       : csysi_shared_wake_senders(channel);
}

int csysi_shared_receiver_note(csys_shared_receiver *receiver, uint64_t position)
{
	if (CSYSI_LIKELY(receiver->told != position + 1))
		return 0;
	receiver->told = 0; /* it is told once */
	return CSYS_REDELIVERED;
}

void csysi_shared_receiver_free(csys_shared_receiver *receiver,
				const struct csysi_shared_spot *spot)
{
	receiver->is_peeking = 0;
	(void)release(receiver->end.channel, spot);
}

/* ---- waiting for messages ----------------------------------------------------------------- */

/* Look for a message awake, as long as that is worth it: 1 if there was one. */
static int spin_for_message(const csys_shared_channel *channel, csys_deadline deadline,
			    struct csysi_shared_spot *out)
{
	struct csysi_shared_ring *ring = channel->ring;
	uint32_t claimer;
	int is_there = 0;

	for (struct csysi_channel_awake awake =
		     csysi_channel_awake_begin(&ring->receiver_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, is_there);)
		is_there = look(channel, out, &claimer);
	if (!is_there && csysi_channel_yield(&ring->receiver_spin, &ring->tail))
		is_there = look(channel, out, &claimer);
	return is_there;
}

/* Sleep until there is a message. */
static int await_slow(csys_shared_receiver *receiver, csys_deadline deadline,
		      struct csysi_shared_spot *out)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_ring *ring = channel->ring;
	int is_over = csys_deadline_is_poll(deadline);
	uint32_t claimer, sender;
	int r = 0;

	if (!is_over && spin_for_message(channel, deadline, out))
		return 0;
	for (;;) {
		/* Seq_cst: see the invariants. */
		if (!is_over)
			csysi_swap_seq_cst(&ring->receiver_sleeps, 1);
		else if (receiver->handle)
			csysi_shared_receiver_arm(receiver);
		if (look(channel, out, &claimer))
			break;
		if (csysi_shared_are_senders_gone(channel, &sender) && claimer == 0) {
			/* They may have sent something before they went, or another thread may be
			 * about to, with an end of one of them. */
			if (look(channel, out, &claimer))
				break;
			if (claimer == 0) {
				r = CSYS_EDISCONNECTED;
				break;
			}
		}
		if (is_over) {
			if (receiver->handle)
				csysi_shared_receiver_expect(receiver, sender);
			r = CSYS_ETIMEDOUT;
			break;
		}
		csysi_shared_sleep(channel, &ring->receiver_sleeps, claimer ? claimer : sender,
				   deadline);
		is_over = csys_deadline_left(deadline) <= 0;
	}
	if (receiver->handle && r == CSYS_ETIMEDOUT)
		return r; /* it is armed */
	/* Relaxed: at worst a sender wakes nobody. */
	csysi_store_relaxed(&ring->receiver_sleeps, 0);
	if (receiver->handle)
		csysi_shared_handle_wake(receiver->handle);
	return r;
}

int csysi_shared_receiver_await(csys_shared_receiver *receiver, csys_deadline deadline,
				struct csysi_shared_spot *out)
{
	const csys_shared_channel *channel = receiver->end.channel;

	csysi_shared_quick_off(&receiver->quick);
	if (!csysi_shared_end_is_mine(&receiver->end)) {
		int r = csysi_shared_receiver_turn(receiver, deadline);
		if (r < 0)
			return r;
	}
	uint32_t claimer;
	return look(channel, out, &claimer) ? 0 : await_slow(receiver, deadline, out);
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* How long the messages may be that a call takes. */
struct lengths {
	size_t least; /* shorter ones are no messages of the caller: CSYS_EBADMSG */
	size_t most;  /* longer ones stay: CSYS_EMSGSIZE */
};

/* Copy a message, if its length is right. */
static inline int copy(const csys_shared_channel *channel, const struct csysi_shared_place *place,
		       void *out_data, const struct lengths *lengths, size_t *out_length)
{
	size_t length = csysi_shared_length(channel, place);

	if (length > lengths->most)
		return CSYS_EMSGSIZE;
	if (length < lengths->least)
		return CSYS_EBADMSG;
	csysi_shared_copy(out_data, place->data, length);
	*out_length = length;
	return 0;
}

/* The message is received, or no message of the caller. */
static int finish(csys_shared_receiver *receiver, const struct csysi_shared_spot *spot)
{
	int r = csysi_shared_receiver_note(receiver, spot->position);

	csysi_shared_receiver_free(receiver, spot);
	return r;
}

static int recv_slow(csys_shared_receiver *receiver, csys_deadline deadline, void *out_data,
		     const struct lengths *lengths, size_t *out_length)
{
	struct csysi_shared_spot spot;
	int r = csysi_shared_receiver_await(receiver, deadline, &spot);
	if (r < 0)
		return r;

	r = copy(receiver->end.channel, spot.place, out_data, lengths, out_length);
	if (r == 0)
		return finish(receiver, &spot);
	if (r == CSYS_EBADMSG)
		(void)finish(receiver, &spot);
	return r;
}

/* The next message is short, it may be, and from the same sender; unless it has to be told of. */
static inline void be_quick(csys_shared_receiver *receiver, uint64_t position, uint32_t id)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_spot spot = csysi_spot_of(channel, position);

	receiver->is_peeking = 0;
	if (!CSYSI_LIKELY(receiver->told <= position))
		return;
	csysi_shared_quick_on(&receiver->quick, &receiver->end, &spot);
	receiver->quick.before = csysi_spot_state(&spot, id, CSYSI_PLACE_READY);
	receiver->quick.after = state_after(&spot);
	/* Where the senders are woken: see release. */
	receiver->quick.stop = csysi_shared_place_at(
		channel, ((position & channel->mask) | channel->wake_mask) + 1);
}

int csysi_shared_receiver_recv_any(csys_shared_receiver *receiver, void *out_data, size_t most,
				   size_t *out_length, size_t least, csys_deadline deadline)
{
	const csys_shared_channel *channel = receiver->end.channel;
	const struct lengths lengths = { least, most };
	size_t length;

	if (!out_length)
		out_length = &length;
	if (!CSYSI_LIKELY(!csysi_tsan_is_there() && csysi_shared_end_is_mine(&receiver->end)))
		return recv_slow(receiver, deadline, out_data, &lengths, out_length);
	struct csysi_shared_spot spot = first_spot(channel);
	/* Seq_cst: as in look. */
	uint64_t state = csysi_load_seq_cst(&spot.place->state);
	if (!CSYSI_LIKELY(is_ready(&spot, state) && receiver->told != spot.position + 1))
		return recv_slow(receiver, deadline, out_data, &lengths, out_length);
	/* Relaxed: the commit has ordered it. */
	size_t is = csysi_load_relaxed(&spot.place->length);
	if (!CSYSI_LIKELY(is <= channel->size && is >= least && is <= most))
		return recv_slow(receiver, deadline, out_data, &lengths, out_length);
	csysi_shared_copy(out_data, spot.place->data, is);
	*out_length = is;
	be_quick(receiver, spot.position + 1, csysi_place_claimer(state));
	return release(channel, &spot);
}

/* The position behind those messages that are there, the first for sure, at most so many. */
static uint64_t end_of_batch(const csys_shared_channel *channel, uint64_t begin, size_t most)
{
	uint64_t end = begin + 1;

	while (end - begin < most && end - begin <= channel->mask) {
		/* Acquire pairs with the commits. */
		struct csysi_shared_spot spot = csysi_spot_of(channel, end);
		if (!is_ready(&spot, csysi_load_acquire(&spot.place->state)))
			break;
		end++;
	}
	return end;
}

/* Free the places from one position to another.  The last one by a full barrier: see the
 * invariants. */
static void release_batch(const csys_shared_channel *channel, uint64_t begin, uint64_t end)
{
	/* In order, so that a receiver that goes on for a dead one passes over them. */
	for (uint64_t position = begin; position < end; position++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, position);
		csysi_swap_seq_cst(&spot.place->state, state_after(&spot));
	}
	pass(channel, end - 1);
	(void)csysi_shared_wake_senders(channel);
}

static int recv_batch(csys_shared_receiver *receiver, void *out_data, const struct lengths *lengths,
		      size_t most, csys_deadline deadline, size_t *out_lengths, size_t *out_count)
{
	const csys_shared_channel *channel = receiver->end.channel;
	char *to = out_data;
	struct csysi_shared_spot first;
	size_t length;
	size_t count = 0;

	if (most == 0) {
		*out_count = 0;
		return 0;
	}
	int r = csysi_shared_receiver_await(receiver, deadline, &first);
	if (r < 0)
		return r;
	/* All are copied before the first is released: if this thread is killed until then, the
	 * next receiver gets them all. */
	uint64_t begin = first.position;
	uint64_t end = end_of_batch(channel, begin, most);
	while (begin + count < end) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, begin + count);
		r = copy(channel, spot.place, to, lengths, &length);
		if (r < 0)
			break;
		if (out_lengths)
			out_lengths[count] = length;
		to += lengths->most;
		count++;
	}
	if (count == 0) {
		if (r == CSYS_EBADMSG)
			(void)finish(receiver, &first);
		return r;
	}
	r = csysi_shared_receiver_note(receiver, begin);
	receiver->is_peeking = 0;
	release_batch(channel, begin, begin + count);
	*out_count = count;
	return r;
}

int csys_shared_receiver_recv_batch(csys_shared_receiver *receiver, void *out_data, size_t room,
				    size_t most, csys_deadline deadline, size_t *out_lengths,
				    size_t *out_count)
{
	const struct lengths lengths = { 0, room };

	return recv_batch(receiver, out_data, &lengths, most, deadline, out_lengths, out_count);
}

int csysi_shared_receiver_recv_batch_exactly(csys_shared_receiver *receiver, void *out_data,
					     size_t size, size_t most, csys_deadline deadline,
					     size_t *out_count)
{
	const struct lengths lengths = { size, size };

	return recv_batch(receiver, out_data, &lengths, most, deadline, NULL, out_count);
}

int csys_shared_receiver_drain(csys_shared_receiver *receiver, size_t *out_count)
{
	const csys_shared_channel *channel = receiver->end.channel;
	size_t left = csys_shared_channel_len(channel);
	size_t count = 0;
	struct csysi_shared_spot spot;
	int r = csysi_shared_end_is_mine(&receiver->end)
			? 0
			: csysi_shared_receiver_turn(receiver, CSYS_FOREVER);

	while (r == 0 && left > 0) {
		r = csysi_shared_receiver_await(receiver, CSYS_POLL, &spot);
		if (r < 0)
			break;
		(void)finish(receiver, &spot);
		left--;
		count++;
	}
	if (r < 0 && r != CSYS_ETIMEDOUT && r != CSYS_EDISCONNECTED)
		return r;
	if (out_count)
		*out_count = count;
	return 0;
}

int csysi_shared_is_receivable(const csys_shared_receiver *receiver)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_spot spot = first_spot(channel);
	/* Acquire pairs with the commits, though what follows looks again. */
	uint64_t state = csysi_load_acquire(&spot.place->state);
	int32_t laps = csysi_spot_laps(&spot, state);
	uint32_t sender;

	if (laps > 0 || (laps == 0 && (csysi_place_kind(state) == CSYSI_PLACE_READY ||
				       csysi_place_kind(state) == CSYSI_PLACE_DROPPED)))
		return 1;
	if (laps == 0 && csysi_place_kind(state) == CSYSI_PLACE_CLAIMED)
		return !csysi_region_is_alive(channel->region, csysi_place_claimer(state));
	return csysi_shared_are_senders_gone(channel, &sender);
}

/* ---- what it tells ------------------------------------------------------------------------ */

int csys_shared_receiver_is_disconnected(const csys_shared_receiver *receiver)
{
	uint32_t sender;

	return csysi_shared_are_senders_gone(receiver->end.channel, &sender);
}
