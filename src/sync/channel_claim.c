/*
 * sync/channel_claim.c - several receivers of an unbounded channel.
 *
 * A receiver claims the message of index head by a compare-and-swap of head, as senders claim at
 * tail, and copies it after that, beside others.  It does not look at a stamp before: the block
 * might be in use for another lap by then, or freed.  Instead `published` says up to where messages
 * can be claimed:
 *
 *     head == published       a receiver in its turn (channel_turn.c) looks at the stamps from
 *                             there on, sets published behind the last message of this block that
 *                             is there, and moves on to the next block if this one is at its end
 *     head < published        any receiver claims; nothing else moves head
 *
 * Invariant: published is in the block of head, or the end of it, which is the index without a
 * slot; each message below it was published.  So what was claimed can be copied at once, and a
 * sender that is suspended between its claim and its stamp keeps no receiver waiting.
 *
 * Blocks.  A receiver that has copied a message says so in the stamp: with SPECIAL it is of no lap.
 * `oldest` is the first block of the list that may have messages that are being copied.  In a turn
 * blocks between it and head's go to the senders as soon as all their stamps say so.  A receiver
 * that is suspended holds back its block alone.  The slots below `claimed_from` were taken before
 * the side was shared, and say nothing.  No message is copied in a turn.
 *
 * The drop of what is queued (channel_drain.c) comes after the last receiver, alone.
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "sync/channel.h"

/* What receivers write into a stamp when they have copied the message. */
#define TAKEN CSYSI_CHANNEL_SPECIAL

/* Spin hints after a claim that failed: the first time, and at most. */
#define LEAST_HINTS 100
#define MOST_HINTS 800

int csysi_channel_is_claimed_from(struct csysi_channel *c)
{
	/* Acquire pairs with the release of csysi_channel_take_over. */
	return c->kind == CSYSI_CHANNEL_UNBOUNDED && csysi_load_acquire(&c->rx_is_shared);
}

static uint64_t lap_mask(const struct csysi_channel *c)
{
	return (UINT64_C(1) << c->layout.shift) - 1;
}

/* ---- in a turn --------------------------------------------------------------------------- */

/* Whether all messages of a block that head has left are copied. */
static int is_taken(struct csysi_channel *c, struct csysi_channel_block *block)
{
	uint64_t mask = lap_mask(c), from = csysi_load_relaxed(&c->claimed_from);
	uint64_t i = block->lap == from >> c->layout.shift ? from & mask : 0;

	for (; i < mask; i++)
		/* Acquire pairs with the release of copy_one. */
		if (!(csysi_load_acquire(csysi_channel_stamp(block, &c->layout, i)) & TAKEN))
			return 0;
	return 1;
}

/* Give the senders the blocks that receivers are done with. */
static void reclaim(struct csysi_channel *c)
{
	/* Relaxed, all: only threads in their turn change these links. */
	const struct csysi_channel_block *end = csysi_load_relaxed(&c->head_block);
	struct csysi_channel_block **link = &c->oldest, *block;

	while ((block = csysi_load_relaxed(link)) != end) {
		if (is_taken(c, block)) {
			csysi_store_relaxed(link, csysi_load_relaxed(&block->next));
			csysi_channel_push_spare(c, block);
		} else {
			link = &block->next;
		}
	}
}

/* All of head's block is claimed: go to the next one, and return head. */
static uint64_t leave_block(struct csysi_channel *c, uint64_t h)
{
	struct csysi_channel_block *block = csysi_load_relaxed(&c->head_block);

	/* Acquire pairs with the release of csysi_channel_link; that was before the stamp of the
	 * last slot.  Relaxed: before the release of head. */
	csysi_store_relaxed(&c->head_block, csysi_load_acquire(&block->next));
	/* Release pairs with the acquires of head: a thread that sees it sees the block. */
	csysi_store_release(&c->head, h + 1);
	reclaim(c);
	return h + 1;
}

/* How many messages from index h on are published in this block. */
static uint64_t count_published(struct csysi_channel *c, struct csysi_channel_block *block,
				uint64_t h)
{
	uint64_t mask = lap_mask(c), i = h & mask, n = 0;
	uint32_t lap = csysi_channel_lap(h, c->layout.shift), stamp = 0;

	for (; i + n < mask; n++) {
		/* Acquire pairs with the release of csysi_channel_write. */
		uint32_t next = csysi_load_acquire(csysi_channel_stamp(block, &c->layout, i + n));
		if (!csysi_channel_has_lap(next, lap))
			break;
		stamp = next;
	}
	if (n > 0)
		csysi_store_relaxed(&c->rx_spin.cpu, stamp & CSYSI_CHANNEL_CPU);
	return n;
}

