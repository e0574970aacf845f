/*
 * sync/channel.c - making channels, and their ends.
 *
 * The two types of ends are one object: what a sender or a receiver points to is the channel.  So a
 * clone is a count, and needs no memory.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "os/os.h"
#include "sync/channel.h"

#define MOST_ENDS 0x7fffffffu
#define GREATEST_SIZE (PTRDIFF_MAX / 16) /* nor is there memory for a block of such messages */
#define GREATEST_CAPACITY (UINT64_C(1) << 30)

/* How often the process was forked, seen from here. */
static uint32_t process;

static void note_fork(void)
{
	process++;
}

/* ---- making ------------------------------------------------------------------------------ */

/* A ring of so many bytes stands behind its channel, in one allocation. */
#define TOGETHER 4096

struct plan {
	size_t alignment;
	size_t stamps_at, slots_at, bytes; /* of the ring */
	unsigned shift;                    /* of 2^shift slots */
};

static int plan_ring(struct plan *plan, const struct csysi_channel_layout *l, size_t capacity)
{
	size_t slots = 1, bytes, stamps = 0;

	if (l->alignment > plan->alignment)
		plan->alignment = l->alignment;
	while (slots < capacity) {
		slots *= 2;
		plan->shift++;
	}
	/* The stamps stand in front of large messages, whose alignment they must not break. */
	if (!l->is_small)
		stamps = csysi_channel_up(slots * sizeof(uint32_t), plan->alignment);
	if (__builtin_mul_overflow(slots, l->slot, &bytes) ||
	    __builtin_add_overflow(bytes, stamps, &plan->bytes))
		return CSYS_ENOMEM;
	plan->slots_at = stamps;
	plan->stamps_at = l->is_small ? l->stamps_at - l->slots_at : 0;
	return 0;
}

/* A ring of its own allocation, with stamps that are 0. */
static char *make_ring(const struct plan *plan, const struct csysi_channel_layout *l,
		       void **out_memory)
{
	char *ring =
		csysi_channel_alloc(plan->bytes, plan->alignment, (int)l->is_small, out_memory);

	/* Large messages take no memory of the system before they are sent. */
	if (ring && !l->is_small)
		memset(ring, 0, plan->slots_at);
	return ring;
}

/* Allocate it; NULL if there is no memory. */
static struct csysi_channel *make(const struct csysi_channel_layout *l, uint32_t kind,
				  size_t capacity)
{
	struct plan plan = { CSYSI_CHANNEL_LINE, 0, 0, 0, 0 };
	void *memory;

	if (kind == CSYSI_CHANNEL_BOUNDED && plan_ring(&plan, l, capacity) < 0)
		return NULL;
	int is_apart = plan.bytes > TOGETHER;
	size_t at = csysi_channel_up(sizeof(struct csysi_channel), plan.alignment);
	struct csysi_channel *c =
		csysi_channel_alloc(is_apart ? at : at + plan.bytes, plan.alignment, 1, &memory);
	if (!c)
		return NULL;
	char *ring = (char *)c + at;
	if (is_apart)
		ring = make_ring(&plan, l, &c->ring_memory);
	if (!ring) {
		csysi_free(memory);
		return NULL;
	}
	c->memory = memory;
	c->layout = *l;
	c->kind = kind;
	c->capacity = capacity;
	c->shift = plan.shift;
	c->mask = (uint32_t)((UINT64_C(1) << plan.shift) - 1);
	c->slots = ring + plan.slots_at;
	c->stamps = ring + plan.stamps_at;
	return c;
}

static void free_channel(struct csysi_channel *c)
{
	if (c->kind == CSYSI_CHANNEL_UNBOUNDED)
		csysi_channel_blocks_free(c);
	csysi_channel_handle_free(c->rx_handle);
	csysi_channel_handle_free(c->tx_handle);
	csysi_channel_handle_free(c->rx_watch);
	csysi_channel_handle_free(c->tx_watch);
	csysi_free(c->ring_memory);
	csysi_free(c->memory);
}

static void set_options(struct csysi_channel *c, const csys_channel_options *options)
{
	c->is_patient = 1;
	if (!options)
		return;
	c->drop = options->drop;
	c->drop_argument = options->drop_argument;
	c->has_many_receivers = options->many_receivers != 0;
	c->is_patient = !options->latency_first;
}

static int prepare(void)
{
	static uint32_t is_prepared;

	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (csysi_load_relaxed(&is_prepared))
		return 0;
	int r = csysi_os_at_fork(note_fork);
	if (r == 0)
		csysi_store_relaxed(&is_prepared, 1);
	return r;
}

