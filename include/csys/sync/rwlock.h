/**
 * \file
 * csys/sync/rwlock.h - many readers or one writer.
 *
 *     static csys_rwlock lock = CSYS_RWLOCK_INIT; // guards `table`
 *
 *     csys_rwlock_read(&lock);
 *     value = look_up(table, key);
 *     csys_rwlock_unlock_read(&lock);
 *
 *     csys_rwlock_write(&lock);
 *     insert(table, key, value);
 *     csys_rwlock_unlock_write(&lock);
 *
 * A thread that will perhaps write reads upgradably, beside other readers; no other thread writes
 * between its look and its change:
 *
 *     csys_rwlock_upgradable_read(&lock);
 *     if (look_up(table, key) == value) {
 *             csys_rwlock_unlock_upgradable(&lock);
 *     } else {
 *             csys_rwlock_upgrade(&lock);
 *             insert(table, key, value);
 *             csys_rwlock_unlock_write(&lock);
 *     }
 *
 * Sixteen bytes, all zero when free, no destruction, no allocation; may be freed
 * right after the last unlock.
 *
 * No thread starves.  A writer that waits keeps new readers out.  When a writer unlocks, the
 * next holder is another writer that waits.  If a reader has slept for 1 ms, all readers that
 * wait by then are next instead.  A writer that has waited for 1 ms since it first slept goes
 * before writers that come later.  An upgrade goes before all that wait.
 *
 * Reading while reading is allowed: a thread that reads already is let in past
 * waiting writers, since these wait for it.  (But not if csys does not know that it reads:
 * without poison, or with more than some thousand locks and no memory.  There, and where one
 * thread reads on behalf of another one, use csys_rwlock_read_recursive.)
 * Locking it twice in one thread in any other way waits for ever.
 *
 * Poisoning as for a mutex (csys/sync/mutex.h), but only by writers, since only
 * they leave half a change: readers that end are just released.  At most 65535
 * readers hold it at once; others wait then.
 *
 * Upgradable and recursive reads are as in parking_lot; std has neither.
 *
 * Threads, signals, fork, misuse: as csys/sync/mutex.h.
 */
#ifndef CSYS_SYNC_RWLOCK_H
#define CSYS_SYNC_RWLOCK_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/ledger.h>
#include <csys/sync/mutex.h>

CSYS_BEGIN_DECLS

/** A lock for many readers or one writer; all zero is a free one. */
typedef struct CSYS_CAPABILITY("rwlock") csys_rwlock {
	uint32_t word;    /**< private: src/sync/rwlock.c */
	uint32_t writers; /**< private */
	csys_mutex turn;  /**< private */
} csys_rwlock;

/** A free rwlock; the same as zeroed memory. */
#define CSYS_RWLOCK_INIT              \
	{                             \
		0, 0, CSYS_MUTEX_INIT \
	}

/** A free rwlock that is never poisoned, and not released when its holder ends. */
#define CSYS_RWLOCK_INIT_NO_POISON              \
	{                                       \
		0, 0, CSYS_MUTEX_INIT_NO_POISON \
	}

/**
 * Make a free rwlock in memory that is not zeroed.
 *
 * No thread may use it meanwhile, or hold what was there before.
 *
 * \param lock  any memory
 */
CSYS_API void csys_rwlock_init(csys_rwlock *lock);

/**
 * Make a free rwlock that is never poisoned, as CSYS_RWLOCK_INIT_NO_POISON does.
 *
 * \param lock  any memory
 */
CSYS_API void csys_rwlock_init_no_poison(csys_rwlock *lock);

/* ---- reading --------------------------------------------------------------------------- */

/**
 * Lock a rwlock for reading, however long that takes.
 *
 * \param lock  the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads, and a writer has ended while it held the lock
 */
static inline int csys_rwlock_read(csys_rwlock *lock) CSYS_ACQUIRES_SHARED(*lock) CSYS_NOT_ANALYZED;