/* 1: there are messages that can be claimed, or were. */
static int publish_more(struct csysi_channel *c)
{
	/* Acquire pairs with the claims: the block was read by those that have claimed. */
	uint64_t h = csysi_load_acquire(&c->head);

	/* Relaxed, here and below: only threads in their turn change these. */
	if (csysi_load_relaxed(&c->oldest)) {
		if (h != csysi_load_relaxed(&c->published))
			return 1;
		if ((h & lap_mask(c)) == lap_mask(c))
			h = leave_block(c, h);
	}
	struct csysi_channel_block *block = csysi_load_acquire(&c->head_block);
	uint64_t n = count_published(c, block, h);
	if (!csysi_load_relaxed(&c->oldest)) {
		if (n == 0)
			return 0;
		csysi_store_relaxed(&c->claimed_from, h);
		csysi_store_relaxed(&c->oldest, block);
	}
	/* Release pairs with the acquire of claim_some: the messages are there. */
	csysi_store_release(&c->published, h + n);
	return n > 0;
}

/* ---- claiming ---------------------------------------------------------------------------- */

/* Another receiver was quicker: let it take some messages, whose lines are in its cache then. */
static void back_off(int *hints)
{
	for (int i = 0; i < *hints; i++)
		csys_spin_hint();
	if (*hints < MOST_HINTS)
		*hints *= 2;
}

/* How many messages are this thread's now, up to `most`, from *out_h on, in *out_block. */
static uint64_t claim_some(struct csysi_channel *c, uint64_t most, uint64_t *out_h,
			   struct csysi_channel_block **out_block)
{
	/* Acquire pairs with the release of leave_block. */
	uint64_t h = csysi_load_acquire(&c->head);
	int hints = LEAST_HINTS;

	for (;;) {
		/* Acquire pairs with the release of publish_more. */
		uint64_t end = csysi_load_acquire(&c->published);
		if (h >= end)
			return 0;
		uint64_t n = end - h < most ? end - h : most;
		/* Relaxed: right if the claim succeeds, since h was not changed then.  Release, of
		 * the claim: head's block is changed after this look; pairs with publish_more. */
		*out_block = csysi_load_relaxed(&c->head_block);
		*out_h = h;
		if (csysi_cas_acq_rel(&c->head, &h, h + n))
			return n;
		back_off(&hints);
		h = csysi_load_acquire(&c->head);
	}
}

CSYSI_ALWAYS void copy_one(struct csysi_channel_block *block, uint64_t i, void *out,
			   const struct csysi_channel_layout *l)
{
	csysi_channel_copy(out, csysi_channel_slot(block, l, i), l->size);
	/* Release pairs with the acquire of is_taken: the slot may be written. */
	csysi_store_release(csysi_channel_stamp(block, l, i), TAKEN);
}

static int publish_in_turn(struct csysi_channel *c)
{
	struct csysi_channel_seat *seat = csysi_channel_begin_turn(c);
	int is_some = publish_more(c);

	csysi_channel_end_turn(c, seat);
	return is_some;
}

size_t csysi_channel_claim_batch(struct csysi_channel *c, char *out, size_t most)
{
	const struct csysi_channel_layout *l = &c->layout;
	struct csysi_channel_block *block;
	uint64_t h, n;

	while ((n = claim_some(c, most, &h, &block)) == 0)
		if (!publish_in_turn(c))
			return 0;
	for (uint64_t k = 0; k < n; k++)
		copy_one(block, (h + k) & lap_mask(c), out + k * l->size, l);
	return (size_t)n;
}

int csysi_channel_claim_one(struct csysi_channel *c, void *out)
{
	struct csysi_channel_block *block;
	uint64_t h;

	while (!claim_some(c, 1, &h, &block))
		if (!publish_in_turn(c))
			return CSYS_EAGAIN;
	if (c->layout.is_pointer) {
		struct csysi_channel_layout pointer = CSYSI_CHANNEL_LAYOUT(void *);
		copy_one(block, h & ((UINT64_C(1) << pointer.shift) - 1), out, &pointer);
	} else {
		copy_one(block, h & lap_mask(c), out, &c->layout);
	}
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------- */

void csysi_channel_end_claims(struct csysi_channel *c)
{
	/* Relaxed, all: no receiver is left, and this thread alone destroys what is queued. */
	uint64_t h = csysi_load_relaxed(&c->head);

	if (!csysi_load_relaxed(&c->oldest))
		return;
	if ((h & lap_mask(c)) == lap_mask(c))
		(void)leave_block(c, h);
	else
		reclaim(c);
	csysi_store_relaxed(&c->oldest, NULL);
}
