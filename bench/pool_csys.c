/*
 * bench/pool_csys.c - csys's pool, unbounded.
 */
#include <csys/csys.h>

#include "bench.h"
#include "pool_peer.h"

static pool_job *the_job; /* of this run */

static void *call(void *slot)
{
	the_job(slot);
	return NULL;
}

static void *create(int threads)
{
	const csys_pool_options options = { .threads = threads };
	csys_pool *pool;
	if (csys_pool_new(&options, &pool) < 0)
		bench_fail("cannot make a pool of csys");
	return pool;
}

static void submit(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	the_job = job;
	for (int64_t i = 0; i < count; i++)
		if (csys_pool_submit(pool, call, &slots[i]) < 0)
			bench_fail("csys_pool_submit failed");
}

static void round_trips(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	the_job = job;
	for (int64_t i = 0; i < count; i++) {
		csys_task *task;
		if (csys_pool_submit_task(pool, call, &slots[i], &task) < 0 ||
		    csys_task_join(task, NULL) < 0)
			bench_fail("csys_pool_submit_task failed");
		csys_task_unref(task);
	}
}

static void finish(void *pool)
{
	csys_pool_close(pool);
}

const struct pool_peer pool_peer_csys = { .name = "csys",
					  .version = csys_version_string,
					  .create = create,
					  .submit = submit,
					  .round_trips = round_trips,
					  .finish = finish };
