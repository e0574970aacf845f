/*
 * sync/ledger_notes.c - the list of locks that a thread holds.
 *
 * Mostly it is one lock or none.  Then the list is one pointer, which the callers of
 * lock and unlock set and clear in their own code; every store before an atomic
 * operation makes that wait, so there are as few as can be.  With more than one the
 * list is an array of notes, the pointer is `several`, and everything is done here.  The
 * array begins as one of the thread's own and needs memory only beyond ROOM.
 * Kinds of locks that do not fit into an entry are always in the array.
 *
 *   only:  unwatched ---> NULL <---> a lock <---> several, in items
 *
 * Notes stand in the order of locking.  A note that is struck stays where it is until the
 * array is compacted, so striking moves nothing.  Beyond ROOM notes, buckets lead from
 * (lock, how) to its newest note, and each note to the one before it of the same lock and
 * how.  So every operation takes constant time on average, in any order of unlocking.
 *
 * Time is counted in marks of csys_panic_catch.  A note knows when it was made and when it
 * was struck.  Made before a mark and struck after it: the lock was held at the mark, and
 * the body released it.  Such a note is kept as long as its mark, for a panic compares:
 * a lock that was held at the mark and is held again stays held.  Invariant: a lock in
 * `only` was locked after the newest mark.
 *
 * Only its own thread touches a ledger, so there is nothing atomic; in a forked child it
 * is that of the thread which forked, as are the locks.
 */
#include "sync/ledger_notes.h"

#include <string.h>

#include <csys/base/result.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/thread.h"

/* Kinds that can still be added before `how` of a note has to grow. */
_Static_assert(CSYSI_HELD_KINDS + 8 <= CSYSI_NOTE_LEVEL, "a note has room for kinds to come");

/* An entry has the kind in the bits that are 0 in the address of a lock. */
_Static_assert(_Alignof(csys_mutex) >= CSYSI_HELD_IN_ENTRY &&
		       _Alignof(csys_rwlock) >= CSYSI_HELD_IN_ENTRY &&
		       _Alignof(csys_once) >= CSYSI_HELD_IN_ENTRY,
	       "an entry tells the kind from the lock");

/* What `only` is, by its address, if it is neither NULL nor a lock. */
static const char unwatched, several;

__thread struct csysi_ledger csysi_ledger = { &unwatched };

_Thread_local struct csysi_notes csysi_notes;

#ifdef CSYSI_FAULTS
_Thread_local unsigned long csysi_ledger_looks;
#endif

/* Have the end of this thread noticed, and begin its list.  0: there is no memory for that. */
static int watch(void)
{
	if (csysi_ledger.only != &unwatched)
		return 1;
	if (csysi_thread_watch() < 0)
		return 0;
	csysi_notes.items = csysi_notes.first;
	csysi_notes.room = CSYSI_NOTES_ROOM;
	csysi_ledger.only = NULL;
	return 1;
}

/* ---- buckets ------------------------------------------------------------ */

static uint32_t *bucket_of(const void *lock, int how)
{
	/* Fibonacci hashing: the upper half of the product depends on all of the address. */
	uint64_t product = ((uintptr_t)lock + (unsigned)how) * 0x9e3779b97f4a7c15u;

	return &csysi_notes.buckets[(product >> 32) & (csysi_notes.room - 1)];
}

/* Make it the newest note of its lock and how. */
void csysi_notes_link(size_t at)
{
	struct csysi_note *note = &csysi_notes.items[at];
	uint32_t *link = bucket_of(note->lock, note->how);

	while (*link && !csysi_note_is_of(&csysi_notes.items[*link - 1], note->lock, note->how))
		link = &csysi_notes.items[*link - 1].next;
	note->previous = *link;
	note->next = *link ? csysi_notes.items[*link - 1].next : 0;
	*link = (uint32_t)at + 1;
}

