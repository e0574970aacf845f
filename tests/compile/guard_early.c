/*
 * compile/guard_early.c - what the analysis of clang must see of guards that unlock early: in C++
 * only, for in C a guard's lock counts as held to the end of its block.
 */
#include <csys/sync.h>

static csys_mutex lock = CSYS_MUTEX_INIT;
static int total CSYS_GUARDED_BY(lock);
static csys_rwlock shared = CSYS_RWLOCK_INIT;
static int value CSYS_GUARDED_BY(shared);

void unlock_early(void);
void unlock_early(void)
{
	CSYS_MUTEX_GUARD(held, &lock);
	total++;
	CSYS_GUARD_UNLOCK(held);
#ifdef AFTER_EARLY_UNLOCK
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total++;
#endif
	(void)CSYS_GUARD_RELOCK(held);
	total++;
}

int read_early(int is_small);
int read_early(int is_small)
{
	CSYS_RWLOCK_UPGRADABLE_GUARD(held, &shared);
	if (is_small)
		return value;
	CSYS_GUARD_UNLOCK(held);
#ifdef READ_AFTER_EARLY_UNLOCK
	/* rejected: reading variable 'value' requires holding rwlock 'shared' */
	return value;
#else
	return 0;
#endif
}