/**
 * Lock a rwlock for reading if that needs no waiting.
 *
 * \param lock  the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval CSYS_EAGAIN    a writer holds it or waits for it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_read(csys_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a rwlock for reading by a deadline.
 *
 * A deadline that has passed still takes a lock that no writer holds or waits for.  After
 * CSYS_ETIMEDOUT csys_rwlock_is_poisoned may be asked, as for a mutex.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller reads
 * \retval CSYS_POISONED   the caller reads what a writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_read_until(csys_rwlock *lock, csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a rwlock for reading, past writers that wait.
 *
 * For a reader that must not wait for a waiting writer: one that runs while another reader, which
 * the writer waits for, waits for it in turn.  The thread's own ledger is not asked, so it
 * works without poison too.  Where such readers always overlap, writers starve.
 *
 * \param lock  the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 */
CSYS_API int csys_rwlock_read_recursive(csys_rwlock *lock) CSYS_ACQUIRES_SHARED(*lock);

/**
 * Lock a rwlock for reading if no writer holds it, past writers that wait.
 *
 * \param lock  the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval CSYS_EAGAIN    a writer holds it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_read_recursive(csys_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a rwlock for reading by a deadline, past writers that wait.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller reads
 * \retval CSYS_POISONED   the caller reads what a writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_read_recursive_until(csys_rwlock *lock,
							      csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Unlock a rwlock that the caller reads, once.
 *
 * \param lock  the lock
 */
static inline void csys_rwlock_unlock_read(csys_rwlock *lock)
	CSYS_RELEASES_SHARED(*lock) CSYS_NOT_ANALYZED;

/* ---- writing ---------------------------------------------------------------------------- */

/**
 * Lock a rwlock for writing, however long that takes.
 *
 * \param lock  the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes, and a writer has ended while it held the lock
 */
static inline int csys_rwlock_write(csys_rwlock *lock) CSYS_ACQUIRES(*lock) CSYS_NOT_ANALYZED;

/**
 * Lock a rwlock for writing if that needs no waiting.
 *
 * \param lock  the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what another writer may have left half changed
 * \retval CSYS_EAGAIN    a thread holds it, or waits for it and comes first
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_write(csys_rwlock *lock) CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Lock a rwlock for writing by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_rwlock_try_write would take.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller writes
 * \retval CSYS_POISONED   the caller writes what another writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_write_until(csys_rwlock *lock, csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Unlock a rwlock that the caller writes.
 *
 * \param lock  the lock
 */
static inline void csys_rwlock_unlock_write(csys_rwlock *lock)
	CSYS_RELEASES(*lock) CSYS_NOT_ANALYZED;

/* ---- reading upgradably ------------------------------------------------------------------- */

/**
 * Lock a rwlock for reading, as the one reader that may be upgraded to the writer.
 *
 * It is held beside other readers, but not beside a writer or another upgradable reader: those
 * wait.  For the analysis (annotations.h) it is a read lock.  A thread that holds it may read it
 * once more, but cannot upgrade before it has unlocked that.
 *
 * \param lock  the lock
 * \retval 0              the caller is the upgradable reader
 * \retval CSYS_POISONED  the caller is the upgradable reader; the data may be half changed
 */
CSYS_API int csys_rwlock_upgradable_read(csys_rwlock *lock) CSYS_ACQUIRES_SHARED(*lock);

/**
 * Lock a rwlock for upgradable reading if that needs no waiting.
 *
 * \param lock  the lock
 * \retval 0              the caller is the upgradable reader
 * \retval CSYS_POISONED  the caller is the upgradable reader; the data may be half changed
 * \retval CSYS_EAGAIN    a writer or another upgradable reader holds it, or waits for it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_upgradable_read(csys_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a rwlock for upgradable reading by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_rwlock_try_upgradable_read would take.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller is the upgradable reader
 * \retval CSYS_POISONED   the caller is the upgradable reader; the data may be half changed
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_upgradable_read_until(csys_rwlock *lock,
							       csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Unlock a rwlock that the caller reads upgradably.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_unlock_upgradable(csys_rwlock *lock) CSYS_RELEASES_SHARED(*lock);

/* ---- from one to the other ---------------------------------------------------------------- */

/**
 * Turn the upgradable read lock into a write lock, as soon as all other readers have left.
 *
 * No writer comes between, not even one that has waited for long; new readers are kept out
 * meanwhile.  Misuse, which aborts with a line: the caller does not hold it upgradably.
 *
 * \param lock  the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what another writer may have left half changed
 */
