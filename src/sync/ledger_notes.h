/*
 * sync/ledger_notes.h - the list of locks that a thread holds, for ledger.c and ledger_mark.c.
 *
 * What it is and how it works: sync/ledger_notes.c.
 */
#ifndef CSYSI_SYNC_LEDGER_NOTES_H
#define CSYSI_SYNC_LEDGER_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "sync/ledger.h"

#define CSYSI_NOTES_ROOM 16

/* In `how`, beside those of csys/sync/ledger.h: the level that a reentrant lock had. */
#define CSYSI_NOTE_LEVEL UINT8_MAX

enum { CSYSI_NOTE_STANDS, CSYSI_NOTE_STRUCK, CSYSI_NOTE_KEPT, CSYSI_NOTE_SPARED };

/* Indices are one more than the place in the array; 0 is none. */
struct csysi_note {
	const void *lock;
	uint64_t made;
	union {
		uint64_t struck;     /* when, if it does not stand */
		uint64_t mutex_made; /* of a level: when the note of its mutex was made */
	} at;
	uint32_t level; /* of a reentrant lock; of a read lock made of a write lock, 1: see spare */
	uint32_t previous; /* of the same lock and how, while it stands */
	uint32_t next;     /* in its bucket, if it is the newest of its lock and how */
	uint8_t how;
	uint8_t state;
};

struct csysi_notes {
	struct csysi_note *items; /* NULL while unwatched */
	size_t used, room;
	size_t standing;
	size_t kept;       /* in that state, also after the mark is gone */
	size_t levels;     /* that stand */
	uint32_t *buckets; /* behind the items, `room` of them; all 0 while not is_hashed */
	int is_hashed;
	int is_abandoned;
	uint64_t now;
	struct csysi_ledger_mark *mark; /* the newest */
	struct csysi_note first[CSYSI_NOTES_ROOM];
};

extern _Thread_local struct csysi_notes csysi_notes;

#ifdef CSYSI_FAULTS
#define CSYSI_NOTE_LOOK() (csysi_ledger_looks++)
#else
#define CSYSI_NOTE_LOOK() ((void)0)
#endif

/*
 * Put what the pointer has into the array, to look there and to change it; fold puts it back into
 * the pointer, if one entry is enough.
 */
void csysi_notes_unfold(void);
void csysi_notes_fold(void);

/* Add a note, to what is unfolded.  NULL: there is no memory for it. */
struct csysi_note *csysi_notes_put(const void *lock, int how);

/* Where the newest note of it stands; `used` if nowhere. */
size_t csysi_notes_find(const void *lock, int how);

/* Strike a note of what is unfolded, the newest of its lock and how. */
void csysi_notes_strike_at(size_t at);

/* Add a note; strike the newest note of a lock.  Both unfold and fold.  0: there is no memory for
 * it; there is none. */
int csysi_notes_add(const void *lock, int how);
int csysi_notes_strike(const void *lock, int how);

/* There are buckets: make a note the newest of its lock and how. */
void csysi_notes_link(size_t at);

/* Whether a note is of that lock and how. */
static inline int csysi_note_is_of(const struct csysi_note *note, const void *lock, int how)
{
	CSYSI_NOTE_LOOK();
	return note->lock == lock && note->how == how;
}

/* Whether the lock of a note that does not stand was held at this mark. */
static inline int csysi_note_was_held_at(const struct csysi_note *note,
					 const struct csysi_ledger_mark *mark)
{
	return mark && note->made < mark->time && mark->time <= note->at.struck;
}

/* Poison and release a lock that is not in the list any more (ledger.c). */
void csysi_ledger_abandon_lock(void *lock, int how);

/* Strike the newest note of a lock, if it was made at that time or later, and abandon the lock.
 * 0: there is none. */
int csysi_ledger_abandon_newest(uint64_t since);

/* The thread ends, and no note stands: free the memory. */
void csysi_notes_end(void);

#endif
