/*
 * process/child_detached.h - children that were closed while they ran.
 */
#ifndef CSYSI_PROCESS_CHILD_DETACHED_H
#define CSYSI_PROCESS_CHILD_DETACHED_H

#include "process/child.h"

/* Put a child on the list of the detached; the list owns it from then on. */
void csysi_child_detach(csys_child *child);

/* Reap what has ended of the detached children. */
void csysi_child_sweep(void);

#endif
