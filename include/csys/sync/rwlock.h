/*
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
 * Twelve bytes, all zero when free, no destruction, no allocation; may be freed
 * right after the last unlock.
 *
 * No thread starves.  A writer that waits keeps new readers out.  When a writer unlocks,
 * another one that waits is first; but if a reader has slept for 1 ms, all readers that
 * wait by then go before it.  A writer that has waited for 1 ms since it first slept
 * goes before writers that come later.
 *
 * Reading while reading is allowed: a thread that reads already is let in past
 * waiting writers, since these wait for it.  (But not if csys does not know that it reads:
 * without poison, or with more than some thousand locks and no memory.)
 * Locking it twice in one thread in any other way waits for ever.
 *
 * Poisoning as for a mutex (csys/sync/mutex.h), but only by writers, since only
 * they leave half a change: readers that end are just released.  At most 65535
 * readers hold it at once; others wait then.
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

CSYS_BEGIN_DECLS

typedef struct CSYS_CAPABILITY("rwlock") csys_rwlock {
	uint32_t word; /* private, as is all of it: src/sync/rwlock.c */
	uint32_t writers;
	uint32_t marks;
} csys_rwlock;

/* A free one; the same as zeroed memory. */
#define CSYS_RWLOCK_INIT \
	{                \
		0, 0, 0  \
	}

/* One that is never poisoned, and not released when its holder ends. */
#define CSYS_RWLOCK_INIT_NO_POISON         \
	{                                  \
		0, 0, CSYSI_MARK_NO_POISON \
	}

/* Parts of the word. */
#define CSYSI_RWLOCK_WRITER 0x80000000u
#define CSYSI_RWLOCK_WRITERS_WAIT 0x40000000u
#define CSYSI_RWLOCK_PHASE 0x20000000u
#define CSYSI_RWLOCK_HUNGRY 0x10000000u
#define CSYSI_RWLOCK_WAITING 0x0fff0000u
#define CSYSI_RWLOCK_READERS 0x0000ffffu

/* What inline functions leave to src/sync/rwlock.c. */
CSYS_API int csysi_rwlock_read_slow(csys_rwlock *lock);
CSYS_API int csysi_rwlock_write_slow(csys_rwlock *lock);
CSYS_API void csysi_rwlock_unlock_read_slow(csys_rwlock *lock, uint32_t was);
CSYS_API void csysi_rwlock_unlock_write_slow(csys_rwlock *lock);

/* ---- reading --------------------------------------------------------------------------- */

/* Lock it for reading.  It is held on return: 0, or CSYS_POISONED. */
static inline int csys_rwlock_read(csys_rwlock *lock) CSYS_ACQUIRES_SHARED(*lock) CSYS_NOT_ANALYZED;

/* Lock it for reading if that needs no waiting; CSYS_EAGAIN: a writer holds it or waits. */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_read(csys_rwlock *lock)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

/*
 * Lock it for reading by `deadline`: 0 or CSYS_POISONED.  CSYS_ETIMEDOUT: it is not held.  A past
 * deadline still takes a lock that no writer holds or waits for.
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_read_until(csys_rwlock *lock, csys_deadline deadline)
	CSYS_TRY_ACQUIRES_SHARED(0, *lock);

static inline void csys_rwlock_unlock_read(csys_rwlock *lock)
	CSYS_RELEASES_SHARED(*lock) CSYS_NOT_ANALYZED;

/* ---- writing ---------------------------------------------------------------------------- */

/* Lock it for writing.  It is held on return: 0, or CSYS_POISONED. */
static inline int csys_rwlock_write(csys_rwlock *lock) CSYS_ACQUIRES(*lock) CSYS_NOT_ANALYZED;

/*
 * Lock it for writing if no thread holds it or waits for it: 0 or CSYS_POISONED.  CSYS_EAGAIN:
 * a thread holds it, or waits for it and comes first.
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_write(csys_rwlock *lock) CSYS_TRY_ACQUIRES(0, *lock);

/*
 * Lock it for writing by `deadline`: 0 or CSYS_POISONED.  CSYS_ETIMEDOUT: it is not held.  A past
 * deadline still takes a lock that csys_rwlock_try_write would take.
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_write_until(csys_rwlock *lock, csys_deadline deadline)
	CSYS_TRY_ACQUIRES(0, *lock);

static inline void csys_rwlock_unlock_write(csys_rwlock *lock)
	CSYS_RELEASES(*lock) CSYS_NOT_ANALYZED;

/* ---- from one to the other ---------------------------------------------------------------- */

/*
 * Turn a write lock into a read lock in one step: no writer comes between.  Readers
 * that wait are let in too, past waiting writers (as std's downgrade).
 */
CSYS_API void csys_rwlock_downgrade(csys_rwlock *lock) CSYS_RELEASES(*lock)
	CSYS_ACQUIRES_SHARED(*lock);

/*
 * Turn a read lock into a write lock in one step, if this is the only reader: 0 or
 * CSYS_POISONED, and it is held for writing.  CSYS_EAGAIN: it is still held for reading.  There is
 * no waiting for this: two readers would wait for each other.  For the analysis
 * (annotations.h) it is not held at all then, until csys_rwlock_assert_read says so.
 */
CSYS_API CSYS_MUST_CHECK int csys_rwlock_try_upgrade(csys_rwlock *lock) CSYS_RELEASES_SHARED(*lock)
	CSYS_TRY_ACQUIRES(0, *lock);

/*
 * Tell whether any thread holds it, and whether a writer does: 1 or 0, which may be out of
 * date when the caller sees them (csys_mutex_is_locked).
 */
