/*
 * sync/ledger.c - which locks a thread holds.
 *
 * Each thread has a list of the locks that it holds: the poisoning ones, and the rwlocks
 * that it reads.  When the thread ends, they are marked and released, the newest first, so
 * that no thread waits for a holder that is gone.
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
#include "sync/ledger.h"

#include <stdint.h>
#include <string.h>

#include <csys/base/result.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/thread.h"

#define ROOM 16

/* In `how`, beside those of csys/sync/ledger.h: the level that a reentrant lock had. */
#define LEVEL UINT8_MAX

/* Kinds that can still be added before `how` of a note has to grow. */
_Static_assert(CSYSI_HELD_KINDS + 8 <= LEVEL, "a note has room for kinds to come");

/* An entry has the kind in the bits that are 0 in the address of a lock. */
_Static_assert(_Alignof(csys_mutex) >= CSYSI_HELD_IN_ENTRY &&
		       _Alignof(csys_rwlock) >= CSYSI_HELD_IN_ENTRY &&
		       _Alignof(csys_once) >= CSYSI_HELD_IN_ENTRY,
	       "an entry tells the kind from the lock");

/* What `only` is, by its address, if it is neither NULL nor a lock. */
static const char unwatched, several;

__thread struct csysi_ledger csysi_ledger = { &unwatched };

enum { STANDS, STRUCK, KEPT, SPARED };

