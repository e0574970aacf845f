/*
 * process/process.h - a row of the process table as users see it.
 */
#ifndef CSYSI_PROCESS_PROCESS_H
#define CSYSI_PROCESS_PROCESS_H

#include <csys/process/process.h>

#include "os/os.h"

/* A row of the system as users see it; its texts are those of `row`. */
void csysi_process_info(const struct csysi_os_process *row, int64_t pid, int64_t boot_time,
			csys_process_info *out);

#endif