CSYS_API int csys_rwlock_is_locked(const csys_rwlock *lock);
CSYS_API int csys_rwlock_is_write_locked(const csys_rwlock *lock);

/* ---- poison ---------------------------------------------------------------------------------- */

/* Poison, as csys_mutex_is_poisoned and the like for a mutex. */
CSYS_API int csys_rwlock_is_poisoned(const csys_rwlock *lock);
CSYS_API void csys_rwlock_clear_poison(csys_rwlock *lock);
CSYS_API void csys_rwlock_poison(csys_rwlock *lock);

/* Abort if the caller surely does not hold it in that way; as csys_mutex_assert_held. */
CSYS_API void csys_rwlock_assert_read(const csys_rwlock *lock) CSYS_ASSERTS_HELD_SHARED(*lock);
CSYS_API void csys_rwlock_assert_write(const csys_rwlock *lock) CSYS_ASSERTS_HELD(*lock);

/* ---- inline -------------------------------------------------------------- */

/* Add a reader, if `word` lets readers in and the lock's word is still that: 1; else 0. */
static inline int csysi_rwlock_joins(csys_rwlock *lock, uint32_t word)
{
	return (word & (CSYSI_RWLOCK_WRITER | CSYSI_RWLOCK_WRITERS_WAIT)) == 0 &&
	       (word & CSYSI_RWLOCK_READERS) != CSYSI_RWLOCK_READERS &&
	       __atomic_compare_exchange_n(&lock->word, &word, word + 1, 1, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* Acquire pairs with the releases of the unlocks, here and in src/sync/rwlock.c. */
static inline int csys_rwlock_read(csys_rwlock *lock)
{
	uint32_t word = 0;

	CSYSI_WANTS(lock, CSYSI_HELD_READ, CSYS_FOREVER);
	/* First as if no thread held it, since to load the word before costs no less than that. */
	if (!CSYSI_LIKELY(__atomic_compare_exchange_n(&lock->word, &word, 1, 0, __ATOMIC_ACQUIRE,
						      __ATOMIC_RELAXED)) &&
	    !csysi_rwlock_joins(lock, word))
		return csysi_rwlock_read_slow(lock);
	if (CSYSI_LIKELY(csysi_push(&lock->marks, CSYSI_ENTRY(lock, CSYSI_HELD_READ))))
		return 0;
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_READ);
}

static inline void csys_rwlock_unlock_read(csys_rwlock *lock)
{
	if (!CSYSI_LIKELY(csysi_pop(&lock->marks, CSYSI_ENTRY(lock, CSYSI_HELD_READ))) &&
	    !csysi_leave(&lock->marks, lock, CSYSI_HELD_READ))
		return;
	/* Release pairs with the acquire of the next writer.  From here on it may be gone. */
	uint32_t was = __atomic_fetch_sub(&lock->word, 1, __ATOMIC_RELEASE);
	if (!CSYSI_LIKELY((was & CSYSI_RWLOCK_WRITERS_WAIT) == 0 &&
			  (was & CSYSI_RWLOCK_READERS) != 0))
		csysi_rwlock_unlock_read_slow(lock, was);
}

static inline int csys_rwlock_write(csys_rwlock *lock)
{
	uint32_t word = 0;

	CSYSI_WANTS(lock, CSYSI_HELD_WRITE, CSYS_FOREVER);
	if (!CSYSI_LIKELY(__atomic_compare_exchange_n(&lock->word, &word, CSYSI_RWLOCK_WRITER, 0,
						      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		return csysi_rwlock_write_slow(lock);
	if (CSYSI_LIKELY(csysi_push(&lock->marks, CSYSI_ENTRY(lock, CSYSI_HELD_WRITE))))
		return 0;
	return csysi_enter(&lock->marks, lock, CSYSI_HELD_WRITE);
}

static inline void csys_rwlock_unlock_write(csys_rwlock *lock)
{
	if (!CSYSI_LIKELY(csysi_pop(&lock->marks, CSYSI_ENTRY(lock, CSYSI_HELD_WRITE))) &&
	    !csysi_leave(&lock->marks, lock, CSYSI_HELD_WRITE))
		return;
	/* Release pairs with the acquires of the next holders; from there on it may be gone. */
	uint32_t word = CSYSI_RWLOCK_WRITER;
	if (!CSYSI_LIKELY(__atomic_compare_exchange_n(&lock->word, &word, 0, 0, __ATOMIC_RELEASE,
						      __ATOMIC_RELAXED)))
		csysi_rwlock_unlock_write_slow(lock);
}

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_rwlock *csysi_rwlock_at(csys_rwlock *lock, const char *file,
							int line) CSYS_RETURNS_LOCK(*lock);
CSYSI_UNUSED static inline csys_rwlock *csysi_rwlock_at(csys_rwlock *lock, const char *file,
							int line)
{
	csysi_checked_at(lock, CSYSI_NULL, file, line);
	return lock;
}
#define CSYSI_RWLOCK_HERE(lock) csysi_rwlock_at((lock), __FILE__, __LINE__)
#define csys_rwlock_read(lock) csys_rwlock_read(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_try_read(lock) csys_rwlock_try_read(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_read_until(lock, deadline) \
	csys_rwlock_read_until(CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_rwlock_unlock_read(lock) csys_rwlock_unlock_read(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_write(lock) csys_rwlock_write(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_try_write(lock) csys_rwlock_try_write(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_write_until(lock, deadline) \
	csys_rwlock_write_until(CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_rwlock_unlock_write(lock) csys_rwlock_unlock_write(CSYSI_RWLOCK_HERE(lock))
#else
#define CSYSI_RWLOCK_HERE(lock) (lock)
#endif

CSYS_END_DECLS

#endif
