/*
 * compile/shared_early.c - what must be seen in C++ only: guards of locks between processes that
 * unlock early (in C a guard's lock counts as held to the end of its block), and values that are
 * more than their bytes.
 */
#include <csys/ipc.h>

static csys_shared_mutex lock;
static int total CSYS_GUARDED_BY(lock);
static csys_shared_rwlock shared;
static int value CSYS_GUARDED_BY(shared);

void unlock_early(csys_region *region);
void unlock_early(csys_region *region)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &lock);
	total++;
	CSYS_SHARED_GUARD_UNLOCK(held);
#ifdef AFTER_EARLY_UNLOCK
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total++;
#endif
	(void)CSYS_SHARED_GUARD_RELOCK(held);
	total++;
}

int read_early(csys_region *region, int is_small);
int read_early(csys_region *region, int is_small)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(held, region, &shared);
	if (is_small)
		return value;
	CSYS_SHARED_GUARD_UNLOCK(held);
#ifdef READ_AFTER_EARLY_UNLOCK
	/* rejected: reading variable 'value' requires holding rwlock 'shared' */
	return value;
#else
	return 0;
#endif
}

struct point {
	int x, y;
};
CSYS_SHARED_MUTEX_DEFINE(place, point);

struct name {
	char *text;
	name(const name &other);
	~name();
};
#ifdef MORE_THAN_BYTES
/* rejected: what lies in a region|constructor|deleted */
CSYS_SHARED_MUTEX_DEFINE(names, name);
#endif
