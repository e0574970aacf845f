/*
 * sync/ledger.h - which locks a thread holds, and the marks of locks, from inside.
 */
#ifndef CSYSI_SYNC_LEDGER_H
#define CSYSI_SYNC_LEDGER_H

#include <stddef.h>

#include <csys/sync/ledger.h>
#include <csys/sync/mutex.h>
#include <csys/sync/once.h>
#include <csys/sync/rwlock.h>

/* 1 if this thread's ledger has it as held in that way. */
int csysi_holds(const void *lock, int how);

/* The same, or it cannot be known. */
int csysi_may_hold(const uint32_t *marks, const void *lock, int how);

/* Note that what it held in one way it now holds in the other. */
void csysi_holds_now(const uint32_t *marks, const void *lock, int before, int now);

int csysi_is_poisoned(const uint32_t *marks);
void csysi_clear_poison(uint32_t *marks);
void csysi_poison(uint32_t *marks);

/* How many notes there are, and poisoning and releasing all from there on, the newest first. */
size_t csysi_ledger_depth(void);
void csysi_ledger_abandon(size_t depth);

/* The thread ends: abandon all, and give back the memory. */
void csysi_ledger_end(void);

/*
 * A mark among the notes: what was noted after it is told from what was before, in
 * whatever order that is struck.  0: there is no memory for it.
 */
int csysi_ledger_mark(const void *mark);
void csysi_ledger_unmark(const void *mark);
void csysi_ledger_abandon_after(const void *mark);

/* Whether locks were taken from this thread, so that unlocking one not noted is no misuse; and
 * that again, once no function that had one of them can go on. */
int csysi_ledger_is_abandoned(void);
void csysi_ledger_set_abandoned(int is_abandoned);

/* Release one whose holder is gone and which is not in the ledger any more; poison it first. */
void csysi_mutex_abandon(csys_mutex *mutex);
void csysi_rwlock_abandon(csys_rwlock *lock, int how);
void csysi_once_abandon(csys_once *once);

#endif
