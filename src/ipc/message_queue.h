/*
 * ipc/message_queue.h - the object behind a queue, and its names.
 */
#ifndef CSYSI_IPC_MESSAGE_QUEUE_H
#define CSYSI_IPC_MESSAGE_QUEUE_H

#include <csys/ipc/message_queue.h>

#include "os/os.h"

/* The type of a message with priority 0 in a queue of System V; the highest priority has 1. */
#define CSYSI_QUEUE_LAST_TYPE (CSYS_MESSAGE_QUEUE_SYSTEM_V_PRIORITIES + 1)

/* A name as the system has it, with its NUL. */
#define CSYSI_QUEUE_NAME (CSYSI_OS_QUEUE_NAME_MAX + 1)

struct csys_message_queue {
	struct csysi_os_message_queue os; /* POSIX */
	int64_t id;                       /* System V */
	int64_t wanted; /* System V: the types that a receive takes, as os/system_v.h has it */
	int kind;
	int access;
	int by_type;
	char name[]; /* POSIX: as the system has it */
};

/* Make the system's name out of a user's.  CSYS_EINVAL, CSYS_ENAMETOOLONG. */
int csysi_queue_name(const char *name, int scope, char out[CSYSI_QUEUE_NAME]);

/* The key of a queue of System V that has a name: above 0. */
int csysi_queue_key(const char *name, int scope, int64_t *out);

/* What a listing tells as the name: without the mark of this user, which *out_scope tells. */
const char *csysi_queue_plain_name(const char *name, int *out_scope);

#endif
