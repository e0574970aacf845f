/*
 * os/cpu.h - the CPUs.
 */
#ifndef CSYSI_OS_CPU_H
#define CSYSI_OS_CPU_H

/* The CPU that this thread ran on a moment ago; -1 if that is not known cheaply. */
int csysi_os_cpu(void);

/* How many CPUs this process might use when it was first asked, threads that are pinned apart;
 * 1 if that is not known cheaply. */
int csysi_os_cpus(void);

#endif
