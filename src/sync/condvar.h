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

#endif
