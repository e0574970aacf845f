/*
 * sync/channel_wait.c - the lists of threads that wait at a channel.
 *
 * Invariant: while no thread holds the lock, SOME is set in the flags of a side if entries are in
 * its list, unless a sender is on its way that will pass on (is_waking).
 *
 * A thread touches its entry and its waiter after a wait only when the entry is in no list: it has
 * taken it out under the lock, or was claimed.  So a thread that holds the lock may use the entries
 * of the lists, and a claimer reads all that it needs before it claims.
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/lock.h"
#include "sync/watch.h"

struct csysi_channel_side csysi_channel_receivers(struct csysi_channel *c)
{
	return (struct csysi_channel_side){ &c->waiting_receivers, &c->rx_flags, &c->tx_fence };
}

struct csysi_channel_side csysi_channel_senders(struct csysi_channel *c)
{
	return (struct csysi_channel_side){ &c->waiting_senders, &c->tx_flags, &c->rx_fence };
}

static struct csysi_lock *lock_of(struct csysi_channel *c)
{
	return (struct csysi_lock *)(void *)&c->lock;
}

void csysi_channel_lock(struct csysi_channel *c)
{
	csysi_lock_lock(lock_of(c));
}

void csysi_channel_unlock(struct csysi_channel *c)
{
	csysi_lock_unlock(lock_of(c));
}

/* ---- lists, under the lock ------------------------------------------------------------------ */

/* Make `entry` the one after `previous`, or the first one. */
static void link_after(struct csysi_channel_list *list, struct csysi_channel_entry *previous,
		       struct csysi_channel_entry *entry)
{
	if (previous)
		previous->next = entry;
	else /* relaxed: csysi_channel_may_meet reads it without the lock, as a hint */
		csysi_store_relaxed(&list->first, entry);
}

void csysi_channel_list_add(struct csysi_channel_list *list, struct csysi_channel_entry *entry,
			    int is_first)
{
	struct csysi_channel_entry *next = is_first ? list->first : NULL;
	struct csysi_channel_entry *previous = is_first ? NULL : list->last;

	entry->next = next;
	entry->previous = previous;
	*(next ? &next->previous : &list->last) = entry;
	link_after(list, previous, entry);
	entry->is_listed = 1;
}

void csysi_channel_list_remove(struct csysi_channel_list *list, struct csysi_channel_entry *entry)
{
	if (!entry->is_listed)
		return;
	*(entry->next ? &entry->next->previous : &list->last) = entry->previous;
	link_after(list, entry->previous, entry->next);
	entry->is_listed = 0;
}

static int is_of_senders(const struct csysi_channel *c, struct csysi_channel_side side)
{
	return side.list == &c->waiting_senders;
}

/* Relaxed: a thread that reads it late comes to the lock for nothing. */
static void clear_some(struct csysi_channel_side side)
{
	csysi_and_relaxed(side.flags, ~CSYSI_CHANNEL_SOME);
}

/* Sequentially consistent: before the next look of the caller, or its barrier (channel_fence.c). */
static void set_some(struct csysi_channel_side side)
{
	(void)csysi_fetch_or_seq_cst(side.flags, CSYSI_CHANNEL_SOME);
}

void csysi_channel_set_some(struct csysi_channel *c, struct csysi_channel_side side)
{
	if (!is_of_senders(c, side) || !c->is_waking)
		set_some(side);
}

void csysi_channel_enlist(struct csysi_channel *c, struct csysi_channel_side side,
			  struct csysi_channel_entry *entry, int is_first)
{
	csysi_channel_lock(c);
	csysi_channel_list_add(side.list, entry, is_first);
	csysi_channel_set_some(c, side);
	csysi_channel_unlock(c);
	csysi_channel_fence_sleeper(side.fence);
}

void csysi_channel_delist(struct csysi_channel *c, struct csysi_channel_side side,
			  struct csysi_channel_entry *entry)
{
	csysi_channel_lock(c);
	csysi_channel_list_remove(side.list, entry);
	if (!side.list->first)
		clear_some(side);
	csysi_channel_unlock(c);
}

/* ---- claiming, under the lock ------------------------------------------------------------ */

/* 1: claimed; *out_address is the word to wake, NULL if it is awake.  The waiter may be gone
 * then. */
static int claim(struct csysi_channel_waiter *waiter, uint32_t state, const uint32_t **out_address)
{
	uint32_t was = CSYSI_CHANNEL_WAITING;

	/* Release: what this thread did is seen by the one that goes on, which acquires. */
	if (csysi_cas_release(&waiter->state, &was, state)) {
		*out_address = NULL;
		return 1;
	}
	const uint32_t *address = &waiter->state;
	if (was != CSYSI_CHANNEL_ASLEEP || !csysi_cas_release(&waiter->state, &was, state))
		return 0;
	*out_address = address;
	return 1;
}

