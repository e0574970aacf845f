/*
 * os/boot.h - the boot of the system.
 */
#ifndef CSYSI_OS_BOOT_H
#define CSYSI_OS_BOOT_H

#include <stdint.h>

/* An id of this boot, which no other boot has; all 0 if the system has none. */
void csysi_os_boot_id(uint64_t out[2]);

/* The time of the boot in ns since 1970, by the wall clock as it is set now; 0: not known. */
int64_t csysi_os_boot_time(void);

#endif
