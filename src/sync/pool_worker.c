/*
 * sync/pool_worker.c - which thread of a pool the calling thread is.
 */
#include <stddef.h>

#include "base/atomic.h"
#include "sync/pool.h"

static _Thread_local struct csysi_pool_worker *own; /* up to its end, hooks included */
static _Thread_local int has_left;                  /* its place is another thread's */

void csysi_pool_enter(struct csysi_pool_worker *worker)
{
	own = worker;
}

void csysi_pool_leave(void)
{
	has_left = 1;
}

struct csysi_pool_worker *csysi_pool_current(void)
{
	return has_left ? NULL : own;
}

int csysi_pool_has_current(const csys_pool *pool)
{
	return !has_left && csysi_pool_is_inside(pool);
}

int csysi_pool_is_inside(const csys_pool *pool)
{
	return own && own->pool == pool;
}

void csysi_pool_note_panic(csys_pool *pool)
{
	csysi_add_relaxed(&pool->panicked, 1);
}
