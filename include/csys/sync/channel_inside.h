/**
 * \file
 * csys/sync/channel_inside.h - the fast paths of channels, which are compiled into programs.
 *
 * Nothing here is for users: include csys/sync/channel.h.  The words, and why no message and no
 * wake is lost: src/sync/channel.h.
 */
#ifndef CSYS_SYNC_CHANNEL_INSIDE_H
#define CSYS_SYNC_CHANNEL_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#if defined(CSYS_CHECKED)
#include <csys/sync/ledger.h>
#endif

CSYS_BEGIN_DECLS

struct csys_channel_options;
struct csys_sender;
struct csys_receiver;

/* With the sizes of a message as constants only these functions are fast. */
#define CSYSI_ALWAYS static inline CSYSI_ATTRIBUTE((always_inline))

/* In the library, a sanitizer of the program is told what these functions order: base/tsan.h. */
#if !defined(CSYSI_CHANNEL_RELEASED)
#define CSYSI_CHANNEL_RELEASED(address) ((void)0)
#define CSYSI_CHANNEL_ACQUIRED(address) ((void)0)
#endif

/* ---- what a channel is ---------------------------------------------------------------------- */

/* Bytes of two cache lines: CPUs fetch lines in pairs. */
#define CSYSI_CHANNEL_LINE 128

enum {
	CSYSI_CHANNEL_UNBOUNDED,  /* blocks in a list */
	CSYSI_CHANNEL_BOUNDED,    /* a ring */
	CSYSI_CHANNEL_RENDEZVOUS, /* nothing: src/sync/channel_rendezvous.c */
	CSYSI_CHANNEL_TIMER       /* nothing, nor a sender: src/sync/channel_timer.c */
};

/* In rx_flags and tx_flags. */
#define CSYSI_CHANNEL_SOME 1u    /* a thread waits, and no wake for it is under way */
#define CSYSI_CHANNEL_CLOSED 2u  /* rx_flags: the receiver is gone */
#define CSYSI_CHANNEL_WATCHED 4u /* rx_flags: the senders have a handle */

/* In tx_fence.mode and rx_fence.mode. */
#define CSYSI_CHANNEL_FENCED 0u
#define CSYSI_CHANNEL_UNFENCED 1u
#define CSYSI_CHANNEL_TURNING 2u

/*
 * A stamp: the lap of the slot's index in 15 bits, then SPECIAL, then the number of the CPU of the
 * thread that wrote the slot, plus 1, in 16 bits; 0: unknown.  With SPECIAL it is no message that
 * the fast paths can take, and the 16 bits tell what: src/sync/channel_in_place.c.
 */
#define CSYSI_CHANNEL_LAP 17
#define CSYSI_CHANNEL_LAPS 0x7fffu
#define CSYSI_CHANNEL_SPECIAL 0x10000u
#define CSYSI_CHANNEL_CPU 0xffffu

/* Where the parts of a message's slot are, in bytes. */
struct csysi_channel_layout {
	size_t size;       /* of a message */
	size_t alignment;  /* of a message */
	size_t slot;       /* from one message to the next */
	size_t stamp;      /* from one stamp to the next */
	size_t stamps_at;  /* in a block: the first stamp, ... */
	size_t slots_at;   /* ... the first message, ... */
	unsigned shift;    /* ... of 2^shift - 1 */
	unsigned is_small; /* the stamp stands beside the message */
	int is_pointer;    /* it is as that of pointers */
};

/* The blocks of an unbounded channel.  Stamps and messages follow. */
struct csysi_channel_block {
	struct csysi_channel_block *next;
	void *memory; /* what was allocated for it */
	uint64_t lap; /* for which its stamps were last used */
};

/* A side of a channel that may be used without fences: src/sync/channel_fence.c. */
struct csysi_channel_fence {
	uint32_t mode;
	uint32_t count; /* operations with fences; the fast side's own */
};

