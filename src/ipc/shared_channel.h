/*
 * ipc/shared_channel.h - channels in shared memory, from inside.
 *
 *     ring: what never changes | the receiver | its sleep | the senders' sleep | tail | senders |
 *           contacts | places
 *
 * A message has a position, which counts from 0.  Its place is that modulo the number of places,
 * and its lap the quotient.  The state of a place tells for which lap it is, and in the same word
 * which member is responsible for it:
 *
 *     state:  lap (32 bits) | id of the member that has claimed it (30 bits) | kind (2 bits)
 *
 *            claim                      commit                  release
 *     FREE ----------> CLAIMED(id) ----------------> READY ----------------> FREE of the next lap
 *                       |    | abort                                           ^   ^
 *                       |    +-------------------> DROPPED --------------------+   |
 *                       |                                    the receiver comes    |
 *                       +----------------------------------------------------------+
 *                         the receiver comes, and the claimer is dead
 *
 * Each arrow is one atomic step, so the state before and after it names the member that is
 * responsible.  `tail` and `head` are where to look, and no second account beside the states: a
 * thread that is killed would leave that wrong.
 *
 *     killed                           the state is      and then
 *     before its claim                 as it was         nobody needs to do anything
 *     before its commit or abort       CLAIMED(dead)     the receiver passes over the place
 *     after that, before its wake      READY             the receiver looks after a nap
 *     the receiver, before its release READY             the next one gets the message
 *     after that, before it moves head FREE, next lap    the next one moves head
 *     before it wakes the senders      FREE, next lap    they look after a nap
 *
 * With a single sender a copied message is not claimed: nobody else takes the place, which is FREE
 * until the message is READY.
 *
 * Invariants:
 *   - claimed is the first position that is free, so behind a claimed one no place is left out,
 *     and the receiver waits for none that nobody fills.  `tail` is at most that position: a
 *     claimer moves it on after its claim, perhaps late;
 *   - `head` is the position that is received next, or one that was, if a receiver was killed;
 *   - the receiver sleeps only if `receiver_sleeps` was set before it looked for the last time, and
 *     a sender looks at that after its commit: one of the two sees what the other did, since all
 *     four accesses are in one order (seq_cst).  Likewise `senders_sleep` and the release.  A
 *     thread that was killed between the two steps leaves the other to the end of its nap.
 *     How an end that is waited for by its handle is told: shared_handle.c.
 *
 * All but the first part may hold any bytes: what is read of it is copied, checked and used.
 */
#ifndef CSYSI_IPC_SHARED_CHANNEL_H
#define CSYSI_IPC_SHARED_CHANNEL_H

#include <csys/ipc/shared_channel.h>
#include <csys/ipc/shared_channel_in_place.h>
#include <csys/ipc/typed_shared_channel.h>

#include <string.h>

#include "ipc/region.h"
#include "sync/channel.h"

/* ---- in the region ------------------------------------------------------------------------ */

#define CSYSI_SHARED_CHANNEL_VERSION 0x63680002u

/* Kinds of places. */
enum { CSYSI_PLACE_FREE, CSYSI_PLACE_CLAIMED, CSYSI_PLACE_READY, CSYSI_PLACE_DROPPED };
#define CSYSI_PLACE_KIND 3u

/* What makes a state one of the next lap. */
#define CSYSI_LAP ((uint64_t)1 << 32)

struct csysi_shared_place {
	_Alignas(16) uint64_t state; /* atomic */
	uint32_t length;
	uint32_t reserved;
	unsigned char data[];
};

/* Options of a channel. */
#define CSYSI_SHARED_CHANNEL_SINGLE 1u
#define CSYSI_SHARED_CHANNEL_LASTING 2u

/* In `receiver`: there was one, and it has closed. */
#define CSYSI_RECEIVER_GONE 0x80000000u

/* In `receiver_sleeps`: not a sleep but its handle waits, with a number above this bit that no
 * earlier wait had. */
