/**
 * \file
 * csys/ipc/shared_mutex.h - mutual exclusion between the threads of several processes.
 *
 *     int r = csys_region_attach(region); // once in a thread: then lock cannot fail
 *     if (r < 0)
 *             return r;
 *     if (csys_shared_mutex_lock(region, &board->lock) == CSYS_POISONED) {
 *             board->total = count_again(board);
 *             csys_shared_mutex_clear_poison(&board->lock);
 *     }
 *     board->total += n;
 *     csys_shared_mutex_unlock(region, &board->lock);
 *
 * A shared mutex lies anywhere in a region (csys/ipc/region.h), is eight bytes, all zero when free,
 * needs no destruction, and costs nothing but its two atomic operations while no thread waits.  Not
 * recursive.
 *
 * Death.  A thread that ends while it holds the mutex, by whatever cause and at whatever
 * instruction, leaves it to the next that locks it: that one is told by CSYS_POISONED, since what
 * the mutex guards may be half changed, and so is each later one until
 * csys_shared_mutex_clear_poison.  Threads that wait learn of the death at once where the system
 * can tell (Linux 5.16), and else within 0.1 s.  A holder that is only stopped keeps it.
 *
 * A panic (csys/sync/panic.h) releases and poisons what was locked, as it does with csys_mutex.
 *
 * Waiting: a waiter spins for at most 5 us, then sleeps.  A free mutex goes to the first thread
 * that locks it, also if others have waited for longer.
 *
 * Unlocking what the thread does not hold aborts with a line on stderr.
 *
 * Threads: any number may use it at once.  Signals: not to be used in handlers.  Fork: the child
 * holds nothing; what its parent holds stays the parent's.
 */
#ifndef CSYS_IPC_SHARED_MUTEX_H
#define CSYS_IPC_SHARED_MUTEX_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/ipc/region_inside.h>
#include <csys/sync/annotations.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

/** A lock for one thread of all processes at a time; all zero is a free one. */
typedef struct CSYS_CAPABILITY("mutex") csys_shared_mutex {
	uint32_t word;     /**< private: src/ipc/shared_mutex.c */
	uint32_t reserved; /**< zero */
} csys_shared_mutex;

/* What inline functions leave to src/ipc/shared_mutex.c. */
CSYS_API int csysi_shared_mutex_lock_slow(csys_region *region, csys_shared_mutex *mutex);
CSYS_API int csysi_shared_mutex_entered(csys_shared_mutex *mutex);
CSYS_API void csysi_shared_mutex_unlock_slow(csys_region *region, csys_shared_mutex *mutex);
CSYS_API void csysi_shared_mutex_unlock_noted(csys_region *region, csys_shared_mutex *mutex);

/**
 * Lock a shared mutex, however long that takes.
 *
 * A thread that holds it already waits for ever.
 *
 * \param region  where it lies
 * \param mutex   the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval negative       the caller does not hold it, since it is no member of the region and
 *                        cannot become one: csys_region_attach tells why, and makes sure before
 */
static inline int csys_shared_mutex_lock(csys_region *region, csys_shared_mutex *mutex)
	CSYS_ACQUIRES(*mutex) CSYS_NOT_ANALYZED;

/**
 * Unlock a shared mutex.
 *
 * The call never waits.
 *
 * \param region  where it lies
 * \param mutex   the mutex, which the caller holds
 */
static inline void csys_shared_mutex_unlock(csys_region *region, csys_shared_mutex *mutex)
	CSYS_RELEASES(*mutex) CSYS_NOT_ANALYZED;

/**
 * Lock a shared mutex if it is free, or its holder has ended.
 *
 * \param region  where it lies
 * \param mutex   the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval CSYS_EAGAIN    a thread holds it, perhaps the caller; or the caller is no member yet and
 *                        would wait to become one
 * \retval other          as csys_shared_mutex_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_mutex_try_lock(csys_region *region,
							csys_shared_mutex *mutex)
	CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Lock a shared mutex by a deadline.
 *
 * A deadline that has passed still takes a mutex that csys_shared_mutex_try_lock would take.
 *
 * \param region    where it lies
 * \param mutex     the mutex
 * \param deadline  when to give up
 * \retval 0               the caller holds it
 * \retval CSYS_POISONED   the caller holds it, and a holder has ended before
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 * \retval other           as csys_shared_mutex_lock
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_mutex_lock_until(csys_region *region, csys_shared_mutex *mutex, csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Tell whether any thread that lives holds a shared mutex.
 *
 * It may be out of date when the caller sees it: for assertions, dumps and statistics.
 *
 * \param region  where it lies
 * \param mutex   the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_mutex_is_locked(const csys_region *region, const csys_shared_mutex *mutex);

/**
 * Tell which member holds a shared mutex, for diagnosis.
 *
 * It may be out of date when the caller sees it.  A holder that has ended is told of until its
 * place in the region, or the mutex, is another member's.
 *
 * \param region  where it lies
 * \param mutex   the mutex
 * \param out     the holder.  Unchanged if there is none
 * \return 1; 0 if there is none, or none of which the region knows
 */
