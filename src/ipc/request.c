/*
 * ipc/request.c - requests, and answers to them: service.h.
 */
#include "ipc/service.h"

#include "base/memory.h"
#include "os/os.h"

/* ---- making ------------------------------------------------------------------------------- */

/* Nobody waits for the request with an id any more. */
static void abandon(struct csysi_client *client, uint64_t id)
{
	csysi_lock_lock(&client->service->lock);
	for (struct csysi_ring *link = client->opened.next; link != &client->opened;
	     link = link->next)
		if (csysi_request_of(link)->id == id)
			csysi_store_relaxed(&csysi_request_of(link)->is_abandoned, 1);
	csysi_lock_unlock(&client->service->lock);
}

int csysi_request_begin(struct csysi_client *client, csys_parcel *parcel, csys_request *request)
{
	struct csysi_call_head head;

	int r = csysi_call_take_head(parcel, &head);
	if (r < 0 || head.kind != CSYSI_CALL_REQUEST) {
		if (r == 0 && head.kind == CSYSI_CALL_CANCEL)
			abandon(client, head.id);
		else
			r = CSYS_EBADMSG;
		csys_parcel_close(parcel);
		return r;
	}
	request->client = client;
	request->parcel = parcel;
	request->id = head.id;
	request->deadline.ns = head.deadline;
	csysi_ring_begin(&request->link);
	csysi_ring_begin(&request->drop.link);
	csysi_lock_lock(&client->service->lock);
	client->users++;
	if (client->is_gone) /* meanwhile, by another thread */
		csysi_store_relaxed(&request->is_abandoned, 1);
	csysi_ring_append(&client->opened, &request->link);
	csysi_lock_unlock(&client->service->lock);
	return 1;
}

/* ---- answers that wait -------------------------------------------------------------------- */

static int send_answer(struct csysi_client *client, const struct csysi_answer *answer)
{
	const struct csysi_connection_content content = {
		.prefix = { &answer->head, sizeof answer->head },
		.data = answer->data,
		.size = answer->size,
		.attachments = answer->attachments,
		.count = answer->count,
	};
	return csysi_connection_send_once(client->connection, &content, CSYS_POLL, NULL);
}

/* One that cannot be sent: there is no reply.  If that cannot be sent either, its caller must not
 * wait for ever: the client is closed. */
static int send_drop(struct csysi_client *client, struct csysi_answer *answer)
{
	csysi_attachments_drop(answer->attachments, answer->count);
	csysi_lock_lock(&client->service->lock);
	client->handles -= answer->count;
	csysi_lock_unlock(&client->service->lock);
	answer->count = 0;
	answer->size = 0;
	answer->head.kind = CSYSI_CALL_DROPPED;
	return send_answer(client, answer);
}

static struct csysi_answer *first_of(struct csysi_client *client)
{
	struct csysi_answer *first = NULL;

	csysi_lock_lock(&client->service->lock);
	if (!csysi_ring_is_empty(&client->queue)) {
		first = csysi_answer_of(client->queue.next);
		csysi_ring_take_out(&first->link);
	}
	csysi_lock_unlock(&client->service->lock);
	return first;
}

/* Put an answer into the queue, at an end of it.  0: the client is gone. */
static int enqueue(struct csysi_client *client, struct csysi_answer *answer, int is_first)
{
	csysi_lock_lock(&client->service->lock);
	int is_gone = client->is_gone;
	if (!is_gone)
		csysi_ring_append(is_first ? client->queue.next : &client->queue, &answer->link);
	csysi_client_note(client);
	csysi_lock_unlock(&client->service->lock);
	return !is_gone;
}

void csysi_client_flush(struct csysi_client *client)
{
	struct csysi_answer *answer;

	while ((answer = first_of(client)) != NULL) {
		int r = send_answer(client, answer);
		if (r != 0 && r != CSYS_EAGAIN && r != CSYS_EDISCONNECTED && r != CSYS_EBADMSG)
			r = send_drop(client, answer);
		if (r == CSYS_EAGAIN && enqueue(client, answer, 1))
			return;
		csysi_lock_lock(&client->service->lock);
		client->requests--;
		client->handles -= answer->count;
		csysi_lock_unlock(&client->service->lock);
		if (r == 0)
			/* What it took is gone. */
			answer->count = 0;
		csysi_answer_release(answer);
		if (r < 0)
			(void)csys_socket_shutdown(csys_connection_socket(client->connection),
						   CSYS_SHUTDOWN_BOTH);
	}
}

/* ---- answering ---------------------------------------------------------------------------- */

/*
 * Have so many handles in answers of a client: CSYS_EBUSY.  With those that it has not received yet
 * they are no more than the connection keeps, so an answer in the queue never waits for that: the
 * client may not be read while it is there.
 */
static int reserve_handles(struct csysi_client *client, size_t count)
{
	csysi_lock_lock(&client->service->lock);
	int is_busy =
		count > 0 && csysi_connection_kept(client->connection) + client->handles + count >
				     CSYSI_CONNECTION_KEPT;
	if (!is_busy)
		client->handles += count;
	csysi_lock_unlock(&client->service->lock);
	return is_busy ? CSYS_EBUSY : 0;
}