void csysi_channel_notify(const struct csysi_channel_handle *handle)
{
	if (handle->watched)
		(void)csysi_watch_notify(handle->watched, UINT32_MAX);
	else
		csysi_os_notifier_notify(handle->writer);
}

struct csysi_channel_entry *csysi_channel_claim_first(struct csysi_channel_list *list, uint32_t how,
						      const uint32_t **out_address)
{
	for (struct csysi_channel_entry *entry; (entry = list->first);) {
		uint32_t state = (CSYSI_CHANNEL_CLAIMED + entry->index) | how;
		struct csysi_channel_waiter *waiter = entry->waiter;
		const struct csysi_channel_handle *handle = entry->handle;
		/* One that cannot be claimed has gone, and finds itself in no list. */
		csysi_channel_list_remove(list, entry);
		int is_claimed = claim(waiter, state, out_address);
		if (is_claimed && !handle)
			return entry;
		if (is_claimed)
			csysi_channel_notify(handle); /* and the first thread */
	}
	return NULL;
}

int csysi_channel_wake_one(struct csysi_channel *c, struct csysi_channel_side side)
{
	int is_sender = is_of_senders(c, side);
	const uint32_t *address = NULL;

	csysi_channel_lock(c);
	if (is_sender && c->is_waking) {
		csysi_channel_unlock(c);
		return 0;
	}
	int is_one = csysi_channel_claim_first(side.list, 0, &address) != NULL;
	if (is_one && is_sender)
		c->is_waking = 1;
	if (!side.list->first || (is_one && is_sender))
		clear_some(side);
	csysi_channel_unlock(c);
	if (address)
		csysi_os_wake(address, 1, 0);
	return is_one;
}

void csysi_channel_wake_all(struct csysi_channel *c, struct csysi_channel_side side)
{
	const uint32_t *address;
	int is_one;

	do {
		address = NULL;
		csysi_channel_lock(c);
		is_one = csysi_channel_claim_first(side.list, 0, &address) != NULL;
		if (!side.list->first)
			clear_some(side);
		csysi_channel_unlock(c);
		if (address)
			csysi_os_wake(address, 1, 0);
	} while (is_one);
}

void csysi_channel_pass_on(struct csysi_channel *c)
{
	struct csysi_channel_side side = csysi_channel_senders(c);

	csysi_channel_lock(c);
	c->is_waking = 0;
	int are_more = side.list->first != NULL;
	if (are_more)
		set_some(side);
	csysi_channel_unlock(c);
	if (!are_more)
		return;
	csysi_channel_fence_sleeper(side.fence);
	if (csysi_channel_may_send(c))
		(void)csysi_channel_wake_one(c, side);
}

int csysi_channel_has_waiter(const struct csysi_channel_list *list,
			     const struct csysi_channel_waiter *self)
{
	for (const struct csysi_channel_entry *entry = list->first; entry; entry = entry->next)
		/* Relaxed: if it has gone, or was claimed, a moment later, the next try says so. */
		if (entry->waiter != self && !entry->handle &&
		    csysi_load_relaxed(&entry->waiter->state) <= CSYSI_CHANNEL_ASLEEP)
			return 1;
	return 0;
}

int csysi_channel_is_met(struct csysi_channel *c, int is_sender)
{
	csysi_channel_lock(c);
	int may = c->is_disconnected ||
		  csysi_channel_has_waiter(is_sender ? &c->waiting_senders : &c->waiting_receivers,
					   NULL);
	csysi_channel_unlock(c);
	return may;
}

/* ---- sleeping ---------------------------------------------------------------------------- */

int csysi_channel_is_claimed(const struct csysi_channel_waiter *waiter)
{
	/* Acquire pairs with the release of claim. */
	return csysi_load_acquire(&waiter->state) >= CSYSI_CHANNEL_CLAIMED;
}

int csysi_channel_sleep(struct csysi_channel_waiter *waiter, csys_deadline deadline)
{
	uint32_t state = CSYSI_CHANNEL_WAITING;

	/* Relaxed, and below: it tells nothing; the claim's release is acquired by is_claimed. */
	if (!csysi_cas_relaxed(&waiter->state, &state, CSYSI_CHANNEL_ASLEEP))
		return 0;
	while (!csysi_channel_is_claimed(waiter)) {
		int r = csysi_os_wait(&waiter->state, CSYSI_CHANNEL_ASLEEP, deadline, 0);
		state = CSYSI_CHANNEL_ASLEEP;
		if (r == CSYS_ETIMEDOUT &&
		    csysi_cas_relaxed(&waiter->state, &state, CSYSI_CHANNEL_GONE))
			return CSYS_ETIMEDOUT;
	}
	return 0;
}
