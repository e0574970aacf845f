/*
 * ipc/service.h - services, their clients and requests, from inside.
 *
 * A client is in the set by two entries: one for what it sends, which is paused while it has as
 * many requests under way as it may have; and one for room, which is paused while nothing waits for
 * that.  A reply that finds no room goes into a queue of the client, which is sent by the threads
 * that receive.
 *
 * A request under way is one that is not closed, or a reply in the queue.  So what a client can
 * make this process hold is limited, whatever it sends, and whether or not it reads.
 *
 * One lock guards the lists of a service.  What sends or receives is called without it, and a
 * client that a thread works with is used (`users`), so it stays.  The service stays until the last
 * request is closed.
 */
#ifndef CSYSI_IPC_SERVICE_H
#define CSYSI_IPC_SERVICE_H

#include <csys/ipc/service.h>

#include "io/wait_set.h"
#include "ipc/call.h"
#include "ipc/connection.h"
#include "os/os.h"
#include "sync/lock.h"

/* An answer that waits for room. */
struct csysi_answer {
	struct csysi_ring link; /* in the queue of its client */
	struct csysi_call_head head;
	csys_request *request; /* that it is in; NULL: it has memory of its own */
	csys_attachment *attachments;
	size_t count;
	size_t size;
	unsigned char *data;
};

static inline struct csysi_answer *csysi_answer_of(struct csysi_ring *link)
{
	return (struct csysi_answer *)(void *)((char *)link - offsetof(struct csysi_answer, link));
}

struct csysi_client {
	csys_service *service;
	csys_connection *connection;
	uint64_t number;
	uint64_t place; /* its identity */

	/* Under the lock of the service. */
	size_t users;    /* the service until it is gone, requests, and threads */
	size_t requests; /* under way */
	size_t handles;  /* of answers in the queue, or about to be sent or put there */
	int is_gone;
	int is_reading, is_writing; /* the entry is not paused */
	csys_wait_entry reading, writing;
	struct csysi_ring queue;  /* of answers */
	struct csysi_ring opened; /* of requests that are not closed */
};

/* What events come from: a client, or a listener. */
struct csysi_place {
	struct csysi_slot slot;
	struct csysi_client *client;
	csys_listener *listener;
	csys_wait_entry entry;  /* of the listener */
	struct csysi_ring link; /* of the listener: among all */
};

struct csys_service {
	csys_service_options options;
	csys_wait_set *set;
	csys_wait_entry timer; /* when to try again what has failed */
	uint32_t generation;   /* of the process */
	uint32_t is_stopped;   /* atomic */

	struct csysi_lock lock; /* guards what follows */
	size_t users;           /* 1 until it is closed, and its clients until they are released */
	struct csysi_slots places;
	struct csysi_ring listeners;
	size_t client_count;
	size_t coming; /* clients that threads are about to accept */
	uint64_t last_number;
	int is_closed;
	int is_accepting; /* the entries of listeners are not paused */
	int has_failed;   /* an entry of a client could not be paused or resumed */
};

struct csys_request {
	struct csysi_ring link; /* among those of its client that are not closed */
	struct csysi_client *client;
	csys_parcel *parcel;
	uint64_t id;
	csys_deadline deadline;
	int is_answered;
	uint32_t is_abandoned;    /* atomic */
	struct csysi_answer drop; /* for when it is closed without an answer */
};

/* Whether this process has made it, and no parent of it. */
static inline int csysi_service_is_ours(const csys_service *service)
{
	return service->generation == csysi_os_generation();
}

static inline csys_request *csysi_request_of(struct csysi_ring *link)
{
	return (csys_request *)(void *)((char *)link - offsetof(csys_request, link));
}

/* ---- clients: service.c --------------------------------------------------------------------- */

/* The number of the next client. */
uint64_t csysi_service_number(csys_service *service);

/* Make a client of a connection, which is its own after success. */
int csysi_client_open(csys_service *service, uint64_t number, csys_connection *connection);

/* One use less.  With the lock, which is unlocked. */
void csysi_client_leave(struct csysi_client *client);

/* It is closed, dead, or has broken a rule: for a thread that uses it. */
void csysi_client_drop(struct csysi_client *client);

/* Pause and resume its entries as things are.  With the lock. */
void csysi_client_note(struct csysi_client *client);

/* Whether a thread may accept a client, which is coming then; if not, the listeners are paused.
 * With the lock. */
int csysi_service_may_accept(csys_service *service);

/* A thread has done so, and there is a client or none.  With a failure nothing is accepted for some
 * time. */
void csysi_service_accepted(csys_service *service, int has_failed);

/* Try again what has failed. */
void csysi_service_resume(csys_service *service);

/* ---- answers: service_answer.c -------------------------------------------------------------- */

/* Make an answer of copies of all that a caller has. */
int csysi_answer_copy(const struct csysi_call_head *head,
		      const struct csysi_connection_content *content, struct csysi_answer **out);

/* Release an answer that is in no queue, and all that was not sent. */
void csysi_answer_release(struct csysi_answer *answer);

/* ---- requests: request.c -------------------------------------------------------------------- */

/* Make a request of what a client has sent, in this memory: 1.  0: there is nothing to tell of.
 * CSYS_EBADMSG.  The parcel is closed but for 1. */
int csysi_request_begin(struct csysi_client *client, csys_parcel *parcel, csys_request *request);

/* Send what waits in the queue of a client, as far as there is room.  For a thread that uses it. */
void csysi_client_flush(struct csysi_client *client);

#endif
