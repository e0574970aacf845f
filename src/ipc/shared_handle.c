/*
 * ipc/shared_handle.c - handles of the ends of channels in shared memory, for event loops.
 *
 * A handle is that of a set (os/pollset.h) with all that can end a wait: a notifier that the other
 * side tells by its name in the ring, the processes of the senders, an alarm, and the wake of the
 * set.  It is ready from the moment when there may be something to do until a call of the end has
 * found nothing: a level, which is a hint.
 *
 * Invariant: unless a call of the end is under way, the handle is ready, or it is armed, which is
 * noted in the ring for the other side, and there is nothing to do.
 *   - It begins ready.
 *   - A call that found nothing clears the set, arms the handle, and looks once more; what the
 *     other side did before it saw the note is seen by that look (shared_channel.h, invariants).
 *     If the look finds something, the call makes the handle ready before it returns.
 *   - The other side tells the notifier first and takes the note back then, so one that is killed
 *     in between has told it, and one that is stopped keeps nobody else from telling it.  Each note
 *     has a number of its own: one that comes late takes no later note back.
 *   - A process that is killed before it told the notifier makes the set ready by its end, if the
 *     receiver could open it by its pid.  Else an alarm makes the receiver look ten times a second.
 *     A sender that waits for room has an alarm always; it waits only while the channel is full.
 *   - A process that becomes another program tells nothing at all.  So while a sender of another
 *     process lives the receiver looks once a second.
 *   - A sender that comes tells the notifier, and is counted only then.  If the receiver finds one
 *     that it does not watch yet, without an alarm, it makes the handle ready itself: that one may
 *     be killed before it tells.
 *   - A thread that ends in a process that goes on tells the notifier when it leaves the region.
 *
 * What is read of the ring may be any bytes: then the handle is ready too often, or never.
 */
#include "ipc/shared_channel.h"

#include "base/memory.h"

#define KEY_NOTIFIER UINT32_MAX /* above those of the senders */

/* How many naps the receiver waits at most while it watches another process. */
#define NAPS_BESIDE_OTHERS 10

/* A sender, as the receiver's handle has it. */
struct watch {
	uint32_t id; /* of its member; 0: it is not seen to end */
	int64_t pid;
	int64_t start;
	csys_handle process; /* CSYS_NO_HANDLE: this one, or none */
};

struct csysi_shared_handle {
	struct csysi_os_pollset set;
	csys_handle handle;
	csys_handle notifier;
	struct csysi_os_notifier_name name;
	uint64_t place; /* csysi_os_named_notifier_place */
	int has_alarm;
	uint32_t watched; /* how many watches */
	struct watch watches[];
};

/* ---- making one --------------------------------------------------------------------------- */

void csysi_shared_handle_close(struct csysi_shared_handle *handle)
{
	if (!handle)
		return;
	for (uint32_t i = 0; i < handle->watched; i++)
		csysi_os_close(handle->watches[i].process);
	csysi_os_pollset_close(&handle->set);
	csysi_os_close(handle->notifier);
	csysi_free(handle);
}

/* All that can fail, so that nothing does later: 0, and the handle is not ready. */
static int fill(struct csysi_shared_handle *handle)
{
	int r = csysi_os_named_notifier_open(&handle->notifier, &handle->name);

	if (r == 0)
		r = csysi_os_pollset_add(&handle->set, handle->notifier, CSYSI_OS_POLLSET_READ,
					 KEY_NOTIFIER);
	if (r == 0)
		r = csysi_os_pollset_alarm(&handle->set, INT64_MAX);
	if (r == 0)
		r = csysi_os_pollset_handle(&handle->set, &handle->handle);
	return r;
}

