/*
 * bench/peers/pool_pthread.c - a pool as programs write it: a list of jobs, a mutex and condvars.
 */
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "pool_peer.h"

struct entry {
	struct entry *next;
	pool_job *job;
	uint64_t *slot;
	int *is_done; /* under lock; NULL: nobody waits for it */
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t has_some; /* or it ends */
	pthread_cond_t has_done;
	/* Under lock: */
	struct entry *first, **last;
	int is_ending;
	int threads;
	pthread_t thread[64];
};

static void *work(void *argument)
{
	struct pool *pool = argument;
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->first && !pool->is_ending)
			pthread_cond_wait(&pool->has_some, &pool->lock);
		struct entry *entry = pool->first;
		if (!entry)
			break;
		pool->first = entry->next;
		if (!pool->first)
			pool->last = &pool->first;
		pthread_mutex_unlock(&pool->lock);
		entry->job(entry->slot);
		pthread_mutex_lock(&pool->lock);
		if (entry->is_done) {
			*entry->is_done = 1;
			pthread_cond_signal(&pool->has_done);
		}
		free(entry);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void *create(int threads)
{
	struct pool *pool = calloc(1, sizeof *pool);
	if (!pool || threads > 64)
		bench_fail("no memory for a pool");
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->has_some, NULL);
	pthread_cond_init(&pool->has_done, NULL);
	pool->last = &pool->first;
	pool->threads = threads;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&pool->thread[i], NULL, work, pool) != 0)
			bench_fail("cannot start a thread");
	return pool;
}

/* Returns with the lock. */
static void add(struct pool *pool, pool_job *job, uint64_t *slot, int *is_done)
{
	struct entry *entry = malloc(sizeof *entry);
	if (!entry)
		bench_fail("no memory for a job");
	*entry = (struct entry){ NULL, job, slot, is_done };
	pthread_mutex_lock(&pool->lock);
	*pool->last = entry;
	pool->last = &entry->next;
	pthread_cond_signal(&pool->has_some);
}

static void submit(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	struct pool *its = pool;
	for (int64_t i = 0; i < count; i++) {
		add(its, job, &slots[i], NULL);
		pthread_mutex_unlock(&its->lock);
	}
}

static void round_trips(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	struct pool *its = pool;
	for (int64_t i = 0; i < count; i++) {
		int is_done = 0;
		add(its, job, &slots[i], &is_done);
		while (!is_done)
			pthread_cond_wait(&its->has_done, &its->lock);
		pthread_mutex_unlock(&its->lock);
	}
}

static void finish(void *pool)
{
	struct pool *its = pool;
	pthread_mutex_lock(&its->lock);
	its->is_ending = 1;
	pthread_cond_broadcast(&its->has_some);
	pthread_mutex_unlock(&its->lock);
	for (int i = 0; i < its->threads; i++)
		pthread_join(its->thread[i], NULL);
	pthread_cond_destroy(&its->has_some);
	pthread_cond_destroy(&its->has_done);
	pthread_mutex_destroy(&its->lock);
	free(its);
}

const struct pool_peer pool_peer_pthread = { .name = "pthread",
					     .create = create,
					     .submit = submit,
					     .round_trips = round_trips,
					     .finish = finish };
