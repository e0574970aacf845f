/**
 * \file
 * csys/ipc/shared_semaphore.h - a number of something, for the threads of several processes.
 *
 *     struct queue {
 *             csys_shared_semaphore filled; // all zero: the value 0
 *             struct job jobs[100];
 *     };
 *
 *     csys_shared_semaphore_post(&queue->filled, 1); // by a thread that has put one there
 *
 *     csys_shared_semaphore_wait(&queue->filled);    // by one that takes it
 *
 * It is eight bytes, has the value 0 when all zero, and needs no destruction.  It lies anywhere in
 * memory that processes share: in a region (csys/ipc/region.h), of which its users need not be
 * members, in shared memory (csys/ipc/shm.h) or a mapped file.  One that is found by a name is a
 * csys_named_semaphore.
 *
 * Death.  It counts, and does not know which threads have taken what: a thread that ends takes with
 * it what it has taken, as is right where a post is a signal to another thread.  *It is no lock*:
 * what has to come back from threads that are killed is a permit (csys/ipc/shared_permits.h).  A
 * thread that is killed while it waits takes nothing; one that is killed in a post has added, or
 * not, and threads that sleep find what it has added within 0.1 s.  The same if a thread is killed
 * that was just woken.
 *
 * Waiters sleep.  The system wakes the longest sleeper first, but a thread that comes meanwhile may
 * be quicker.  What was done before a post is seen by the thread that takes what it added.
 *
 * Threads: any number may use it at once.  Signals: csys_shared_semaphore_post may be called in a
 * handler (on Linux; elsewhere only while no thread waits).  Fork: the child has the semaphore as
 * its parent has it.
 */
#ifndef CSYS_IPC_SHARED_SEMAPHORE_H
#define CSYS_IPC_SHARED_SEMAPHORE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A value that the threads of processes take from and add to; all zero has the value 0. */
typedef struct csys_shared_semaphore {
	CSYSI_ATTRIBUTE((aligned(8)))
	uint64_t word; /**< private: src/ipc/shared_semaphore.c */
} csys_shared_semaphore;

/** The greatest value. */
#define CSYS_SHARED_SEMAPHORE_MAX 0x7fffffffu

/**
 * Make a semaphore with this value, in any memory.
 *
 * No thread may use it meanwhile: as a rule the process that creates the memory calls this before
 * others see it (`init` of csys/ipc/shm.h).
 *
 * \param semaphore  the memory
 * \param value      any number; more than CSYS_SHARED_SEMAPHORE_MAX is misuse, and aborts
 */
CSYS_API void csys_shared_semaphore_init(csys_shared_semaphore *semaphore, uint32_t value);

/**
 * Add to the value of a semaphore, and let as many waiting threads go on.
 *
 * \param semaphore  the semaphore
 * \param n          how many
 * \retval 0            they are added
 * \retval CSYS_EINVAL  the value would exceed CSYS_SHARED_SEMAPHORE_MAX: nothing is added
 */
CSYS_API int csys_shared_semaphore_post(csys_shared_semaphore *semaphore, uint32_t n);

/**
 * Subtract 1 from the value of a semaphore, waiting however long until it is above 0.
 *
 * \param semaphore  the semaphore
 */
CSYS_API void csys_shared_semaphore_wait(csys_shared_semaphore *semaphore);

/**
 * Subtract 1 from the value of a semaphore, waiting until it is above 0 or until `deadline`.
 *
 * \param semaphore  the semaphore
 * \param deadline   when to give up; one that has passed still takes what is there
 * \retval 0               one is taken
 * \retval CSYS_ETIMEDOUT  there was none by then
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_semaphore_wait_until(csys_shared_semaphore *semaphore,
							      csys_deadline deadline);

/**
 * Subtract 1 from the value of a semaphore if it is above 0, without waiting.
 *
 * \param semaphore  the semaphore
 * \retval 0            one is taken
 * \retval CSYS_EAGAIN  there is none
 */
CSYS_API CSYS_MUST_CHECK int csys_shared_semaphore_try_wait(csys_shared_semaphore *semaphore);

/**
 * Tell the value of a semaphore at this moment.
 *
 * \param semaphore  the semaphore
 * \return the value; 0 also while threads wait
 */
CSYS_API uint32_t csys_shared_semaphore_value(const csys_shared_semaphore *semaphore);

CSYS_END_DECLS

#endif
