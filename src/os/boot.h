/*
 * os/boot.h - the boot of the system.
 */
#ifndef CSYSI_OS_BOOT_H
#define CSYSI_OS_BOOT_H

#include <stdint.h>

/* Which boot this is; all 0 if that is not known. */
void csysi_os_boot_id(uint64_t out[2]);

/* The wall clock's time of the boot as the wall clock is set now, in ns since 1970. */
int64_t csysi_os_boot_time(void);

#endif
