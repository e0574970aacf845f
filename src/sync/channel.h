/*
 * sync/channel.h - how channels work: what its sources have between themselves.
 *
 * Indices.  Each message has an index: `tail` is that of the next one to be sent, `head` that of
 * the next one to be received.  A sender claims an index by changing tail, writes the message into
 * the slot of that index, and publishes it by the slot's stamp, which has the lap of the index
 * (channel_inside.h).  The receiver looks at the stamp of head's slot and at nothing else; several
 * of an unbounded channel claim by head what one of them has seen (channel_claim.c).  A
 * bounded channel is a ring of slots; an unbounded one a list of blocks (channel_block.c); one of
 * capacity 0 has no slots (channel_rendezvous.c), nor has a timer (channel_timer.c).
 *
 * Owners.  A side that only one thread uses is changed without read-modify-write; that thread is
 * its owner.  Another thread that comes takes over (channel_owner.c).
 *
 * Waiting.  A thread that has to wait puts an entry into the list of its side, sets SOME in the
 * flags of that side, looks once more, and sleeps on the word of its waiter.  A thread that sends
 * or receives looks at the flags of the other side afterwards.  One of the two sees the other: see
 * channel_fence.c.  The lists are under the channel's lock (channel_wait.c).
 *
 *     WAITING ---- its thread ---> ASLEEP                  sleeps on it
 *     WAITING, ASLEEP - its thread ---> GONE               gives up at the deadline
 *     WAITING, ASLEEP - another thread ---> CLAIMED        may go on, and is in no list
 *
 * These are compare-and-swaps, so one of them decides between a deadline and a wake.  For a
 * buffered channel CLAIMED means: try again; the thread always does, deadline or not.  For a
 * rendezvous it means that the other side copies the message, and sets is_done.  DISCONNECTED is a
 * way of CLAIMED.
 *
 * Waking.  A receiver that is claimed leaves the list, and SOME goes with the last one: a burst of
 * messages wakes it once.  Of the senders one is woken at a time.  While it is on its way,
 * is_waking is set and SOME is not; when it has tried, it passes on: it wakes the next one if there
 * is room.
 *
 * In place.  A bounded channel lets a sender reserve a slot, for however long, and a receiver peek
 * at one.  While that is so at head, others wait as if nothing was sent (channel_in_place.c).
 *
 * Ends.  `references` counts a side as long as it has ends, and weak senders.  The last sender
 * claims all receivers.  The last receiver sets CLOSED, lets all senders go on, and destroys what
 * is queued.  A sender that has published and sees CLOSED then, destroys what is queued too
 * (channel.c).
 */
#ifndef CSYSI_SYNC_CHANNEL_H
#define CSYSI_SYNC_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

#if !defined(CSYS_SYNC_CHANNEL_INSIDE_H)
#define CSYSI_CHANNEL_RELEASED(address) csysi_tsan_release(address)
#define CSYSI_CHANNEL_ACQUIRED(address) csysi_tsan_acquire(address)
#endif

#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/sync/channel_inside.h>

/* Whether messages wait in slots, as in unbounded and bounded channels. */
static inline int csysi_channel_has_slots(const struct csysi_channel *c)
{
	return c->kind <= CSYSI_CHANNEL_BOUNDED;
}

/* ---- making: channel.c -------------------------------------------------------------------- */

/* A channel of this kind with a sender and a receiver, and no blocks yet: 0, or CSYS_ENOMEM. */
int csysi_channel_make(uint32_t kind, size_t size, size_t alignment, size_t capacity,
		       struct csysi_channel **out);

/* The alignment of messages that the options choose; CSYS_EINVAL: none. */
int csysi_channel_alignment(size_t size, const struct csys_channel_options *options, size_t *out);

/* ---- waiting: channel_wait.c ------------------------------------------------------------- */

/* States of a waiter.  CLAIMED and above: more than CLAIMED is the index of the entry. */
enum {
	CSYSI_CHANNEL_WAITING,
	CSYSI_CHANNEL_ASLEEP,
	CSYSI_CHANNEL_GONE,
	CSYSI_CHANNEL_CLAIMED,
};
#define CSYSI_CHANNEL_DISCONNECTED 0x80000000u /* beside CLAIMED */

/* A thread that waits; in its frame. */
struct csysi_channel_waiter {
	uint32_t state;
	uint32_t is_done; /* rendezvous: the message is copied */
};

/* Its place in the list of a channel. */
struct csysi_channel_entry {
	struct csysi_channel_entry *next, *previous; /* under lock, as is is_listed */
	struct csysi_channel_waiter *waiter;
	uint32_t index; /* of several entries of a waiter */
	uint32_t is_listed;
	void *value; /* rendezvous: where the message is, or is wanted */
	const struct csysi_channel_handle *handle; /* it is the entry of this, and no waiter's */
};