/* Which thread may use a side without read-modify-write: src/sync/channel_owner.c. */
#define CSYSI_CHANNEL_SEATS 4
struct csysi_channel_seat {
	const void *thread; /* its csysi_channel_me; NULL: it is not the owner any more */
	uint32_t is_busy;   /* that thread is in the midst of an operation */
	uint32_t cpu;       /* where it was when it became the owner, as a stamp has it */
};
struct csysi_channel_owner {
	struct csysi_channel_seat *seat; /* of the owner */
	struct csysi_channel_seat seats[CSYSI_CHANNEL_SEATS];
};

/* How the waits of a side went: src/sync/channel_spin.c.  Hints, all. */
struct csysi_channel_spin {
	uint32_t cpu; /* of the other side's last operation, plus 1 */
	uint32_t missed;
	uint32_t ban, ban_length; /* of yielding, in waits */
};

struct csysi_channel_list {
	struct csysi_channel_entry *first, *last;
};

/* A channel whose messages are points of the clock. */
struct csysi_channel_timer {
	CSYSI_ATTRIBUTE((aligned(8)))
	int64_t due;    /* of the next message; INT64_MAX: none comes */
	int64_t period; /* from one to the next; 0: there is one only */
	int64_t set;    /* under lock: when the handle is ready */
};

#define CSYSI_CHANNEL_ALIGNED CSYSI_ATTRIBUTE((aligned(CSYSI_CHANNEL_LINE)))

struct csysi_channel {
	/* Read by all, hardly written. */
	uint32_t kind;
	uint32_t mask, shift; /* of the ring: of 2^shift slots */
	uint32_t has_many_receivers;
	uint64_t capacity;
	char *slots, *stamps; /* the ring's */
	uint32_t rx_flags, tx_flags;
	uint32_t tx_is_shared, rx_is_shared; /* several threads: it has no owner any more */
	struct csysi_channel_layout layout;
	void (*drop)(void *value, void *argument);
	void *drop_argument;
	void *memory, *ring_memory; /* what was allocated */
	uint32_t process;           /* in which it was made: src/sync/channel.c */
	uint32_t is_patient;        /* holds back for streams */
	ptrdiff_t cpu_at; /* the number of the CPU, from csysi_channel_me; 0: none is kept */
	struct csysi_channel_handle *rx_handle, *tx_handle; /* NULL: not asked for */
	struct csysi_channel_handle *rx_watch, *tx_watch;   /* NULL: not asked for */
	struct csysi_channel_timer timer;
	uint32_t senders, receivers, references;

	/* Of the senders. */
	CSYSI_CHANNEL_ALIGNED uint64_t tail;
	struct csysi_channel_block *tail_block;
	uint64_t head_seen;
	struct csysi_channel_owner tx_owner;
	struct csysi_channel_fence tx_fence;
	struct csysi_channel_spin tx_spin;

	/* Of the receiver. */
	CSYSI_CHANNEL_ALIGNED uint64_t head;
	struct csysi_channel_block *head_block; /* the senders make the first one */
	struct csysi_channel_owner rx_owner;
	struct csysi_channel_fence rx_fence;
	struct csysi_channel_spin rx_spin;
	uint64_t burst_from;
	uint32_t gap, gap_held;

	/* Of the slow paths. */
	CSYSI_CHANNEL_ALIGNED uint32_t lock;
	uint32_t turn;            /* a lock: of several receivers one receives */
	uint32_t is_waking;       /* under lock: a sender was let go on, and passes that on */
	uint32_t is_disconnected; /* under lock: of a rendezvous channel */
	uint32_t is_draining, drains_again; /* under lock */
	uint64_t set_aside;  /* places without a message, and how many of them are reserved */
	const void *peeking; /* the thread that has peeked; only receivers change it */
	struct csysi_channel_list waiting_receivers, waiting_senders; /* under lock */
	struct csysi_channel_block *spare; /* blocks from the receiver to the senders */
	uint32_t spares;
	uint32_t no_stamp; /* 0: src/sync/channel_block.c */
	/* Of several receivers of a list: src/sync/channel_claim.c.  Of a rendezvous: how many
	 * have met, in `published`. */
	uint64_t published, claimed_from;
	struct csysi_channel_block *oldest; /* NULL: not yet */
};

/* ---- the calling thread -------------------------------------------------------------------- */

/* As csysi_channel_me, where compilers cannot be told. */
CSYS_API const void *csysi_channel_this_thread(void);

