/*
 * sync/waitqueue.c - a queue of waiting threads.
 *
 *            notified                  WAITING:  in the queue, its thread is awake
 *   WAITING ----------> NOTIFIED       SLEEPING: in the queue, its thread sleeps or is about to
 *      |                               NOTIFIED: not in the queue; its thread is awake
 *      | sleeps         notified       CALLED:   not in the queue; its thread must be woken
 *      +---> SLEEPING -----------> CALLED
 *
 * Invariant: while no thread holds the lock of the queue, a record is in the queue if and
 * only if its word is WAITING or SLEEPING.  (A thread that gives up leaves its word so, but then
 * no other thread knows the record.)
 *
 * Freeing.  The object may be freed once a notification has returned that left no thread
 * in the queue, while threads that waited are still on their way out.  So a waiter must not
 * touch the object once it was notified, and a waiter whose deadline has passed cannot
 * know whether it was.  It takes the lock, which is always there, looks at its own word, and
 * touches the object only if its record is still in the queue: a notification has then yet to
 * take the lock, and waits for it.  A notifier that takes no lock, because it has seen an
 * empty queue, saw the last store of the thread that left it empty; after that store that thread
 * does not touch the object.
 *
 * Why not a lock in the object, and a word LEAVING by which a waiter announces
 * that it is about to take that lock?  The notifier would have to wait for each such
 * thread to be scheduled, among thousands of others, or below its own priority.  Here it
 * waits for the few instructions of one holder.  The price: queues whose addresses share a
 * place in the table wait for each other, a notification of thousands included;
 * and the table needs a fork handler, since a thread that holds a lock does not exist
 * in a forked child, and the lock is needed there for other queues.
 *
 * A notifier touches a record for the last time when it changes its word: the thread may
 * return then, if it is awake, and wakes need the word's address only.  If the thread needs a lock
 * to return, a notifier that holds that lock may go on using the record.
 *
 * Orders.  The lock: acquire and release, so all that is done under it needs no more.  The word:
 * a notifier changes it by a release, and the thread reads it by an acquire, so with NOTIFIED or
 * CALLED it sees what was done before, its links included.  The queue: every change is a release
 * for the acquire of a notifier that looks at it without the lock, and may free the object then.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/waitqueue.h"

enum { WAITING, SLEEPING, NOTIFIED, CALLED };

/* ---- the lock of a queue ------------------------------------------------------------------ */

#define LOCKS 256

/* Each in a cache line of its own; 1 while it is held. */
static struct CSYS_CACHE_PADDED csysi_queue_lock {
	uint32_t word;
} locks[LOCKS];

/* 1 once the locks are free in forked children. */
static uint32_t is_prepared;

static struct csysi_queue_lock *lock_of(const uintptr_t *queue)
{
	uint64_t address = (uintptr_t)queue;

	/* Fibonacci hashing: neighbours go far apart. */
	return &locks[(address * 0x9e3779b97f4a7c15u) >> 56];
}

/* In a forked child.  The other threads do not exist, and one of them may have held a lock. */
static void free_locks(void)
{
	for (unsigned i = 0; i < LOCKS; i++)
		csysi_store_relaxed(&locks[i].word, 0);
}

struct csysi_queue_lock *csysi_waitqueue_lock(const uintptr_t *queue)
{
	struct csysi_queue_lock *lock = lock_of(queue);

	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (!csysi_load_relaxed(&is_prepared) && csysi_os_at_fork(free_locks) == 0)
		csysi_store_relaxed(&is_prepared, 1);
	for (int tries = 0;; tries++) {
		uint32_t word = csysi_load_relaxed(&lock->word);
		/* Acquire pairs with the release of csysi_waitqueue_unlock. */
		if (word == 0 && csysi_cas_acquire(&lock->word, &word, 1))
			return lock;
		csysi_spin_let_on(tries);
	}
}

void csysi_waitqueue_unlock(struct csysi_queue_lock *lock)
{
	/* Release pairs with the acquire of csysi_waitqueue_lock. */
	csysi_store_release(&lock->word, 0);
}

/* ---- the queue, under its lock -------------------------------------------------------------- */

struct csysi_waiter *csysi_waitqueue_first(const uintptr_t *queue)
{
	/* Relaxed: the lock orders it. */
	return (struct csysi_waiter *)csysi_load_relaxed(queue);
}

