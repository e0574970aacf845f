/*
 * compile/mutex.c - what the analysis of clang must see of mutexes.
 */
#include <csys/sync.h>

struct account {
	csys_mutex lock;
	csys_mutex other;
	int balance CSYS_GUARDED_BY(lock);
	int *history CSYS_POINTS_TO_GUARDED_BY(lock);
};

static csys_mutex lock = CSYS_MUTEX_INIT;
static csys_mutex other = CSYS_MUTEX_INIT;
static int total CSYS_GUARDED_BY(lock);

int write_global(void);
int write_global(void)
{
#ifdef UNGUARDED_WRITE
	/* rejected: writing variable 'total' requires holding mutex 'lock' */
	total = 1;
#else
	csys_mutex_lock(&lock);
	total = 1;
	csys_mutex_unlock(&lock);
#endif
	return 0;
}

int read_global(void);
int read_global(void)
{
#ifdef UNGUARDED_READ
	/* rejected: reading variable 'total' requires holding mutex 'lock' */
	int now = total;
#else
	csys_mutex_lock(&lock);
	int now = total;
	csys_mutex_unlock(&lock);
#endif
	return now;
}

void write_member(struct account *a);
void write_member(struct account *a)
{
#ifdef UNGUARDED_MEMBER
	/* rejected: writing variable 'balance' requires holding mutex */
	a->balance++;
#else
	csys_mutex_lock(&a->lock);
	a->balance++;
	csys_mutex_unlock(&a->lock);
#endif
}

void write_what_a_member_points_to(struct account *a);
void write_what_a_member_points_to(struct account *a)
{
#ifdef UNGUARDED_POINTEE
	/* rejected: writing the value pointed to by 'history' requires */
	*a->history = 1;
#else
	csys_mutex_lock(&a->lock);
	*a->history = 1;
	csys_mutex_unlock(&a->lock);
#endif
}

void hold_the_right_one(struct account *a);
void hold_the_right_one(struct account *a)
{
#ifdef WRONG_LOCK
	/* rejected: writing variable 'balance' requires holding mutex */
	csys_mutex_lock(&a->other);
	a->balance++;
	csys_mutex_unlock(&a->other);
#else
	csys_mutex_lock(&a->lock);
	a->balance++;
	csys_mutex_unlock(&a->lock);
#endif
}

#ifdef MISSING_UNLOCK
/* rejected: mutex 'lock' is still held at the end of function */
void lock_and_unlock(void);
void lock_and_unlock(void)
{
	csys_mutex_lock(&lock);
	total++;
}
#else
void lock_and_unlock(void);
void lock_and_unlock(void)
{
	csys_mutex_lock(&lock);
	total++;
	csys_mutex_unlock(&lock);
}
#endif

#ifdef EARLY_RETURN
/* rejected: mutex 'lock' is not held on every path */
int stop_at_poison(void);
int stop_at_poison(void)
{
	if (csys_mutex_lock(&lock) == CSYS_POISONED)
		return -1;
	csys_mutex_unlock(&lock);
	return 0;
}
#else
int stop_at_poison(void);
int stop_at_poison(void)
{
	if (csys_mutex_lock(&lock) == CSYS_POISONED) {
		csys_mutex_unlock(&lock);
		return -1;
	}
	csys_mutex_unlock(&lock);
	return 0;
}
#endif

void lock_once(void);
void lock_once(void)
{
#ifdef DOUBLE_LOCK
	/* rejected: acquiring mutex 'lock' that is already held */
	csys_mutex_lock(&lock);
	csys_mutex_lock(&lock);
	csys_mutex_unlock(&lock);
#else
	csys_mutex_lock(&lock);
	csys_mutex_lock(&other);
	csys_mutex_unlock(&other);
	csys_mutex_unlock(&lock);
#endif
}

#ifdef OTHER_UNLOCK
/* rejected: releasing mutex 'other' that was not held|'lock' is still held */
void unlock_the_same(void);
void unlock_the_same(void)
{
	csys_mutex_lock(&lock);
	csys_mutex_unlock(&other);
}
#else
void unlock_the_same(void);
void unlock_the_same(void)
{
	csys_mutex_lock(&lock);
	csys_mutex_unlock_fair(&lock);
}
#endif

void unlock_what_is_held(void);
void unlock_what_is_held(void)
{
#ifdef DOUBLE_UNLOCK
	/* rejected: releasing mutex 'lock' that was not held */
	csys_mutex_lock(&lock);
	csys_mutex_unlock(&lock);
	csys_mutex_unlock_fair(&lock);
#endif
}

static void deposit(struct account *a, int sum) CSYS_REQUIRES(&a->lock);
static void deposit(struct account *a, int sum)
{
	a->balance += sum;
}

void call_with_the_lock(struct account *a);
void call_with_the_lock(struct account *a)
{
#ifdef REQUIRES
	/* rejected: calling function 'deposit' requires holding mutex 'a->lock' */
	deposit(a, 1);
#else
	csys_mutex_lock(&a->lock);
	deposit(a, 1);
	csys_mutex_unlock(&a->lock);
#endif
}

static void settle(struct account *a) CSYS_EXCLUDES(&a->lock);
static void settle(struct account *a)
{
	csys_mutex_lock(&a->lock);
	csys_mutex_unlock(&a->lock);
}

void call_without_the_lock(struct account *a);
void call_without_the_lock(struct account *a)
{
#ifdef EXCLUDES
	/* rejected: cannot call function 'settle' while mutex 'a->lock' is held */
	csys_mutex_lock(&a->lock);
	settle(a);
	csys_mutex_unlock(&a->lock);
#else
	csys_mutex_lock(&a->lock);
	csys_mutex_unlock(&a->lock);
	settle(a);
#endif
}

void look_at_the_result(void);
void look_at_the_result(void)
{
#ifdef UNLOOKED_TRY
	/* rejected: writing variable 'total' requires holding mutex 'lock'|releasing */
	int r = csys_mutex_try_lock(&lock);
	total++;
	csys_mutex_unlock(&lock);
	(void)r;
#else
	if (csys_mutex_try_lock(&lock) == 0) {
		total++;
		csys_mutex_unlock(&lock);
	}
#endif
}

#ifdef TRY_WITHOUT_UNLOCK
/* rejected: mutex 'lock' is (not held on every path|still held) */
void try_and_unlock(void);
void try_and_unlock(void)
{
	if (csys_mutex_try_lock(&lock) == 0)
		total++;
}
#else
void try_and_unlock(void);
void try_and_unlock(void)
{
	int r = csys_mutex_try_lock(&lock);
	if (r == 0) {
		total++;
		csys_mutex_unlock(&lock);
	}
}
#endif

/* A positive result holds it too; the analysis is told by a check at run time. */
int lock_by_deadline(csys_deadline deadline);
int lock_by_deadline(csys_deadline deadline)
{
	int r = csys_mutex_lock_until(&lock, deadline);
	if (r < 0)
		return r;
#ifdef UNASSERTED
	/* rejected: writing variable 'total' requires holding mutex 'lock'|releasing */
	total++;
	csys_mutex_unlock(&lock);
#else
	csys_mutex_assert_held(&lock);
	if (r == CSYS_POISONED) {
		total = 0;
		csys_mutex_clear_poison(&lock);
	}
	total++;
	csys_mutex_unlock(&lock);
#endif
	return 0;
}