#define CSYSI_RECEIVER_ARMED 2u
#define CSYSI_RECEIVER_ARMS_SHIFT 2

/* How the other side tells the handle of an end, and what the receiver wants to know of a sender to
 * see its death.  All is atomic. */
struct csysi_shared_contact {
	uint64_t place;       /* csysi_os_named_notifier_place */
	uint64_t notifier[2]; /* its name */
	uint32_t id;          /* of the sender's member, if the place is that one's */
	uint32_t armed; /* not 0: the sender's handle waits; no earlier wait had this number */
	uint32_t arms;  /* how often it did */
	uint32_t unused;
};

struct csysi_shared_ring {
	/* Written by the creator, the version last. */
	uint32_t version; /* atomic */
	uint32_t shift;   /* there are 1 << shift places */
	uint32_t size;    /* of a message at most */
	uint32_t senders;
	uint32_t flags;
	uint32_t unused;
	_Alignas(8) uint64_t layout;
	/* The rest is atomic. */
	_Alignas(64) uint32_t receiver; /* its id; 0: there was none yet; or GONE */
	uint32_t opened; /* how often a sender was opened or went to another thread; 0: never */
	uint64_t notifier[2]; /* of the receiver */
	uint32_t arms;        /* how often the receiver's handle has waited */
	_Alignas(128) uint64_t head;
	uint64_t peeked; /* the position that the receiver has looked at, plus 1 */
	struct csysi_channel_spin senders_spin;
	_Alignas(128) uint32_t receiver_sleeps;
	struct csysi_channel_spin receiver_spin;
	_Alignas(128) uint32_t senders_sleep;
	uint32_t senders_armed; /* odd: a sender's handle may wait.  It only counts up */
	_Alignas(128) uint64_t tail;
	_Alignas(128) uint32_t ids[]; /* of the members that have senders; 0: free */
				      /* Behind that a contact for each of them. */
};

/* ---- in a process ------------------------------------------------------------------------- */

struct csys_shared_channel {
	struct csysi_region_follower follower;
	struct csysi_shared_ring *ring;
	struct csysi_shared_contact *contacts;
	char *places;
	/* Copies of what the ring has, checked. */
	size_t stride; /* from one place to the next */
	uint64_t mask; /* places - 1 */
	uint32_t shift;
	uint32_t size;
	uint32_t flags;
	uint32_t senders;
	uint32_t wake_mask; /* senders are woken at multiples of it, plus 1 */
	csys_region *region;
	int has_region; /* of its own */
	int is_created;
	uint32_t users; /* atomic: csys_shared_channel_close, and each end */
};

/* What the two kinds of ends have in common. */
struct csysi_shared_end {
	csys_shared_channel *channel;
	const void *thread;  /* that uses it: csysi_channel_me */
	uint64_t epoch;      /* csysi_region_epoch, when it was seen to be a member */
	uint32_t id;         /* of that member */
	uint32_t generation; /* of the process that has opened it */
};

/* What the next short message of an end needs if nothing is special, at hand: shared_quick.h. */
struct csysi_shared_quick {
	const void *thread; /* as in the end; NULL: it does not hold */
	uint64_t epoch;     /* as in the end */
	struct csysi_shared_ring *ring;
	char *place; /* of the message */
	char *stop;  /* a place, or behind the last one: there is more to do than to go on */
	uint64_t stride;
	uint64_t position;   /* of the message */
	uint64_t before;     /* the state of the place that a message needs */
	uint64_t after;      /* the state that it gets */
	size_t below;        /* short messages have fewer bytes than this */
	size_t below_single; /* the same with a single sender, else 0 */
};

/* A place that is reserved, and the state that it was given. */
struct csysi_shared_reserved {
	struct csysi_shared_place *place;
	uint64_t state;
};

/* In csysi_shared_seen: no receiver that the ring can have. */
#define CSYSI_NONE_SEEN UINT64_MAX

