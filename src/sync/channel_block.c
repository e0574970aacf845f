/*
 * sync/channel_block.c - the slots of an unbounded channel: a list of blocks.
 *
 * A block has 2^k - 1 slots.  Index t is slot t mod 2^k of its block; the last number of each lap
 * has no slot and means: the next block is being linked.
 *
 * The sender that claims the last slot of a block links the next one, before it writes its message.
 * Meanwhile tail stays at the index without a slot, for which all other senders wait.  So if there
 * is no memory, it sets tail back, and nothing has happened.  Only one thread links at a time.
 *
 * The first block is made by the first sender, when it becomes the owner of its side or shares it,
 * under the channel's lock.  Until then the receiver's block is one whose first stamp lies in the
 * channel, and is 0 for ever: so it finds nothing, and needs no case of its own.
 *
 * The receiver leaves a block behind when it has taken the last slot: the next one was linked
 * before that slot was stamped.  It keeps up to SPARES blocks for the senders, in a stack: the
 * receiver pushes by compare-and-swap, and the one thread that links pops; so a block that was read
 * cannot come back in between (no ABA).
 *
 * Stamps have the lap in 15 bits.  A block that is used again has the stamps of its last lap, which
 * differ from those of this one as long as fewer than 2^15 laps lie between.  If more do, or the
 * new block's zeros would be the awaited lap, they are written anew.
 */
#include <csys/base/result.h>

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "sync/channel.h"
#include "sync/spin.h"

#define SPARES 8
#define FAR 0x4000u /* laps */
#define BLOCK_ALIGNMENT 64

void *csysi_channel_alloc(size_t size, size_t alignment, int is_zero, void **out_memory)
{
	/* An allocator of the program may know less of alignment than malloc does. */
	if (size > SIZE_MAX - alignment)
		return NULL;
	void *memory = csysi_alloc(size + alignment - 1);
	if (!memory)
		return NULL;
	*out_memory = memory;
	char *aligned = (char *)memory + ((0 - (uintptr_t)memory) & (alignment - 1));
	return is_zero ? memset(aligned, 0, size) : aligned;
}

static uint64_t slots_of(const struct csysi_channel_layout *l)
{
	return (UINT64_C(1) << l->shift) - 1;
}

static struct csysi_channel_block *make_block(const struct csysi_channel_layout *l)
{
	size_t alignment = l->alignment > BLOCK_ALIGNMENT ? l->alignment : BLOCK_ALIGNMENT;
	size_t size = (size_t)slots_of(l);
	struct csysi_channel_block *block;
	void *memory;

	if (__builtin_mul_overflow(size, l->slot, &size) ||
	    __builtin_add_overflow(size, l->slots_at, &size))
		return NULL;
	block = csysi_channel_alloc(size, alignment, (int)l->is_small, &memory);
	if (!block)
		return NULL;
	if (!l->is_small)
		memset(block, 0, l->slots_at);
	block->memory = memory;
	block->lap = 0;
	return block;
}

static void free_block(struct csysi_channel_block *block)
{
	csysi_free(block->memory);
}

/* ---- spare blocks -------------------------------------------------------------------------- */

void csysi_channel_push_spare(struct csysi_channel *c, struct csysi_channel_block *block)
{
	/* Relaxed, both: a number that is late costs memory or time, and nothing else. */
	if (csysi_load_relaxed(&c->spares) >= SPARES) {
		free_block(block);
		return;
	}
	(void)csysi_add_relaxed(&c->spares, 1);
	struct csysi_channel_block *first = csysi_load_relaxed(&c->spare);
	do
		csysi_store_relaxed(&block->next, first);
	/* Release pairs with the acquire of pop_spare: the receiver is done with the block. */
	while (!csysi_cas_release(&c->spare, &first, block));
}

/* By the thread that links. */
static struct csysi_channel_block *pop_spare(struct csysi_channel *c)
{
	/* Acquire pairs with the release of csysi_channel_push_spare. */
	struct csysi_channel_block *first = csysi_load_acquire(&c->spare);

	/* It stays the first, or others come before it. */
	while (first) {
		struct csysi_channel_block *next = csysi_load_relaxed(&first->next);
		if (csysi_cas_acquire(&c->spare, &first, next)) {
			csysi_sub_relaxed(&c->spares, 1);
			return first;
		}
		/* Acquire, again: a failed compare-and-swap has no order, and `next` must not be
		 * that of the last use of the block which is the first now. */
		first = csysi_load_acquire(&c->spare);
	}
	return NULL;
}

