/*
 * ipc/connection.h - connections and parcels, from inside.
 *
 *     message: head | an entry for each attachment | bytes
 *
 * All attachments have one handle each; these come with the first byte of the head.  The head and
 * the entries are as the processors of this machine have numbers: both sides are on it.
 *
 * Each head tells how many messages its sender has received whole.  A message with attachments asks
 * for that number, so that the handles that were kept for it can be closed, as does an ASK, for
 * csys_connection_flush.  If there is nothing else to be sent, a TELL has the number.  ASK and TELL
 * are heads alone.
 *
 * Sending.  Each step holds the lock `sending`, and does not wait: what there is no room for after
 * the first byte was taken becomes the rest, which goes first in each later step.  So the line has
 * whole messages whichever thread goes on, and no lock is held while a thread waits.
 *
 * Receiving.  Each step holds `receiving`, and reads what is there into the message that comes,
 * whose parts stay.  `receiving` is taken before `sending`.
 */
#ifndef CSYSI_IPC_CONNECTION_H
#define CSYSI_IPC_CONNECTION_H

#include <csys/ipc/connection.h>
#include <csys/ipc/parcel.h>

#include "base/atomic.h"
#include "sync/lock.h"

#define CSYSI_CONNECTION_MAGIC 0x63736d31u
#define CSYSI_CONNECTION_USUAL_MOST ((size_t)16 << 20)

/* How many handles are kept for the other side at most. */
#define CSYSI_CONNECTION_KEPT 1024u

/* What a flush receives before it refuses to go on. */
#define CSYSI_CONNECTION_QUEUED 256u
#define CSYSI_CONNECTION_QUEUED_BYTES ((size_t)1 << 20)

enum { CSYSI_HEAD_DATA = 1, CSYSI_HEAD_TELL = 2, CSYSI_HEAD_ASK = 3, CSYSI_HEAD_HELLO = 4 };

struct csysi_connection_head {
	uint32_t magic;
	uint16_t kind;
	uint16_t count;    /* of entries */
	uint64_t size;     /* of the bytes */
	uint64_t number;   /* of the message, from 1; HELLO: which child is meant */
	uint64_t received; /* how many the sender of this has received */
};

struct csysi_connection_entry {
	uint32_t kind;   /* CSYS_ATTACHMENT_HANDLE, ... */
	uint32_t id;     /* of an end: csysi_shared_packed */
	uint64_t type;   /* likewise; of a connection: how many messages it has sent */
	uint64_t offset; /* likewise; how many it has received */
	uint32_t place;
	uint32_t reserved;
};

struct csysi_connection_frame {
	struct csysi_connection_head head;
	struct csysi_connection_entry entries[CSYS_CONNECTION_ATTACHMENTS];
};

/* ---- what was received ---------------------------------------------------------------------- */

struct csysi_parcel_item {
	csys_handle handle;                  /* "none": it was taken, or the region has it */
	struct csysi_connection_entry entry; /* its kind is NONE once it was taken */
	csys_region *region; /* of an end: opened by a call that has failed after that; or NULL */
	int is_unsealed;     /* others can make that smaller */
};

struct csys_parcel {
	csys_parcel *next; /* in a queue */
	unsigned char *data;
	size_t size;
	size_t room; /* at `data` */
	size_t skip; /* of the bytes, how many the caller is not shown, at the beginning */
	int code;    /* of a reply: ipc/call.h */
	size_t count;
	int refuse_unsealed; /* as in csys_connection_options */
	struct csysi_parcel_item items[];
};

/* Make one without bytes, and with entries of zero. */
csys_parcel *csysi_parcel_new(size_t count);

/* The item with an index, if it is of a kind: CSYS_EINVAL, CSYS_EBADMSG. */
static inline int csysi_parcel_find(csys_parcel *parcel, size_t index, int kind, const void *out,
				    struct csysi_parcel_item **out_item)
{
	if (!parcel || !out || index >= parcel->count)
		return CSYS_EINVAL;
	*out_item = &parcel->items[index];
	return (*out_item)->entry.kind == (uint32_t)kind ? 0 : CSYS_EBADMSG;
}

/* Close what an item of the kind of ends has (parcel_end.c). */
void csysi_parcel_close_end(struct csysi_parcel_item *item);

/* ---- a connection --------------------------------------------------------------------------- */

/* Handles that are kept until the other side has a message. */
struct csysi_kept {
	struct csysi_kept *next;
	uint64_t number; /* of the message */
	size_t count;
	csys_handle handles[];
};

struct csys_connection {
	csys_socket *socket;
	size_t most;
	int refuse_unsealed;

	struct csysi_lock sending; /* guards what follows */
	unsigned char *rest;       /* of what was begun: from `begin` to `end` */
	size_t begin, end, room;
	uint64_t sent;  /* how many messages were begun */
	uint64_t asked; /* the last one that an ASK was sent after */
	struct csysi_kept *kept, **kept_end;
	size_t kept_count; /* of handles */

	struct csysi_lock receiving; /* guards what follows */
	struct csysi_connection_head head;
	size_t came; /* bytes of the head, then of the entries, then of the bytes */
	size_t handle_count;
	csys_handle handles[CSYS_CONNECTION_ATTACHMENTS]; /* that came with the head */
	csys_parcel *parcel;                              /* that comes; NULL: the head does */
	int has_entries;
	csys_parcel *queue, **queue_end; /* what a flush has received */
	size_t queued, queued_bytes, queued_items;
	int end_code; /* what receiving returns once the queue is empty; 0: it goes on */

	csys_connection *next; /* of those that are parked */
	int is_in_flight;      /* something of it is; with the locks of these and of all notes */