/* Unlink it, the newest note of its lock and how. */
static void unlink_note(size_t at)
{
	struct csysi_note *note = &csysi_notes.items[at];
	uint32_t *link = bucket_of(note->lock, note->how);

	for (; *link != at + 1; CSYSI_NOTE_LOOK())
		link = &csysi_notes.items[*link - 1].next;
	if (note->previous)
		csysi_notes.items[note->previous - 1].next = note->next;
	*link = note->previous ? note->previous : note->next;
}

/* Fill the buckets anew, if there are any. */
static void hash(void)
{
	if (!csysi_notes.buckets)
		return;
	CSYSI_NOTE_LOOK();
	memset(csysi_notes.buckets, 0, csysi_notes.room * sizeof *csysi_notes.buckets);
	for (size_t i = 0; i < csysi_notes.used; i++)
		if (csysi_notes.items[i].state == CSYSI_NOTE_STANDS)
			csysi_notes_link(i);
	csysi_notes.is_hashed = 1;
}

/* ---- the array ---------------------------------------------------------- */

/* The oldest mark that is newer than a note, from `mark` on; the newest mark if none is. */
static const struct csysi_ledger_mark *mark_after(const struct csysi_ledger_mark *mark,
						  const struct csysi_note *note)
{
	while (mark && mark->before && mark->before->time > note->made)
		mark = mark->before;
	return mark;
}

static void drop_note(struct csysi_note *note)
{
	csysi_notes.kept -= note->state == CSYSI_NOTE_KEPT;
	note->lock = NULL;
}

/* Leave out the notes that no mark needs.  Indices change. */
static void compact(void)
{
	const struct csysi_ledger_mark *mark = csysi_notes.mark;
	size_t used = 0;

	/* From the newest, so that the marks are gone through once. */
	for (size_t i = csysi_notes.used; i-- > 0;) {
		struct csysi_note *note = &csysi_notes.items[i];
		CSYSI_NOTE_LOOK();
		mark = mark_after(mark, note);
		if (note->state != CSYSI_NOTE_STANDS && !csysi_note_was_held_at(note, mark))
			drop_note(note);
	}
	for (size_t i = 0; i < csysi_notes.used; i++)
		if (csysi_notes.items[i].lock)
			csysi_notes.items[used++] = csysi_notes.items[i];
	csysi_notes.used = used;
	if (csysi_notes.is_hashed)
		hash();
}

static int grow(void)
{
	size_t room = 2 * csysi_notes.room;
	struct csysi_note *items =
		csysi_alloc(room * (sizeof *items + sizeof *csysi_notes.buckets));

	if (!items)
		return 0;
	memcpy(items, csysi_notes.items, csysi_notes.used * sizeof *items);
	if (csysi_notes.items != csysi_notes.first)
		csysi_free(csysi_notes.items);
	csysi_notes.items = items;
	csysi_notes.room = room;
	csysi_notes.buckets = (uint32_t *)(void *)(items + room);
	hash();
	return 1;
}

/* Room for one more.  A compaction makes room for a quarter at least, or it grows. */
static int make_room(void)
{
	if (csysi_notes.used < csysi_notes.room)
		return 1;
	if (csysi_notes.used - csysi_notes.standing > csysi_notes.used / 2)
		compact();
	if (csysi_notes.used > csysi_notes.room / 4 * 3 && !grow())
		compact();
	return csysi_notes.used < csysi_notes.room;
}

static int fits_entry(int how)
{
	return how < CSYSI_HELD_IN_ENTRY;
}

/* CSYSI_ENTRY, for a kind that is known when the program runs. */
static const void *entry_of(const void *lock, int how)
{
	return (const char *)lock + how;
}

/* Put what `only` has into the array, to look there and to change it; fold puts it back into the
 * pointer, if one entry is enough. */
void csysi_notes_unfold(void)
{
	const void *only = csysi_ledger.only;
	uintptr_t noted = (uintptr_t)only;

	if (only == &unwatched || only == &several || !only)
		return;
	csysi_notes.items[0] =
		(struct csysi_note){ .lock = (const char *)only - noted % CSYSI_HELD_IN_ENTRY,
				     .made = csysi_notes.now,
				     .how = noted % CSYSI_HELD_IN_ENTRY };
	csysi_notes.used = csysi_notes.standing = 1;
}

