/*
 * csys/sync/mutex.h - mutual exclusion between the threads of a process.
 *
 *     static csys_mutex lock = CSYS_MUTEX_INIT; // guards `total`
 *     static int64_t total CSYS_GUARDED_BY(lock);
 *
 *     if (csys_mutex_lock(&lock) == CSYS_POISONED) {
 *             total = count_again();
 *             csys_mutex_clear_poison(&lock);
 *     }
 *     total += n;
 *     csys_mutex_unlock(&lock);
 *
 * A mutex is eight bytes, all zero when free, needs no destruction, and costs
 * nothing but its two atomic operations while no thread waits.  It may be freed
 * right after the last unlock.  Not recursive (csys/sync/reentrant.h).
 *
 * Poisoning, as Rust has it.  A thread that ends while it holds a mutex (it
 * returned, called pthread_exit, was cancelled, or panicked: csys/sync/panic.h;
 * also one that csys did not start) leaves data behind that may be half
 * changed.  The mutex is released then and marked: each later lock succeeds,
 * but returns CSYS_POISONED until csys_mutex_clear_poison.  A caller that does not
 * care ignores the result.  A mutex made with CSYS_MUTEX_INIT_NO_POISON has none of
 * this: it is a little faster, and stays locked if its holder ends.
 *
 * Waiting: a waiter spins for at most 5 us, then sleeps.  The first thread that comes when it is
 * free gets it, which is fastest.  But once a thread has waited for more than 1 ms since it first
 * slept, an unlock hands the mutex over to a thread that has waited so long, once in 0.5 ms,
 * so none starves.  Such a hand-over can also be asked for: csys_mutex_unlock_fair.
 *
 * Misuse that would corrupt (unlocking what the thread does not hold) aborts
 * with a line on stderr; without poison it is noticed only if no thread holds it.
 *
 * Threads: that is what it is for.  Signals: not to be used in handlers.  Fork:
 * in the child the mutexes of the forking thread are held by the child, those of
 * other threads for ever.  Processes: csys/ipc, not this.
 */
#ifndef CSYS_SYNC_MUTEX_H
#define CSYS_SYNC_MUTEX_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

typedef struct CSYS_CAPABILITY("mutex") csys_mutex {
	uint32_t word; /* private, as is all of it: src/sync/mutex.c */
	uint32_t marks;
} csys_mutex;

/* A free mutex; the same as zeroed memory. */
#define CSYS_MUTEX_INIT \
	{               \
		0, 0    \
	}

/* One that is never poisoned, and not released when its holder ends. */
#define CSYS_MUTEX_INIT_NO_POISON       \
	{                               \
		0, CSYSI_MARK_NO_POISON \
	}

/* What inline functions leave to src/sync/mutex.c. */
CSYS_API int csysi_mutex_lock_slow(csys_mutex *mutex);
CSYS_API void csysi_mutex_unlock_slow(csys_mutex *mutex);

/*
 * Lock it, however long that takes.  It is held on return: 0, or CSYS_POISONED if
 * a holder ended before.  A thread that holds it already waits for ever.
 */
static inline int csys_mutex_lock(csys_mutex *mutex) CSYS_ACQUIRES(*mutex) CSYS_NOT_ANALYZED;

/* Unlock it.  Async-signal-unsafe; never waits. */
static inline void csys_mutex_unlock(csys_mutex *mutex) CSYS_RELEASES(*mutex) CSYS_NOT_ANALYZED;

/*
 * Lock it if it is free.  0 or CSYS_POISONED: it is held.  CSYS_EAGAIN: a thread holds it, perhaps
 * the caller, or it is being handed over to a thread that waits.
 */
CSYS_API CSYS_MUST_CHECK int csys_mutex_try_lock(csys_mutex *mutex) CSYS_TRY_ACQUIRES(0, *mutex);

/*
 * Lock it by `deadline`.  0 or CSYS_POISONED: it is held.  CSYS_ETIMEDOUT: it is
 * not.  A past deadline still takes a mutex that csys_mutex_try_lock would take.
 */
