/**
 * \file
 * csys/ipc/named_mutex.h - mutual exclusion between processes, by a name.
 *
 *     csys_named_mutex *index;
 *     csys_named_options options = { .keep = 1 }; // as long as the file that it is for
 *     int r = csys_named_mutex_create_or_open("search-index", &options, &index);
 *     if (r < 0)
 *             return r;
 *     r = csys_named_mutex_lock_until(index, csys_after_s(5));
 *     if (r == CSYS_POISONED) { // a process was killed with it
 *             repair_index();
 *             csys_named_mutex_clear_poison(index);
 *     }
 *     if (r >= 0) {
 *             update_index();
 *             csys_named_mutex_unlock(index);
 *     }
 *     csys_named_mutex_close(index);
 *
 * It is a csys_shared_mutex (csys/ipc/shared_mutex.h) in a region of its own: a thread that ends
 * while it holds the mutex, killed at whatever instruction, leaves it to the next, which is told by
 * CSYS_POISONED.  Not recursive.  What is common to named objects, and what happens when all users
 * have died, is in csys/ipc/named_object.h.
 *
 * Unlocking what the thread does not hold aborts with a line on stderr.
 */
#ifndef CSYS_IPC_NAMED_MUTEX_H
#define CSYS_IPC_NAMED_MUTEX_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/named_object.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/sync/annotations.h>

CSYS_BEGIN_DECLS

/** A mutex that this process has open; private: src/ipc/named_mutex.c. */
typedef struct CSYS_CAPABILITY("mutex") csys_named_mutex {
	struct csysi_named_object named; /**< private */
} csys_named_mutex;

/* ---- opening ------------------------------------------------------------------------------- */

/**
 * Create a mutex with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param options  NULL for the usual
 * \param out      the mutex, to be closed by csys_named_mutex_close.  Unchanged on failure
 * \retval 0            it exists, and this process has it open
 * \retval CSYS_EEXIST  there is one, or something else with that name
 * \retval CSYS_EINVAL  no such name or option
 * \retval other        as csys_region_create
 */
CSYS_API CSYS_MUST_CHECK int csys_named_mutex_create(const char *name,
						     const csys_named_options *options,
						     csys_named_mutex **out);

/**
 * Open a mutex by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the mutex, to be closed by csys_named_mutex_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no mutex
 * \retval other         as csys_region_open
 */
CSYS_API CSYS_MUST_CHECK int
csys_named_mutex_open(const char *name, const csys_named_options *options, csys_named_mutex **out);

/**
 * Open a mutex by its name, or create it if there is none.
 *
 * csys_named_mutex_is_created tells which.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the mutex, to be closed by csys_named_mutex_close.  Unchanged on failure
 * \retval 0      it is open
 * \retval other  as csys_named_mutex_create and csys_named_mutex_open, but not CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_named_mutex_create_or_open(const char *name,
							     const csys_named_options *options,
							     csys_named_mutex **out);

/**
 * Close a mutex, which goes on for others.
 *
 * No thread of this process uses it after this.  What the calling
 * thread holds is left as by one that has ended.
 *
 * \param mutex  the mutex; NULL is ignored
 */
CSYS_API void csys_named_mutex_close(csys_named_mutex *mutex);
CSYSI_AUTO(csys_named_mutex, csys_named_mutex_close(*object))

/**
 * Remove the name of a mutex; those that have it open keep it.
 *
 * It is csys_names_remove with CSYS_NAME_REGION.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_ENOENT  there was none
 * \retval other        as csys_names_remove
 */
CSYS_API CSYS_MUST_CHECK int csys_named_mutex_unlink(int scope, const char *name);

/**
 * Tell whether the call that has opened a mutex has created it.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_mutex_is_created(const csys_named_mutex *mutex);

/* ---- using --------------------------------------------------------------------------------- */

/**
 * Lock a named mutex, however long that takes.
 *
 * \param mutex  the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval negative       the caller does not hold it, since its thread cannot become a member of
 *                        the region: CSYS_ENOSPC, or as csys_region_attach
 */
