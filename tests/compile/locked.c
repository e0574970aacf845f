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
