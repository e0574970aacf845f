/*
 * sync/condvar.h - what the two sources of condvars share.
 */
#ifndef CSYSI_SYNC_CONDVAR_H
#define CSYSI_SYNC_CONDVAR_H

#include <csys/base/deadline.h>
#include <csys/sync/condvar.h>

#include "sync/handoff.h"

/* Enqueue a waiter.  If others wait with another lock this aborts. */
void csysi_condvar_enqueue(csys_condvar *condvar, struct csysi_mutex_waiter *self,
			   csys_deadline deadline);

/* Of waiters with a rwlock, that were taken out and are about to be notified: note in each of them
 * which others it has to wake (condvar_rwlock.c). */
void csysi_condvar_spread(struct csysi_mutex_waiter *first);

#endif
