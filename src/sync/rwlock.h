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
#define WAITING CSYSI_RWLOCK_WAITING
#define READERS CSYSI_RWLOCK_READERS

/* One reader that waits. */
#define ONE_WAITING 0x10000u

/* In `writers`: one that has waited for long. */
#define ONE_HUNGRY 0x10000u
#define WRITERS 0xffffu
#define HUNGRY_NS 1000000

/* Kinds of sleepers. */
enum { READER_SLEEPS = 1, WRITER_SLEEPS = 2 };

/* If a count is full, a thread naps for this long and tries again. */
#define FULL_NAP_NS 500000

#endif
