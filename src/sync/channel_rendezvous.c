/*
 * sync/channel_rendezvous.c - a channel of capacity 0: the two threads meet.
 *
 * A thread that comes second finds the entry of the first in the list of the other side, takes it
 * out and claims it under the lock, and copies the message from one frame to the other after that.
 * The first thread waits for is_done, which the other sets when it has copied; it cannot give up
 * any more.  A thread that comes first puts its entry into the list of its side in the same
 * critical section in which it found none of the other side.  So of two threads one finds the
 * other.
 */
#include <csys/base/result.h>

#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

/* Before a thread sleeps. */
#define YIELDS 2

/* A thread that sends, or receives. */
struct party {
	struct csysi_channel_list *mine, *theirs;
	struct csysi_channel_spin *my_spin, *their_spin;
	int is_sender;
	void *value; /* to be read by a receiver, or written by a sender */
};

static void copy(const struct csysi_channel *c, const struct party *party, void *theirs)
{
	if (party->is_sender)
		csysi_channel_copy(theirs, party->value, c->layout.size);
	else
		csysi_channel_copy(party->value, theirs, c->layout.size);
}

/* The entry was claimed by this thread. */
static void meet(const struct csysi_channel *c, const struct party *party,
		 struct csysi_channel_entry *entry, const uint32_t *address)
{
	struct csysi_channel_waiter *waiter = entry->waiter;

	copy(c, party, entry->value);
	/* Release pairs with the acquire of csysi_channel_await_copy: the copy is done.  The
	 * waiter may be gone. */
	csysi_store_release(&waiter->is_done, 1);
	if (address)
		csysi_os_wake(address, 1, 0);
}

void csysi_channel_await_copy(const struct csysi_channel_waiter *waiter)
{
	for (int tries = 0; !csysi_load_acquire(&waiter->is_done); tries++)
		csysi_spin_let_on(tries);
}

/* Wait until the entry, which is listed, is claimed. */
static int wait_to_meet(struct csysi_channel *c, const struct party *party,
			struct csysi_channel_entry *entry, csys_deadline deadline)
{
	struct csysi_channel_waiter *self = entry->waiter;

	for (struct csysi_channel_awake awake = csysi_channel_awake_begin(party->my_spin, deadline);
	     csysi_channel_awake_goes_on(&awake, csysi_channel_is_claimed(self));)
		;
	for (int i = 0; i < YIELDS && !csysi_channel_is_claimed(self); i++)
		if (!csysi_channel_yield(party->my_spin, &c->published))
			break;
	if (!csysi_channel_is_claimed(self) &&
	    csysi_channel_sleep(self, deadline) == CSYS_ETIMEDOUT) {
		csysi_channel_lock(c);
		csysi_channel_list_remove(party->mine, entry);
		csysi_channel_unlock(c);
		return CSYS_ETIMEDOUT;
	}
	/* Acquire pairs with the release of the claim. */
	if (csysi_load_acquire(&self->state) & CSYSI_CHANNEL_DISCONNECTED)
		return CSYS_EDISCONNECTED;
	csysi_channel_await_copy(self);
	return 0;
}

static int rendezvous(struct csysi_channel *c, const struct party *party, csys_deadline deadline)
{
	/* In one cache line: the other thread reads and writes both. */
	_Alignas(64) struct {
		struct csysi_channel_waiter waiter;
		struct csysi_channel_entry entry;
	} self = { .entry = { .waiter = &self.waiter, .value = party->value } };
	const uint32_t *address = NULL;
	int r = 0;

	csysi_channel_lock(c);
	csysi_channel_note_cpu(party->their_spin);
	struct csysi_channel_entry *other = NULL;
	if (c->is_disconnected)
		r = CSYS_EDISCONNECTED;
	else if (!(other = csysi_channel_claim_first(party->theirs, 0, &address)))
		r = csys_deadline_is_poll(deadline) ? CSYS_ETIMEDOUT : CSYS_EAGAIN;
	else /* relaxed: a hint, for csysi_channel_yield */
		csysi_store_relaxed(&c->published, csysi_load_relaxed(&c->published) + 1);
	if (r == CSYS_EAGAIN)
		csysi_channel_list_add(party->mine, &self.entry, 0);
	csysi_channel_unlock(c);
	if (other)
		meet(c, party, other, address);
	if (r == CSYS_EAGAIN)
		r = wait_to_meet(c, party, &self.entry, deadline);
	/* Acquire pairs with the release of csys_receiver_handle and csys_sender_handle. */
	csysi_channel_handle_look(
		c, csysi_load_acquire(party->is_sender ? &c->tx_handle : &c->rx_handle));
	return r;
}

int csysi_channel_rendezvous_send(struct csysi_channel *c, const void *value,
				  csys_deadline deadline)
{
	const struct party sender = {
		&c->waiting_senders,     &c->waiting_receivers, &c->tx_spin, &c->rx_spin, 1,
		(void *)(uintptr_t)value
	};

	return rendezvous(c, &sender, deadline);
}

int csysi_channel_rendezvous_recv(struct csysi_channel *c, void *out, csys_deadline deadline)
{
	const struct party receiver = {
		&c->waiting_receivers, &c->waiting_senders, &c->rx_spin, &c->tx_spin, 0, out
	};

	return rendezvous(c, &receiver, deadline);
}

int csysi_channel_may_meet(const struct csysi_channel *c, int is_sender)
{
	const struct csysi_channel_list *theirs =
		is_sender ? &c->waiting_receivers : &c->waiting_senders;

	/* Relaxed, both: what happened before is seen, and what happens meanwhile is as good as
	 * later. */
	return csysi_load_relaxed(&theirs->first) != NULL ||
	       csysi_load_relaxed(&c->is_disconnected);
}

static void disconnect_all(struct csysi_channel_list *list)
{
	const uint32_t *address;

	while (csysi_channel_claim_first(list, CSYSI_CHANNEL_DISCONNECTED, &address))
		if (address)
			csysi_os_wake(address, 1, 0);
}

void csysi_channel_rendezvous_disconnect(struct csysi_channel *c)
{
	csysi_channel_lock(c);
	csysi_store_relaxed(&c->is_disconnected, 1); /* for csysi_channel_may_meet */
	disconnect_all(&c->waiting_receivers);
	disconnect_all(&c->waiting_senders);
	csysi_channel_unlock(c);
}