/* An address that no other thread has, as long as this one runs: that of its control block, which
 * is in a register. */
CSYSI_ALWAYS const void *csysi_channel_me(void)
{
#if CSYSI_IS_ELF && defined(__x86_64__) && defined(__LP64__)
	const void *me;
	__asm__("mov %%fs:0, %0" : "=r"(me));
	return me;
#elif CSYSI_IS_ELF && defined(__aarch64__)
	const void *me;
	__asm__("mrs %0, tpidr_el0" : "=r"(me));
	return me;
#else
	return csysi_channel_this_thread();
#endif
}

/* The CPU of this thread, where the system keeps no number: that of its first send. */
CSYS_API uint32_t csysi_channel_ask_cpu(void);

/* The CPU of this thread as a stamp has it. */
CSYSI_ALWAYS uint32_t csysi_channel_kept_cpu(const struct csysi_channel *c)
{
	const void *at = CSYSI_CAST(const char *, csysi_channel_me()) + c->cpu_at;
	const uint32_t *cpu = CSYSI_CAST(const uint32_t *, at);

	return (__atomic_load_n(cpu, __ATOMIC_RELAXED) + 1) & CSYSI_CHANNEL_CPU;
}

CSYSI_ALWAYS uint32_t csysi_channel_cpu(const struct csysi_channel *c)
{
	return CSYSI_LIKELY(c->cpu_at != 0) ? csysi_channel_kept_cpu(c) : csysi_channel_ask_cpu();
}

/* Of the owner of a side. */
CSYSI_ALWAYS uint32_t csysi_channel_cpu_at(const struct csysi_channel *c,
					   const struct csysi_channel_seat *seat)
{
	/* Relaxed: written before the seat was. */
	return CSYSI_LIKELY(c->cpu_at != 0) ? csysi_channel_kept_cpu(c)
					    : __atomic_load_n(&seat->cpu, __ATOMIC_RELAXED);
}

/* ---- the owner of a side ----------------------------------------------------------------- */

