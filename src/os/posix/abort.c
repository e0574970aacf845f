/*
 * os/posix/abort.c - the end of a program that is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/abort.h"

void csysi_os_abort(const char *line)
{
	fprintf(stderr, "csys: %s\n", line);
	abort();
}
