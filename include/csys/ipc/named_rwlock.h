/**
 * \file
 * csys/ipc/named_rwlock.h - many readers or one writer of several processes, by a name.
 *
 *     csys_named_rwlock *rules;
 *     int r = csys_named_rwlock_create_or_open("rules", NULL, &rules);
 *     if (r < 0)
 *             return r;
 *     r = csys_named_rwlock_read_until(rules, csys_after_s(5));
 *     if (r >= 0) {
 *             r = r == CSYS_POISONED ? CSYS_EBADMSG : read_rules();
 *             csys_named_rwlock_unlock_read(rules);
 *     }
 *     csys_named_rwlock_close(rules);
 *
 * It is a csys_shared_rwlock (csys/ipc/shared_rwlock.h) in a region of its own: a reader that is
 * killed keeps no writer out, and one that is killed while it writes leaves poison, which the next
 * ones are told of by CSYS_POISONED.  What is common to named objects, and what happens when all
 * users have died, is in csys/ipc/named_object.h.
 *
 * Unlocking what the thread does not hold aborts with a line on stderr.
 */
#ifndef CSYS_IPC_NAMED_RWLOCK_H
#define CSYS_IPC_NAMED_RWLOCK_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/named_object.h>
#include <csys/ipc/shared_rwlock.h>
#include <csys/sync/annotations.h>

CSYS_BEGIN_DECLS

/** A rwlock that this process has open; private: src/ipc/named_rwlock.c. */
typedef struct CSYS_CAPABILITY("rwlock") csys_named_rwlock {
	struct csysi_named_object named; /**< private */
} csys_named_rwlock;

/* ---- opening ------------------------------------------------------------------------------- */

/**
 * Create a rwlock with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param options  NULL for the usual
 * \param out      the rwlock, to be closed by csys_named_rwlock_close.  Unchanged on failure
 * \retval 0            it exists, and this process has it open
 * \retval CSYS_EEXIST  there is one, or something else with that name
 * \retval CSYS_EINVAL  no such name or option
 * \retval other        as csys_region_create
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_create(const char *name,
						      const csys_named_options *options,
						      csys_named_rwlock **out);

/**
 * Open a rwlock by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the rwlock, to be closed by csys_named_rwlock_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no rwlock
 * \retval other         as csys_region_open
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_open(const char *name,
						    const csys_named_options *options,
						    csys_named_rwlock **out);

/**
 * Open a rwlock by its name, or create it if there is none.
 *
 * csys_named_rwlock_is_created tells which.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the rwlock, to be closed by csys_named_rwlock_close.  Unchanged on failure
 * \retval 0      it is open
 * \retval other  as csys_named_rwlock_create and csys_named_rwlock_open, but not CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_create_or_open(const char *name,
							      const csys_named_options *options,
							      csys_named_rwlock **out);

/**
 * Close a rwlock, which goes on for others.
 *
 * No thread of this process uses it after this.  What the calling
 * thread holds is left as by one that has ended.
 *
 * \param lock  the rwlock; NULL is ignored
 */
CSYS_API void csys_named_rwlock_close(csys_named_rwlock *lock);
CSYSI_AUTO(csys_named_rwlock, csys_named_rwlock_close(*object))

/**
 * Remove the name of a rwlock; those that have it open keep it.
 *
 * It is csys_names_remove with CSYS_NAME_REGION.
 *
 * \param scope  CSYS_NAMES_USER or CSYS_NAMES_GLOBAL
 * \param name   the name
 * \retval 0            there is no such name any more
 * \retval CSYS_ENOENT  there was none
 * \retval other        as csys_names_remove
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_unlink(int scope, const char *name);

/**
 * Tell whether the call that has opened a rwlock has created it.
 *
 * \param lock  the rwlock
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_rwlock_is_created(const csys_named_rwlock *lock);

/* ---- using --------------------------------------------------------------------------------- */

/**
 * Lock a named rwlock for reading, however long that takes.
 *
 * \param lock  the rwlock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval negative       it does not, since its thread cannot become a member of the region:
 *                        CSYS_ENOSPC, or as csys_region_attach
 */
CSYS_API int csys_named_rwlock_read(csys_named_rwlock *lock) CSYS_ACQUIRES_SHARED(*lock);

/**
 * Lock a named rwlock for reading if that needs no waiting.
 *
 * \param lock  the rwlock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval CSYS_EAGAIN    a thread has it, or the caller is no member yet and would wait to
 *                        become one
 * \retval other          as csys_named_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_try_read(csys_named_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a named rwlock for reading by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_named_rwlock_try_read would take.
 *
 * \param lock      the rwlock
 * \param deadline  when to give up
 * \retval 0               the caller reads
 * \retval CSYS_POISONED   the caller reads what a writer may have left half changed
 * \retval CSYS_ETIMEDOUT  it does not
 * \retval other           as csys_named_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_read_until(csys_named_rwlock *lock,
							  csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Unlock a named rwlock that the caller reads, once.
 *
 * The call never waits.
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_unlock_read(csys_named_rwlock *lock) CSYS_RELEASES_SHARED(*lock);

/**
 * Lock a named rwlock for writing, however long that takes.
 *
 * \param lock  the rwlock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what a writer may have left half changed
 * \retval negative       it does not, since its thread cannot become a member of the region:
 *                        CSYS_ENOSPC, or as csys_region_attach
 */
