/*
 * sync/ledger.c - which locks a thread holds: poison, and the end of a thread.
 *
 * Each thread has a list of the locks that it holds: the poisoning ones, and the rwlocks
 * that it reads.  When the thread ends, they are marked and released, the newest first, so
 * that no thread waits for a holder that is gone.
 *
 * The list itself, entering and leaving are in ledger_notes.c, and what a panic goes back to
 * in ledger_mark.c.
 */
#include "sync/ledger.h"

#include <csys/base/result.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger_notes.h"

/* ---- what a thread holds ------------------------------------------------ */

/* Relaxed, every access to marks: see ledger_notes.c. */

int csysi_may_hold(const uint32_t *marks, const void *lock, int how)
{
	uint32_t now = csysi_load_relaxed(marks);

	return (now & (CSYSI_MARK_NO_POISON | CSYSI_MARK_UNTRACKED)) || csysi_holds(lock, how);
}

void csysi_holds_now(uint32_t *marks, const void *lock, int before, int now)
{
	csysi_checked_holds_now(lock, now);
	/* Struck and made anew, and not changed: a mark in between keeps how it was held. */
	if (csysi_notes_strike(lock, before)) {
		if (!csysi_notes_add(lock, now))
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

static int is_lock(const struct csysi_note *note)
{
	return note->state == CSYSI_NOTE_STANDS && note->how != CSYSI_NOTE_LEVEL;
}

static void (*abandon_shared)(void *lock, int how); /* atomic */

void csysi_ledger_abandon_shared_by(void (*abandon)(void *lock, int how))
{
	/* Release pairs with the acquire below; all threads store the same. */
	csysi_store_release(&abandon_shared, abandon);
}

void csysi_ledger_abandon_lock(void *lock, int how)
{
	csysi_checked_leaves(lock, how, 1);
	switch (how) {
	case CSYSI_HELD_MUTEX:
		csysi_mutex_abandon(lock);
		break;
	case CSYSI_HELD_WRITE:
	case CSYSI_HELD_READ:
	case CSYSI_HELD_UPGRADABLE:
		csysi_rwlock_abandon(lock, how);
		break;
	case CSYSI_HELD_ONCE:
		csysi_once_abandon(lock);
		break;
	case CSYSI_HELD_SHARED:
	case CSYSI_HELD_SHARED_PERMIT:
	case CSYSI_HELD_SHARED_ONCE:
	case CSYSI_HELD_SHARED_WRITE:
#if defined(CSYS_CHECKED)
	case CSYSI_HELD_SHARED_READ:
#endif
		csysi_load_acquire (&abandon_shared)(lock, how);
		break;
	default:
		csysi_os_abort("a kind of lock that the ledger cannot abandon");
	}
}

int csysi_ledger_abandon_newest(uint64_t since)
{
	csysi_notes_unfold();
	size_t at = csysi_notes.used;
	for (; at > 0 && !is_lock(&csysi_notes.items[at - 1]); CSYSI_NOTE_LOOK())
		at--;
	if (at == 0 || csysi_notes.items[at - 1].made < since) {
		csysi_notes_fold();
		return 0;
	}
	/* The note was made of a pointer to a lock that can be changed. */
	void *lock = (void *)(uintptr_t)csysi_notes.items[at - 1].lock;
	int how = csysi_notes.items[at - 1].how;
	csysi_notes_strike_at(at - 1);
	csysi_notes_fold();
	csysi_notes.is_abandoned = 1;
	csysi_ledger_abandon_lock(lock, how);
	return 1;
}

void csysi_ledger_abandon(void)
{
	while (csysi_ledger_abandon_newest(0))
		;
}

void csysi_ledger_abandon_in(const void *memory, size_t size)
{
	csysi_notes_unfold();
	for (size_t i = csysi_notes.used; i-- > 0;) {
		const struct csysi_note *note = &csysi_notes.items[i];
		/* Striking one drops what was struck before it. */
		if (i >= csysi_notes.used || !is_lock(note) ||
		    (uintptr_t)note->lock - (uintptr_t)memory >= size)
			continue;
		void *lock = (void *)(uintptr_t)note->lock;
		int how = note->how;
		csysi_notes_strike_at(i);
		csysi_notes_fold();
		csysi_ledger_abandon_lock(lock, how);
		csysi_notes_unfold();
	}
	csysi_notes_fold();
	csysi_ledger_forget(memory, size);
}

void csysi_ledger_end(void)
{
	csysi_notes.mark = NULL;
	csysi_ledger_abandon();
	csysi_notes_end();
}

int csysi_ledger_is_abandoned(void)
{
	return csysi_notes.is_abandoned;
}

void csysi_ledger_set_abandoned(int is_abandoned)
{
	csysi_notes.is_abandoned = is_abandoned;
}