/* What event loops wait for: channel_handle.c; or watchers: channel_watch.c. */
struct csysi_channel_handle {
	csys_handle reader, writer; /* a notifier: ready while the entry is not listed */
	const void *watched;        /* NULL: it is for event loops; else what watchers watch */
	int is_sender;
	struct csysi_channel_waiter waiter;
	struct csysi_channel_entry entry;
};

/* A side of a channel that can wait. */
struct csysi_channel_side {
	struct csysi_channel_list *list;
	uint32_t *flags;
	struct csysi_channel_fence *fence; /* of the side that it waits for */
};

struct csysi_channel_side csysi_channel_receivers(struct csysi_channel *c);
struct csysi_channel_side csysi_channel_senders(struct csysi_channel *c);

void csysi_channel_lock(struct csysi_channel *c);
void csysi_channel_unlock(struct csysi_channel *c);

/* Put the entry into the list, set SOME, and order that before the caller's next look. */
void csysi_channel_enlist(struct csysi_channel *c, struct csysi_channel_side side,
			  struct csysi_channel_entry *entry, int is_first);

/* Take the entry out of the list, if it is there: no thread uses it any more. */
void csysi_channel_delist(struct csysi_channel *c, struct csysi_channel_side side,
			  struct csysi_channel_entry *entry);

/* Sleep until claimed: 0; or until the deadline: CSYS_ETIMEDOUT, and no thread claims it. */
int csysi_channel_sleep(struct csysi_channel_waiter *waiter, csys_deadline deadline);

/* Whether it was claimed. */
int csysi_channel_is_claimed(const struct csysi_channel_waiter *waiter);

/* Under the lock: set SOME, unless a sender is on its way that passes on. */
void csysi_channel_set_some(struct csysi_channel *c, struct csysi_channel_side side);

/* Under the lock: add to a list, without its flags. */
void csysi_channel_list_add(struct csysi_channel_list *list, struct csysi_channel_entry *entry,
			    int is_first);
void csysi_channel_list_remove(struct csysi_channel_list *list, struct csysi_channel_entry *entry);

/*
 * Under the lock: take the first entry out that can be claimed, and claim its waiter, with `how`
 * beside CLAIMED; NULL if there is none.  *out_address is the word to wake, NULL if the thread is
 * awake.  The entry may be gone when this returns, unless its thread awaits is_done.
 */
struct csysi_channel_entry *csysi_channel_claim_first(struct csysi_channel_list *list, uint32_t how,
						      const uint32_t **out_address);

/* Under the lock: an entry of it was claimed. */
void csysi_channel_notify(const struct csysi_channel_handle *handle);

/* Let the first waiter go on.  1: there was one. */
int csysi_channel_wake_one(struct csysi_channel *c, struct csysi_channel_side side);
void csysi_channel_wake_all(struct csysi_channel *c, struct csysi_channel_side side);

/* Under the lock: whether a thread waits in the list, beside `self`, and has not given up. */
int csysi_channel_has_waiter(const struct csysi_channel_list *list,
			     const struct csysi_channel_waiter *self);

/* Of a rendezvous: whether a thread of this side waits, or the channel is disconnected. */
int csysi_channel_is_met(struct csysi_channel *c, int is_sender);

/* A sender that was claimed has tried to send: let the next one go on if there is room. */
void csysi_channel_pass_on(struct csysi_channel *c);

/* ---- looks: channel_look.c ------------------------------------------------------------------ */

/* Whether the message of index head can be taken, for the only receiver at this time. */
int csysi_channel_is_published(struct csysi_channel *c);

/* What a slot of the ring is for an index. */
enum {
	CSYSI_CHANNEL_PUBLISHED, /* a message */
	CSYSI_CHANNEL_RESERVED,  /* a sender may write it for however long */
	CSYSI_CHANNEL_ABORTED,   /* it was reserved, and holds no message */
	CSYSI_CHANNEL_PASSED,    /* it was aborted, and a receiver has passed over it */
	CSYSI_CHANNEL_PEEKED,    /* a receiver may use it for however long */
	CSYSI_CHANNEL_UNSTAMPED  /* none of these, or not yet */
};
uint32_t csysi_channel_state(const struct csysi_channel *c, uint64_t index);

/* Whether the slot at head is a sender's or a receiver's for however long. */
int csysi_channel_is_held(const struct csysi_channel *c);

/* Whether it holds no message, and receivers are to pass over it. */
int csysi_channel_is_aborted(const struct csysi_channel *c);

/* Whether a sleeping sender, or receiver, has something to try. */
int csysi_channel_may_send(struct csysi_channel *c);
int csysi_channel_may_recv(struct csysi_channel *c);

