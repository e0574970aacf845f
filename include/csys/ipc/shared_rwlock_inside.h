/**
 * \file
 * csys/ipc/shared_rwlock_inside.h - private: the inline parts of csys/ipc/shared_rwlock.h.
 *
 * Nothing here is for users: include csys/ipc/shared_rwlock.h.  How it works:
 * src/ipc/shared_rwlock.c.
 */
#ifndef CSYS_IPC_SHARED_RWLOCK_INSIDE_H
#define CSYS_IPC_SHARED_RWLOCK_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/ipc/region.h>
#include <csys/ipc/region_inside.h>
#include <csys/ipc/shared_rwlock.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

/* What inline functions leave to src/ipc/shared_rwlock.c. */
CSYS_API int csysi_shared_rwlock_read_slow(csys_region *region, csys_shared_rwlock *lock);
CSYS_API int csysi_shared_rwlock_read_again(csys_region *region, csys_shared_rwlock *lock);
CSYS_API int csysi_shared_rwlock_entered(csys_shared_rwlock *lock);
CSYS_API void csysi_shared_rwlock_unlock_read_slow(csys_region *region, csys_shared_rwlock *lock);
CSYS_API void csysi_shared_rwlock_unlock_read_noted(csys_region *region, csys_shared_rwlock *lock);

/* What a cell has of the lock that is read: its place in the data.  This is the largest. */
#define CSYSI_SHARED_RWLOCK_KEYS 0x3fffffffu

#if defined(__cplusplus)
#define CSYSI_SHARED_RWLOCK_SIZE(x) (static_cast<size_t>(x))
#define CSYSI_SHARED_RWLOCK_UINT32(x) (static_cast<uint32_t>(x))
#else
#define CSYSI_SHARED_RWLOCK_SIZE(x) ((size_t)(x))
#define CSYSI_SHARED_RWLOCK_UINT32(x) ((uint32_t)(x))
#endif

/* The distance of a lock, from 8 bytes before the data on.  It is the key, if there is one. */
static inline size_t csysi_shared_rwlock_distance(const char *before,
						  const csys_shared_rwlock *lock)
{
	return CSYSI_SHARED_RWLOCK_SIZE(CSYSI_ENTRY(lock, 0) - before) / 8;
}

/*
 * The usual case: the thread holds nothing, and no writer is there.  Sequentially consistent, all
 * but the poison, which comes with `word`: pairs with the same in the writer (src), which either
 * sees the cell, or is seen here.
 */
static inline int csys_shared_rwlock_read(csys_region *region, csys_shared_rwlock *lock)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	if (CSYSI_LIKELY(csysi_member.region == region) &&
	    CSYSI_LIKELY(__atomic_load_n(&lock->seen, __ATOMIC_SEQ_CST) & csysi_member.place)) {
		size_t key = csysi_shared_rwlock_distance(csysi_member.before, lock);
		uint32_t none = 0;

		if (CSYSI_LIKELY(key <= CSYSI_SHARED_RWLOCK_KEYS) &&
		    CSYSI_LIKELY(__atomic_compare_exchange_n(csysi_member.cells, &none,
							     CSYSI_SHARED_RWLOCK_UINT32(key), 0,
							     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))) {
			uint32_t word = __atomic_load_n(&lock->word, __ATOMIC_SEQ_CST);
			uint32_t marks = __atomic_load_n(&lock->marks, __ATOMIC_RELAXED);

			if (!CSYSI_LIKELY((word | marks) == 0))
				return csysi_shared_rwlock_read_again(region, lock);
			return CSYSI_LIKELY(
				       csysi_push_shared(CSYSI_ENTRY(lock, CSYSI_HELD_SHARED_READ)))
				       ? 0
				       : csysi_shared_rwlock_entered(lock);
		}
	}
#endif
	return csysi_shared_rwlock_read_slow(region, lock);
}

static inline void csys_shared_rwlock_unlock_read(csys_region *region, csys_shared_rwlock *lock)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	if (CSYSI_LIKELY(csysi_member.region == region) &&
	    CSYSI_LIKELY(csysi_pop_shared(CSYSI_ENTRY(lock, CSYSI_HELD_SHARED_READ)))) {
		/* It was noted as read by a cell, so it has a key. */
		uint32_t key = CSYSI_SHARED_RWLOCK_UINT32(
			csysi_shared_rwlock_distance(csysi_member.before, lock));

		/* Release pairs with the acquire of the writer.  From here on the lock may be gone;
		 * the cell is this thread's. */
		if (!CSYSI_LIKELY(__atomic_compare_exchange_n(csysi_member.cells, &key, 0, 0,
							      __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
			csysi_shared_rwlock_unlock_read_noted(region, lock);
		return;
	}
#endif
	csysi_shared_rwlock_unlock_read_slow(region, lock);
}

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_shared_rwlock *csysi_shared_rwlock_at(csys_shared_rwlock *lock,
								      const char *file, int line)
	CSYS_RETURNS_LOCK(*lock);
CSYSI_UNUSED static inline csys_shared_rwlock *csysi_shared_rwlock_at(csys_shared_rwlock *lock,
								      const char *file, int line)
{
	csysi_checked_at(lock, CSYSI_NULL, file, line);
	return lock;
}
#define CSYSI_SHARED_RWLOCK_HERE(lock) csysi_shared_rwlock_at((lock), __FILE__, __LINE__)
#define csys_shared_rwlock_read(region, lock) \
	csys_shared_rwlock_read(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_try_read(region, lock) \
	csys_shared_rwlock_try_read(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_read_until(region, lock, deadline) \
	csys_shared_rwlock_read_until(region, CSYSI_SHARED_RWLOCK_HERE(lock), deadline)
#define csys_shared_rwlock_unlock_read(region, lock) \
	csys_shared_rwlock_unlock_read(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_write(region, lock) \
	csys_shared_rwlock_write(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_try_write(region, lock) \
	csys_shared_rwlock_try_write(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_write_until(region, lock, deadline) \
	csys_shared_rwlock_write_until(region, CSYSI_SHARED_RWLOCK_HERE(lock), deadline)
#define csys_shared_rwlock_unlock_write(region, lock) \
	csys_shared_rwlock_unlock_write(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#define csys_shared_rwlock_downgrade(region, lock) \
	csys_shared_rwlock_downgrade(region, CSYSI_SHARED_RWLOCK_HERE(lock))
#else
#define CSYSI_SHARED_RWLOCK_HERE(lock) (lock)
#endif

CSYS_END_DECLS

#endif
