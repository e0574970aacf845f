/*
 * os/cpu.h - the CPU of this thread, and the number of CPUs.
 */
#ifndef CSYSI_OS_CPU_H
#define CSYSI_OS_CPU_H

#include <stdint.h>

/* The number of the CPU that this thread runs on; -1 if the system has no cheap way to ask. */
int csysi_os_cpu(void);

/*
 * Where the system keeps the number of the CPU that this thread runs on, for as long as the thread
 * exists; NULL if it keeps none.
 */
const uint32_t *csysi_os_cpu_word(void);

/*
 * How many CPUs this process could use at the first call, whatever CPUs single threads are
 * pinned to; 1 if the system has no cheap way to ask.
 */
int csysi_os_cpus(void);

#endif
