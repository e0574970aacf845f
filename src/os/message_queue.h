/*
 * os/message_queue.h - queues of messages that the system keeps under a name (mq_open).
 *
 * They belong to the system: a queue is there until its name is removed and nobody has it open.
 * The highest priority comes first, and of one priority what was sent first.  All of these say
 * CSYS_ENOTSUP where the system has none (CSYS_CAN_MESSAGE_QUEUE says 0).
 */
#ifndef CSYSI_OS_MESSAGE_QUEUE_H
#define CSYSI_OS_MESSAGE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* How to open a queue: these or-ed, at least one of the first two.  os/system_v.h has the same. */
#define CSYSI_OS_QUEUE_SEND 1u
#define CSYSI_OS_QUEUE_RECV 2u
#define CSYSI_OS_QUEUE_CREATE 4u    /* make it if there is none */
#define CSYSI_OS_QUEUE_EXCLUSIVE 8u /* with CREATE: CSYS_EEXIST if there is one */
#define CSYSI_OS_QUEUE_OWN 16u      /* CSYS_EPERM if it is another user's, where that is told */
#define CSYSI_OS_QUEUE_TRUSTED 32u  /* the same, but the administrator's is taken too */

struct csysi_os_queue_request {
	const char *name;    /* without a slash, at most CSYSI_OS_QUEUE_NAME_MAX bytes */
	unsigned flags;      /* CSYSI_OS_QUEUE_... */
	unsigned mode;       /* permissions of a new one, exactly, or else less the umask */
	size_t max_messages; /* of a new one; 0: the usual number */
	size_t max_size;     /* bytes in a message of a new one; 0: the usual number */
};

/* Names that are longer are not tried: some systems stop here, most far above. */
#define CSYSI_OS_QUEUE_NAME_MAX 250

/* What is known of a queue. */
struct csysi_os_queue_state {
	size_t max_messages; /* 0: counted in bytes */
	size_t max_size;     /* of a message */
	size_t max_bytes;    /* of all messages together; 0: counted in messages */
	size_t messages;     /* that are in it */
};

/* What is known of the system's limits.  SIZE_MAX, UINT64_MAX: no limit, or it is not told. */
struct csysi_os_queue_limits {
	size_t max_messages;   /* in one queue, for an ordinary user */
	size_t max_size;       /* bytes in a message, for an ordinary user */
	size_t usual_messages; /* what 0 stands for; 0: not told, or counted in bytes */
	size_t usual_size;     /* what 0 stands for; 0: not told */
	size_t max_queues;     /* in the system, for an ordinary user */
	uint64_t max_bytes;    /* in one queue, or in those of one user: see is_per_user */
	int is_per_user;       /* max_bytes is for all queues of this user together */
	int64_t max_priority;
};

/* One of the queues of the system. */
struct csysi_os_queue_entry {
	const char *name;  /* NULL if the kind has none */
	int64_t id;        /* -1 if the kind has none */
	int64_t key;       /* 0: none */
	int64_t user;      /* that owns it; -1: not told */
	unsigned mode;     /* permissions */
	int64_t messages;  /* that are in it; -1: not told */
	int64_t last_send; /* pid of the last sender; 0: none, -1: not told */
	int64_t last_recv;
};

/* Gets one queue.  Other than 0 ends the listing, which returns that. */
typedef int csysi_os_queue_visitor(const struct csysi_os_queue_entry *entry, void *argument);

/* A queue that is open. */
struct csysi_os_message_queue {
	intptr_t place;
	int waiting; /* the system's own; 0 in a new one */
};

/*
 * Open a queue.  It is not inherited by a program.  CSYS_ENOENT, CSYS_EEXIST, CSYS_EACCES;
 * CSYS_EINVAL: more messages, or larger ones, than the limits allow this user; CSYS_ENOSPC: no
 * more queues are allowed, or no more bytes in this user's queues; CSYS_EMFILE: no handle is left.
 */
int csysi_os_message_queue_open(const struct csysi_os_queue_request *request,
				struct csysi_os_message_queue *out);
void csysi_os_message_queue_close(const struct csysi_os_message_queue *queue);

/*
 * Send, and receive, one message.  What can be done at once is done even if the deadline has
 * passed, and no step of the wall clock changes how long it is waited.  CSYS_EBADF: not opened for
 * that.  CSYS_EMSGSIZE: the message is larger than max_size, or the buffer smaller; nothing is
 * lost.  CSYS_EINVAL: no such priority.  CSYS_ETIMEDOUT.
 */
int csysi_os_message_queue_send(struct csysi_os_message_queue *queue, const void *data, size_t size,
				int64_t priority, csys_deadline deadline);
int csysi_os_message_queue_recv(struct csysi_os_message_queue *queue, void *buffer, size_t size,
				csys_deadline deadline, size_t *out_size, int64_t *out_priority);

int csysi_os_message_queue_state(const struct csysi_os_message_queue *queue,
				 struct csysi_os_queue_state *out);

/* What os/poll.h can wait for, reading and writing; it stays the queue's.  "None" if there is no
 * such thing. */
csys_handle csysi_os_message_queue_handle(const struct csysi_os_message_queue *queue);

/* Remove a name.  CSYS_ENOENT, CSYS_EACCES. */
int csysi_os_message_queue_unlink(const char *name);

/* Whether a name leads to this open queue: 1, 0, or CSYS_ENOTSUP where it is not told. */
int csysi_os_message_queue_is_at(const struct csysi_os_message_queue *queue, const char *name);

int csysi_os_message_queue_limits(struct csysi_os_queue_limits *out);

/* Visit the queues of the system.  CSYS_ENOTSUP where they are not listed. */
int csysi_os_message_queue_list(csysi_os_queue_visitor *visitor, void *argument);

#endif