/* The seat of this thread if it is the owner, which it stays until it leaves; else NULL. */
CSYSI_ALWAYS struct csysi_channel_seat *csysi_channel_enter(struct csysi_channel_owner *owner)
{
	const void *me = csysi_channel_me();
	/* Acquire pairs with the release of csysi_channel_take_over. */
	struct csysi_channel_seat *seat = __atomic_load_n(&owner->seat, __ATOMIC_ACQUIRE);

	if (seat == CSYSI_NULL)
		__builtin_unreachable(); /* so the caller's look at the result costs nothing */
	if (__atomic_load_n(&seat->thread, __ATOMIC_RELAXED) != me)
		return CSYSI_NULL;
	/* Relaxed, and no fence: the thread that takes over makes one here (csysi_os_barrier). */
	__atomic_store_n(&seat->is_busy, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (CSYSI_LIKELY(__atomic_load_n(&seat->thread, __ATOMIC_RELAXED) == me)) {
		CSYSI_CHANNEL_ACQUIRED(&owner->seat);
		return seat;
	}
	__atomic_store_n(&seat->is_busy, 0, __ATOMIC_RELEASE);
	return CSYSI_NULL;
}

CSYSI_ALWAYS void csysi_channel_leave(struct csysi_channel_seat *seat)
{
	CSYSI_CHANNEL_RELEASED(&seat->is_busy);
	/* Release pairs with the acquire of the thread that takes over. */
	__atomic_store_n(&seat->is_busy, 0, __ATOMIC_RELEASE);
}

/* ---- layout ------------------------------------------------------------------------------ */

#if defined(__cplusplus)
#define CSYSI_UINT32(x) (static_cast<uint32_t>(x))
#define CSYSI_INT64(x) (static_cast<int64_t>(x))
#define CSYSI_ALIGNMENT(type) (alignof(type))
#else
#define CSYSI_UINT32(x) ((uint32_t)(x))
#define CSYSI_INT64(x) ((int64_t)(x))
#define CSYSI_ALIGNMENT(type) (__alignof__(type))
#endif

#define CSYSI_CHANNEL_LAYOUT(type) csysi_channel_layout_of(sizeof(type), CSYSI_ALIGNMENT(type))

/* The least multiple of `unit`, a power of two, that is not below n. */
CSYSI_ALWAYS size_t csysi_channel_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* Of messages of so many bytes, at addresses that are multiples of `alignment`. */
CSYSI_ALWAYS struct csysi_channel_layout csysi_channel_layout_of(size_t size, size_t alignment)
{
	struct csysi_channel_layout l = { 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	size_t unit = alignment < sizeof(uint32_t) ? sizeof(uint32_t) : alignment;

	l.size = size;
	l.alignment = alignment;
	l.is_small = size <= 16;
	l.is_pointer = size == sizeof(void *) && unit == CSYSI_ALIGNMENT(void *);
	l.shift = size <= 16 ? 8 : size <= 512 ? 6 : size <= 4096 ? 4 : 2;
	size_t header = csysi_channel_up(sizeof(struct csysi_channel_block), 64);
	if (l.is_small) {
		size_t behind = csysi_channel_up(size, sizeof(uint32_t));
		l.slot = csysi_channel_up(behind + sizeof(uint32_t), unit);
		l.stamp = l.slot;
		l.slots_at = csysi_channel_up(header, unit);
		l.stamps_at = l.slots_at + behind;
	} else {
		l.slot = csysi_channel_up(size, unit);
		l.stamp = sizeof(uint32_t);
		l.stamps_at = header;
		l.slots_at = header + (sizeof(uint32_t) << l.shift);
		l.slots_at = csysi_channel_up(csysi_channel_up(l.slots_at, 64), unit);
	}
	return l;
}

CSYSI_ALWAYS char *csysi_channel_slot(struct csysi_channel_block *block,
				      const struct csysi_channel_layout *l, uint64_t i)
{
	return CSYSI_CAST(char *, block) + l->slots_at + i * l->slot;
}

CSYSI_ALWAYS uint32_t *csysi_channel_stamp(struct csysi_channel_block *block,
					   const struct csysi_channel_layout *l, uint64_t i)
{
	void *at = CSYSI_CAST(char *, block) + l->stamps_at + i * l->stamp;

	return CSYSI_CAST(uint32_t *, at);
}

CSYSI_ALWAYS uint32_t *csysi_channel_ring_stamp(const struct csysi_channel *c,
						const struct csysi_channel_layout *l, uint64_t i)
{
	void *at = c->stamps + i * l->stamp;

	return CSYSI_CAST(uint32_t *, at);
}

/* The lap of an index as a stamp has it: never that of the lap before, or 0 at first. */
CSYSI_ALWAYS uint32_t csysi_channel_lap(uint64_t index, unsigned shift)
{
	return CSYSI_UINT32((index >> shift) + 1) & CSYSI_CHANNEL_LAPS;
}

CSYSI_ALWAYS int csysi_channel_has_lap(uint32_t stamp, uint32_t lap)
{
	return stamp >> 16 == lap << (CSYSI_CHANNEL_LAP - 16);
}

CSYSI_ALWAYS void csysi_channel_copy(void *to, const void *from, size_t size)
{
	if (size > 0) /* the value may be NULL then */
		__builtin_memcpy(to, from, size);
}

/* What was claimed by this thread: write it, and publish it. */
CSYSI_ALWAYS void csysi_channel_write(char *slot, uint32_t *stamp, uint32_t lap, uint32_t cpu,
				      const void *value, const struct csysi_channel_layout *l)
{
	csysi_channel_copy(slot, value, l->size);
	CSYSI_CHANNEL_RELEASED(stamp);
	/* Release pairs with the acquire of the receiver that looks at the stamp. */
	__atomic_store_n(stamp, lap << CSYSI_CHANNEL_LAP | cpu, __ATOMIC_RELEASE);
}

/* Get the line of a slot some messages ahead, to be written. */
CSYSI_ALWAYS void csysi_channel_prefetch(const char *slot, const struct csysi_channel_layout *l)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(slot[l->is_small ? 128 : 384]));
#else
	__builtin_prefetch(slot + (l->is_small ? 128 : 384), 1);
#endif
}

