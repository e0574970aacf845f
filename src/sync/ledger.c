/*
 * sync/ledger.c - which locks a thread holds.
 *
 * Each thread has a list of the locks that it holds: the poisoning ones, and the
 * rwlocks that it reads.  When the thread ends they are marked and released, the
 * newest first, so that nobody waits for a holder who is gone.
 *
 * Mostly it is one lock or none.  Then the list is one pointer, which the callers of
 * lock and unlock set and clear in their own code; every store before an atomic
 * operation makes that wait, so there are as few as can be.  Of more than one the
 * list is an array, the pointer is `several`, and everything is done here.  The array
 * begins as one of the thread's own and needs memory only beyond ROOM.
 *
 *   only:  unwatched ---> NULL <---> a lock <---> several, in items
 *
 * Nobody but its thread touches it, so there is nothing atomic; in a forked child it
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

/* What `only` is, by its address, if it is neither NULL nor a lock. */
static const char unwatched, several;

__thread struct csysi_ledger csysi_ledger = { &unwatched };

static _Thread_local struct {
	const void **items; /* NULL while unwatched */
	size_t count, room;
	const void *first[ROOM];
	int is_abandoned;
} own;

/* Have its end noticed, and make a list of none.  0: there is no memory for that. */
static int watch(void)
{
	if (csysi_ledger.only != &unwatched)
		return 1;
	if (csysi_thread_watch() < 0)
		return 0;
	own.items = own.first;
	own.count = 0;
	own.room = ROOM;
	csysi_ledger.only = NULL;
	return 1;
}

/* All into the array, for looking and changing; and back to the pointer, if that will do. */
static void unfold(void)
{
	const void *only = csysi_ledger.only;

	if (only == &unwatched || only == &several || !only)
		return;
	own.items[0] = only;
	own.count = 1;
}

static void fold(void)
{
	if (csysi_ledger.only == &unwatched)
		return;
	if (own.count > 1) {
		csysi_ledger.only = &several;
		return;
	}
	csysi_ledger.only = own.count == 1 ? own.items[0] : NULL;
	own.count = 0;
}

static int grow(void)
{
	const void **items = csysi_alloc(2 * own.room * sizeof *items);

	if (!items)
		return 0;
	memcpy(items, own.items, own.count * sizeof *items);
	if (own.items != own.first)
		csysi_free(own.items);
	own.items = items;
	own.room *= 2;
	return 1;
}

/* Add a note.  0: there is no memory for it. */
static int add(const void *noted)
{
	if (!watch())
		return 0;
	unfold();
	int has_room = own.count < own.room || grow();
	if (has_room)
		own.items[own.count++] = noted;
	fold();
	return has_room;
}

/* Where the latest note of it is in the array; own.count if nowhere. */
static size_t find(const void *noted)
{
	for (size_t i = own.count; i-- > 0;)
		if (own.items[i] == noted)
			return i;
	return own.count;
}

/* Strike the latest note of it.  0: there is none. */
static int strike(const void *noted)
{
	unfold();
	size_t at = find(noted);
	int is_there = at < own.count;
	if (is_there) {
		own.count--;
		memmove(own.items + at, own.items + at + 1, (own.count - at) * sizeof *own.items);
	}
	fold();
	return is_there;
}

/* ---- entering and leaving --------------------------------------------------------------- */

/* Relaxed, all that is done to marks: the lock orders what its holders do to them, and
 * poison from elsewhere is a note like any other. */

int csysi_enter(uint32_t *marks, const void *lock, int how)
{
	uint32_t now = csysi_load_relaxed(marks);

	csysi_checked_has(lock, how);
	if (now & CSYSI_MARK_NO_POISON)
		return 0;
	if (!add(CSYSI_ENTRY(lock, how)))
		csysi_or_relaxed(marks, CSYSI_MARK_UNTRACKED);
	return now & CSYSI_MARK_POISONED ? CSYS_POISONED : 0;
}

int csysi_leave(uint32_t *marks, const void *lock, int how)
{
	csysi_checked_leaves(lock, how, own.is_abandoned);
	uint32_t now = csysi_load_relaxed(marks);
	if (now & CSYSI_MARK_NO_POISON)
		return 1;

	if (strike(CSYSI_ENTRY(lock, how)))
		return 1;
	if (now & CSYSI_MARK_UNTRACKED) {
		/* Of readers there may be more. */
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
	const void *noted = CSYSI_ENTRY(lock, how);

	return csysi_ledger.only == noted ||
	       (csysi_ledger.only == &several && find(noted) < own.count);
}

int csysi_may_hold(const uint32_t *marks, const void *lock, int how)
{
	uint32_t now = csysi_load_relaxed(marks);

	return (now & (CSYSI_MARK_NO_POISON | CSYSI_MARK_UNTRACKED)) || csysi_holds(lock, how);
}

void csysi_holds_now(const uint32_t *marks, const void *lock, int before, int now)
{
	csysi_checked_holds_now(lock, now);
	unfold();
	size_t at = find(CSYSI_ENTRY(lock, before));
	int is_there = at < own.count;
	if (is_there)
		own.items[at] = CSYSI_ENTRY(lock, now);
	fold();
	if (!is_there && !csysi_may_hold(marks, lock, before))
		csysi_os_abort("a lock is not held that should be");
}

/* ---- poison ----------------------------------------------------------------------------- */

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

/* ---- the end of a thread ------------------------------------------------------------------ */

size_t csysi_ledger_depth(void)
{
	const void *only = csysi_ledger.only;

	if (only == &several)
		return own.count;
	return only && only != &unwatched;
}

static void abandon(void *lock, int how)
{
	csysi_checked_leaves(lock, how, 1);
	if (how == CSYSI_HELD_MUTEX)
		csysi_mutex_abandon(lock);
	else if (how == CSYSI_HELD_ONCE)
		csysi_once_abandon(lock);
	else
		csysi_rwlock_abandon(lock, how);
}

void csysi_ledger_abandon(size_t depth)
{
	while (csysi_ledger_depth() > depth) {
		unfold();
		/* The note was made of a pointer to a lock that can be changed. */
		uintptr_t noted = (uintptr_t)own.items[--own.count];
		fold();
		own.is_abandoned = 1;
		abandon((void *)(noted & ~(uintptr_t)3), (int)(noted & 3));
	}
}

void csysi_ledger_end(void)
{
	csysi_ledger_abandon(0);
	if (own.items != own.first)
		csysi_free(own.items);
	own.items = NULL;
	csysi_ledger.only = &unwatched;
}

/* ---- marks of catches ---------------------------------------------------------------------- */

/* A mark is noted like a mutex at an address where none is. */

int csysi_ledger_mark(const void *mark)
{
	return add(CSYSI_ENTRY(mark, CSYSI_HELD_MUTEX));
}

void csysi_ledger_unmark(const void *mark)
{
	strike(CSYSI_ENTRY(mark, CSYSI_HELD_MUTEX));
}

void csysi_ledger_abandon_after(const void *mark)
{
	unfold();
	size_t at = find(CSYSI_ENTRY(mark, CSYSI_HELD_MUTEX));
	int is_there = at < own.count;
	fold();
	if (is_there)
		csysi_ledger_abandon(at + 1);
}

int csysi_ledger_is_abandoned(void)
{
	return own.is_abandoned;
}

void csysi_ledger_set_abandoned(int is_abandoned)
{
	own.is_abandoned = is_abandoned;
}
