/*
 * ipc/call.h - what goes over a connection between a caller and a service.
 *
 *     caller                                 service
 *       REQUEST id, deadline, bytes  ----->
 *                                    <-----    REPLY id, code, bytes
 *                                              or DROPPED id: there is no reply
 *       CANCEL id                    ----->    nobody waits for it any more
 *
 * Each is a message of the connection whose bytes begin with this head.  The id is the caller's.
 */
#ifndef CSYSI_IPC_CALL_H
#define CSYSI_IPC_CALL_H

#include <string.h>

#include <csys/ipc/caller.h>

#include "ipc/connection.h"

#define CSYSI_CALL_MAGIC 0x63736331u

enum {
	CSYSI_CALL_REQUEST = 1,
	CSYSI_CALL_CANCEL = 2,
	CSYSI_CALL_REPLY = 3,
	CSYSI_CALL_DROPPED = 4
};

struct csysi_call_head {
	uint32_t magic;
	uint32_t kind;
	uint64_t id;
	int64_t deadline; /* of a REQUEST: csys_deadline.ns, the clock is that of all processes */
	int32_t code;     /* of a REPLY */
	uint32_t reserved;
};

_Static_assert(sizeof(struct csysi_call_head) == CSYS_CALL_OVERHEAD, "the same in all processes");

/* The head of a message, which its reader does not see from now on.  CSYS_EBADMSG: it has none. */
static inline int csysi_call_take_head(csys_parcel *parcel, struct csysi_call_head *out)
{
	if (parcel->size < sizeof *out)
		return CSYS_EBADMSG;
	memcpy(out, parcel->data, sizeof *out);
	if (out->magic != CSYSI_CALL_MAGIC || out->reserved != 0)
		return CSYS_EBADMSG;
	parcel->skip = sizeof *out;
	return 0;
}

#endif