	/* Atomic. */
	uint64_t received; /* messages that were received whole */
	uint64_t acked;    /* that the other side has received */
	uint32_t is_asked; /* the other side waits for a head */
	int broken;        /* what sending returns; 0: it goes on */
};

/* How connections of these options are: CSYS_EINVAL. */
int csysi_connection_check(const csys_connection_options *options, size_t *out_most);

/* ---- steps: connection_step.c --------------------------------------------------------------- */

/* Send the rest and what the other side has asked for.  CSYS_EAGAIN; CSYS_EDISCONNECTED, ... With
 * the lock `sending`. */
int csysi_connection_push(csys_connection *connection);

/* The same with no lock, and a cancellation held back. */
int csysi_connection_step(csys_connection *connection);

/*
 * Begin to send a frame and bytes (two slices, or NULL), after a push that has returned 0.
 * 0: it is sent, or the rest.
 * CSYS_EAGAIN and all others: nothing was sent.  With the lock `sending`.
 */
int csysi_connection_begin(csys_connection *connection, const struct csysi_connection_frame *frame,
			   const csys_slice *bytes, const csys_handle *handles);

/* The other side has received so many. */
void csysi_connection_acked(csys_connection *connection, uint64_t count);

/* How many handles are kept until it has. */
size_t csysi_connection_kept(csys_connection *connection);

/* Nothing more is sent, and what is in flight is closed.  The first code stays. */
void csysi_connection_end_sending(csys_connection *connection, int code);

/* Receive what is there: 0 and a message; CSYS_EAGAIN; what receiving returns.  With the lock
 * `receiving` (connection_recv.c). */
int csysi_connection_pump(csys_connection *connection, csys_parcel **out);

/* Close what has come of a message that does not come whole. */
void csysi_connection_drop_parcel(csys_connection *connection);

/* What is sent: the prefix and the data are the bytes of one message. */
struct csysi_connection_content {
	csys_slice prefix;
	const void *data;
	size_t size;
	const csys_attachment *attachments;
	size_t count;
};

/* Nothing was sent, since the other side has to receive attachments that were sent before. */
#define CSYSI_CONNECTION_IS_FULL 1

/*
 * Send a message, or begin to, if there is room: connection_send.c.  Nothing is received for it.
 * `deadline` is for ends of channels that another thread uses: CSYS_ETIMEDOUT.  CSYS_EAGAIN: no
 * room; CSYSI_CONNECTION_IS_FULL; else as csys_connection_send.  *out_number: which message it is;
 * may be NULL.
 */
int csysi_connection_send_once(csys_connection *connection,
			       const struct csysi_connection_content *content,
			       csys_deadline deadline, uint64_t *out_number);

/* Whether the rest of the message with a number is not sent yet. */
int csysi_connection_has_rest(csys_connection *connection, uint64_t number);

/* Wait until there is something to receive, or room for what is pending. */
int csysi_connection_wait(csys_connection *connection, int is_writing, csys_deadline deadline);

/* Receive and keep messages until the other side has so many: connection_flush.c. */
int csysi_connection_await(csys_connection *connection, uint64_t count, csys_deadline deadline);

/* ---- bootstrap: connection_parent.c --------------------------------------------------------- */

/* The variable that tells a child of its connection, and the least number of the handle. */
#define CSYSI_CONNECTION_VARIABLE "CSYS_CONNECTION"
#define CSYSI_CONNECTION_FIRST_NUMBER 3

/* Send the child the number that its variable has too, before anything else. */
int csysi_connection_greet(csys_connection *connection, uint64_t hello);

/* ---- attachments: connection_attach.c ------------------------------------------------------- */

/* What goes with a message that is being sent. */
struct csysi_outgoing {
	struct csysi_connection_frame frame;
	csys_handle handles[CSYS_CONNECTION_ATTACHMENTS];
	struct csysi_shared_flight *flights[CSYS_CONNECTION_ATTACHMENTS];
	size_t flight_count; /* which are not NULL */
	size_t taken_count;  /* handles that will be kept */
	struct csysi_kept *kept;
};

/* Look at attachments, which stay as they are. */
int csysi_outgoing_pack(csys_connection *connection, const csys_attachment *attachments,
			size_t count, csys_deadline deadline, struct csysi_outgoing *out);

/*
 * Make of attachments such as are all taken, for them to be sent later: those that the caller keeps
 * are replaced by copies.  After a failure nothing is changed.
 */
int csysi_attachments_keep(csys_attachment *attachments, size_t count);

/* Close all that was attached by a function with _take. */
void csysi_attachments_drop(const csys_attachment *attachments, size_t count);

/* They were not sent. */
void csysi_outgoing_undo(struct csysi_outgoing *outgoing);

/* They were, as those of the message with that number. */
void csysi_outgoing_commit(csys_connection *connection, const csys_attachment *attachments,
			   struct csysi_outgoing *outgoing, uint64_t number);

/* ---- closed connections with ends in flight: connection_parked.c ---------------------------- */

/* Keep the socket until the other side has adopted all, or is gone: 1.  0: there is no memory. */
int csysi_connection_park(csys_connection *connection);

/* Close those that are not needed any more.  Each call on any connection begins with this. */
void csysi_connection_sweep_slow(void);
extern uint32_t csysi_connections_parked; /* atomic */

static inline void csysi_connection_sweep(void)
{
	/* Relaxed: a later call sees it. */
	if (!CSYSI_LIKELY(csysi_load_relaxed(&csysi_connections_parked) == 0))
		csysi_connection_sweep_slow();
}

#endif
