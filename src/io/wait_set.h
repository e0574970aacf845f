/*
 * io/wait_set.h - wait sets, from inside.
 *
 * An entry is in one place, by its mode:
 *
 *   HANDLE          in the ring of its source: the handle, which several entries may share, since
 *                   the system knows one registration of each
 *   LOOK, ALWAYS,   in the ring `looked`, unless it is paused: objects without a handle, files,
 *   BAD             and handles that were found to be closed
 *   TIMER           in the heap, if it is set and not paused
 *
 * All that is not a source is served by the one alarm of the system's set (os/pollset.h).
 * Invariant: outside the lock the alarm is at the earliest point where one of these may be ready,
 * or before it.
 *
 * Each file of the noun has one part of it: wait_set_slots.c the memory of entries and sources,
 * wait_set_source.c the handles, wait_set_timer.c the heap, wait_set_wait.c the waits, and
 * wait_set.c the calls.
 */
#ifndef CSYSI_IO_WAIT_SET_H
#define CSYSI_IO_WAIT_SET_H

#include <stddef.h>

#include <csys/io/wait_set.h>

#include "base/atomic.h"
#include "base/backoff.h"
#include "os/os.h"
#include "sync/lock.h"

/* ---- slots: memory that stays where it is, and has an identity (wait_set_slots.c) -------- */

/* The first member of what is in a slot. */
struct csysi_slot {
	uint32_t index;
	uint32_t generation; /* how often the slot was given away; odd while it is in use */
	struct csysi_slot *next_free;
};

enum { CSYSI_SLOT_CHUNKS = 26, CSYSI_SLOT_FIRST_BIT = 5, CSYSI_SLOT_FIRST = 1 << 5 };

struct csysi_slots {
	size_t size;    /* of a slot */
	uint32_t count; /* that were made */
	struct csysi_slot *free;
	char *chunks[CSYSI_SLOT_CHUNKS]; /* each has twice as many as the one before */
};

/* Take a slot, zeroed behind its head.  NULL: no memory. */
void *csysi_slot_take(struct csysi_slots *slots);
void csysi_slot_give_back(struct csysi_slots *slots, void *slot);

/* The slot with a number that was given away. */
static inline struct csysi_slot *csysi_slot_at(const struct csysi_slots *slots, uint32_t index)
{
	/* Chunk k begins at FIRST * (2^k - 1). */
	uint32_t from_first = index + CSYSI_SLOT_FIRST;
	unsigned bit = 31u - (unsigned)__builtin_clz(from_first);
	uint32_t place = from_first - ((uint32_t)1 << bit);
	unsigned chunk = bit - CSYSI_SLOT_FIRST_BIT;
	return (struct csysi_slot *)(void *)(slots->chunks[chunk] + place * slots->size);
}

/* The identity of a slot in use, never 0, and the slot for it.  NULL if it is not in use, or is by
 * another one now. */
uint64_t csysi_slot_id(const void *slot);
static inline void *csysi_slot_find(const struct csysi_slots *slots, uint64_t id)
{
	uint32_t index = (uint32_t)id, generation = (uint32_t)(id >> 32);

	if (!CSYSI_LIKELY(index < slots->count))
		return NULL;
	struct csysi_slot *slot = csysi_slot_at(slots, index);
	return slot->generation == generation && generation % 2 == 1 ? slot : NULL;
}

void csysi_slots_free(struct csysi_slots *slots);

/* ---- entries and sources --------------------------------------------------------------- */

/* A ring; an empty one, and what is in none, points to itself. */
struct csysi_ring {
	struct csysi_ring *next, *previous;
};

static inline void csysi_ring_begin(struct csysi_ring *ring)
{
	ring->next = ring->previous = ring;
}

static inline int csysi_ring_is_empty(const struct csysi_ring *ring)
{
	return ring->next == ring;
}

static inline void csysi_ring_take_out(struct csysi_ring *link)
{
	link->next->previous = link->previous;
	link->previous->next = link->next;
	csysi_ring_begin(link);
}

/* Put a link, which is in no ring, at the end of one. */
static inline void csysi_ring_append(struct csysi_ring *ring, struct csysi_ring *link)
{
	link->next = ring;
	link->previous = ring->previous;
	ring->previous->next = link;
	ring->previous = link;
}

/* Put `other`, which is in no ring, in the place of `link`. */
static inline void csysi_ring_replace(struct csysi_ring *link, struct csysi_ring *other)
{
	if (csysi_ring_is_empty(link))
		return;
	csysi_ring_append(link, other);
	csysi_ring_take_out(link);
}

static inline void csysi_ring_to_end(struct csysi_ring *ring, struct csysi_ring *link)
{
	if (ring->previous == link)
		return;
	csysi_ring_take_out(link);
	csysi_ring_append(ring, link);
}

enum csysi_entry_mode {
	CSYSI_ENTRY_HANDLE,
	CSYSI_ENTRY_LOOK,
	CSYSI_ENTRY_ALWAYS,
	CSYSI_ENTRY_BAD,
	CSYSI_ENTRY_TIMER
};

