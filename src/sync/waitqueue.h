/*
 * sync/waitqueue.h - a queue of waiting threads.
 *
 * Each waiter is a record on its thread's stack, with a word of its own to sleep on.
 * The queue is one word in the object that is waited for: a pointer to the first record, 0
 * while no thread waits.  So it needs no memory, no initialisation and no destruction.
 *
 *     struct csysi_waiter self = { 0 };                         a thread that waits
 *     struct csysi_queue_lock *lock = csysi_waitqueue_lock(&object->queue);
 *     csysi_waitqueue_enqueue(&object->queue, &self);
 *     csysi_waitqueue_unlock(lock);
 *     int r = csysi_waitqueue_sleep(&object->queue, &self, deadline);
 *
 *     lock = csysi_waitqueue_lock(&object->queue);              a thread that notifies
 *     struct csysi_waiter *first = csysi_waitqueue_take_one(&object->queue);
 *     int is_asleep = first && csysi_waitqueue_notify(first, &count);
 *     csysi_waitqueue_unlock(lock);
 *     if (is_asleep)
 *             csysi_os_wake(&first->word, 1, 0);                by its address alone
 *
 * The queue is under a lock that is not in the object but in a static table, by the address of
 * the queue.  Invariant: while no thread holds that lock, a record is in the queue if and only
 * if it has not been notified and its thread has not given up.
 *
 * So each notification goes to a thread that has not given up, or to none; a timeout takes none
 * away.  No notification is lost if a waiter is enqueued before its thread unlocks what guards
 * the condition, and a notifier changes the condition under that before it looks at the queue.
 *
 * Freeing.  The object may be freed once a notification has returned that left the queue
 * empty, if no thread comes to wait any more; threads that waited may still be on their way
 * out.  Why that is so, and the orders: waitqueue.c.
 *
 * The links of a record are under the lock while it is in the queue.  After that they belong
 * to its thread; or to the holder of a mutex, if its thread needs that to return (handoff.h).
 */
#ifndef CSYSI_SYNC_WAITQUEUE_H
#define CSYSI_SYNC_WAITQUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>

/* Zeroed at first. */
struct csysi_waiter {
	uint32_t word;                        /* its state: waitqueue.c */
	struct csysi_waiter *previous, *next; /* a ring: the queue, or what was taken out */
};

/* ---- rings -------------------------------------------------------------------------------- */

static inline void csysi_ring_make(struct csysi_waiter *waiter)
{
	waiter->previous = waiter;
	waiter->next = waiter;
}

/* Put all of one ring behind the last of another. */
static inline void csysi_ring_append(struct csysi_waiter *first, struct csysi_waiter *more)
{
	struct csysi_waiter *last = first->previous;
	struct csysi_waiter *last_more = more->previous;

	last->next = more;
	more->previous = last;
	last_more->next = first;
	first->previous = last_more;
}

/* Take the waiter out of its ring, and return the one behind it; NULL if it was alone. */
static inline struct csysi_waiter *csysi_ring_remove(struct csysi_waiter *waiter)
{
	struct csysi_waiter *next = waiter->next;

	if (next == waiter)
		return NULL;
	waiter->previous->next = next;
	next->previous = waiter->previous;
	return next;
}

/* ---- the queue ------------------------------------------------------------------------------ */

/* The lock of a queue: held for a few instructions, so others spin.  To unlock it needs nothing of
 * the object, which may be gone.  In a forked child all locks are free. */
struct csysi_queue_lock;
struct csysi_queue_lock *csysi_waitqueue_lock(const uintptr_t *queue);
void csysi_waitqueue_unlock(struct csysi_queue_lock *lock);

/* Under the lock: the waiter that has waited longest, NULL if there is none. */
struct csysi_waiter *csysi_waitqueue_first(const uintptr_t *queue);

/* Under the lock: put a waiter behind the last. */
void csysi_waitqueue_enqueue(uintptr_t *queue, struct csysi_waiter *self);

/* Under the lock: take out the first waiter, or all of them.  Returns a ring, NULL if no thread
 * waits.  They must be notified before the lock is unlocked. */
struct csysi_waiter *csysi_waitqueue_take_one(uintptr_t *queue);
struct csysi_waiter *csysi_waitqueue_take_all(uintptr_t *queue);

/*
 * Under the lock: notify all waiters of a ring that was taken out; *out_count is how many these
 * are.  Returns 1 if the first of them is asleep, and the caller has to wake its word after it has
 * unlocked; 0 if it is awake.  The
 * others are not woken: csysi_waitqueue_is_asleep tells, as long as their records are there.
 * A record may be gone as soon as this returns, unless its thread needs a lock to return that the
 * caller holds.
 */
int csysi_waitqueue_notify(struct csysi_waiter *first, size_t *out_count);

/* Whether a waiter that was notified sleeps, and has to be woken. */
int csysi_waitqueue_is_asleep(const struct csysi_waiter *waiter);

/*
 * Wait until notified: 0; or CSYS_ETIMEDOUT at the deadline, if the waiter was not notified.  It is
 * not in the queue afterwards.  Spins first where that helps, so a notifier should call
 * csysi_spin_note(queue) (spin.h).  If it returns 0 the object may be gone.
 */
int csysi_waitqueue_sleep(uintptr_t *queue, struct csysi_waiter *self, csys_deadline deadline);

#endif
