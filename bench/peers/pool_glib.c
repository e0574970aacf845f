/*
 * bench/peers/pool_glib.c - GLib's GThreadPool, with threads of its own.
 *
 * It tells nobody that a job is done, so a round trip has a mutex and a condvar for that.
 */
#include <glib.h>
#include <stdio.h>

#include "bench.h"
#include "pool_peer.h"

static pool_job *the_job; /* of this run */
static GMutex lock;
static GCond has_done;
static int is_waited_for; /* each job is; written while no job is there */
static int is_done;       /* under lock */

static void call(gpointer slot, gpointer unused)
{
	(void)unused;
	the_job(slot);
	if (!is_waited_for)
		return;
	g_mutex_lock(&lock);
	is_done = 1;
	g_cond_signal(&has_done);
	g_mutex_unlock(&lock);
}

static void *create(int threads)
{
	GThreadPool *pool = g_thread_pool_new(call, NULL, threads, TRUE, NULL);
	if (!pool)
		bench_fail("cannot make a GThreadPool");
	return pool;
}

static void submit(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	the_job = job;
	is_waited_for = 0;
	for (int64_t i = 0; i < count; i++)
		g_thread_pool_push(pool, &slots[i], NULL);
}

static void round_trips(void *pool, pool_job *job, uint64_t *slots, int64_t count)
{
	the_job = job;
	is_waited_for = 1;
	for (int64_t i = 0; i < count; i++) {
		g_thread_pool_push(pool, &slots[i], NULL);
		g_mutex_lock(&lock);
		while (!is_done)
			g_cond_wait(&has_done, &lock);
		is_done = 0;
		g_mutex_unlock(&lock);
	}
}

static void finish(void *pool)
{
	g_thread_pool_free(pool, FALSE, TRUE);
}

static const char *version(void)
{
	static char text[32];
	snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
		 glib_micro_version);
	return text;
}

const struct pool_peer pool_peer_glib = { .name = "glib",
					  .version = version,
					  .create = create,
					  .submit = submit,
					  .round_trips = round_trips,
					  .finish = finish };
