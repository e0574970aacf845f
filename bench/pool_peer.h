/*
 * bench/pool_peer.h - pools of threads, to be measured beside each other.
 */
#ifndef BENCH_POOL_PEER_H
#define BENCH_POOL_PEER_H

#include <stdint.h>

typedef void pool_job(uint64_t *slot);

struct pool_peer {
	const char *name;
	const char *(*version)(void); /* or NULL */

	void *(*create)(int threads);

	/* Submit `count` jobs, each with a slot of its own. */
	void (*submit)(void *pool, pool_job *job, uint64_t *slots, int64_t count);

	/* Submit a job and wait until it is done, `count` times. */
	void (*round_trips)(void *pool, pool_job *job, uint64_t *slots, int64_t count);

	/* Wait until all jobs are done, end the threads, and free it. */
	void (*finish)(void *pool);
};

#endif