/* The receiver as a sender has seen it last.  Where there is no sign of life, a death is noticed
 * when the channel is full. */
struct csysi_shared_seen {
	uint64_t receiver;                      /* as in the ring; or CSYSI_NONE_SEEN */
	const struct csysi_member_entry *entry; /* where the signs of its life are */
	uint32_t token;                         /* what the word of that one's token was */
	uint32_t generation;
};

struct csys_shared_sender {
	struct csysi_shared_quick quick;
	struct csysi_shared_end end;
	struct csysi_shared_seen seen;
	struct csysi_shared_handle *handle; /* NULL: not asked for */
	csys_handle remote; /* to notify the receiver; CSYS_NO_HANDLE: that cannot be done */
	uint64_t place;     /* csysi_os_named_notifier_place; 0 without a remote handle */
	uint32_t at;        /* in `ids` */
	uint32_t reserved_count;
	uint32_t reserved_room;
	struct csysi_shared_reserved *reserved;
};

struct csys_shared_receiver {
	struct csysi_shared_quick quick;
	struct csysi_shared_end end;
	struct csysi_shared_handle *handle; /* NULL: not asked for */
	uint64_t told;     /* the position that an earlier receiver has looked at, plus 1; or 0 */
	uint64_t position; /* of the message that is peeked at */
	int is_peeking;
};

/* Open the channel that a region is made for, to look at it.  CSYS_EBADMSG: it has none. */
int csysi_shared_channel_look(csys_region *region, csys_shared_channel **out);

/* One user of a channel more, and one less. */
void csysi_shared_channel_enter(csys_shared_channel *channel);
void csysi_shared_channel_leave(csys_shared_channel *channel);

/* The same for an end, which is told of threads that leave the region: see shared_end.c. */
void csysi_shared_end_enter(csys_shared_channel *channel);

/* Begin an end, for the calling thread; end it. */
int csysi_shared_end_begin(csys_shared_channel *channel, struct csysi_shared_end *out);
void csysi_shared_end_finish(const struct csysi_shared_end *end);

/*
 * Let the calling thread go on with an end: its id as a member, to be given to
 * csysi_shared_end_settle once the ring has it.  CSYS_EBADF: the end is a parent's.  CSYS_ETIMEDOUT
 * and others as csysi_region_id_until.
 */
int csysi_shared_end_turn(const struct csysi_shared_end *end, csys_deadline deadline,
			  uint32_t *out_id);
void csysi_shared_end_settle(struct csysi_shared_end *end, uint32_t id);

/* How many notes there are of ends in flight (shared_end_transfer.c).  Atomic. */
extern uint32_t csysi_shared_flights;
void csysi_shared_flight_forget(const uint32_t *word, uint32_t id);

/* Before the calling thread writes its id into a word of a ring, which has had another value: an
 * end in flight that had its id there was adopted. */
static inline void csysi_shared_flight_over(const uint32_t *word, uint32_t id)
{
	/* Relaxed: notes with this id are made by the thread that has it. */
	if (!CSYSI_LIKELY(csysi_load_relaxed(&csysi_shared_flights) == 0))
		csysi_shared_flight_forget(word, id);
}

/* Whether the thread that calls is the one that has used the end last, and still the member. */
static inline int csysi_shared_end_is_mine(const struct csysi_shared_end *end)
{
	/* Relaxed: see csysi_region_epoch. */
	return end->thread == csysi_channel_me() &&
	       end->epoch == csysi_load_relaxed(&csysi_region_epoch);
}

/* How long messages are at most that are copied without a call of memcpy, which would take longer
 * than all else. */
#define CSYSI_SHARED_SHORT 16

