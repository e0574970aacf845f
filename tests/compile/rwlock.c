/*
 * compile/rwlock.c - what the analysis of clang must see of rwlocks.
 */
#include <csys/sync.h>

static csys_rwlock lock = CSYS_RWLOCK_INIT;
static int value CSYS_GUARDED_BY(lock);

void read_it(int *out);
void read_it(int *out)
{
#ifdef UNGUARDED_READ
	/* rejected: reading variable 'value' requires holding rwlock 'lock' */
	*out = value;
#else
	csys_rwlock_read(&lock);
	*out = value;
	csys_rwlock_unlock_read(&lock);
#endif
}

void write_it(void);
void write_it(void)
{
#ifdef WRITE_WHILE_READING
	/* rejected: writing variable 'value' requires .*'lock' exclusively */
	csys_rwlock_read(&lock);
	value++;
	csys_rwlock_unlock_read(&lock);
#else
	csys_rwlock_write(&lock);
	value++;
	csys_rwlock_unlock_write(&lock);
#endif
}

#ifdef WRONG_UNLOCK
/* rejected: releasing rwlock 'lock' using exclusive access, expected shared */
void unlock_as_it_was_locked(void);
void unlock_as_it_was_locked(void)
{
	csys_rwlock_read(&lock);
	csys_rwlock_unlock_write(&lock);
}
#else
void unlock_as_it_was_locked(void);
void unlock_as_it_was_locked(void)
{
	csys_rwlock_read(&lock);
	csys_rwlock_unlock_read(&lock);
}
#endif

#ifdef MISSING_UNLOCK
/* rejected: rwlock 'lock' is still held at the end of function */
void read_and_unlock(void);
void read_and_unlock(void)
{
	csys_rwlock_read(&lock);
}
#else
void read_and_unlock(void);
void read_and_unlock(void)
{
	if (csys_rwlock_try_read(&lock) == 0)
		csys_rwlock_unlock_read(&lock);
}
#endif

static void change(void) CSYS_REQUIRES(lock);
static void change(void)
{
	value++;
}

static int look(void) CSYS_REQUIRES_SHARED(lock);
static int look(void)
{
	return value;
}

int call_as_needed(void);
int call_as_needed(void)
{
#ifdef REQUIRES_WRITING
	/* rejected: calling function 'change' requires .*'lock' exclusively */
	csys_rwlock_read(&lock);
	change();
	int now = look();
	csys_rwlock_unlock_read(&lock);
#else
	csys_rwlock_write(&lock);
	change();
	int now = look();
	csys_rwlock_unlock_write(&lock);
#endif
	return now;
}

int look_while_reading(void);
int look_while_reading(void)
{
#ifdef REQUIRES_READING
	/* rejected: calling function 'look' requires holding rwlock 'lock' */
	int now = look();
#else
	csys_rwlock_read(&lock);
	int now = look();
	csys_rwlock_unlock_read(&lock);
#endif
	return now;
}

void read_on(void);
void read_on(void)
{
	csys_rwlock_write(&lock);
	value++;
	csys_rwlock_downgrade(&lock);
#ifdef WRITE_AFTER_DOWNGRADE
	/* rejected: writing variable 'value' requires .*'lock' exclusively */
	value++;
#else
	(void)look();
#endif
	csys_rwlock_unlock_read(&lock);
}

void write_if_alone(void);
void write_if_alone(void)
{
	csys_rwlock_read(&lock);
#ifdef WRITE_WITHOUT_UPGRADE
	/* rejected: writing variable 'value' requires .*'lock' exclusively */
	if (csys_rwlock_try_upgrade(&lock) == CSYS_EAGAIN) {
		csys_rwlock_assert_read(&lock);
		value++;
		csys_rwlock_unlock_read(&lock);
	}
#else
	if (csys_rwlock_try_upgrade(&lock) == 0) {
		value++;
		csys_rwlock_unlock_write(&lock);
	} else {
		csys_rwlock_assert_read(&lock);
		(void)look();
		csys_rwlock_unlock_read(&lock);
	}
#endif
}

/* A positive result holds it too; the analysis is told by a check at run time. */
int write_by_deadline(csys_deadline deadline);
int write_by_deadline(csys_deadline deadline)
{
	int r = csys_rwlock_write_until(&lock, deadline);
	if (r < 0)
		return r;
#ifdef UNASSERTED
	/* rejected: writing variable 'value' requires holding|releasing rwlock */
	value++;
	csys_rwlock_unlock_write(&lock);
#else
	csys_rwlock_assert_write(&lock);
	value++;
	csys_rwlock_unlock_write(&lock);
#endif
	return 0;
}

void read_upgradably(void);
void read_upgradably(void)
{
	csys_rwlock_upgradable_read(&lock);
#ifdef WRITE_BEFORE_UPGRADE
	/* rejected: writing variable 'value' requires .*'lock' exclusively */
	if (look() == 0)
		value++;
	csys_rwlock_unlock_upgradable(&lock);
#elif defined(UNLOCK_READ_AFTER_UPGRADE)
	/* rejected: releasing rwlock 'lock' using shared access, expected exclusive */
	csys_rwlock_upgrade(&lock);
	value++;
	csys_rwlock_unlock_upgradable(&lock);
#else
	if (look() == 0) {
		csys_rwlock_upgrade(&lock);
		value++;
		csys_rwlock_downgrade_to_upgradable(&lock);
	}
	(void)look();
	csys_rwlock_downgrade_upgradable(&lock);
	(void)look();
	csys_rwlock_unlock_read(&lock);
#endif
}

int upgrade_by_deadline(csys_deadline deadline);
int upgrade_by_deadline(csys_deadline deadline)
{
	if (csys_rwlock_try_upgradable_read(&lock) != 0)
		return -1;
	int r = csys_rwlock_upgrade_until(&lock, deadline);
	if (r == 0) {
		value++;
		csys_rwlock_unlock_write(&lock);
		return 0;
	}
#ifdef STILL_UPGRADABLE_UNASSERTED
	/* rejected: reading variable 'value' requires holding|releasing rwlock */
	int now = value;
	csys_rwlock_unlock_upgradable(&lock);
#else
	csys_rwlock_assert_upgradable(&lock);
	int now = value;
	csys_rwlock_unlock_upgradable(&lock);
#endif
	return now;
}

int read_past_writers(void);
int read_past_writers(void)
{
	csys_rwlock_read_recursive(&lock);
	int now = look();
#ifdef RECURSIVE_WRITE
	/* rejected: writing variable 'value' requires .*'lock' exclusively */
	value = 3;
#endif
	csys_rwlock_unlock_read(&lock);
	return now;
}
