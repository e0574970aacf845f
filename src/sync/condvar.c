/*
 * sync/condvar.c - a queue of waiters.
 *
 * Each waiter is a record on its thread's stack, with a word of its own to sleep
 * on.  The condvar is a pointer to the first record of the queue, NULL while
 * nobody waits.
 *
 *            notified                  WAITING:  in the queue, its thread is awake
 *   WAITING ----------> NOTIFIED       SLEEPING: in the queue, its thread sleeps or is about to
 *      |                               NOTIFIED: not in the queue; its thread is awake
 *      | sleeps         notified       CALLED:   not in the queue; its thread must be woken
 *      +---> SLEEPING -----------> CALLED
 *
 * The queue is under a lock that is not in the condvar but in a static table, by
 * the condvar's address.  Invariant: under that lock, a record is in the queue if
 * and only if its word is WAITING or SLEEPING.
 *
 * Freeing.  A condvar may be freed once a notification has returned that left
 * nobody in the queue, while threads that waited are still on their way out.  So
 * a waiter must not touch the condvar once it was notified, and a waiter whose
 * deadline has passed cannot know whether it was.  It takes the lock, which is always
 * there, looks at its own word, and touches the condvar only if its record is still in
 * the queue: a notification has then yet to take the lock, and waits for it.  A
 * notifier that takes no lock, because it has seen an empty queue, saw the last store of
 * the thread that left it empty; after that store that thread does not touch the condvar.
 *
 * Why not a lock in the condvar, and a word LEAVING by which a waiter announces
 * that it is about to take that lock?  The notifier would have to wait for each such
 * thread to be scheduled, among thousands of others, or below its own priority.  Here it
 * waits for the few instructions of one holder.  The price: condvars whose addresses share a
 * place in the table wait for each other, a notify_all of thousands included;
 * and the table needs a fork handler, since a thread that holds a lock does not exist
 * in a forked child, and the lock is needed there for other condvars.  The handler also
 * forgets the waiters that the forking thread was to let go on, which do not exist there.
 *
 * No notification is lost: a record is in the queue before its thread unlocks the
 * mutex, so a thread that changes something under the mutex after that finds it.  A
 * notification takes a record out of the queue and changes its word as one step under the
 * lock, and a waiter gives up under the lock too.  So a notification goes to a thread
 * that has not given up, or to nobody, and a timeout takes none away.
 *
 * A notifier touches a record for the last time when it changes its word: the thread may
 * return then, if it is awake, and wakes need the word's address only.  But the thread
 * must have the mutex to return, so a notifier that holds the mutex may go on using it.
 * The links of records are under the lock while they are in the queue, and under
 * the mutex once they are notified (handoff.h).
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/condvar.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/handoff.h"
#include "sync/spin.h"

enum { WAITING, SLEEPING, NOTIFIED, CALLED };

struct waiter {
	uint32_t word;
	int is_head; /* of a chain of notified waiters (handoff.h) */
	csys_mutex *mutex;
	struct waiter *previous, *next; /* rings: the queue; each chain */
	struct waiter *other;           /* of a head in this thread's list: the next head there */
};

/* The heads of chains that this thread is to let go on, one for each mutex. */
static _Thread_local struct waiter *handoffs;

/* ---- rings -------------------------------------------------------------------------------- */

static void make_ring(struct waiter *waiter)
{
	waiter->previous = waiter;
	waiter->next = waiter;
}

/* Put all of one ring behind the last of another. */
static void append(struct waiter *first, struct waiter *more)
{
	struct waiter *last = first->previous;
	struct waiter *last_more = more->previous;

	last->next = more;
	more->previous = last;
	last_more->next = first;
	first->previous = last_more;
}

/* Take the waiter out of its ring, and return the one behind it; NULL if it was alone. */
static struct waiter *take_out(struct waiter *waiter)
{
	struct waiter *next = waiter->next;

	if (next == waiter)
		return NULL;
	waiter->previous->next = next;
	next->previous = waiter->previous;
	return next;
}

/* ---- the lock of a queue ------------------------------------------------------------------ */

#define LOCKS 256

/* Each in a cache line of its own; 1 while it is held. */
static struct CSYS_CACHE_PADDED queue_lock {
	uint32_t word;
} locks[LOCKS];

/* 1 once forked children are taken care of. */
static uint32_t is_prepared;

/* Tries before the holder is given this CPU, and before it is given some time. */
#define TRIES 100
#define YIELDS 100
#define NAP_NS 50000

/* Between two looks at a lock that another thread holds for a few instructions. */
static void let_on(int tries)
{
	if (tries < TRIES)
		csys_spin_hint();
	else if (tries < TRIES + YIELDS)
		csysi_os_yield();
	else
		csysi_spin_nap(NAP_NS); /* the holder may have a lower priority */
}

