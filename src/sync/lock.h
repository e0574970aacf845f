/*
 * sync/lock.h - the lock that csys keeps its own few words under.
 *
 * All zero is a free lock.  No deadline, no poison: the sections are short and
 * csys's own.
 */
#ifndef CSYSI_SYNC_LOCK_H
#define CSYSI_SYNC_LOCK_H

#include <stdint.h>

struct csysi_lock {
	uint32_t word; /* private: see sync/lock.c */
};

void csysi_lock_lock(struct csysi_lock *lock);
void csysi_lock_unlock(struct csysi_lock *lock);

#endif
