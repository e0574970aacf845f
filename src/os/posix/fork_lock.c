/*
 * os/posix/fork_lock.c - a lock that keeps new descriptors out of forked children.
 *
 * Where a system cannot create a descriptor close-on-exec, the fork lock prevents a fork of
 * csys between the creation and the setting of the flag.  Threads that create descriptors
 * share it, a thread that forks has it alone.  It does not hold back forks by other code.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "os/posix/posix.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* In a forked child, where the threads that held the lock do not exist. */
static void forget_holders(void)
{
	static const pthread_rwlock_t fresh = PTHREAD_RWLOCK_INITIALIZER;
	lock = fresh;
}

static void prepare(void)
{
	/* Without memory for it a forked child may hang, as it may in malloc. */
	pthread_atfork(NULL, NULL, forget_holders);
}

/* None of these can fail: the lock is valid, and callers pair their calls. */
void csysi_posix_fork_lock_shared(void)
{
	pthread_once(&prepared, prepare);
	pthread_rwlock_rdlock(&lock);
}

void csysi_posix_fork_lock_alone(void)
{
	pthread_rwlock_wrlock(&lock);
}

void csysi_posix_fork_unlock(void)
{
	pthread_rwlock_unlock(&lock);
}
