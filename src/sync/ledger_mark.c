/*
 * sync/ledger_mark.c - marks of csys_panic_catch, and going back to what was held at one.
 *
 * How notes and marks go together: sync/ledger_notes.c.
 */
#include <stddef.h>

#include "base/tsan.h"
#include "sync/ledger.h"
#include "sync/ledger_notes.h"

/* ---- marks of catches --------------------------------------------------- */

void csysi_ledger_mark(struct csysi_ledger_mark *mark)
{
	csysi_notes_unfold();
	mark->time = ++csysi_notes.now;
	mark->before = csysi_notes.mark;
	csysi_notes.mark = mark;
	csysi_notes_fold();
}

/* The note before this one of the same lock and how, while both stand. */
static const struct csysi_note *older(size_t at)
{
	const struct csysi_note *note = &csysi_notes.items[at];

	if (csysi_notes.is_hashed)
		return note->previous ? &csysi_notes.items[note->previous - 1] : NULL;
	for (size_t i = at; i-- > 0;)
		if (csysi_notes.items[i].state == CSYSI_NOTE_STANDS &&
		    csysi_note_is_of(&csysi_notes.items[i], note->lock, note->how))
			return &csysi_notes.items[i];
	return NULL;
}

/* Of the levels noted since a mark that is gone, strike those that the older mark does not
 * need: it knows that level already, or the lock was not held at that mark. */
static void hand_on_levels(const struct csysi_ledger_mark *gone)
{
	const struct csysi_ledger_mark *mark = gone->before;

	for (size_t i = csysi_notes.used; i-- > 0 && csysi_notes.items[i].made >= gone->time;) {
		const struct csysi_note *note = &csysi_notes.items[i];
		if (note->state != CSYSI_NOTE_STANDS || note->how != CSYSI_NOTE_LEVEL)
			continue;
		const struct csysi_note *first = older(i);
		if (!mark || note->at.mutex_made >= mark->time ||
		    (first && first->made >= mark->time))
			csysi_notes_strike_at(i);
	}
}

void csysi_ledger_unmark(struct csysi_ledger_mark *mark)
{
	csysi_notes_unfold();
	csysi_notes.mark = mark->before;
	if (csysi_notes.levels > 0)
		hand_on_levels(mark);
	csysi_notes_fold();
}

void csysi_ledger_note_level(const csys_reentrant *lock)
{
	if (!csysi_notes.mark)
		return;
	csysi_notes_unfold();
	size_t mutex = csysi_notes_find(&lock->mutex, CSYSI_HELD_MUTEX);
	size_t level = csysi_notes_find(lock, CSYSI_NOTE_LEVEL);
	if (mutex < csysi_notes.used && csysi_notes.items[mutex].made < csysi_notes.mark->time &&
	    (level == csysi_notes.used || csysi_notes.items[level].made < csysi_notes.mark->time)) {
		uint64_t mutex_made = csysi_notes.items[mutex].made;
		struct csysi_note *note = csysi_notes_put(lock, CSYSI_NOTE_LEVEL);
		if (note) {
			note->level = lock->more;
			note->at.mutex_made = mutex_made;
			csysi_notes.levels++;
		}
	}
	csysi_notes_fold();
}

/* ---- back to what was held at a mark ------------------------------------ */

/* Where it stands, if it was locked inside; csysi_notes.used if not. */
static size_t find_inside(const void *lock, int how, const struct csysi_ledger_mark *mark)
{
	size_t at = csysi_notes_find(lock, how);

	return at < csysi_notes.used && csysi_notes.items[at].made >= mark->time ? at
										 : csysi_notes.used;
}

/* Levels, of the locks that are held still.  Those of others are for the older marks. */
static void restore_levels(const struct csysi_ledger_mark *mark)
{
	_Static_assert(offsetof(csys_reentrant, mutex) == 0, "a level is noted at its mutex");

	for (size_t i = csysi_notes.used; i-- > 0 && csysi_notes.items[i].made >= mark->time;) {
		const struct csysi_note *note = &csysi_notes.items[i];
		if (note->state != CSYSI_NOTE_STANDS || note->how != CSYSI_NOTE_LEVEL)
			continue;
		csys_reentrant *lock = (csys_reentrant *)(uintptr_t)note->lock;
		if (csysi_notes_find(&lock->mutex, CSYSI_HELD_MUTEX) == csysi_notes.used)
			continue;
		lock->more = note->level;
		csysi_notes_strike_at(i);
	}
}

