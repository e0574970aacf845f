/*
 * os/posix/cpu.c - which CPU this is, and how many: POSIX does not tell.
 */
#include "os/os.h"

int csysi_os_cpu(void)
{
	return -1;
}

int csysi_os_cpus(void)
{
	return 1;
}
