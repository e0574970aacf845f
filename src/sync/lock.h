/*
 * sync/lock.h - a lock for csys's own data.
 *
 * All zero is a free lock.  No deadline, no poison: the critical sections are short and
 * run csys's own code only.
 */
#ifndef CSYSI_SYNC_LOCK_H
#define CSYSI_SYNC_LOCK_H

#include <stdint.h>

struct csysi_lock {
	uint32_t word; /* private: see sync/lock.c */
};

/*
 * A lock for static data.  A thread that held it at a fork does not exist in the child, so it is
 * free there; what it guards may be half changed then.  All zero is a free lock.
 */
struct csysi_process_lock {
	struct csysi_lock lock;
	intptr_t process; /* private, as is all of it */
};

void csysi_lock_lock(struct csysi_lock *lock);
void csysi_lock_unlock(struct csysi_lock *lock);

/*
 * Lock it.  In a forked child of a process that has used the lock, the first call calls
 * begin_in_child before that, unless it is NULL: once, and no other thread holds the lock then.
 */
void csysi_process_lock_lock(struct csysi_process_lock *lock, void (*begin_in_child)(void));
void csysi_process_lock_unlock(struct csysi_process_lock *lock);

#endif