CSYS_API int csys_named_mutex_lock(csys_named_mutex *mutex) CSYS_ACQUIRES(*mutex);

/**
 * Lock a named mutex if it is free, or its holder has ended.
 *
 * \param mutex  the mutex
 * \retval 0              the caller holds it
 * \retval CSYS_POISONED  the caller holds it, and a holder has ended before
 * \retval CSYS_EAGAIN    a thread holds it, perhaps the caller; or the caller is no member yet and
 *                        would wait to become one
 * \retval other          as csys_named_mutex_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_named_mutex_try_lock(csys_named_mutex *mutex)
	CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Lock a named mutex by a deadline.
 *
 * A deadline that has passed still takes a mutex that csys_named_mutex_try_lock would take.
 *
 * \param mutex     the mutex
 * \param deadline  when to give up
 * \retval 0               the caller holds it
 * \retval CSYS_POISONED   the caller holds it, and a holder has ended before
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 * \retval other           as csys_named_mutex_lock
 */
CSYS_API CSYS_MUST_CHECK int csys_named_mutex_lock_until(csys_named_mutex *mutex,
							 csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *mutex);

/**
 * Unlock a named mutex.
 *
 * The call never waits.
 *
 * \param mutex  the mutex, which the caller holds
 */
CSYS_API void csys_named_mutex_unlock(csys_named_mutex *mutex) CSYS_RELEASES(*mutex);

/**
 * Tell whether any thread that lives holds a named mutex.
 *
 * It may be out of date when the caller sees it.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_mutex_is_locked(const csys_named_mutex *mutex);

/**
 * Tell which member holds a named mutex, as csys_shared_mutex_holder does.
 *
 * \param mutex  the mutex
 * \param out    the holder.  Unchanged if there is none
 * \return 1; 0 if there is none
 */
CSYS_API int csys_named_mutex_holder(const csys_named_mutex *mutex, csys_region_member *out);

/**
 * Tell whether a named mutex is poisoned at this moment.
 *
 * \param mutex  the mutex
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_mutex_is_poisoned(const csys_named_mutex *mutex);

/**
 * Clear the poison of a named mutex: the data is in order again.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_named_mutex_clear_poison(csys_named_mutex *mutex);

/**
 * Poison a named mutex, as the death of its holder would.
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_named_mutex_poison(csys_named_mutex *mutex);

/**
 * Abort if the caller does not hold a named mutex.
 *
 * After the call it counts as held for the analysis (csys/sync/annotations.h).
 *
 * \param mutex  the mutex
 */
CSYS_API void csys_named_mutex_assert_held(const csys_named_mutex *mutex) CSYS_ASSERTS_HELD(*mutex);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_named_mutex *csysi_named_mutex_at(csys_named_mutex *mutex,
								  const char *file, int line)
	CSYS_RETURNS_LOCK(*mutex);
CSYSI_UNUSED static inline csys_named_mutex *csysi_named_mutex_at(csys_named_mutex *mutex,
								  const char *file, int line)
{
	csysi_checked_at(mutex->named.object, CSYSI_NULL, file, line);
	return mutex;
}
#define CSYSI_NAMED_MUTEX_HERE(mutex) csysi_named_mutex_at((mutex), __FILE__, __LINE__)
#define csys_named_mutex_lock(mutex) csys_named_mutex_lock(CSYSI_NAMED_MUTEX_HERE(mutex))
#define csys_named_mutex_try_lock(mutex) csys_named_mutex_try_lock(CSYSI_NAMED_MUTEX_HERE(mutex))
#define csys_named_mutex_lock_until(mutex, deadline) \
	csys_named_mutex_lock_until(CSYSI_NAMED_MUTEX_HERE(mutex), deadline)
#define csys_named_mutex_unlock(mutex) csys_named_mutex_unlock(CSYSI_NAMED_MUTEX_HERE(mutex))
#endif

CSYS_END_DECLS

#endif
