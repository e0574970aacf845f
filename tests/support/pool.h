/*
 * support/pool.h - what the tests of pools share: one pool, and a gate for its jobs.
 */
#ifndef CSYS_TEST_POOL_H
#define CSYS_TEST_POOL_H

#include <stdint.h>

#include <csys/csys.h>

extern csys_pool *pool;
extern csys_event gate, reached; /* manual */
extern uint32_t done, dropped;   /* atomic */
extern int seen[4];              /* results of calls in jobs */

/* A job that sets `reached`, waits for the gate, and counts in `done`. */
void *pass_the_gate(void *argument);

/* Make the pool, with all that is above as at first; `drop` gets &dropped as its argument. */
void open_pool_with(int threads, size_t capacity, csys_pool_drop *drop);

/* Open the gate, and close the pool. */
void close_pool(void);

/* Submit, asserting that it works. */
void submit(csys_thread_function *function);
csys_task *submit_task(csys_thread_function *function, void *argument);

/* The only thread of the pool waits at the gate. */
void occupy(void);

#endif
