/*
 * os/parallelism.h - how many threads can run at once.
 */
#ifndef CSYSI_OS_PARALLELISM_H
#define CSYSI_OS_PARALLELISM_H

/*
 * How many threads with the CPUs and the CPU time of the calling one can run at once; at
 * least 1.
 */
int csysi_os_parallelism(void);

#endif
