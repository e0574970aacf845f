/*
 * bench/peers/locks_uv.c - libuv's locks, which wrap those of the C library.
 */
#include <uv.h>

#define MUTEX uv_mutex_t
#define MUTEX_INIT(m) uv_mutex_init(m)
#define MUTEX_LOCK(m) uv_mutex_lock(m)
#define MUTEX_UNLOCK(m) uv_mutex_unlock(m)
#define MUTEX_FINI(m) uv_mutex_destroy(m)

#define RWLOCK uv_rwlock_t
#define RWLOCK_INIT(l) uv_rwlock_init(l)
#define RWLOCK_READ(l) uv_rwlock_rdlock(l)
#define RWLOCK_UNLOCK_READ(l) uv_rwlock_rdunlock(l)
#define RWLOCK_WRITE(l) uv_rwlock_wrlock(l)
#define RWLOCK_UNLOCK_WRITE(l) uv_rwlock_wrunlock(l)
#define RWLOCK_FINI(l) uv_rwlock_destroy(l)

#define CONDVAR uv_cond_t
#define CONDVAR_INIT(c) uv_cond_init(c)
#define CONDVAR_WAIT(c, m) uv_cond_wait(c, m)
#define CONDVAR_NOTIFY_ONE(c) uv_cond_signal(c)
#define CONDVAR_NOTIFY_ALL(c) uv_cond_broadcast(c)
#define CONDVAR_FINI(c) uv_cond_destroy(c)

#define SEMAPHORE uv_sem_t
#define SEMAPHORE_INIT(s, n) uv_sem_init(s, n)
#define SEMAPHORE_POST(s) uv_sem_post(s)
#define SEMAPHORE_WAIT(s) uv_sem_wait(s)
#define SEMAPHORE_FINI(s) uv_sem_destroy(s)

#define BARRIER uv_barrier_t
#define BARRIER_INIT(b, n) uv_barrier_init(b, n)
#define BARRIER_WAIT_LEADS(b) (uv_barrier_wait(b) > 0)
#define BARRIER_FINI(b) uv_barrier_destroy(b)

#define ONCE uv_once_t

#include "locks_loop.h"

const struct locks_peer locks_peer_uv = { "uv", uv_version_string, { LOOPS } };
