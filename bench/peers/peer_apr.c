/*
 * bench/peers/peer_apr.c - the Apache Portable Runtime's apr_proc_create.
 */
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_thread_proc.h>
#include <apr_version.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait(const char *path, int64_t *out_started)
{
	static apr_pool_t *pool;
	if (!pool &&
	    (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS))
		return -1;
	apr_pool_clear(pool);

	const char *argv[] = { path, NULL };
	apr_procattr_t *attributes;
	apr_proc_t process;
	if (apr_procattr_create(&attributes, pool) != APR_SUCCESS ||
	    apr_procattr_cmdtype_set(attributes, APR_PROGRAM_ENV) != APR_SUCCESS)
		return -1;
	apr_status_t r = apr_proc_create(&process, path, argv, NULL, attributes, pool);
	*out_started = bench_now();
	if (r != APR_SUCCESS)
		return -1;

	int code;
	apr_exit_why_e why;
	if (apr_proc_wait(&process, &code, &why, APR_WAIT) != APR_CHILD_DONE ||
	    !APR_PROC_CHECK_EXIT(why))
		return -1;
	return code;
}

const struct peer peer_apr = {
	.name = "apr",
	.version = apr_version_string,
	.spawn_wait = spawn_wait,
};
