/*
 * sync/checked.h - what locks tell a checked build; nothing in the usual one.
 *
 * `how` is a CSYSI_HELD_ of csys/sync/ledger.h.  A lock is noted as held after it was taken,
 * and not any more before it is released; so a thread that is noted as its holder holds it.
 */
#ifndef CSYSI_SYNC_CHECKED_H
#define CSYSI_SYNC_CHECKED_H

#include <csys/base/deadline.h>
#include <csys/sync/checked.h>
#include <csys/sync/ledger.h>

/* What a thread may want, beside what it can hold. */
enum {
	CSYSI_WANTS_CONDVAR = CSYSI_HELD_KINDS, /* it is in the queue of a condvar */
	CSYSI_WANTS_SHARED_CONDVAR,             /* it waits at a condvar between processes */
	CSYSI_WANTS_UPGRADE,                    /* to write what it reads upgradably */
	CSYSI_WANTS_RECURSIVE,                  /* to read, past waiting writers */
	CSYSI_RECEIVES                          /* in place of a lock: it is in a receive */
};

#if defined(CSYS_CHECKED)

/* This thread does not get what it wanted (csysi_checked_wants, in csys/sync/ledger.h). */
void csysi_checked_gave_up(void);

/* A reader has slept for a while: look whether threads wait for each other for ever.  Returns when
 * to look again. */
csys_deadline csysi_checked_looks_again(void);

/* It holds the lock; it holds it in another way from now on. */
void csysi_checked_has(const void *lock, int how);
void csysi_checked_holds_now(const void *lock, int how);

/* It is about to release it; `may_be_gone`: a panic may have released it before. */
void csysi_checked_leaves(const void *lock, int how, int may_be_gone);

/* It waits at a condvar with a mutex.  `how`: CSYSI_WANTS_CONDVAR, and the first in the queue waits
 * with the mutex `first`; or CSYSI_WANTS_SHARED_CONDVAR. */
void csysi_checked_waits(const void *condvar, int how, const void *mutex, const void *first,
			 csys_deadline deadline);

#else

static inline void csysi_checked_gave_up(void)
{
}

static inline csys_deadline csysi_checked_looks_again(void)
{
	return CSYS_FOREVER;
}

static inline void csysi_checked_has(const void *lock, int how)
{
	(void)lock;
	(void)how;
}

static inline void csysi_checked_holds_now(const void *lock, int how)
{
	(void)lock;
	(void)how;
}

static inline void csysi_checked_leaves(const void *lock, int how, int may_be_gone)
{
	(void)lock;
	(void)how;
	(void)may_be_gone;
}

static inline void csysi_checked_waits(const void *condvar, int how, const void *mutex,
				       const void *first, csys_deadline deadline)
{
	(void)condvar;
	(void)how;
	(void)mutex;
	(void)first;
	(void)deadline;
}

#endif

#endif
