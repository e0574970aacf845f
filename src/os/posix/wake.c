/*
 * os/posix/wake.c - sleeping on a word with a table of mutexes and condvars.
 *
 * The address selects a slot.  A thread that is to sleep locks the slot's mutex, compares the
 * word, adds a sleeper to the slot's queue (base/wakequeue.h), and waits on the sleeper's condvar,
 * which releases the mutex in one step.  A waker locks the mutex, takes sleepers of its
 * word out of the queue, and signals them.  Invariant: if a waker changed the word before it
 * locked the mutex, then it finds the sleeper in the queue, or the sleeper finds the word changed.
 *
 * A waker in another process has another table.  So a shared sleep is a series of short
 * ones, each of which returns without a wake.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>

#include "base/atomic.h"
#include "base/wakequeue.h"
#include "os/posix/posix.h"

#define SLOTS 64u
#define NAP_NS 500000

struct sleeper {
	struct csysi_sleeper queued; /* the first member */
	pthread_cond_t told;
};

static struct slot {
	pthread_mutex_t lock;
	struct csysi_wakequeue queue; /* under lock */
} slots[SLOTS];

static pthread_once_t made = PTHREAD_ONCE_INIT;

/* Also called in a forked child, where no thread sleeps and no other thread holds a lock. */
static void fill_slots(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		pthread_mutex_init(&slots[i].lock, NULL);
		slots[i].queue.first = NULL;
	}
}

static void make_slots(void)
{
	fill_slots();
	/* Without memory for it a forked child may hang, as it may in malloc. */
	pthread_atfork(NULL, NULL, fill_slots);
}

static struct slot *slot_of(const uint32_t *word)
{
	pthread_once(&made, make_slots);
	/* Words are at least 4 bytes apart.  Neighbours should get different slots, and so should
	 * the same offsets in different pages. */
	uintptr_t address = (uintptr_t)word;
	return &slots[((address >> 2) ^ (address >> 12)) % SLOTS];
}

static int nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	/* Acquire, as in a sleeper that is woken: it sees what the waker wrote before. */
	if (csysi_load_acquire(word) != expected)
		return 0;

	int64_t left = csys_deadline_left(deadline);
	if (left == 0)
		return CSYS_ETIMEDOUT;
	int before = csysi_os_hold_cancel(); /* no wait is a cancellation point */
	csysi_os_nap(csys_after_ns(left < NAP_NS ? left : NAP_NS));
	csysi_os_release_cancel(before);
	return 0;
}

/* Sleep until told or until the deadline.  The mutex of the slot is locked, `self` in its queue. */
static int sleep_until(struct slot *slot, struct sleeper *self, csys_deadline deadline)
{
	int error = 0;

	while (!self->queued.is_told && error == 0)
		error = csysi_posix_condvar_wait(&self->told, &slot->lock, deadline);
	if (self->queued.is_told)
		return 0;
	csysi_wakequeue_leave(&slot->queue, &self->queued);
	return error == ETIMEDOUT ? CSYS_ETIMEDOUT : 0;
}

int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline, uint32_t kind)
{
	struct slot *slot = slot_of(word);
	struct sleeper self = { .queued = { .word = word, .kind = kind } };
	int r = 0;
	int before = csysi_os_hold_cancel(); /* a cancelled sleeper would end with the lock held */
	pthread_mutex_lock(&slot->lock);
	/* Relaxed: the mutex orders it with the waker, see above. */
	if (csysi_load_relaxed(word) == expected) {
		csysi_posix_condvar_init(&self.told);
		csysi_wakequeue_enter(&slot->queue, &self.queued);
		r = sleep_until(slot, &self, deadline);
		pthread_cond_destroy(&self.told);
	}
	pthread_mutex_unlock(&slot->lock);
	csysi_os_release_cancel(before);
	return r;
}

uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t kinds)
{
	struct slot *slot = slot_of(word);
	uint32_t woken = 0;
	pthread_mutex_lock(&slot->lock);
	while (woken < count) {
		struct csysi_sleeper *queued = csysi_wakequeue_take(&slot->queue, word, kinds);
		if (!queued)
			break;
		pthread_cond_signal(&((struct sleeper *)queued)->told);
		woken++;
	}
	pthread_mutex_unlock(&slot->lock);
	return woken;
}

int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared)
{
	return shared ? nap(word, expected, deadline)
		      : csysi_os_wait_as(word, expected, deadline, UINT32_MAX);
}

uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	/* Shared sleepers wake by themselves. */
	return shared ? 0 : csysi_os_wake_kind(word, count, UINT32_MAX);
}