CSYS_API CSYS_MUST_CHECK int csys_mutex_lock_until(csys_mutex *mutex, csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *mutex);

/* Unlock it; if threads sleep for it, the one that has slept longest gets it next. */
CSYS_API void csys_mutex_unlock_fair(csys_mutex *mutex) CSYS_RELEASES(*mutex);

/*
 * Tell whether it is locked, by any thread: 1 or 0.  Both may be out of date when the caller
 * sees them: for assertions, dumps and statistics, as parking_lot's is_locked.
 */
CSYS_API int csys_mutex_is_locked(const csys_mutex *mutex);

/* 1 if it is poisoned at this moment, 0 if not. */
CSYS_API int csys_mutex_is_poisoned(const csys_mutex *mutex);

/* Clear the poison: the data is in order again.  Called by the holder as a rule, but any thread
 * may. */
CSYS_API void csys_mutex_clear_poison(csys_mutex *mutex);

/* Poison it, as the end of its holder would.  A mutex without poison is not changed. */
CSYS_API void csys_mutex_poison(csys_mutex *mutex);

/*
 * Abort if the caller surely does not hold it: always noticed with poison;
 * without, only if it is free.  For the analysis (annotations.h) it is held then.
 */
CSYS_API void csys_mutex_assert_held(const csys_mutex *mutex) CSYS_ASSERTS_HELD(*mutex);

/* ---- inline ------------------------------------------------------------------------- */

/*
 * word is 0 when free and 1 when held; all else is src/sync/mutex.c's business.
 * Acquire pairs with the releases of unlock, here and there.
 */
static inline int csys_mutex_lock(csys_mutex *mutex)
{
	uint32_t word = 0;

	CSYSI_WANTS(mutex, CSYSI_HELD_MUTEX, CSYS_FOREVER);
	if (!CSYSI_LIKELY(__atomic_compare_exchange_n(&mutex->word, &word, 1, 0, __ATOMIC_ACQUIRE,
						      __ATOMIC_RELAXED)))
		return csysi_mutex_lock_slow(mutex);
	if (CSYSI_LIKELY(csysi_push(&mutex->marks, mutex)))
		return 0;
	return csysi_enter(&mutex->marks, mutex, CSYSI_HELD_MUTEX);
}

static inline void csys_mutex_unlock(csys_mutex *mutex)
{
	if (!CSYSI_LIKELY(csysi_pop(&mutex->marks, mutex)) &&
	    !csysi_leave(&mutex->marks, mutex, CSYSI_HELD_MUTEX))
		return;
	/* Release pairs with the acquire of the next holder.  From here on it may be gone,
	 * if this was 1; if not, it is still held. */
	if (!CSYSI_LIKELY(__atomic_sub_fetch(&mutex->word, 1, __ATOMIC_RELEASE) == 0))
		csysi_mutex_unlock_slow(mutex);
}

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_mutex *csysi_mutex_at(csys_mutex *lock, const char *file, int line)
	CSYS_RETURNS_LOCK(*lock);
CSYSI_UNUSED static inline csys_mutex *csysi_mutex_at(csys_mutex *lock, const char *file, int line)
{
	csysi_checked_at(lock, CSYSI_NULL, file, line);
	return lock;
}
#define CSYSI_MUTEX_HERE(lock) csysi_mutex_at((lock), __FILE__, __LINE__)
#define csys_mutex_lock(lock) csys_mutex_lock(CSYSI_MUTEX_HERE(lock))
#define csys_mutex_try_lock(lock) csys_mutex_try_lock(CSYSI_MUTEX_HERE(lock))
#define csys_mutex_lock_until(lock, deadline) \
	csys_mutex_lock_until(CSYSI_MUTEX_HERE(lock), deadline)
#define csys_mutex_unlock(lock) csys_mutex_unlock(CSYSI_MUTEX_HERE(lock))
#define csys_mutex_unlock_fair(lock) csys_mutex_unlock_fair(CSYSI_MUTEX_HERE(lock))
#else
#define CSYSI_MUTEX_HERE(lock) (lock)
#endif

CSYS_END_DECLS

#endif
