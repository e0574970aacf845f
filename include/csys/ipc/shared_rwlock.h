/**
 * \file
 * csys/ipc/shared_rwlock.h - many readers or one writer, of the threads of several processes.
 *
 *     csys_shared_rwlock_read(region, &table->lock);
 *     value = look_up(table, key);
 *     csys_shared_rwlock_unlock_read(region, &table->lock);
 *
 *     if (csys_shared_rwlock_write(region, &table->lock) == CSYS_POISONED) {
 *             build_again(table);
 *             csys_shared_rwlock_clear_poison(&table->lock);
 *     }
 *     insert(table, key, value);
 *     csys_shared_rwlock_unlock_write(region, &table->lock);
 *
 * A shared rwlock lies anywhere in a region (csys/ipc/region.h) on a boundary of 8 bytes, is 24
 * bytes, all zero when free, and needs no destruction.  A reader writes to memory of its own only,
 * so readers do not slow each other down; a writer looks at the readers that the lock has had.
 *
 * csys_region_attach once in a thread makes sure that locking cannot fail there.
 *
 * Death.  A thread that ends while it reads, by whatever cause and at whatever instruction, is no
 * reader any more.  One that ends while it writes leaves the lock poisoned: the next that locks it
 * in any way is told by CSYS_POISONED, since what it guards may be half changed, and so is each
 * later one until csys_shared_rwlock_clear_poison.  One that ends while it waits has changed
 * nothing.  Threads that wait learn of a death at once where the system can tell (Linux 5.16), and
 * else within 0.1 s.  A holder that is only stopped keeps the lock.
 *
 * A panic (csys/sync/panic.h) releases what was locked, and poisons what was written, as it does
 * with csys_rwlock.
 *
 * Waiting: a waiter spins for at most 5 us, then sleeps.  A writer that waits keeps new readers
 * out.  A lock that no writer has goes to the first thread that locks it, also if others have
 * waited for longer.
 *
 * Reading while reading is allowed: a thread that reads already is let in past waiting writers,
 * since these wait for it.  Locking it twice in one thread in any other way waits for ever.
 *
 * A thread that reads 16 locks of a region has each further one alone: it waits for the other
 * readers of that lock, and they wait for it.  So has every reader of a lock that lies more than
 * 8 GiB behind the start of the data.  Threads that read so many locks need one order of them, as
 * writers do.
 *
 * Unlocking what the thread does not hold in that way aborts with a line on stderr.
 *
 * Threads: any number may use it at once.  Signals: not to be used in handlers.  Fork: the child
 * holds nothing; what its parent holds stays the parent's.
 */
#ifndef CSYS_IPC_SHARED_RWLOCK_H
#define CSYS_IPC_SHARED_RWLOCK_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/sync/annotations.h>

CSYS_BEGIN_DECLS

/** A lock for many readers or one writer of all processes; all zero is a free one. */
typedef struct CSYS_CAPABILITY("rwlock") csys_shared_rwlock {
	uint32_t word;  /**< private: src/ipc/shared_rwlock.c */
	uint32_t marks; /**< private */
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t seen;     /**< private */
	uint32_t nested;   /**< private */
	uint32_t reserved; /**< zero */
} csys_shared_rwlock;

/* ---- reading --------------------------------------------------------------------------- */

/**
 * Lock a shared rwlock for reading, however long that takes.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval negative       the caller does not read, since it is no member of the region and cannot
 *                        become one: csys_region_attach tells why, and makes sure before
 */
static inline int csys_shared_rwlock_read(csys_region *region, csys_shared_rwlock *lock)
	CSYS_ACQUIRES_SHARED(*lock) CSYS_NOT_ANALYZED;

/**
 * Lock a shared rwlock for reading if no writer has it or waits for it.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \retval 0              the caller reads
 * \retval CSYS_POISONED  the caller reads what a writer may have left half changed
 * \retval CSYS_EAGAIN    a writer has it or waits for it; or the caller is no member yet and would
 *                        wait to become one
 * \retval other          as csys_shared_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_rwlock_try_read(csys_region *region,
							 csys_shared_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Lock a shared rwlock for reading by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_shared_rwlock_try_read would take.
 *
 * \param region    where it lies
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller reads
 * \retval CSYS_POISONED   the caller reads what a writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller does not read
 * \retval other           as csys_shared_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int
csys_shared_rwlock_read_until(csys_region *region, csys_shared_rwlock *lock, csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/**
 * Unlock a shared rwlock that the caller reads, once.
 *
 * The call never waits.
 *
 * \param region  where it lies
 * \param lock    the lock
 */
static inline void csys_shared_rwlock_unlock_read(csys_region *region, csys_shared_rwlock *lock)
	CSYS_RELEASES_SHARED(*lock) CSYS_NOT_ANALYZED;

/* ---- writing ---------------------------------------------------------------------------- */