struct csysi_entry {
	struct csysi_ring link; /* in the ring of its source, or in `looked`, or in none */
	enum csysi_entry_mode mode;
	int is_paused;
	csys_token token;
	csys_waitable waitable;
	struct csysi_source *source; /* if the mode is HANDLE */
	uint64_t round;              /* in which it was told last */
	int64_t at;                  /* of a timer: when it is due, INT64_MAX: never */
	int64_t period;
	size_t place; /* in the heap, from 1; 0: not in it */
	uint64_t id;
};

/* What is in a slot of `entries`. */
struct csysi_entry_slot {
	struct csysi_slot slot;
	struct csysi_entry entry;
};

static inline struct csysi_entry *csysi_entry_of(struct csysi_ring *link)
{
	return (struct csysi_entry *)(void *)((char *)link - offsetof(struct csysi_entry, link));
}

/* A handle that entries wait for. */
struct csysi_source {
	struct csysi_slot slot;
	struct csysi_source *next; /* in its chain */
	csys_handle handle;
	unsigned interest; /* as it is registered; 0: it is not */
	struct csysi_ring entries;
};

/* Between two looks at what has no handle, ns. */
enum { CSYSI_LOOK_FIRST = 1000000, CSYSI_LOOK_LAST = 5000000 };

struct csys_wait_set {
	struct csysi_os_pollset os;
	uint32_t generation;     /* of the process that has made it... */
	const uint32_t *is_here; /* ...which stands here in that process alone */
	struct csysi_lock lock;  /* for all that follows */
	struct csysi_slots entries;
	struct csysi_slots sources;
	struct csysi_source **chains; /* by handle */
	size_t chain_count;           /* a power of 2 */
	size_t source_count;
	size_t lost_count; /* registrations that could not be ended, since the last clear */
	struct csysi_ring looked;
	int64_t look_at;           /* when these are looked at next; 1: at once */
	struct csysi_backoff naps; /* between two looks */
	struct csysi_entry **heap; /* from 1 */
	size_t heap_count;
	size_t heap_capacity;
	size_t timer_count; /* entries of mode TIMER, for which the heap has room */
	int64_t alarm;      /* as the system has it */
	int has_alarm;      /* the system has made it */
	uint64_t round;
	int timers_first; /* in the next round */
};

/* ---- handles (wait_set_source.c); under the set's lock --------------------------------- */

/*
 * Put an entry with a handle, which is not paused, into its source; or, if that is a file, into no
 * ring: its mode says which.  After a failure it is nowhere.
 */
int csysi_source_enter(csys_wait_set *set, struct csysi_entry *entry);

/* Let an entry that is not paused wait for the other direction of its handle. */
int csysi_source_turn(csys_wait_set *set, struct csysi_entry *entry, int writing);

/* Take it out. */
void csysi_source_leave(csys_wait_set *set, struct csysi_entry *entry);

/*
 * Register what the entries of a source wait for now.  CSYS_EBADF: the handle was closed, and all
 * of them are BAD.  After another failure nothing has changed.
 */
int csysi_source_update(csys_wait_set *set, struct csysi_source *source);

/* The handle of a source was closed: its entries are BAD, and it is gone. */
void csysi_source_end(csys_wait_set *set, struct csysi_source *source);

/* Get rid of registrations that could not be ended. */
int csysi_source_renew(csys_wait_set *set);

/* ---- timers (wait_set_timer.c); under the set's lock ----------------------------------- */

/* Make room in the heap for all timers and one more. */
int csysi_timer_reserve(csys_wait_set *set);

/* Put a timer into the heap, if it is set and not paused; take it out. */
void csysi_timer_enter(csys_wait_set *set, struct csysi_entry *entry);
void csysi_timer_leave(csys_wait_set *set, struct csysi_entry *entry);

/* Take the timer that is due first at `now`, and move it to its next point.  NULL: none is.
 * *out_count: how often it was due. */
struct csysi_entry *csysi_timer_take(csys_wait_set *set, int64_t now, uint64_t *out_count);

/* ---- calls and waits ------------------------------------------------------------------ */

/* 0 for a set of this process; CSYS_EINVAL for NULL, CSYS_EBADF for a set of the parent. */
static inline int csysi_wait_set_check(const csys_wait_set *set)
{
	if (!set)
		return CSYS_EINVAL;
	/* Relaxed: it changes in copies of this process, while they have one thread. */
	return CSYSI_LIKELY(set->generation == csysi_load_relaxed(set->is_here)) ? 0 : CSYS_EBADF;
}

/* For waitables of sets without a handle: whether a wait for the set would not wait. */
int csysi_wait_set_is_ready(void *set);

/* Put an entry into the ring `looked`, to be looked at at once. */
void csysi_wait_set_look_at(csys_wait_set *set, struct csysi_entry *entry);

/* Set the alarm to where it has to be, or if it was not served now, perhaps leave it earlier.
 * Under the set's lock.  Fails for the first alarm only. */
int csysi_wait_set_schedule(csys_wait_set *set, int is_served);

#endif
