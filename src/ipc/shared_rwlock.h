/*
 * ipc/shared_rwlock.h - the words of a shared rwlock, for locking and for those that look at one.
 *
 * What they are and how they change: ipc/shared_rwlock.c.
 */
#ifndef CSYSI_IPC_SHARED_RWLOCK_H
#define CSYSI_IPC_SHARED_RWLOCK_H

#include <stddef.h>

#include <csys/ipc/shared_rwlock.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"

/* In a word and in a cell. */
#define CSYSI_SHARED_RWLOCK_WAITED 0x80000000u
/* In a word. */
#define CSYSI_SHARED_RWLOCK_HELD 0x40000000u
/* In a cell. */
#define CSYSI_SHARED_RWLOCK_NESTED 0x40000000u
/* In the marks. */
#define CSYSI_SHARED_RWLOCK_POISONED 1u

#define CSYSI_SHARED_RWLOCK_SEEN 64u /* how many bits there are in `seen` */

/* The key of a lock; 0: it lies too far behind the start of the data for one, or not in it. */
static inline uint32_t csysi_shared_rwlock_key_of(const csys_region *region,
						  const csys_shared_rwlock *lock)
{
	size_t distance = csysi_shared_rwlock_distance(region->data - 8, lock);

	return distance <= CSYSI_SHARED_RWLOCK_KEYS ? (uint32_t)distance : 0;
}

/* The cell of this thread with a key; NULL if there is none. */
static inline uint32_t *csysi_shared_rwlock_find(uint32_t *cells, uint32_t key)
{
	/* Relaxed: no other thread changes the key in it. */
	for (int i = 0; i < CSYSI_MEMBER_CELLS; i++)
		if ((csysi_load_relaxed(&cells[i]) & CSYSI_SHARED_RWLOCK_KEYS) == key)
			return &cells[i];
	return NULL;
}

/* Whether this thread has the word, to write (HELD), or to read without a cell (0). */
static inline int csysi_shared_rwlock_has_word(const csys_shared_rwlock *lock, uint32_t id,
					       uint32_t held)
{
	/* Relaxed: while this thread has it, no other changes the id or HELD. */
	return (csysi_load_relaxed(&lock->word) & (CSYSI_ID | CSYSI_SHARED_RWLOCK_HELD)) ==
	       (id | held);
}

/* Whether the thread with this id writes; 0 is none. */
static inline int csysi_shared_rwlock_writes(uint32_t id, const csys_shared_rwlock *lock)
{
	return id != 0 && csysi_shared_rwlock_has_word(lock, id, CSYSI_SHARED_RWLOCK_HELD);
}

/* Whether what a cell of a member has tells of a reader. */
static inline int csysi_shared_rwlock_is_reading(const csys_region *region, uint32_t place,
						 uint32_t cell, uint32_t key)
{
	return (cell & CSYSI_SHARED_RWLOCK_KEYS) == key &&
	       csysi_os_token_is_alive(&region->tokens, place);
}

#endif
