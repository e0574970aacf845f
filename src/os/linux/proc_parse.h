/*
 * os/linux/proc_parse.h - parsing the files of a process in /proc.
 */
#ifndef CSYSI_OS_LINUX_PROC_PARSE_H
#define CSYSI_OS_LINUX_PROC_PARSE_H

#include <stddef.h>

#include "os/table.h"

/*
 * Parse stat, for the fields of CSYSI_OS_PROCESS_BASIC.  The name is moved to the beginning of
 * the text, and terminated.  CSYS_ESRCH: the file is that of a thread; CSYS_EOTHER.
 */
int csysi_linux_parse_stat(char *text, size_t size, struct csysi_os_process *out, size_t *out_name);

/* Parse status, for ids and memory.  Those that it has become valid. */
void csysi_linux_parse_status(const char *text, struct csysi_os_process *out);

#endif