/**
 * Lock a shared rwlock for writing, however long that takes.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes, and a writer has ended while it held the lock
 * \retval negative       as csys_shared_rwlock_read
 */
CSYS_API int csys_shared_rwlock_write(csys_region *region, csys_shared_rwlock *lock)
	CSYS_ACQUIRES(*lock);

/**
 * Lock a shared rwlock for writing if that needs no waiting.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \retval 0              the caller writes
 * \retval CSYS_POISONED  the caller writes what another writer may have left half changed
 * \retval CSYS_EAGAIN    a thread has it, perhaps the caller, or a writer waits for it; or the
 *                        caller is no member yet and would wait to become one
 * \retval other          as csys_shared_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_rwlock_try_write(csys_region *region,
							  csys_shared_rwlock *lock)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Lock a shared rwlock for writing by a deadline.
 *
 * A deadline that has passed still takes a lock that csys_shared_rwlock_try_write would take.
 *
 * \param region    where it lies
 * \param lock      the lock
 * \param deadline  when to give up
 * \retval 0               the caller writes
 * \retval CSYS_POISONED   the caller writes what another writer may have left half changed
 * \retval CSYS_ETIMEDOUT  the caller does not hold it
 * \retval other           as csys_shared_rwlock_read
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_rwlock_write_until(csys_region *region,
							    csys_shared_rwlock *lock,
							    csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *lock);

/**
 * Unlock a shared rwlock that the caller writes.
 *
 * The call never waits.
 *
 * \param region  where it lies
 * \param lock    the lock
 */
CSYS_API void csys_shared_rwlock_unlock_write(csys_region *region, csys_shared_rwlock *lock)
	CSYS_RELEASES(*lock);

/**
 * Turn a write lock into a read lock: no writer comes between.
 *
 * Readers that wait are let in too.
 *
 * \param region  where it lies
 * \param lock    the lock
 */
CSYS_API void csys_shared_rwlock_downgrade(csys_region *region, csys_shared_rwlock *lock)
	CSYS_RELEASES(*lock) CSYS_ACQUIRES_SHARED(*lock);

/* ---- what it tells ------------------------------------------------------------------------ */

/**
 * Tell whether any thread that lives holds a shared rwlock, in any way.
 *
 * It may be out of date when the caller sees it: for assertions, dumps and statistics.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_rwlock_is_locked(const csys_region *region,
					  const csys_shared_rwlock *lock);

/**
 * Tell whether a thread that lives writes a shared rwlock.
 *
 * It may be out of date when the caller sees it.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_rwlock_is_write_locked(const csys_region *region,
						const csys_shared_rwlock *lock);

/**
 * Tell which member writes a shared rwlock, or waits for its readers to leave, for diagnosis.
 *
 * It may be out of date when the caller sees it.  One that has ended is told of until its place in
 * the region, or the lock, is another member's.
 *
 * \param region  where it lies
 * \param lock    the lock
 * \param out     the member.  Unchanged if there is none
 * \return 1; 0 if there is none, or none of which the region knows
 */
CSYS_API int csys_shared_rwlock_holder(const csys_region *region, const csys_shared_rwlock *lock,
				       csys_region_member *out);

/**
 * Tell whether a shared rwlock is poisoned at this moment.
 *
 * The caller need not hold it.  A writer that has ended poisons it when the next thread locks it,
 * not before.
 *
 * \param lock  the lock
 * \return 1 if so, else 0
 */
CSYS_API int csys_shared_rwlock_is_poisoned(const csys_shared_rwlock *lock);

/**
 * Clear the poison of a shared rwlock: the data is in order again.
 *
 * A writer calls this as a rule, but any thread may.
 *
 * \param lock  the lock
 */
CSYS_API void csys_shared_rwlock_clear_poison(csys_shared_rwlock *lock);

/**
 * Poison a shared rwlock, as the death of a writer would.
 *
 * \param lock  the lock
 */
CSYS_API void csys_shared_rwlock_poison(csys_shared_rwlock *lock);

/**
 * Abort if the caller does not read a shared rwlock.
 *
 * After the call it counts as read for the analysis (csys/sync/annotations.h).
 *
 * \param region  where it lies
 * \param lock    the lock
 */
CSYS_API void csys_shared_rwlock_assert_read(const csys_region *region,
					     const csys_shared_rwlock *lock)
	CSYS_ASSERTS_HELD_SHARED(*lock);

/**
 * Abort if the caller does not write a shared rwlock.
 *
 * After the call it counts as written for the analysis (csys/sync/annotations.h).
 *
 * \param region  where it lies
 * \param lock    the lock
 */
CSYS_API void csys_shared_rwlock_assert_write(const csys_region *region,
					      const csys_shared_rwlock *lock)
	CSYS_ASSERTS_HELD(*lock);

CSYS_END_DECLS

/* The inline functions, which need the type. */
#include <csys/ipc/shared_rwlock_inside.h>

#endif