int csysi_shared_handle_open(uint32_t watched, struct csysi_shared_handle **out)
{
	struct csysi_shared_handle *handle =
		csysi_alloc_zero(sizeof *handle + watched * sizeof *handle->watches);
	if (!handle)
		return CSYS_ENOMEM;
	int r = csysi_os_pollset_open(&handle->set);
	if (r < 0) {
		csysi_free(handle);
		return r;
	}
	handle->notifier = CSYS_NO_HANDLE;
	handle->watched = watched;
	for (uint32_t i = 0; i < watched; i++)
		handle->watches[i].process = CSYS_NO_HANDLE;
	r = fill(handle);
	if (r < 0) {
		csysi_shared_handle_close(handle);
		return r;
	}
	handle->place = csysi_os_named_notifier_place();
	csysi_shared_handle_wake(handle);
	*out = handle;
	return 0;
}

/* ---- arming ------------------------------------------------------------------------------- */

void csysi_shared_handle_wake(const struct csysi_shared_handle *handle)
{
	csysi_os_pollset_wake(&handle->set);
}

/* Forget why a handle is ready, but for processes that have ended. */
static void clear(struct csysi_shared_handle *handle)
{
	struct csysi_os_pollset_event events[32];
	size_t count = 0;
	int cancel = csysi_os_hold_cancel();

	/* Takes the wake.  If one wait does not tell all, the handle is ready too often. */
	if (csysi_os_pollset_wait(&handle->set, events, 32, CSYS_POLL, &count) == 0)
		for (size_t i = 0; i < count; i++)
			if (events[i].key == KEY_NOTIFIER)
				csysi_os_named_notifier_clear(handle->notifier);
	csysi_os_release_cancel(cancel);
}

/* Let an alarm make a handle ready after so many naps; 0: none does. */
static void set_alarm(struct csysi_shared_handle *handle, int naps)
{
	if (naps == 0 && !handle->has_alarm)
		return;
	(void)csysi_os_pollset_alarm(&handle->set,
				     naps ? csys_now() + naps * csysi_os_token_nap_ns : INT64_MAX);
	handle->has_alarm = naps != 0;
}

/* Where others find a handle.  Relaxed: the note that it waits orders it. */
static void tell_name(const struct csysi_shared_handle *handle, uint64_t *out)
{
	for (int i = 0; i < 2; i++)
		csysi_store_relaxed(&out[i], handle->name.words[i]);
}

/* ---- processes of senders ------------------------------------------------------------------- */

static void end_watch(struct csysi_shared_handle *handle, struct watch *watch)
{
	if (watch->process != CSYS_NO_HANDLE) {
		uint64_t key = (uint64_t)(watch - handle->watches);
		(void)csysi_os_pollset_remove(&handle->set, watch->process, key);
		csysi_os_close(watch->process);
	}
	*watch = (struct watch){ .process = CSYS_NO_HANDLE };
}

/* Watch the process of a member, unless it is this one, in which threads tell when they leave.
 * Returns 0 if that cannot be done. */
static int begin_watch(struct csysi_shared_handle *handle, struct watch *watch,
		       const csys_region_member *member)
{
	watch->pid = member->pid;
	watch->start = member->start;
	if (member->pid == csysi_os_pid())
		return 1;
	if (csysi_os_process_open(member->pid, &watch->process) < 0)
		return 0;
	uint64_t key = (uint64_t)(watch - handle->watches);
	return csysi_os_pollset_add(&handle->set, watch->process, CSYSI_OS_POLLSET_READ, key) == 0;
}

/* Whether the process of a sender has a pid here, and can tell the notifier. */
static int is_near(const csys_shared_receiver *receiver, uint32_t at, uint32_t id)
{
	const struct csysi_shared_contact *contact = &receiver->end.channel->contacts[at];
	uint64_t place = receiver->handle->place;

	/* Acquire pairs with the release in csysi_shared_sender_tell_place. */
	return place != 0 && csysi_load_acquire(&contact->id) == id &&
	       csysi_load_relaxed(&contact->place) == place;
}