static void set_first(uintptr_t *queue, struct csysi_waiter *first)
{
	/* Release pairs with the acquire of csysi_condvar_has_waiters. */
	csysi_store_release(queue, (uintptr_t)first);
}

void csysi_waitqueue_enqueue(uintptr_t *queue, struct csysi_waiter *self)
{
	struct csysi_waiter *first = csysi_waitqueue_first(queue);

	csysi_ring_make(self);
	if (first)
		csysi_ring_append(first, self);
	else
		set_first(queue, self);
}

static void dequeue(uintptr_t *queue, struct csysi_waiter *waiter)
{
	struct csysi_waiter *next = csysi_ring_remove(waiter);

	if (csysi_waitqueue_first(queue) == waiter)
		set_first(queue, next);
}

struct csysi_waiter *csysi_waitqueue_take_one(uintptr_t *queue)
{
	struct csysi_waiter *first = csysi_waitqueue_first(queue);

	if (first) {
		dequeue(queue, first);
		csysi_ring_make(first);
	}
	return first;
}

struct csysi_waiter *csysi_waitqueue_take_all(uintptr_t *queue)
{
	struct csysi_waiter *first = csysi_waitqueue_first(queue);

	if (first)
		set_first(queue, NULL);
	return first;
}

/* ---- notifying --------------------------------------------------------------------------- */

/* Let it go on.  1: it is asleep, and to be woken.  Its record may be gone after this. */
static int mark(struct csysi_waiter *waiter)
{
	uint32_t word = WAITING;

	/* Release pairs with the acquires in csysi_waitqueue_sleep: with the word it sees its
	 * links. */
	if (csysi_cas_release(&waiter->word, &word, NOTIFIED))
		return 0;
	csysi_store_release(&waiter->word, CALLED);
	return 1;
}

int csysi_waitqueue_notify(struct csysi_waiter *first, size_t *out_count)
{
	size_t count = 1;

	/* From the last to the first: a thread whose waiter is marked may get a mutex and
	 * change the links of its neighbours, but the one to the waiter before was read by then. */
	for (struct csysi_waiter *waiter = first->previous; waiter != first;) {
		struct csysi_waiter *previous = waiter->previous;
		mark(waiter);
		waiter = previous;
		count++;
	}
	*out_count = count;
	return mark(first);
}

int csysi_waitqueue_is_asleep(const struct csysi_waiter *waiter)
{
	/* Relaxed: it was changed before the caller got what the waiter needs to return, or by
	 * the caller. */
	return csysi_load_relaxed(&waiter->word) == CALLED;
}

/* ---- waiting ------------------------------------------------------------------------------- */

static int is_notified(uint32_t word)
{
	return word == NOTIFIED || word == CALLED;
}

/* The deadline has passed.  1: it was not notified, and is out of the queue. */
static int give_up(uintptr_t *queue, struct csysi_waiter *self)
{
	struct csysi_queue_lock *lock = csysi_waitqueue_lock(queue);
	/* Relaxed: the lock orders it. */
	int is_queued = !is_notified(csysi_load_relaxed(&self->word));

	/* If not, the object may be gone. */
	if (is_queued)
		dequeue(queue, self);
	csysi_waitqueue_unlock(lock);
	return is_queued;
}

int csysi_waitqueue_sleep(uintptr_t *queue, struct csysi_waiter *self, csys_deadline deadline)
{
	uint32_t word = WAITING;

	/* Relaxed: the load behind it acquires. */
	for (struct csysi_spin spin = csysi_spin_begin(queue, deadline);
	     csysi_spin_goes_on(&spin, word != WAITING);)
		word = csysi_load_relaxed(&self->word);
	/* Relaxed: it tells nothing.  If it fails the waiter was marked, and the next load says so;
	 * acquire pairs with the release of mark, there and below. */
	if (word == WAITING && csysi_cas_relaxed(&self->word, &word, SLEEPING))
		word = SLEEPING;
	else
		word = csysi_load_acquire(&self->word);
	while (!is_notified(word)) {
		int r = csysi_os_wait(&self->word, SLEEPING, deadline, 0);
		word = csysi_load_acquire(&self->word);
		if (r == CSYS_ETIMEDOUT && !is_notified(word))
			return give_up(queue, self) ? CSYS_ETIMEDOUT : 0;
	}
	return 0;
}
