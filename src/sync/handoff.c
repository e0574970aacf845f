/*
 * sync/handoff.c - waiters of a condvar that go on when a mutex is unlocked.
 */
#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/handoff.h"

/* The heads of chains that this thread is to let go on, one for each mutex. */
static _Thread_local struct csysi_mutex_waiter *handoffs;

/* 1 once the list is forgotten in forked children. */
static uint32_t is_forgotten;

/* In a forked child: the waiters do not exist, and their stacks may be used for others. */
static void forget(void)
{
	handoffs = NULL;
}

void csysi_handoff_add(struct csysi_mutex_waiter *head)
{
	struct csysi_mutex_waiter *chain = handoffs;

	while (chain && chain->mutex != head->mutex)
		chain = chain->other;
	if (chain) {
		head->is_head = 0;
		csysi_ring_append(&chain->waiter, &head->waiter);
		return;
	}
	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (!csysi_load_relaxed(&is_forgotten) && csysi_os_at_fork(forget) == 0)
		csysi_store_relaxed(&is_forgotten, 1);
	head->other = handoffs;
	handoffs = head;
	csysi_mutex_note_handoff(head->mutex);
}

const uint32_t *csysi_handoff_take(const csys_mutex *mutex)
{
	for (struct csysi_mutex_waiter **at = &handoffs; *at; at = &(*at)->other) {
		struct csysi_mutex_waiter *head = *at;
		if (head->mutex != mutex)
			continue;
		*at = head->other;
		return csysi_waitqueue_is_asleep(&head->waiter) ? &head->waiter.word : NULL;
	}
	return NULL;
}

void csysi_handoff_take_over(struct csysi_mutex_waiter *self)
{
	struct csysi_waiter *next = csysi_ring_remove(&self->waiter);

	if (next && self->is_head) {
		csysi_mutex_waiter_of(next)->is_head = 1;
		csysi_handoff_add(csysi_mutex_waiter_of(next));
	}
}