/* ---- what the fast paths leave to src/sync ----------------------------------------------- */

/* What they return beside results: a side is used by several threads; this thread is not the owner,
 * or the channel is of another kind. */
#define CSYSI_CHANNEL_SHARED 1
#define CSYSI_CHANNEL_OTHER 2

CSYS_API int csysi_channel_new(size_t size, size_t alignment, size_t capacity,
			       const struct csys_channel_options *options,
			       struct csys_sender **out_sender,
			       struct csys_receiver **out_receiver);
CSYS_API int csysi_channel_try_send_slow(struct csysi_channel *c, const void *value, int r);
CSYS_API int csysi_channel_send_slow(struct csysi_channel *c, const void *value, int r,
				     csys_deadline deadline);
CSYS_API int csysi_channel_try_recv_slow(struct csysi_channel *c, void *out);
CSYS_API int csysi_channel_recv_slow(struct csysi_channel *c, void *out, csys_deadline deadline);
CSYS_API void csysi_channel_fence_slow(struct csysi_channel_fence *fence);
CSYS_API int csysi_channel_link(struct csysi_channel *c, struct csysi_channel_block *block,
				uint64_t t);
CSYS_API uint64_t csysi_channel_await_link(struct csysi_channel *c);
CSYS_API void csysi_channel_next_block(struct csysi_channel *c);
CSYS_API void csysi_channel_sent(struct csysi_channel *c, uint32_t flags);
CSYS_API void csysi_channel_received(struct csysi_channel *c);

CSYSI_ALWAYS struct csysi_channel *csysi_channel_of_sender(struct csys_sender *sender)
{
	return CSYSI_CAST(struct csysi_channel *, sender);
}

CSYSI_ALWAYS struct csysi_channel *csysi_channel_of_receiver(struct csys_receiver *receiver)
{
	return CSYSI_CAST(struct csysi_channel *, receiver);
}

/* ---- a checked build ----------------------------------------------------------------------- */

/* What a checked build hears: which threads are in a receive.  Those of one receiver take turns,
 * but it is for one thread at a time. */
CSYSI_ALWAYS void csysi_channel_begin_recv(const struct csysi_channel *c)
{
#if defined(CSYS_CHECKED)
	if (!c->has_many_receivers)
		csysi_checked_receives(c);
#else
	(void)c;
#endif
}

CSYSI_ALWAYS void csysi_channel_end_recv(const struct csysi_channel *c)
{
#if defined(CSYS_CHECKED)
	if (!c->has_many_receivers)
		csysi_checked_received(c);
#else
	(void)c;
#endif
}

/* ---- after an operation ------------------------------------------------------------------ */

/* Between what the owner of a side did and its look at the flags of the other one. */
CSYSI_ALWAYS void csysi_channel_order(struct csysi_channel_fence *fence)
{
	/* Acquire: before the look at the flags; pairs with the change to UNFENCED. */
	if (CSYSI_LIKELY(__atomic_load_n(&fence->mode, __ATOMIC_ACQUIRE) == CSYSI_CHANNEL_UNFENCED))
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	else
		csysi_channel_fence_slow(fence);
}

