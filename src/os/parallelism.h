/*
 * os/parallelism.h - how much can run at once.
 */
#ifndef CSYSI_OS_PARALLELISM_H
#define CSYSI_OS_PARALLELISM_H

/* How many threads of this one's kind can run at once; at least 1. */
int csysi_os_parallelism(void);

#endif
