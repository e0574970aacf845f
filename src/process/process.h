/*
 * process/process.h - a row of the process table as users see it.
 */
#ifndef CSYSI_PROCESS_PROCESS_H
#define CSYSI_PROCESS_PROCESS_H

#include <csys/process/process.h>

#include "os/os.h"

struct csys_process {
	csys_process_id id;
	csys_handle handle; /* "none": by pid */
	int ended;          /* seen by a wait or a signal; no signal is sent any more */
};

/* A row of the system as users see it; its texts are those of `row`. */
void csysi_process_info(const struct csysi_os_process *row, int64_t pid, int64_t boot_time,
			csys_process_info *out);

#endif