/* Indices are one more than the place in the array; 0 is none. */
struct note {
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

static _Thread_local struct {
	struct note *items; /* NULL while unwatched */
	size_t used, room;
	size_t standing;
	size_t kept;       /* in that state, also after the mark is gone */
	size_t levels;     /* that stand */
	uint32_t *buckets; /* behind the items, `room` of them; all 0 while not is_hashed */
	int is_hashed;
	int is_abandoned;
	uint64_t now;
	struct csysi_ledger_mark *mark; /* the newest */
	struct note first[ROOM];
} own;

#ifdef CSYSI_FAULTS
_Thread_local unsigned long csysi_ledger_looks;
#define LOOK() (csysi_ledger_looks++)
#else
#define LOOK() ((void)0)
#endif

/* Have the end of this thread noticed, and begin its list.  0: there is no memory for that. */
static int watch(void)
{
	if (csysi_ledger.only != &unwatched)
		return 1;
	if (csysi_thread_watch() < 0)
		return 0;
	own.items = own.first;
	own.room = ROOM;
	csysi_ledger.only = NULL;
	return 1;
}

/* ---- buckets ------------------------------------------------------------ */

static uint32_t *bucket_of(const void *lock, int how)
{
	/* Fibonacci hashing: the upper half of the product depends on all of the address. */
	uint64_t product = ((uintptr_t)lock + (unsigned)how) * 0x9e3779b97f4a7c15u;

	return &own.buckets[(product >> 32) & (own.room - 1)];
}

static int is_of(const struct note *note, const void *lock, int how)
{
	LOOK();
	return note->lock == lock && note->how == how;
}

/* Make it the newest note of its lock and how. */
static void link_note(size_t at)
{
	struct note *note = &own.items[at];
	uint32_t *link = bucket_of(note->lock, note->how);

	while (*link && !is_of(&own.items[*link - 1], note->lock, note->how))
		link = &own.items[*link - 1].next;
	note->previous = *link;
	note->next = *link ? own.items[*link - 1].next : 0;
	*link = (uint32_t)at + 1;
}

/* Unlink it, the newest note of its lock and how. */
static void unlink_note(size_t at)
{
	struct note *note = &own.items[at];
	uint32_t *link = bucket_of(note->lock, note->how);

	for (; *link != at + 1; LOOK())
		link = &own.items[*link - 1].next;
	if (note->previous)
		own.items[note->previous - 1].next = note->next;
	*link = note->previous ? note->previous : note->next;
}

/* Fill the buckets anew, if there are any. */
static void hash(void)
{
	if (!own.buckets)
		return;
	LOOK();
	memset(own.buckets, 0, own.room * sizeof *own.buckets);
	for (size_t i = 0; i < own.used; i++)
		if (own.items[i].state == STANDS)
			link_note(i);
	own.is_hashed = 1;
}

/* ---- the array ---------------------------------------------------------- */

/* Whether the lock of a note that does not stand was held at this mark. */
static int was_held_at(const struct note *note, const struct csysi_ledger_mark *mark)
{
	return mark && note->made < mark->time && mark->time <= note->at.struck;
}

/* The oldest mark that is newer than a note, from `mark` on; the newest mark if none is. */
static const struct csysi_ledger_mark *mark_after(const struct csysi_ledger_mark *mark,
						  const struct note *note)
{
	while (mark && mark->before && mark->before->time > note->made)
		mark = mark->before;
	return mark;
}

static void drop_note(struct note *note)
{
	own.kept -= note->state == KEPT;
	note->lock = NULL;
}

/* Leave out the notes that no mark needs.  Indices change. */
static void compact(void)
{
	const struct csysi_ledger_mark *mark = own.mark;
	size_t used = 0;

	/* From the newest, so that the marks are gone through once. */
	for (size_t i = own.used; i-- > 0;) {
		struct note *note = &own.items[i];
		LOOK();
		mark = mark_after(mark, note);
		if (note->state != STANDS && !was_held_at(note, mark))
			drop_note(note);
	}
	for (size_t i = 0; i < own.used; i++)
		if (own.items[i].lock)
			own.items[used++] = own.items[i];
	own.used = used;
	if (own.is_hashed)
		hash();
}

static int grow(void)
{
	size_t room = 2 * own.room;
	struct note *items = csysi_alloc(room * (sizeof *items + sizeof *own.buckets));

	if (!items)
		return 0;
	memcpy(items, own.items, own.used * sizeof *items);
	if (own.items != own.first)
		csysi_free(own.items);
	own.items = items;
	own.room = room;
	own.buckets = (uint32_t *)(void *)(items + room);
	hash();
	return 1;
}

/* Room for one more.  A compaction makes room for a quarter at least, or it grows. */
static int make_room(void)
{
	if (own.used < own.room)
		return 1;
	if (own.used - own.standing > own.used / 2)
		compact();
	if (own.used > own.room / 4 * 3 && !grow())
		compact();
	return own.used < own.room;
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
static void unfold(void)
{
	const void *only = csysi_ledger.only;
	uintptr_t noted = (uintptr_t)only;

	if (only == &unwatched || only == &several || !only)
		return;
	own.items[0] = (struct note){ .lock = (const char *)only - noted % CSYSI_HELD_IN_ENTRY,
				      .made = own.now,
				      .how = noted % CSYSI_HELD_IN_ENTRY };
	own.used = own.standing = 1;
}

static void forget_all(void)
{
	/* The buckets are empty as soon as no note stands. */
	if (own.standing > 0 && own.is_hashed)
		unlink_note(0);
	own.is_hashed = 0;
	own.used = own.standing = own.kept = 0;
}

static int is_after_marks(const struct note *note)
{
	return !own.mark || note->made >= own.mark->time;
}

static void fold(void)
{
	if (csysi_ledger.only == &unwatched)
		return;
	/* At least half of the notes can go, so this is paid for by their strikes. */
	if (own.standing <= 1 && 2 * (own.used - own.standing - own.kept) > own.used)
		compact();
	const struct note *first = own.items;
	csysi_ledger.only = &several;
	if (own.used > 1)
		return;
	if (own.used == 0)
		csysi_ledger.only = NULL;
	else if (first->state == STANDS && fits_entry(first->how) && is_after_marks(first))
		csysi_ledger.only = entry_of(first->lock, first->how);
	else
		return;
	forget_all();
}

/* Add a note, to what is unfolded.  NULL: there is no memory for it. */
static struct note *put(const void *lock, int how)
{
	if (!make_room())
		return NULL;
	if (!own.is_hashed && own.used == ROOM)
		hash();
	struct note *note = &own.items[own.used++];
	*note = (struct note){ .lock = lock, .made = own.now, .how = (uint8_t)how };
	own.standing++;
	if (own.is_hashed)
		link_note(own.used - 1);
	return note;
}

static int add(const void *lock, int how)
{
	if (!watch())
		return 0;
	unfold();
	int is_noted = put(lock, how) != NULL;
	fold();
	return is_noted;
}

/* Where the newest note of it stands; own.used if nowhere. */
static size_t find(const void *lock, int how)
{
	if (own.is_hashed) {
		uint32_t at = *bucket_of(lock, how);
		while (at && !is_of(&own.items[at - 1], lock, how))
			at = own.items[at - 1].next;
		return at ? at - 1 : own.used;
	}
	for (size_t i = own.used; i-- > 0; LOOK())
		if (own.items[i].state == STANDS && is_of(&own.items[i], lock, how))
			return i;
	return own.used;
}

/* Strike a note, the newest of its lock and how. */
static void strike_at(size_t at)
{
	struct note *note = &own.items[at];
	int is_kept = !is_after_marks(note);

	if (own.is_hashed)
		unlink_note(at);
	own.levels -= note->how == LEVEL;
	note->at.struck = own.now;
	note->state = is_kept ? KEPT : STRUCK;
	own.kept += (size_t)is_kept;
	own.standing--;
	while (own.used > 0) {
		struct note *last = &own.items[own.used - 1];
		if (last->state == STANDS || was_held_at(last, mark_after(own.mark, last)))
			break;
		drop_note(last);
		own.used--;
	}
}

/* Strike the newest note of it.  0: there is none. */
static int strike(const void *lock, int how)
{
	unfold();
	size_t at = find(lock, how);
	int is_there = at < own.used;
	if (is_there)
		strike_at(at);
	fold();
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
	if (!add(lock, how))
		csysi_or_relaxed(marks, CSYSI_MARK_UNTRACKED);
	return now & CSYSI_MARK_POISONED ? CSYS_POISONED : 0;
}

int csysi_leave(uint32_t *marks, const void *lock, int how)
{
	csysi_checked_leaves(lock, how, own.is_abandoned);
	uint32_t now = csysi_load_relaxed(marks);
	if (now & CSYSI_MARK_NO_POISON)
		return 1;

	if (strike(lock, how))
		return 1;
	if (now & CSYSI_MARK_UNTRACKED) {
		/* There may be more readers that are not tracked. */
		if (how != CSYSI_HELD_READ)
			csysi_and_relaxed(marks, ~(uint32_t)CSYSI_MARK_UNTRACKED);
		return 1;
	}
	if (!own.is_abandoned)
		csysi_os_abort("unlock of a lock that this thread does not hold");
	return 0;
}

int csysi_holds(const void *lock, int how)
{
	if (csysi_ledger.only == &several)
		return find(lock, how) < own.used;
	return fits_entry(how) && csysi_ledger.only == entry_of(lock, how);
}

int csysi_may_hold(const uint32_t *marks, const void *lock, int how)
{
	uint32_t now = csysi_load_relaxed(marks);

	return (now & (CSYSI_MARK_NO_POISON | CSYSI_MARK_UNTRACKED)) || csysi_holds(lock, how);
}

void csysi_holds_now(uint32_t *marks, const void *lock, int before, int now)
{
	csysi_checked_holds_now(lock, now);
	/* Struck and made anew, and not changed: a mark in between keeps how it was held. */
	if (strike(lock, before)) {
		if (!add(lock, now))
			csysi_or_relaxed(marks, CSYSI_MARK_UNTRACKED);
	} else if (!csysi_may_hold(marks, lock, before)) {
		csysi_os_abort("a lock is not held that should be");
	}
}

/* ---- poison ------------------------------------------------------------- */

int csysi_is_poisoned(const uint32_t *marks)
{
	return (csysi_load_relaxed(marks) & CSYSI_MARK_POISONED) != 0;
}

void csysi_clear_poison(uint32_t *marks)
{
	csysi_and_relaxed(marks, ~(uint32_t)CSYSI_MARK_POISONED);
}

void csysi_poison(uint32_t *marks)
{
	if (!(csysi_load_relaxed(marks) & CSYSI_MARK_NO_POISON))
		csysi_or_relaxed(marks, CSYSI_MARK_POISONED);
}

/* ---- the end of a thread ------------------------------------------------ */

size_t csysi_ledger_depth(void)
{
	const void *only = csysi_ledger.only;

	if (only == &several)
		return own.standing - own.levels;
	return only && only != &unwatched;
}

static int is_lock(const struct note *note)
{
	return note->state == STANDS && note->how != LEVEL;
}

static void abandon(void *lock, int how)
{
	csysi_checked_leaves(lock, how, 1);
	switch (how) {
	case CSYSI_HELD_MUTEX:
		csysi_mutex_abandon(lock);
		break;
	case CSYSI_HELD_WRITE:
	case CSYSI_HELD_READ:
		csysi_rwlock_abandon(lock, how);
		break;
	case CSYSI_HELD_ONCE:
		csysi_once_abandon(lock);
		break;
	default:
		csysi_os_abort("a kind of lock that the ledger cannot abandon");
	}
}

/* Strike the newest note of a lock, if it was made at that time or later, and abandon the
 * lock.  0: there is none. */
static int abandon_newest(uint64_t since)
{
	unfold();
	size_t at = own.used;
	for (; at > 0 && !is_lock(&own.items[at - 1]); LOOK())
		at--;
	if (at == 0 || own.items[at - 1].made < since) {
		fold();
		return 0;
	}
	/* The note was made of a pointer to a lock that can be changed. */
	void *lock = (void *)(uintptr_t)own.items[at - 1].lock;
	int how = own.items[at - 1].how;
	strike_at(at - 1);
	fold();
	own.is_abandoned = 1;
	abandon(lock, how);
	return 1;
}

void csysi_ledger_abandon(void)
{
	while (abandon_newest(0))
		;
}

void csysi_ledger_end(void)
{
	own.mark = NULL;
	csysi_ledger_abandon();
	if (own.items != own.first)
		csysi_free(own.items);
	own.items = NULL;
	own.buckets = NULL;
	own.used = own.standing = own.kept = own.levels = 0;
	own.is_hashed = 0;
	csysi_ledger.only = &unwatched;
}

/* ---- marks of catches --------------------------------------------------- */

void csysi_ledger_mark(struct csysi_ledger_mark *mark)
{
	unfold();
	mark->time = ++own.now;
	mark->before = own.mark;
	own.mark = mark;
	fold();
}

/* The note before this one of the same lock and how, while both stand. */
static const struct note *older(size_t at)
{
	const struct note *note = &own.items[at];

	if (own.is_hashed)
		return note->previous ? &own.items[note->previous - 1] : NULL;
	for (size_t i = at; i-- > 0;)
		if (own.items[i].state == STANDS && is_of(&own.items[i], note->lock, note->how))
			return &own.items[i];
	return NULL;
}

/* Of the levels noted since a mark that is gone, strike those that the older mark does not
 * need: it knows that level already, or the lock was not held at that mark. */
static void hand_on_levels(const struct csysi_ledger_mark *gone)
{
	const struct csysi_ledger_mark *mark = gone->before;

	for (size_t i = own.used; i-- > 0 && own.items[i].made >= gone->time;) {
		const struct note *note = &own.items[i];
		if (note->state != STANDS || note->how != LEVEL)
			continue;
		const struct note *first = older(i);
		if (!mark || note->at.mutex_made >= mark->time ||
		    (first && first->made >= mark->time))
			strike_at(i);
	}
}

void csysi_ledger_unmark(struct csysi_ledger_mark *mark)
{
	unfold();
	own.mark = mark->before;
	if (own.levels > 0)
		hand_on_levels(mark);
	fold();
}

void csysi_ledger_note_level(const csys_reentrant *lock)
{
	if (!own.mark)
		return;
	unfold();
	size_t mutex = find(&lock->mutex, CSYSI_HELD_MUTEX);
	size_t level = find(lock, LEVEL);
	if (mutex < own.used && own.items[mutex].made < own.mark->time &&
	    (level == own.used || own.items[level].made < own.mark->time)) {
		uint64_t mutex_made = own.items[mutex].made;
		struct note *note = put(lock, LEVEL);
		if (note) {
			note->level = lock->more;
			note->at.mutex_made = mutex_made;
			own.levels++;
		}
	}
	fold();
}

/* ---- back to what was held at a mark ------------------------------------ */

/* Where it stands, if it was locked inside; own.used if not. */
static size_t find_inside(const void *lock, int how, const struct csysi_ledger_mark *mark)
{
	size_t at = find(lock, how);

	return at < own.used && own.items[at].made >= mark->time ? at : own.used;
}

/* Levels, of the locks that are held still.  Those of others are for the older marks. */
static void restore_levels(const struct csysi_ledger_mark *mark)
{
	_Static_assert(offsetof(csys_reentrant, mutex) == 0, "a level is noted at its mutex");

	for (size_t i = own.used; i-- > 0 && own.items[i].made >= mark->time;) {
		const struct note *note = &own.items[i];
		if (note->state != STANDS || note->how != LEVEL)
			continue;
		csys_reentrant *lock = (csys_reentrant *)(uintptr_t)note->lock;
		if (find(&lock->mutex, CSYSI_HELD_MUTEX) == own.used)
			continue;
		lock->more = note->level;
		strike_at(i);
	}
}

/* A rwlock that was held in this way, and is held in the other one now, changes back. */
static void restore_way(csys_rwlock *lock, int how, const struct csysi_ledger_mark *mark)
{
	int other = how == CSYSI_HELD_READ ? CSYSI_HELD_WRITE : CSYSI_HELD_READ;
	size_t at = find_inside(lock, other, mark);

	if (at == own.used)
		return;
	own.is_abandoned = 1;
	if (how == CSYSI_HELD_READ) {
		fold();
		csys_rwlock_poison(lock);
		csys_rwlock_downgrade(lock);
		unfold();
		at = find_inside(lock, CSYSI_HELD_READ, mark);
		if (at < own.used)
			own.items[at].level = 1;
		return;
	}
	while (at < own.used) {
		strike_at(at);
		fold();
		abandon(lock, CSYSI_HELD_READ);
		unfold();
		at = find_inside(lock, CSYSI_HELD_READ, mark);
	}
	fold();
	(void)csys_rwlock_write(lock);
	csysi_tsan_acquire(&lock->word); /* it is inline, and compiled here */
	unfold();
}

static void restore_ways(const struct csysi_ledger_mark *mark)
{
	/* Downwards: a compaction in between moves what was not seen yet further down. */
	for (size_t i = own.used; i-- > 0;) {
		if (i >= own.used)
			continue;
		struct note *note = &own.items[i];
		int is_rwlock = note->how == CSYSI_HELD_READ || note->how == CSYSI_HELD_WRITE;
		if (is_rwlock && note->state == KEPT && was_held_at(note, mark))
			restore_way((csys_rwlock *)(uintptr_t)note->lock, note->how, mark);
	}
}

/*
 * For each lock that was held at the mark, was released inside, and is held again: the note
 * made inside goes, and the old one is to stand again.
 *
 * One write lock inside takes the place of all read locks that were held at the mark.  So the
 * read lock that was made of it stays, and is abandoned afterwards; each of the old ones is
 * locked again, which never waits.
 */
static void spare(const struct csysi_ledger_mark *mark)
{
	for (size_t i = 0; i < own.used; i++) {
		struct note *note = &own.items[i];
		if (note->state != KEPT || !was_held_at(note, mark))
			continue;
		size_t at = find_inside(note->lock, note->how, mark);
		if (at == own.used)
			continue;
		int was_write = note->how == CSYSI_HELD_READ && own.items[at].level;
		if (was_write && !csysi_rwlock_read_again((csys_rwlock *)(uintptr_t)note->lock))
			continue; /* there are too many readers */
		note->state = SPARED;
		own.kept--;
		if (!was_write)
			strike_at(at);
	}
}

/* Only now, when no newer notes of these locks are left: so they are linked in order. */
static void stand_again(void)
{
	for (size_t i = 0; i < own.used; i++) {
		if (own.items[i].state != SPARED)
			continue;
		own.items[i].state = STANDS;
		own.standing++;
		if (own.is_hashed)
			link_note(i);
	}
}

void csysi_ledger_abandon_after(const struct csysi_ledger_mark *mark)
{
	unfold();
	restore_levels(mark);
	size_t kept = own.kept;
	if (kept > 0) {
		restore_ways(mark);
		spare(mark);
	}
	fold();
	while (abandon_newest(mark->time))
		;
	unfold();
	if (kept > 0)
		stand_again();
	fold();
}

int csysi_ledger_is_abandoned(void)
{
	return own.is_abandoned;
}

void csysi_ledger_set_abandoned(int is_abandoned)
{
	own.is_abandoned = is_abandoned;
}