CSYS_API int csys_named_rwlock_write(csys_named_rwlock *lock) CSYS_ACQUIRES(*lock);

/**
 * Lock a named rwlock for writing if that needs no waiting.
 *
 * \param lock  the rwlock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what a writer may have left half changed
 * \retval CSYS_EAGAIN    a thread has it, or the caller is no member yet and would wait to
 *                        become one
 * \retval other          as csys_named_rwlock_write
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_try_write(csys_named_rwlock *lock)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Lock a named rwlock for writing by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_named_rwlock_try_write would take.
 *
 * \param lock      the rwlock
 * \param deadline  when to give up
 * \retval 0               the caller writes
 * \retval CSYS_POISONED   the caller writes what a writer may have left half changed
 * \retval CSYS_ETIMEDOUT  it does not
 * \retval other           as csys_named_rwlock_write
 */
CSYS_API CSYS_MUST_CHECK int csys_named_rwlock_write_until(csys_named_rwlock *lock,
							   csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Unlock a named rwlock that the caller writes, once.
 *
 * The call never waits.
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_unlock_write(csys_named_rwlock *lock) CSYS_RELEASES(*lock);

/**
 * Turn a write lock into a read lock: no writer comes between.
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_downgrade(csys_named_rwlock *lock) CSYS_RELEASES(*lock)
	CSYS_ACQUIRES_SHARED(*lock);

/**
 * Tell whether any thread that lives holds a named rwlock, in any way.
 *
 * It may be out of date when the caller sees it.
 *
 * \param lock  the rwlock
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_rwlock_is_locked(const csys_named_rwlock *lock);

/**
 * Tell whether a thread that lives writes a named rwlock.
 *
 * It may be out of date when the caller sees it.
 *
 * \param lock  the rwlock
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_rwlock_is_write_locked(const csys_named_rwlock *lock);

/**
 * Tell which member writes a named rwlock, as csys_shared_rwlock_holder does.
 *
 * \param lock  the rwlock
 * \param out   the member.  Unchanged if there is none
 * \return 1; 0 if there is none
 */
CSYS_API int csys_named_rwlock_holder(const csys_named_rwlock *lock, csys_region_member *out);

/**
 * Tell whether a named rwlock is poisoned at this moment.
 *
 * \param lock  the rwlock
 * \return 1 if so, else 0
 */
CSYS_API int csys_named_rwlock_is_poisoned(const csys_named_rwlock *lock);

/**
 * Clear the poison of a named rwlock: the data is in order again.
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_clear_poison(csys_named_rwlock *lock);

/**
 * Poison a named rwlock, as the death of a writer would.
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_poison(csys_named_rwlock *lock);

/**
 * Abort if the caller does not read a named rwlock.
 *
 * After the call it counts as read for the analysis (csys/sync/annotations.h).
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_assert_read(const csys_named_rwlock *lock)
	CSYS_ASSERTS_HELD_SHARED(*lock);

/**
 * Abort if the caller does not write a named rwlock.
 *
 * After the call it counts as written for the analysis (csys/sync/annotations.h).
 *
 * \param lock  the rwlock
 */
CSYS_API void csys_named_rwlock_assert_write(const csys_named_rwlock *lock)
	CSYS_ASSERTS_HELD(*lock);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_named_rwlock *csysi_named_rwlock_at(csys_named_rwlock *lock,
								    const char *file, int line)
	CSYS_RETURNS_LOCK(*lock);
CSYSI_UNUSED static inline csys_named_rwlock *csysi_named_rwlock_at(csys_named_rwlock *lock,
								    const char *file, int line)
{
	csysi_checked_at(lock->named.object, CSYSI_NULL, file, line);
	return lock;
}
#define CSYSI_NAMED_RWLOCK_HERE(lock) csysi_named_rwlock_at((lock), __FILE__, __LINE__)
#define csys_named_rwlock_read(lock) csys_named_rwlock_read(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_try_read(lock) csys_named_rwlock_try_read(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_read_until(lock, deadline) \
	csys_named_rwlock_read_until(CSYSI_NAMED_RWLOCK_HERE(lock), deadline)
#define csys_named_rwlock_unlock_read(lock) \
	csys_named_rwlock_unlock_read(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_write(lock) csys_named_rwlock_write(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_try_write(lock) csys_named_rwlock_try_write(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_write_until(lock, deadline) \
	csys_named_rwlock_write_until(CSYSI_NAMED_RWLOCK_HERE(lock), deadline)
#define csys_named_rwlock_unlock_write(lock) \
	csys_named_rwlock_unlock_write(CSYSI_NAMED_RWLOCK_HERE(lock))
#define csys_named_rwlock_downgrade(lock) csys_named_rwlock_downgrade(CSYSI_NAMED_RWLOCK_HERE(lock))
#endif

CSYS_END_DECLS

#endif