/* Copy a short message: its first bytes and its last, which overlap. */
static inline void csysi_shared_copy_short(void *to, const void *from, size_t length)
{
	unsigned char *out = to;
	const unsigned char *in = from;

	if (CSYSI_LIKELY(length >= sizeof(uint64_t))) {
		uint64_t last;
		memcpy(&last, in + length - sizeof last, sizeof last);
		memcpy(out, in, sizeof last);
		memcpy(out + length - sizeof last, &last, sizeof last);
	} else if (length >= sizeof(uint32_t)) {
		uint32_t last;
		memcpy(&last, in + length - sizeof last, sizeof last);
		memcpy(out, in, sizeof last);
		memcpy(out + length - sizeof last, &last, sizeof last);
	} else if (length > 0) {
		out[0] = in[0];
		out[length / 2] = in[length / 2];
		out[length - 1] = in[length - 1];
	}
}

static inline void csysi_shared_copy(void *to, const void *from, size_t length)
{
	if (length <= CSYSI_SHARED_SHORT)
		csysi_shared_copy_short(to, from, length);
	else
		memcpy(to, from, length);
}

/* ---- places ------------------------------------------------------------------------------- */

/* Where a message with a position is, or will be. */
struct csysi_shared_spot {
	uint64_t position;
	struct csysi_shared_place *place;
	uint64_t state; /* of that, when it is free for this position */
};

static inline struct csysi_shared_spot csysi_spot_of(const csys_shared_channel *channel,
						     uint64_t position)
{
	size_t at = (size_t)(position & channel->mask);

	return (struct csysi_shared_spot){
		position,
		(struct csysi_shared_place *)(void *)(channel->places + at * channel->stride),
		(position >> channel->shift) << 32,
	};
}

/* The state of the place of a spot when it has another kind. */
static inline uint64_t csysi_spot_state(const struct csysi_shared_spot *spot, uint32_t id,
					uint32_t kind)
{
	return spot->state | (uint64_t)id << 2 | kind;
}

static inline uint32_t csysi_place_kind(uint64_t state)
{
	return (uint32_t)state & CSYSI_PLACE_KIND;
}

static inline uint32_t csysi_place_claimer(uint64_t state)
{
	return (uint32_t)state >> 2;
}

/* A state but for the id of the claimer. */
static inline uint64_t csysi_place_without_id(uint64_t state)
{
	return state & ~((uint64_t)CSYSI_ID << 2);
}

/* How many laps a state is behind that of a spot (below 0), or ahead of it. */
static inline int32_t csysi_spot_laps(const struct csysi_shared_spot *spot, uint64_t state)
{
	return (int32_t)((uint32_t)(state >> 32) - (uint32_t)(spot->state >> 32));
}

/* The length of a message, of which any bytes are possible. */
static inline size_t csysi_shared_length(const csys_shared_channel *channel,
					 const struct csysi_shared_place *place)
{
	/* Relaxed: the commit has ordered it. */
	uint32_t length = csysi_load_relaxed(&place->length);

	return length <= channel->size ? length : channel->size;
}

/* ---- messages in place: shared_sender.c, shared_receiver.c -------------------------------- */

/* Wait for room, and claim a place; one that is kept is reserved by the caller. */
int csysi_shared_sender_claim(csys_shared_sender *sender, int is_kept, csys_deadline deadline,
			      struct csysi_shared_spot *out);

/* Fill in what a new sender has but for its end; release all that an end has in this process. */
void csysi_shared_sender_prepare(csys_shared_sender *sender);
void csysi_shared_sender_release(csys_shared_sender *sender);
void csysi_shared_receiver_release(csys_shared_receiver *receiver);

/* Let the calling thread go on with a sender, with the receiver. */
int csysi_shared_sender_turn(csys_shared_sender *sender, csys_deadline deadline);
int csysi_shared_receiver_turn(csys_shared_receiver *receiver, csys_deadline deadline);

/* Wait for the next message, which stays. */
int csysi_shared_receiver_await(csys_shared_receiver *receiver, csys_deadline deadline,
				struct csysi_shared_spot *out);

/* What a receive of the message with a position returns: 0 or CSYS_REDELIVERED. */
int csysi_shared_receiver_note(csys_shared_receiver *receiver, uint64_t position);

