/*
 * sync/rwlock.h - the words of a rwlock, for the files that it is written in.
 *
 * States and invariants: sync/rwlock.c.
 */
#ifndef CSYSI_SYNC_RWLOCK_H
#define CSYSI_SYNC_RWLOCK_H

#include <csys/sync/rwlock.h>

#define WRITER CSYSI_RWLOCK_WRITER
#define WRITERS_WAIT CSYSI_RWLOCK_WRITERS_WAIT
#define PHASE CSYSI_RWLOCK_PHASE
#define HUNGRY CSYSI_RWLOCK_HUNGRY
#define UPGRADABLE CSYSI_RWLOCK_UPGRADABLE
#define UPGRADABLE_WAITS CSYSI_RWLOCK_UPGRADABLE_WAITS
#define WAITING CSYSI_RWLOCK_WAITING
#define READERS CSYSI_RWLOCK_READERS

/* One reader that waits. */
#define ONE_WAITING 0x10000u

/* In `writers`: one that has waited for long. */
#define ONE_HUNGRY 0x10000u
#define WRITERS 0xffffu
#define HUNGRY_NS 1000000

/* Kinds of sleepers. */
enum { READER_SLEEPS = 1, WRITER_SLEEPS = 2, UPGRADER_SLEEPS = 4 };

/* If a count is full, a thread naps for this long and tries again. */
#define FULL_NAP_NS 500000

/* How long a thread sleeps that is not counted among the waiting readers. */
#define UNCOUNTED_NS 10000000

/* Wake the threads that a step of the word, from one value to another, lets in. */
void csysi_rwlock_wake(const uint32_t *address, uint32_t before, uint32_t now);

/* Release the upgradable reader's lock, which no ledger has any more (rwlock_upgradable.c). */
void csysi_rwlock_leave_upgradable(csys_rwlock *lock);

/* Whether this thread's ledger has it as a reader, so that waiting writers wait for it. */
int csysi_rwlock_is_reader(const csys_rwlock *lock);

/* ---- writers that wait (rwlock_write.c) -------------------------------------------------- */

/* Count this writer as waiting.  0: the count is full. */
int csysi_rwlock_be_counted(csys_rwlock *lock);

/* Make sure that WRITERS_WAIT is set before sleeping on the word.  Returns the word. */
uint32_t csysi_rwlock_say_waiting(csys_rwlock *lock);

/* A writer that was counted as `as` waits no more: it holds the lock. */
void csysi_rwlock_come_in(csys_rwlock *lock, uint32_t as);

/* It waits no more, and does not hold the lock for writing.  If it was the last to wait, readers
 * need not wait. */
void csysi_rwlock_give_up(csys_rwlock *lock, uint32_t as);

#endif
