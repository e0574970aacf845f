/*
 * os/posix/wake.c - sleeping on a word with a table of mutexes and condvars.
 *
 * The address picks a slot.  A sleeper compares the word under the slot's mutex
 * and sleeps on its condvar, which releases the mutex as one step; a waker
 * takes the mutex before it notifies.  Invariant: a waker that changed the word
 * before taking the mutex either finds the sleeper asleep, or the sleeper finds
 * the word changed.  Words that share a slot wake each other's sleepers, which
 * is a return without cause; therefore every wake wakes all of the slot, since
 * one of them might not be the right one.
 *
 * A table cannot reach sleepers of another process.  A shared sleeper naps in
 * its place and returns without cause, again and again.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/atomic.h"
#include "os/posix/posix.h"

#define SLOTS 64u
#define NAP_NS 500000

static struct slot {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned sleepers; /* under lock */
} slots[SLOTS];

static pthread_once_t made = PTHREAD_ONCE_INIT;

/* Also in a forked child, where nobody sleeps and whoever held a lock is not there. */
static void fill_slots(void)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	for (unsigned i = 0; i < SLOTS; i++) {
		pthread_mutex_init(&slots[i].lock, NULL);
		pthread_cond_init(&slots[i].changed, &attributes);
		slots[i].sleepers = 0;
	}
	pthread_condattr_destroy(&attributes);
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
	/* Words are apart by 4; neighbours should not share a slot, nor whole pages. */
	uintptr_t address = (uintptr_t)word;
	return &slots[((address >> 2) ^ (address >> 12)) % SLOTS];
}

static struct timespec moment(csys_deadline deadline)
{
	int64_t ns = deadline > 0 ? deadline : 0;
	struct timespec at = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };
	return at;
}

static int nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	/* Acquire, as for a woken sleeper: what the waker wrote before is seen. */
	if (csysi_load_acquire(word) != expected)
		return 0;

	int64_t left = csys_deadline_left(deadline);
	if (left == 0)
		return CSYS_ETIMEDOUT;
	csysi_os_nap(csys_after_ns(left < NAP_NS ? left : NAP_NS));
	return 0;
}

int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared)
{
	if (shared)
		return nap(word, expected, deadline);

	struct slot *slot = slot_of(word);
	int error = 0;
	int before = csysi_os_hold_cancel(); /* a sleeper would end holding the lock */
	pthread_mutex_lock(&slot->lock);
	/* Relaxed: the mutex orders it against the waker, see above. */
	if (csysi_load_relaxed(word) == expected) {
		slot->sleepers++;
		if (deadline == CSYS_FOREVER) {
			pthread_cond_wait(&slot->changed, &slot->lock);
		} else {
			struct timespec at = moment(deadline);
			error = pthread_cond_timedwait(&slot->changed, &slot->lock, &at);
		}
		slot->sleepers--;
	}
	pthread_mutex_unlock(&slot->lock);
	csysi_os_release_cancel(before);
	return error == ETIMEDOUT ? CSYS_ETIMEDOUT : 0;
}

void csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	(void)count;
	if (shared)
		return; /* nappers look for themselves */

	struct slot *slot = slot_of(word);
	pthread_mutex_lock(&slot->lock);
	unsigned sleepers = slot->sleepers;
	pthread_mutex_unlock(&slot->lock);
	/* The slot outlives everyone, so there is no hurry to notify under the lock. */
	if (sleepers > 0)
		pthread_cond_broadcast(&slot->changed);
}
