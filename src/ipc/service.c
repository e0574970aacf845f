/*
 * ipc/service.c - services, and their clients: service.h.
 */
#include "ipc/service.h"

#include "base/memory.h"
#include "base/reserved.h"
#include "ipc/socket.h"
#include "os/os.h"

#define USUAL_MOST_REQUESTS 64

/* After how long what has failed is tried again, such as to accept. */
#define AGAIN_MS 50

/* ---- making ------------------------------------------------------------------------------- */

static int check(const csys_service_options *options)
{
	size_t most;

	return options && csysi_uses_reserved(options)
		       ? CSYS_EINVAL
		       : csysi_connection_check(options ? &options->of : NULL, &most);
}

int csys_service_open(const csys_service_options *options, csys_service **out)
{
	int r = out ? check(options) : CSYS_EINVAL;

	if (r < 0)
		return r;
	csys_service *service = csysi_alloc_zero(sizeof *service);
	if (!service)
		return CSYS_ENOMEM;
	if (options)
		service->options = *options;
	if (service->options.most_requests == 0)
		service->options.most_requests = USUAL_MOST_REQUESTS;
	service->generation = csysi_os_generation();
	service->users = 1;
	service->is_accepting = 1;
	csysi_ring_begin(&service->listeners);
	service->places.size = sizeof(struct csysi_place);
	r = csys_wait_set_open(&service->set);
	if (r == 0)
		r = csys_wait_set_add_timer(service->set, CSYS_FOREVER, 0, csys_token_number(0),
					    &service->timer);
	if (r < 0) {
		csys_wait_set_close(service->set);
		csysi_free(service);
		return r;
	}
	*out = service;
	return 0;
}

/* ---- listeners ---------------------------------------------------------------------------- */

static struct csysi_place *place_of(struct csysi_ring *link)
{
	return (struct csysi_place *)(void *)((char *)link - offsetof(struct csysi_place, link));
}

/* Whether there are as many clients as there may be. */
static int is_full(const csys_service *service)
{
	size_t most = service->options.most_clients;

	return most > 0 && service->client_count + service->coming >= most;
}

static void try_again_later(csys_service *service)
{
	(void)!csys_wait_set_set_timer(service->set, service->timer, csys_after_ms(AGAIN_MS), 0);
}

/* With the lock, as the next one. */
static void accept_none(csys_service *service, int has_failed)
{
	if (has_failed)
		try_again_later(service);
	if (!service->is_accepting)
		return;
	service->is_accepting = 0;
	for (struct csysi_ring *link = service->listeners.next; link != &service->listeners;
	     link = link->next)
		(void)!csys_wait_set_pause(service->set, place_of(link)->entry);
}

static void accept_again(csys_service *service)
{
	if (service->is_accepting || is_full(service))
		return;
	service->is_accepting = 1;
	for (struct csysi_ring *link = service->listeners.next; link != &service->listeners;
	     link = link->next) {
		int r = csys_wait_set_resume(service->set, place_of(link)->entry);
		/* One that was closed is told to be so; without memory it is tried later. */
		if (r < 0 && r != CSYS_EBADF) {
			accept_none(service, 1);
			return;
		}
	}
}

int csysi_service_may_accept(csys_service *service)
{
	if (is_full(service)) {
		accept_none(service, 0);
		return 0;
	}
	service->coming++;
	return 1;
}

void csysi_service_accepted(csys_service *service, int has_failed)
{
	csysi_lock_lock(&service->lock);
	service->coming--;
	if (has_failed || is_full(service))
		accept_none(service, has_failed);
	else
		/* Another thread may have found that there was no room beside this one. */
		accept_again(service);
	csysi_lock_unlock(&service->lock);
}

int csys_service_listen_take(csys_service *service, csys_listener *listener)
{
	if (!service || !listener)
		return CSYS_EINVAL;
	if (!csysi_service_is_ours(service))
		return CSYS_EBADF;
	if (listener->kind != CSYS_SOCKET_STREAM || !listener->is_local)
		return CSYS_EBADMSG;
	csysi_lock_lock(&service->lock);
	/* Such as by a callback of csys_service_close, which would not see it. */
	if (service->is_closed) {
		csysi_lock_unlock(&service->lock);
		return CSYS_ECANCELED;
	}
	struct csysi_place *place = csysi_slot_take(&service->places);
	int r = place ? csys_wait_set_add(service->set, csys_listener_waitable(listener),
					  csys_token_number(csysi_slot_id(place)), &place->entry)
		      : CSYS_ENOMEM;
	if (r == 0) {
		place->listener = listener;
		csysi_ring_begin(&place->link);
		csysi_ring_append(&service->listeners, &place->link);
		if (!service->is_accepting)
			(void)!csys_wait_set_pause(service->set, place->entry);
	} else if (place) {
		csysi_slot_give_back(&service->places, place);
	}
	csysi_lock_unlock(&service->lock);
	return r;
}