/* A block for this lap; NULL if there is no memory. */
static struct csysi_channel_block *get_block(struct csysi_channel *c, uint64_t lap)
{
	const struct csysi_channel_layout *l = &c->layout;
	struct csysi_channel_block *block = pop_spare(c);
	uint32_t awaited = csysi_channel_lap(lap << l->shift, l->shift);

	int is_fresh = !block;
	if (is_fresh)
		block = make_block(l);
	if (!block)
		return NULL;
	if (is_fresh ? awaited == 0 : lap - block->lap >= FAR)
		for (uint64_t i = 0; i < slots_of(l); i++)
			/* Relaxed: published with the block. */
			csysi_store_relaxed(csysi_channel_stamp(block, l, i),
					    (awaited ^ 1) << CSYSI_CHANNEL_LAP);
	block->lap = lap;
	csysi_store_relaxed(&block->next, NULL);
	return block;
}

/* ---- linking ----------------------------------------------------------------------------- */

/* The last slot of the block, index t, is claimed by this thread alone: link the next block. */
int csysi_channel_link(struct csysi_channel *c, struct csysi_channel_block *block, uint64_t t)
{
	struct csysi_channel_block *next = get_block(c, (t >> c->layout.shift) + 1);

	if (!next) {
		/* Release, as below: undone; all others wait for this.  An owner has not moved
		 * it. */
		csysi_store_release(&c->tail, t);
		return 0;
	}
	/* Relaxed: before the release of tail. */
	csysi_store_relaxed(&c->tail_block, next);
	/* Release pairs with the acquire of csysi_channel_next_block. */
	csysi_store_release(&block->next, next);
	/* Release pairs with the acquires of tail: a thread that sees it sees the block. */
	csysi_store_release(&c->tail, t + 2);
	return 1;
}

uint64_t csysi_channel_await_link(struct csysi_channel *c)
{
	uint64_t mask = (UINT64_C(1) << c->layout.shift) - 1;
	uint64_t t;

	/* Acquire pairs with the releases of csysi_channel_link. */
	for (int tries = 0; ((t = csysi_load_acquire(&c->tail)) & mask) == mask; tries++)
		csysi_spin_let_on(tries);
	return t;
}

void csysi_channel_next_block(struct csysi_channel *c)
{
	/* Relaxed: only receivers change these. */
	struct csysi_channel_block *block = csysi_load_relaxed(&c->head_block);

	/* Acquire pairs with the release of csysi_channel_link; that was before the stamp of the
	 * last slot. */
	csysi_store_relaxed(&c->head_block, csysi_load_acquire(&block->next));
	csysi_store_relaxed(&c->head, csysi_load_relaxed(&c->head) + 2);
	csysi_channel_push_spare(c, block);
}

/* ---- all of them ------------------------------------------------------------------------- */

void csysi_channel_blocks_init(struct csysi_channel *c)
{
	/* As a number: there is no such block. */
	uintptr_t at = (uintptr_t)&c->no_stamp - c->layout.stamps_at;

	c->head_block = (struct csysi_channel_block *)at;
}

int csysi_channel_first_block(struct csysi_channel *c)
{
	/* Relaxed: the lock orders it. */
	if (c->kind != CSYSI_CHANNEL_UNBOUNDED || csysi_load_relaxed(&c->tail_block))
		return 0;
	struct csysi_channel_block *block = get_block(c, 0);
	if (!block)
		return CSYS_ENOMEM;
	/* Relaxed: senders come here, or acquire that a side has an owner, or is shared. */
	csysi_store_relaxed(&c->tail_block, block);
	/* Release pairs with the acquire of csysi_channel_take_list: its stamps are 0. */
	csysi_store_release(&c->head_block, block);
	return 0;
}

static void free_all(struct csysi_channel_block *first)
{
	for (struct csysi_channel_block *block = first; block;) {
		struct csysi_channel_block *next = block->next;
		free_block(block);
		block = next;
	}
}

void csysi_channel_blocks_free(struct csysi_channel *c)
{
	free_all(c->spare);
	if (c->tail_block)
		free_all(c->oldest ? c->oldest : c->head_block);
}