static struct queue_lock *lock_of(const csys_condvar *condvar)
{
	uint64_t address = (uintptr_t)condvar;

	/* Fibonacci hashing: neighbours go far apart. */
	return &locks[(address * 0x9e3779b97f4a7c15u) >> 56];
}

static struct queue_lock *lock_queue(const csys_condvar *condvar)
{
	struct queue_lock *lock = lock_of(condvar);

	for (int tries = 0;; tries++) {
		uint32_t word = csysi_load_relaxed(&lock->word);
		/* Acquire pairs with the release of unlock_queue. */
		if (word == 0 && csysi_cas_acquire(&lock->word, &word, 1))
			return lock;
		let_on(tries);
	}
}

/* The condvar may be gone. */
static void unlock_queue(struct queue_lock *lock)
{
	/* Release pairs with the acquire of lock_queue. */
	csysi_store_release(&lock->word, 0);
}

/* In a forked child.  The other threads do not exist: one of them may have held a lock, and those
 * that this thread was to let go on have their records on stacks that may be used for others. */
static void forget_threads(void)
{
	for (unsigned i = 0; i < LOCKS; i++)
		csysi_store_relaxed(&locks[i].word, 0);
	handoffs = NULL;
}

/* ---- the queue, under its lock -------------------------------------------------------------- */

static struct waiter *first_of(csys_condvar *condvar)
{
	/* Relaxed: the lock orders it. */
	return (struct waiter *)csysi_load_relaxed(&condvar->queue);
}

static void set_first(csys_condvar *condvar, struct waiter *first)
{
	/* Release pairs with the acquire of has_waiters. */
	csysi_store_release(&condvar->queue, (uintptr_t)first);
}

/* Without the lock.  No waiter that has queued itself before the caller locked the mutex is
 * overlooked. */
static int has_waiters(const csys_condvar *condvar)
{
	/* Acquire pairs with the release of set_first: if the queue is empty, the thread that
	 * left it so touches the condvar no more, and the caller may free it. */
	return csysi_load_acquire(&condvar->queue) != 0;
}

/* Queue it, unless others wait with another mutex.  Returns the mutex that the queue has. */
static const csys_mutex *enqueue(csys_condvar *condvar, struct waiter *self)
{
	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (!csysi_load_relaxed(&is_prepared) && csysi_os_at_fork(forget_threads) == 0)
		csysi_store_relaxed(&is_prepared, 1);

	make_ring(self);
	struct queue_lock *lock = lock_queue(condvar);
	struct waiter *first = first_of(condvar);
	const csys_mutex *mutex = first ? first->mutex : self->mutex;
	if (!first)
		set_first(condvar, self);
	else if (mutex == self->mutex)
		append(first, self);
	unlock_queue(lock);
	return mutex;
}

static void dequeue(csys_condvar *condvar, struct waiter *waiter)
{
	struct waiter *next = take_out(waiter);

	if (first_of(condvar) == waiter)
		set_first(condvar, next);
}

/* ---- waiters under a mutex ---------------------------------------------------------------- */

static void hand_off(struct waiter *head)
{
	struct waiter *same = handoffs;

	while (same && same->mutex != head->mutex)
		same = same->other;
	if (same) {
		head->is_head = 0;
		append(same, head);
		return;
	}
	head->other = handoffs;
	handoffs = head;
	csysi_mutex_note_handoff(head->mutex);
}

const uint32_t *csysi_handoff_take(const csys_mutex *mutex)
{
	for (struct waiter **at = &handoffs; *at; at = &(*at)->other) {
		struct waiter *head = *at;
		if (head->mutex != mutex)
			continue;
		*at = head->other;
		/* Relaxed: it was changed before the mutex was last released, or by this thread. */
		return csysi_load_relaxed(&head->word) == CALLED ? &head->word : NULL;
	}
	return NULL;
}

/* This thread was notified and has the mutex: leave the chain, and if this was its head,
 * let the next one follow. */
static void take_over(struct waiter *self)
{
	struct waiter *next = take_out(self);

	if (next && self->is_head) {
		next->is_head = 1;
		hand_off(next);
	}
}

/* ---- notifying --------------------------------------------------------------------------- */

/* Let it go on.  1: it is asleep, and to be woken.  Its record may be gone after this. */
static int mark(struct waiter *waiter)
{
	uint32_t word = WAITING;

	/* Release pairs with the acquires in sleep_until: with the word it sees its links. */
	if (csysi_cas_release(&waiter->word, &word, NOTIFIED))
		return 0;
	csysi_store_release(&waiter->word, CALLED);
	return 1;
}

