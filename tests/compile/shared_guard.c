/*
 * compile/shared_guard.c - what the analysis of clang must see of guards of locks between
 * processes.
 */
#include <csys/ipc.h>

struct account {
	csys_shared_mutex lock;
	int balance CSYS_GUARDED_BY(lock);
};

static csys_shared_mutex lock;
static csys_shared_rwlock shared;
static int total CSYS_GUARDED_BY(lock);
static int value CSYS_GUARDED_BY(shared);

int hold_and_return(csys_region *region, struct account *a, int sum);
int hold_and_return(csys_region *region, struct account *a, int sum)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &a->lock);
	if (held.result != 0 || a->balance < sum)
		return -1;
	a->balance -= sum;
	return 0;
}

void hold_in_a_loop(csys_region *region, struct account *all, int count);
void hold_in_a_loop(csys_region *region, struct account *all, int count)
{
	for (int i = 0; i < count; i++) {
		CSYS_SHARED_MUTEX_GUARD(held, region, &all[i].lock);
		if (all[i].balance < 0)
			break;
		if (all[i].balance == 0)
			continue;
		all[i].balance++;
	}
}

void touch_after_the_block(csys_region *region);
void touch_after_the_block(csys_region *region)
{
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, &lock);
		total++;
	}
#ifdef AFTER_THE_BLOCK
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total++;
#else
	csys_shared_mutex_lock(region, &lock);
	total++;
	csys_shared_mutex_unlock(region, &lock);
#endif
}

#ifdef DOUBLE_LOCK
/* rejected: mutex 'lock' that is already held|'lock' that was not held */
void guard_once(csys_region *region);
void guard_once(csys_region *region)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &lock);
	CSYS_SHARED_MUTEX_GUARD(again, region, &lock);
	total++;
}
#endif

void guard_the_right_one(csys_region *region, struct account *a);
void guard_the_right_one(csys_region *region, struct account *a)
{
#ifdef WRONG_LOCK
	/* rejected: writing variable 'balance' requires holding mutex */
	CSYS_SHARED_MUTEX_GUARD(held, region, &lock);
	a->balance++;
#else
	CSYS_SHARED_MUTEX_GUARD(held, region, &a->lock);
	a->balance++;
#endif
}

int guard_readers(csys_region *region);
int guard_readers(csys_region *region)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(read, region, &shared);
#ifdef WRITE_WHILE_READING
	/* rejected: writing variable 'value' requires .*'shared' exclusively */
	value++;
#endif
	return value;
}

void guard_a_writer(csys_region *region);
void guard_a_writer(csys_region *region)
{
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, &shared);
	value++;
}

int try_to_hold(csys_region *region);
int try_to_hold(csys_region *region)
{
	CSYS_SHARED_MUTEX_TRY_GUARD(held, region, &lock);
	if (held.result < 0)
		return held.result;
	total++;
	CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(read, region, &shared, CSYS_POLL);
	if (read.result < 0)
		return read.result;
#ifdef WRITE_AFTER_TIMED_READ
	/* rejected: writing variable 'value' requires .*'shared' exclusively */
	value++;
#endif
	return total + value;
}

void touch_after_a_try(csys_region *region);
void touch_after_a_try(csys_region *region)
{
	{
		CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(held, region, &shared);
		if (held.result == 0)
			value++;
	}
#ifdef AFTER_THE_BLOCK_OF_A_TRY
	/* rejected: writing variable 'value' requires holding rwlock 'shared' */
	value++;
#endif
}

void unlock_early(csys_region *region);
void unlock_early(csys_region *region)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &lock);
	total++;
	CSYS_SHARED_GUARD_UNLOCK(held);
	(void)CSYS_SHARED_GUARD_RELOCK(held);
	total++;
}
