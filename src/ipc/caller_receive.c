/*
 * ipc/caller_receive.c - replies, and the threads that wait for them: caller.h.
 *
 * What comes was written by the service, which may be hostile.
 */
#include "ipc/caller.h"

#include "ipc/call.h"
#include "os/os.h"

/* How many messages for other calls are received once the deadline has passed: one for this call
 * may be behind them. */
#define MOST_BEHIND 64

/* ---- leading ------------------------------------------------------------------------------ */

int csysi_caller_try_lead(csys_caller *caller)
{
	csysi_lock_lock(&caller->lock);
	int is_mine = !caller->is_led;
	caller->is_led = 1;
	csysi_lock_unlock(&caller->lock);
	return is_mine;
}

/* Wake the thread that waits for a call. */
static void wake(csys_call *call)
{
	csysi_ring_take_out(&call->link);
	csys_event_set(&call->event);
}

static void wake_one(csys_caller *caller)
{
	struct csysi_ring *link = caller->waiting.next;

	if (link != &caller->waiting)
		wake((void *)((char *)link - offsetof(csys_call, link)));
}

void csysi_caller_hand_over(csys_caller *caller)
{
	caller->is_led = 0;
	wake_one(caller);
}

/* ---- what a step brings about ---------------------------------------------------------------- */

void csysi_caller_end(csys_caller *caller, int code)
{
	csysi_lock_lock(&caller->lock);
	if (caller->end_code == 0)
		caller->end_code = code;
	while (!csysi_ring_is_empty(&caller->waiting))
		wake_one(caller);
	csysi_lock_unlock(&caller->lock);
}

void csysi_caller_note_pending(csys_caller *caller)
{
	csysi_lock_lock(&caller->lock);
	/* Each thread that changes it looks after that, so the last one to look is right. */
	int is_writing = csys_connection_is_pending(caller->connection);
	if (is_writing != caller->is_writing) {
		int r = is_writing ? csys_wait_set_resume(caller->set, caller->writing)
				   : csys_wait_set_pause(caller->set, caller->writing);
		if (r == 0)
			caller->is_writing = is_writing;
	}
	csysi_lock_unlock(&caller->lock);
}

/* ---- replies ------------------------------------------------------------------------------ */

/* Give a message to its call.  CSYS_EBADMSG: it breaks a rule. */
static int deliver(csys_caller *caller, csys_parcel *parcel)
{
	struct csysi_call_head head;

	int r = csysi_call_take_head(parcel, &head);
	if (r == 0 && head.kind != CSYSI_CALL_REPLY && head.kind != CSYSI_CALL_DROPPED)
		r = CSYS_EBADMSG;
	if (r == 0) {
		csysi_lock_lock(&caller->lock);
		csys_call *call = csysi_slot_find(&caller->calls, head.id);
		if (call && call->state == CSYSI_CALL_IS_OPEN) {
			call->state = CSYSI_CALL_IS_DROPPED;
			if (head.kind == CSYSI_CALL_REPLY) {
				parcel->code = head.code;
				call->state = CSYSI_CALL_IS_ANSWERED;
				call->reply = parcel;
				parcel = NULL;
			}
			if (!csysi_ring_is_empty(&call->link))
				wake(call);
		}
		csysi_lock_unlock(&caller->lock);
	}
	/* Of a call that was given up, or of none. */
	csys_parcel_close(parcel);
	return r;
}

