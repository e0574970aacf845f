/*
 * bench/peers/locks_pthread.c - what the C library has: pthread and sem_t.
 */
#include <pthread.h>
#include <semaphore.h>

#define MUTEX pthread_mutex_t
#define MUTEX_INIT(m) pthread_mutex_init(m, NULL)
#define MUTEX_LOCK(m) pthread_mutex_lock(m)
#define MUTEX_UNLOCK(m) pthread_mutex_unlock(m)
#define MUTEX_FINI(m) pthread_mutex_destroy(m)

#define RWLOCK pthread_rwlock_t
#define RWLOCK_INIT(l) pthread_rwlock_init(l, NULL)
#define RWLOCK_READ(l) pthread_rwlock_rdlock(l)
#define RWLOCK_UNLOCK_READ(l) pthread_rwlock_unlock(l)
#define RWLOCK_WRITE(l) pthread_rwlock_wrlock(l)
#define RWLOCK_UNLOCK_WRITE(l) pthread_rwlock_unlock(l)
#define RWLOCK_FINI(l) pthread_rwlock_destroy(l)

#define CONDVAR pthread_cond_t
#define CONDVAR_INIT(c) pthread_cond_init(c, NULL)
#define CONDVAR_WAIT(c, m) pthread_cond_wait(c, m)
#define CONDVAR_NOTIFY_ONE(c) pthread_cond_signal(c)
#define CONDVAR_NOTIFY_ALL(c) pthread_cond_broadcast(c)
#define CONDVAR_FINI(c) pthread_cond_destroy(c)

/* No signal is caught here, so sem_wait does not come back with EINTR. */
#define SEMAPHORE sem_t
#define SEMAPHORE_INIT(s, n) sem_init(s, 0, n)
#define SEMAPHORE_POST(s) sem_post(s)
#define SEMAPHORE_WAIT(s) sem_wait(s)
#define SEMAPHORE_FINI(s) sem_destroy(s)

#define BARRIER pthread_barrier_t
#define BARRIER_INIT(b, n) pthread_barrier_init(b, NULL, n)
#define BARRIER_WAIT_LEADS(b) (pthread_barrier_wait(b) == PTHREAD_BARRIER_SERIAL_THREAD)
#define BARRIER_FINI(b) pthread_barrier_destroy(b)

#define ONCE pthread_once_t

#include "locks_loop.h"

#ifdef __GLIBC__
#include <gnu/libc-version.h>
static const char *version(void)
{
	return gnu_get_libc_version();
}
#else
#define version NULL
#endif

const struct locks_peer locks_peer_pthread = { "pthread", version, { LOOPS } };