/* ---- clients ------------------------------------------------------------------------------ */

static int add_entries(struct csysi_client *client, struct csysi_place *place)
{
	csys_wait_set *set = client->service->set;
	csys_token token = csys_token_number(csysi_slot_id(place));

	int r = csys_wait_set_add(set,
				  csys_waitable_reading(csys_connection_handle(client->connection)),
				  token, &client->reading);
	if (r == 0)
		r = csys_wait_set_add(set, csys_connection_waitable_writing(client->connection),
				      token, &client->writing);
	if (r == 0)
		r = csys_wait_set_pause(set, client->writing);
	if (r == 0)
		return 0;
	(void)!csys_wait_set_remove(set, client->reading);
	(void)!csys_wait_set_remove(set, client->writing);
	return r;
}

/* With the lock. */
static int add_client(struct csysi_client *client)
{
	csys_service *service = client->service;

	if (service->is_closed) /* as in csys_service_listen_take */
		return CSYS_ECANCELED;
	struct csysi_place *place = csysi_slot_take(&service->places);
	if (!place)
		return CSYS_ENOMEM;
	int r = add_entries(client, place);
	if (r < 0) {
		csysi_slot_give_back(&service->places, place);
		return r;
	}
	place->client = client;
	client->place = csysi_slot_id(place);
	service->users++;
	service->client_count++;
	return 0;
}

int csysi_client_open(csys_service *service, uint64_t number, csys_connection *connection)
{
	struct csysi_client *client = csysi_alloc_zero(sizeof *client);

	if (!client)
		return CSYS_ENOMEM;
	client->service = service;
	client->connection = connection;
	client->number = number;
	client->users = 1;
	client->is_reading = 1;
	csysi_ring_begin(&client->queue);
	csysi_ring_begin(&client->opened);
	csysi_lock_lock(&service->lock);
	int r = add_client(client);
	csysi_lock_unlock(&service->lock);
	if (r < 0)
		csysi_free(client);
	return r;
}

uint64_t csysi_service_number(csys_service *service)
{
	csysi_lock_lock(&service->lock);
	uint64_t number = ++service->last_number;
	csysi_lock_unlock(&service->lock);
	return number;
}

int csys_service_connect_take(csys_service *service, csys_connection *connection,
			      uint64_t *out_client)
{
	if (!service || !connection)
		return CSYS_EINVAL;
	if (!csysi_service_is_ours(service))
		return CSYS_EBADF;
	uint64_t number = csysi_service_number(service);
	int r = csysi_client_open(service, number, connection);
	if (r == 0 && out_client)
		*out_client = number;
	return r;
}

/* With the lock, which is unlocked: one use of a service less. */
static void leave_service(csys_service *service)
{
	int is_last = --service->users == 0;

	csysi_lock_unlock(&service->lock);
	if (!is_last)
		return;
	csysi_slots_free(&service->places);
	csysi_free(service);
}

void csysi_client_leave(struct csysi_client *client)
{
	csys_service *service = client->service;
	int is_last = --client->users == 0;

	if (!is_last) {
		csysi_lock_unlock(&service->lock);
		return;
	}
	csysi_lock_unlock(&service->lock);
	csys_connection_close(client->connection);
	csysi_free(client);
	csysi_lock_lock(&service->lock);
	leave_service(service);
}

/* Let an entry be paused or not, as `want` says.  If that fails it stays as it is for some time. */
static void turn(csys_service *service, csys_wait_entry entry, int want, int *is_on)
{
	if (want == *is_on)
		return;
	int r = want ? csys_wait_set_resume(service->set, entry)
		     : csys_wait_set_pause(service->set, entry);
	/* A handle that was closed is told to be so. */
	if (r == 0 || r == CSYS_EBADF) {
		*is_on = want;
		return;
	}
	service->has_failed = 1;
	try_again_later(service);
}

