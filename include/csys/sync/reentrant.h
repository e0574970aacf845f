/*
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

/* The analysis of annotations.h cannot follow one lock held twice, so it is no capability. */
typedef struct csys_reentrant {
	csys_mutex mutex; /* private, as is all of it */
	uint32_t more;    /* how often it was locked beyond the first time; under mutex */
} csys_reentrant;

#define CSYS_REENTRANT_INIT        \
	{                          \
		CSYS_MUTEX_INIT, 0 \
	}

/* Lock it, once more if the caller holds it.  0, or CSYS_POISONED; it is held. */
CSYS_API int csys_reentrant_lock(csys_reentrant *lock);

/* Lock it, as csys_reentrant_lock does, if that needs no waiting.  CSYS_EAGAIN: another thread
 * holds it. */
CSYS_API CSYS_MUST_CHECK int csys_reentrant_try_lock(csys_reentrant *lock);

/* Lock it, as csys_reentrant_lock does, by `deadline`.  CSYS_ETIMEDOUT: it is not held. */
CSYS_API CSYS_MUST_CHECK int csys_reentrant_lock_until(csys_reentrant *lock,
						       csys_deadline deadline);

/* Unlock it once. */
CSYS_API void csys_reentrant_unlock(csys_reentrant *lock);

/* Tell whether any thread holds it, as csys_mutex_is_locked does. */
CSYS_API int csys_reentrant_is_locked(const csys_reentrant *lock);

/* Poison, as csys_mutex_is_poisoned and the like for a mutex. */
CSYS_API int csys_reentrant_is_poisoned(const csys_reentrant *lock);
CSYS_API void csys_reentrant_clear_poison(csys_reentrant *lock);
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
#endif

CSYS_END_DECLS

#endif
