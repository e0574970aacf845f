/*
 * bench/locks_csys.c - csys as most use it: locks that poison.
 */
#define MUTEX_START CSYS_MUTEX_INIT
#define RWLOCK_START CSYS_RWLOCK_INIT
#define LOCKED(result) locks_worked(result)
#include "locks_csys.h"

#define SEMAPHORE csys_semaphore
#define SEMAPHORE_INIT(s, n) csys_semaphore_init(s, n)
#define SEMAPHORE_POST(s) locks_worked(csys_semaphore_post(s, 1))
#define SEMAPHORE_WAIT(s) csys_semaphore_wait(s)
#define SEMAPHORE_FINI(s) (void)(s)

#define PARKER csys_thread
#define PARKER_SELF() csys_thread_current()
#define PARK() csys_thread_park()
#define UNPARK(p) csys_thread_unpark(p)

#define BARRIER csys_barrier
#define BARRIER_INIT(b, n) csys_barrier_init(b, n)
#define BARRIER_WAIT_LEADS(b) leads(b)
#define BARRIER_FINI(b) (void)(b)

static int leads(csys_barrier *barrier)
{
	int leader = 0;
	locks_worked(csys_barrier_wait(barrier, &leader));
	return leader;
}

#define ONCE csys_once

#include "locks_loop.h"

const struct locks_peer locks_peer_csys = { "csys", csys_version_string, { LOOPS } };
