/*
 * bench/locks_csys.h - csys's locks, for locks_csys.c and locks_csys_plain.c.
 *
 * Those define what a mutex and an rwlock begin as, and what to do with the
 * result of a call: LOCKED for one that may find the lock poisoned.
 */
#include <csys/csys.h>
#include <csys/sync.h>

#include "bench.h"

/* As unwrap() in Rust: the caller that asks pays for the question. */
static inline void locks_worked(int result)
{
	if (result != 0)
		bench_fail("a lock of csys said %d", result);
}

static inline void locks_unasked(int result)
{
	(void)result;
}

#define MUTEX csys_mutex
#define MUTEX_INIT(m) (*(m) = (csys_mutex)MUTEX_START)
#define MUTEX_LOCK(m) LOCKED(csys_mutex_lock(m))
#define MUTEX_UNLOCK(m) csys_mutex_unlock(m)
#define MUTEX_FINI(m) (void)(m)

#define RWLOCK csys_rwlock
#define RWLOCK_INIT(l) (*(l) = (csys_rwlock)RWLOCK_START)
#define RWLOCK_READ(l) LOCKED(csys_rwlock_read(l))
#define RWLOCK_UNLOCK_READ(l) csys_rwlock_unlock_read(l)
#define RWLOCK_WRITE(l) LOCKED(csys_rwlock_write(l))
#define RWLOCK_UNLOCK_WRITE(l) csys_rwlock_unlock_write(l)
#define RWLOCK_FINI(l) (void)(l)

#define CONDVAR csys_condvar
#define CONDVAR_INIT(c) (*(c) = (csys_condvar)CSYS_CONDVAR_INIT)
#define CONDVAR_WAIT(c, m) LOCKED(csys_condvar_wait(c, m))
#define CONDVAR_NOTIFY_ONE(c) csys_condvar_notify_one(c)
#define CONDVAR_NOTIFY_ALL(c) csys_condvar_notify_all(c)
#define CONDVAR_FINI(c) (void)(c)
