/*
 * ipc/shared_notify.c - telling the handles of the other side: shared_handle.c.
 */
#include "ipc/shared_channel.h"

void csysi_shared_sender_tell_place(const csys_shared_sender *sender, uint32_t id)
{
	struct csysi_shared_contact *contact = &sender->end.channel->contacts[sender->at];

	/* Relaxed: the id orders it.  Release pairs with the acquire in is_near. */
	csysi_store_relaxed(&contact->place, sender->place);
	csysi_store_release(&contact->id, id);
}

/* Make the handle ready that has this name. */
static void notify(csys_handle remote, const uint64_t *name)
{
	/* Relaxed: the note that it waits has ordered it. */
	const struct csysi_os_notifier_name copy = { { csysi_load_relaxed(&name[0]),
						       csysi_load_relaxed(&name[1]) } };

	(void)csysi_os_named_notifier_notify(remote, &copy);
}

void csysi_shared_notify_receiver(const csys_shared_channel *channel, csys_handle remote)
{
	csys_handle own = CSYS_NO_HANDLE;

	if (remote == CSYS_NO_HANDLE && csysi_os_named_notifier_open_remote(&own) == 0)
		remote = own;
	if (remote != CSYS_NO_HANDLE)
		notify(remote, channel->ring->notifier);
	csysi_os_close(own);
}

void csysi_shared_notify_senders(const csys_shared_channel *channel)
{
	uint32_t *senders_armed = &channel->ring->senders_armed;
	csys_handle remote;
	/* Seq_cst: see the invariants of shared_channel.h. */
	uint32_t were = csysi_load_seq_cst(senders_armed);

	/* Without a handle for it their alarms have to do. */
	if (!(were & 1) || csysi_os_named_notifier_open_remote(&remote) < 0)
		return;
	for (uint32_t i = 0; i < channel->senders; i++) {
		struct csysi_shared_contact *contact = &channel->contacts[i];
		/* Acquire pairs with the release in csysi_shared_sender_arm. */
		uint32_t armed = csysi_load_acquire(&contact->armed);
		if (armed == 0)
			continue;
		notify(remote, contact->notifier);
		/* Relaxed: only a note that it is told. */
		(void)csysi_cas_relaxed(&contact->armed, &armed, 0);
	}
	/* Unless a sender has come meanwhile.  Relaxed: as above. */
	(void)csysi_cas_relaxed(senders_armed, &were, were + 1);
	csysi_os_close(remote);
}
