/*
 * ipc/shared_end.c - what senders and receivers through shared memory have in common.
 */
#include "ipc/shared_channel.h"

/* ---- ends --------------------------------------------------------------------------------- */

/* A thread of this process has left the region: its ends are closed from now on. */
static void thread_left(struct csysi_region_follower *follower)
{
	const csys_shared_channel *channel = (const csys_shared_channel *)(const void *)follower;

	(void)csysi_shared_wake_receiver(channel, CSYS_NO_HANDLE);
	(void)csysi_shared_wake_senders(channel);
}

void csysi_shared_end_enter(csys_shared_channel *channel)
{
	csysi_shared_channel_enter(channel);
	channel->follower.thread_left = thread_left;
	csysi_region_follow(channel->region, &channel->follower);
}

int csysi_shared_end_begin(csys_shared_channel *channel, struct csysi_shared_end *out)
{
	uint32_t id;
	int r = csysi_region_id_until(channel->region, CSYS_FOREVER, &id);
	if (r < 0)
		return r;

	csysi_shared_end_enter(channel);
	*out = (struct csysi_shared_end){ .channel = channel, .generation = csysi_os_generation() };
	csysi_shared_end_settle(out, id);
	return 0;
}

void csysi_shared_end_settle(struct csysi_shared_end *end, uint32_t id)
{
	end->id = id;
	end->thread = csysi_channel_me();
	end->epoch = csysi_load_relaxed(&csysi_region_epoch);
}

void csysi_shared_end_finish(const struct csysi_shared_end *end)
{
	csysi_shared_channel_leave(end->channel);
}

int csysi_shared_end_turn(const struct csysi_shared_end *end, csys_deadline deadline,
			  uint32_t *out_id)
{
	if (end->generation != csysi_os_generation())
		return CSYS_EBADF;
	return csysi_region_id_until(end->channel->region, deadline, out_id);
}

/* ---- the other side ----------------------------------------------------------------------- */

int csysi_shared_is_receiver_gone(const csys_shared_channel *channel)
{
	/* Seq_cst pairs with the close of a receiver, which looks for sleeping senders after it. */
	uint32_t word = csysi_load_seq_cst(&channel->ring->receiver);

	if (word == 0 || (channel->flags & CSYSI_SHARED_CHANNEL_LASTING))
		return 0;
	if (word & CSYSI_RECEIVER_GONE)
		return 1;
	/* Another thread may have gone on with it before that one has ended. */
	return !csysi_region_is_alive(channel->region, word) &&
	       csysi_load_seq_cst(&channel->ring->receiver) == word;
}

int csysi_shared_are_senders_gone(const csys_shared_channel *channel, uint32_t *out_id)
{
	const struct csysi_shared_ring *ring = channel->ring;
	/* Acquire, here and below, pairs with the release in count_opened. */
	uint32_t opened = csysi_load_acquire(&ring->opened);

	for (uint32_t i = 0; i < channel->senders; i++) {
		/* Seq_cst pairs with the close of a sender, which looks for a sleeping receiver
		 * after it; and what was sent before that is seen. */
		uint32_t id = csysi_load_seq_cst(&ring->ids[i]);
		if (id == 0)
			continue;
		if (csysi_region_is_alive(channel->region, id)) {
			*out_id = id;
			return 0;
		}
	}
	*out_id = 0;
	/* One that came meanwhile may have an entry that was passed before, and the one that lived
	 * until then be closed by now. */
	return opened != 0 && !(channel->flags & CSYSI_SHARED_CHANNEL_LASTING) &&
	       csysi_load_acquire(&ring->opened) == opened;
}

/* ---- sleepers ----------------------------------------------------------------------------- */

void csysi_shared_sleep(const csys_shared_channel *channel, const uint32_t *word, uint32_t id,
			csys_deadline deadline)
{
	if (id != 0)
		(void)csysi_region_wait(channel->region, id, word, 1, deadline);
	else
		(void)csysi_region_nap(word, 1, deadline);
}

int csysi_shared_wake_receiver_slow(const csys_shared_channel *channel, csys_handle remote)
{
	struct csysi_shared_ring *ring = channel->ring;
	/* It changes nothing, but is in one order with what the receiver writes there (seq_cst):
	 * see the invariants. */
	uint32_t sleeps = csysi_fetch_or_seq_cst(&ring->receiver_sleeps, 0);

	if (sleeps == 0)
		return 0;
	/* Told before that is noted: if this thread is killed or stopped in between, the next
	 * sender tells it once more. */
	if (sleeps & CSYSI_RECEIVER_ARMED)
		csysi_shared_notify_receiver(channel, remote);
	/* If it is another number by now, the receiver has looked since, or will. */
	if (csysi_cas_seq_cst(&ring->receiver_sleeps, &sleeps, 0) &&
	    !(sleeps & CSYSI_RECEIVER_ARMED)) {
		csysi_channel_note_cpu(&ring->receiver_spin);
		csysi_os_wake(&ring->receiver_sleeps, 1, 1);
	}
	return 0;
}

int csysi_shared_wake_senders_slow(const csys_shared_channel *channel)
{
	struct csysi_shared_ring *ring = channel->ring;

	/* Seq_cst, here and in the other: see the invariants. */
	if (csysi_swap_seq_cst(&ring->senders_sleep, 0) != 0) {
		csysi_channel_note_cpu(&ring->senders_spin);
		csysi_os_wake(&ring->senders_sleep, UINT32_MAX, 1);
	}
	csysi_shared_notify_senders(channel);
	return 0;
}
