/*
 * os/linux/parallelism.h - the quota of CPU time, for tests with files of their own.
 */
#ifndef CSYSI_OS_LINUX_PARALLELISM_H
#define CSYSI_OS_LINUX_PARALLELISM_H

/*
 * How many CPUs the control groups of this process allow, rounded down, but at least 1; 0 if they
 * have no quota.  `root` is put before all paths, and is "" except in tests.
 */
int csysi_linux_cpu_quota(const char *root);

#endif
