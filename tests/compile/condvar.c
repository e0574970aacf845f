/*
 * compile/condvar.c - what the analysis of clang must see of condvars.
 */
#include <csys/sync.h>

static csys_mutex lock = CSYS_MUTEX_INIT;
static csys_condvar changed = CSYS_CONDVAR_INIT;
static int is_ready CSYS_GUARDED_BY(lock);

void wait_for_it(void);
void wait_for_it(void)
{
#ifdef WAIT_UNLOCKED
	/* rejected: calling function 'csys_condvar_wait' requires holding mutex 'lock' */
	csys_condvar_wait(&changed, &lock);
#else
	csys_mutex_lock(&lock);
	while (!is_ready)
		csys_condvar_wait(&changed, &lock);
	csys_mutex_unlock(&lock);
#endif
}

int wait_by_deadline(csys_deadline deadline);
int wait_by_deadline(csys_deadline deadline)
{
#ifdef WAIT_AFTER_UNLOCK
	/* rejected: calling function 'csys_condvar_wait_until' requires holding */
	csys_mutex_lock(&lock);
	csys_mutex_unlock(&lock);
	int r = csys_condvar_wait_until(&changed, &lock, deadline);
#else
	csys_mutex_lock(&lock);
	int r = csys_condvar_wait_until(&changed, &lock, deadline);
	csys_mutex_unlock(&lock);
#endif
	return r;
}

#ifdef PREDICATE
/* rejected: reading variable 'is_ready' requires holding mutex 'lock' */
static int is_unready(void *unused)
{
	(void)unused;
	return !is_ready;
}
#else
static int is_unready(void *unused) CSYS_REQUIRES(lock);
static int is_unready(void *unused)
{
	(void)unused;
	return !is_ready;
}
#endif

void wait_while_it_is_not(void);
void wait_while_it_is_not(void)
{
	csys_mutex_lock(&lock);
	csys_condvar_wait_while(&changed, &lock, is_unready, &changed);
#ifdef LEFT_LOCKED
	/* rejected: mutex 'lock' is still held at the end of function */
}
#else
	csys_mutex_unlock(&lock);
}
#endif
