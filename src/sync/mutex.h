/*
 * sync/mutex.h - a mutex without its ledger, for locks that have one inside.
 */
#ifndef CSYSI_SYNC_MUTEX_H
#define CSYSI_SYNC_MUTEX_H

#include <csys/base/deadline.h>
#include <csys/sync/mutex.h>

/*
 * Lock it by `deadline`: 0 or CSYS_ETIMEDOUT.  No thread's ledger has it then, so it is not
 * released when its holder ends, and its marks are not looked at.
 */
int csysi_mutex_take(csys_mutex *mutex, csys_deadline deadline);

/* Unlock what csysi_mutex_take has locked. */
void csysi_mutex_release(csys_mutex *mutex);

#endif