/* A message was published, and a fence came after its claim or after it. */
CSYSI_ALWAYS int csysi_channel_tell_receiver(struct csysi_channel *c)
{
	/* Sequentially consistent, with the fence before it: src/sync/channel_fence.c. */
	uint32_t flags = __atomic_load_n(&c->rx_flags, __ATOMIC_SEQ_CST);

	if (!CSYSI_LIKELY(flags == 0))
		csysi_channel_sent(c, flags);
	return 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

CSYSI_ALWAYS int csysi_channel_send_alone_list(struct csysi_channel *c,
					       struct csysi_channel_seat *seat, const void *value,
					       const struct csysi_channel_layout *l)
{
	/* Relaxed, all: only the owner changes them; what earlier owners did is seen. */
	uint64_t t = __atomic_load_n(&c->tail, __ATOMIC_RELAXED);
	uint64_t last = (UINT64_C(1) << l->shift) - 2;
	uint64_t i = t & (last + 1);
	struct csysi_channel_block *block = __atomic_load_n(&c->tail_block, __ATOMIC_RELAXED);

	if (CSYSI_LIKELY(i != last)) {
		__atomic_store_n(&c->tail, t + 1, __ATOMIC_RELAXED);
	} else if (!csysi_channel_link(c, block, t)) {
		csysi_channel_leave(seat);
		return CSYS_ENOMEM;
	}
	csysi_channel_leave(seat);
	csysi_channel_write(csysi_channel_slot(block, l, i), csysi_channel_stamp(block, l, i),
			    csysi_channel_lap(t, l->shift), csysi_channel_cpu_at(c, seat), value,
			    l);
	csysi_channel_order(&c->tx_fence);
	return csysi_channel_tell_receiver(c);
}

/* Whether index t is too far ahead of the receiver.  `seen`: of it, at an earlier time. */
CSYSI_ALWAYS int csysi_channel_is_beyond(const struct csysi_channel *c, uint64_t t, uint64_t seen)
{
	/* As a difference with a sign: a t that is old may be behind. */
	return CSYSI_INT64(t - seen) >= CSYSI_INT64(c->capacity);
}

/* Whether there is no room for index t. */
CSYSI_ALWAYS int csysi_channel_is_full(struct csysi_channel *c, uint64_t t)
{
	/* Acquire pairs with the release of the sender that has seen it. */
	uint64_t seen = __atomic_load_n(&c->head_seen, __ATOMIC_ACQUIRE);

	CSYSI_CHANNEL_ACQUIRED(&c->head_seen);
	if (CSYSI_LIKELY(!csysi_channel_is_beyond(c, t, seen)))
		return 0;
	/* Acquire pairs with the release of the receiver, which is done with the slot. */
	seen = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE);
	CSYSI_CHANNEL_ACQUIRED(&c->head);
	if (csysi_channel_is_beyond(c, t, seen))
		return 1;
	CSYSI_CHANNEL_RELEASED(&c->head_seen);
	__atomic_store_n(&c->head_seen, seen, __ATOMIC_RELEASE);
	return 0;
}

CSYSI_ALWAYS void csysi_channel_write_ring(struct csysi_channel *c, uint64_t t, uint32_t cpu,
					   const void *value, const struct csysi_channel_layout *l)
{
	uint64_t i = t & c->mask;

	csysi_channel_write(c->slots + i * l->slot, csysi_channel_ring_stamp(c, l, i),
			    csysi_channel_lap(t, c->shift), cpu, value, l);
}

CSYSI_ALWAYS int csysi_channel_send_alone_ring(struct csysi_channel *c,
					       struct csysi_channel_seat *seat, const void *value,
					       const struct csysi_channel_layout *l)
{
	/* Relaxed: as above. */
	uint64_t t = __atomic_load_n(&c->tail, __ATOMIC_RELAXED);

	if (!CSYSI_LIKELY(!csysi_channel_is_full(c, t))) {
		csysi_channel_leave(seat);
		return CSYS_EAGAIN;
	}
	__atomic_store_n(&c->tail, t + 1, __ATOMIC_RELAXED);
	csysi_channel_leave(seat);
	csysi_channel_write_ring(c, t, csysi_channel_cpu_at(c, seat), value, l);
	csysi_channel_order(&c->tx_fence);
	return csysi_channel_tell_receiver(c);
}

CSYSI_ALWAYS int csysi_channel_is_closed(const struct csysi_channel *c)
{
	/* Relaxed: one that is closed a moment later is found by csysi_channel_tell_receiver. */
	return (__atomic_load_n(&c->rx_flags, __ATOMIC_RELAXED) & CSYSI_CHANNEL_CLOSED) != 0;
}

/* Send it, if this thread is the owner of the senders' side. */
CSYSI_ALWAYS int csysi_channel_send_alone(struct csysi_channel *c, const void *value,
					  const struct csysi_channel_layout *l)
{
	/* Acquire pairs with the release of csysi_channel_take_over. */
	if (__atomic_load_n(&c->tx_is_shared, __ATOMIC_ACQUIRE))
		return CSYSI_CHANNEL_SHARED;
	if (!CSYSI_LIKELY(!csysi_channel_is_closed(c)))
		return CSYSI_CHANNEL_OTHER;
	struct csysi_channel_seat *seat = csysi_channel_enter(&c->tx_owner);
	if (!CSYSI_LIKELY(seat != CSYSI_NULL))
		return CSYSI_CHANNEL_OTHER;
	return c->kind == CSYSI_CHANNEL_UNBOUNDED
		       ? csysi_channel_send_alone_list(c, seat, value, l)
		       : csysi_channel_send_alone_ring(c, seat, value, l);
}