int csysi_caller_receive(csys_caller *caller)
{
	csys_parcel *parcel;

	int r = csys_connection_try_recv(caller->connection, &parcel);
	if (r == 0)
		r = deliver(caller, parcel);
	csysi_caller_note_pending(caller);
	if (r < 0 && r != CSYS_EAGAIN && r != CSYS_ENOMEM)
		csysi_caller_end(caller, r);
	return r;
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* What a wait returns, if it ends now: 1.  With the lock. */
static int is_finished(csys_call *call, csys_parcel **out_reply, int *out_result)
{
	switch (call->state) {
	case CSYSI_CALL_IS_ANSWERED:
		*out_reply = call->reply;
		call->reply = NULL;
		call->state = CSYSI_CALL_IS_TAKEN;
		*out_result = 0;
		return 1;
	case CSYSI_CALL_IS_DROPPED:
		*out_result = CSYS_ECANCELED;
		return 1;
	case CSYSI_CALL_IS_TAKEN:
		*out_result = CSYS_EINVAL;
		return 1;
	default:
		*out_result = call->caller->end_code;
		return *out_result != 0;
	}
}

/* Receive once, or wait until there is something.  CSYS_ETIMEDOUT, or another failure of this call
 * alone.  Without the lock, for the thread that leads. */
static int lead(csys_caller *caller, csys_deadline deadline)
{
	csys_wait_event event;
	size_t count;

	int r = csysi_caller_receive(caller);
	if (r == CSYS_EAGAIN)
		return csys_wait_set_wait_until(caller->set, &event, 1, deadline, &count);
	return r == CSYS_ENOMEM ? r : 0; /* all others are the end of all calls */
}

/* Sleep until this thread is woken, as one that does not lead.  With the lock. */
static void follow(csys_call *call, csys_deadline deadline)
{
	csys_caller *caller = call->caller;

	csysi_ring_append(&caller->waiting, &call->link);
	csysi_lock_unlock(&caller->lock);
	(void)!csys_event_wait_until(&call->event, deadline);
	csysi_lock_lock(&caller->lock);
	csysi_ring_take_out(&call->link);
	/* If it was woken at the deadline: the next wait is another one. */
	csys_event_reset(&call->event);
}

static int wait_for_reply(csys_call *call, csys_deadline deadline, csys_parcel **out_reply)
{
	csys_caller *caller = call->caller;
	int r = 0, is_leading = 0, behind = 0, result;

	csysi_lock_lock(&caller->lock);
	while (!is_finished(call, out_reply, &result)) {
		int is_over = csys_deadline_left(deadline) <= 0;
		if (r < 0 || (is_over && behind++ == MOST_BEHIND) ||
		    (is_over && caller->is_led && !is_leading)) {
			result = r < 0 ? r : CSYS_ETIMEDOUT;
			break;
		}
		if (caller->is_led && !is_leading) {
			follow(call, deadline);
			continue;
		}
		caller->is_led = is_leading = 1;
		csysi_lock_unlock(&caller->lock);
		r = lead(caller, deadline);
		csysi_lock_lock(&caller->lock);
	}
	/* Also if this thread was woken to lead, and has found its reply. */
	if (is_leading)
		csysi_caller_hand_over(caller);
	else if (!caller->is_led)
		wake_one(caller);
	csysi_lock_unlock(&caller->lock);
	return result;
}

int csys_call_wait_until(csys_call *call, csys_deadline deadline, csys_parcel **out_reply)
{
	if (!call || !out_reply)
		return CSYS_EINVAL;
	if (!csysi_caller_is_ours(call->caller))
		return CSYS_EBADF;
	int cancel = csysi_os_hold_cancel();
	int r = wait_for_reply(call, deadline, out_reply);
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_call_wait(csys_call *call, csys_parcel **out_reply)
{
	return csys_call_wait_until(call, CSYS_FOREVER, out_reply);
}

int csys_call_try_wait(csys_call *call, csys_parcel **out_reply)
{
	int r = csys_call_wait_until(call, CSYS_POLL, out_reply);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csys_caller_advance(csys_caller *caller)
{
	if (!caller)
		return CSYS_EINVAL;
	if (!csysi_caller_is_ours(caller))
		return CSYS_EBADF;
	int cancel = csysi_os_hold_cancel();
	csysi_lock_lock(&caller->lock);
	int r = caller->end_code;
	int is_mine = r == 0 && !caller->is_led;
	caller->is_led |= is_mine;
	csysi_lock_unlock(&caller->lock);
	for (int i = 0; is_mine && r == 0 && i < MOST_BEHIND; i++)
		r = csysi_caller_receive(caller);
	if (is_mine) {
		csysi_lock_lock(&caller->lock);
		csysi_caller_hand_over(caller);
		csysi_lock_unlock(&caller->lock);
	}
	csysi_os_release_cancel(cancel);
	return r == CSYS_EAGAIN ? 0 : r;
}

int csys_reply_code(const csys_parcel *reply)
{
	return reply ? reply->code : 0;
}
