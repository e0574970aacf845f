/*
 * os/barrier.h - a memory barrier in all threads of this process.
 */
#ifndef CSYSI_OS_BARRIER_H
#define CSYSI_OS_BARRIER_H

/* Whether csysi_os_barrier can be called; prepares it at the first call.  The answer stays. */
int csysi_os_barrier_is_there(void);

/*
 * A full memory barrier in each thread that runs, at some moment during this call.  So whatever a
 * thread has done before that moment is seen by the caller afterwards, and whatever the caller has
 * done is seen by it from then on.  Takes microseconds.
 */
void csysi_os_barrier(void);

#endif
