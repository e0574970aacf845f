/*
 * process/table.h - a process table from inside.
 */
#ifndef CSYSI_PROCESS_TABLE_H
#define CSYSI_PROCESS_TABLE_H

#include <csys/process/table.h>

#include "os/os.h"

struct csys_table {
	struct csysi_os_table os;
	uint32_t fields;
	int64_t boot_time; /* looked up at each beginning */
};

/* Open a table in an object of the caller; csysi_os_table_close(&out->os) closes it. */
int csysi_table_open(uint32_t fields, struct csys_table *out);

/* Read the row of one process; csys_table_read without its checks. */
int csysi_table_read(csys_table *table, int64_t pid, csys_process_info *out);

#endif
