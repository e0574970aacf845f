/*
 * os/posix/fork_lock.c - keeping new descriptors out of children that are forked meanwhile.
 *
 * Where a system cannot create a descriptor close-on-exec, the fork lock keeps
 * a fork of ours from happening between the creation and the flag.  Creators
 * share it, a fork has it alone.  Forks by other code are not held back.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "os/posix/posix.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* In a forked child: whoever held it is not there any more. */
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

/* None of these can fail: the lock is valid and its users pair their calls. */
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
