/*
 * os/posix/abort.c - ending the process after a misuse.
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/abort.h"

void csysi_os_abort(const char *line)
{
	fprintf(stderr, "csys: %s\n", line);
	abort();
}