static void forget_all(void)
{
	/* The buckets are empty as soon as no note stands. */
	if (csysi_notes.standing > 0 && csysi_notes.is_hashed)
		unlink_note(0);
	csysi_notes.is_hashed = 0;
	csysi_notes.used = csysi_notes.standing = csysi_notes.kept = 0;
}

static int is_after_marks(const struct csysi_note *note)
{
	return !csysi_notes.mark || note->made >= csysi_notes.mark->time;
}

void csysi_notes_fold(void)
{
	if (csysi_ledger.only == &unwatched)
		return;
	/* At least half of the notes can go, so this is paid for by their strikes. */
	if (csysi_notes.standing <= 1 &&
	    2 * (csysi_notes.used - csysi_notes.standing - csysi_notes.kept) > csysi_notes.used)
		compact();
	const struct csysi_note *first = csysi_notes.items;
	csysi_ledger.only = &several;
	if (csysi_notes.used > 1)
		return;
	if (csysi_notes.used == 0)
		csysi_ledger.only = NULL;
	else if (first->state == CSYSI_NOTE_STANDS && fits_entry(first->how) &&
		 is_after_marks(first))
		csysi_ledger.only = entry_of(first->lock, first->how);
	else
		return;
	forget_all();
}

/* Add a note, to what is unfolded.  NULL: there is no memory for it. */
struct csysi_note *csysi_notes_put(const void *lock, int how)
{
	if (!make_room())
		return NULL;
	if (!csysi_notes.is_hashed && csysi_notes.used == CSYSI_NOTES_ROOM)
		hash();
	struct csysi_note *note = &csysi_notes.items[csysi_notes.used++];
	*note = (struct csysi_note){ .lock = lock, .made = csysi_notes.now, .how = (uint8_t)how };
	csysi_notes.standing++;
	if (csysi_notes.is_hashed)
		csysi_notes_link(csysi_notes.used - 1);
	return note;
}

int csysi_notes_add(const void *lock, int how)
{
	if (!watch())
		return 0;
	csysi_notes_unfold();
	int is_noted = csysi_notes_put(lock, how) != NULL;
	csysi_notes_fold();
	return is_noted;
}

/* Where the newest note of it stands; csysi_notes.used if nowhere. */
size_t csysi_notes_find(const void *lock, int how)
{
	if (csysi_notes.is_hashed) {
		uint32_t at = *bucket_of(lock, how);
		while (at && !csysi_note_is_of(&csysi_notes.items[at - 1], lock, how))
			at = csysi_notes.items[at - 1].next;
		return at ? at - 1 : csysi_notes.used;
	}
	for (size_t i = csysi_notes.used; i-- > 0; CSYSI_NOTE_LOOK())
		if (csysi_notes.items[i].state == CSYSI_NOTE_STANDS &&
		    csysi_note_is_of(&csysi_notes.items[i], lock, how))
			return i;
	return csysi_notes.used;
}

/* Strike a note, the newest of its lock and how. */
void csysi_notes_strike_at(size_t at)
{
	struct csysi_note *note = &csysi_notes.items[at];
	int is_kept = !is_after_marks(note);

	if (csysi_notes.is_hashed)
		unlink_note(at);
	csysi_notes.levels -= note->how == CSYSI_NOTE_LEVEL;
	note->at.struck = csysi_notes.now;
	note->state = is_kept ? CSYSI_NOTE_KEPT : CSYSI_NOTE_STRUCK;
	csysi_notes.kept += (size_t)is_kept;
	csysi_notes.standing--;
	while (csysi_notes.used > 0) {
		struct csysi_note *last = &csysi_notes.items[csysi_notes.used - 1];
		if (last->state == CSYSI_NOTE_STANDS ||
		    csysi_note_was_held_at(last, mark_after(csysi_notes.mark, last)))
			break;
		drop_note(last);
		csysi_notes.used--;
	}
}

