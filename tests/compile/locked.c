/*
 * compile/locked.c - what the analysis of clang must see of values inside their locks.
 */
#include <csys/sync.h>

CSYS_MUTEX_DEFINE(counter, int);
static counter hits = CSYS_MUTEX_INIT_WITH(3);

void reach_the_value(void);
void reach_the_value(void)
{
#ifdef AROUND_THE_LOCK
	/* rejected: writing variable 'value' requires holding mutex */
	hits.value++;
#else
	int *now;
	counter_lock(&hits, &now);
	++*now;
	counter_unlock(&hits, &now);
#endif
}

#ifdef MISSING_UNLOCK
/* rejected: mutex 'hits.mutex' is still held at the end of function */
void leave_the_value(void);
void leave_the_value(void)
{
	int *now;
	counter_lock(&hits, &now);
	++*now;
}
#endif

int try_the_value(void);
int try_the_value(void)
{
	int *now;
	if (counter_try_lock(&hits, &now) != 0)
		return -1;
	int before = (*now)++;
#ifdef MISSING_UNLOCK_AFTER_TRY
	/* rejected: mutex 'hits.mutex' is still held|on every path */
	return before;
}
#else
	counter_unlock(&hits, &now);
	return before;
}
#endif

/* The mutex by its name: for a condvar, and for positive results. */
int wait_for_the_value(csys_condvar *changed);
int wait_for_the_value(csys_condvar *changed)
{
	int *now;
#ifdef WAIT_UNLOCKED
	/* rejected: calling function 'csys_condvar_wait' requires holding mutex */
	csys_condvar_wait(changed, counter_mutex(&hits));
#endif
	int r = counter_lock_until(&hits, CSYS_FOREVER, &now);
	if (r < 0)
		return r;
	csys_mutex_assert_held(counter_mutex(&hits));
	while (*now == 0)
		csys_condvar_wait(changed, counter_mutex(&hits));
	counter_unlock(&hits, &now);
	return r;
}

struct limit {
	int low, high;
};

CSYS_RWLOCK_DEFINE(limits, struct limit);
static limits all = CSYS_RWLOCK_INIT_WITH({ 1, 2 });

int read_the_value(void);
int read_the_value(void)
{
#ifdef AROUND_THE_RWLOCK
	/* rejected: reading variable 'value' requires holding rwlock */
	return all.value.low;
#else
	const struct limit *now;
	limits_read(&all, &now);
	int low = now->low;
	limits_unlock_read(&all, &now);
	return low;
#endif
}

void write_the_value(void);
void write_the_value(void)
{
	const struct limit *look;
	struct limit *change;
	limits_upgradable_read(&all, &look);
#ifdef WRITE_WHAT_IS_READ
	/* rejected: read-only|const-qualified */
	look->low = 3;
#endif
	limits_upgrade(&all, &look, &change);
	change->low = 3;
#ifdef UNLOCKED_AS_IT_WAS_READ
	/* rejected: releasing rwlock 'all.rwlock' using shared access, expected exclusive */
	limits_unlock_upgradable(&all, &look);
#else
	limits_unlock_write(&all, &change);
#endif
}

int guard_the_value(void);
int guard_the_value(void)
{
	CSYS_LOCKED_GUARD(now, limits, read, &all);
#ifdef WRITE_WHAT_A_GUARD_READS
	/* rejected: read-only|const-qualified */
	now.value->low = 3;
#endif
	if (now.value->low > 3)
		return 1;
	CSYS_LOCKED_GUARD_UNLOCK(now, limits, read);
	CSYS_LOCKED_TRY_GUARD(mine, counter, lock, &hits);
	return mine.value ? *mine.value : 0;
}