void csysi_client_note(struct csysi_client *client)
{
	csys_service *service = client->service;

	if (client->is_gone || service->is_closed)
		return;
	/* Each thread that changes what is asked here looks after that: the last one is right. */
	turn(service, client->reading, client->requests < service->options.most_requests,
	     &client->is_reading);
	turn(service, client->writing,
	     !csysi_ring_is_empty(&client->queue) || csys_connection_is_pending(client->connection),
	     &client->is_writing);
}

void csysi_service_resume(csys_service *service)
{
	csysi_lock_lock(&service->lock);
	accept_again(service);
	int has_failed = service->has_failed;
	service->has_failed = 0;
	for (uint32_t i = 0; has_failed && i < service->places.count; i++) {
		struct csysi_place *place = (void *)csysi_slot_at(&service->places, i);
		if (place->slot.generation % 2 == 1 && place->client)
			csysi_client_note(place->client);
	}
	csysi_lock_unlock(&service->lock);
}

/* Take a client out of the lists: its queue.  With the lock. */
static void take_out(struct csysi_client *client, struct csysi_ring *queue)
{
	csys_service *service = client->service;

	client->is_gone = 1;
	(void)!csys_wait_set_remove(service->set, client->reading);
	(void)!csys_wait_set_remove(service->set, client->writing);
	csysi_slot_give_back(&service->places, csysi_slot_find(&service->places, client->place));
	service->client_count--;
	for (struct csysi_ring *link = client->opened.next; link != &client->opened;
	     link = link->next)
		/* Relaxed, here and where it is read: it is a hint. */
		csysi_store_relaxed(&csysi_request_of(link)->is_abandoned, 1);
	csysi_ring_begin(queue);
	csysi_ring_replace(&client->queue, queue);
	if (!service->is_closed)
		accept_again(service);
}

void csysi_client_drop(struct csysi_client *client)
{
	csys_service *service = client->service;
	struct csysi_ring queue;

	csysi_lock_lock(&service->lock);
	if (client->is_gone) {
		csysi_lock_unlock(&service->lock);
		return;
	}
	take_out(client, &queue);
	csysi_lock_unlock(&service->lock);
	while (!csysi_ring_is_empty(&queue)) {
		struct csysi_answer *answer = csysi_answer_of(queue.next);
		csysi_ring_take_out(&answer->link);
		csysi_answer_release(answer);
	}
	int is_ours = csysi_service_is_ours(service);
	if (!is_ours) /* the parent goes on with the socket */
		csysi_connection_end_sending(client->connection, CSYS_EDISCONNECTED);
	if (service->options.gone && is_ours)
		service->options.gone(service->options.context, client->number);
	csysi_lock_lock(&service->lock);
	int is_used = --client->users > 1;
	csysi_lock_unlock(&service->lock);
	/* The other side receives the end, also while requests are not closed. */
	if (is_used && is_ours)
		(void)csys_socket_shutdown(csys_connection_socket(client->connection),
					   CSYS_SHUTDOWN_SEND);
}

/* ---- the end ------------------------------------------------------------------------------ */

/* Close what is at a place. */
static void close_place(csys_service *service, struct csysi_place *place)
{
	struct csysi_client *client = place->client;

	if (place->listener) {
		csys_listener_close(place->listener);
		return;
	}
	csysi_lock_lock(&service->lock);
	client->users++;
	csysi_lock_unlock(&service->lock);
	csysi_client_drop(client);
	csysi_lock_lock(&service->lock);
	csysi_client_leave(client);
}

void csys_service_close(csys_service *service)
{
	if (!service)
		return;
	int cancel = csysi_os_hold_cancel(); /* for `gone` */
	csysi_lock_lock(&service->lock);
	service->is_closed = 1;
	csysi_lock_unlock(&service->lock);
	/* Nothing is added any more, and no other thread receives. */
	for (uint32_t i = 0; i < service->places.count; i++) {
		struct csysi_place *place = (void *)csysi_slot_at(&service->places, i);
		if (place->slot.generation % 2 == 1)
			close_place(service, place);
	}
	csys_wait_set_close(service->set);
	csysi_lock_lock(&service->lock);
	leave_service(service);
	csysi_os_release_cancel(cancel);
}

void csys_service_stop(csys_service *service)
{
	if (!service)
		return;
	/* Seq_cst: a thread that waits from now on finds it, or the wake. */
	csysi_swap_seq_cst(&service->is_stopped, 1);
	csys_wait_set_wake(service->set);
}

csys_waitable csys_service_waitable(csys_service *service)
{
	return csys_wait_set_waitable(service ? service->set : NULL);
}
