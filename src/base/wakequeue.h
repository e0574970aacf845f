/*
 * base/wakequeue.h - sleepers of words in the order in which they came, for a backend whose system
 * does not wake in that order, knows no kinds of sleepers, or does not tell how many it woke.
 *
 * The contract of os/wake.h asks for all three.  So a backend keeps such a queue for each
 * of its slots, under a lock of its own, and uses its system only to put one thread to sleep and
 * to wake that thread:
 *
 *     sleep:  lock; compare the word; enter; unlock and sleep until is_told; lock;
 *             leave, if it was not told; unlock
 *     wake:   lock; take and wake each, up to the count; unlock
 *
 * A sleeper is on the stack of its thread, mostly as the first member of what its backend
 * needs beside.  It is accessed only under the lock, and its thread returns only after it has
 * locked once more.  Zeroed memory is an empty queue.
 */
#ifndef CSYSI_BASE_WAKEQUEUE_H
#define CSYSI_BASE_WAKEQUEUE_H

#include <stddef.h>
#include <stdint.h>

struct csysi_sleeper {
	const uint32_t *word;
	uint32_t kind; /* one bit */
	int is_told;   /* taken out by a waker */
	struct csysi_sleeper *next;
};

struct csysi_wakequeue {
	struct csysi_sleeper *first; /* the one that has slept longest */
};

/* Add a sleeper as the last one. */
static inline void csysi_wakequeue_enter(struct csysi_wakequeue *queue,
					 struct csysi_sleeper *sleeper)
{
	struct csysi_sleeper **last = &queue->first;
	while (*last)
		last = &(*last)->next;
	*last = sleeper;
}

/* Remove a sleeper that gives up.  Only one that was not told is in the queue. */
static inline void csysi_wakequeue_leave(struct csysi_wakequeue *queue,
					 const struct csysi_sleeper *sleeper)
{
	struct csysi_sleeper **at = &queue->first;
	while (*at != sleeper)
		at = &(*at)->next;
	*at = sleeper->next;
}

/*
 * Remove the sleeper of `word` that has slept longest and is of one of `kinds`, and tell it.  NULL
 * if there is none.  The address is compared and not used: the word may be freed.
 */
static inline struct csysi_sleeper *csysi_wakequeue_take(struct csysi_wakequeue *queue,
							 const uint32_t *word, uint32_t kinds)
{
	struct csysi_sleeper **at = &queue->first;
	while (*at && ((*at)->word != word || !((*at)->kind & kinds)))
		at = &(*at)->next;
	struct csysi_sleeper *sleeper = *at;
	if (sleeper) {
		*at = sleeper->next;
		sleeper->is_told = 1;
	}
	return sleeper;
}

#endif
