/*
 * compile/call.c - what no compiler may take in silence: results that are not looked at,
 * and one kind of lock for another.
 */
#include <csys/sync.h>

struct locks {
	csys_mutex mutex;
	csys_rwlock rwlock;
	csys_condvar condvar;
};

void look_at_results(struct locks *all);
void look_at_results(struct locks *all)
{
#if defined(IGNORED_TRY_LOCK)
	/* rejected: ignoring return value .*unused.result */
	csys_mutex_try_lock(&all->mutex);
#elif defined(IGNORED_LOCK_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	csys_mutex_lock_until(&all->mutex, CSYS_POLL);
#elif defined(IGNORED_TRY_UPGRADE)
	/* rejected: ignoring return value .*unused.result */
	csys_rwlock_try_upgrade(&all->rwlock);
#elif defined(IGNORED_WAIT_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	csys_condvar_wait_until(&all->condvar, &all->mutex, CSYS_POLL);
#else
	if (csys_mutex_try_lock(&all->mutex) >= 0)
		csys_mutex_unlock(&all->mutex);
	csys_mutex_lock(&all->mutex); /* it is held, whatever the result */
	csys_mutex_unlock(&all->mutex);
#endif
}

CSYS_MUTEX_DEFINE(counter, int);

void take_the_right_value(counter *c);
void take_the_right_value(counter *c)
{
#if defined(WRONG_VALUE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	long *now;
	counter_lock(c, &now);
#else
	int *now;
	counter_lock(c, &now);
	counter_unlock(c, &now);
#endif
#if defined(IGNORED_VALUE_TRY_LOCK)
	/* rejected: ignoring return value .*unused.result */
	int *again;
	counter_try_lock(c, &again);
#endif
}

void take_the_right_kind(struct locks *all);
void take_the_right_kind(struct locks *all)
{
#if defined(RWLOCK_AS_MUTEX)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	csys_mutex_lock(&all->rwlock);
#elif defined(MUTEX_AS_RWLOCK)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	csys_rwlock_read(&all->mutex);
#elif defined(SWAPPED_WAIT)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	csys_condvar_wait(&all->mutex, &all->condvar);
#elif defined(CONST_LOCK)
	/* rejected: discards|invalid conversion|no matching function */
	const csys_mutex *constant = &all->mutex;
	csys_mutex_lock(constant);
#else
	csys_rwlock_read(&all->rwlock);
	csys_rwlock_unlock_read(&all->rwlock);
#endif
#if defined(WRONG_GUARD)
	/* rejected: incompatible.pointer|cannot convert|no matching */
	CSYS_MUTEX_GUARD(held, &all->rwlock);
#else
	CSYS_RWLOCK_READ_GUARD(held, &all->rwlock);
#endif
#if defined(CHANGED_GUARD)
	/* rejected: read-only|const-qualified */
	held.result = 1;
#endif
}

int wait_for_a_time(struct locks *all, csys_deadline since);
int wait_for_a_time(struct locks *all, csys_deadline since)
{
#if defined(NUMBER_AS_DEADLINE)
	/* rejected: incompatible type|could not convert|no matching function|no known conversion */
	return csys_mutex_lock_until(&all->mutex, 5000);
#elif defined(NOW_AS_DEADLINE)
	/* rejected: incompatible type|could not convert|no matching function|no known conversion */
	return csys_mutex_lock_until(&all->mutex, csys_now() + 5000);
#elif defined(COMPARED_AS_NUMBERS)
	/* rejected: invalid operands|no match for */
	return since < csys_after_ms(5);
#elif defined(LATER_BY_A_NUMBER)
	/* rejected: invalid operands|no match for */
	since = since + 5000;
#endif
	if (csys_deadline_compare(since, csys_after_ms(5)) < 0)
		since = csys_after_ms(5);
	return csys_mutex_lock_until(&all->mutex, since);
}
