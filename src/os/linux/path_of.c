/*
 * os/linux/path_of.c - the path of an open file in /proc, which leads to the file itself.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>

#include "os/posix/posix.h"

int csysi_posix_path_of(int fd, char *path, size_t size)
{
	/* Not "self", which is empty when the first thread of the process has ended. */
	(void)snprintf(path, size, "/proc/thread-self/fd/%d", fd);
	return 0;
}
