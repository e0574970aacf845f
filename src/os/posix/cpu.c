/*
 * os/posix/cpu.c - the CPU of this thread, and the number of CPUs, which POSIX does not tell.
 */
#include "os/os.h"

int csysi_os_cpu(void)
{
	return -1;
}

const uint32_t *csysi_os_cpu_word(void)
{
	return NULL;
}

int csysi_os_cpus(void)
{
	return 1;
}