/* Let all of a ring go on, which the queue does not have any more; under its lock.  1: the
 * first one is asleep, and to be woken. */
static int mark_all(struct waiter *first)
{
	first->is_head = 1;
	/* From the last to the first: a thread whose waiter is marked may get the mutex and
	 * change the links of its neighbours, but the one to the waiter before was read by then. */
	for (struct waiter *waiter = first->previous; waiter != first;) {
		struct waiter *previous = waiter->previous;
		mark(waiter);
		waiter = previous;
	}
	return mark(first);
}

static void notify(csys_condvar *condvar, int is_all)
{
	csysi_spin_note(condvar);
	struct queue_lock *lock = lock_queue(condvar);
	struct waiter *first = first_of(condvar);
	if (!first) {
		unlock_queue(lock);
		return;
	}
	csys_mutex *mutex = first->mutex;
	const uint32_t *address = &first->word;
	if (is_all) {
		set_first(condvar, NULL);
	} else {
		set_first(condvar, take_out(first));
		make_ring(first);
	}
	int is_asleep = mark_all(first);
	unlock_queue(lock);
	/* A thread that is awake gets the mutex by itself, and lets the others follow. */
	if (!is_asleep)
		return;
	if (csysi_holds(mutex, CSYSI_HELD_MUTEX))
		hand_off(first);
	else
		csysi_os_wake(address, 1, 0);
}

void csys_condvar_notify_one(csys_condvar *condvar)
{
	if (has_waiters(condvar))
		notify(condvar, 0);
}

void csys_condvar_notify_all(csys_condvar *condvar)
{
	if (has_waiters(condvar))
		notify(condvar, 1);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static int is_notified(uint32_t word)
{
	return word == NOTIFIED || word == CALLED;
}

/* The deadline has passed.  1: it was not notified, and is out of the queue. */
static int give_up(csys_condvar *condvar, struct waiter *self)
{
	struct queue_lock *lock = lock_queue(condvar);
	/* Relaxed: the lock orders it. */
	int is_queued = !is_notified(csysi_load_relaxed(&self->word));

	/* If not, the condvar may be gone. */
	if (is_queued)
		dequeue(condvar, self);
	unlock_queue(lock);
	return is_queued;
}

/* Until notified: 0; or not by the deadline: CSYS_ETIMEDOUT, and out of the queue. */
static int sleep_until(csys_condvar *condvar, struct waiter *self, csys_deadline deadline)
{
	uint32_t word = WAITING;

	/* Relaxed: the load behind it acquires. */
	for (struct csysi_spin spin = csysi_spin_begin(condvar, deadline);
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
			return give_up(condvar, self) ? CSYS_ETIMEDOUT : 0;
	}
	return 0;
}

int csys_condvar_wait_until(csys_condvar *condvar, csys_mutex *mutex, csys_deadline deadline)
{
	struct waiter self = { .word = WAITING, .mutex = mutex };
	const csys_mutex *theirs = enqueue(condvar, &self);

	/* A checked build says where.  Every build aborts: a chain of waiters belongs to one mutex,
	 * and a notifier that holds one of the two could not pass on the waiters of the other. */
	csysi_checked_waits(condvar, mutex, theirs, deadline);
	if (theirs != mutex)
		csysi_os_abort("a condvar with two mutexes at once");
	csysi_tsan_release(&mutex->word); /* unlock is inline, and compiled here */
	csys_mutex_unlock(mutex);
	int r = sleep_until(condvar, &self, deadline);
	/* A thread that has notified without saying that it holds the mutex may hold it. */
	int locked = csysi_mutex_relock(mutex, !csysi_spin_is_near(condvar));
	if (r == 0)
		take_over(&self);
	return r < 0 ? r : locked;
}

int csys_condvar_wait(csys_condvar *condvar, csys_mutex *mutex)
{
	return csys_condvar_wait_until(condvar, mutex, CSYS_FOREVER);
}

int csys_condvar_wait_while_until(csys_condvar *condvar, csys_mutex *mutex,
				  csys_condvar_predicate *predicate, void *argument,
				  csys_deadline deadline)
{
	int r = 0;

	while (predicate(argument)) {
		if (r == CSYS_ETIMEDOUT)
			return r;
		r = csys_condvar_wait_until(condvar, mutex, deadline);
	}
	return csys_mutex_is_poisoned(mutex) ? CSYS_POISONED : 0;
}

int csys_condvar_wait_while(csys_condvar *condvar, csys_mutex *mutex,
			    csys_condvar_predicate *predicate, void *argument)
{
	return csys_condvar_wait_while_until(condvar, mutex, predicate, argument, CSYS_FOREVER);
}
