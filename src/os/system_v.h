/*
 * os/system_v.h - queues of messages that the system keeps under a number (msgget).
 *
 * Such a queue is no handle: it has an id, which all processes use alike, until it is removed.  All
 * of these say CSYS_ENOTSUP where the system has none (CSYS_CAN_SYSTEM_V says 0).
 */
#ifndef CSYSI_OS_SYSTEM_V_H
#define CSYSI_OS_SYSTEM_V_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>

#include "os/message_queue.h" /* CSYSI_OS_QUEUE_..., the structs */

/* The key of a file, other than 0.  The file must be there and stay the same one. */
int csysi_os_system_v_key(const char *path, int project, int64_t *out);

/*
 * Find the queue with a key (0: make one that has none), as the flags say.  A new one holds
 * `max_bytes` if that is not 0.  CSYS_ENOENT, CSYS_EEXIST, CSYS_EACCES; CSYS_EINVAL: no such key,
 * or more bytes than this user may have; CSYS_ENOSPC: no more queues are allowed.
 */
int csysi_os_system_v_open(int64_t key, unsigned flags, unsigned mode, size_t max_bytes,
			   int64_t *out_id);

/* Look whether there is a queue with this id, which may be used as the flags say.  CSYS_ENOENT,
 * CSYS_EACCES. */
int csysi_os_system_v_check(int64_t id, unsigned flags);

/*
 * Send a message with a type, 1 or above; receive the first one (`wanted` 0), the first of that
 * type, or the first of the lowest type that is there and not above -wanted.  CSYS_EINVAL: no such
 * type.  CSYS_EMSGSIZE: the message is larger than the system allows, or than the buffer; nothing
 * is lost.  CSYS_ENOENT: the queue was removed.  CSYS_EACCES.  CSYS_ETIMEDOUT.
 */
int csysi_os_system_v_send(int64_t id, const void *data, size_t size, int64_t type,
			   csys_deadline deadline);
int csysi_os_system_v_recv(int64_t id, void *buffer, size_t size, int64_t wanted,
			   csys_deadline deadline, size_t *out_size, int64_t *out_type);

int csysi_os_system_v_state(int64_t id, struct csysi_os_queue_state *out);
int csysi_os_system_v_remove(int64_t id);
int csysi_os_system_v_limits(struct csysi_os_queue_limits *out);
int csysi_os_system_v_list(csysi_os_queue_visitor *visitor, void *argument);

#endif
