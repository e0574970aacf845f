/*
 * compile/shared_locked.c - what the analysis of clang must see of values inside their locks
 * between processes.
 */
#include <csys/ipc.h>

CSYS_SHARED_MUTEX_DEFINE(counter, int);

struct limit {
	int low, high;
};

CSYS_SHARED_RWLOCK_DEFINE(limits, struct limit);

struct board {
	counter hits;
	limits all;
};

void reach_the_value(csys_region *region, struct board *board);
void reach_the_value(csys_region *region, struct board *board)
{
#ifdef AROUND_THE_LOCK
	/* rejected: writing variable 'value' requires holding mutex */
	board->hits.value++;
	(void)region;
#else
	int *now;
	counter_lock(region, &board->hits, &now);
	++*now;
	counter_unlock(region, &board->hits, &now);
#endif
}

#ifdef MISSING_UNLOCK
/* rejected: mutex 'board->hits.mutex' is still held at the end of function */
void leave_the_value(csys_region *region, struct board *board);
void leave_the_value(csys_region *region, struct board *board)
{
	int *now;
	counter_lock(region, &board->hits, &now);
	++*now;
}
#endif

int try_the_value(csys_region *region, struct board *board);
int try_the_value(csys_region *region, struct board *board)
{
	int *now;
	if (counter_try_lock(region, &board->hits, &now) != 0)
		return -1;
	int before = (*now)++;
#ifdef MISSING_UNLOCK_AFTER_TRY
	/* rejected: mutex 'board->hits.mutex' is still held|on every path */
	return before;
}
#else
	counter_unlock(region, &board->hits, &now);
	return before;
}
#endif

/* The mutex by its name: for its poison, and for positive results. */
int wait_for_the_value(csys_region *region, struct board *board);
int wait_for_the_value(csys_region *region, struct board *board)
{
	int *now;
	int r = counter_lock_until(region, &board->hits, CSYS_FOREVER, &now);
	if (r < 0)
		return r;
	csys_shared_mutex_assert_held(region, counter_mutex(&board->hits));
	if (r == CSYS_POISONED)
		csys_shared_mutex_clear_poison(counter_mutex(&board->hits));
	++*now;
	counter_unlock(region, &board->hits, &now);
	return r;
}

int read_the_value(csys_region *region, struct board *board);
int read_the_value(csys_region *region, struct board *board)
{
#ifdef AROUND_THE_RWLOCK
	/* rejected: reading variable 'value' requires holding rwlock */
	return region ? board->all.value.low : 0;
#else
	const struct limit *now;
	limits_read(region, &board->all, &now);
	int low = now->low;
	limits_unlock_read(region, &board->all, &now);
	return low;
#endif
}

void write_the_value(csys_region *region, struct board *board);
void write_the_value(csys_region *region, struct board *board)
{
	const struct limit *look;
	struct limit *change;
	limits_write(region, &board->all, &change);
	change->low = 3;
	limits_downgrade(region, &board->all, &change, &look);
#ifdef WRITE_WHAT_IS_READ
	/* rejected: read-only|const-qualified */
	look->low = 3;
#endif
#ifdef UNLOCKED_AS_IT_WAS_WRITTEN
	/* rejected: releasing rwlock 'board->all.rwlock' using exclusive access, expected shared */
	limits_unlock_write(region, &board->all, &change);
#else
	limits_unlock_read(region, &board->all, &look);
#endif
}

int exchange_the_value(csys_region *region, struct board *board);
int exchange_the_value(csys_region *region, struct board *board)
{
	int now = 0;
#ifdef RESULT_OF_GET
	/* rejected: ignoring return value|unused-result|warn_unused_result */
	counter_get(region, &board->hits, &now);
#endif
#ifdef RESULT_OF_SET
	/* rejected: ignoring return value|unused-result|warn_unused_result */
	counter_set(region, &board->hits, now);
#endif
	int r = counter_get(region, &board->hits, &now);
	return r < 0 ? r : counter_set(region, &board->hits, now + 1);
}

int guard_the_value(csys_region *region, struct board *board);
int guard_the_value(csys_region *region, struct board *board)
{
	CSYS_SHARED_LOCKED_GUARD(now, limits, read, region, &board->all);
#ifdef WRITE_WHAT_A_GUARD_READS
	/* rejected: read-only|const-qualified */
	now.value->low = 3;
#endif
	if (now.value->low > 3)
		return 1;
	CSYS_SHARED_LOCKED_GUARD_UNLOCK(now, limits, read);
	CSYS_SHARED_LOCKED_TRY_GUARD(mine, counter, lock, region, &board->hits);
#ifdef OF_ANOTHER_TYPE
	/* rejected: incompatible pointer type|no matching|cannot (convert|initialize) */
	CSYS_SHARED_LOCKED_TRY_GUARD(other, limits, write, region, &board->hits);
#endif
	return mine.value ? *mine.value : 0;
}
