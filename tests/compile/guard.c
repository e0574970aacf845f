/*
 * compile/guard.c - what the analysis of clang must see of guards.
 */
#include <csys/sync.h>

struct account {
	csys_mutex lock;
	int balance CSYS_GUARDED_BY(lock);
};

static csys_mutex lock = CSYS_MUTEX_INIT;
static csys_rwlock shared = CSYS_RWLOCK_INIT;
static int total CSYS_GUARDED_BY(lock);
static int value CSYS_GUARDED_BY(shared);

int hold_and_return(struct account *a, int sum);
int hold_and_return(struct account *a, int sum)
{
	CSYS_MUTEX_GUARD(held, &a->lock);
	if (held.result == CSYS_POISONED || a->balance < sum)
		return -1;
	a->balance -= sum;
	return 0;
}

void hold_in_a_loop(struct account *all, int count);
void hold_in_a_loop(struct account *all, int count)
{
	for (int i = 0; i < count; i++) {
		CSYS_MUTEX_GUARD(held, &all[i].lock);
		if (all[i].balance < 0)
			break;
		if (all[i].balance == 0)
			continue;
		all[i].balance++;
	}
}

void touch_after_the_block(void);
void touch_after_the_block(void)
{
	{
		CSYS_MUTEX_GUARD(held, &lock);
		total++;
	}
#ifdef AFTER_THE_BLOCK
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total++;
#else
	csys_mutex_lock(&lock);
	total++;
	csys_mutex_unlock(&lock);
#endif
}

#ifdef DOUBLE_LOCK
/* rejected: mutex 'lock' that is already held|'lock' that was not held */
void guard_once(void);
void guard_once(void)
{
	CSYS_MUTEX_GUARD(held, &lock);
	CSYS_MUTEX_GUARD(again, &lock);
	total++;
}
#endif

void guard_the_right_one(struct account *a);
void guard_the_right_one(struct account *a)
{
#ifdef WRONG_LOCK
	/* rejected: writing variable 'balance' requires holding mutex */
	CSYS_MUTEX_GUARD(held, &lock);
	a->balance++;
#else
	CSYS_MUTEX_GUARD(held, &a->lock);
	a->balance++;
#endif
}

int guard_readers(void);
int guard_readers(void)
{
	CSYS_RWLOCK_READ_GUARD(read, &shared);
#ifdef WRITE_WHILE_READING
	/* rejected: writing variable 'value' requires .*'shared' exclusively */
	value++;
#endif
	return value;
}

void guard_a_writer(void);
void guard_a_writer(void)
{
	CSYS_RWLOCK_WRITE_GUARD(written, &shared);
	value++;
}

int try_to_hold(void);
int try_to_hold(void)
{
	CSYS_MUTEX_TRY_GUARD(held, &lock);
	if (held.result < 0)
		return held.result;
	total++;
	CSYS_RWLOCK_READ_GUARD_UNTIL(read, &shared, CSYS_POLL);
	if (read.result < 0)
		return read.result;
#ifdef WRITE_AFTER_TIMED_READ
	/* rejected: writing variable 'value' requires .*'shared' exclusively */
	value++;
#endif
	return total + value;
}

void touch_after_a_try(void);
void touch_after_a_try(void)
{
	{
		CSYS_MUTEX_TRY_GUARD(held, &lock);
		if (held.result == 0)
			total++;
	}
#ifdef AFTER_THE_BLOCK_OF_A_TRY
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total++;
#endif
}

int guard_an_upgrade(void);
int guard_an_upgrade(void)
{
	CSYS_RWLOCK_UPGRADABLE_GUARD(held, &shared);
	if (value > 0)
		return value;
#ifdef WRITE_BEFORE_UPGRADE
	/* rejected: writing variable 'value' requires .*'shared' exclusively */
	value++;
#endif
	csys_rwlock_upgrade(&shared);
	value++;
	return value;
}

void unlock_early(void);
void unlock_early(void)
{
	CSYS_MUTEX_GUARD(held, &lock);
	total++;
	CSYS_GUARD_UNLOCK(held);
	(void)CSYS_GUARD_RELOCK(held);
	total++;
}
