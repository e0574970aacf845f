/*
 * os/posix/boot.c - the boot of the system, of which POSIX tells nothing.
 */
#include "os/boot.h"

void csysi_os_boot_id(uint64_t out[2])
{
	out[0] = out[1] = 0;
}

int64_t csysi_os_boot_time(void)
{
	return 0;
}