int csysi_channel_make(uint32_t kind, size_t size, size_t alignment, size_t capacity,
		       struct csysi_channel **out)
{
	const struct csysi_channel_layout layout = csysi_channel_layout_of(size, alignment);
	int r = prepare();

	if (r < 0)
		return r;
	struct csysi_channel *c = make(&layout, kind, capacity);
	if (!c)
		return CSYS_ENOMEM;
	c->process = process;
	c->cpu_at = csysi_channel_find_cpu();
	c->senders = c->receivers = 1;
	c->references = 2;
	csysi_channel_owner_init(&c->tx_owner);
	csysi_channel_owner_init(&c->rx_owner);
	*out = c;
	return 0;
}

int csysi_channel_new(size_t size, size_t alignment, size_t capacity,
		      const csys_channel_options *options, csys_sender **out_sender,
		      csys_receiver **out_receiver)
{
	uint32_t kind = capacity == CSYS_UNBOUNDED ? CSYSI_CHANNEL_UNBOUNDED
			: capacity > 0             ? CSYSI_CHANNEL_BOUNDED
						   : CSYSI_CHANNEL_RENDEZVOUS;
	struct csysi_channel *c;

	if (capacity != CSYS_UNBOUNDED && capacity > GREATEST_CAPACITY)
		return CSYS_EINVAL;
	if (size > GREATEST_SIZE || alignment > GREATEST_SIZE)
		return CSYS_ENOMEM;
	int r = csysi_channel_make(kind, size, alignment, capacity, &c);
	if (r < 0)
		return r;
	set_options(c, options);
	if (kind == CSYSI_CHANNEL_UNBOUNDED)
		csysi_channel_blocks_init(c);
	*out_sender = (csys_sender *)(void *)c;
	*out_receiver = (csys_receiver *)(void *)c;
	return 0;
}

/* The greatest power of two that a size is a multiple of, up to that of max_align_t. */
static size_t natural_alignment(size_t size)
{
	size_t power = size & (0 - size);

	return power == 0 || power > _Alignof(max_align_t) ? _Alignof(max_align_t) : power;
}

int csysi_channel_alignment(size_t size, const csys_channel_options *options, size_t *out)
{
	size_t alignment = options ? options->alignment : 0;

	if (alignment == 0)
		alignment = natural_alignment(size);
	*out = alignment;
	return alignment & (alignment - 1) ? CSYS_EINVAL : 0;
}

int csys_channel_new(size_t size, size_t capacity, const csys_channel_options *options,
		     csys_sender **out_sender, csys_receiver **out_receiver)
{
	size_t alignment;
	int r = csysi_channel_alignment(size, options, &alignment);

	return r < 0 ? r
		     : csysi_channel_new(size, alignment, capacity, options, out_sender,
					 out_receiver);
}

/* ---- ends -------------------------------------------------------------------------------- */

static int is_of_parent(const struct csysi_channel *c)
{
	return c->process != process;
}

static void add_end(uint32_t *count)
{
	/* Relaxed: the caller has an end, so the channel stays. */
	if (csysi_add_relaxed(count, 1) > MOST_ENDS)
		csysi_os_abort("a channel with too many ends");
}

static void release(struct csysi_channel *c)
{
	/* Acquire and release: the last one frees what all others have used. */
	if (csysi_sub_acq_rel(&c->references, 1) == 0)
		free_channel(c);
}

csys_sender *csys_sender_clone(csys_sender *sender)
{
	add_end(&csysi_channel_of_sender(sender)->senders);
	return sender;
}

void csys_sender_close(csys_sender *sender)
{
	struct csysi_channel *c = csysi_channel_of_sender(sender);

	if (!c || is_of_parent(c))
		return;
	/* Sequentially consistent, with the look behind it, as (1) and (3) of channel_fence.c.  The
	 * release pairs with the acquire of a receiver that reads 0: all was sent before. */
	if (csysi_sub_seq_cst(&c->senders, 1) > 0)
		return;
	if (csysi_load_relaxed(&c->set_aside) >= CSYSI_CHANNEL_OPEN)
		csysi_os_abort("the last sender of a channel is closed while a place is reserved");
	if (c->kind == CSYSI_CHANNEL_RENDEZVOUS)
		csysi_channel_rendezvous_disconnect(c);
	else if (csysi_load_seq_cst(&c->rx_flags) & CSYSI_CHANNEL_SOME)
		csysi_channel_wake_all(c, csysi_channel_receivers(c));
	release(c);
}