/* Let an answer wait for room. */
static int queue_answer(struct csysi_client *client, const struct csysi_call_head *head,
			const struct csysi_connection_content *content)
{
	struct csysi_answer *answer;

	int r = csysi_answer_copy(head, content, &answer);
	if (r < 0)
		return r;
	csysi_lock_lock(&client->service->lock);
	client->requests++;
	client->handles += content->count;
	csysi_lock_unlock(&client->service->lock);
	if (!enqueue(client, answer, 0))
		/* As if it had been sent right before the client was gone. */
		csysi_answer_release(answer);
	return 0;
}

static int answer(csys_request *request, int code, struct csysi_connection_content *content)
{
	struct csysi_client *client = request->client;
	const struct csysi_call_head head = {
		.magic = CSYSI_CALL_MAGIC, .kind = CSYSI_CALL_REPLY, .id = request->id, .code = code
	};

	if (csys_request_is_abandoned(request))
		return CSYS_ECANCELED;
	if (content->count > CSYS_CONNECTION_ATTACHMENTS)
		return CSYS_EINVAL;
	int r = reserve_handles(client, content->count);
	if (r < 0)
		return r;
	content->prefix = (csys_slice){ &head, sizeof head };
	r = csysi_connection_send_once(client->connection, content, CSYS_POLL, NULL);
	if (r == CSYS_EAGAIN)
		r = queue_answer(client, &head, content);
	csysi_lock_lock(&client->service->lock);
	client->handles -= content->count;
	csysi_client_note(client);
	csysi_lock_unlock(&client->service->lock);
	/* What another thread uses cannot be waited for here either. */
	return r == CSYS_ETIMEDOUT ? CSYS_EBUSY : r;
}

static int reply(csys_request *request, int code, struct csysi_connection_content *content)
{
	if (!request || request->is_answered)
		return CSYS_EINVAL;
	if (!csysi_service_is_ours(request->client->service))
		return CSYS_EBADF;
	int cancel = csysi_os_hold_cancel();
	int r = answer(request, code, content);
	csysi_os_release_cancel(cancel);
	if (r == 0)
		request->is_answered = 1;
	return r;
}

int csys_request_reply(csys_request *request, const void *data, size_t size,
		       const csys_attachment *attachments, size_t count)
{
	struct csysi_connection_content content = {
		.data = data, .size = size, .attachments = attachments, .count = count
	};
	return reply(request, 0, &content);
}

int csys_request_fail(csys_request *request, int code, const void *data, size_t size)
{
	struct csysi_connection_content content = { .data = data, .size = size };

	return code == 0 ? CSYS_EINVAL : reply(request, code, &content);
}

/* ---- closing ------------------------------------------------------------------------------ */

/* Tell the caller that there is no answer: 1 if the request waits for that in the queue. */
static int tell_dropped(csys_request *request)
{
	struct csysi_client *client = request->client;
	struct csysi_answer *drop = &request->drop;

	drop->request = request;
	drop->head = (struct csysi_call_head){ .magic = CSYSI_CALL_MAGIC,
					       .kind = CSYSI_CALL_DROPPED,
					       .id = request->id };
	int r = send_answer(client, drop);
	/* Whatever has failed: it is tried again, and if that fails the client is closed. */
	return r < 0 && r != CSYS_EDISCONNECTED && r != CSYS_EBADMSG && enqueue(client, drop, 0);
}

void csys_request_close(csys_request *request)
{
	if (!request)
		return;
	struct csysi_client *client = request->client;
	csys_service *service = client->service;
	int cancel = csysi_os_hold_cancel();
	csys_parcel_close(request->parcel);
	csysi_lock_lock(&service->lock);
	csysi_ring_take_out(&request->link);
	csysi_lock_unlock(&service->lock);
	int is_queued = !request->is_answered && !csys_request_is_abandoned(request) &&
			csysi_service_is_ours(service) && tell_dropped(request);
	if (!is_queued)
		csysi_free(request);
	csysi_lock_lock(&service->lock);
	if (!is_queued)
		client->requests--;
	csysi_client_note(client);
	csysi_client_leave(client);
	csysi_os_release_cancel(cancel);
}

/* ---- what it tells ------------------------------------------------------------------------ */

csys_parcel *csys_request_parcel(const csys_request *request)
{
	return request ? request->parcel : NULL;
}

const void *csys_request_data(const csys_request *request, size_t *out_size)
{
	return csys_parcel_data(csys_request_parcel(request), out_size);
}

uint64_t csys_request_client(const csys_request *request)
{
	return request ? request->client->number : 0;
}

csys_socket *csys_request_socket(const csys_request *request)
{
	return request ? csys_connection_socket(request->client->connection) : NULL;
}

csys_deadline csys_request_deadline(const csys_request *request)
{
	return request ? request->deadline : CSYS_FOREVER;
}

int csys_request_is_abandoned(const csys_request *request)
{
	return request && csysi_load_relaxed(&request->is_abandoned) != 0;
}
