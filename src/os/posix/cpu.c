/*
 * os/posix/cpu.c - which CPU this is: POSIX does not tell.
 */
#include "os/os.h"

int csysi_os_cpu(void)
{
	return -1;
}
