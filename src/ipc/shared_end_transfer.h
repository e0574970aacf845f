/*
 * ipc/shared_end_transfer.h - ends of shared channels that go to another process.
 *
 *     OURS --pack--> PACKED --commit--> IN FLIGHT --the other process adopts it--> THEIRS
 *      ^              |                     |
 *      +----undo------+                     +--the other process is gone--> CLOSED
 *
 * An end in flight has the id of the member that has sent it in the ring, as if that had it open.
 * So the other side of the channel sees it as alive, and the adopter takes its place by the same
 * compare-and-swap as a thread that goes on with an end of another thread.  The process that has
 * sent it keeps a note of it, by which it closes the end when nobody can adopt it any more: by a
 * compare-and-swap of the same word, which fails once the end was adopted.
 *
 * The word may have this id again, when the adopter has closed the end and the thread that has sent
 * it has opened another one in the same place.  So a thread that is about to write its id into a
 * word that has another value forgets the note first (csysi_shared_flight_over).
 */
#ifndef CSYSI_IPC_SHARED_END_TRANSFER_H
#define CSYSI_IPC_SHARED_END_TRANSFER_H

#include "ipc/shared_channel.h"

/* ---- notes: shared_flight.c ----------------------------------------------------------------- */

struct csysi_shared_flight;

/* Note an end that may be sent, of which this word in the ring has this id: CSYS_ENOMEM. */
int csysi_shared_flight_make(csys_shared_channel *channel, uint32_t *word, uint32_t id,
			     int is_receiver, struct csysi_shared_flight **out);

/* It was not sent; it was, by this connection. */
void csysi_shared_flight_undo(struct csysi_shared_flight *flight);
void csysi_shared_flight_commit(struct csysi_shared_flight *flight, const void *connection);

/* Forget the ends that a connection has sent and that were adopted: how many are left. */
size_t csysi_shared_flights_prune(const void *connection);

/* The same for all connections: each that has some left is told of, perhaps often, with the lock of
 * all notes. */
void csysi_shared_flights_prune_all(void (*tell)(const void *connection));

/* Nobody adopts what a connection has sent any more: close what was not adopted. */
void csysi_shared_flights_close(const void *connection);

/* Close an end if the word has this id still. */
void csysi_shared_close_sender_of(const csys_shared_channel *channel, uint32_t *word, uint32_t id);
void csysi_shared_close_receiver_of(const csys_shared_channel *channel, uint32_t *word,
				    uint32_t id);

/* ---- ends: shared_end_transfer.c ------------------------------------------------------------- */

/* What another process needs to adopt an end. */
struct csysi_shared_packed {
	csys_handle handle; /* of the region, which keeps it */
	uint64_t offset;    /* of the ring in the data of the region */
	uint64_t type;      /* the layout of the messages */
	uint32_t id;        /* of the member that has the end */
	uint32_t place;     /* of a sender, among those of the ring */
};

/*
 * Pack an end, which stays what it is until the commit.  CSYS_EBUSY: a place is reserved, or a
 * message is peeked at.  CSYS_ENOTSUP: the region has no handle.  CSYS_ETIMEDOUT: as in
 * csysi_shared_end_turn.  CSYS_ENOMEM, CSYS_EBADF.
 */
int csysi_shared_sender_pack(csys_shared_sender *sender, csys_deadline deadline,
			     struct csysi_shared_packed *out,
			     struct csysi_shared_flight **out_flight);
int csysi_shared_receiver_pack(csys_shared_receiver *receiver, csys_deadline deadline,
			       struct csysi_shared_packed *out,
			       struct csysi_shared_flight **out_flight);

/* It was sent, by this connection: the object is gone, and the end stays alive. */
void csysi_shared_sender_commit(csys_shared_sender *sender, struct csysi_shared_flight *flight,
				const void *connection);
void csysi_shared_receiver_commit(csys_shared_receiver *receiver,
				  struct csysi_shared_flight *flight, const void *connection);

/*
 * Adopt an end of a channel that was opened by csysi_shared_packed.  If it was seen as closed
 * meanwhile, open another one.  The end keeps the channel, as those that are opened do.
 */
int csysi_shared_sender_adopt(csys_shared_channel *channel,
			      const struct csysi_shared_packed *packed, csys_shared_sender **out);
int csysi_shared_receiver_adopt(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed,
				csys_shared_receiver **out);

/* Close an end that is not adopted. */
void csysi_shared_sender_refuse(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed);
void csysi_shared_receiver_refuse(csys_shared_channel *channel,
				  const struct csysi_shared_packed *packed);

/* Open the channel of an end in its region, which is the channel's after success. */
int csysi_shared_packed_open(csys_region *region, const struct csysi_shared_packed *packed,
			     size_t size, csys_shared_channel **out);

#endif