/* Another sender was quicker: let it have some turns, and look again. */
CSYSI_ALWAYS uint64_t csysi_channel_look_again(struct csysi_channel *c)
{
	for (int i = 0; i < 24; i++)
		csys_spin_hint();
	/* Acquire pairs with the release of csysi_channel_link. */
	return __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE);
}

/* 1: index *t is claimed.  Sequentially consistent: the fence before the look at the flags. */
CSYSI_ALWAYS int csysi_channel_claim(struct csysi_channel *c, uint64_t *t)
{
	int is_claimed = __atomic_compare_exchange_n(&c->tail, t, *t + 1, 0, __ATOMIC_SEQ_CST,
						     __ATOMIC_ACQUIRE);

	if (is_claimed)
		CSYSI_CHANNEL_ACQUIRED(&c->tail);
	return is_claimed;
}

CSYSI_ALWAYS int csysi_channel_send_shared_list(struct csysi_channel *c, const void *value,
						const struct csysi_channel_layout *l)
{
	/* Acquire pairs with the release of csysi_channel_link: the block is the one of t. */
	uint64_t t = __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE);
	uint64_t last = (UINT64_C(1) << l->shift) - 2, i;
	struct csysi_channel_block *block;

	for (;;) {
		i = t & (last + 1);
		if (!CSYSI_LIKELY(i <= last)) {
			t = csysi_channel_await_link(c);
			continue;
		}
		/* Relaxed: right if the claim succeeds, since t was not changed then. */
		block = __atomic_load_n(&c->tail_block, __ATOMIC_RELAXED);
		if (CSYSI_LIKELY(csysi_channel_claim(c, &t)))
			break;
		t = csysi_channel_look_again(c);
	}
	if (i == last && !csysi_channel_link(c, block, t))
		return CSYS_ENOMEM;
	char *slot = csysi_channel_slot(block, l, i);
	csysi_channel_prefetch(slot, l);
	csysi_channel_write(slot, csysi_channel_stamp(block, l, i), csysi_channel_lap(t, l->shift),
			    csysi_channel_cpu(c), value, l);
	return csysi_channel_tell_receiver(c);
}

CSYSI_ALWAYS int csysi_channel_send_shared_ring(struct csysi_channel *c, const void *value,
						const struct csysi_channel_layout *l)
{
	/* Relaxed: the claim decides. */
	uint64_t t = __atomic_load_n(&c->tail, __ATOMIC_RELAXED);

	for (;;) {
		if (csysi_channel_is_full(c, t))
			return CSYS_EAGAIN;
		if (CSYSI_LIKELY(csysi_channel_claim(c, &t)))
			break;
		t = csysi_channel_look_again(c);
	}
	csysi_channel_prefetch(c->slots + (t & c->mask) * l->slot, l);
	csysi_channel_write_ring(c, t, csysi_channel_cpu(c), value, l);
	return csysi_channel_tell_receiver(c);
}

/* Send it, on a side that several threads use. */
CSYSI_ALWAYS int csysi_channel_send_shared(struct csysi_channel *c, const void *value,
					   const struct csysi_channel_layout *l)
{
	if (!CSYSI_LIKELY(!csysi_channel_is_closed(c)))
		return CSYS_EDISCONNECTED;
	return c->kind == CSYSI_CHANNEL_UNBOUNDED ? csysi_channel_send_shared_list(c, value, l)
						  : csysi_channel_send_shared_ring(c, value, l);
}

/* ---- receiving --------------------------------------------------------------------------- */