/* The way in which a rwlock is held that was locked inside; -1 if it is not. */
static int way_inside(const csys_rwlock *lock, const struct csysi_ledger_mark *mark)
{
	static const int ways[] = { CSYSI_HELD_WRITE, CSYSI_HELD_UPGRADABLE, CSYSI_HELD_READ };

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (find_inside(lock, ways[i], mark) < csysi_notes.used)
			return ways[i];
	return -1;
}

/* Release all that is held of it and was locked inside. */
static void release_inside(csys_rwlock *lock, const struct csysi_ledger_mark *mark)
{
	for (int way; (way = way_inside(lock, mark)) >= 0;) {
		csysi_notes_strike_at(find_inside(lock, way, mark));
		csysi_notes_fold();
		csysi_ledger_abandon_lock(lock, way);
		csysi_notes_unfold();
	}
}

/* What was read at the mark is written now, or read upgradably: read it again. */
static void restore_reading(csys_rwlock *lock, int way, const struct csysi_ledger_mark *mark)
{
	csysi_notes_fold();
	if (way == CSYSI_HELD_WRITE) {
		csys_rwlock_poison(lock);
		csys_rwlock_downgrade(lock);
	} else {
		csys_rwlock_downgrade_upgradable(lock);
	}
	csysi_notes_unfold();
	size_t at = find_inside(lock, CSYSI_HELD_READ, mark);
	if (at < csysi_notes.used)
		csysi_notes.items[at].level = 1;
}

/* A rwlock that was held in this way, and is held in another one now, changes back. */
static void restore_way(csys_rwlock *lock, int how, const struct csysi_ledger_mark *mark)
{
	int way = way_inside(lock, mark);

	if (way < 0 || find_inside(lock, how, mark) < csysi_notes.used)
		return;
	csysi_notes.is_abandoned = 1;
	if (how == CSYSI_HELD_READ) {
		restore_reading(lock, way, mark);
		return;
	}
	if (way == CSYSI_HELD_WRITE) {
		csysi_notes_fold();
		csys_rwlock_poison(lock);
		csys_rwlock_downgrade_to_upgradable(lock);
		csysi_notes_unfold();
		return;
	}
	release_inside(lock, mark);
	csysi_notes_fold();
	if (how == CSYSI_HELD_WRITE)
		(void)csys_rwlock_write(lock);
	else
		(void)csys_rwlock_upgradable_read(lock);
	csysi_tsan_acquire(&lock->word); /* writing is inline, and compiled here */
	csysi_notes_unfold();
}

static void restore_ways(const struct csysi_ledger_mark *mark)
{
	/* Downwards: a compaction in between moves what was not seen yet further down. */
	for (size_t i = csysi_notes.used; i-- > 0;) {
		if (i >= csysi_notes.used)
			continue;
		struct csysi_note *note = &csysi_notes.items[i];
		int is_rwlock = note->how == CSYSI_HELD_READ || note->how == CSYSI_HELD_WRITE ||
				note->how == CSYSI_HELD_UPGRADABLE;
		if (is_rwlock && note->state == CSYSI_NOTE_KEPT &&
		    csysi_note_was_held_at(note, mark))
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
	for (size_t i = 0; i < csysi_notes.used; i++) {
		struct csysi_note *note = &csysi_notes.items[i];
		if (note->state != CSYSI_NOTE_KEPT || !csysi_note_was_held_at(note, mark))
			continue;
		size_t at = find_inside(note->lock, note->how, mark);
		if (at == csysi_notes.used)
			continue;
		int was_write = note->how == CSYSI_HELD_READ && csysi_notes.items[at].level;
		if (was_write && !csysi_rwlock_read_again((csys_rwlock *)(uintptr_t)note->lock))
			continue; /* there are too many readers */
		note->state = CSYSI_NOTE_SPARED;
		csysi_notes.kept--;
		if (!was_write)
			csysi_notes_strike_at(at);
	}
}

/* Only now, when no newer notes of these locks are left: so they are linked in order. */
static void stand_again(void)
{
	for (size_t i = 0; i < csysi_notes.used; i++) {
		if (csysi_notes.items[i].state != CSYSI_NOTE_SPARED)
			continue;
		csysi_notes.items[i].state = CSYSI_NOTE_STANDS;
		csysi_notes.standing++;
		if (csysi_notes.is_hashed)
			csysi_notes_link(i);
	}
}

void csysi_ledger_abandon_after(const struct csysi_ledger_mark *mark)
{
	csysi_notes_unfold();
	restore_levels(mark);
	size_t kept = csysi_notes.kept;
	if (kept > 0) {
		restore_ways(mark);
		spare(mark);
	}
	csysi_notes_fold();
	while (csysi_ledger_abandon_newest(mark->time))
		;
	csysi_notes_unfold();
	if (kept > 0)
		stand_again();
	csysi_notes_fold();
}
