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

/*
 * One for what is static: a thread that held it at a fork is not there in the child, so there
 * it is free.  What it guards may be half changed then.  All zero is a free lock.
 */
struct csysi_process_lock {
	struct csysi_lock lock;
	intptr_t process; /* private, as is all of it */
};

void csysi_lock_lock(struct csysi_lock *lock);
void csysi_lock_unlock(struct csysi_lock *lock);

/*
 * Lock it.  The first time in a forked child, before it can be locked there, begin_in_child is
 * called, if that is not NULL: by one thread, and nobody else is in the lock.
 */
void csysi_process_lock_lock(struct csysi_process_lock *lock, void (*begin_in_child)(void));
void csysi_process_lock_unlock(struct csysi_process_lock *lock);

#endif