/* See to it that the death of the sender with this number makes the handle ready, if there is one.
 * Returns 0 if it does not. */
static int watch_sender(csys_shared_receiver *receiver, uint32_t at)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_handle *handle = receiver->handle;
	struct watch *watch = &handle->watches[at];
	csys_region_member member;
	/* Seq_cst: a sender that comes after this look sees that the handle is armed. */
	uint32_t id = csysi_load_seq_cst(&channel->ring->ids[at]);

	if (id == 0 || !csysi_region_is_alive(channel->region, id)) {
		end_watch(handle, watch);
		return 1;
	}
	if (watch->id == id)
		return 1;
	if (!is_near(receiver, at, id) || !csysi_region_look(channel->region, id, &member)) {
		end_watch(handle, watch);
		return 0;
	}
	/* Another thread of the same process often goes on with a sender. */
	if (watch->id == 0 || member.pid != watch->pid || member.start != watch->start ||
	    member.start == 0) {
		end_watch(handle, watch);
		if (!begin_watch(handle, watch, &member)) {
			end_watch(handle, watch);
			return 0;
		}
	}
	/* Alive after its pid was used: the pid was its own. */
	watch->id = csysi_region_is_alive(channel->region, id) ? id : 0;
	return watch->id != 0;
}

void csysi_shared_receiver_arm(csys_shared_receiver *receiver)
{
	const csys_shared_channel *channel = receiver->end.channel;
	struct csysi_shared_ring *ring = channel->ring;
	int is_blind = 0, has_others = 0;

	clear(receiver->handle);
	tell_name(receiver->handle, ring->notifier);
	/* Relaxed, both: only the receiver counts. */
	uint32_t arms = csysi_load_relaxed(&ring->arms) + 1;
	csysi_store_relaxed(&ring->arms, arms);
	/* Seq_cst: see the invariants of shared_channel.h. */
	csysi_swap_seq_cst(&ring->receiver_sleeps,
			   arms << CSYSI_RECEIVER_ARMS_SHIFT | CSYSI_RECEIVER_ARMED);
	for (uint32_t i = 0; i < channel->senders; i++) {
		is_blind |= !watch_sender(receiver, i);
		has_others |= receiver->handle->watches[i].process != CSYS_NO_HANDLE;
	}
	set_alarm(receiver->handle, is_blind ? 1 : has_others ? NAPS_BESIDE_OTHERS : 0);
}

void csysi_shared_receiver_expect(const csys_shared_receiver *receiver, uint32_t id)
{
	const struct csysi_shared_handle *handle = receiver->handle;
	int is_watched = id == 0 || handle->has_alarm;

	for (uint32_t i = 0; i < handle->watched && !is_watched; i++)
		is_watched = handle->watches[i].id == id;
	if (!is_watched)
		csysi_shared_handle_wake(handle);
}

void csysi_shared_sender_arm(csys_shared_sender *sender)
{
	const csys_shared_channel *channel = sender->end.channel;
	struct csysi_shared_contact *contact = &channel->contacts[sender->at];

	clear(sender->handle);
	tell_name(sender->handle, contact->notifier);
	/* Relaxed, both: only the sender counts. */
	uint32_t arms = csysi_load_relaxed(&contact->arms) + 1;
	csysi_store_relaxed(&contact->arms, arms);
	/* Release pairs with the acquire in csysi_shared_notify_senders. */
	csysi_store_release(&contact->armed, arms << 1 | 1);
	/* Another number, so that a receiver that has passed this sender by does not take it back;
	 * and odd.  Seq_cst: see the invariants of shared_channel.h. */
	(void)csysi_add_seq_cst(&channel->ring->senders_armed, 2);
	(void)csysi_fetch_or_seq_cst(&channel->ring->senders_armed, 1);
	set_alarm(sender->handle, 1);
}

csys_handle csysi_shared_handle_of(const struct csysi_shared_handle *handle)
{
	return handle->handle;
}
