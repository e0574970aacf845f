/**
 * \file
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
 * Waiting: a waiter spins for at most 5 us, then sleeps.  A free mutex goes to the first thread
 * that locks it, also if others have waited for longer: that is fastest.  No thread starves.  A
 * thread that has waited for more than 1 ms since it first slept is overdue.  While there is one,
 * an unlock hands the mutex over to an overdue thread, once in 0.5 ms.  csys_mutex_unlock_fair
 * hands over at once.
 *
 * Misuse that would corrupt (unlocking what the thread does not hold) aborts
 * with a line on stderr; without poison it is noticed only if no thread holds it.
 *
 * Threads: any number may use it at once.  Signals: not to be used in handlers.  Fork:
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

/** A lock for one thread at a time; all zero is a free one. */
typedef struct CSYS_CAPABILITY("mutex") csys_mutex {
	uint32_t word;  /**< private: src/sync/mutex.c */
	uint32_t marks; /**< private */
} csys_mutex;

/** A free mutex; the same as zeroed memory. */
#define CSYS_MUTEX_INIT \
	{               \
		0, 0    \
	}

/** A free mutex that is never poisoned, and not released when its holder ends. */
#define CSYS_MUTEX_INIT_NO_POISON       \
	{                               \
		0, CSYSI_MARK_NO_POISON \
	}

/* What inline functions leave to src/sync/mutex.c. */
CSYS_API int csysi_mutex_lock_slow(csys_mutex *mutex);
CSYS_API void csysi_mutex_unlock_slow(csys_mutex *mutex);

/**
 * Make a free mutex in memory that is not zeroed.
 *
 * No thread may use it meanwhile, or hold what was there before.
 *
 * \param mutex  any memory
 */
CSYS_API void csys_mutex_init(csys_mutex *mutex);

/**
 * Make a free mutex that is never poisoned, as CSYS_MUTEX_INIT_NO_POISON does.
 *
 * \param mutex  any memory
 */
CSYS_API void csys_mutex_init_no_poison(csys_mutex *mutex);

/**
 * Lock a mutex, however long that takes.
 *
 * A thread that holds it already waits for ever.
 *
 * \param mutex  the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 */
static inline int csys_mutex_lock(csys_mutex *mutex) CSYS_ACQUIRES(*mutex) CSYS_NOT_ANALYZED;

/**
 * Unlock a mutex.
 *
 * The call never waits.
 *
 * \param mutex  the mutex, which the caller holds
 */
static inline void csys_mutex_unlock(csys_mutex *mutex) CSYS_RELEASES(*mutex) CSYS_NOT_ANALYZED;

/**
 * Lock a mutex if it is free.
 *
 * \param mutex  the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval CSYS_EAGAIN    a thread holds it, perhaps the caller, or it is being handed over
 */
CSYS_API CSYS_MUST_CHECK int csys_mutex_try_lock(csys_mutex *mutex) CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Lock a mutex by a deadline.
 *
 * A deadline that has passed still takes a mutex that csys_mutex_try_lock would take.  After
 * CSYS_ETIMEDOUT, as after CSYS_EAGAIN, csys_mutex_is_poisoned tells a poisoned one from one that
 * is only held: it may be asked without holding it.
 *
 * \param mutex     the mutex
 * \param deadline  when to give up
 * \retval 0               the caller holds it
 * \retval CSYS_POISONED   the caller holds it, and a holder has ended before
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 */
CSYS_API CSYS_MUST_CHECK int csys_mutex_lock_until(csys_mutex *mutex, csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Unlock a mutex, and hand it over to the thread that has slept for it longest.
 *
 * If no thread sleeps for it, this is csys_mutex_unlock.
 *
 * \param mutex  the mutex, which the caller holds
 */
CSYS_API void csys_mutex_unlock_fair(csys_mutex *mutex) CSYS_RELEASES(*mutex);

/**
 * Tell whether any thread holds a mutex.
 *
 * It may be out of date when the caller sees it: for assertions, dumps and statistics, as
 * parking_lot's is_locked.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_mutex_is_locked(const csys_mutex *mutex);

/**
 * Tell whether a mutex is poisoned at this moment.
 *
 * The caller need not hold it.  Then it may be out of date when the caller sees it: the thread
 * that holds it can clear the poison, and leave new poison when it ends.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_mutex_is_poisoned(const csys_mutex *mutex);

/**
 * Clear the poison of a mutex: the data is in order again.
 *
 * The holder calls this as a rule, but any thread may.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_mutex_clear_poison(csys_mutex *mutex);

/**
 * Poison a mutex, as the end of its holder would.
 *
 * A mutex without poison is not changed.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_mutex_poison(csys_mutex *mutex);

/**
 * Abort if the caller surely does not hold a mutex.
 *
 * With poison that is always noticed; without, only if the mutex is free.  After the call it
 * counts as held for the analysis (annotations.h).
 *
 * \param mutex  the mutex
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