/* The message of a spot is received. */
void csysi_shared_receiver_free(csys_shared_receiver *receiver,
				const struct csysi_shared_spot *spot);

/* What a call that never waits returns. */
static inline int csysi_shared_without_waiting(int r)
{
	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- sleepers ----------------------------------------------------------------------------- */

/* Wake the receiver, if it sleeps or its handle waits, and the senders.  Both return 0.  `remote`
 * as in a sender: without one such a handle is opened for that. */
int csysi_shared_wake_receiver_slow(const csys_shared_channel *channel, csys_handle remote);
int csysi_shared_wake_senders_slow(const csys_shared_channel *channel);

/* After a commit: the same, if it sleeps: 0. */
static inline int csysi_shared_wake_receiver(const csys_shared_channel *channel, csys_handle remote)
{
	/* Seq_cst, here and below: see the invariants. */
	if (CSYSI_LIKELY(csysi_load_seq_cst(&channel->ring->receiver_sleeps) == 0))
		return 0;
	return csysi_shared_wake_receiver_slow(channel, remote);
}

/* After a release: wake the senders that sleep or wait: 0. */
static inline int csysi_shared_wake_senders(const csys_shared_channel *channel)
{
	if (CSYSI_LIKELY(csysi_load_seq_cst(&channel->ring->senders_sleep) == 0 &&
			 !(csysi_load_seq_cst(&channel->ring->senders_armed) & 1)))
		return 0;
	return csysi_shared_wake_senders_slow(channel);
}

/* ---- handles: shared_handle.c, shared_notify.c --------------------------------------------- */

/* A call found nothing to receive, or no room: the handle is not ready until the other side tells
 * it, which is what happens from here on.  So look once more after it. */
void csysi_shared_receiver_arm(csys_shared_receiver *receiver);
void csysi_shared_sender_arm(csys_shared_sender *sender);

/* Nothing was found after that, but that this sender lives: see to it that its end makes the handle
 * ready. */
void csysi_shared_receiver_expect(const csys_shared_receiver *receiver, uint32_t id);

/* The same calls did not end with nothing: make the handle ready, since nobody tells it of what has
 * been seen. */
void csysi_shared_handle_wake(const struct csysi_shared_handle *handle);

/* Open a handle that watches so many senders, which is ready; close it, NULL is ignored; and what
 * event loops get of it. */
int csysi_shared_handle_open(uint32_t watched, struct csysi_shared_handle **out);
void csysi_shared_handle_close(struct csysi_shared_handle *handle);
csys_handle csysi_shared_handle_of(const struct csysi_shared_handle *handle);

/* Tell the handle that waits for a receiver; those of all senders. */
void csysi_shared_notify_receiver(const csys_shared_channel *channel, csys_handle remote);
void csysi_shared_notify_senders(const csys_shared_channel *channel);

/* Let the receiver see the end of this thread's process, once the sender is in the ring: before
 * count_opened of shared_sender.c. */
void csysi_shared_sender_tell_place(const csys_shared_sender *sender, uint32_t id);

/* Whether a call would not wait: 1 or 0.  Only a hint; nothing changes. */
int csysi_shared_is_receivable(const csys_shared_receiver *receiver);
int csysi_shared_is_sendable(const csys_shared_sender *sender);

/* ---- the other side ----------------------------------------------------------------------- */

/* Whether sends have no receiver any more. */
int csysi_shared_is_receiver_gone(const csys_shared_channel *channel);

/* Whether receives have no sender any more.  If not, *out_id is one that lives, or 0. */
int csysi_shared_are_senders_gone(const csys_shared_channel *channel, uint32_t *out_id);

/* Sleep on a word of the ring that is 1, while the member with the id lives, if it is not 0. */
void csysi_shared_sleep(const csys_shared_channel *channel, const uint32_t *word, uint32_t id,
			csys_deadline deadline);

#endif
