/*
 * os/linux/parallelism.h - the quota of CPU time, from any tree of files.
 */
#ifndef CSYSI_OS_LINUX_PARALLELISM_H
#define CSYSI_OS_LINUX_PARALLELISM_H

/*
 * How many CPUs the control groups of this process allow it, whole ones and at
 * least 1; 0 if they set no limit.  `root` is put before all paths: "" but for tests.
 */
int csysi_linux_cpu_quota(const char *root);

#endif