csys_receiver *csys_receiver_clone(csys_receiver *receiver)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);

	if (!c->has_many_receivers)
		csysi_os_abort("a second receiver of a channel that was made for one");
	add_end(&c->receivers);
	return receiver;
}

static void disconnect_senders(struct csysi_channel *c)
{
	/* Sequentially consistent: as (a) of channel_fence.c. */
	(void)csysi_fetch_or_seq_cst(&c->rx_flags, CSYSI_CHANNEL_CLOSED);
	csysi_channel_fence_sleeper(&c->tx_fence);
	csysi_channel_wake_all(c, csysi_channel_senders(c));
	csysi_channel_destroy_queued(c);
	csysi_channel_await_drain(c);
}

/* Whether there is no end but this receiver.  Then no other thread has to do with the channel: no
 * sender is left, nor a weak one, and they do not come back. */
static int is_all_that_is_left(const struct csysi_channel *c)
{
	/* Acquire, both: pairs with the releases of those that have closed the others. */
	return csysi_load_acquire(&c->receivers) == 1 && csysi_load_acquire(&c->references) == 1;
}

void csys_receiver_close(csys_receiver *receiver)
{
	struct csysi_channel *c = csysi_channel_of_receiver(receiver);

	if (!c || is_of_parent(c))
		return;
	if (is_all_that_is_left(c)) {
		/* Relaxed, both: no other thread changes them. */
		if (csysi_load_relaxed(&c->tail) != csysi_load_relaxed(&c->head))
			csysi_channel_destroy_queued(c);
		free_channel(c);
		return;
	}
	/* Acquire and release: the last one has seen what all others did. */
	if (csysi_sub_acq_rel(&c->receivers, 1) > 0)
		return;
	if (c->kind == CSYSI_CHANNEL_RENDEZVOUS)
		csysi_channel_rendezvous_disconnect(c);
	else if (c->kind != CSYSI_CHANNEL_TIMER)
		disconnect_senders(c);
	release(c);
}

csys_weak_sender *csys_sender_downgrade(csys_sender *sender)
{
	add_end(&csysi_channel_of_sender(sender)->references);
	return (csys_weak_sender *)(void *)sender;
}

csys_sender *csys_weak_sender_upgrade(csys_weak_sender *weak)
{
	struct csysi_channel *c = (struct csysi_channel *)(void *)weak;
	/* Relaxed: a compare-and-swap decides, and orders nothing, as in csys_sender_clone. */
	uint32_t senders = csysi_load_relaxed(&c->senders);

	do {
		if (senders == 0)
			return NULL;
		if (senders >= MOST_ENDS)
			csysi_os_abort("a channel with too many ends");
	} while (!csysi_cas_relaxed(&c->senders, &senders, senders + 1));
	return (csys_sender *)(void *)c;
}

void csys_weak_sender_close(csys_weak_sender *weak)
{
	struct csysi_channel *c = (struct csysi_channel *)(void *)weak;

	if (c && !is_of_parent(c))
		release(c);
}

/* ---- asking ------------------------------------------------------------------------------ */

static const struct csysi_channel *of_sender(const csys_sender *sender)
{
	return (const struct csysi_channel *)(const void *)sender;
}

static const struct csysi_channel *of_receiver(const csys_receiver *receiver)
{
	return (const struct csysi_channel *)(const void *)receiver;
}

size_t csys_sender_len(const csys_sender *sender)
{
	return (size_t)csysi_channel_count(of_sender(sender));
}

size_t csys_receiver_len(const csys_receiver *receiver)
{
	return (size_t)csysi_channel_count(of_receiver(receiver));
}

size_t csys_sender_capacity(const csys_sender *sender)
{
	return (size_t)of_sender(sender)->capacity;
}

size_t csys_receiver_capacity(const csys_receiver *receiver)
{
	return (size_t)of_receiver(receiver)->capacity;
}

int csys_sender_is_disconnected(const csys_sender *sender)
{
	/* Relaxed: it tells of a moment that is over, and orders nothing. */
	return csysi_load_relaxed(&of_sender(sender)->receivers) == 0;
}

int csys_receiver_is_disconnected(const csys_receiver *receiver)
{
	/* Acquire pairs with the release of csys_sender_close: all that was sent is there. */
	return csysi_load_acquire(&of_receiver(receiver)->senders) == 0;
}
