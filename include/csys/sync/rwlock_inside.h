/**
 * \file
 * csys/sync/rwlock_inside.h - the inline parts of csys/sync/rwlock.h.
 *
 * Nothing here is for users: include csys/sync/rwlock.h.
 */
#ifndef CSYS_SYNC_RWLOCK_INSIDE_H
#define CSYS_SYNC_RWLOCK_INSIDE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/sync/annotations.h>
#include <csys/sync/ledger.h>
#include <csys/sync/rwlock.h>

CSYS_BEGIN_DECLS

/* Parts of the word. */
#define CSYSI_RWLOCK_WRITER 0x80000000u
#define CSYSI_RWLOCK_WRITERS_WAIT 0x40000000u
#define CSYSI_RWLOCK_PHASE 0x20000000u
#define CSYSI_RWLOCK_HUNGRY 0x10000000u
#define CSYSI_RWLOCK_UPGRADABLE 0x08000000u
#define CSYSI_RWLOCK_UPGRADABLE_WAITS 0x04000000u
#define CSYSI_RWLOCK_WAITING 0x03ff0000u
#define CSYSI_RWLOCK_READERS 0x0000ffffu

/* What inline functions leave to src/sync/rwlock.c. */
CSYS_API int csysi_rwlock_read_slow(csys_rwlock *lock);
CSYS_API int csysi_rwlock_write_slow(csys_rwlock *lock);
CSYS_API void csysi_rwlock_unlock_read_slow(csys_rwlock *lock, uint32_t was);
CSYS_API void csysi_rwlock_unlock_write_slow(csys_rwlock *lock);

/* ---- inline functions --------------------------------------------------------- */

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
	if (CSYSI_LIKELY(csysi_push(&lock->turn.marks, CSYSI_ENTRY(lock, CSYSI_HELD_READ))))
		return 0;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_READ);
}

static inline void csys_rwlock_unlock_read(csys_rwlock *lock)
{
	if (!CSYSI_LIKELY(csysi_pop(&lock->turn.marks, CSYSI_ENTRY(lock, CSYSI_HELD_READ))) &&
	    !csysi_leave(&lock->turn.marks, lock, CSYSI_HELD_READ))
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
	if (CSYSI_LIKELY(csysi_push(&lock->turn.marks, CSYSI_ENTRY(lock, CSYSI_HELD_WRITE))))
		return 0;
	return csysi_enter(&lock->turn.marks, lock, CSYSI_HELD_WRITE);
}

static inline void csys_rwlock_unlock_write(csys_rwlock *lock)
{
	if (!CSYSI_LIKELY(csysi_pop(&lock->turn.marks, CSYSI_ENTRY(lock, CSYSI_HELD_WRITE))) &&
	    !csysi_leave(&lock->turn.marks, lock, CSYSI_HELD_WRITE))
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
#define csys_rwlock_read_recursive(lock) csys_rwlock_read_recursive(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_try_read_recursive(lock) csys_rwlock_try_read_recursive(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_read_recursive_until(lock, deadline) \
	csys_rwlock_read_recursive_until(CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_rwlock_upgradable_read(lock) csys_rwlock_upgradable_read(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_try_upgradable_read(lock) \
	csys_rwlock_try_upgradable_read(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_upgradable_read_until(lock, deadline) \
	csys_rwlock_upgradable_read_until(CSYSI_RWLOCK_HERE(lock), deadline)
#define csys_rwlock_unlock_upgradable(lock) csys_rwlock_unlock_upgradable(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_upgrade(lock) csys_rwlock_upgrade(CSYSI_RWLOCK_HERE(lock))
#define csys_rwlock_upgrade_until(lock, deadline) \
	csys_rwlock_upgrade_until(CSYSI_RWLOCK_HERE(lock), deadline)
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
