/*
 * ipc/message_queue_name.c - names of queues, as the system has them.
 *
 * A name of a user is "csys-UID-NAME"; a global one is itself.  What is too long for the system is
 * replaced by a hash of 128 bits, with a part of the name before it.  Keys of System V are a hash
 * of 31 bits of the same name.
 */
#include <stdio.h>
#include <string.h>

#include "ipc/message_queue.h"
#include "ipc/names.h"

/* Longer ones are hashed. */
#define LONGEST 200

/* FNV-1a of 64 bits, from different beginnings. */
static uint64_t hash(const char *text, uint64_t from)
{
	uint64_t sum = from ^ 14695981039346656037u;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 1099511628211u;
	return sum ^ sum >> 32;
}

int csysi_queue_name(const char *name, int scope, char out[CSYSI_QUEUE_NAME])
{
	char mark[32] = "";
	int r = csysi_name_check(name);

	if (r < 0)
		return r;
	if (scope == CSYS_NAMES_USER)
		snprintf(mark, sizeof mark, "csys-%lld-", (long long)csysi_os_user());
	if (strlen(name) <= LONGEST)
		snprintf(out, CSYSI_QUEUE_NAME, "%s%s", mark, name);
	else
		snprintf(out, CSYSI_QUEUE_NAME, "%s%.100s~%016llx%016llx", mark, name,
			 (unsigned long long)hash(name, 0), (unsigned long long)hash(name, 1));
	return 0;
}

int csysi_queue_key(const char *name, int scope, int64_t *out)
{
	char whole[CSYSI_QUEUE_NAME];
	int r = csysi_queue_name(name, scope, whole);

	if (r < 0)
		return r;
	int64_t key = (int64_t)(hash(whole, 2) & INT32_MAX);
	*out = key ? key : 1; /* 0 is none */
	return 0;
}

const char *csysi_queue_plain_name(const char *name, int *out_scope)
{
	char mark[32];
	int size = snprintf(mark, sizeof mark, "csys-%lld-", (long long)csysi_os_user());

	*out_scope = strncmp(name, mark, (size_t)size) == 0 ? CSYS_NAMES_USER : CSYS_NAMES_GLOBAL;
	return *out_scope == CSYS_NAMES_USER ? name + size : name;
}