/* Of a timer: whether a message is there. */
int csysi_channel_is_due(const struct csysi_channel *c);

/* How many messages are claimed and not received, without places that hold none. */
uint64_t csysi_channel_count(const struct csysi_channel *c);

/* How many were ever claimed; with one that fails for lack of memory, for that moment. */
uint64_t csysi_channel_total(const struct csysi_channel *c);

/* ---- fences: channel_fence.c ------------------------------------------------------------- */

/* A full fence, of this thread alone. */
void csysi_channel_fence(void);

/* Order what a thread that is about to sleep has done before its next look. */
void csysi_channel_fence_sleeper(struct csysi_channel_fence *fence);

/* ---- threads and owners: channel_owner.c --------------------------------------------------- */

/* What a thread that uses channels has. */
struct csysi_channel_thread {
	uint32_t cpu;    /* as a stamp has it, of its first send; 0: not asked yet */
	uint64_t random; /* of select */
};
extern __thread struct csysi_channel_thread csysi_channel_thread;

/* The cpu_at of channels. */
ptrdiff_t csysi_channel_find_cpu(void);

void csysi_channel_owner_init(struct csysi_channel_owner *owner);

/* Make this thread the owner of a side, or the side one that several threads share.  0; or, of the
 * senders of an unbounded channel, CSYS_ENOMEM, and nothing has changed. */
int csysi_channel_take_over(struct csysi_channel *c, struct csysi_channel_owner *owner,
			    uint32_t *is_shared);

/* Let no thread be the owner of a side any more: as above. */
int csysi_channel_share(struct csysi_channel *c, struct csysi_channel_owner *owner,
			uint32_t *is_shared);

/* ---- timers: channel_timer.c ------------------------------------------------------------- */

/* 0, or CSYS_EAGAIN: it is not due. */
int csysi_channel_timer_try_recv(struct csysi_channel *c, void *out);

/* 0, or CSYS_ETIMEDOUT. */
int csysi_channel_timer_recv(struct csysi_channel *c, void *out, csys_deadline deadline);

/* When to try again. */
csys_deadline csysi_channel_timer_deadline(const struct csysi_channel *c);

/* Let the handle, if there is one, be ready when the next message is due. */
void csysi_channel_timer_set_handle(struct csysi_channel *c);

/* ---- handles: channel_ready.c, channel_handle.c ------------------------------------------ */

/* After an operation of its side: make it quiet if another one would wait.  NULL is ignored. */
void csysi_channel_handle_look(struct csysi_channel *c, struct csysi_channel_handle *handle);

/* Under the lock: let what waits for this side to be ready look, beside its waiters. */
void csysi_channel_notify_handles(struct csysi_channel *c, int is_sender);

/* Whether an operation of that side would not wait. */
int csysi_channel_may_go(struct csysi_channel *c, int is_sender);

void csysi_channel_handle_free(struct csysi_channel_handle *handle);

/* ---- blocks: channel_block.c ------------------------------------------------------------- */

/* Memory at a multiple of `alignment`, zeroed if asked for: *out_memory is to be freed. */
void *csysi_channel_alloc(size_t size, size_t alignment, int is_zero, void **out_memory);

void csysi_channel_blocks_init(struct csysi_channel *c);
/* Under the lock, of a sender: let there be a block to send into.  0, or CSYS_ENOMEM. */
int csysi_channel_first_block(struct csysi_channel *c);
void csysi_channel_blocks_free(struct csysi_channel *c);

/* By one receiver at a time: it is done with the block. */
void csysi_channel_push_spare(struct csysi_channel *c, struct csysi_channel_block *block);

/* ---- several receivers of an unbounded channel: channel_claim.c ---------------------------- */

/* Whether messages are claimed there. */
int csysi_channel_is_claimed_from(struct csysi_channel *c);

/* 0, or CSYS_EAGAIN: none is published. */
int csysi_channel_claim_one(struct csysi_channel *c, void *out);

/* How many were taken, of one block. */
size_t csysi_channel_claim_batch(struct csysi_channel *c, char *out, size_t most);

/* No receiver is left: the caller, alone, goes on as the owner. */
void csysi_channel_end_claims(struct csysi_channel *c);

/* ---- waiting awake: channel_spin.c ------------------------------------------------------- */

/* As csysi_spin of sync/spin.h, with what the channel knows of the other side. */
struct csysi_channel_awake {
	struct csysi_channel_spin *spin;
	int64_t end; /* ns; 0: it does not help */
	int looks;   /* since that at the clock; a caller may add to it */
};

struct csysi_channel_awake csysi_channel_awake_begin(struct csysi_channel_spin *spin,
						     csys_deadline deadline);
