/**
 * \file
 * csys/sync/reentrant.h - a mutex that its holder may lock again.
 *
 *     csys_reentrant_lock(&lock);
 *     callback(); // which may lock it too
 *     csys_reentrant_unlock(&lock);
 *
 * It is held until it has been unlocked as often as it was locked.  After a panic that is
 * caught outside it has the level that it had before csys_panic_catch.  For the rest it is a
 * csys_mutex: twelve bytes, zeroed memory is a free one, poisoning, fairness,
 * misuse, signals and fork as there.  (A thread that holds more than some
 * locks and has no memory to note one more would wait for itself.)
 *
 * As std's ReentrantLock it gives shared access only: what one level of the same
 * thread is changing, another one may see.
 */
#ifndef CSYS_SYNC_REENTRANT_H
#define CSYS_SYNC_REENTRANT_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/mutex.h>

CSYS_BEGIN_DECLS

/**
 * A mutex that its holder may lock again; all zero is a free one.
 *
 * The analysis of annotations.h cannot follow one lock that is held twice, so it is no capability.
 */
typedef struct csys_reentrant {
	csys_mutex mutex; /**< private */
	uint32_t more;    /**< private: locked so often beyond the first time; under mutex */
} csys_reentrant;

/** A free reentrant mutex; the same as zeroed memory. */
#define CSYS_REENTRANT_INIT        \
	{                          \
		CSYS_MUTEX_INIT, 0 \
	}

/**
 * Make a free reentrant mutex in memory that is not zeroed.
 *
 * No thread may use it meanwhile, or hold what was there before.
 *
 * There is none without poison: its holder is known from what each thread knows of its locks, and
 * locks without poison are not noted there.
 *
 * \param lock  any memory
 */
CSYS_API void csys_reentrant_init(csys_reentrant *lock);

/**
 * Lock a reentrant mutex, once more if the caller holds it, however long that takes.
 *
 * \param lock  the lock
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 */
CSYS_API int csys_reentrant_lock(csys_reentrant *lock);

/**
 * Lock a reentrant mutex, once more if the caller holds it, if that needs no waiting.
 *
 * \param lock  the lock
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval CSYS_EAGAIN    another thread holds it
 */
CSYS_API CSYS_MUST_CHECK int csys_reentrant_try_lock(csys_reentrant *lock);

/**
 * Lock a reentrant mutex, once more if the caller holds it, by a deadline.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller holds it
 * \retval CSYS_POISONED   the caller holds it, and a holder has ended before
 * \retval CSYS_ETIMEDOUT  the caller does not hold it; see csys_mutex_lock_until for poison
 */
CSYS_API CSYS_MUST_CHECK int csys_reentrant_lock_until(csys_reentrant *lock,
						       csys_deadline deadline);

/**
 * Unlock a reentrant mutex once.
 *
 * It is free when it was unlocked as often as it was locked.
 *
 * \param lock  the lock, which the caller holds
 */
CSYS_API void csys_reentrant_unlock(csys_reentrant *lock);

/**
 * Tell whether any thread holds a reentrant mutex, as csys_mutex_is_locked does.
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_reentrant_is_locked(const csys_reentrant *lock);

/**
 * Tell whether a reentrant mutex is poisoned at this moment.
 *
 * What csys_mutex_is_poisoned says about the moment holds here too.
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_reentrant_is_poisoned(const csys_reentrant *lock);

/**
 * Clear the poison of a reentrant mutex: the data is in order again.
 *
 * \param lock  the lock
 */
CSYS_API void csys_reentrant_clear_poison(csys_reentrant *lock);

/**
 * Poison a reentrant mutex, as the end of its holder would.
 *
 * \param lock  the lock
 */
CSYS_API void csys_reentrant_poison(csys_reentrant *lock);

/* Where calls stand, for a checked build; it knows the lock by its mutex. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_reentrant *csysi_reentrant_at(csys_reentrant *lock,
							      const char *file, int line)
{
	csysi_checked_at(&lock->mutex, "reentrant mutex", file, line);
	return lock;
}
#define CSYSI_REENTRANT_HERE(lock) csysi_reentrant_at((lock), __FILE__, __LINE__)
#define csys_reentrant_lock(lock) csys_reentrant_lock(CSYSI_REENTRANT_HERE(lock))
#define csys_reentrant_try_lock(lock) csys_reentrant_try_lock(CSYSI_REENTRANT_HERE(lock))
#define csys_reentrant_lock_until(lock, deadline) \
	csys_reentrant_lock_until(CSYSI_REENTRANT_HERE(lock), deadline)
#define csys_reentrant_unlock(lock) csys_reentrant_unlock(CSYSI_REENTRANT_HERE(lock))
#else
#define CSYSI_REENTRANT_HERE(lock) (lock)
#endif

CSYS_END_DECLS

#endif
