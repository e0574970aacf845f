/*
 * sync/ledger.h - which locks a thread holds, and the marks of locks, from inside.
 */
#ifndef CSYSI_SYNC_LEDGER_H
#define CSYSI_SYNC_LEDGER_H

#include <stddef.h>

#include <csys/sync/ledger.h>
#include <csys/sync/mutex.h>
#include <csys/sync/once.h>
#include <csys/sync/reentrant.h>
#include <csys/sync/rwlock.h>

/* 1 if this thread's ledger has it as held in that way. */
int csysi_holds(const void *lock, int how);

/* 1 if this thread's ledger has it as held in that way, or if that cannot be known. */
int csysi_may_hold(const uint32_t *marks, const void *lock, int how);

/* Note that this thread holds in the second way what it held in the first. */
void csysi_holds_now(uint32_t *marks, const void *lock, int before, int now);

/*
 * Note that this thread holds a lock between processes, and strike that note: 1, or 0 if there is
 * none.  Without memory it is not noted; its own word tells which thread holds it.  `how` is
 * CSYSI_HELD_SHARED where it is not said.  All calls of the last function pass the same one, which
 * poisons and releases such a lock if this thread holds it.
 */
void csysi_enter_shared(const void *lock);
int csysi_leave_shared(const void *lock);
void csysi_enter_shared_as(const void *lock, int how);
int csysi_leave_shared_as(const void *lock, int how);
void csysi_ledger_abandon_shared_by(void (*abandon)(void *lock, int how));

int csysi_is_poisoned(const uint32_t *marks);
void csysi_clear_poison(uint32_t *marks);
void csysi_poison(uint32_t *marks);

#ifdef CSYSI_FAULTS
/* For tests: how many notes this thread's ledger has looked at, instead of a clock. */
extern _Thread_local unsigned long csysi_ledger_looks;
#endif

/* How many locks are noted.  Poison and release them all, the newest first. */
size_t csysi_ledger_depth(void);
void csysi_ledger_abandon(void);

/* The same of those in this memory only. */
void csysi_ledger_abandon_in(const void *memory, size_t size);

/* The locks in this memory are gone: this thread holds none of them. */
void csysi_ledger_forget(const void *memory, size_t size);

/* The thread ends: abandon all, and free the memory. */
void csysi_ledger_end(void);

/*
 * A mark: what was locked after it is told from what was held at it.  Marks lie on the stack
 * and end in reverse order.  Needs no memory.
 */
struct csysi_ledger_mark {
	uint64_t time;
	struct csysi_ledger_mark *before;
};

void csysi_ledger_mark(struct csysi_ledger_mark *mark);
void csysi_ledger_unmark(struct csysi_ledger_mark *mark);

/*
 * Go back to what was held at the newest mark, which stays: all other locks are poisoned and
 * released.  A lock that was released since then and is held again stays held, in the way and at
 * the level of then.  This can wait, for a rwlock that was held for writing.
 */
void csysi_ledger_abandon_after(const struct csysi_ledger_mark *mark);

/* The level of a reentrant lock that this thread holds is about to change. */
void csysi_ledger_note_level(const csys_reentrant *lock);

/* Whether locks of this thread were abandoned, so that unlocking one that is not noted is no
 * misuse; set back once no function that had locked one of them can go on. */
int csysi_ledger_is_abandoned(void);
void csysi_ledger_set_abandoned(int is_abandoned);

/* Release a lock whose holder is gone and which is not in the ledger any more.  It is poisoned
 * before, but for a rwlock that was held for reading. */
void csysi_mutex_abandon(csys_mutex *mutex);
void csysi_rwlock_abandon(csys_rwlock *lock, int how);

/* Lock a rwlock for reading once more, which this thread reads, without a note.  0: it has too many
 * readers. */
int csysi_rwlock_read_again(csys_rwlock *lock);

void csysi_once_abandon(csys_once *once);

#endif
