/*
 * os/cpu.h - the CPU of this thread, and the number of CPUs.
 */
#ifndef CSYSI_OS_CPU_H
#define CSYSI_OS_CPU_H

/* The number of the CPU that this thread runs on; -1 if the system has no cheap way to ask. */
int csysi_os_cpu(void);

/*
 * How many CPUs this process could use at the first call, whatever CPUs single threads are
 * pinned to; 1 if the system has no cheap way to ask.
 */
int csysi_os_cpus(void);

#endif