CSYS_API int csys_rwlock_upgrade(csys_rwlock *lock) CSYS_RELEASES_SHARED(*lock)
	CSYS_ACQUIRES(*lock);

/**
 * Turn the upgradable read lock into a write lock, if all other readers have left by a deadline.
 *
 * After CSYS_ETIMEDOUT it is still held upgradably.  For the analysis (annotations.h) it is not
 * held at all then, until csys_rwlock_assert_upgradable says so.
 *
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller writes
 * \retval CSYS_POISONED   the caller writes what another writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller is the upgradable reader still
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_upgrade_until(csys_rwlock *lock, csys_deadline deadline)
	CSYS_RELEASES_SHARED(*lock) CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Turn an upgradable or a usual read lock into a write lock, if the caller is the only reader.
 *
 * There is no waiting for this with a usual read lock: two such readers would wait for each other.
 * After CSYS_EAGAIN it is held as before.  For the analysis (annotations.h) it is not held at
 * all then, until csys_rwlock_assert_read says so.
 *
 * \param lock  the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what another writer may have left half changed
 * \retval CSYS_EAGAIN    others read it, too
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_upgrade(csys_rwlock *lock) CSYS_RELEASES_SHARED(*lock)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Turn a write lock into a read lock in one step: no writer comes between.
 *
 * Readers that wait are let in too, past waiting writers (as std's downgrade).
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_downgrade(csys_rwlock *lock) CSYS_RELEASES(*lock)
	CSYS_ACQUIRES_SHARED(*lock);

/**
 * Turn a write lock into the upgradable read lock in one step: no writer comes between.
 *
 * Readers that wait are let in too, past waiting writers.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_downgrade_to_upgradable(csys_rwlock *lock) CSYS_RELEASES(*lock)
	CSYS_ACQUIRES_SHARED(*lock);

/**
 * Turn the upgradable read lock into a usual one, so that another thread may read upgradably.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_downgrade_upgradable(csys_rwlock *lock) CSYS_RELEASES_SHARED(*lock)
	CSYS_ACQUIRES_SHARED(*lock);

/**
 * Tell whether any thread holds a rwlock, in any way.
 *
 * It may be out of date when the caller sees it (csys_mutex_is_locked).
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_rwlock_is_locked(const csys_rwlock *lock);

/**
 * Tell whether a writer holds a rwlock.
 *
 * It may be out of date when the caller sees it (csys_mutex_is_locked).
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_rwlock_is_write_locked(const csys_rwlock *lock);

/* ---- poison ---------------------------------------------------------------------------------- */

/**
 * Tell whether a rwlock is poisoned at this moment.
 *
 * The caller need not hold it: this may be asked after a timed call that gave up, too.
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_rwlock_is_poisoned(const csys_rwlock *lock);

/**
 * Clear the poison of a rwlock: the data is in order again.
 *
 * A writer calls this as a rule, but any thread may.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_clear_poison(csys_rwlock *lock);

/**
 * Poison a rwlock, as the end of a writer would.
 *
 * A lock without poison is not changed.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_poison(csys_rwlock *lock);

/**
 * Abort if the caller surely does not read a rwlock, upgradably or not.
 *
 * What csys_mutex_assert_held says about poison and the analysis holds here too.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_assert_read(const csys_rwlock *lock) CSYS_ASSERTS_HELD_SHARED(*lock);

/**
 * Abort if the caller surely is not the upgradable reader of a rwlock.
 *
 * What csys_mutex_assert_held says about poison and the analysis holds here too.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_assert_upgradable(const csys_rwlock *lock)
	CSYS_ASSERTS_HELD_SHARED(*lock);

/**
 * Abort if the caller surely does not write a rwlock.
 *
 * What csys_mutex_assert_held says about poison and the analysis holds here too.
 *
 * \param lock  the lock
 */
CSYS_API void csys_rwlock_assert_write(const csys_rwlock *lock) CSYS_ASSERTS_HELD(*lock);

CSYS_END_DECLS

/* The inline functions, which need the type. */
#include <csys/sync/rwlock_inside.h>

#endif