/* Strike the newest note of it.  0: there is none. */
int csysi_notes_strike(const void *lock, int how)
{
	csysi_notes_unfold();
	size_t at = csysi_notes_find(lock, how);
	int is_there = at < csysi_notes.used;
	if (is_there)
		csysi_notes_strike_at(at);
	csysi_notes_fold();
	return is_there;
}

/* ---- entering and leaving ----------------------------------------------- */

/* Relaxed, every access to marks: the lock orders what its holders do to them, and poison from
 * other threads is a flag that orders nothing. */

int csysi_enter(uint32_t *marks, const void *lock, int how)
{
	uint32_t now = csysi_load_relaxed(marks);

	csysi_checked_has(lock, how);
	if (now & CSYSI_MARK_NO_POISON)
		return 0;
	if (!csysi_notes_add(lock, how))
		csysi_or_relaxed(marks, CSYSI_MARK_UNTRACKED);
	return now & CSYSI_MARK_POISONED ? CSYS_POISONED : 0;
}

int csysi_leave(uint32_t *marks, const void *lock, int how)
{
	csysi_checked_leaves(lock, how, csysi_notes.is_abandoned);
	uint32_t now = csysi_load_relaxed(marks);
	if (now & CSYSI_MARK_NO_POISON)
		return 1;

	if (csysi_notes_strike(lock, how))
		return 1;
	if (now & CSYSI_MARK_UNTRACKED) {
		/* There may be more readers that are not tracked. */
		if (how != CSYSI_HELD_READ && how != CSYSI_HELD_UPGRADABLE)
			csysi_and_relaxed(marks, ~(uint32_t)CSYSI_MARK_UNTRACKED);
		return 1;
	}
	if (!csysi_notes.is_abandoned)
		csysi_os_abort("unlock of a lock that this thread does not hold");
	return 0;
}

void csysi_enter_shared_as(const void *lock, int how)
{
	csysi_checked_has(lock, how);
	(void)csysi_notes_add(lock, how);
}

int csysi_leave_shared_as(const void *lock, int how)
{
	csysi_checked_leaves(lock, how, csysi_notes.is_abandoned);
	return csysi_notes_strike(lock, how);
}

void csysi_enter_shared(const void *lock)
{
	csysi_enter_shared_as(lock, CSYSI_HELD_SHARED);
}

int csysi_leave_shared(const void *lock)
{
	return csysi_leave_shared_as(lock, CSYSI_HELD_SHARED);
}

/* ---- what a thread holds ------------------------------------------------ */

int csysi_holds(const void *lock, int how)
{
	if (csysi_ledger.only == &several)
		return csysi_notes_find(lock, how) < csysi_notes.used;
	return fits_entry(how) && csysi_ledger.only == entry_of(lock, how);
}

size_t csysi_ledger_depth(void)
{
	const void *only = csysi_ledger.only;

	if (only == &several)
		return csysi_notes.standing - csysi_notes.levels;
	return only && only != &unwatched;
}

void csysi_ledger_forget(const void *memory, size_t size)
{
	csysi_notes_unfold();
	/* From the newest, since only the newest note of a lock can be struck. */
	for (size_t i = csysi_notes.used; i-- > 0;) {
		struct csysi_note *note = &csysi_notes.items[i];
		if (i >= csysi_notes.used || (uintptr_t)note->lock - (uintptr_t)memory >= size)
			continue;
		if (note->state == CSYSI_NOTE_STANDS)
			csysi_notes_strike_at(i);
		if (i < csysi_notes.used && note->state == CSYSI_NOTE_KEPT) {
			/* As if it had not been held at the mark. */
			note->state = CSYSI_NOTE_STRUCK;
			note->at.struck = 0;
			csysi_notes.kept--;
		}
	}
	csysi_notes_fold();
}

void csysi_notes_end(void)
{
	if (csysi_notes.items != csysi_notes.first)
		csysi_free(csysi_notes.items);
	csysi_notes.items = NULL;
	csysi_notes.buckets = NULL;
	csysi_notes.used = csysi_notes.standing = csysi_notes.kept = csysi_notes.levels = 0;
	csysi_notes.is_hashed = 0;
	csysi_ledger.only = &unwatched;
}