int csysi_channel_awake_goes_on(struct csysi_channel_awake *awake, int is_so);

/* Note for the other side where this thread runs. */
void csysi_channel_note_cpu(struct csysi_channel_spin *spin);

/* Yield, unless that was seen to serve other threads than those of the channel: 1 if it did.
 * `work` is the index that the other side moves. */
int csysi_channel_yield(struct csysi_channel_spin *spin, const uint64_t *work);

/* ---- sending and receiving: channel_send.c, channel_recv.c ------------------------------- */

/* Without waiting: 0, CSYS_EAGAIN, CSYS_EDISCONNECTED, CSYS_ENOMEM.  Not of a rendezvous. */
int csysi_channel_try_send(struct csysi_channel *c, const void *value);

/* 0, or CSYS_EAGAIN: none is published. */
int csysi_channel_try_recv(struct csysi_channel *c, void *out);

/* No sender is left, and none was published: CSYS_EDISCONNECTED; 0: it was; CSYS_EAGAIN: another
 * thread has peeked. */
int csysi_channel_recv_last(struct csysi_channel *c, void *out, void **out_place);

/* Waiting.  With out_place in place: a slot is reserved, or peeked, and stored there. */
int csysi_channel_wait_to_send(struct csysi_channel *c, const void *value, void **out_place,
			       csys_deadline deadline);
int csysi_channel_wait_to_recv(struct csysi_channel *c, void *out, void **out_place,
			       csys_deadline deadline);

/* As the only receiver at this time, or where the caller keeps others out; not where several
 * claim. */
int csysi_channel_take(struct csysi_channel *c, void *out);

/* Keep other receivers out: by the seat of the owner, or, NULL, where several share the side. */
struct csysi_channel_seat *csysi_channel_begin_turn(struct csysi_channel *c);
void csysi_channel_end_turn(struct csysi_channel *c, struct csysi_channel_seat *seat);

/* After a turn that has taken something from a bounded channel, or `has_settled`. */
void csysi_channel_after_turn(struct csysi_channel *c, int has_taken, int has_settled);

/* ---- in place: channel_place.c, channel_turn.c, channel_in_place.c ----------------------- */

/* Without waiting: 0, CSYS_EAGAIN, or CSYS_EDISCONNECTED. */
int csysi_channel_try_reserve(struct csysi_channel *c, void **out_place);
/* 0, or CSYS_EAGAIN. */
int csysi_channel_try_peek(struct csysi_channel *c, void **out_place);

/* As the only receiver at this time: pass over aborted slots at head.  1: there were some. */
int csysi_channel_pass_over(struct csysi_channel *c);

/* As the only receiver at this time: 0, or CSYS_EAGAIN. */
int csysi_channel_peek_at_head(struct csysi_channel *c, void **out_place);

/* As csysi_channel_pass_over, for a thread of that side which does not receive. */
void csysi_channel_tidy(struct csysi_channel *c);

/* And take back the peek of this thread: 1 if either has changed something. */
int csysi_channel_settle(struct csysi_channel *c);

/* What held back the receivers at head does so no more: let as many go on as there are messages. */
void csysi_channel_wake_receivers(struct csysi_channel *c);

/* The counts in set_aside. */
#define CSYSI_CHANNEL_PLACE UINT64_C(1)
#define CSYSI_CHANNEL_OPEN (UINT64_C(1) << 32)

/* With capacity 0.  CSYS_ETIMEDOUT also where the deadline is CSYS_POLL. */
int csysi_channel_rendezvous_send(struct csysi_channel *c, const void *value,
				  csys_deadline deadline);
int csysi_channel_rendezvous_recv(struct csysi_channel *c, void *out, csys_deadline deadline);

/* It was claimed: wait until the other side has copied the message. */
void csysi_channel_await_copy(const struct csysi_channel_waiter *waiter);

/* Without the lock: 0: as of now a send (a receive) without waiting says CSYS_EAGAIN.  1: perhaps
 * not. */
int csysi_channel_may_meet(const struct csysi_channel *c, int is_sender);

/* No end of one side is left: let all threads go on that wait. */
void csysi_channel_rendezvous_disconnect(struct csysi_channel *c);

/* ---- select: select.c, select_ready.c ----------------------------------------------------- */

#define CSYSI_CHANNEL_MOST_CASES 0x1000000u

/* A random number below `limit`. */
uint32_t csysi_channel_random_below(uint32_t limit);

/* ---- the end: channel_drain.c ------------------------------------------------------------- */

/* The last receiver is gone: destroy what is queued, or let the thread do it that is at it. */
void csysi_channel_destroy_queued(struct csysi_channel *c);

/* Wait until no thread is at it. */
void csysi_channel_await_drain(struct csysi_channel *c);

#endif
