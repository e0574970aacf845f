/*
 * support/pool.c - what the tests of pools share.
 */
#include <string.h>

#include "base/atomic.h"
#include "support/pool.h"
#include "support/support.h"

csys_pool *pool;
csys_event gate, reached;
uint32_t done, dropped;
int seen[4];

void *pass_the_gate(void *argument)
{
	csys_event_set(&reached);
	csys_event_wait(&gate);
	csysi_add_relaxed(&done, 1);
	return argument;
}

void open_pool_with(int threads, size_t capacity, csys_pool_drop *drop)
{
	const csys_pool_options options = {
		.threads = threads, .capacity = capacity, .drop = drop, .drop_argument = &dropped
	};
	csys_event_init_manual(&gate);
	csys_event_init_manual(&reached);
	done = dropped = 0;
	memset(seen, 0, sizeof seen);
	assert_int_equal(csys_pool_new(&options, &pool), 0);
}

void close_pool(void)
{
	csys_event_set(&gate);
	assert_int_equal(csys_pool_close(pool), 0);
}

void submit(csys_thread_function *function)
{
	assert_int_equal(csys_pool_submit(pool, function, NULL), 0);
}

csys_task *submit_task(csys_thread_function *function, void *argument)
{
	csys_task *task = NULL;
	assert_int_equal(csys_pool_submit_task(pool, function, argument, &task), 0);
	return task;
}

void occupy(void)
{
	submit(pass_the_gate);
	csys_event_wait(&reached);
}