CSYS_API int csys_shared_mutex_holder(const csys_region *region, const csys_shared_mutex *mutex,
				      csys_region_member *out);

/**
 * Tell whether a shared mutex is poisoned at this moment.
 *
 * The caller need not hold it.  A holder that has ended poisons it when the next one locks it, not
 * before.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_mutex_is_poisoned(const csys_shared_mutex *mutex);

/**
 * Clear the poison of a shared mutex: the data is in order again.
 *
 * The holder calls this as a rule, but any thread may.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_shared_mutex_clear_poison(csys_shared_mutex *mutex);

/**
 * Poison a shared mutex, as the death of its holder would.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_shared_mutex_poison(csys_shared_mutex *mutex);

/**
 * Abort if the caller does not hold a shared mutex.
 *
 * After the call it counts as held for the analysis (csys/sync/annotations.h).
 *
 * \param region  where it lies
 * \param mutex   the mutex
 */
CSYS_API void csys_shared_mutex_assert_held(const csys_region *region,
					    const csys_shared_mutex *mutex)
	CSYS_ASSERTS_HELD(*mutex);

/* ---- inline ------------------------------------------------------------------------- */

/*
 * The word is 0 when free and the holder's id when held; all else is src/ipc/shared_mutex.c's
 * business.  Acquire pairs with the releases of unlock, here and there.
 */
static inline int csys_shared_mutex_lock(csys_region *region, csys_shared_mutex *mutex)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	uint32_t word = 0;

	if (CSYSI_LIKELY(csysi_member.region == region) &&
	    CSYSI_LIKELY(__atomic_compare_exchange_n(&mutex->word, &word, csysi_member.id, 0,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		return CSYSI_LIKELY(csysi_push_shared(CSYSI_ENTRY(mutex, CSYSI_HELD_SHARED)))
			       ? 0
			       : csysi_shared_mutex_entered(mutex);
#endif
	return csysi_shared_mutex_lock_slow(region, mutex);
}

static inline void csys_shared_mutex_unlock(csys_region *region, csys_shared_mutex *mutex)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	uint32_t word = csysi_member.id;

	/* Release pairs with the acquire of the next holder.  From here on it may be gone. */
	if (CSYSI_LIKELY(csysi_member.region == region) &&
	    CSYSI_LIKELY(csysi_pop_shared(CSYSI_ENTRY(mutex, CSYSI_HELD_SHARED)))) {
		if (!CSYSI_LIKELY(__atomic_compare_exchange_n(&mutex->word, &word, 0, 0,
							      __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
			csysi_shared_mutex_unlock_noted(region, mutex);
		return;
	}
#endif
	csysi_shared_mutex_unlock_slow(region, mutex);
}

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_shared_mutex *csysi_shared_mutex_at(csys_shared_mutex *lock,
								    const char *file, int line)
	CSYS_RETURNS_LOCK(*lock);
CSYSI_UNUSED static inline csys_shared_mutex *csysi_shared_mutex_at(csys_shared_mutex *lock,
								    const char *file, int line)
{
	csysi_checked_at(lock, CSYSI_NULL, file, line);
	return lock;
}
#define CSYSI_SHARED_MUTEX_HERE(lock) csysi_shared_mutex_at((lock), __FILE__, __LINE__)
#define csys_shared_mutex_lock(region, lock) \
	csys_shared_mutex_lock(region, CSYSI_SHARED_MUTEX_HERE(lock))
#define csys_shared_mutex_try_lock(region, lock) \
	csys_shared_mutex_try_lock(region, CSYSI_SHARED_MUTEX_HERE(lock))
#define csys_shared_mutex_lock_until(region, lock, deadline) \
	csys_shared_mutex_lock_until(region, CSYSI_SHARED_MUTEX_HERE(lock), deadline)
#define csys_shared_mutex_unlock(region, lock) \
	csys_shared_mutex_unlock(region, CSYSI_SHARED_MUTEX_HERE(lock))
#else
#define CSYSI_SHARED_MUTEX_HERE(lock) (lock)
#endif

CSYS_END_DECLS

#endif
