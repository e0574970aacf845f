/*
 * os/linux/proc_parse.h - what the files of a process in /proc say.
 */
#ifndef CSYSI_OS_LINUX_PROC_PARSE_H
#define CSYSI_OS_LINUX_PROC_PARSE_H

#include <stddef.h>

#include "os/table.h"

/*
 * stat: the fields of CSYSI_OS_PROCESS_BASIC, and the name, which moves to where the text
 * begins, with a NUL behind it.  CSYS_ESRCH: it is a thread's; CSYS_EOTHER.
 */
int csysi_linux_parse_stat(char *text, size_t size, struct csysi_os_process *out, size_t *out_name);

/* status: ids and memory, as far as it tells, which become valid. */
void csysi_linux_parse_status(const char *text, struct csysi_os_process *out);

#endif
