/*
 * os/posix/pollset.h - what the two files of pollset share: see pollset.c.
 */
#ifndef CSYSI_OS_POSIX_POLLSET_H
#define CSYSI_OS_POSIX_POLLSET_H

#include <pthread.h>

#include "os/posix/posix.h"

/* The first items of a copy: the notifier of the thread, which stands for the alarm too, and that
 * of wakes. */
enum { CSYSI_POSIX_OWN, CSYSI_POSIX_WAKE, CSYSI_POSIX_FIRST };

/* What poll takes, and the keys. */
struct csysi_posix_table {
	struct pollfd *polled;
	uint64_t *keys;
	size_t count;
	size_t capacity;
};

struct csysi_posix_waiter {
	struct csysi_posix_waiter *next;
	struct csysi_posix_pollset *owner;
	int is_busy;                   /* under lock, as all of it but what poll has */
	int is_told;                   /* the notifier is ready */
	int64_t alarm;                 /* that the thread knows */
	uint64_t version;              /* of the copy */
	struct csysi_posix_table copy; /* the thread's, without the lock, while it is busy */
	csys_handle reader, writer;
};

struct csysi_posix_pollset {
	pthread_mutex_t lock;
	struct csysi_posix_table table; /* under lock, as all that follows up to `reader` */
	size_t *at;                     /* by descriptor: where in the table, or 0 */
	size_t at_count;
	uint64_t version;
	int64_t alarm;
	size_t turn; /* the item that is told first */
	struct csysi_posix_waiter *waiters;
	csys_handle reader, writer; /* of wakes */
	uint32_t woken;
};

static inline struct csysi_posix_pollset *csysi_posix_pollset_of(const struct csysi_os_pollset *set)
{
	return set->place[0];
}

/* Make room for so many items.  After a failure the table is as it was. */
int csysi_posix_table_grow(struct csysi_posix_table *table, size_t count);

/* The place of a registration, or 0.  Under lock. */
size_t csysi_posix_pollset_find(const struct csysi_posix_pollset *p, csys_handle handle,
				uint64_t key);

/* Make a waiter, which no thread has yet.  Under lock, or before others have the set. */
int csysi_posix_waiter_make(struct csysi_posix_pollset *p, struct csysi_posix_waiter **out);

#endif
