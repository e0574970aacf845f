/*
 * ipc/shared_rwlock_look.c - what a shared rwlock tells, and its poison.
 *
 * Its words: ipc/shared_rwlock.c.
 */
#include "ipc/shared_rwlock.h"

/* Whether a thread that lives has the word; with `held`, to write. */
static int is_had(const csys_region *region, const csys_shared_rwlock *lock, uint32_t held)
{
	/* Relaxed: it tells of a moment that is over. */
	uint32_t word = csysi_load_relaxed(&lock->word);

	return (word & held) == held && word != 0 && csysi_region_is_alive(region, word & CSYSI_ID);
}

static int is_read(const csys_region *region, const csys_shared_rwlock *lock)
{
	uint64_t seen = csysi_load_relaxed(&lock->seen); /* relaxed, as above, and the cells */
	uint32_t key = csysi_shared_rwlock_key_of(region, lock);

	for (uint32_t place = 0; key != 0 && place < region->members; place++)
		for (int i = 0;
		     (seen >> place % CSYSI_SHARED_RWLOCK_SEEN & 1) && i < CSYSI_MEMBER_CELLS; i++)
			if (csysi_shared_rwlock_is_reading(
				    region, place,
				    csysi_load_relaxed(&region->entries[place].cells[i]), key))
				return 1;
	return 0;
}

int csys_shared_rwlock_is_locked(const csys_region *region, const csys_shared_rwlock *lock)
{
	return is_had(region, lock, 0) || is_read(region, lock);
}

int csys_shared_rwlock_is_write_locked(const csys_region *region, const csys_shared_rwlock *lock)
{
	return is_had(region, lock, CSYSI_SHARED_RWLOCK_HELD);
}

int csys_shared_rwlock_holder(const csys_region *region, const csys_shared_rwlock *lock,
			      csys_region_member *out)
{
	uint32_t holder = csysi_load_relaxed(&lock->word) & CSYSI_ID; /* relaxed, as above */

	return holder != 0 && csysi_region_look(region, holder, out);
}

int csys_shared_rwlock_is_poisoned(const csys_shared_rwlock *lock)
{
	/* Relaxed, and in the next two: poison is a flag that orders nothing. */
	return (csysi_load_relaxed(&lock->marks) & CSYSI_SHARED_RWLOCK_POISONED) != 0;
}

void csys_shared_rwlock_clear_poison(csys_shared_rwlock *lock)
{
	csysi_and_relaxed(&lock->marks, ~CSYSI_SHARED_RWLOCK_POISONED);
}

void csys_shared_rwlock_poison(csys_shared_rwlock *lock)
{
	csysi_or_relaxed(&lock->marks, CSYSI_SHARED_RWLOCK_POISONED);
}

/* Whether a member reads a lock by a cell. */
static int has_cell(const csys_region *region, const csys_shared_rwlock *lock, uint32_t id)
{
	uint32_t key = csysi_shared_rwlock_key_of(region, lock);

	return key != 0 &&
	       csysi_shared_rwlock_find(region->entries[id & CSYSI_ID_PLACE].cells, key) != NULL;
}

void csys_shared_rwlock_assert_read(const csys_region *region, const csys_shared_rwlock *lock)
{
	uint32_t id = csysi_region_own_id(region);

	if (id == 0 || (!has_cell(region, lock, id) && !csysi_shared_rwlock_has_word(lock, id, 0)))
		csysi_os_abort("a shared rwlock is not read that should be");
}

void csys_shared_rwlock_assert_write(const csys_region *region, const csys_shared_rwlock *lock)
{
	if (!csysi_shared_rwlock_writes(csysi_region_own_id(region), lock))
		csysi_os_abort("a shared rwlock is not written that should be");
}