/* As the only receiver at this time: 0, or CSYS_EAGAIN. */
CSYSI_ALWAYS int csysi_channel_take_list(struct csysi_channel *c, void *out,
					 const struct csysi_channel_layout *l)
{
	/* Relaxed: only receivers change it. */
	uint64_t h = __atomic_load_n(&c->head, __ATOMIC_RELAXED);
	/* Acquire pairs with the release of csysi_channel_first_block. */
	struct csysi_channel_block *block = __atomic_load_n(&c->head_block, __ATOMIC_ACQUIRE);
	uint64_t last = (UINT64_C(1) << l->shift) - 2;
	uint64_t i = h & (last + 1);
	/* Acquire pairs with the release of csysi_channel_write. */
	uint32_t stamp = __atomic_load_n(csysi_channel_stamp(block, l, i), __ATOMIC_ACQUIRE);

	if (!CSYSI_LIKELY(csysi_channel_has_lap(stamp, csysi_channel_lap(h, l->shift))))
		return CSYS_EAGAIN;
	CSYSI_CHANNEL_ACQUIRED(csysi_channel_stamp(block, l, i));
	csysi_channel_copy(out, csysi_channel_slot(block, l, i), l->size);
	__atomic_store_n(&c->rx_spin.cpu, stamp & CSYSI_CHANNEL_CPU, __ATOMIC_RELAXED);
	if (CSYSI_LIKELY(i != last))
		__atomic_store_n(&c->head, h + 1, __ATOMIC_RELAXED);
	else
		csysi_channel_next_block(c);
	return 0;
}

CSYSI_ALWAYS int csysi_channel_take_ring(struct csysi_channel *c, void *out,
					 const struct csysi_channel_layout *l)
{
	/* Relaxed: only receivers change it. */
	uint64_t h = __atomic_load_n(&c->head, __ATOMIC_RELAXED);
	uint64_t i = h & c->mask;
	/* Acquire pairs with the release of csysi_channel_write. */
	uint32_t stamp = __atomic_load_n(csysi_channel_ring_stamp(c, l, i), __ATOMIC_ACQUIRE);

	if (!CSYSI_LIKELY(csysi_channel_has_lap(stamp, csysi_channel_lap(h, c->shift))))
		return CSYS_EAGAIN;
	CSYSI_CHANNEL_ACQUIRED(csysi_channel_ring_stamp(c, l, i));
	csysi_channel_copy(out, c->slots + i * l->slot, l->size);
	__atomic_store_n(&c->rx_spin.cpu, stamp & CSYSI_CHANNEL_CPU, __ATOMIC_RELAXED);
	CSYSI_CHANNEL_RELEASED(&c->head);
	/* Release pairs with the acquire in csysi_channel_is_full: the slot may be written. */
	__atomic_store_n(&c->head, h + 1, __ATOMIC_RELEASE);
	return 0;
}

/* There is room: let a sender go on that waits for it. */
CSYSI_ALWAYS void csysi_channel_tell_sender(struct csysi_channel *c)
{
	csysi_channel_order(&c->rx_fence);
	/* Sequentially consistent, with the fence before it: src/sync/channel_fence.c. */
	if (!CSYSI_LIKELY(__atomic_load_n(&c->tx_flags, __ATOMIC_SEQ_CST) == 0))
		csysi_channel_received(c);
}

/* Receive a message, if this thread is the owner of the receivers' side. */
CSYSI_ALWAYS int csysi_channel_recv_alone(struct csysi_channel *c, void *out,
					  const struct csysi_channel_layout *l)
{
	csysi_channel_begin_recv(c);
	struct csysi_channel_seat *seat = csysi_channel_enter(&c->rx_owner);
	int r;

	if (!CSYSI_LIKELY(seat != CSYSI_NULL)) {
		csysi_channel_end_recv(c);
		return CSYSI_CHANNEL_OTHER;
	}
	if (c->kind == CSYSI_CHANNEL_UNBOUNDED) {
		r = csysi_channel_take_list(c, out, l);
		csysi_channel_leave(seat);
	} else {
		r = csysi_channel_take_ring(c, out, l);
		csysi_channel_leave(seat);
		if (CSYSI_LIKELY(r == 0))
			csysi_channel_tell_sender(c);
	}
	csysi_channel_end_recv(c);
	return r;
}

CSYS_END_DECLS

#endif
