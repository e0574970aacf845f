/*
 * os/posix/message_queue.h - what the folders know of a queue beyond POSIX (queue_system.c).
 */
#ifndef CSYSI_OS_POSIX_MESSAGE_QUEUE_H
#define CSYSI_OS_POSIX_MESSAGE_QUEUE_H

#ifdef CSYSI_HAVE_MQ_OPEN
#include <mqueue.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "os/os.h"

/*
 * Open a queue as mq_open does, so that it is none of the standard streams if it is a descriptor.
 * (mqd_t)-1 with errno.
 */
mqd_t csysi_posix_queue_open(const char *name, int flags, mode_t mode, struct mq_attr *attributes);

/* Send, or receive, a message at once: ETIMEDOUT or EAGAIN if that cannot be. */
int csysi_posix_queue_try_send(mqd_t queue, const void *data, size_t size, unsigned priority);
ssize_t csysi_posix_queue_try_recv(mqd_t queue, void *buffer, size_t size, unsigned *priority);

/*
 * What mq_send and mq_receive wait with, which stays the queue's; (mqd_t)-1 if there is none.
 * `is_wanted`: open it if it is missing.
 */
mqd_t csysi_posix_queue_waiting(struct csysi_os_message_queue *queue, int is_wanted);
void csysi_posix_queue_close_waiting(const struct csysi_os_message_queue *queue);

/* Give a new queue these permissions, if the system can. */
void csysi_posix_queue_set_mode(mqd_t queue, mode_t mode);

/* The user that owns a queue.  0, or -1 if that is not told. */
int csysi_posix_queue_owner(mqd_t queue, uid_t *out);

/* Wait until a queue probably has room, or a message.  CSYS_ETIMEDOUT. */
int csysi_posix_queue_wait(mqd_t queue, int writing, struct csysi_backoff *looks,
			   csys_deadline deadline);

/* After a failed open: whether it was a limit of queues and not of handles. */
int csysi_posix_queue_is_over_quota(void);
#endif

#endif
