/*
 * ipc/caller.c - making callers, and sending requests: caller.h.
 */
#include "ipc/caller.h"

#include <csys/io/poll.h>

#include "base/memory.h"
#include "ipc/call.h"
#include "os/os.h"

/* How long a thread waits for what another one receives, before it looks again. */
#define LOOK_MS 5

/* ---- making ------------------------------------------------------------------------------- */

/* Have the set wait for what comes, and know how to wait for room. */
static int open_set(csys_caller *caller)
{
	int r = csys_wait_set_open(&caller->set);

	if (r == 0)
		r = csys_wait_set_add(
			caller->set,
			csys_waitable_reading(csys_connection_handle(caller->connection)),
			csys_token_number(0), NULL);
	if (r == 0)
		r = csys_wait_set_add(caller->set,
				      csys_connection_waitable_writing(caller->connection),
				      csys_token_number(0), &caller->writing);
	return r == 0 ? csys_wait_set_pause(caller->set, caller->writing) : r;
}

int csys_caller_from_connection_take(csys_connection *connection, csys_caller **out)
{
	if (!connection || !out)
		return CSYS_EINVAL;
	csys_caller *caller = csysi_alloc_zero(sizeof *caller);
	if (!caller)
		return CSYS_ENOMEM;
	caller->connection = connection;
	caller->generation = csysi_os_generation();
	caller->users = 1;
	caller->calls.size = sizeof(csys_call);
	csysi_ring_begin(&caller->waiting);
	int r = open_set(caller);
	if (r < 0) {
		csys_wait_set_close(caller->set);
		csysi_free(caller);
		return r;
	}
	*out = caller;
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------ */

/* One use less; the last one releases it.  With the lock, which is unlocked. */
static void leave(csys_caller *caller)
{
	int is_last = --caller->users == 0;

	csysi_lock_unlock(&caller->lock);
	if (!is_last)
		return;
	csys_wait_set_close(caller->set);
	csys_connection_close(caller->connection);
	csysi_slots_free(&caller->calls);
	csysi_free(caller);
}

void csys_caller_close(csys_caller *caller)
{
	if (!caller)
		return;
	if (csysi_caller_is_ours(caller)) {
		csysi_caller_end(caller, CSYS_EDISCONNECTED);
		csysi_lock_lock(&caller->lock);
		int has_calls = caller->users > 1;
		csysi_lock_unlock(&caller->lock);
		/* The service finds the end; the thread that leads is woken. */
		if (has_calls) {
			(void)csys_connection_advance(caller->connection);
			(void)csys_socket_shutdown(csys_connection_socket(caller->connection),
						   CSYS_SHUTDOWN_SEND);
			csys_wait_set_wake(caller->set);
		}
	} else {
		/* The parent goes on with the socket. */
		csysi_connection_end_sending(caller->connection, CSYS_EDISCONNECTED);
	}
	csysi_lock_lock(&caller->lock);
	leave(caller);
}

/* ---- sending ------------------------------------------------------------------------------ */

/*
 * Wait for room, or for what the other side has to receive; what comes meanwhile is received, or
 * both sides might wait for each other.
 */
static int wait_for_room(csys_caller *caller, int is_full, csys_deadline deadline)
{
	csys_poll_item items[2] = {
		{ .waitable = csys_connection_waitable_writing(caller->connection) },
		{ .waitable = csys_wait_set_waitable(caller->set) },
	};
	csys_event never = CSYS_EVENT_INIT_MANUAL;
	csys_wait_event event;
	size_t count;
	int r;

	if (csysi_caller_try_lead(caller)) {
		r = csysi_caller_receive(caller);
		if (r == CSYS_EAGAIN)
			r = is_full ? csys_wait_set_wait_until(caller->set, &event, 1, deadline,
							       &count)
				    : csys_poll(items, 2, deadline);
		csysi_lock_lock(&caller->lock);
		csysi_caller_hand_over(caller);
		csysi_lock_unlock(&caller->lock);
		return r;
	}
	/* Another thread receives.  It may leave, so look again whether to do it here. */
	deadline = csys_deadline_earlier(deadline, csys_after_ms(LOOK_MS));
	return is_full ? csys_event_wait_until(&never, deadline) : csys_poll(items, 1, deadline);
}

static int is_over_code(int r)
{
	return r < 0 && r != CSYS_ETIMEDOUT && r != CSYS_EAGAIN;
}

/* Send a message that was begun, as far as that goes until `deadline`, and not what other threads
 * have begun after it.  Nothing can fail any more. */
static void finish(csys_caller *caller, uint64_t number, csys_deadline deadline)
{
	while (csysi_connection_has_rest(caller->connection, number) &&
	       csys_deadline_left(deadline) > 0) {
		int r = wait_for_room(caller, 0, deadline);
		if (!is_over_code(r))
			r = csys_connection_advance(caller->connection);
		if (is_over_code(r))
			break;
	}
	csysi_caller_note_pending(caller);
}

static int send_request(csys_caller *caller, const struct csysi_connection_content *content,
			csys_deadline deadline, uint64_t *out_number)
{
	for (;;) {
		int is_over = csys_deadline_left(deadline) <= 0;
		int r = csysi_connection_send_once(caller->connection, content, deadline,
						   out_number);
		if (r == CSYS_EAGAIN || r == CSYSI_CONNECTION_IS_FULL) {
			if (is_over)
				return CSYS_ETIMEDOUT;
			r = wait_for_room(caller, r == CSYSI_CONNECTION_IS_FULL, deadline);
			if (!is_over_code(r))
				continue;
		}
		return r;
	}
}

/* Make a call.  CSYS_ENOMEM; what all calls end with. */
static int open_call(csys_caller *caller, csys_call **out)
{
	csysi_lock_lock(&caller->lock);
	int r = caller->end_code;
	csys_call *call = r == 0 ? csysi_slot_take(&caller->calls) : NULL;
	if (call) {
		call->caller = caller;
		call->id = csysi_slot_id(call);
		csys_event_init_automatic(&call->event);
		csysi_ring_begin(&call->link);
		caller->users++;
		*out = call;
	}
	csysi_lock_unlock(&caller->lock);
	return r < 0 || call ? r : CSYS_ENOMEM;
}

static void release_call(csys_call *call)
{
	csys_caller *caller = call->caller;

	csysi_lock_lock(&caller->lock);
	csys_parcel *reply = call->reply;
	csysi_slot_give_back(&caller->calls, call);
	leave(caller);
	csys_parcel_close(reply);
}

/* Begin a call, or say what kept it from that. */
static int begin(csys_caller *caller, const struct csysi_connection_content *content,
		 csys_deadline deadline, csys_call **out)
{
	struct csysi_call_head head = {
		.magic = CSYSI_CALL_MAGIC,
		.kind = CSYSI_CALL_REQUEST,
		/* CSYS_POLL says how long to wait for room, and nothing about the reply. */
		.deadline = csys_deadline_is_poll(deadline) ? 0 : deadline.ns,
	};
	struct csysi_connection_content request = *content;
	csys_call *call = NULL;
	uint64_t number;

	int r = open_call(caller, &call);
	if (r < 0)
		return r;
	head.id = call->id;
	request.prefix = (csys_slice){ &head, sizeof head };
	r = send_request(caller, &request, deadline, &number);
	if (r < 0) {
		release_call(call);
		return r;
	}
	finish(caller, number, deadline);
	*out = call;
	return 0;
}

/* An argument that breaks a rule of all calls: CSYS_EINVAL. */
static int check(const csys_caller *caller, const struct csysi_connection_content *content,
		 const void *out)
{
	if (!caller || !out || (!content->data && content->size > 0) ||
	    (!content->attachments && content->count > 0))
		return CSYS_EINVAL;
	return csysi_caller_is_ours(caller) ? 0 : CSYS_EBADF;
}

int csys_caller_begin_until(csys_caller *caller, const void *data, size_t size,
			    const csys_attachment *attachments, size_t count,
			    csys_deadline deadline, csys_call **out)
{
	const struct csysi_connection_content content = {
		.data = data, .size = size, .attachments = attachments, .count = count
	};
	int r = check(caller, &content, out);

	if (r < 0)
		return r;
	int cancel = csysi_os_hold_cancel();
	r = begin(caller, &content, deadline, out);
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_caller_begin(csys_caller *caller, const void *data, size_t size,
		      const csys_attachment *attachments, size_t count, csys_call **out)
{
	return csys_caller_begin_until(caller, data, size, attachments, count, CSYS_FOREVER, out);
}

int csys_caller_try_begin(csys_caller *caller, const void *data, size_t size,
			  const csys_attachment *attachments, size_t count, csys_call **out)
{
	int r = csys_caller_begin_until(caller, data, size, attachments, count, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- closing a call ------------------------------------------------------------------------- */

/* Tell the service that nobody waits any more, if that does not wait. */
static void cancel_call(csys_call *call)
{
	csys_caller *caller = call->caller;
	const struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC,
					      .kind = CSYSI_CALL_CANCEL,
					      .id = call->id };
	const struct csysi_connection_content content = { .prefix = { &head, sizeof head } };

	(void)csysi_connection_send_once(caller->connection, &content, CSYS_POLL, NULL);
	csysi_caller_note_pending(caller);
}

void csys_call_close(csys_call *call)
{
	if (!call)
		return;
	csys_caller *caller = call->caller;
	int cancel = csysi_os_hold_cancel();
	csysi_lock_lock(&caller->lock);
	int is_open = call->state == CSYSI_CALL_IS_OPEN && caller->end_code == 0;
	csysi_lock_unlock(&caller->lock);
	if (is_open && csysi_caller_is_ours(caller))
		cancel_call(call);
	release_call(call);
	csysi_os_release_cancel(cancel);
}

/* ---- one call ----------------------------------------------------------------------------- */

int csys_caller_call_until(csys_caller *caller, const void *data, size_t size,
			   const csys_attachment *attachments, size_t count, csys_deadline deadline,
			   csys_parcel **out_reply)
{
	csys_call *call;

	int r = out_reply ? csys_caller_begin_until(caller, data, size, attachments, count,
						    deadline, &call)
			  : CSYS_EINVAL;
	if (r < 0) {
		if (r != CSYS_EINVAL)
			csysi_attachments_drop(attachments, count);
		return r;
	}
	r = csys_call_wait_until(call, deadline, out_reply);
	csys_call_close(call);
	return r;
}

int csys_caller_call(csys_caller *caller, const void *data, size_t size,
		     const csys_attachment *attachments, size_t count, csys_parcel **out_reply)
{
	return csys_caller_call_until(caller, data, size, attachments, count, CSYS_FOREVER,
				      out_reply);
}

/* ---- what it tells ------------------------------------------------------------------------ */

csys_waitable csys_caller_waitable(csys_caller *caller)
{
	return csys_wait_set_waitable(caller ? caller->set : NULL);
}

csys_socket *csys_caller_socket(const csys_caller *caller)
{
	return caller ? csys_connection_socket(caller->connection) : NULL;
}
