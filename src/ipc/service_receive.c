/*
 * ipc/service_receive.c - the threads that receive: service.h.
 *
 * Each wait tells of one event, since the set lets those that are ready take turns: so do clients,
 * however much one sends.
 */
#include "ipc/service.h"

#include "base/memory.h"
#include "os/os.h"

/* Events that are looked at once the deadline has passed: a request may be behind them. */
#define MOST_BEHIND 256

/* ---- clients that come -------------------------------------------------------------------- */

/* Stop listening to what fails for good. */
static int lose_listener(csys_service *service, uint64_t token, int r)
{
	csysi_lock_lock(&service->lock);
	struct csysi_place *place = csysi_slot_find(&service->places, token);
	if (place) {
		(void)!csys_wait_set_remove(service->set, place->entry);
		csysi_ring_take_out(&place->link);
	}
	csysi_lock_unlock(&service->lock);
	return r;
}

/* Let a connection be a client, or close it. */
static void admit(csys_service *service, csys_connection *connection)
{
	const csys_service_options *options = &service->options;
	uint64_t number = csysi_service_number(service);
	int is_admitted =
		!options->admit ||
		options->admit(options->context, number, csys_connection_socket(connection)) == 0;

	if (is_admitted && csysi_client_open(service, number, connection) == 0)
		return;
	csys_connection_close(connection);
	/* One that the callback has let in, and that there is no memory for. */
	if (is_admitted && options->admit && options->gone)
		options->gone(options->context, number);
}

/* Accept one client, if there is one. */
static int accept_one(csys_service *service, csys_listener *listener, uint64_t token)
{
	csys_connection *connection;
	csys_socket *socket;

	int r = csys_listener_accept_until(listener, CSYS_POLL, &socket);
	int is_short = r == CSYS_EMFILE || r == CSYS_ENOMEM;
	if (r == 0 &&
	    csys_connection_from_socket_take(socket, &service->options.of, &connection) == 0)
		admit(service, connection);
	else if (r == 0)
		/* It may be gone again, which is no failure of the listener. */
		csys_socket_close(socket);
	csysi_service_accepted(service, is_short);
	return r == 0 || r == CSYS_ETIMEDOUT || is_short ? 0 : lose_listener(service, token, r);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* A thread uses a client, for one request more if it may have one: 1. */
static int enter(struct csysi_client *client)
{
	int may_read = client->requests < client->service->options.most_requests;

	client->users++;
	client->requests += (size_t)may_read;
	return may_read;
}

/* Receive a request of a client, if it is there: 0 and it; or 0 and nothing.  CSYS_ENOMEM. */
static int receive(struct csysi_client *client, csys_request **out)
{
	csys_parcel *parcel;

	/* Before that: what was received needs it. */
	csys_request *request = csysi_alloc_zero(sizeof *request);
	if (!request)
		return CSYS_ENOMEM;
	int r = csys_connection_try_recv(client->connection, &parcel);
	if (r == 0)
		r = csysi_request_begin(client, parcel, request);
	if (r == 1) {
		*out = request;
		return 0;
	}
	csysi_free(request);
	if (r == 0 || r == CSYS_EAGAIN || r == CSYS_ENOMEM)
		return r == CSYS_EAGAIN ? 0 : r;
	csysi_client_drop(client);
	return 0;
}

static int serve(struct csysi_client *client, int may_read, csys_request **out)
{
	csys_service *service = client->service;
	csys_request *request = NULL;

	(void)csys_connection_advance(client->connection);
	csysi_client_flush(client);
	int r = may_read ? receive(client, &request) : 0;
	csysi_lock_lock(&service->lock);
	if (may_read && !request)
		client->requests--;
	csysi_client_note(client);
	csysi_client_leave(client);
	if (request)
		*out = request;
	return r;
}

static int handle(csys_service *service, uint64_t token, csys_request **out)
{
	int may_read = 0;

	if (token == 0) {
		csysi_service_resume(service);
		return 0;
	}
	csysi_lock_lock(&service->lock);
	struct csysi_place *place = csysi_slot_find(&service->places, token);
	struct csysi_client *client = place ? place->client : NULL;
	csys_listener *listener = place ? place->listener : NULL;
	if (client)
		may_read = enter(client);
	int may_accept = listener && csysi_service_may_accept(service);
	csysi_lock_unlock(&service->lock);
	if (client)
		return serve(client, may_read, out);
	return may_accept ? accept_one(service, listener, token) : 0;
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* Wait for one event, and do what there is to do: with or without a request. */
static int step(csys_service *service, csys_deadline deadline, csys_request **out)
{
	csys_wait_event event;
	size_t count;

	if (csysi_load_seq_cst(&service->is_stopped) != 0) /* see csys_service_stop */
		return CSYS_ECANCELED;
	int r = csys_wait_set_wait_until(service->set, &event, 1, deadline, &count);
	if (csysi_load_seq_cst(&service->is_stopped) != 0) {
		csys_wait_set_wake(service->set); /* for the next thread */
		return CSYS_ECANCELED;
	}
	if (r < 0 || count == 0)
		return r;
	int cancel = csysi_os_hold_cancel();
	r = handle(service, event.token.number, out);
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_service_recv_until(csys_service *service, csys_deadline deadline, csys_request **out)
{
	csys_request *request = NULL;
	int behind = 0;

	if (!service || !out)
		return CSYS_EINVAL;
	if (!csysi_service_is_ours(service))
		return CSYS_EBADF;
	for (;;) {
		int is_over = csys_deadline_left(deadline) <= 0;
		int r = is_over && behind++ == MOST_BEHIND ? CSYS_ETIMEDOUT
							   : step(service, deadline, &request);
		if (request)
			*out = request;
		if (r < 0 || request)
			return request ? 0 : r;
	}
}

int csys_service_recv(csys_service *service, csys_request **out)
{
	return csys_service_recv_until(service, CSYS_FOREVER, out);
}

int csys_service_try_recv(csys_service *service, csys_request **out)
{
	int r = csys_service_recv_until(service, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
